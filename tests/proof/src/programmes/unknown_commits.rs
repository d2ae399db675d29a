//! Cuts at every message boundary of every operation, beside a model of what should be there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use neo_ogm::ErrorKind;
use neo_ogm::neo_bolt::CommitOutcome;
use neo_ogm::prelude::*;
use neo_test_support::Message;
use neo_test_support::proxy::{Action, Proxy, When};
use tokio::task::JoinSet;

use crate::context::{Context, Failure};
use crate::model::{self, Account, Author, Book, WrittenBy};
use crate::places::Place;
use crate::random::Random;

const WORKERS: u64 = 8;
const BOOKS: usize = 6;
const AUTHORS: usize = 3;

/// What one worker wants done, with what a model needs to follow.
#[derive(Debug, Clone, Copy)]
enum Operation {
    Save {
        book: usize,
        pages: i64,
    },
    Insert {
        book: usize,
        pages: i64,
    },
    Update {
        book: usize,
        pages: i64,
    },
    Connect {
        book: usize,
        author: usize,
        year: i64,
    },
    Replace {
        book: usize,
        author: usize,
        year: i64,
    },
    Similar {
        book: usize,
        other: usize,
    },
    Disconnect {
        book: usize,
        other: usize,
    },
    DisconnectAll {
        book: usize,
    },
    Delete {
        book: usize,
    },
    /// All books at once.
    SaveAll {
        pages: i64,
    },
    /// Each book with the next one, at once.
    ConnectAll,
    /// One more on an account that has a version.
    Versioned,
    /// A save, a replace and a connect in one transaction.
    Unit {
        book: usize,
        pages: i64,
        author: usize,
        year: i64,
        other: usize,
    },
}

impl Operation {
    const KINDS: usize = 13;

    fn name(self) -> &'static str {
        match self {
            Self::Save { .. } => "save",
            Self::Insert { .. } => "insert",
            Self::Update { .. } => "update",
            Self::Connect { .. } => "connect",
            Self::Replace { .. } => "replace",
            Self::Similar { .. } => "connect to one of many",
            Self::Disconnect { .. } => "disconnect",
            Self::DisconnectAll { .. } => "disconnect all",
            Self::Delete { .. } => "delete",
            Self::SaveAll { .. } => "save in bulk",
            Self::ConnectAll => "connect in bulk",
            Self::Versioned => "versioned update",
            Self::Unit { .. } => "transaction",
        }
    }

    fn by_chance(random: &mut Random, number: i64) -> Self {
        let book = random.below(BOOKS);
        let other = (book + 1 + random.below(BOOKS - 1)) % BOOKS;
        let author = random.below(AUTHORS);
        let (pages, year) = (number, number);
        match random.below(Self::KINDS) {
            0 => Self::Save { book, pages },
            1 => Self::Insert { book, pages },
            2 => Self::Update { book, pages },
            3 => Self::Connect { book, author, year },
            4 => Self::Replace { book, author, year },
            5 => Self::Similar { book, other },
            6 => Self::Disconnect { book, other },
            7 => Self::DisconnectAll { book },
            8 => Self::Delete { book },
            9 => Self::SaveAll { pages },
            10 => Self::ConnectAll,
            11 => Self::Versioned,
            _ => Self::Unit {
                book,
                pages,
                author,
                year,
                other,
            },
        }
    }
}

/// How an operation ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Done,
    AlreadyExists,
    NotFound,
    Cardinality,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct BookState {
    pages: i64,
    author: Option<(usize, i64)>,
    similar: BTreeSet<usize>,
}

/// What should be in the database.
#[derive(Debug, Clone, PartialEq, Default)]
struct Model {
    books: BTreeMap<usize, BookState>,
    /// The account's balance, and its version one above.
    balance: i64,
}

