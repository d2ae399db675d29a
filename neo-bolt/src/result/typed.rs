//! Results as streams of the caller's own types.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use serde::de::DeserializeOwned;

use super::RecordStream;
use crate::error::Error;
use crate::summary::ResultSummary;

/// The records of a result as values of `T`; made by
/// [`RecordStream::records_as`](RecordStream::records_as). A [`Stream`](futures_core::Stream).
#[must_use = "a result that nobody reads is thrown away"]
pub struct RecordsAs<T> {
    records: RecordStream,
    of: PhantomData<fn() -> T>,
}

impl<T> fmt::Debug for RecordsAs<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.records.fmt(f)
    }
}

impl<T: DeserializeOwned> RecordsAs<T> {
    pub(super) fn new(records: RecordStream) -> Self {
        let of = PhantomData;
        Self { records, of }
    }

    /// The next record as a `T`, or `None` behind the last.
    ///
    /// # Errors
    /// As [`RecordStream::next`], or the record is no `T`; the records behind it can be read all
    /// the same.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        let record = self.records.next().await?;
        Some(record.and_then(|record| record.to()))
    }

    /// All that are left.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn collect(&mut self) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        while let Some(next) = self.next().await {
            all.push(next?);
        }
        Ok(all)
    }

    /// As [`RecordStream::consume`].
    ///
    /// # Errors
    /// As [`RecordStream::consume`].
    pub async fn consume(&mut self) -> Result<ResultSummary, Error> {
        self.records.consume().await
    }
}

impl<T: DeserializeOwned> Stream for RecordsAs<T> {
    type Item = Result<T, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let record = ready!(self.get_mut().records.poll_record(cx));
        Poll::Ready(record.map(|record| record.and_then(|record| record.to())))
    }
}
