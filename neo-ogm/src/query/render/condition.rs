//! Conditions, and the steps of patterns that they go over.

use super::super::expression::Expr;
use super::super::filter::{Comparison, Condition};
use super::super::hop::Hop;
use super::{Cypher, arrows, escape};

impl<'c> Cypher<'_, 'c> {
    /// Writes what must hold of `variable`.
    pub(crate) fn condition(&mut self, variable: &str, condition: &'c Condition) {
        match condition {
            Condition::All(all) => self.joined(variable, all, " AND ", "true"),
            Condition::Any(any) => self.joined(variable, any, " OR ", "false"),
            Condition::Not(inner) => {
                self.push("NOT (");
                self.condition(variable, inner);
                self.push(")");
            }
            Condition::Unless(inner) => {
                self.push("NOT coalesce(");
                self.condition(variable, inner);
                self.push(", false)");
            }
            Condition::HasLabel(label) => {
                self.write(format_args!("{variable}:{}", escape(label)));
            }
            Condition::ElementId(id) => {
                self.write(format_args!("elementId({variable}) = "));
                self.value(id);
            }
            Condition::IsNull(expr) => {
                self.operand(variable, expr);
                self.push(" IS NULL");
            }
            Condition::Compare {
                left,
                comparison,
                right,
            } => self.compare(variable, left, *comparison, right),
            Condition::Related(hop) => {
                let id = self.fresh();
                let (r, m) = (format!("r{id}"), format!("m{id}"));
                self.push("EXISTS { MATCH ");
                self.hop(variable, &r, hop, &m);
                self.hop_conditions(&r, hop, &m);
                self.push(" }");
            }
        }
    }

    /// Writes that all of `conditions` hold of `variable`.
    pub(crate) fn conjunction(&mut self, variable: &str, conditions: &'c [Condition]) {
        self.joined(variable, conditions, " AND ", "true");
    }

    /// Writes `(n)-[r:TYPE]->(m:Label)`.
    pub(crate) fn hop(&mut self, from: &str, relationship: &str, hop: &Hop, to: &str) {
        let (left, right) = arrows(hop.relation.direction);
        let relationship_type = escape(hop.relation.relationship_type);
        self.write(format_args!(
            "({from}){left}[{relationship}:{relationship_type}"
        ));
        if let Some((least, most)) = hop.range {
            self.push("*");
            if let Some(least) = least {
                self.write(format_args!("{least}"));
            }
            self.push("..");
            if let Some(most) = most {
                self.write(format_args!("{most}"));
            }
        }
        self.push("]");
        self.push(right);
        self.node(to, (hop.relation.target)());
    }

    /// Writes ` WHERE …`, where a step asks for something, and gives the word that a further
    /// condition begins with.
    pub(crate) fn hop_conditions(
        &mut self,
        relationship: &str,
        hop: &'c Hop,
        node: &str,
    ) -> &'static str {
        let narrowed = self.one_of(" WHERE ", node, (hop.relation.target)());
        let mut word = if narrowed { " AND " } else { " WHERE " };
        if !hop.relationship.is_empty() {
            self.push(word);
            word = " AND ";
            if hop.range.is_some() {
                // Over several relationships the variable is a list of them.
                self.write(format_args!("all(x IN {relationship} WHERE "));
                self.conjunction("x", &hop.relationship);
                self.push(")");
            } else {
                self.conjunction(relationship, &hop.relationship);
            }
        }
        if !hop.node.is_empty() {
            self.push(word);
            self.conjunction(node, &hop.node);
            word = " AND ";
        }
        word
    }

    fn joined(&mut self, variable: &str, parts: &'c [Condition], word: &str, none: &str) {
        if parts.is_empty() {
            return self.push(none);
        }
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                self.push(word);
            }
            // What is made of several parts stands in parentheses.
            let several =
                matches!(
                    part,
                    Condition::All(inner) | Condition::Any(inner) if inner.len() > 1
                ) && (parts.len() > 1 || word != " AND " || matches!(part, Condition::Any(_)));
            if several {
                self.push("(");
            }
            self.condition(variable, part);
            if several {
                self.push(")");
            }
        }
    }

    fn compare(&mut self, variable: &str, left: &'c Expr, comparison: Comparison, right: &'c Expr) {
        let (operator, lowered) = match comparison {
            Comparison::Equal => ("=", false),
            Comparison::NotEqual => ("<>", false),
            Comparison::Less => ("<", false),
            Comparison::LessOrEqual => ("<=", false),
            Comparison::Greater => (">", false),
            Comparison::GreaterOrEqual => (">=", false),
            Comparison::In => ("IN", false),
            Comparison::StartsWith => ("STARTS WITH", false),
            Comparison::EndsWith => ("ENDS WITH", false),
            Comparison::Contains => ("CONTAINS", false),
            Comparison::Matches => ("=~", false),
            Comparison::EqualIgnoreCase => ("=", true),
            Comparison::ContainsIgnoreCase => ("CONTAINS", true),
            Comparison::StartsWithIgnoreCase => ("STARTS WITH", true),
            Comparison::EndsWithIgnoreCase => ("ENDS WITH", true),
            Comparison::Has => {
                self.operand(variable, right);
                self.push(" IN ");
                return self.operand(variable, left);
            }
            Comparison::HasAny | Comparison::HasAll => {
                self.push(if comparison == Comparison::HasAny {
                    "any(x IN "
                } else {
                    "all(x IN "
                });
                self.operand(variable, right);
                self.push(" WHERE x IN ");
                self.operand(variable, left);
                return self.push(")");
            }
        };
        self.side(variable, left, lowered);
        self.write(format_args!(" {operator} "));
        self.side(variable, right, lowered);
    }

    fn side(&mut self, variable: &str, expr: &'c Expr, lowered: bool) {
        self.push(if lowered { "toLower(" } else { "" });
        self.expression(variable, expr);
        self.push(if lowered { ")" } else { "" });
    }
}
