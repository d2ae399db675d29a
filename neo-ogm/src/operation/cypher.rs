//! Raw Cypher, into nodes, relationships, tuples and plain structs.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use neo_bolt::packstream::{DecodeError, ToBolt};
use neo_bolt::value::{Map, Value};
use neo_bolt::{AccessMode, EagerResult, Record, ResultSummary};
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::executor::{Executor, Graph, Target, Transaction};
use crate::mapping::FromColumn;

impl Graph {
    /// A statement of the caller's own: `graph.cypher("…").param("y", 1800).fetch(&graph)`.
    pub fn cypher(&self, statement: impl Into<Arc<str>>) -> CypherQuery {
        CypherQuery::new(statement.into())
    }
}

impl Transaction {
    /// A statement of the caller's own.
    pub fn cypher(&self, statement: impl Into<Arc<str>>) -> CypherQuery {
        CypherQuery::new(statement.into())
    }
}

/// A Cypher statement with its parameters.
///
/// On a graph handle it runs in a transaction of its own, which is tried again when it certainly
/// was not committed. Where nobody knows (the connection was lost between COMMIT and its answer),
/// it is tried again only if you say that it is [`idempotent`](Self::idempotent).
#[derive(Clone)]
#[must_use = "a statement does nothing until it is run"]
pub struct CypherQuery {
    statement: Arc<str>,
    parameters: Map,
    mode: AccessMode,
    idempotent: bool,
}

impl fmt::Debug for CypherQuery {
    /// Shows the statement; the values of parameters may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CypherQuery").field(&self.statement).finish()
    }
}

impl CypherQuery {
    fn new(statement: Arc<str>) -> Self {
        Self {
            statement,
            parameters: Map::new(),
            mode: AccessMode::Write,
            idempotent: false,
        }
    }

    /// Gives a value to the parameter `$name`.
    pub fn param(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.parameters.insert(name.into(), value.into());
        self
    }

    /// The statement only reads; a cluster serves it from any member.
    pub fn read_only(mut self) -> Self {
        self.mode = AccessMode::Read;
        self
    }

    /// The statement ends in the same state however often it runs, as one of `MERGE` and `SET`
    /// does and one of `CREATE` or of counting does not; so a lost commit is simply run again.
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Runs the statement and reads each row as a `T`: a node, a relationship struct or a value
    /// where there is one column, a tuple where there are several.
    ///
    /// # Errors
    /// The database refused the statement, or a row does not fit; the error names the column.
    pub fn fetch<T: FromRow + Send>(
        self,
        on: impl Executor,
    ) -> impl Future<Output = Result<Vec<T>, Error>> + Send {
        let target = on.target();
        async move {
            let found = self.run(&target).await?;
            let graph = target.graph();
            let rows = found.records.iter().map(|record| row(record, graph));
            rows.collect()
        }
    }

    /// Runs the statement and reads each row as a struct of its columns, by their names.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub fn fetch_as<T: DeserializeOwned + Send>(
        self,
        on: impl Executor,
    ) -> impl Future<Output = Result<Vec<T>, Error>> + Send {
        let target = on.target();
        async move {
            let found = self.run(&target).await?;
            found
                .records
                .iter()
                .map(|record| Ok(record.to()?))
                .collect()
        }
    }

    /// Runs the statement for what it does; the summary has its counters.
    ///
    /// # Errors
    /// The database refused the statement.
    pub fn execute(
        self,
        on: impl Executor,
    ) -> impl Future<Output = Result<ResultSummary, Error>> + Send {
        let target = on.target();
        async move { Ok(self.run(&target).await?.summary) }
    }

    async fn run(&self, target: &Target) -> Result<EagerResult, Error> {
        let parameters: &(dyn ToBolt + Send + Sync) = &self.parameters;
        target
            .run(
                self.mode,
                self.idempotent,
                Arc::clone(&self.statement),
                parameters,
            )
            .await
    }
}

fn row<T: FromRow>(record: &Record, graph: &Graph) -> Result<T, Error> {
    if record.len() != T::COLUMNS {
        return Err(Error::decode(
            "the result",
            DecodeError::custom(format_args!(
                "a row has {} columns ({}) and the type takes {}",
                record.len(),
                record.keys().join(", "),
                T::COLUMNS
            )),
        ));
    }
    T::from_row(record, graph).map_err(|error| Error::decode("a row of the result", error))
}

/// A type that a row of a result turns into: anything that a column turns into, and tuples.
#[diagnostic::on_unimplemented(
    message = "a row can't turn into `{Self}`",
    label = "neither a node, a relationship struct, a value nor a tuple of these",
    note = "for plain structs with `serde::Deserialize`, use `fetch_as`"
)]
pub trait FromRow: Sized {
    /// How many columns it takes.
    const COLUMNS: usize;

    /// Reads the columns in their order.
    ///
    /// # Errors
    /// A column is of another type.
    fn from_row(record: &Record, graph: &Graph) -> Result<Self, DecodeError>;
}

impl<T: FromColumn> FromRow for T {
    const COLUMNS: usize = 1;

    fn from_row(record: &Record, graph: &Graph) -> Result<Self, DecodeError> {
        let name = record.keys().first().map_or("", String::as_str);
        T::from_column(&mut record.raw_fields(), graph).map_err(|error| error.within(name))
    }
}

macro_rules! rows {
    ($count:literal: $($name:ident),+) => {
        impl<$($name: FromColumn),+> FromRow for ($($name,)+) {
            const COLUMNS: usize = $count;

            fn from_row(record: &Record, graph: &Graph) -> Result<Self, DecodeError> {
                let mut names = record.keys().iter().map(String::as_str);
                let mut decoder = record.raw_fields();
                Ok(($({
                    let name = names.next().unwrap_or_default();
                    $name::from_column(&mut decoder, graph).map_err(|error| error.within(name))?
                },)+))
            }
        }
    };
}
rows!(1: A);
rows!(2: A, B);
rows!(3: A, B, C);
rows!(4: A, B, C, D);
rows!(5: A, B, C, D, E);
rows!(6: A, B, C, D, E, F);
rows!(7: A, B, C, D, E, F, G);
rows!(8: A, B, C, D, E, F, G, H);
