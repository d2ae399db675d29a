//! Raw Cypher, into nodes, relationships, tuples and plain structs.

mod parameters;
mod result;
mod rows;
mod stream;

pub use result::CypherResult;
pub use rows::FromRow;
pub use stream::CypherStream;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use neo_bolt::packstream::{DecodeError, EncodeError, ToBolt};
use neo_bolt::value::Map;
use neo_bolt::{AccessMode, EagerResult, Plan, ProfiledPlan, ResultSummary};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind};
use crate::executor::{Executor, Graph, Target, Transaction, told};
use crate::mapping::{HookContext, Node};
use crate::text::reads::only_reads;

impl Graph {
    /// A statement of the caller's own: `graph.cypher("…").param("y", 1800).fetch(&graph)`. See
    /// [`CypherQuery`] for what it can do.
    pub fn cypher(&self, statement: impl Into<Arc<str>>) -> CypherQuery {
        CypherQuery::new(statement.into())
    }
}

impl Transaction {
    /// A statement of the caller's own; see [`CypherQuery`].
    pub fn cypher(&self, statement: impl Into<Arc<str>>) -> CypherQuery {
        CypherQuery::new(statement.into())
    }
}

impl HookContext {
    /// A statement of the caller's own; run it on this context.
    pub fn cypher(&self, statement: impl Into<Arc<str>>) -> CypherQuery {
        CypherQuery::new(statement.into())
    }
}

