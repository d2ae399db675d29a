//! Running a worker's operations through the mapper.

use std::future::IntoFuture as _;

use neo_ogm::neo_bolt::CommitOutcome;
use neo_ogm::prelude::*;
use neo_ogm::{Error, ErrorKind};

use super::operation::{Operation, entered, next, signed};
use super::state::{ACCOUNTS, AUTHORS, AccountState, Answer, BOOKS, Model};
use crate::context::Failure;
use crate::ledger::ENTRY;
use crate::model::{Account, Author, Book, WrittenBy};

/// The structs of one worker, which know their graph.
pub(super) struct Shelf {
    graph: Graph,
    books: Vec<Book>,
    authors: Vec<Author>,
    accounts: Vec<Account>,
    prefix: String,
}

const ADD: &str = "MATCH (b:ProofBook {isbn: $key}) SET b.pages = b.pages + $by RETURN b.pages";

impl Shelf {
    pub(super) async fn fill(graph: Graph, prefix: String) -> Result<Self, Failure> {
        let key = |number: usize| format!("{prefix}{number}");
        let books = (0..BOOKS).map(|number| Book::new(key(number), "A title", 0));
        let books: Vec<_> = books.collect();
        let authors: Vec<_> = (0..AUTHORS)
            .map(|number| Author::new(key(number)))
            .collect();
        let accounts: Vec<_> = (0..ACCOUNTS)
            .map(|number| Account::new(key(number), 0))
            .collect();
        for book in &books {
            book.save(&graph).await?;
        }
        for author in &authors {
            author.save(&graph).await?;
        }
        for account in &accounts {
            account.save(&graph).await?;
        }
        Ok(Self {
            graph,
            books,
            authors,
            accounts,
            prefix,
        })
    }

    pub(super) fn held(&self) -> [Option<i64>; ACCOUNTS] {
        std::array::from_fn(|account| self.accounts[account].version.get())
    }

    /// Reads the structs of the accounts anew if they are not what the database has.
    pub(super) async fn refresh(&mut self, model: &mut Model) -> Result<(), Failure> {
        for (account, struct_) in self.accounts.iter_mut().enumerate() {
            let stored = model.state.accounts.get(&account).map(|one| one.version);
            if struct_.version.get() != stored {
                let number = struct_.number.clone();
                let found = Account::find_by_number(number.as_str()).one(&self.graph);
                *struct_ = found.await?.unwrap_or_else(|| Account::new(number, 0));
            }
        }
        model.held = self.held();
        Ok(())
    }

    fn key(&self, number: usize) -> String {
        format!("{}{number}", self.prefix)
    }

    fn book(&mut self, book: usize, pages: i64) -> &Book {
        let book = &mut self.books[book];
        book.pages = pages;
        book
    }

    async fn enter(&self, tx: &Transaction, number: i64) -> Result<(), Error> {
        if entered(number) == 0 {
            return Ok(());
        }
        let entry = tx.cypher(ENTRY).param("ledger", self.prefix.as_str());
        let entry = entry.param("unit", number).param("by", 0);
        entry.param("after", 0).execute(tx).await.map(drop)
    }

    pub(super) async fn perform(&mut self, operation: Operation, number: i64) -> Answer {
        let single = self.single(operation, number).await;
        let ended = match single {
            Some(ended) => ended,
            None => self.unit(operation, number).await,
        };
        ended.unwrap_or_else(|error| match error.kind() {
            _ if error.commit_outcome() == CommitOutcome::Unknown => {
                Answer::Failed(error.to_string())
            }
            ErrorKind::AlreadyExists { .. } => Answer::AlreadyExists,
            ErrorKind::NodeNotFound { .. } => Answer::NotFound,
            ErrorKind::Cardinality { .. } => Answer::Cardinality,
            ErrorKind::VersionConflict { .. } => Answer::Conflict,
            ErrorKind::Aborted(_) => Answer::Aborted,
            _ if matches!(operation, Operation::Explicit(_))
                && error.commit_outcome() == CommitOutcome::NotSent =>
            {
                Answer::NotCommitted
            }
            _ => Answer::Failed(error.to_string()),
        })
    }

