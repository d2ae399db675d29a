//! What a worker does, and what a model of it expects.

use super::state::{ACCOUNTS, AUTHORS, AccountState, Answer, BOOKS, BookState, Model};
use crate::random::Random;

/// One transaction: a single operation, a unit of work or an explicit transaction.
#[derive(Debug, Clone, Copy)]
pub(super) enum Operation {
    Save(usize),
    Insert(usize),
    Update(usize),
    Delete(usize),
    CreateOrUpdate(usize),
    GetOrCreate(usize),
    /// An update by finder that computes its value, and whose filter its own effect changes.
    AddBelow(i64),
    DeleteFound(usize),
    SaveAll,
    /// Raw Cypher that counts.
    RawAdd(usize),
    RawCreate,
    Connect(usize, usize),
    Replace(usize, usize),
    Similar(usize, usize),
    Disconnect(usize, usize),
    DisconnectAll(usize),
    /// Reads, adds, saves, or inserts if there is nothing to read.
    UnitAdd(usize),
    /// The same with a lock.
    UnitLock(usize),
    /// Counts, and inserts if there is none.
    UnitCount(usize),
    /// Saves one if it does not exist, then inserts another.
    UnitBranch(usize, usize),
    /// Deletes what exists.
    UnitDelete(usize),
    /// Reads the author and replaces it by the next one.
    UnitReplace(usize),
    /// Several operations at the same time.
    UnitJoin(usize, usize),
    UnitAbort(usize),
    Explicit(usize),
    Versioned(usize),
    VersionedDelete(usize),
    UnitVersioned(usize),
    UnitVersionedTwice(usize),
}

impl Operation {
    pub(super) fn name(self) -> String {
        let shown = format!("{self:?}");
        shown.split('(').next().unwrap_or_default().to_owned()
    }

    /// The book or the account that a stranger should write to.
    pub(super) fn target(self) -> Result<usize, usize> {
        match self {
            Self::Save(book)
            | Self::Insert(book)
            | Self::Update(book)
            | Self::Delete(book)
            | Self::CreateOrUpdate(book)
            | Self::GetOrCreate(book)
            | Self::DeleteFound(book)
            | Self::RawAdd(book)
            | Self::Connect(book, _)
            | Self::Replace(book, _)
            | Self::Similar(book, _)
            | Self::Disconnect(book, _)
            | Self::DisconnectAll(book)
            | Self::UnitAdd(book)
            | Self::UnitLock(book)
            | Self::UnitCount(book)
            | Self::UnitBranch(book, _)
            | Self::UnitDelete(book)
            | Self::UnitReplace(book)
            | Self::UnitJoin(book, _)
            | Self::UnitAbort(book)
            | Self::Explicit(book) => Ok(book),
            Self::AddBelow(_) | Self::SaveAll | Self::RawCreate => Ok(0),
            Self::Versioned(account)
            | Self::VersionedDelete(account)
            | Self::UnitVersioned(account)
            | Self::UnitVersionedTwice(account) => Err(account),
        }
    }

    pub(super) fn by_chance(random: &mut Random, model: &Model) -> Self {
        let book = random.below(BOOKS);
        let other = (book + 1 + random.below(BOOKS - 1)) % BOOKS;
        let author = random.below(AUTHORS);
        let account = random.below(ACCOUNTS);
        match random.below(33) {
            0 => Self::Save(book),
            1 => Self::Insert(book),
            2 => Self::Update(book),
            3 => Self::Delete(book),
            4 => Self::CreateOrUpdate(book),
            5 => Self::GetOrCreate(book),
            6 => {
                let books = model.state.books.values();
                let most = books.map(|book| book.pages).max().unwrap_or_default();
                Self::AddBelow(most)
            }
            7 => Self::DeleteFound(book),
            8 => Self::SaveAll,
            9 => Self::RawAdd(book),
            10 => Self::RawCreate,
            11 => Self::Connect(book, author),
            12 => Self::Replace(book, author),
            13 => Self::Similar(book, other),
            14 => Self::Disconnect(book, other),
            15 => Self::DisconnectAll(book),
            16 | 17 => Self::UnitAdd(book),
            18 => Self::UnitLock(book),
            19 | 20 => Self::UnitCount(book),
            21 => Self::UnitBranch(book, other),
            22 => Self::UnitDelete(book),
            23 => Self::UnitReplace(book),
            24 | 25 => Self::UnitJoin(book, other),
            26 => Self::UnitAbort(book),
            27 => Self::Explicit(book),
            28 => Self::Versioned(account),
            29 if model.state.accounts.contains_key(&account) => Self::VersionedDelete(account),
            30 => Self::UnitVersionedTwice(account),
            _ => Self::UnitVersioned(account),
        }
    }

