//! Results as streams.

mod eager;
mod gathered;
mod typed;

pub use eager::EagerResult;
pub use gathered::Graph;
pub use typed::RecordsAs;

pub(crate) use eager::{collect, server_info};
pub(crate) use gathered::Gatherer;

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind};
use crate::packstream::FromBolt;
use crate::protocol::{Records, StreamId};
use crate::record::{Column, Reader, Record};
use crate::summary::ResultSummary;
use crate::transaction::Link;
use crate::value::{Map, Value};

/// The records of a result as the server sends them, a batch at a time, with back-pressure: at
/// most two batches are held, the one being read and the one on its way.
///
/// It holds a connection until its end, or until it is dropped. It is a
/// [`Stream`](futures_core::Stream), and never gives anything behind its first error.
///
/// Dropping the result of [`Session::run`](crate::Session::run) does not undo the statement: one
/// that writes takes effect all the same, before the session's next statement. What the server
/// had not sent yet is not sent then. To be able to stop a statement, run it in a transaction, which
/// is rolled back when it is dropped, or give it a timeout; one that only reads is stopped anyway.
///
/// # Cancel safety
/// Dropping a future of [`next`](Self::next) loses no record, and leaves the connection free for
/// other statements of the transaction.
#[must_use = "a result that nobody reads is thrown away"]
pub struct RecordStream {
    link: Arc<Link>,
    stream: StreamId,
    batch: Reader,
    peeked: Option<Record>,
    end: Option<Result<ResultSummary, Error>>,
    over: bool,
    /// What is left is not to be sent.
    discard: bool,
    /// The batch that follows has been asked for.
    asked: bool,
    low_water: usize,
    /// The failure that ended it, once it has been told.
    failure: Option<Error>,
    /// The caller has said that he reads no more.
    consumed: bool,
}

impl fmt::Debug for RecordStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordStream")
            .field("keys", self.batch.keys())
            .finish_non_exhaustive()
    }
}

impl RecordStream {
    pub(crate) fn new(link: Arc<Link>, stream: StreamId, keys: Arc<[String]>) -> Self {
        Self {
            low_water: link.low_water(),
            asked: false,
            link,
            stream,
            batch: Reader::new(keys, Records::EMPTY),
            peeked: None,
            discard: false,
            failure: None,
            consumed: false,
            end: None,
            over: false,
        }
    }

    /// The names of the columns.
    pub fn keys(&self) -> &Arc<[String]> {
        self.batch.keys()
    }

    /// The next record, or `None` behind the last.
    ///
    /// # Errors
    /// The server failed or the connection was lost; the result is over then. Or it was
    /// [consumed](Self::consume) before.
    pub async fn next(&mut self) -> Option<Result<Record, Error>> {
        poll_fn(|cx| self.poll_record(cx)).await
    }

