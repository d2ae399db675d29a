//! A statement made ready for the engine, once for each text.

use neo_bolt::server::Failure;

use super::batch::{self, Batch};
use super::cypher::clauses::clauses;
use super::cypher::columns::{Columns, columns};
use super::cypher::gaps;
use super::cypher::place::places;
use super::cypher::rewrite::{Finish, rewrite};
use super::cypher::token::Tokens;
use super::facts::{Facts, facts};
use super::schema::command::{Command, command};

/// What a statement is.
#[derive(Debug)]
pub(super) enum Prepared {
    /// About constraints and indexes: the engine does not see it.
    Schema(Command),
    /// Anything else.
    Data(Data),
}

/// A statement that reads or writes data.
#[derive(Debug)]
pub(super) struct Data {
    /// In the engine's terms.
    pub(super) text: String,
    pub(super) columns: Columns,
    pub(super) finish: Vec<Finish>,
    /// What it may do to the data; `None` when it only reads.
    pub(super) writes: Option<Facts>,
    /// How it is run row by row, where that is the same and faster.
    pub(super) batch: Option<Box<Batch>>,
}

/// Reads a statement.
pub(super) fn prepare(text: &str, database_id: &str) -> Result<Prepared, Failure> {
    let tokens = Tokens::new(text);
    if tokens.len() == 0 {
        return Err(Failure::new(
            "Neo.ClientError.Statement.SyntaxError",
            "Unexpected end of input: expected a statement",
        ));
    }
    if let Some(command) = command(&tokens) {
        return command.map(Prepared::Schema);
    }
    let places = places(&tokens);
    gaps::check(&tokens, &places)?;
    let clauses = clauses(&tokens, &places);
    let columns = columns(&tokens, &places, &clauses);
    let rewritten = rewrite(&tokens, &places, &clauses, &columns, database_id)?;
    let facts = facts(&tokens, &places, &clauses);
    let batch = batch::batch(&tokens, &places, &clauses, facts.as_ref(), database_id)?;
    Ok(Prepared::Data(Data {
        text: rewritten.text,
        finish: rewritten.finish,
        columns,
        writes: facts,
        batch: batch.map(Box::new),
    }))
}