impl Model {
    /// Does `operation`, all of it or nothing.
    fn apply(&mut self, operation: Operation) -> End {
        match operation {
            Operation::Save { book, pages } => self.books.entry(book).or_default().pages = pages,
            Operation::Insert { book, pages } => {
                if self.books.contains_key(&book) {
                    return End::AlreadyExists;
                }
                self.books.entry(book).or_default().pages = pages;
            }
            Operation::Update { book, pages } => match self.books.get_mut(&book) {
                Some(state) => state.pages = pages,
                None => return End::NotFound,
            },
            Operation::Connect { book, author, year } => match self.books.get_mut(&book) {
                None => return End::NotFound,
                Some(BookState {
                    author: Some((other, _)),
                    ..
                }) if *other != author => return End::Cardinality,
                Some(state) => state.author = Some((author, year)),
            },
            Operation::Replace { book, author, year } => match self.books.get_mut(&book) {
                None => return End::NotFound,
                Some(state) => state.author = Some((author, year)),
            },
            Operation::Similar { book, other } => {
                if !self.books.contains_key(&other) {
                    return End::NotFound;
                }
                match self.books.get_mut(&book) {
                    None => return End::NotFound,
                    Some(state) => state.similar.insert(other),
                };
            }
            Operation::Disconnect { book, other } => {
                if let Some(state) = self.books.get_mut(&book) {
                    state.similar.remove(&other);
                }
            }
            Operation::DisconnectAll { book } => {
                if let Some(state) = self.books.get_mut(&book) {
                    state.similar.clear();
                }
            }
            Operation::Delete { book } => {
                self.books.remove(&book);
                for state in self.books.values_mut() {
                    state.similar.remove(&book);
                }
            }
            Operation::SaveAll { pages } => {
                for book in 0..BOOKS {
                    self.books.entry(book).or_default().pages = pages;
                }
            }
            Operation::ConnectAll => {
                if self.books.len() < BOOKS {
                    return End::NotFound;
                }
                for (book, state) in &mut self.books {
                    state.similar.insert((book + 1) % BOOKS);
                }
            }
            Operation::Versioned => self.balance += 1,
            Operation::Unit {
                book,
                pages,
                author,
                year,
                other,
            } => {
                let before = self.clone();
                self.apply(Operation::Save { book, pages });
                self.apply(Operation::Replace { book, author, year });
                let end = self.apply(Operation::Similar { book, other });
                if end != End::Done {
                    *self = before;
                    return end;
                }
            }
        }
        End::Done
    }
}

/// The structs of one worker, which know their graph.
struct Shelf {
    graph: Graph,
    books: Vec<Book>,
    authors: Vec<Author>,
    account: Account,
    prefix: String,
}

impl Shelf {
    async fn fill(graph: Graph, prefix: String) -> Result<Self, Failure> {
        let books: Vec<_> = (0..BOOKS)
            .map(|number| Book::new(format!("{prefix}{number}"), "A title", 0))
            .collect();
        let authors: Vec<_> = (0..AUTHORS)
            .map(|number| Author::new(format!("{prefix}{number}")))
            .collect();
        for book in &books {
            book.save(&graph).await?;
        }
        for author in &authors {
            author.save(&graph).await?;
        }
        let account = Account::new(prefix.as_str(), 0);
        account.save(&graph).await?;
        Ok(Self {
            graph,
            books,
            authors,
            account,
            prefix,
        })
    }

    fn book(&mut self, book: usize, pages: i64) -> &Book {
        let book = &mut self.books[book];
        book.pages = pages;
        book
    }

    async fn run(&mut self, operation: Operation) -> Result<(), neo_ogm::Error> {
        let graph = self.graph.clone();
        match operation {
            Operation::Save { book, pages } => self.book(book, pages).save(&graph).await,
            Operation::Insert { book, pages } => self.book(book, pages).insert(&graph).await,
            Operation::Update { book, pages } => self.book(book, pages).update(&graph).await,
            Operation::Connect { book, author, year } => {
                let connect = self.books[book].author.connect(&self.authors[author]);
                connect.properties(WrittenBy { year }).await
            }
            Operation::Replace { book, author, year } => {
                let replace = self.books[book].author.replace(&self.authors[author]);
                replace.properties(WrittenBy { year }).await
            }
            Operation::Similar { book, other } => {
                self.books[book].similar.connect(&self.books[other]).await
            }
            Operation::Disconnect { book, other } => {
                let disconnect = self.books[book].similar.disconnect(&self.books[other]);
                disconnect.await.map(drop)
            }
            Operation::DisconnectAll { book } => {
                self.books[book].similar.disconnect_all().await.map(drop)
            }
            Operation::Delete { book } => self.books[book].delete(&graph).await,
            Operation::SaveAll { pages } => {
                for book in &mut self.books {
                    book.pages = pages;
                }
                graph.save_all(&self.books).await.map(drop)
            }
            Operation::ConnectAll => {
                let others = self.books.iter().cycle().skip(1);
                let pairs = self.books.iter().zip(others);
                graph.connect_all(Book::SIMILAR, pairs).await.map(drop)
            }
            Operation::Versioned => {
                self.account.balance += 1;
                self.account.update(&graph).await
            }
            Operation::Unit {
                book,
                pages,
                author,
                year,
                other,
            } => {
                self.book(book, pages);
                let (book, author) = (&self.books[book], &self.authors[author]);
                let other = &self.books[other];
                graph
                    .transaction(async |tx| {
                        book.save(&tx).await?;
                        let replace = book.author.replace(author).properties(WrittenBy { year });
                        replace.on(&tx).await?;
                        book.similar.connect(other).on(&tx).await
                    })
                    .await
            }
        }
    }

