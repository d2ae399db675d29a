//! What an update sets and removes.

use std::fmt;
use std::sync::Arc;

use neo_bolt::value::DateTime;

use super::expression::{Comparand, Expr};
use super::filter::Parameter;
use super::raise::{raise_with, raised, raised_number};
use super::render::{Cypher, escape};
use crate::error::{Error, ErrorKind};
use crate::mapping::{Operand, Property, PropertyRole, PropertySchema, Violations};
use crate::query::Field;

/// New values of properties, in the order in which they were given.
#[derive(Default)]
pub(crate) struct Assignments {
    changes: Vec<Change>,
}

struct Change {
    name: &'static str,
    /// Without one, the property is taken away.
    value: Option<Expr>,
    /// What the field's type can hold, where a computed value might be something else.
    range: Option<(i64, i64)>,
}

/// Marks the refusal of a computed value that its field can't hold.
const OUT_OF_RANGE: char = 'o';

impl fmt::Debug for Assignments {
    /// Shows which properties; values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.changes.iter().map(|change| change.name);
        f.debug_list().entries(names).finish()
    }
}

impl Assignments {
    pub(crate) fn set<O, T: Property>(
        &mut self,
        field: Field<O, T>,
        value: impl Operand<T::Plain>,
    ) {
        let value: Parameter = Arc::new(value.into_operand());
        self.push(field.name(), Some(Expr::Value(value)), None);
    }

    /// The same, where the value may be computed of what the node has.
    pub(crate) fn compute<O, T: Property>(
        &mut self,
        field: Field<O, T>,
        value: impl Comparand<O, T::Plain>,
    ) {
        let value = value.into_comparand().expr;
        let range = match value {
            Expr::Value(_) | Expr::Property(_) => None,
            _ => T::Plain::RANGE,
        };
        self.push(field.name(), Some(value), range);
    }

    pub(crate) fn remove<O, T>(&mut self, field: Field<O, T>) {
        self.push(field.name(), None, None);
    }

    fn push(&mut self, name: &'static str, value: Option<Expr>, range: Option<(i64, i64)>) {
        self.changes.push(Change { name, value, range });
    }

    fn has(&self, name: &str) -> bool {
        self.changes.iter().any(|change| change.name == name)
    }

    /// Sets the time of this write, unless nothing changes.
    pub(crate) fn stamp(&mut self, name: &'static str, now: impl FnOnce() -> DateTime) {
        if !self.changes.is_empty() {
            self.push(name, Some(Expr::Value(Arc::new(now()))), None);
        }
    }

    /// Refuses what identifies, since what was to be changed would be another one then; and what
    /// the mapper counts and stamps by itself.
    pub(crate) fn check(&self, properties: &[PropertySchema]) -> Result<(), Error> {
        let mut assigned = properties.iter().filter(|property| self.has(property.name));
        let refused = assigned.find_map(|property| match property.role {
            _ if property.key => Some(ErrorKind::KeyAssigned {
                field: property.field,
            }),
            PropertyRole::Version | PropertyRole::UpdatedAt => Some(ErrorKind::NotSupported {
                operation: "update",
                reason: "versions and times of updates are written by the mapper; leave them out",
            }),
            _ => None,
        });
        refused.map_or(Ok(()), |kind| Err(Error::new(kind)))
    }

    /// Writes ` SET n.a = $p0 REMOVE n.b`.
    pub(crate) fn write<'c>(&'c self, cypher: &mut Cypher<'_, 'c>, variable: &str) {
        let mut word = " SET ";
        for change in &self.changes {
            if let Some(value) = &change.value {
                cypher.push(&format!("{word}{variable}.{} = ", escape(change.name)));
                cypher.expression(variable, value);
                word = ", ";
            }
        }
        let mut word = " REMOVE ";
        for change in self.changes.iter().filter(|change| change.value.is_none()) {
            cypher.push(&format!("{word}{variable}.{}", escape(change.name)));
            word = ", ";
        }
    }

    /// Writes what undoes everything where a computed value is one that its field can't hold.
    pub(crate) fn write_limits(&self, cypher: &mut Cypher<'_, '_>, variable: &str) {
        for (index, change) in self.changes.iter().enumerate() {
            let Some((low, high)) = change.range else {
                continue;
            };
            let name = format!("{variable}.{}", escape(change.name));
            let mut refusal = String::new();
            raise_with(&mut refusal, &index.to_string(), OUT_OF_RANGE, &name);
            cypher.push(&format!(
                " WITH {variable} WHERE \
                 CASE WHEN {name} < {low} OR {name} > {high} THEN {refusal} ELSE true END"
            ));
        }
    }

    /// Says which value it was, where a statement was refused by
    /// [`write_limits`](Self::write_limits).
    pub(crate) fn explain(
        &self,
        error: Error,
        node: &'static str,
        properties: &[PropertySchema],
    ) -> Error {
        let refused = raised(&error).filter(|(_, reason)| *reason == OUT_OF_RANGE);
        let change = refused.and_then(|(index, _)| self.changes.get(index));
        let (Some(change), Some(number)) = (change, raised_number(&error)) else {
            return error;
        };
        let Some((low, high)) = change.range else {
            return error;
        };
        let property = properties.iter().find(|known| known.name == change.name);
        let field = property.map_or(change.name, |property| property.field);
        let mut violations = Violations::default();
        let message = format!("would be {number}, which is not from {low} to {high}");
        violations.add(field, "range", message);
        let outcome = error.commit_outcome();
        violations
            .into_error(node.to_owned())
            .with_commit_outcome(outcome)
    }
}