    /// What one run does to the model, and what it returns. `number` is the operation's own: what
    /// it writes, and what it adds.
    pub(super) fn apply(self, model: &mut Model, number: i64) -> Answer {
        let state = &mut model.state;
        match self {
            Self::Save(book) => {
                state.books.entry(book).or_default().pages = number;
                Answer::Done
            }
            Self::Insert(book) => match insert(model, book, number) {
                true => Answer::Done,
                false => Answer::AlreadyExists,
            },
            Self::Update(book) => match state.books.get_mut(&book) {
                Some(state) => {
                    state.pages = number;
                    Answer::Done
                }
                None => Answer::NotFound,
            },
            Self::Delete(book) => {
                state.delete_book(book);
                Answer::Done
            }
            Self::CreateOrUpdate(book) => {
                let created = !state.books.contains_key(&book);
                state.books.entry(book).or_default().pages = number;
                Answer::Bool(created)
            }
            Self::GetOrCreate(book) => {
                let created = insert(model, book, number);
                let pages = model.state.books.get(&book).map(|book| book.pages);
                Answer::Numbers(vec![i64::from(created), pages.unwrap_or_default()])
            }
            Self::AddBelow(most) => {
                let mut changed = 0;
                for book in state.books.values_mut().filter(|one| one.pages < most) {
                    book.pages += number;
                    changed += 1;
                }
                Answer::Numbers(vec![changed])
            }
            Self::DeleteFound(book) => Answer::Numbers(vec![i64::from(state.delete_book(book))]),
            Self::SaveAll => {
                for book in 0..BOOKS {
                    state.books.entry(book).or_default().pages = number;
                }
                Answer::Done
            }
            Self::RawAdd(book) => match state.books.get_mut(&book) {
                Some(state) => {
                    state.pages += number;
                    Answer::Numbers(vec![state.pages])
                }
                None => Answer::Numbers(vec![]),
            },
            Self::RawCreate => {
                state.entries += 1;
                Answer::Numbers(vec![number])
            }
            Self::Connect(book, author) => match state.books.get_mut(&book) {
                None => Answer::NotFound,
                Some(BookState {
                    author: Some((other, _)),
                    ..
                }) if *other != author => Answer::Cardinality,
                Some(state) => {
                    state.author = Some((author, number));
                    Answer::Done
                }
            },
            Self::Replace(book, author) => match state.books.get_mut(&book) {
                None => Answer::NotFound,
                Some(state) => {
                    state.author = Some((author, number));
                    Answer::Done
                }
            },
            Self::Similar(book, other) => {
                let both = [book, other]
                    .iter()
                    .all(|one| state.books.contains_key(one));
                match state.books.get_mut(&book) {
                    Some(state) if both => {
                        state.similar.insert(other);
                        Answer::Done
                    }
                    _ => Answer::NotFound,
                }
            }
            Self::Disconnect(book, other) => {
                if let Some(state) = state.books.get_mut(&book) {
                    state.similar.remove(&other);
                }
                Answer::Done
            }
            Self::DisconnectAll(book) => {
                if let Some(state) = state.books.get_mut(&book) {
                    state.similar.clear();
                }
                Answer::Done
            }
            Self::UnitAdd(book) | Self::UnitLock(book) => {
                state.entries += entered(number);
                let state = state.books.entry(book).or_default();
                state.pages += number;
                Answer::Numbers(vec![state.pages])
            }
            Self::UnitCount(book) => {
                state.entries += entered(number);
                Answer::Bool(insert(model, book, number))
            }
            Self::UnitBranch(book, other) => {
                if state.books.contains_key(&other) {
                    return Answer::AlreadyExists;
                }
                state.entries += entered(number);
                insert(model, other, number);
                Answer::Bool(!insert(model, book, number))
            }
            Self::UnitDelete(book) => {
                state.entries += entered(number);
                Answer::Bool(state.delete_book(book))
            }
            Self::UnitReplace(book) => {
                let Some(book) = state.books.get_mut(&book) else {
                    return Answer::NotFound;
                };
                state.entries += entered(number);
                let before = book.author.map(|(author, _)| author);
                book.author = Some((next(before), number));
                Answer::Numbers(before.into_iter().map(signed).collect())
            }
            Self::UnitJoin(book, other) => {
                state.entries += entered(number);
                let count = match state.books.get_mut(&book) {
                    Some(state) => {
                        state.pages += number;
                        1
                    }
                    None => 0,
                };
                let mut numbers = vec![count];
                if let Some(state) = state.books.get_mut(&other) {
                    state.pages += number;
                    numbers.push(state.pages);
                }
                Answer::Numbers(numbers)
            }
            Self::UnitAbort(_) => Answer::Aborted,
            Self::Explicit(book) => {
                state.entries += entered(number);
                let state = state.books.get_mut(&book);
                let found = state.map(|state| state.pages += number);
                Answer::Numbers(vec![i64::from(found.is_some())])
            }
            Self::Versioned(account) => {
                let stored = state.accounts.get(&account).map(|one| one.version);
                if stored != model.held[account] {
                    return Answer::Conflict;
                }
                let version = stored.unwrap_or_default() + 1;
                write(model, account, number, version)
            }
            Self::VersionedDelete(account) => {
                let stored = state.accounts.get(&account).map(|one| one.version);
                if stored != model.held[account] {
                    return Answer::Conflict;
                }
                state.accounts.remove(&account);
                model.held[account] = None;
                Answer::Done
            }
            Self::UnitVersioned(account) => {
                state.entries += entered(number);
                let (balance, version) = match state.accounts.get(&account) {
                    Some(before) => (before.balance, before.version),
                    None => (0, 0),
                };
                write(model, account, balance + number, version + 1)
            }
            Self::UnitVersionedTwice(account) => match state.accounts.get(&account) {
                None => Answer::Aborted,
                Some(before) => {
                    let (balance, version) = (before.balance, before.version);
                    state.entries += entered(number);
                    write(model, account, balance + number, version + 2)
                }
            },
        }
    }
}

/// How many ledger entries a unit creates: every second one is without raw Cypher.
pub(super) fn entered(number: i64) -> i64 {
    number & 1
}

/// The author after this one.
pub(super) fn next(author: Option<usize>) -> usize {
    author.map_or(0, |author| (author + 1) % AUTHORS)
}

pub(super) fn signed(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn insert(model: &mut Model, book: usize, pages: i64) -> bool {
    let new = !model.state.books.contains_key(&book);
    if new {
        model.state.books.entry(book).or_default().pages = pages;
    }
    new
}

fn write(model: &mut Model, account: usize, balance: i64, version: i64) -> Answer {
    let written = AccountState { balance, version };
    model.state.accounts.insert(account, written);
    model.held[account] = Some(version);
    Answer::Account(written)
}
