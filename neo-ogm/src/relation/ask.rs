//! `book.similar.is_connected(&other)` and `book.similar.count()`.

use std::future::IntoFuture;
use std::marker::PhantomData;

use neo_bolt::AccessMode;

use super::ends::{self, Bound, EndParameters, Keys};
use crate::error::{Error, ErrorKind};
use crate::executor::{BoxFuture, Executor, Target};
use crate::mapping::{Entity, Relationship};

/// The question whether two nodes are connected: one read, one round trip.
#[derive(Debug)]
#[must_use = "nothing is sent before `.await`"]
pub struct IsConnected<'a, T, R = ()> {
    bound: Option<Bound>,
    target: &'a T,
    keyed: Option<&'a R>,
    on: Option<Target>,
}

impl<'a, T: Entity, R: Relationship> IsConnected<'a, T, R> {
    pub(super) fn new(bound: Option<Bound>, target: &'a T) -> Self {
        Self {
            bound,
            target,
            keyed: None,
            on: None,
        }
    }

    /// Whether they are by the relationship with the key fields of `relationship`.
    pub fn keyed(mut self, relationship: &'a R) -> Self {
        self.keyed = Some(relationship);
        self
    }

    /// Runs the operation on a transaction or another handle of the graph. By default, it joins the
    /// transaction that the node belongs to while that goes on, and otherwise runs on the node's
    /// graph; see [`Transaction`](crate::Transaction#scope).
    pub fn on(mut self, executor: impl Executor) -> Self {
        self.on = Some(executor.target());
        self
    }

    async fn run(self) -> Result<bool, Error> {
        let bound = ends::bound(self.bound)?;
        let executor = bound.target(self.on);
        let key = self.target.key()?;
        let mut text = String::from("MATCH ");
        ends::keyed(&mut text, "a", "a", bound.origin.key.schema);
        text.push_str(" MATCH ");
        let keys = match self.keyed {
            Some(_) => Keys::Values("$q"),
            None => Keys::Any,
        };
        ends::step(&mut text, "a", "r", bound.relation, keys);
        ends::keyed(&mut text, "b", "b", key.schema);
        text.push_str(" RETURN count(r) > 0 AS connected");
        let parameters = EndParameters::<R> {
            target: Some(&key),
            keyed: self.keyed,
            ..EndParameters::of(&bound.origin.key)
        };
        let found = executor
            .execute(AccessMode::Read, text.into(), parameters)
            .await?;
        Ok(found
            .records
            .first()
            .map_or(Ok(false), |record| record.get_at::<bool>(0))?)
    }
}

impl<'a, T: Entity, R: Relationship> IntoFuture for IsConnected<'a, T, R> {
    type Output = Result<bool, Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// The question how many relationships a field has: one read, one round trip.
#[derive(Debug)]
#[must_use = "nothing is sent before `.await`"]
pub struct CountRelated<T> {
    bound: Option<Bound>,
    on: Option<Target>,
    of: PhantomData<fn() -> T>,
}

impl<T: Entity> CountRelated<T> {
    pub(super) fn new(bound: Option<Bound>) -> Self {
        Self {
            bound,
            on: None,
            of: PhantomData,
        }
    }

    /// Runs the operation on a transaction or another handle of the graph. By default, it joins the
    /// transaction that the node belongs to while that goes on, and otherwise runs on the node's
    /// graph; see [`Transaction`](crate::Transaction#scope).
    pub fn on(mut self, executor: impl Executor) -> Self {
        self.on = Some(executor.target());
        self
    }

    async fn run(self) -> Result<u64, Error> {
        let bound = ends::bound(self.bound)?;
        let executor = bound.target(self.on);
        let mut text = String::from("MATCH ");
        ends::keyed(&mut text, "a", "a", bound.origin.key.schema);
        text.push_str(" OPTIONAL MATCH ");
        ends::step(&mut text, "a", "r", bound.relation, Keys::Any);
        ends::far(&mut text, "b", T::ENTITY, "");
        text.push_str(" WITH a, count(r) AS related RETURN related");
        let parameters = EndParameters::<()>::of(&bound.origin.key);
        let found = executor
            .execute(AccessMode::Read, text.into(), parameters)
            .await?;
        match found.records.first() {
            Some(record) => Ok(record.get_at(0)?),
            None => Err(Error::new(ErrorKind::NodeNotFound {
                key: bound.node(),
                operation: "count",
            })),
        }
    }
}

impl<T: Entity> IntoFuture for CountRelated<T> {
    type Output = Result<u64, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
