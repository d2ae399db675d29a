//! `book.author.update(&author).set(WrittenBy::YEAR, 1878)`: what a relationship carries, changed.

use std::fmt;
use std::future::IntoFuture;

use super::ends::{self, Bound};
use super::{stamps, values};
use crate::error::{Error, ErrorKind};
use crate::executor::{BoxFuture, Executor, Target, WriteStatement, operation};
use crate::mapping::{Entity, Operand, Property, Relationship};
use crate::query::{Assignments, Cypher, Field, Hop, Parameters, escape};

/// An update of one relationship that waits to be awaited: one statement, one round trip.
///
/// # Cancel safety
/// Dropping the future leaves graph and connection sound; either all of it has happened or
/// nothing.
#[must_use = "nothing is sent before `.await`"]
pub struct UpdateRelationship<'a, T, R> {
    bound: Option<Bound>,
    target: &'a T,
    keyed: Option<&'a R>,
    changes: Assignments,
    on: Option<Target>,
}

impl<T, R> fmt::Debug for UpdateRelationship<'_, T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpdateRelationship")
            .field("bound", &self.bound)
            .field("changes", &self.changes)
            .finish_non_exhaustive()
    }
}

impl<'a, T: Entity, R: Relationship> UpdateRelationship<'a, T, R> {
    pub(super) fn new(bound: Option<Bound>, target: &'a T) -> Self {
        Self {
            bound,
            target,
            keyed: None,
            changes: Assignments::default(),
            on: None,
        }
    }

    /// Gives a property another value; the others stay as they are.
    pub fn set<V: Property>(mut self, field: Field<R, V>, value: impl Operand<V::Plain>) -> Self {
        self.changes.set(field, value);
        self
    }

    /// Takes an optional property away.
    pub fn remove<V: Property>(mut self, field: Field<R, Option<V>>) -> Self {
        self.changes.remove(field);
        self
    }

    /// Of parallel relationships, only the one with the key fields of `relationship`.
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

    async fn run(mut self) -> Result<(), Error> {
        self.changes.check(R::SCHEMA.properties)?;
        let bound = ends::bound(self.bound)?;
        let executor = bound.target(self.on);
        stamps::change(&mut self.changes, R::SCHEMA, &executor);
        let key = self.target.key()?;
        let (source, target) = (values::of_node(&bound.origin.key), values::of_node(&key));
        let keyed = self.keyed.map(values::of_relationship).transpose()?;
        let keyed = keyed.unwrap_or_default();
        let mut parameters = Parameters::default();
        let mut cypher = Cypher::new(&mut parameters);
        cypher.push("MATCH ");
        values::node(&mut cypher, "a", bound.origin.key.schema, &source);
        cypher.push(" MATCH ");
        cypher.hop("a", "r", &Hop::new(bound.relation), "n");
        let mut word = " WHERE ";
        for (property, value) in key.schema.keys().zip(&target) {
            cypher.push(&format!("{word}n.{} = ", escape(property.name)));
            cypher.value(value);
            word = " AND ";
        }
        values::same_key(&mut cypher, R::SCHEMA, &keyed);
        self.changes.write(&mut cypher, "r");
        let mut statement = WriteStatement::new(cypher.finish());
        statement.column("updated", "count(r)");
        let done = executor.write(&statement, parameters).await?;
        let updated = match done.records.first() {
            Some(record) => record.get_at::<i64>(0)?,
            None => 0,
        };
        if updated == 0 {
            return Err(Error::new(ErrorKind::NotConnected {
                node: bound.node(),
                field: bound.relation.field,
                other: key,
            }));
        }
        Ok(())
    }
}

impl<'a, T: Entity, R: Relationship> IntoFuture for UpdateRelationship<'a, T, R> {
    type Output = Result<(), Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        operation(self.run())
    }
}