    /// The next record, without taking it.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn peek(&mut self) -> Result<Option<&Record>, Error> {
        if self.peeked.is_none() {
            self.peeked = self.next().await.transpose()?;
        }
        Ok(self.peeked.as_ref())
    }

    /// At most so many records.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn fetch(&mut self, count: usize) -> Result<Vec<Record>, Error> {
        let mut records = Vec::with_capacity(count.min(1024));
        while records.len() < count {
            match self.next().await {
                Some(record) => records.push(record?),
                None => break,
            }
        }
        Ok(records)
    }

    /// All records that are left.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    ///
    /// # Cancel safety
    /// Dropping the future loses the records that it had.
    pub async fn collect(&mut self) -> Result<Vec<Record>, Error> {
        let mut records = Vec::new();
        while let Some(record) = self.next().await {
            records.push(record?);
        }
        Ok(records)
    }

    /// The only record that is left. The result is at its end then, whatever is found.
    ///
    /// # Errors
    /// There is none or there are several ([`ErrorKind::NotSingle`]), or as [`next`](Self::next).
    ///
    /// # Cancel safety
    /// As [`collect`](Self::collect).
    pub async fn single(&mut self) -> Result<Record, Error> {
        let wrong = |what: &str| {
            Error::new(
                ErrorKind::NotSingle,
                format!("expected exactly one record, found {what}"),
            )
        };
        match self.first_of_all().await? {
            (Some(record), false) => Ok(record),
            (Some(_), true) => Err(wrong("several")),
            (None, _) => Err(wrong("none")),
        }
    }

    /// The only record that is left, if there is one. Where there are several it is the first, and
    /// a warning goes to the log. The result is at its end then.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    ///
    /// # Cancel safety
    /// As [`collect`](Self::collect).
    pub async fn single_optional(&mut self) -> Result<Option<Record>, Error> {
        let (record, more) = self.first_of_all().await?;
        if more {
            tracing::warn!("expected at most one record, found multiple; took the first");
        }
        Ok(record)
    }

    /// The first record, and whether there were more. What is left is not sent.
    async fn first_of_all(&mut self) -> Result<(Option<Record>, bool), Error> {
        let first = self.next().await.transpose()?;
        let more = self.next().await.transpose()?.is_some();
        self.discard = true;
        while let Some(record) = self.next().await {
            record?;
        }
        Ok((first, more))
    }

    /// The value of a column, named or by its position from 0, of each record that is left.
    ///
    /// # Errors
    /// There is no such column, or a value is of another type, or as [`next`](Self::next).
    ///
    /// # Cancel safety
    /// As [`collect`](Self::collect).
    pub async fn value<T: for<'a> FromBolt<'a>>(
        &mut self,
        column: impl Column,
    ) -> Result<Vec<T>, Error> {
        let index = column.position(self.keys())?;
        let mut values = Vec::new();
        while let Some(record) = self.next().await {
            values.push(record?.get_at(index)?);
        }
        Ok(values)
    }

    /// The values of all columns of each record that is left.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    ///
    /// # Cancel safety
    /// As [`collect`](Self::collect).
    pub async fn values(&mut self) -> Result<Vec<Vec<Value>>, Error> {
        let mut values = Vec::new();
        while let Some(record) = self.next().await {
            values.push(record?.values()?);
        }
        Ok(values)
    }

    /// The records that are left, as maps of their columns.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    ///
    /// # Cancel safety
    /// As [`collect`](Self::collect).
    pub async fn data(&mut self) -> Result<Vec<Map>, Error> {
        let mut data = Vec::new();
        while let Some(record) = self.next().await {
            data.push(record?.data()?);
        }
        Ok(data)
    }

    /// The nodes and relationships of the records that are left, each once.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    ///
    /// # Cancel safety
    /// As [`collect`](Self::collect).
    pub async fn graph(&mut self) -> Result<Graph, Error> {
        let mut gatherer = Gatherer::default();
        while let Some(record) = self.next().await {
            let values = record?.values()?;
            values.into_iter().for_each(|value| gatherer.take(value));
        }
        Ok(gatherer.finish())
    }

    /// The records that are left and what the statement did.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    ///
    /// # Cancel safety
    /// As [`collect`](Self::collect).
    pub async fn to_eager_result(&mut self) -> Result<EagerResult, Error> {
        let records = self.collect().await?;
        Ok(EagerResult {
            keys: Arc::clone(self.keys()),
            records,
            summary: self.consume().await?,
            follows_lost_commit: self.link.follows_lost_commit(),
            is_recovered: false,
        })
    }

    /// The records as values of a type that serde knows: a struct with fields of the columns'
    /// names, or a tuple of the columns in their order.
    ///
    /// ```no_run
    /// #[derive(serde::Deserialize)]
    /// struct Person {
    ///     name: String,
    ///     born: Option<i32>,
    /// }
    ///
    /// # async fn example(mut session: neo_bolt::Session) -> Result<(), neo_bolt::Error> {
    /// let statement = "MATCH (p:Person) RETURN p.name AS name, p.born AS born";
    /// let mut people = session.run(statement, ()).await?.records_as::<Person>();
    /// while let Some(person) = people.next().await {
    ///     let person = person?;
    ///     println!("{} {:?}", person.name, person.born);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn records_as<T: DeserializeOwned>(self) -> RecordsAs<T> {
        RecordsAs::new(self)
    }

    /// Whether nothing can be read any more: it was consumed, or its transaction is over.
    pub fn closed(&self) -> bool {
        self.consumed || self.link.was_closed()
    }

    /// Passes over what is left, which is not sent, and says what the statement did. It may be
    /// asked again; records are not given any more.
    ///
    /// # Errors
    /// As [`next`](Self::next), also where the failure was told before.
    ///
    /// # Cancel safety
    /// It may be called again.
    pub async fn consume(&mut self) -> Result<ResultSummary, Error> {
        self.discard = true;
        self.peeked = None;
        while !self.over {
            self.batch.clear();
            if let Some(record) = poll_fn(|cx| self.poll_record(cx)).await {
                record?;
            }
        }
        self.consumed = true;
        match (&self.end, &self.failure) {
            (Some(Ok(summary)), _) => Ok(summary.clone()),
            (_, Some(failure)) => Err(failure.again()),
            _ => Err(Error::new(
                ErrorKind::Usage,
                "the result was given up after a record that could not be read",
            )),
        }
    }

    fn poll_record(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Record, Error>>> {
        if let Some(record) = self.peeked.take() {
            return Poll::Ready(Some(Ok(record)));
        }
        if self.consumed {
            let message = if self.link.was_closed() {
                "the result was consumed, and its transaction is closed; its records are gone"
            } else {
                "the result was consumed before; its records are gone"
            };
            return Poll::Ready(Some(Err(Error::new(ErrorKind::ResultConsumed, message))));
        }
        loop {
            if let Some(record) = self.batch.next() {
                let low = self.batch.len() <= self.low_water;
                if low && !self.discard && !self.asked && self.end.is_none() {
                    self.asked = true;
                    self.link.prefetch(self.stream);
                }
                if record.is_err() {
                    self.over = true;
                    self.batch.clear();
                    self.link.forget(self.stream);
                }
                return Poll::Ready(Some(record));
            }
            if self.over {
                return Poll::Ready(None);
            }
            if let Some(end) = self.end.take_if(|end| end.is_err()) {
                self.over = true;
                self.failure = end.as_ref().err().map(Error::again);
                return Poll::Ready(end.err().map(Err));
            }
            if self.end.is_some() {
                self.over = true;
                return Poll::Ready(None);
            }
            let batch = ready!(self.link.poll_refill(cx, self.stream, self.discard));
            self.batch.refill(batch.records);
            self.asked = false;
            self.end = batch.end;
        }
    }
}

impl Stream for RecordStream {
    type Item = Result<Record, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_record(cx)
    }
}

impl Drop for RecordStream {
    fn drop(&mut self) {
        if self.end.is_none() && !self.over {
            self.link.forget(self.stream);
        }
    }
}
