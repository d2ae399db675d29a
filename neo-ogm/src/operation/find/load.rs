//! Relationships of nodes that were found before, in one query.

use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;

use neo_bolt::AccessMode;
use neo_bolt::packstream::{EncodeError, Encoder, ToBolt};

use crate::error::{Error, ErrorKind};
use crate::executor::{BoxFuture, Executor, Graph, Target, Transaction};
use crate::mapping::{KeyOf, Node};
use crate::query::{Cypher, Expr, LoadPlan, Loadable, Parameters, escape};

/// A load that waits to be awaited: one read, one round trip, however many nodes there are.
///
/// # Cancel safety
/// Dropping its future leaves the nodes as they were, or with what was loaded so far.
#[must_use = "nothing is sent before `.await`"]
pub struct LoadInto<'a, N> {
    nodes: &'a mut [N],
    plan: LoadPlan,
    on: Target,
}

impl<N> fmt::Debug for LoadInto<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadInto")
            .field("nodes", &self.nodes.len())
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}

macro_rules! loads {
    ($($executor:ty),*) => {$(
        impl $executor {
            /// Loads a relationship of nodes that are there already, all in one query.
            ///
            /// ```
            /// # use neo_ogm::prelude::*;
            /// # #[derive(Node)]
            /// # struct Book {
            /// #     #[node(key)] isbn: String, title: String,
            /// #     #[relationship(type = "WRITTEN_BY")] author: One<Person>,
            /// # }
            /// # #[derive(Node)]
            /// # struct Person {
            /// #     #[node(key)] name: String,
            /// #     #[relationship(type = "WRITTEN_BY", direction = "in")] books: Many<Book>,
            /// # }
            /// # async fn example(graph: Graph) -> Result<(), neo_ogm::Error> {
            /// let mut books = Book::find().limit(100).all(&graph).await?;
            /// graph.load_into(&mut books, Book::AUTHOR.then(Person::BOOKS)).await?;
            /// let name = &books[0].author.get()?.name;
            /// # Ok(())
            /// # }
            /// ```
            ///
            /// # Errors
            /// [`ErrorKind::NodeNotFound`] where one of the nodes is not in the database any
            /// more.
            pub fn load_into<'a, N: Node>(
                &self,
                nodes: &'a mut [N],
                load: impl Loadable<N>,
            ) -> LoadInto<'a, N> {
                LoadInto {
                    nodes,
                    plan: load.into_plan(),
                    on: self.target(),
                }
            }
        }
    )*};
}
loads!(Graph, Transaction);

/// The keys of the nodes, as rows `{i: 0, k0: …}`.
struct Rows(Vec<KeyOf>);

impl ToBolt for Rows {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.list(self.0.len())?;
        for (index, key) in self.0.iter().enumerate() {
            encoder.map(1 + key.values().len())?;
            encoder.string("i")?;
            index.to_bolt(encoder)?;
            for (part, value) in key.values().iter().enumerate() {
                encoder.string(&format!("k{part}"))?;
                value.to_bolt(encoder)?;
            }
        }
        Ok(())
    }
}

fn render<'c, N: Node>(
    rows: &'c Expr,
    plan: &'c LoadPlan,
    parameters: &mut Parameters<'c>,
) -> String {
    let mut cypher = Cypher::new(parameters);
    cypher.push("UNWIND ");
    cypher.expression("row", rows);
    cypher.write(format_args!(
        " AS row MATCH (n:{} {{",
        escape(N::SCHEMA.label)
    ));
    for (part, key) in N::SCHEMA.keys().enumerate() {
        let comma = if part > 0 { ", " } else { "" };
        cypher.write(format_args!("{comma}{}: row.k{part}", escape(key.name)));
    }
    cypher.push("})");
    if plan.is_staged() {
        cypher.push(" WITH row.i AS i, n");
        let mut carried = vec!["i".to_owned(), "n".to_owned()];
        let list = cypher.staged_load("n", plan, &mut carried);
        cypher.write(format_args!(" RETURN i, {list}"));
    } else {
        cypher.push(" RETURN row.i AS i, ");
        cypher.load("n", plan);
        cypher.push(" AS related");
    }
    cypher.finish()
}

impl<N: Node> LoadInto<'_, N> {
    /// Runs the load on a transaction or another handle of the graph.
    pub fn on(mut self, executor: impl Executor) -> Self {
        self.on = executor.target();
        self
    }

    async fn run(self) -> Result<(), Error> {
        if self.nodes.is_empty() {
            return Ok(());
        }
        let keys = self.nodes.iter().map(KeyOf::new);
        let keys: Vec<KeyOf> = keys.collect::<Result<_, _>>()?;
        let mut missing = vec![true; keys.len()];
        let rows = Expr::Value(Arc::new(Rows(keys.clone())));
        let mut parameters = Parameters::default();
        let statement: Arc<str> = render::<N>(&rows, &self.plan, &mut parameters).into();
        let found = self
            .on
            .execute(AccessMode::Read, statement, parameters)
            .await?;
        let graph = self.on.graph();
        for record in &found.records {
            let mut decoder = record.raw_fields();
            let index = decoder.integer().ok().and_then(|i| usize::try_from(i).ok());
            let Some((node, missing)) =
                index.and_then(|index| Some((self.nodes.get_mut(index)?, missing.get_mut(index)?)))
            else {
                continue;
            };
            let loaded = node.load_relation(&self.plan, &mut decoder, graph);
            loaded.map_err(|error| Error::decode("", error))?;
            *missing = false;
        }
        match keys.into_iter().zip(missing).find(|(_, missing)| *missing) {
            None => Ok(()),
            Some((key, _)) => Err(Error::new(ErrorKind::NodeNotFound {
                key,
                operation: "load_into",
            })),
        }
    }
}

impl<'a, N: Node> IntoFuture for LoadInto<'a, N> {
    type Output = Result<(), Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
