//! Conditions, patterns and whole finders as Cypher text.
//!
//! Values never enter the text, so that the same question is the same text and the server's
//! plan cache knows it.

use std::fmt::Write as _;

use neo_bolt::packstream::{EncodeError, Encoder, ToBolt};

use super::filter::{Comparison, Condition, Parameter};
use super::plan::LoadPlan;
use crate::mapping::{Direction, NodeSchema, RelationSchema};

/// The parameters of a statement: `p0`, `p1` and so on, in the order of their use.
#[derive(Default)]
pub(crate) struct Parameters<'c> {
    values: Vec<Held<'c>>,
}

enum Held<'c> {
    Borrowed(&'c Parameter),
    Number(i64),
}

impl<'c> Parameters<'c> {
    fn push(&mut self, value: Held<'c>) -> usize {
        self.values.push(value);
        self.values.len() - 1
    }
}

impl ToBolt for Parameters<'_> {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.map(self.values.len())?;
        for (index, value) in self.values.iter().enumerate() {
            encoder.string(&format!("p{index}"))?;
            match value {
                Held::Borrowed(value) => value.to_bolt(encoder)?,
                Held::Number(number) => encoder.integer(*number),
            }
        }
        Ok(())
    }
}

/// Writes a name so that Cypher takes it for what it is, in backticks only where it must be.
pub(crate) fn escape(name: &str) -> std::borrow::Cow<'_, str> {
    let mut bytes = name.bytes();
    let plain = bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !is_reserved(name);
    if plain {
        name.into()
    } else {
        format!("`{}`", name.replace('`', "``")).into()
    }
}

/// The reserved words of openCypher 9 and the Cypher manual, where a bare name could be misread.
fn is_reserved(name: &str) -> bool {
    const RESERVED: &[&str] = &[
        "ADD",
        "ALL",
        "AND",
        "AS",
        "ASC",
        "ASCENDING",
        "BY",
        "CALL",
        "CASE",
        "CONSTRAINT",
        "CONTAINS",
        "COUNT",
        "CREATE",
        "DELETE",
        "DESC",
        "DESCENDING",
        "DETACH",
        "DISTINCT",
        "DO",
        "DROP",
        "ELSE",
        "END",
        "ENDS",
        "EXISTS",
        "FALSE",
        "FOR",
        "FOREACH",
        "IN",
        "IS",
        "LIMIT",
        "LOAD",
        "MANDATORY",
        "MATCH",
        "MERGE",
        "NOT",
        "NULL",
        "OF",
        "ON",
        "OPTIONAL",
        "OR",
        "ORDER",
        "REMOVE",
        "REQUIRE",
        "RETURN",
        "SCALAR",
        "SET",
        "SKIP",
        "STARTS",
        "THEN",
        "TRUE",
        "UNION",
        "UNIQUE",
        "UNWIND",
        "USING",
        "WHEN",
        "WHERE",
        "WITH",
        "XOR",
        "YIELD",
    ];
    RESERVED.iter().any(|word| word.eq_ignore_ascii_case(name))
}

/// A statement being written.
pub(crate) struct Cypher<'p, 'c> {
    text: String,
    parameters: &'p mut Parameters<'c>,
    variables: usize,
}

