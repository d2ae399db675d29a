//! Runs one statement on a handle. Everything here blocks.

use neo_bolt::server::Failure;
use neo_bolt::value::{Map, Value};

use super::counters::{self, Before};
use super::cypher::columns::Columns;
use super::cypher::rewrite::Finish;
use super::engine::{Handle, Rows};
use super::schema::catalogue::Entry;
use super::schema::unique;
use super::statement::Data;

/// What a statement came to.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) columns: Vec<String>,
    pub(super) records: Vec<Vec<Value>>,
    pub(super) counters: Map,
    /// `r`, `w`, `rw` or `s`.
    pub(super) query_type: &'static str,
}

/// Runs a statement in the handle's open transaction, or as a read of its own, and sees to it
/// that what it wrote keeps to the rules.
pub(super) fn execute(
    handle: &mut impl Handle,
    statement: &Data,
    parameters: &Map,
    rules: &[Entry],
) -> Result<Outcome, Failure> {
    let before = match &statement.writes {
        Some(facts) => Some((facts, Before::take(handle, facts)?)),
        None => None,
    };
    let rows = match &statement.batch {
        Some(batch) => batch.run(handle, parameters)?,
        None => None,
    };
    let rows = match rows {
        Some(rows) => rows,
        None => handle.run(&statement.text, parameters).map_err(explain)?,
    };
    let mut outcome = shape(statement, rows)?;
    if let Some((facts, before)) = before {
        unique::check(handle, facts, parameters, rules)?;
        outcome.counters = counters::since(handle, facts, before)?;
        outcome.query_type = if outcome.columns.is_empty() {
            "w"
        } else {
            "rw"
        };
    } else {
        outcome.query_type = "r";
    }
    Ok(outcome)
}

/// The engine's sentence on a syntax error does not say that another engine might know better.
fn explain(mut failure: Failure) -> Failure {
    if failure.code == "Neo.ClientError.Statement.SyntaxError" {
        failure
            .message
            .push_str(" (the embedded engine reads openCypher 9; a Neo4j server may know more)");
    }
    failure
}

/// Puts the engine's records under the statement's own columns.
fn shape(statement: &Data, rows: Rows) -> Result<Outcome, Failure> {
    let columns = statement.columns.names();
    let mut records = match &statement.columns {
        Columns::None => Vec::new(),
        Columns::Named(_) => rows.records,
        Columns::All(_) => ordered(&columns, rows),
    };
    if let Some(record) = records.iter().find(|record| record.len() != columns.len()) {
        return Err(Failure::new(
            "Neo.ClientError.Statement.SyntaxError",
            format_args!(
                "the statement names the columns [{}] and the embedded engine gave {}; give each \
                 column a name of its own with AS",
                columns.join(", "),
                record.len()
            ),
        ));
    }
    for (column, finish) in statement.finish.iter().enumerate() {
        for value in records
            .iter_mut()
            .filter_map(|record| record.get_mut(column))
        {
            finished(*finish, value);
        }
    }
    Ok(Outcome {
        columns,
        records,
        ..Outcome::default()
    })
}

fn finished(finish: Finish, value: &mut Value) {
    match (finish, value) {
        (Finish::Id, value) => {
            if let Value::Relationship(relationship) = value {
                *value = Value::Integer(relationship.id);
            }
        }
        (Finish::ElementId, value) => {
            if let Value::Relationship(relationship) = value {
                *value = Value::String(std::mem::take(&mut relationship.element_id));
            }
        }
        (Finish::Names, Value::String(name)) => *name = super::names::decode(std::mem::take(name)),
        (Finish::Names, Value::List(items)) => {
            items.iter_mut().for_each(|item| finished(finish, item));
        }
        (Finish::Names, Value::Map(map)) => {
            map.values_mut().for_each(|item| finished(finish, item));
        }
        (Finish::Keep | Finish::Names, _) => {}
    }
}

/// `RETURN *`: the engine's order is another.
fn ordered(columns: &[String], rows: Rows) -> Vec<Vec<Value>> {
    let names: Vec<String> = rows.columns.into_iter().map(super::names::decode).collect();
    let order: Vec<Option<usize>> = columns
        .iter()
        .map(|column| names.iter().position(|name| name == column))
        .collect();
    rows.records
        .into_iter()
        .map(|record| {
            order
                .iter()
                .filter_map(|at| record.get((*at)?).cloned())
                .collect()
        })
        .collect()
}
