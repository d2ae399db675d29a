//! Nodes and rows one by one, with back-pressure.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use neo_bolt::AccessMode;

use super::question::Returned;
use super::{Find, Found, Select};
use crate::error::Error;
use crate::executor::{Executor, Graph, Records, Target};
use crate::mapping::Entity;
use crate::query::Parameters;

/// Nodes as the server sends them.
///
/// # Cancel safety
/// Dropping a future of [`next`](Self::next) loses no node. Dropping the stream gives its
/// connection back; the server is told to forget the rest.
pub struct NodeStream<N> {
    find: Find<N>,
    records: Records,
    graph: Graph,
}

impl<N: Entity> fmt::Debug for NodeStream<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeStream")
            .field("find", &self.find)
            .finish_non_exhaustive()
    }
}

impl<N: Entity> NodeStream<N> {
    pub(super) async fn open(find: Find<N>, target: Target) -> Result<Self, Error> {
        let mut parameters = Parameters::default();
        let statement = find.question.render(&mut parameters, &Returned::Nodes);
        let records = target
            .stream(AccessMode::Read, statement.into(), parameters)
            .await?;
        let graph = target.graph().clone();
        Ok(Self {
            find,
            records,
            graph,
        })
    }

    /// The next node, or `None` behind the last.
    ///
    /// # Errors
    /// The connection failed, or a node does not fit the struct; the stream goes on behind the
    /// latter.
    pub async fn next(&mut self) -> Option<Result<N, Error>> {
        Some(match self.records.next().await? {
            Ok(record) => self.find.decode(&record, &self.graph),
            Err(error) => Err(error.into()),
        })
    }
}

impl<N: Entity> Stream for NodeStream<N> {
    type Item = Result<N, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let record = std::task::ready!(Pin::new(&mut this.records).poll_next(cx));
        Poll::Ready(record.map(|record| match record {
            Ok(record) => this.find.decode(&record, &this.graph),
            Err(error) => Err(error.into()),
        }))
    }
}

/// Rows of a selection as the server sends them; made by [`Select::stream`].
///
/// # Cancel safety
/// As [`NodeStream`]'s.
pub struct RowStream<T> {
    select: Select<T>,
    records: Records,
    graph: Graph,
}

impl<T> fmt::Debug for RowStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowStream")
            .field("select", &self.select)
            .finish_non_exhaustive()
    }
}

impl<T: Send + 'static> Select<T> {
    /// The rows one by one, as the server sends them: memory stays bounded however many there
    /// are. On a graph handle the query runs in an auto-commit transaction, which is not retried.
    pub fn stream(self, on: impl Executor) -> Found<Self, RowStream<T>> {
        Found::new(self, on, |select, target| {
            Box::pin(async move {
                let mut parameters = Parameters::default();
                let statement = select.render(&mut parameters);
                let records = target
                    .stream(AccessMode::Read, statement.into(), parameters)
                    .await?;
                let graph = target.graph().clone();
                Ok(RowStream {
                    select,
                    records,
                    graph,
                })
            })
        })
    }
}

impl<T> RowStream<T> {
    /// The next row, or `None` behind the last.
    ///
    /// # Errors
    /// The connection failed, or a row is of another type; the stream goes on behind the latter.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        Some(match self.records.next().await? {
            Ok(record) => self.select.decode(&record, &self.graph),
            Err(error) => Err(error.into()),
        })
    }
}

impl<T> Stream for RowStream<T> {
    type Item = Result<T, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let record = std::task::ready!(Pin::new(&mut this.records).poll_next(cx));
        Poll::Ready(record.map(|record| match record {
            Ok(record) => this.select.decode(&record, &this.graph),
            Err(error) => Err(error.into()),
        }))
    }
}