    /// One operation that is a transaction by itself.
    async fn single(&mut self, operation: Operation, number: i64) -> Option<Result<Answer, Error>> {
        let graph = self.graph.clone();
        let done = |()| Answer::Done;
        let key = |number: usize| format!("{}{number}", self.prefix);
        Some(match operation {
            Operation::Save(book) => self.book(book, number).save(&graph).await.map(done),
            Operation::Insert(book) => self.book(book, number).insert(&graph).await.map(done),
            Operation::Update(book) => self.book(book, number).update(&graph).await.map(done),
            Operation::Delete(book) => self.books[book].delete(&graph).await.map(done),
            Operation::CreateOrUpdate(book) => {
                let created = self.book(book, number).create_or_update(&graph);
                created.await.map(Answer::Bool)
            }
            Operation::GetOrCreate(book) => {
                let made = self.book(book, number).get_or_create(&graph).await;
                made.map(|(book, created)| Answer::Numbers(vec![created.into(), book.pages]))
            }
            Operation::AddBelow(most) => {
                let mine = Book::find().filter(Book::ISBN.starts_with(self.prefix.as_str()));
                let below = mine.filter(Book::PAGES.lt(most)).update(&graph);
                let added = below.set(Book::PAGES, Book::PAGES + number).await;
                added.map(counted)
            }
            Operation::DeleteFound(book) => {
                let found = Book::find_by_isbn(key(book));
                found.delete(&graph).await.map(counted)
            }
            Operation::SaveAll => {
                for book in &mut self.books {
                    book.pages = number;
                }
                graph.save_all(&self.books).await.map(|_| Answer::Done)
            }
            Operation::RawAdd(book) => {
                let add = graph.cypher(ADD).param("key", key(book));
                let added = add.param("by", number).fetch::<i64>(&graph).await;
                added.map(Answer::Numbers)
            }
            Operation::RawCreate => {
                let create = format!("{ENTRY} RETURN $unit");
                let create = graph.cypher(create).param("ledger", self.prefix.as_str());
                let create = create.param("unit", number).param("by", 0);
                let created = create.param("after", 0).fetch::<i64>(&graph).await;
                created.map(Answer::Numbers)
            }
            Operation::Connect(book, author) => {
                let connect = self.books[book].author.connect(&self.authors[author]);
                connect
                    .properties(WrittenBy { year: number })
                    .await
                    .map(done)
            }
            Operation::Replace(book, author) => {
                let replace = self.books[book].author.replace(&self.authors[author]);
                replace
                    .properties(WrittenBy { year: number })
                    .await
                    .map(done)
            }
            Operation::Similar(book, other) => {
                let connect = self.books[book].similar.connect(&self.books[other]);
                connect.await.map(done)
            }
            Operation::Disconnect(book, other) => {
                let disconnect = self.books[book].similar.disconnect(&self.books[other]);
                disconnect.await.map(|_| Answer::Done)
            }
            Operation::DisconnectAll(book) => {
                let disconnect = self.books[book].similar.disconnect_all();
                disconnect.await.map(|_| Answer::Done)
            }
            Operation::Versioned(account) => {
                let account = &mut self.accounts[account];
                account.balance = number;
                account.save(&graph).await.map(|()| shown(account))
            }
            Operation::VersionedDelete(account) => {
                let account = &mut self.accounts[account];
                let deleted = account.delete(&graph).await;
                if deleted.is_ok() {
                    *account = Account::new(account.number.clone(), 0);
                }
                deleted.map(done)
            }
            _ => return None,
        })
    }

    /// Several operations in one transaction.
    async fn unit(&mut self, operation: Operation, number: i64) -> Result<Answer, Error> {
        if let Operation::UnitVersioned(account) | Operation::UnitVersionedTwice(account) =
            operation
        {
            let this = &*self;
            let unit = this.graph.transaction(async |tx| {
                let written = this.versioned(&tx, operation, account, number).await?;
                this.enter(&tx, number).await?;
                Ok(written)
            });
            let written = unit.await?;
            let answer = shown(&written);
            self.accounts[account] = written;
            return Ok(answer);
        }
        if let Operation::Explicit(book) = operation {
            let tx = self.graph.begin().await?;
            self.enter(&tx, number).await?;
            let update = Book::find_by_isbn(self.key(book)).update(&tx);
            let updated = update.set(Book::PAGES, Book::PAGES + number).await?;
            tx.commit().await?;
            return Ok(counted(updated));
        }
        let this = &*self;
        let unit = this.graph.transaction(async |tx| {
            let answer = this.books(&tx, operation, number).await?;
            this.enter(&tx, number).await?;
            match operation {
                Operation::UnitAbort(_) => Err(Error::abort("no")),
                _ => Ok(answer),
            }
        });
        unit.await
    }