impl<'p, 'c> Cypher<'p, 'c> {
    pub(crate) fn new(parameters: &'p mut Parameters<'c>) -> Self {
        Self {
            text: String::with_capacity(128),
            parameters,
            variables: 0,
        }
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn write(&mut self, arguments: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = self.text.write_fmt(arguments);
    }

    /// Writes `(n:Label)`, or `(n)` for an enum without a label of its own; then
    /// [`one_of`](Self::one_of) has the condition.
    pub(crate) fn node(&mut self, variable: &str, schema: &NodeSchema) {
        write_node(&mut self.text, variable, schema);
    }

    /// Writes `(n:A OR n:B)`, behind `word`, where the pattern alone does not say which nodes are
    /// meant. Whether it did.
    pub(crate) fn one_of(&mut self, word: &str, variable: &str, schema: &NodeSchema) -> bool {
        write_one_of(&mut self.text, word, variable, schema)
    }

    /// Writes a number as a parameter.
    pub(crate) fn number(&mut self, number: i64) {
        let index = self.parameters.push(Held::Number(number));
        self.write(format_args!("$p{index}"));
    }

    /// Writes `(n)-[r:TYPE]->(m:Label)`.
    fn step(&mut self, from: &str, relationship: &str, relation: &RelationSchema, to: &str) {
        let (left, right) = arrows(relation.direction);
        let relationship_type = escape(relation.relationship_type);
        self.write(format_args!(
            "({from}){left}[{relationship}:{relationship_type}]{right}"
        ));
        self.node(to, (relation.target)());
    }

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
            Condition::IsNull(property) => {
                self.write(format_args!("{variable}.{} IS NULL", escape(property)));
            }
            Condition::HasLabel(label) => {
                self.write(format_args!("{variable}:{}", escape(label)));
            }
            Condition::Compare {
                property,
                comparison,
                value,
            } => {
                let index = self.parameters.push(Held::Borrowed(value));
                self.compare(variable, &escape(property), *comparison, index);
            }
            Condition::Related {
                relation,
                node,
                relationship,
            } => {
                self.variables += 1;
                let id = self.variables;
                let (r, m) = (format!("r{id}"), format!("m{id}"));
                self.push("EXISTS { MATCH ");
                self.step(variable, &r, relation, &m);
                let conditions = [(&r, relationship), (&m, node)];
                let narrowed = self.one_of(" WHERE ", &m, (relation.target)());
                let mut word = if narrowed { " AND " } else { " WHERE " };
                for (variable, condition) in conditions {
                    if let Some(condition) = condition {
                        self.push(word);
                        self.enclosed(variable, condition);
                        word = " AND ";
                    }
                }
                self.push(" }");
            }
        }
    }

    /// Writes that all of `conditions` hold of `variable`.
    pub(crate) fn conjunction(&mut self, variable: &str, conditions: &'c [Condition]) {
        self.joined(variable, conditions, " AND ", "true");
    }

    fn joined(&mut self, variable: &str, parts: &'c [Condition], word: &str, none: &str) {
        if parts.is_empty() {
            return self.push(none);
        }
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                self.push(word);
            }
            self.enclosed(variable, part);
        }
    }

    /// Puts what is made of several parts into parentheses.
    fn enclosed(&mut self, variable: &str, condition: &'c Condition) {
        let several = matches!(
            condition,
            Condition::All(parts) | Condition::Any(parts) if parts.len() > 1
        );
        if several {
            self.push("(");
        }
        self.condition(variable, condition);
        if several {
            self.push(")");
        }
    }

    fn compare(&mut self, variable: &str, property: &str, comparison: Comparison, index: usize) {
        let operator = match comparison {
            Comparison::Equal => "=",
            Comparison::NotEqual => "<>",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
            Comparison::In => "IN",
            Comparison::StartsWith => "STARTS WITH",
            Comparison::EndsWith => "ENDS WITH",
            Comparison::Contains => "CONTAINS",
            Comparison::Matches => "=~",
            Comparison::Has => {
                return self.write(format_args!("$p{index} IN {variable}.{property}"));
            }
            Comparison::EqualIgnoreCase | Comparison::ContainsIgnoreCase => {
                let operator = if comparison == Comparison::EqualIgnoreCase {
                    "="
                } else {
                    "CONTAINS"
                };
                return self.write(format_args!(
                    "toLower({variable}.{property}) {operator} toLower($p{index})"
                ));
            }
        };
        self.write(format_args!("{variable}.{property} {operator} $p{index}"));
    }

    /// Writes a list of `[relationship, node, further lists…]`, one for each relationship that
    /// `plan` leads over. A list in the same row, so that no relationship multiplies the rows.
    pub(crate) fn load(&mut self, from: &str, plan: &LoadPlan) {
        self.variables += 1;
        let id = self.variables;
        let (r, m) = (format!("r{id}"), format!("m{id}"));
        // What carries nothing is not sent.
        let carries = !plan.relation.relationship.properties.is_empty();
        self.push("[");
        self.step(from, if carries { &r } else { "" }, plan.relation, &m);
        self.one_of(" WHERE ", &m, (plan.relation.target)());
        self.write(format_args!(
            " | [{}, {m}",
            if carries { &r } else { "null" }
        ));
        for next in &plan.next {
            self.push(", ");
            self.load(&m, next);
        }
        self.push("]]");
    }
}

/// Writes `(n:Label)`, or `(n)` for an enum without a label of its own.
pub(crate) fn write_node(text: &mut String, variable: &str, schema: &NodeSchema) {
    text.push('(');
    text.push_str(variable);
    if !schema.label.is_empty() {
        text.push(':');
        text.push_str(&escape(schema.label));
    }
    text.push(')');
}

/// Writes `(n:A OR n:B)`, behind `word`, where [`write_node`] alone does not say which nodes are
/// meant. Whether it did.
pub(crate) fn write_one_of(
    text: &mut String,
    word: &str,
    variable: &str,
    schema: &NodeSchema,
) -> bool {
    if !schema.label.is_empty() {
        return false;
    }
    text.push_str(word);
    text.push('(');
    for (index, label) in schema.any_of().into_iter().enumerate() {
        text.push_str(if index > 0 { " OR " } else { "" });
        text.push_str(variable);
        text.push(':');
        text.push_str(&escape(label));
    }
    text.push(')');
    true
}

/// The two halves of an arrow around `[…]`.
pub(crate) fn arrows(direction: Direction) -> (&'static str, &'static str) {
    match direction {
        Direction::Out => ("-", "->"),
        Direction::In => ("<-", "-"),
        Direction::Both => ("-", "-"),
    }
}
