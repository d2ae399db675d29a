//! What an update sets and removes.

use std::fmt;
use std::sync::Arc;

use super::expression::{Expr, Gathered};
use super::filter::{Condition, Parameter};
use super::hop::Hop;
use super::render::{Cypher, escape};
use crate::error::{Error, ErrorKind};
use crate::mapping::{Operand, Property, PropertySchema};
use crate::query::Field;

/// New values of properties, in the order in which they were given.
#[derive(Default)]
pub(crate) struct Assignments {
    changes: Vec<(&'static str, Option<Parameter>)>,
}

impl fmt::Debug for Assignments {
    /// Shows which properties; values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.changes.iter().map(|(name, _)| name);
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
        self.changes.push((field.name(), Some(value)));
    }

    pub(crate) fn remove<O, T>(&mut self, field: Field<O, T>) {
        self.changes.push((field.name(), None));
    }

    /// Refuses what identifies: what was to be changed would be another one then.
    pub(crate) fn check(&self, properties: &[PropertySchema]) -> Result<(), Error> {
        let key = properties
            .iter()
            .filter(|property| property.key)
            .find(|key| self.changes.iter().any(|(name, _)| *name == key.name));
        match key {
            Some(key) => Err(Error::new(ErrorKind::KeyAssigned { field: key.field })),
            None => Ok(()),
        }
    }

    /// Writes ` SET n.a = $p0 REMOVE n.b`.
    pub(crate) fn write<'c>(&'c self, cypher: &mut Cypher<'_, 'c>, variable: &str) {
        let mut word = " SET ";
        for (name, value) in &self.changes {
            if let Some(value) = value {
                cypher.push(&format!("{word}{variable}.{} = ", escape(name)));
                cypher.value(value);
                word = ", ";
            }
        }
        let mut word = " REMOVE ";
        for (name, _) in self.changes.iter().filter(|(_, value)| value.is_none()) {
            cypher.push(&format!("{word}{variable}.{}", escape(name)));
            word = ", ";
        }
    }

    /// Whether an update of what passes `conditions` ends alike when it is run twice: no
    /// condition may look, over a relationship, at what another one's update has changed.
    pub(crate) fn repeatable<'a>(
        &self,
        conditions: impl IntoIterator<Item = &'a Condition>,
    ) -> bool {
        let look = Look {
            assigned: Some(self.changes.iter().map(|(name, _)| *name).collect()),
        };
        !conditions
            .into_iter()
            .any(|condition| look.condition(condition, false))
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
