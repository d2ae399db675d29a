//! Conditions, patterns and whole finders as Cypher text.
//!
//! Values never enter the text, so that the same question is the same text and the server's
//! plan cache knows it.

mod condition;
mod expression;
mod load;
mod name;

pub(crate) use name::escape;

use std::fmt::Write as _;

use neo_bolt::packstream::{EncodeError, Encoder, ToBolt};

use super::expression::Expr;
use super::filter::Parameter;
use crate::mapping::{Direction, NodeSchema};

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

    /// Where the value stands: a condition that is written twice has its values once.
    fn place(&mut self, value: &'c Parameter) -> usize {
        let known = self
            .values
            .iter()
            .position(|held| matches!(held, Held::Borrowed(known) if std::ptr::eq(*known, value)));
        known.unwrap_or_else(|| self.push(Held::Borrowed(value)))
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

/// A statement being written.
pub(crate) struct Cypher<'p, 'c> {
    text: String,
    parameters: &'p mut Parameters<'c>,
    variables: usize,
    aliases: Vec<(&'c Expr, String)>,
}

impl<'p, 'c> Cypher<'p, 'c> {
    pub(crate) fn new(parameters: &'p mut Parameters<'c>) -> Self {
        Self {
            text: String::with_capacity(128),
            parameters,
            variables: 0,
            aliases: Vec::new(),
        }
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(crate) fn write(&mut self, arguments: std::fmt::Arguments<'_>) {
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

    /// A number for variables that no other part of the statement has.
    pub(crate) fn fresh(&mut self) -> usize {
        self.variables += 1;
        self.variables
    }

    /// Writes `name` wherever `expr` would stand from here on.
    pub(crate) fn alias(&mut self, expr: &'c Expr, name: String) {
        self.aliases.push((expr, name));
    }

    /// Writes a value as a parameter: the same one where the statement has it already.
    pub(crate) fn value(&mut self, value: &'c Parameter) {
        let index = self.parameters.place(value);
        self.write(format_args!("$p{index}"));
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
