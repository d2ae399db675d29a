//! Records one by one, and what has to live as long as they come.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use neo_bolt::{Error, Record, RecordStream, Session};

/// The records of a statement as the server sends them.
pub(crate) struct Records {
    records: RecordStream,
    /// Where the statement runs outside of a transaction, its session.
    _session: Option<Session>,
}

impl Records {
    pub(super) fn new(records: RecordStream, session: Option<Session>) -> Self {
        Self {
            records,
            _session: session,
        }
    }

    /// The next record, or `None` behind the last.
    pub(crate) async fn next(&mut self) -> Option<Result<Record, Error>> {
        self.records.next().await
    }
}

impl Stream for Records {
    type Item = Result<Record, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.records).poll_next(cx)
    }
}
