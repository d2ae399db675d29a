//! Related nodes one by one, with back-pressure.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use neo_bolt::AccessMode;

use super::ends::Bound;
use super::field::Related;
use super::find::FindRelated;
use crate::error::Error;
use crate::executor::{Graph, Records, Target};
use crate::mapping::{Entity, Relationship};
use crate::query::Parameters;

/// Related nodes as the server sends them.
///
/// # Cancel safety
/// Dropping a future of [`next`](Self::next) loses no node. Dropping the stream gives its
/// connection back; the server is told to forget the rest.
pub struct RelatedStream<T, R> {
    find: FindRelated<T, R>,
    bound: Bound,
    records: Records,
    graph: Graph,
}

impl<T: Entity, R: Relationship> fmt::Debug for RelatedStream<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelatedStream")
            .field("find", &self.find)
            .finish_non_exhaustive()
    }
}

impl<T: Entity, R: Relationship> RelatedStream<T, R> {
    pub(super) async fn open(
        find: FindRelated<T, R>,
        bound: Bound,
        target: Target,
    ) -> Result<Self, Error> {
        let mut parameters = Parameters::default();
        let statement = find.render(&bound, &mut parameters);
        let records = target
            .stream(AccessMode::Read, statement.into(), parameters)
            .await?;
        let graph = target.graph().clone();
        Ok(Self {
            find,
            bound,
            records,
            graph,
        })
    }

    /// The next node with its relationship, or `None` behind the last.
    ///
    /// # Errors
    /// The connection failed, or a node does not fit the struct; the stream goes on behind the
    /// latter.
    pub async fn next(&mut self) -> Option<Result<Related<T, R>, Error>> {
        Some(match self.records.next().await? {
            Ok(record) => self.find.decode(&self.bound, &record, &self.graph),
            Err(error) => Err(error.into()),
        })
    }
}

impl<T: Entity, R: Relationship> Stream for RelatedStream<T, R> {
    type Item = Result<Related<T, R>, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let record = std::task::ready!(Pin::new(&mut this.records).poll_next(cx));
        Poll::Ready(record.map(|record| match record {
            Ok(record) => this.find.decode(&this.bound, &record, &this.graph),
            Err(error) => Err(error.into()),
        }))
    }
}