    /// What is in the database, read past the proxy.
    async fn read(&self, direct: &Graph) -> Result<Model, Failure> {
        type Row = (String, i64, Vec<String>, Vec<i64>, Vec<String>);
        let rows: Vec<Row> = direct
            .cypher(
                "MATCH (b:ProofBook) WHERE b.isbn STARTS WITH $prefix \
                 RETURN b.isbn, b.pages, \
                 [(b)-[:PROOF_WRITTEN_BY]->(a) | a.name], \
                 [(b)-[r:PROOF_WRITTEN_BY]->() | r.year], \
                 [(b)-[:PROOF_SIMILAR_TO]->(o) | o.isbn]",
            )
            .param("prefix", self.prefix.as_str())
            .read_only()
            .fetch(direct)
            .await?;
        let number = |key: &str| {
            key.strip_prefix(&self.prefix)
                .unwrap_or("")
                .parse::<usize>()
        };
        let mut model = Model::default();
        for (isbn, pages, authors, years, similar) in rows {
            let author = match (authors.as_slice(), years.as_slice()) {
                ([], []) => None,
                ([author], [year]) => Some((number(author)?, *year)),
                _ => return Err(format!("{isbn} has {} authors", authors.len()).into()),
            };
            let count = similar.len();
            let similar: BTreeSet<_> = similar
                .iter()
                .map(|isbn| number(isbn))
                .collect::<Result<_, _>>()?;
            let state = BookState {
                pages,
                author,
                similar,
            };
            if state.similar.len() != count {
                return Err(format!("{isbn} is connected twice with the same book").into());
            }
            if model.books.insert(number(&isbn)?, state).is_some() {
                return Err(format!("there are two books {isbn}").into());
            }
        }
        let account = Account::find_by_number(self.prefix.as_str())
            .one(direct)
            .await?;
        let account = account.ok_or("the account is gone")?;
        model.balance = account.balance;
        if account.version.get() != Some(account.balance + 1) {
            let version = account.version.get();
            return Err(format!("{} writes gave version {version:?}", account.balance + 1).into());
        }
        Ok(model)
    }
}

/// The boundaries where connections are cut.
const MESSAGES: &[(Message, u64)] = &[
    (Message::Begin, 1),
    (Message::Run, 1),
    (Message::Run, 2),
    (Message::Run, 3),
    (Message::Pull, 1),
    (Message::Pull, 3),
    (Message::Commit, 1),
    (Message::Commit, 1),
    (Message::Success, 1),
    (Message::Success, 2),
    (Message::Success, 3),
    (Message::Success, 4),
    (Message::Record, 1),
    (Message::Hello, 1),
    (Message::Logon, 1),
];

const ACTIONS: &[Action] = &[
    Action::CutBefore,
    Action::CutInside,
    Action::CutAfter,
    Action::CutAfterAnswer,
];

/// What came out of a worker.
#[derive(Default)]
struct Tally {
    operations: u64,
    boundaries: BTreeSet<String>,
    unknown: u64,
    wrong_ends: Vec<String>,
    differences: Vec<String>,
}

