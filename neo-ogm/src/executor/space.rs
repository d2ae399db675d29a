//! A label space: a graph handle of which every label and relationship type begins with the same
//! letters in the database, so that several tests use one server and never meet.
//!
//! The names are changed here, where every statement passes on its way to the driver, rather than
//! where statements are made: those are many, and none of them needs to know. Where there is no
//! label space, which is everywhere but in tests, it costs a look at an `Option`.

use std::fmt::Write as _;
use std::sync::Arc;

use super::Graph;
use crate::text::place::{Place, places};
use crate::text::token::{Kind, Tokens};

impl Graph {
    /// A handle whose labels and relationship types begin with `prefix` in the database: letters,
    /// digits and underscores, and no digit in front.
    pub(crate) fn with_label_prefix(&self, prefix: &str) -> Self {
        debug_assert!(crate::query::escape(prefix) == prefix);
        self.with(|settings| settings.label_prefix = Some(prefix.into()))
    }

    /// A handle whose names are those of the database.
    pub(crate) fn without_label_prefix(&self) -> Self {
        self.with(|settings| settings.label_prefix = None)
    }

    /// What every label and relationship type begins with in the database.
    pub(crate) fn label_prefix(&self) -> Option<&str> {
        self.settings().label_prefix.as_deref()
    }

    /// A label or relationship type of the database, as the model has it.
    pub(crate) fn name<'a>(&self, found: &'a str) -> &'a str {
        match self.label_prefix() {
            Some(prefix) => found.strip_prefix(prefix).unwrap_or(found),
            None => found,
        }
    }

    /// As [`name`](Self::name), for several.
    pub(crate) fn names<'a>(
        &self,
        found: impl Iterator<Item = &'a str> + Clone,
    ) -> impl Iterator<Item = &'a str> + Clone {
        found.map(|found| self.name(found))
    }

    /// A statement with its names in the label space.
    pub(super) fn placed(&self, statement: Arc<str>) -> Arc<str> {
        match self.label_prefix() {
            Some(prefix) => placed(&statement, prefix).into(),
            None => statement,
        }
    }
}

fn placed(statement: &str, prefix: &str) -> String {
    let tokens = Tokens::new(statement);
    let places = places(&tokens);
    let mut text = String::with_capacity(statement.len() + 8 * prefix.len());
    let mut done = 0;
    for (index, token) in tokens.all.iter().enumerate() {
        let is_label = places[index] == Place::Label
            && !is_type_of_a_value(&tokens, index)
            // Receipts are shared by all spaces, as their constraint is.
            && tokens.source(index) != neo_bolt::RECEIPT_LABEL;
        let (at, argument) = if is_label {
            let quoted = tokens.kind(index) == Some(Kind::Quoted);
            (token.span.start + usize::from(quoted), false)
        } else if is_search(&tokens, index) {
            (token.span.end, true)
        } else {
            continue;
        };
        text.push_str(&statement[done..at]);
        if argument {
            let _ = write!(text, "'{prefix}' + ");
        } else {
            text.push_str(prefix);
        }
        done = at;
    }
    text.push_str(&statement[done..]);
    text
}

/// Whether the parenthesis in front of the name of a full-text or vector index is here:
/// `CALL db.index.fulltext.queryNodes($name, …)`.
fn is_search(tokens: &Tokens<'_>, index: usize) -> bool {
    let Some(before) = index.checked_sub(1) else {
        return false;
    };
    tokens.mark(index, '(')
        && (tokens.is(before, "queryNodes") || tokens.is(before, "queryRelationships"))
}

/// In `n.title IS :: STRING`, the last word is no label.
fn is_type_of_a_value(tokens: &Tokens<'_>, index: usize) -> bool {
    index
        .checked_sub(2)
        .is_some_and(|before| tokens.mark(before, ':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_types_move_and_nothing_else() {
        for (statement, expected) in [
            (
                "MERGE (n:Book {isbn: $k0}) SET n += $p, n:New REMOVE n:Old",
                "MERGE (n:t_Book {isbn: $k0}) SET n += $p, n:t_New REMOVE n:t_Old",
            ),
            (
                "MATCH (a:`Order`:B)-[r:IN|OF {a: b}]->(:C) WHERE a:D RETURN {a: b, c: ':E'}",
                "MATCH (a:`t_Order`:t_B)-[r:t_IN|t_OF {a: b}]->(:t_C) WHERE a:t_D RETURN {a: b, c: ':E'}",
            ),
            (
                "MATCH (n:A) WHERE EXISTS { MATCH (n)-[:T]->(m:B) WHERE m.x = 1 } \
                 RETURN n, [(n)<-[r:T]-(m:B) | [r, m]] AS l0",
                "MATCH (n:t_A) WHERE EXISTS { MATCH (n)-[:t_T]->(m:t_B) WHERE m.x = 1 } \
                 RETURN n, [(n)<-[r:t_T]-(m:t_B) | [r, m]] AS l0",
            ),
            (
                "CREATE CONSTRAINT t_x IF NOT EXISTS FOR (n:A) REQUIRE n.b IS :: LIST<STRING NOT NULL>",
                "CREATE CONSTRAINT t_x IF NOT EXISTS FOR (n:t_A) REQUIRE n.b IS :: LIST<STRING NOT NULL>",
            ),
            (
                "CREATE VECTOR INDEX t_v FOR ()-[r:T]-() ON (r.v) OPTIONS {indexConfig: {`vector.dimensions`: 3}}",
                "CREATE VECTOR INDEX t_v FOR ()-[r:t_T]-() ON (r.v) OPTIONS {indexConfig: {`vector.dimensions`: 3}}",
            ),
            (
                "CALL db.index.vector.queryNodes($p0, 3, $p1) YIELD node AS n, score WHERE n:A RETURN n",
                "CALL db.index.vector.queryNodes('t_' + $p0, 3, $p1) YIELD node AS n, score WHERE n:t_A RETURN n",
            ),
            (
                "MATCH (n) WHERE (n:A OR n:B) AND n.tags[1..2] = $x SET n:`größe ` // :Z",
                "MATCH (n) WHERE (n:t_A OR n:t_B) AND n.tags[1..2] = $x SET n:`t_größe ` // :Z",
            ),
        ] {
            assert_eq!(placed(statement, "t_"), expected);
        }
    }
}