/// A Cypher statement with its parameters.
///
/// ```
/// use neo_ogm::prelude::*;
///
/// #[derive(Node)]
/// struct Book {
///     #[node(key)]
///     isbn: String,
///     pages: i64,
/// }
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), neo_ogm::Error> {
/// let graph = Graph::in_memory().await?;
/// let books = [Book::new("1", 864), Book::new("2", 1225)];
/// let summary = graph
///     .cypher("UNWIND $books AS row MERGE (b:Book {isbn: row.isbn}) SET b += row")
///     .nodes("books", &books)
///     .idempotent()
///     .execute(&graph)
///     .await?;
/// assert_eq!(summary.counters().nodes_created(), 2);
///
/// let long = graph
///     .cypher("MATCH (b:Book) WHERE b.pages > $pages RETURN b, b.pages / 100 AS hundreds")
///     .param("pages", 1000)
///     .read_only();
/// let rows: Vec<(Book, i64)> = long.clone().fetch(&graph).await?;
/// assert_eq!((rows[0].0.isbn.as_str(), rows[0].1), ("2", 12));
///
/// let pages: i64 = graph.cypher("MATCH (b:Book) RETURN sum(b.pages)").get(&graph).await?;
/// assert_eq!(pages, 2089);
/// # Ok(())
/// # }
/// ```
///
/// | last word | what it gives |
/// |---|---|
/// | [`fetch`](Self::fetch) | all rows, as nodes, relationship structs, values, or tuples of these |
/// | [`fetch_as`](Self::fetch_as) | all rows, as structs with `serde::Deserialize`, by the columns' names |
/// | [`one`](Self::one), [`first`](Self::first) | a row, or none |
/// | [`get`](Self::get) | the one row that there must be |
/// | [`stream`](Self::stream) | rows as the server sends them |
/// | [`execute`](Self::execute) | the summary: counters, notifications |
/// | [`result`](Self::result) | rows and summary |
/// | [`explain`](Self::explain), [`profile`](Self::profile) | the server's plan |
///
/// On a graph handle the statement runs in a retried transaction of its own, and takes effect exactly
/// once: a statement that may write takes two round trips, because its rows are received before
/// COMMIT is sent. A statement that only reads, or that is declared
/// [`idempotent`](Self::idempotent), takes one. [`stream`](Self::stream) is the exception: it is not
/// retried.
#[derive(Clone)]
#[must_use = "a statement does nothing until it is run"]
pub struct CypherQuery {
    statement: Arc<str>,
    parameters: Map,
    /// The first parameter that can't be sent.
    broken: Option<EncodeError>,
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
            broken: None,
            mode: AccessMode::Write,
            idempotent: false,
        }
    }

    /// Gives a value to the parameter `$name`: anything that can be a property, and lists and maps
    /// of such.
    ///
    /// A value that can't be sent, such as an integer beyond 64 signed bits, is an error when the
    /// statement is run.
    pub fn param(mut self, name: impl Into<String>, value: impl ToBolt) -> Self {
        match parameters::value(&value) {
            Ok(value) => {
                self.parameters.insert(name.into(), value);
            }
            Err(error) => self.refuse(error),
        }
        self
    }

    /// Gives a value to the parameter of each field of a struct, or of each entry of a map.
    ///
    /// ```
    /// # use neo_ogm::prelude::*;
    /// #[derive(serde::Serialize)]
    /// struct Search {
    ///     from: i32,
    ///     genres: Vec<String>,
    /// }
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), neo_ogm::Error> {
    /// # let graph = Graph::in_memory().await?;
    /// let search = Search { from: 1800, genres: vec!["novel".to_owned()] };
    /// let found: (i32, String) = graph
    ///     .cypher("RETURN $from, $genres[0]")
    ///     .params(&search)
    ///     .get(&graph)
    ///     .await?;
    /// assert_eq!(found, (1800, "novel".to_owned()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// What serde has no word for (dates, points) goes in by [`param`](Self::param).
    pub fn params(mut self, parameters: &impl Serialize) -> Self {
        match parameters::fields(parameters) {
            Ok(map) => self.parameters.extend(map),
            Err(error) => self.refuse(error),
        }
        self
    }

    /// Gives the properties of a node, its key among them, to the parameter `$name` as a map.
    pub fn node<N: Node>(mut self, name: impl Into<String>, node: &N) -> Self {
        match parameters::node(node) {
            Ok(value) => {
                self.parameters.insert(name.into(), value);
            }
            Err(error) => self.refuse(error),
        }
        self
    }

    /// Gives the properties of several nodes to the parameter `$name` as a list of maps.
    pub fn nodes<'n, N: Node>(
        mut self,
        name: impl Into<String>,
        nodes: impl IntoIterator<Item = &'n N>,
    ) -> Self {
        let values = nodes.into_iter().map(parameters::node);
        match values.collect::<Result<Vec<_>, _>>() {
            Ok(values) => {
                self.parameters.insert(name.into(), values.into());
            }
            Err(error) => self.refuse(error),
        }
        self
    }

    fn refuse(&mut self, error: EncodeError) {
        self.broken.get_or_insert(error);
    }

    /// The statement only reads; a cluster serves it from any member.
    pub fn read_only(mut self) -> Self {
        self.mode = AccessMode::Read;
        self
    }

    /// Declares that running the statement again leaves the same result in the database, as a
    /// statement of `MERGE` and `SET` does, and one of `CREATE` or of counting does not. On a graph
    /// handle it takes one round trip then, and is repeated after a lost commit, even if another
    /// client wrote in between. In a transaction it makes no difference.
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Runs the statement and reads each row as a `T`: a node, a relationship struct or a value
    /// where there is one column, a tuple where there are several.
    ///
    /// `Option`, `Vec` and maps of these are read as well: `Vec<(Book, Option<WrittenBy>,
    /// Vec<Person>)>`. A path comes whole as a `neo_bolt::value::Path`, or typed where the statement
    /// takes it apart: `RETURN nodes(p), relationships(p)`.
    ///
    /// # Errors
    /// The database refused the statement, or a row does not fit; the error names the column.
    pub fn fetch<T: FromRow + Send>(
        self,
        on: impl Executor,
    ) -> impl Future<Output = Result<Vec<T>, Error>> + Send {
        let result = self.result(on);
        told(async move { result.await?.rows() })
    }

    /// Runs the statement and reads each row as a struct of its columns, by their names.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub fn fetch_as<T: DeserializeOwned + Send>(
        self,
        on: impl Executor,
    ) -> impl Future<Output = Result<Vec<T>, Error>> + Send {
        let result = self.result(on);
        told(async move { result.await?.rows_as() })
    }

    /// Runs the statement and reads its only row, or none.
    ///
    /// # Errors
    /// [`ErrorKind::Rows`] where there are several, or as [`fetch`](Self::fetch).
    #[doc(alias = "fetch_optional")]
    pub fn one<T: FromRow + Send>(
        self,
        on: impl Executor,
    ) -> impl Future<Output = Result<Option<T>, Error>> + Send {
        let result = self.result(on);
        told(async move {
            let result = result.await?;
            match result.len() {
                0 | 1 => result.row(0),
                found => Err(Error::new(ErrorKind::Rows {
                    expected: "one row, or none",
                    found,
                })),
            }
        })
    }

    /// Runs the statement and reads its first row, or none. The others are sent nevertheless:
    /// add `LIMIT 1` where there may be many.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub fn first<T: FromRow + Send>(
        self,
        on: impl Executor,
    ) -> impl Future<Output = Result<Option<T>, Error>> + Send {
        let result = self.result(on);
        told(async move { result.await?.row(0) })
    }

    /// Runs the statement and reads the one row that it must give, such as that of
    /// `RETURN count(*)`.
    ///
    /// # Errors
    /// [`ErrorKind::Rows`] where there is none or several, or as [`fetch`](Self::fetch).
    #[doc(alias = "fetch_one")]
    pub fn get<T: FromRow + Send>(
        self,
        on: impl Executor,
    ) -> impl Future<Output = Result<T, Error>> + Send {
        let result = self.result(on);
        told(async move {
            let result = result.await?;
            let rows = |found| {
                Error::new(ErrorKind::Rows {
                    expected: "exactly one row",
                    found,
                })
            };
            match result.len() {
                1 => result.row(0)?.ok_or_else(|| rows(0)),
                found => Err(rows(found)),
            }
        })
    }

    /// Runs the statement and gives its rows as the server sends them: memory stays bounded
    /// however many there are. On a graph handle it runs in an auto-commit transaction, which is
    /// not tried again.
    ///
    /// ```
    /// # use neo_ogm::prelude::*;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), neo_ogm::Error> {
    /// # let graph = Graph::in_memory().await?;
    /// let query = graph.cypher("UNWIND range(1, 1000) AS n RETURN n, n * n");
    /// let mut rows = query.stream::<(i64, i64)>(&graph).await?;
    /// let mut sum = 0;
    /// while let Some((_, square)) = rows.next().await.transpose()? {
    ///     sum += square;
    /// }
    /// assert_eq!(sum, 333_833_500);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The database refused the statement.
    pub fn stream<T: FromRow + Send>(
        self,
        on: impl Executor,
    ) -> impl Future<Output = Result<CypherStream<T>, Error>> + Send {
        let target = on.target();
        async move {
            let parameters = self.checked()?;
            let records = target
                .stream(self.mode, Arc::clone(&self.statement), parameters)
                .await?;
            Ok(CypherStream::new(records, target.graph().clone()))
        }
    }

    /// Runs the statement for what it does; the summary has its counters and the server's
    /// notifications.
    ///
    /// # Errors
    /// The database refused the statement.
    #[doc(alias = "run")]
    pub fn execute(
        self,
        on: impl Executor,
    ) -> impl Future<Output = Result<ResultSummary, Error>> + Send {
        let result = self.result(on);
        told(async move { Ok(result.await?.into_summary()) })
    }

    /// Runs the statement and gives both its rows and its summary.
    ///
    /// # Errors
    /// The database refused the statement.
    pub fn result(
        self,
        on: impl Executor,
    ) -> impl Future<Output = Result<CypherResult, Error>> + Send {
        let target = on.target();
        async move {
            let found = self.answer(&target, Arc::clone(&self.statement)).await?;
            Ok(CypherResult::new(found, target.graph().clone()))
        }
    }

    /// How the server would run the statement, which it does not. A Neo4j server has it, the
    /// embedded engine has not.
    ///
    /// # Errors
    /// The database refused the statement, or has no plans.
    pub fn explain(self, on: impl Executor) -> impl Future<Output = Result<Plan, Error>> + Send {
        let target = on.target();
        async move {
            let found = self.answer(&target, self.prefixed("EXPLAIN")).await?;
            found.summary.plan().ok_or_else(no_plan)
        }
    }

    /// Runs the statement, and tells how much work each step was. A Neo4j server has it, the
    /// embedded engine has not.
    ///
    /// # Errors
    /// The database refused the statement, or has no plans.
    pub fn profile(
        self,
        on: impl Executor,
    ) -> impl Future<Output = Result<ProfiledPlan, Error>> + Send {
        let target = on.target();
        async move {
            let found = self.answer(&target, self.prefixed("PROFILE")).await?;
            found.summary.profile().ok_or_else(no_plan)
        }
    }

    fn prefixed(&self, word: &str) -> Arc<str> {
        format!("{word} {}", self.statement).into()
    }

    /// The parameters, all of which can be sent.
    fn checked(&self) -> Result<&(dyn ToBolt + Send + Sync), Error> {
        match &self.broken {
            Some(error) => Err(error.clone().into()),
            None => Ok(&self.parameters),
        }
    }

    async fn answer(&self, target: &Target, statement: Arc<str>) -> Result<EagerResult, Error> {
        let parameters = self.checked()?;
        let idempotent = self.idempotent || only_reads(&statement);
        target
            .run(self.mode, idempotent, statement, parameters)
            .await
    }
}

fn no_plan() -> Error {
    Error::decode(
        "the summary",
        DecodeError::custom("the database sent no plan"),
    )
}
