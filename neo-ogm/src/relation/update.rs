//! `book.similar.find().filter(…).update()`: what several relationships carry, changed.

use std::fmt;
use std::future::IntoFuture;

use super::find::FindRelated;
use super::stamps;
use crate::error::Error;
use crate::executor::{BoxFuture, WriteStatement, operation};
use crate::mapping::{Entity, Operand, Property, Relationship};
use crate::query::{Assignments, Cypher, Field, Parameters};

/// An update of the relationships that a question finds; says how many there were. One statement,
/// one round trip.
///
/// # Cancel safety
/// Dropping the future leaves graph and connection sound; either all of it has happened or
/// nothing.
#[must_use = "nothing is sent before `.await`"]
pub struct UpdateFoundRelationships<T, R> {
    find: FindRelated<T, R>,
    changes: Assignments,
}

impl<T: Entity, R: Relationship> fmt::Debug for UpdateFoundRelationships<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpdateFoundRelationships")
            .field("find", &self.find)
            .field("changes", &self.changes)
            .finish()
    }
}

impl<T: Entity, R: Relationship> UpdateFoundRelationships<T, R> {
    pub(super) fn new(find: FindRelated<T, R>) -> Self {
        Self {
            find,
            changes: Assignments::default(),
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

    async fn run(mut self) -> Result<u64, Error> {
        self.changes.check(R::SCHEMA.properties)?;
        self.find.refuse_paging("update")?;
        let (bound, target) = self.find.place()?;
        stamps::change(&mut self.changes, R::SCHEMA, &target);
        let mut parameters = Parameters::default();
        let mut cypher = Cypher::new(&mut parameters);
        self.find.matching(&bound, &mut cypher);
        self.changes.write(&mut cypher, "r");
        let mut statement = WriteStatement::new(cypher.finish());
        statement.column("updated", "count(r)");
        let done = target.write(&statement, parameters).await?;
        let updated = done.records.first();
        Ok(updated.map_or(Ok(0), |record| record.get_at::<u64>(0))?)
    }
}

impl<T: Entity, R: Relationship> IntoFuture for UpdateFoundRelationships<T, R> {
    type Output = Result<u64, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        operation(self.run())
    }
}
