//! Results, as their readers see them.

use std::sync::Arc;

use super::{Machine, Output, StreamId};
use crate::error::{Error, ErrorKind};
use crate::protocol::message::Metadata;
use crate::protocol::records::Records;

/// What is known of a result that came to its end.
#[derive(Debug)]
pub(crate) struct Completed {
    pub(crate) query: Arc<str>,
    pub(crate) has_columns: bool,
    pub(crate) had_records: bool,
    pub(crate) run: Option<Metadata>,
    pub(crate) pull: Option<Metadata>,
}

/// How a result ended.
#[derive(Debug)]
pub(crate) enum End {
    Complete(Completed),
    Failed(Error),
}

/// What a result is told whose transaction failed because of another.
pub(crate) fn failed_elsewhere(failure: &Error) -> Error {
    Error::new(
        ErrorKind::ResultFailed,
        format!("the transaction failed before all of the result was read: {failure}"),
    )
    .with_source(failure.again())
}

impl Machine {
    pub(crate) fn keys(&self, stream: StreamId) -> Option<Arc<[String]>> {
        self.result(stream)?.keys.clone()
    }

    /// The records that have come, and what ended the result where it is over.
    pub(crate) fn take_records(&mut self, stream: StreamId) -> (Records, Option<End>) {
        let failure = self.failure.as_ref();
        let Some(index) = self.results.iter().position(|result| result.id == stream) else {
            let closed = Error::new(
                ErrorKind::ResultConsumed,
                "the transaction was closed before all of the result was read; its records are gone",
            );
            return (
                Records::EMPTY,
                Some(End::Failed(failure.map_or(closed, failed_elsewhere))),
            );
        };
        let result = &mut self.results[index];
        let records = std::mem::take(&mut result.records);
        let end = if result.failed {
            let unknown = || Error::new(ErrorKind::Protocol, "the result failed without a reason");
            Some(End::Failed(match (failure, result.refused) {
                (None, _) => unknown(),
                (Some(failure), true) => failure.again(),
                (Some(failure), false) => failed_elsewhere(failure),
            }))
        } else if result.end.is_some() {
            let result = self.results.remove(index);
            Some(End::Complete(Completed {
                query: result.query,
                has_columns: result.keys.is_some_and(|keys| !keys.is_empty()),
                had_records: result.had_records,
                run: result.run,
                pull: result.end,
            }))
        } else {
            None
        };
        (records, end)
    }

    /// The server has more of this result, and nothing has asked for it yet.
    pub(crate) fn wants_pull(&self, stream: StreamId) -> bool {
        self.result(stream)
            .is_some_and(|r| !r.pulling && !r.failed && r.end.is_none())
    }

    /// Nobody waits for this result any more; what still comes of it is passed over.
    pub(crate) fn forget(&mut self, stream: StreamId) {
        let Some(result) = self.result_mut(stream) else {
            return;
        };
        result.abandoned = true;
        result.records.clear();
        if result.end.is_some() || result.failed {
            let end = result.end.take();
            self.answer = end.or(self.answer.take());
            self.results.retain(|result| result.id != stream);
        }
    }

    /// Nobody reads any result any more; all of them are over.
    pub(crate) fn forget_ended(&mut self) {
        self.results
            .retain(|result| result.end.is_none() && !result.failed);
    }

    /// The result that was asked for first of those that are not over and read.
    pub(crate) fn first_result(&self) -> Option<StreamId> {
        self.results.first().map(|result| result.id)
    }

    pub(crate) fn is_abandoned(&self, stream: StreamId) -> bool {
        self.result(stream).is_some_and(|result| result.abandoned)
    }

    /// Results that the server has not sent to their end.
    pub(crate) fn open_results(&self) -> impl Iterator<Item = StreamId> {
        self.results
            .iter()
            .filter(|r| r.end.is_none() && !r.failed)
            .map(|result| result.id)
    }

    /// All of a result is on its way, however much that may be.
    pub(crate) fn pulls_all(&self) -> bool {
        self.results
            .iter()
            .any(|result| result.pulling && result.pulling_all)
    }

    pub(super) fn result(&self, stream: StreamId) -> Option<&Output> {
        self.results.iter().find(|result| result.id == stream)
    }

    pub(super) fn result_mut(&mut self, stream: StreamId) -> Option<&mut Output> {
        self.results.iter_mut().find(|result| result.id == stream)
    }
}
