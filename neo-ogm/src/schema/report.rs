//! What became of a schema that was applied.

use std::fmt;

use super::{FoundRule, Rule};

/// What became of each constraint and index of a model.
#[derive(Debug, Clone, Default)]
pub struct SchemaReport {
    pub(super) created: Vec<Rule>,
    pub(super) present: Vec<Rule>,
    pub(super) replaced: Vec<(Rule, FoundRule)>,
    pub(super) unsupported: Vec<Unsupported>,
    pub(super) different: Vec<(Rule, FoundRule)>,
}

/// A constraint or an index that the database does not have.
#[derive(Debug, Clone)]
pub struct Unsupported {
    /// What the model asks for.
    pub rule: Rule,
    /// What the database said.
    pub reason: String,
}

impl SchemaReport {
    /// What was made.
    pub fn created(&self) -> impl ExactSizeIterator<Item = &Rule> {
        self.created.iter()
    }

    /// What was there already, under this name or another.
    pub fn present(&self) -> impl ExactSizeIterator<Item = &Rule> {
        self.present.iter()
    }

    /// What was made in the place of something else; see
    /// [`replace_changed`](super::ApplySchema::replace_changed).
    pub fn replaced(&self) -> impl ExactSizeIterator<Item = &(Rule, FoundRule)> {
        self.replaced.iter()
    }

    /// What the database can't have; see
    /// [`skip_unsupported`](super::ApplySchema::skip_unsupported).
    pub fn unsupported(&self) -> impl ExactSizeIterator<Item = &Unsupported> {
        self.unsupported.iter()
    }

    /// What is not as the model has it, with what is there instead; only in errors.
    pub fn different(&self) -> impl ExactSizeIterator<Item = &(Rule, FoundRule)> {
        self.different.iter()
    }
}

/// Writes a line for each constraint and index.
impl fmt::Display for SchemaReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Vec::new();
        lines.extend(self.created.iter().map(|rule| format!("created {rule}")));
        lines.extend(
            self.present
                .iter()
                .map(|rule| format!("there already: {rule}")),
        );
        for (rule, found) in &self.replaced {
            lines.push(format!("created {rule} in the place of {found}"));
        }
        for (rule, found) in &self.different {
            lines.push(format!("different: {rule}; the database has {found}"));
        }
        for Unsupported { rule, reason } in &self.unsupported {
            lines.push(format!("unsupported: {rule}: {reason}"));
        }
        f.write_str(&lines.join("\n"))
    }
}
