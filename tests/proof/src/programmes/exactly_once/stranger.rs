//! What another client writes between a cut and whatever the mapper does about it.

use neo_ogm::prelude::*;

use super::operation::Operation;
use super::state::{AccountState, BOOKS, Model};
use crate::context::Failure;
use crate::random::Random;

/// One statement. It returns what it found, or made, while it had the lock: so it shows whether the
/// cut transaction took effect before it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stranger {
    Add { book: usize, pages: i64 },
    Overwrite { book: usize, pages: i64 },
    Insert { book: usize, pages: i64 },
    Delete { book: usize },
    Unlink { book: usize },
    AddToAccount { account: usize, balance: i64 },
    InsertAccount { account: usize, balance: i64 },
}

impl Stranger {
    pub(super) fn by_chance(random: &mut Random, operation: Operation, number: i64) -> Self {
        // Not to be taken for a number of the worker's.
        let pages = -number;
        let book = match operation.target() {
            Err(account) => {
                let balance = pages;
                return match random.below(2) {
                    0 => Self::AddToAccount { account, balance },
                    _ => Self::InsertAccount { account, balance },
                };
            }
            Ok(_) if random.below(5) == 0 => random.below(BOOKS),
            Ok(book) => book,
        };
        let relationships = matches!(
            operation,
            Operation::Connect(..)
                | Operation::Replace(..)
                | Operation::Similar(..)
                | Operation::UnitReplace(_)
        );
        match random.below(6) {
            0 => Self::Add { book, pages },
            1 => Self::Overwrite { book, pages },
            2 => Self::Delete { book },
            3 | 4 if relationships => Self::Unlink { book },
            _ => Self::Insert { book, pages },
        }
    }

    /// What it does to the model, and what it returns.
    pub(super) fn apply(self, model: &mut Model) -> Vec<i64> {
        let state = &mut model.state;
        match self {
            Self::Add { book, pages } => {
                let state = state.books.get_mut(&book).into_iter();
                let added = state.map(|state| {
                    state.pages += pages;
                    state.pages
                });
                added.collect()
            }
            Self::Overwrite { book, pages } => {
                let state = state.books.get_mut(&book).into_iter();
                let before = state.map(|state| std::mem::replace(&mut state.pages, pages));
                before.collect()
            }
            Self::Insert { book, pages } => {
                let new = !state.books.contains_key(&book);
                let state = state.books.entry(book).or_default();
                if new {
                    state.pages = pages;
                }
                vec![state.pages]
            }
            Self::Delete { book } => {
                let before = state.books.get(&book).map(|state| state.pages);
                state.delete_book(book);
                before.into_iter().collect()
            }
            Self::Unlink { book } => {
                let Some(state) = state.books.get_mut(&book) else {
                    return vec![0];
                };
                let ended = state.similar.len() + usize::from(state.author.is_some());
                state.similar.clear();
                state.author = None;
                vec![super::operation::signed(ended)]
            }
            Self::AddToAccount { account, balance } => {
                let Some(state) = state.accounts.get_mut(&account) else {
                    return vec![];
                };
                state.balance += balance;
                state.version += 1;
                vec![state.balance, state.version]
            }
            Self::InsertAccount { account, balance } => {
                let version = 1;
                let new = AccountState { balance, version };
                let state = state.accounts.entry(account).or_insert(new);
                vec![state.balance, state.version]
            }
        }
    }

    pub(super) async fn perform(self, direct: &Graph, prefix: &str) -> Result<Vec<i64>, Failure> {
        let (statement, at, value) = match self {
            Self::Add { book, pages } => (
                "MATCH (b:ProofBook {isbn: $key}) SET b.pages = b.pages + $value RETURN [b.pages]",
                book,
                pages,
            ),
            Self::Overwrite { book, pages } => (
                "MATCH (b:ProofBook {isbn: $key}) SET b.lock = true REMOVE b.lock \
                 WITH b, b.pages AS before SET b.pages = $value RETURN [before]",
                book,
                pages,
            ),
            Self::Insert { book, pages } => (
                "MERGE (b:ProofBook {isbn: $key}) \
                 ON CREATE SET b.pages = $value, b.title = 'A stranger' RETURN [b.pages]",
                book,
                pages,
            ),
            Self::Delete { book } => (
                "MATCH (b:ProofBook {isbn: $key}) SET b.lock = true REMOVE b.lock \
                 WITH b, b.pages AS before DETACH DELETE b RETURN [before]",
                book,
                0,
            ),
            Self::Unlink { book } => (
                "OPTIONAL MATCH (b:ProofBook {isbn: $key}) SET b.lock = true REMOVE b.lock WITH b \
                 OPTIONAL MATCH (b)-[r:PROOF_WRITTEN_BY|PROOF_SIMILAR_TO]->() \
                 DELETE r RETURN [count(r)]",
                book,
                0,
            ),
            Self::AddToAccount { account, balance } => (
                "MATCH (a:ProofAccount {number: $key}) \
                 SET a.balance = a.balance + $value, a.version = a.version + 1 \
                 RETURN [a.balance, a.version]",
                account,
                balance,
            ),
            Self::InsertAccount { account, balance } => (
                "MERGE (a:ProofAccount {number: $key}) \
                 ON CREATE SET a.balance = $value, a.version = 1 RETURN [a.balance, a.version]",
                account,
                balance,
            ),
        };
        let query = direct.cypher(statement).param("value", value);
        let query = query.param("key", format!("{prefix}{at}"));
        loop {
            let rows: Vec<Vec<Option<i64>>> = query.clone().fetch(direct).await?;
            let values: Option<Vec<i64>> = rows.concat().into_iter().collect();
            // Without a value, the node was deleted while the statement waited for its lock.
            if let Some(values) = values {
                return Ok(values);
            }
        }
    }
}
