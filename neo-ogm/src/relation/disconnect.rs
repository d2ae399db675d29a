//! `book.similar.disconnect(&other)` and `disconnect_all`.

use std::future::IntoFuture;

use neo_bolt::AccessMode;

use super::ends::{self, Bound, EndParameters};
use crate::error::Error;
use crate::executor::{BoxFuture, Executor, Target};
use crate::mapping::{Cardinality, Entity, KeyOf};
use crate::query::{write_node, write_one_of};

/// A disconnect that waits to be awaited: one statement, one round trip.
///
/// # Cancel safety
/// Dropping the future leaves graph and connection sound; either all of it has happened or
/// nothing.
#[derive(Debug)]
#[must_use = "nothing is sent before `.await`"]
pub struct Disconnect<'a, T> {
    bound: Option<Bound>,
    target: Option<&'a T>,
    on: Option<Target>,
}

impl<'a, T: Entity> Disconnect<'a, T> {
    pub(super) fn new(bound: Option<Bound>, target: Option<&'a T>) -> Self {
        Self {
            bound,
            target,
            on: None,
        }
    }

    /// Where to run: a transaction, or another handle of the graph.
    pub fn on(mut self, executor: impl Executor) -> Self {
        self.on = Some(executor.target());
        self
    }

    async fn run(self) -> Result<(), Error> {
        let bound = ends::bound(self.bound)?;
        let executor = bound.target(self.on);
        let key = self.target.map(Entity::key).transpose()?;
        let statement = statement::<T>(&bound, key.as_ref());
        let parameters = EndParameters::<()> {
            source: &bound.origin.key,
            target: key.as_ref(),
            relationship: None,
        };
        let done = executor
            .execute(AccessMode::Write, statement.into(), parameters)
            .await?;
        let keeps_last = bound.relation.cardinality == Cardinality::OneOrMore;
        match key {
            Some(key) if keeps_last => {
                // Nothing was deleted either because nothing was there, or because it is the last.
                let deleted = match done.records.first() {
                    Some(record) => record.get_at::<i64>(0)?,
                    None => 0,
                };
                if deleted == 0 && is_connected(&bound, &key, &executor).await? {
                    return Err(ends::violation(
                        Some(&bound),
                        Cardinality::OneOrMore,
                        "this is the last relationship; connect another first, or use `replace`",
                    ));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl<'a, T: Entity> IntoFuture for Disconnect<'a, T> {
    type Output = Result<(), Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

fn statement<T: Entity>(bound: &Bound, target: Option<&KeyOf>) -> String {
    let mut text = String::with_capacity(256);
    text.push_str("MATCH ");
    ends::keyed(&mut text, "a", "a", bound.origin.key.schema);
    let keeps_last = bound.relation.cardinality == Cardinality::OneOrMore;
    if keeps_last {
        ends::lock(&mut text, "a");
        text.push_str(" WITH a");
    }
    text.push_str(" MATCH ");
    ends::step(&mut text, "a", "r", bound.relation, false);
    match target {
        Some(key) => ends::keyed(&mut text, "b", "b", key.schema()),
        None => {
            write_node(&mut text, "b", T::ENTITY);
            write_one_of(&mut text, " WHERE ", "b", T::ENTITY);
        }
    }
    if keeps_last {
        text.push_str(" WITH a, b, collect(r) AS rs OPTIONAL MATCH ");
        ends::step(&mut text, "a", "x", bound.relation, false);
        write_node(&mut text, "o", T::ENTITY);
        text.push_str(" WHERE o <> b");
        write_one_of(&mut text, " AND ", "o", T::ENTITY);
        text.push_str(" WITH rs, count(x) AS others WHERE others > 0 UNWIND rs AS r");
    }
    text.push_str(" DELETE r RETURN count(*) AS deleted");
    text
}

async fn is_connected(bound: &Bound, key: &KeyOf, executor: &Target) -> Result<bool, Error> {
    let mut text = String::from("MATCH ");
    ends::keyed(&mut text, "a", "a", bound.origin.key.schema);
    text.push_str(" MATCH ");
    ends::step(&mut text, "a", "r", bound.relation, false);
    ends::keyed(&mut text, "b", "b", key.schema());
    text.push_str(" RETURN 1 AS connected LIMIT 1");
    let parameters = EndParameters::<()> {
        source: &bound.origin.key,
        target: Some(key),
        relationship: None,
    };
    let found = executor
        .execute(AccessMode::Read, text.into(), parameters)
        .await?;
    Ok(!found.records.is_empty())
}
