//! `book.similar.disconnect(&other)` and `disconnect_all`.

use std::future::IntoFuture;

use neo_bolt::AccessMode;

use super::ends::{self, Bound, EndParameters, Keys};
use crate::error::Error;
use crate::executor::{BoxFuture, Executor, Target, WriteStatement, operation};
use crate::mapping::{
    Cardinality, Entity, HookContext, KeyOf, NodeSchema, Operation, Relationship, RelationshipEvent,
};

/// A disconnect that waits to be awaited: one statement, one round trip.
///
/// Where the field or its inverse is a [`OneOrMore`](super::OneOrMore), the statement locks the
/// node that wants to keep one and counts what it would be left with.
///
/// # Cancel safety
/// Dropping the future leaves graph and connection sound; either all of it has happened or
/// nothing.
#[derive(Debug)]
#[must_use = "nothing is sent before `.await`"]
pub struct Disconnect<'a, T, R = ()> {
    bound: Option<Bound>,
    target: Option<&'a T>,
    keyed: Option<&'a R>,
    on: Option<Target>,
}

impl<'a, T: Entity, R: Relationship> Disconnect<'a, T, R> {
    pub(super) fn new(bound: Option<Bound>, target: Option<&'a T>) -> Self {
        Self {
            bound,
            target,
            keyed: None,
            on: None,
        }
    }

    /// Of parallel relationships, only the one with the key fields of `relationship`; its other
    /// fields play no part.
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

    async fn run(self) -> Result<(), Error> {
        let bound = ends::bound(self.bound.clone())?;
        let executor = bound.target(self.on.clone());
        if !R::HOOKS {
            return self.send(bound, executor).await;
        }
        let cx = HookContext::new(&executor, Operation::Disconnect);
        R::hook(None, RelationshipEvent::BeforeDisconnect, &cx).await?;
        self.send(bound, executor).await?;
        R::hook(None, RelationshipEvent::AfterDisconnect, &cx).await
    }

    async fn send(self, bound: Bound, executor: Target) -> Result<(), Error> {
        let key = self.target.map(T::key).transpose()?;
        let keyed = self.keyed.is_some();
        let mut statement = WriteStatement::new(statement::<T>(&bound, key.as_ref(), keyed));
        statement.column("deleted", "count(*)");
        let parameters = || EndParameters::<R> {
            target: key.as_ref(),
            keyed: self.keyed,
            ..EndParameters::of(&bound.origin.key)
        };
        let done = executor.write(&statement, parameters()).await?;
        let other = key.as_ref().map_or(T::ENTITY, |key| key.schema);
        if !bound.keeps_last() && bound.keeping_inverse(other).is_none() {
            return Ok(());
        }
        // Nothing was deleted either because nothing was there, or because it is the last.
        let deleted = match done.records.first() {
            Some(record) => record.get_at::<i64>(0)?,
            None => 0,
        };
        if deleted > 0 {
            return Ok(());
        }
        let text = remaining::<T>(&bound, key.as_ref(), keyed);
        let found = executor
            .execute(AccessMode::Read, text.into(), parameters())
            .await?;
        let (there, all) = match found.records.first() {
            Some(record) => record.decode::<(i64, i64)>()?,
            None => (0, 0),
        };
        match key {
            _ if there == 0 => Ok(()),
            _ if bound.keeps_last() && there == all => {
                Err(ends::violation(Some(&bound), Cardinality::OneOrMore, LAST))
            }
            Some(key) => match bound.keeping_inverse(other) {
                Some(inverse) => Err(Error::new(crate::ErrorKind::Cardinality {
                    node: key,
                    field: inverse.field,
                    cardinality: ends::cardinality_name(inverse.cardinality),
                    reason: LAST,
                })),
                None => Ok(()),
            },
            None => Err(ends::left_alone(&bound)),
        }
    }
}

/// Why the last of several relationships stays.
pub(super) const LAST: &str =
    "this is the last relationship; connect another first, or use `replace`";

impl<'a, T: Entity, R: Relationship> IntoFuture for Disconnect<'a, T, R> {
    type Output = Result<(), Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        operation(self.run())
    }
}

/// Writes the relationships that are to go: `MATCH … MATCH (a)-[r:T]->(b)`.
fn doomed<T: Entity>(text: &mut String, bound: &Bound, target: Option<&KeyOf>, keyed: bool) {
    let keys = if keyed { Keys::Values("$q") } else { Keys::Any };
    ends::step(text, "a", "r", bound.relation, keys);
    match target {
        Some(key) => ends::keyed(text, "b", "b", key.schema),
        None => ends::far(text, "b", T::ENTITY, ""),
    }
}

fn statement<T: Entity>(bound: &Bound, target: Option<&KeyOf>, keyed: bool) -> String {
    let mut text = String::with_capacity(256);
    text.push_str("MATCH ");
    ends::keyed(&mut text, "a", "a", bound.origin.key.schema);
    if bound.keeps_last() {
        ends::lock(&mut text, "a");
        text.push_str(" WITH a");
    }
    text.push_str(" MATCH ");
    doomed::<T>(&mut text, bound, target, keyed);
    guard::<T>(&mut text, bound, target.map_or(T::ENTITY, |key| key.schema));
    text.push_str(" DELETE r");
    text
}

/// Goes on with each `r` between `a` and `b` only where no end loses its last relationship that
/// wants to keep one.
pub(super) fn guard<T: Entity>(text: &mut String, bound: &Bound, other: &'static NodeSchema) {
    let inverse = bound.keeping_inverse(other);
    if !bound.keeps_last() && inverse.is_none() {
        return;
    }
    if inverse.is_some() {
        ends::lock(text, "b");
        text.push_str(" WITH a, r, b");
    }
    text.push_str(" WITH a, collect(r) AS rs, collect(DISTINCT b) AS bs");
    if bound.keeps_last() {
        text.push_str(" OPTIONAL MATCH ");
        ends::step(text, "a", "x", bound.relation, Keys::Any);
        ends::far(text, "o", T::ENTITY, "NOT x IN rs");
        text.push_str(" WITH rs, bs, count(x) AS others WHERE others > 0");
    }
    if let Some(inverse) = inverse {
        text.push_str(" UNWIND bs AS b OPTIONAL MATCH ");
        ends::step(text, "b", "y", inverse, Keys::Any);
        ends::far(text, "q", (inverse.target)(), "NOT y IN rs");
        text.push_str(
            " WITH rs, b, count(y) AS others \
             WITH rs, min(others) AS least WHERE least > 0",
        );
    }
    text.push_str(" UNWIND rs AS r");
}

/// How many relationships were to go, of how many.
fn remaining<T: Entity>(bound: &Bound, target: Option<&KeyOf>, keyed: bool) -> String {
    let mut text = String::from("MATCH ");
    ends::keyed(&mut text, "a", "a", bound.origin.key.schema);
    text.push_str(" OPTIONAL MATCH ");
    doomed::<T>(&mut text, bound, target, keyed);
    text.push_str(" WITH a, count(r) AS there OPTIONAL MATCH ");
    ends::step(&mut text, "a", "x", bound.relation, Keys::Any);
    ends::far(&mut text, "o", T::ENTITY, "");
    text.push_str(" RETURN there, count(x) AS every");
    text
}
