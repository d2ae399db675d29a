//! `book.author.fetch()`: the related nodes of one relationship field, on demand.

use std::fmt;
use std::future::IntoFuture;

use neo_bolt::AccessMode;

use super::ends::{self, Bound, EndParameters};
use super::field::{Related, read_related};
use crate::error::Error;
use crate::executor::{BoxFuture, Executor, Target};
use crate::mapping::{Entity, Relationship};
use crate::query::{Cypher, LoadPlan, Parameters};

type Finish<T, R, O> = fn(&Bound, Vec<Related<T, R>>) -> Result<O, Error>;

/// A fetch that waits to be awaited: one read, one round trip.
#[must_use = "nothing is sent before `.await`"]
pub struct Fetch<T, R, O> {
    bound: Option<Bound>,
    on: Option<Target>,
    finish: Finish<T, R, O>,
}

impl<T, R, O> fmt::Debug for Fetch<T, R, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetch")
            .field("bound", &self.bound)
            .finish_non_exhaustive()
    }
}

impl<T: Entity, R: Relationship, O> Fetch<T, R, O> {
    pub(super) fn new(bound: Option<Bound>, finish: Finish<T, R, O>) -> Self {
        Self {
            bound,
            on: None,
            finish,
        }
    }

    /// Runs the operation on a transaction or another handle of the graph. By default, it joins the
    /// transaction that the node belongs to while that goes on, and otherwise runs on the node's
    /// graph; see [`Transaction`](crate::Transaction#scope).
    pub fn on(mut self, executor: impl Executor) -> Self {
        self.on = Some(executor.target());
        self
    }

    async fn run(self) -> Result<O, Error> {
        let bound = ends::bound(self.bound)?;
        let executor = bound.target(self.on);
        let source = bound.origin.key.schema;
        let index = source
            .relations
            .iter()
            .position(|relation| relation.is_same(bound.relation))
            .unwrap_or_default();
        let plan = LoadPlan::new::<T, R>(index, bound.relation);
        let mut text = String::from("MATCH ");
        ends::keyed(&mut text, "a", "a", source);
        let mut none = Parameters::default();
        let mut cypher = Cypher::new(&mut none);
        cypher.push(&text);
        cypher.push(" RETURN ");
        cypher.load("a", &plan);
        cypher.push(" AS related");
        let parameters = EndParameters::<()>::of(&bound.origin.key);
        let statement = cypher.finish().into();
        let found = executor
            .execute(AccessMode::Read, statement, parameters)
            .await?;
        let Some(record) = found.records.first() else {
            return Err(Error::new(crate::error::ErrorKind::NodeNotFound {
                key: bound.origin.key.clone(),
                operation: "fetch",
            }));
        };
        let mut decoder = record.raw_fields();
        let mut read = || {
            let len = decoder.list()?;
            let mut related = Vec::with_capacity(len.min(1024));
            for _ in 0..len {
                related.push(read_related(&plan, &mut decoder, executor.graph())?);
            }
            Ok(related)
        };
        let related = read().map_err(|error| Error::decode(bound.relation.field, error))?;
        (self.finish)(&bound, related)
    }
}

impl<T: Entity, R: Relationship, O: Send + 'static> IntoFuture for Fetch<T, R, O> {
    type Output = Result<O, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