    async fn versioned(
        &self,
        tx: &Transaction,
        operation: Operation,
        account: usize,
        number: i64,
    ) -> Result<Account, Error> {
        let key = self.key(account);
        let found = Account::find_by_number(key.as_str()).one(tx).await?;
        let twice = matches!(operation, Operation::UnitVersionedTwice(_));
        let mut account = match found {
            Some(account) => account,
            None if twice => return Err(Error::abort("there is nothing to save twice")),
            None => Account::new(key, 0),
        };
        account.balance += number;
        account.save(tx).await?;
        if twice {
            account.save(tx).await?;
        }
        Ok(account)
    }

    async fn books(
        &self,
        tx: &Transaction,
        operation: Operation,
        number: i64,
    ) -> Result<Answer, Error> {
        let new = |book: usize| Book::new(self.key(book), "A title", number);
        let find = |book: usize| Book::find_by_isbn(self.key(book));
        Ok(match operation {
            Operation::UnitAdd(at) | Operation::UnitLock(at) => {
                let found = match operation {
                    Operation::UnitLock(_) => find(at).lock().one(tx).await?,
                    _ => find(at).one(tx).await?,
                };
                let pages = match found {
                    Some(mut book) => {
                        book.pages += number;
                        book.save(tx).await?;
                        book.pages
                    }
                    None => {
                        new(at).insert(tx).await?;
                        number
                    }
                };
                Answer::Numbers(vec![pages])
            }
            Operation::UnitCount(book) => {
                let none = find(book).count(tx).await? == 0;
                if none {
                    new(book).insert(tx).await?;
                }
                Answer::Bool(none)
            }
            Operation::UnitBranch(book, other) => {
                let exists = find(book).exists(tx).await?;
                if !exists {
                    new(book).save(tx).await?;
                }
                new(other).insert(tx).await?;
                Answer::Bool(exists)
            }
            Operation::UnitDelete(book) => {
                let exists = find(book).exists(tx).await?;
                if exists {
                    self.books[book].delete(tx).await?;
                }
                Answer::Bool(exists)
            }
            Operation::UnitReplace(at) => {
                let author =
                    "MATCH (:ProofBook {isbn: $key})-[:PROOF_WRITTEN_BY]->(a) RETURN a.name";
                let author = tx.cypher(author).param("key", self.key(at));
                let author: Option<String> = author.one(tx).await?;
                let before = author.and_then(|name| {
                    let number = name.strip_prefix(&self.prefix)?;
                    number.parse().ok()
                });
                let (book, author) = (&self.books[at], &self.authors[next(before)]);
                let replace = book.author.replace(author);
                let replace = replace.properties(WrittenBy { year: number });
                replace.on(tx).await?;
                Answer::Numbers(before.into_iter().map(signed).collect())
            }
            Operation::UnitJoin(book, other) => {
                let update = find(book).update(tx);
                let update = update.set(Book::PAGES, Book::PAGES + number);
                let add = tx.cypher(ADD).param("key", self.key(other));
                let add = add.param("by", number).fetch::<i64>(tx);
                let author = self.authors[0].save(tx);
                let (updated, added, saved) =
                    tokio::join!(update.into_future(), add, author.into_future());
                saved?;
                let mut numbers = vec![signed(usize::try_from(updated?).unwrap_or_default())];
                numbers.extend(added?);
                Answer::Numbers(numbers)
            }
            _ => {
                // A unit that is to fail.
                new(operation.target().unwrap_or_default()).save(tx).await?;
                Answer::Done
            }
        })
    }
}

fn counted(count: u64) -> Answer {
    Answer::Numbers(vec![i64::try_from(count).unwrap_or(i64::MAX)])
}

fn shown(account: &Account) -> Answer {
    Answer::Account(AccountState {
        balance: account.balance,
        version: account.version.get().unwrap_or_default(),
    })
}
