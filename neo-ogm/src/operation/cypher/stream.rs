//! Rows one by one, with back-pressure.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::rows::{FromRow, row};
use crate::error::Error;
use crate::executor::{Graph, Records};

/// The rows of a statement as the server sends them.
///
/// # Cancel safety
/// Dropping a future of [`next`](Self::next) loses no row. Dropping the stream gives its
/// connection back; a statement that writes takes effect all the same.
pub struct CypherStream<T> {
    records: Records,
    graph: Graph,
    of: PhantomData<fn() -> T>,
}

impl<T> fmt::Debug for CypherStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CypherStream").finish_non_exhaustive()
    }
}

impl<T: FromRow> CypherStream<T> {
    pub(super) fn new(records: Records, graph: Graph) -> Self {
        Self {
            records,
            graph,
            of: PhantomData,
        }
    }

    /// The next row, or `None` behind the last.
    ///
    /// # Errors
    /// The connection or the statement failed, or a row does not fit; the stream goes on behind
    /// the latter.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        Some(match self.records.next().await? {
            Ok(record) => row(&record, &self.graph),
            Err(error) => Err(error.into()),
        })
    }
}

impl<T: FromRow> Stream for CypherStream<T> {
    type Item = Result<T, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let record = ready!(Pin::new(&mut this.records).poll_next(cx));
        Poll::Ready(record.map(|record| row(&record?, &this.graph)))
    }
}