pub(super) async fn run(context: &mut Context) -> Result<(), Failure> {
    let wanted: u64 = context.size(5_000, 240);
    let place = context.place()?.clone();
    let direct = place.graph().await?;
    let cuts = Arc::new(AtomicU64::new(0));
    let mut workers = JoinSet::new();
    for number in 0..WORKERS {
        let random = context.random().fork(number);
        let prefix = format!("{}{number}-", context.prefix());
        let (place, direct, cuts) = (place.clone(), direct.clone(), Arc::clone(&cuts));
        workers.spawn(async move { work(place, direct, prefix, random, &cuts, wanted).await });
    }
    let mut progress = context.progress(wanted);
    let mut shown = 0;
    let mut total = Tally::default();
    while !workers.is_empty() {
        tokio::select! {
            () = tokio::time::sleep(std::time::Duration::from_millis(200)) => {}
            Some(done) = workers.join_next() => {
                let tally = done??;
                total.operations += tally.operations;
                total.unknown += tally.unknown;
                total.boundaries.extend(tally.boundaries);
                total.wrong_ends.extend(tally.wrong_ends);
                total.differences.extend(tally.differences);
            }
        }
        let now = cuts.load(Ordering::Relaxed).min(wanted);
        progress.step(now - shown);
        shown = now;
    }
    model::clean(&direct, context.prefix()).await?;
    let cuts = cuts.load(Ordering::Relaxed);
    let first = |texts: &[String]| {
        texts
            .first()
            .map_or(String::new(), |text| format!("; {text}"))
    };
    context.check(
        "the database equals the model",
        total.differences.is_empty(),
        format!(
            "{cuts} cuts in {} operations of {WORKERS} writers, {} differences{}",
            total.operations,
            total.differences.len(),
            first(&total.differences)
        ),
    );
    context.check(
        "each call ended as it had to",
        total.wrong_ends.is_empty(),
        format!(
            "{} wrong ends, {} of unknown outcome{}",
            total.wrong_ends.len(),
            total.unknown,
            first(&total.wrong_ends)
        ),
    );
    context.note(format!(
        "{} different boundaries (operation, message, manner) were cut.",
        total.boundaries.len()
    ));
    Ok(())
}

/// What was wrong with the row that a bulk operation names.
fn of_row(error: &neo_ogm::Error) -> &neo_ogm::Error {
    match error.kind() {
        ErrorKind::Row { error, .. } => error,
        _ => error,
    }
}

async fn work(
    place: Place,
    direct: Graph,
    prefix: String,
    mut random: Random,
    cuts: &AtomicU64,
    wanted: u64,
) -> Result<Tally, Failure> {
    let proxy = Proxy::start(place.address())?;
    let graph = place.through(&proxy.uri()).await?;
    let mut shelf = Shelf::fill(graph, prefix).await?;
    let mut model = shelf.read(&direct).await?;
    let mut tally = Tally::default();
    while cuts.load(Ordering::Relaxed) < wanted {
        tally.operations += 1;
        let number = i64::try_from(tally.operations)?;
        let operation = Operation::by_chance(&mut random, number);
        let (message, nth) = random.of(MESSAGES);
        let action = random.of(ACTIONS);
        if matches!(message, Message::Hello | Message::Logon) {
            // They come with a new connection only.
            proxy.cut_all();
        }
        let fault = proxy.inject(message, action, When::Nth(nth));
        let before = model.clone();
        let expected = model.apply(operation);
        let outcome = shelf.run(operation).await;
        if proxy.fired(fault) > 0 {
            cuts.fetch_add(1, Ordering::Relaxed);
            let boundary = format!("{} {message} {nth} {action:?}", operation.name());
            tally.boundaries.insert(boundary);
        }
        proxy.clear_faults();
        let end = match &outcome {
            Ok(()) => Some(End::Done),
            Err(error) => match of_row(error).kind() {
                ErrorKind::AlreadyExists { .. } => Some(End::AlreadyExists),
                ErrorKind::NodeNotFound { .. } => Some(End::NotFound),
                ErrorKind::Cardinality { .. } => Some(End::Cardinality),
                _ => None,
            },
        };
        let what = || format!("{operation:?} with {action:?} at {message} {nth}: {outcome:?}");
        if end.is_none() {
            let unknown = outcome
                .as_ref()
                .is_err_and(|error| error.commit_outcome() == CommitOutcome::Unknown);
            let found = shelf.read(&direct).await?;
            // It said that it can't know; or that nothing happened.
            if unknown && (found == model || found == before) {
                tally.unknown += 1;
                model = found;
                continue;
            }
            tally.wrong_ends.push(what());
            model = found;
        } else if end != Some(expected) {
            tally
                .wrong_ends
                .push(format!("{} instead of {expected:?}", what()));
        }
        if tally.operations % 8 == 0 || end != Some(expected) {
            let found = shelf.read(&direct).await?;
            if found != model {
                let text = format!("after {}: found {found:?}, expected {model:?}", what());
                tally.differences.push(text);
                model = found;
            }
        }
    }
    let found = shelf.read(&direct).await?;
    if found != model {
        let text = format!("at the end: found {found:?}, expected {model:?}");
        tally.differences.push(text);
    }
    Ok(tally)
}
