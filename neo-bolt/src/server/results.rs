//! The results that are open on one connection.

use std::collections::BTreeMap;

use super::request::Fetch;
use super::{Failure, Results};
use crate::value::Value;

/// A result, and the record behind the last one sent: it tells whether there are more.
#[derive(Debug)]
pub(super) struct OpenResult<R> {
    pub(super) results: R,
    ahead: Option<Vec<Value>>,
}

impl<R: Results> OpenResult<R> {
    pub(super) fn new(results: R) -> Self {
        Self {
            results,
            ahead: None,
        }
    }

    pub(super) async fn next(&mut self) -> Result<Option<Vec<Value>>, Failure> {
        match self.ahead.take() {
            Some(record) => Ok(Some(record)),
            None => self.results.next().await,
        }
    }

    pub(super) async fn has_more(&mut self) -> Result<bool, Failure> {
        if self.ahead.is_none() {
            self.ahead = self.results.next().await?;
        }
        Ok(self.ahead.is_some())
    }
}

/// The open results of an explicit transaction, by the number that each statement got.
#[derive(Debug)]
pub(super) struct OpenResults<R> {
    results: BTreeMap<i64, OpenResult<R>>,
    last: i64,
}

impl<R> Default for OpenResults<R> {
    fn default() -> Self {
        Self {
            results: BTreeMap::new(),
            last: -1,
        }
    }
}

impl<R> OpenResults<R> {
    /// Keeps a new result and gives its number.
    pub(super) fn insert(&mut self, result: OpenResult<R>) -> i64 {
        self.last += 1;
        self.results.insert(self.last, result);
        self.last
    }

    /// Takes the result that a `PULL` or `DISCARD` names; [`put_back`](Self::put_back) returns it.
    pub(super) fn take(&mut self, fetch: Fetch) -> Result<(i64, OpenResult<R>), Failure> {
        let id = fetch.query_id.unwrap_or(self.last);
        let result = self.results.remove(&id).ok_or_else(|| {
            Failure::invalid_request(format_args!(
                "no result with the number {id} is open in this transaction"
            ))
        })?;
        Ok((id, result))
    }

    pub(super) fn put_back(&mut self, id: i64, result: OpenResult<R>) {
        self.results.insert(id, result);
    }
}
