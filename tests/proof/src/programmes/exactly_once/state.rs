//! What one worker has in the database, as a model and as it is read.

use std::collections::{BTreeMap, BTreeSet};

use neo_ogm::prelude::*;

use crate::context::Failure;

pub(super) const BOOKS: usize = 5;
pub(super) const AUTHORS: usize = 3;
pub(super) const ACCOUNTS: usize = 2;

#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct BookState {
    pub(super) pages: i64,
    /// The author and the year of the relationship.
    pub(super) author: Option<(usize, i64)>,
    pub(super) similar: BTreeSet<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct AccountState {
    pub(super) balance: i64,
    pub(super) version: i64,
}

/// The nodes of one worker.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct State {
    pub(super) books: BTreeMap<usize, BookState>,
    pub(super) accounts: BTreeMap<usize, AccountState>,
    /// How many ledger entries the newest operation has left.
    pub(super) entries: i64,
}

impl State {
    pub(super) fn delete_book(&mut self, book: usize) -> bool {
        let deleted = self.books.remove(&book).is_some();
        for state in self.books.values_mut() {
            state.similar.remove(&book);
        }
        deleted
    }

    /// Reads what is there under `prefix`, and counts the entries of operation `number`.
    pub(super) async fn read(direct: &Graph, prefix: &str, number: i64) -> Result<Self, Failure> {
        type Row = (String, i64, Vec<String>, Vec<i64>, Vec<String>);
        let query = |statement: &str| {
            let query = direct.cypher(statement).param("prefix", prefix);
            query.param("number", number).read_only()
        };
        let books = query(
            "MATCH (b:ProofBook) WHERE b.isbn STARTS WITH $prefix \
             RETURN b.isbn, b.pages, \
             [(b)-[:PROOF_WRITTEN_BY]->(a) | a.name], \
             [(b)-[r:PROOF_WRITTEN_BY]->() | r.year], \
             [(b)-[:PROOF_SIMILAR_TO]->(o) | o.isbn]",
        );
        let accounts = query(
            "MATCH (a:ProofAccount) WHERE a.number STARTS WITH $prefix \
             RETURN a.number, a.balance, a.version",
        );
        let entries =
            query("MATCH (e:ProofEntry {ledger: $prefix}) WHERE e.unit = $number RETURN count(e)");
        let (books, accounts, entries) = tokio::join!(
            books.fetch::<Row>(direct),
            accounts.fetch::<(String, i64, i64)>(direct),
            entries.get::<i64>(direct),
        );
        let at = |key: &str| key.strip_prefix(prefix).unwrap_or("").parse::<usize>();
        let mut state = Self {
            entries: entries?,
            ..Self::default()
        };
        for (number, balance, version) in accounts? {
            let account = AccountState { balance, version };
            if state.accounts.insert(at(&number)?, account).is_some() {
                return Err(format!("there are two accounts {number}").into());
            }
        }
        for (isbn, pages, authors, years, similar) in books? {
            let author = match (authors.as_slice(), years.as_slice()) {
                ([], []) => None,
                ([author], [year]) => Some((at(author)?, *year)),
                _ => return Err(format!("{isbn} has {} authors", authors.len()).into()),
            };
            let count = similar.len();
            let similar: BTreeSet<_> = similar
                .iter()
                .map(|isbn| at(isbn))
                .collect::<Result<_, _>>()?;
            if similar.len() != count {
                return Err(format!("{isbn} is connected twice with the same book").into());
            }
            let book = BookState {
                pages,
                author,
                similar,
            };
            if state.books.insert(at(&isbn)?, book).is_some() {
                return Err(format!("there are two books {isbn}").into());
            }
        }
        Ok(state)
    }
}

/// What should be in the database and in the structs of a worker.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Model {
    pub(super) state: State,
    /// The version that the struct of each account has.
    pub(super) held: [Option<i64>; ACCOUNTS],
}

/// What an operation returns.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    Done,
    Bool(bool),
    Numbers(Vec<i64>),
    /// The struct of an account afterwards.
    Account(AccountState),
    AlreadyExists,
    NotFound,
    Cardinality,
    Conflict,
    Aborted,
    /// It did not take effect, and the error says so.
    NotCommitted,
    /// Any other error.
    Failed(String),
}
