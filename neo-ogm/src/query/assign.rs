//! What an update sets and removes.

use std::fmt;
use std::sync::Arc;

use neo_bolt::value::DateTime;

use super::expression::{Comparand, Expr, Gathered};
use super::filter::{Condition, Parameter};
use super::hop::Hop;
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

    /// Writes the same so that everything stays as it is where the variable `done` is true.
    pub(crate) fn write_unless<'c>(
        &'c self,
        cypher: &mut Cypher<'_, 'c>,
        variable: &str,
        done: &str,
    ) {
        for (index, change) in self.changes.iter().enumerate() {
            let word = if index > 0 { ", " } else { " SET " };
            let name = format!("{variable}.{}", escape(change.name));
            cypher.push(&format!(
                "{word}{name} = CASE WHEN {done} THEN {name} ELSE "
            ));
            match &change.value {
                Some(value) => cypher.expression(variable, value),
                None => cypher.push("null"),
            }
            cypher.push(" END");
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

    /// Whether an update of what passes `conditions` ends alike when it is run twice: neither a
    /// new value nor, over a relationship, a condition may look at what the update changes. The
    /// mapper changes `more` besides.
    pub(crate) fn repeatable<'a>(
        &self,
        conditions: impl IntoIterator<Item = &'a Condition>,
        more: impl IntoIterator<Item = &'static str>,
    ) -> bool {
        let assigned = self.changes.iter().map(|change| change.name);
        let look = Look {
            assigned: Some(assigned.chain(more).collect()),
        };
        let values = self
            .changes
            .iter()
            .filter_map(|change| change.value.as_ref());
        !conditions
            .into_iter()
            .any(|condition| look.condition(condition, false))
            && !values.into_iter().any(|value| look.expression(value, true))
    }

    /// Whether a condition looks at anything but the node itself.
    pub(crate) fn look_beyond<'a>(conditions: impl IntoIterator<Item = &'a Condition>) -> bool {
        let look = Look { assigned: None };
        conditions
            .into_iter()
            .any(|condition| look.condition(condition, false))
    }
}

/// Looks for assigned properties that are asked of other nodes.
struct Look {
    /// Without names, whatever is asked of other nodes is meant.
    assigned: Option<Vec<&'static str>>,
}

impl Look {
    fn condition(&self, condition: &Condition, beyond: bool) -> bool {
        match condition {
            Condition::All(all) | Condition::Any(all) => {
                all.iter().any(|part| self.condition(part, beyond))
            }
            Condition::Not(inner) | Condition::Unless(inner) => self.condition(inner, beyond),
            Condition::IsNull(expr) => self.expression(expr, beyond),
            Condition::HasLabel(_) | Condition::ElementId(_) => false,
            Condition::Compare { left, right, .. } => {
                self.expression(left, beyond) || self.expression(right, beyond)
            }
            Condition::Related(hop) => self.hop(hop),
        }
    }

    fn hop(&self, hop: &Hop) -> bool {
        if self.assigned.is_none() {
            return true;
        }
        let conditions = hop.node.iter().chain(&hop.relationship);
        conditions
            .into_iter()
            .any(|inner| self.condition(inner, true))
    }

    fn expression(&self, expr: &Expr, beyond: bool) -> bool {
        let within = |inner: &Expr| self.expression(inner, beyond);
        match expr {
            Expr::This | Expr::Name(_) => beyond,
            Expr::Property(name) => {
                let assigned = self.assigned.as_ref();
                beyond && assigned.is_none_or(|names| names.contains(name))
            }
            Expr::Value(_) => false,
            Expr::Call(_, arguments) => arguments.iter().any(within),
            Expr::Part(of, _) => within(of),
            Expr::Binary(sides, _) => sides.iter().any(within),
            Expr::Related(related) => {
                let items = match &related.gathered {
                    Gathered::Count => &[][..],
                    Gathered::List(items) | Gathered::First(items) => items,
                };
                self.hop(&related.hop) || items.iter().any(|(_, of)| self.expression(of, true))
            }
            Expr::Aggregate(aggregate) => within(&aggregate.of),
            Expr::Summary(summary) => {
                self.hop(&summary.hop) || self.expression(&summary.aggregate, true)
            }
        }
    }
}
