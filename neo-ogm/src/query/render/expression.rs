//! Expressions.

use super::super::expression::{AggregateExpr, End, Expr, Gathered};
use super::super::order::OrderStep;
use super::{Cypher, escape};

impl<'c> Cypher<'_, 'c> {
    /// Writes an expression about `variable`.
    pub(crate) fn expression(&mut self, variable: &str, expr: &'c Expr) {
        if let Some(index) = self.aliases.iter().position(|(known, _)| known.same(expr)) {
            let name = std::mem::take(&mut self.aliases[index].1);
            self.push(&name);
            self.aliases[index].1 = name;
            return;
        }
        match expr {
            Expr::This => self.push(variable),
            Expr::Name(name) => self.push(name),
            Expr::Property(name) => self.write(format_args!("{variable}.{}", escape(name))),
            Expr::Value(value) => self.value(value),
            Expr::Call(function, arguments) => {
                self.push(function);
                self.push("(");
                for (index, argument) in arguments.iter().enumerate() {
                    self.push(if index > 0 { ", " } else { "" });
                    self.expression(variable, argument);
                }
                self.push(")");
            }
            Expr::Part(of, part) => {
                self.operand(variable, of);
                self.push(".");
                self.push(part);
            }
            Expr::Binary(sides, operator) => {
                self.operand(variable, &sides[0]);
                self.write(format_args!(" {operator} "));
                self.operand(variable, &sides[1]);
            }
            Expr::Related(related) => {
                let id = self.fresh();
                let (r, m) = (format!("r{id}"), format!("m{id}"));
                self.push(match related.gathered {
                    Gathered::Count => "size([",
                    Gathered::List(_) => "[",
                    Gathered::First(_) => "head([",
                });
                let named = !related.hop.relationship.is_empty()
                    || match &related.gathered {
                        Gathered::Count => false,
                        Gathered::List(items) | Gathered::First(items) => {
                            items.iter().any(|(end, _)| *end == End::Relationship)
                        }
                    };
                self.hop(variable, if named { &r } else { "" }, &related.hop, &m);
                self.hop_conditions(&r, &related.hop, &m);
                self.push(" | ");
                match &related.gathered {
                    Gathered::Count => self.push("1"),
                    Gathered::List(items) | Gathered::First(items) => self.items(&r, &m, items),
                }
                self.push(match related.gathered {
                    Gathered::List(_) => "]",
                    Gathered::Count | Gathered::First(_) => "])",
                });
            }
            Expr::Aggregate(aggregate) => self.aggregate(variable, aggregate),
            // One that was not written before its place has no place.
            Expr::Summary(_) => self.push("null"),
        }
    }

    /// Writes `function(DISTINCT n.property, parameter)`.
    pub(crate) fn aggregate(&mut self, variable: &str, aggregate: &'c AggregateExpr) {
        self.push(aggregate.function);
        self.push(if aggregate.distinct {
            "(DISTINCT "
        } else {
            "("
        });
        self.expression(variable, &aggregate.of);
        if let Some(parameter) = &aggregate.parameter {
            self.push(", ");
            self.expression(variable, parameter);
        }
        self.push(")");
    }

    fn items(&mut self, relationship: &str, node: &str, items: &'c [(End, Expr)]) {
        let several = items.len() != 1;
        self.push(if several { "[" } else { "" });
        for (index, (end, expr)) in items.iter().enumerate() {
            self.push(if index > 0 { ", " } else { "" });
            let variable = match end {
                End::Node => node,
                End::Relationship => relationship,
            };
            self.expression(variable, expr);
        }
        self.push(if several { "]" } else { "" });
    }

    /// Writes an expression where another operator stands beside it.
    pub(super) fn operand(&mut self, variable: &str, expr: &'c Expr) {
        let enclosed = matches!(expr, Expr::Binary(..))
            && !self.aliases.iter().any(|(known, _)| known.same(expr));
        if enclosed {
            self.push("(");
        }
        self.expression(variable, expr);
        if enclosed {
            self.push(")");
        }
    }

    /// Writes `n.title DESC`.
    pub(crate) fn order_step(&mut self, variable: &str, step: &'c OrderStep) {
        self.expression(variable, &step.expr);
        if step.descending {
            self.push(" DESC");
        }
    }

    /// Writes ` ORDER BY n.title, n.pages DESC`, or nothing.
    pub(crate) fn ordering(&mut self, variable: &str, order: &'c [OrderStep]) {
        for (index, step) in order.iter().enumerate() {
            self.push(if index == 0 { " ORDER BY " } else { ", " });
            self.order_step(variable, step);
        }
    }
}
