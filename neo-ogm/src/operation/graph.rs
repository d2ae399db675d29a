//! `graph.save_graph(&book)`: a node with all that its relationship fields hold.

use std::fmt;
use std::future::IntoFuture;

use neo_bolt::packstream::{EncodeError, Encoder, ToBolt};
use neo_bolt::value::DateTime;

use crate::error::{Error, ErrorKind};
use crate::executor::{BoxFuture, Executor, Graph, Target, Transaction, WriteStatement, operation};
use crate::mapping::{Cardinality, HookContext, Node, Operation, RelationshipEvent};
use crate::query::raised;
use crate::relation::pairs::{self, row_key, row_number, structs};
use crate::relation::visit::{Collected, Kind, Limits, collect};
use crate::relation::{replaced_by, stamps, unwanted, write_now};

macro_rules! save_graph {
    ($($executor:ty),*) => {$(
        impl $executor {
            /// Saves a node together with what its relationship fields hold, loaded or put there
            /// in memory, and so on from there: all of it in one transaction, with one statement
            /// for each struct and one for each relationship field.
            ///
            /// A node that stands several times in what is saved is written once. Relationships
            /// that the database has besides stay, unless [`exactly`](SaveGraph::exactly) is said;
            /// but where a `One` or `ZeroOrOne` leads to another node now, the old relationship
            /// ends. A field that is not loaded, and to which nothing was added, is left alone.
            ///
            /// ```
            /// # use neo_ogm::prelude::*;
            /// # #[derive(Node, Debug, Clone)]
            /// # struct Book { #[node(key)] isbn: String,
            /// #     #[relationship(type = "WRITTEN_BY")] author: One<Person, WrittenBy>,
            /// #     #[relationship(type = "SIMILAR_TO")] similar: Many<Book> }
            /// # #[derive(Node, Debug, Clone)] struct Person { #[node(key)] name: String }
            /// # #[relationship(type = "WRITTEN_BY")] #[derive(Debug, Clone)] struct WrittenBy { year: i32 }
            /// # #[tokio::main] async fn main() -> Result<(), neo_ogm::Error> {
            /// # let graph = Graph::in_memory().await?;
            /// let mut book = Book::new("1");
            /// book.author.set_with(Person::new("Leo Tolstoy"), WrittenBy { year: 1877 });
            /// book.similar.push(Book::new("2"));
            /// graph.save_graph(&book).await?; // two kinds of nodes, two of relationships
            /// # let found = Book::find_by_isbn("1").load(Book::AUTHOR).load(Book::SIMILAR).get(&graph).await?;
            /// # assert_eq!(found.author.get()?.name, "Leo Tolstoy");
            /// # assert_eq!(found.similar.get()?.len(), 1);
            /// # Ok(()) }
            /// ```
            ///
            /// # Errors
            /// [`ErrorKind::Conflicting`] where one node or relationship has two different
            /// values, and what [`save_all`](Self::save_all) and
            /// [`connect_all`](Self::connect_all) say; then nothing is written.
            pub fn save_graph<'a, N: Node>(&self, node: &'a N) -> SaveGraph<'a, N> {
                SaveGraph {
                    node,
                    target: self.target(),
                    limits: Limits {
                        depth: usize::MAX,
                        nearest_wins: false,
                    },
                    exactly: false,
                }
            }
        }
    )*};
}
save_graph!(Graph, Transaction);

/// A save of an object graph that waits to be awaited; see
/// [`Graph::save_graph`](crate::Graph::save_graph).
///
/// # Cancel safety
/// Dropping the future leaves graph and connection sound; either all of it has happened or
/// nothing.
#[must_use = "nothing is sent before `.await`"]
pub struct SaveGraph<'a, N> {
    node: &'a N,
    target: Target,
    limits: Limits,
    exactly: bool,
}

impl<N> fmt::Debug for SaveGraph<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SaveGraph")
            .field("limits", &self.limits)
            .field("exactly", &self.exactly)
            .finish_non_exhaustive()
    }
}

impl<'a, N: Node> SaveGraph<'a, N> {
    /// How many relationships it goes from the node: 0 saves the node alone, 1 what it leads to,
    /// too. Without it, all that is in memory.
    pub fn depth(mut self, depth: usize) -> Self {
        self.limits.depth = depth;
        self
    }

    /// Each field that is loaded, or holds something, leads to exactly that afterwards: what else
    /// the database has there ends. The nodes stay.
    pub fn exactly(mut self) -> Self {
        self.exactly = true;
        self
    }

    /// Where a node or a relationship stands several times with different values, the one counts
    /// that the fewest relationships lead to.
    pub fn nearest_wins(mut self) -> Self {
        self.limits.nearest_wins = true;
        self
    }

    async fn run(self) -> Result<(), Error> {
        let collected = &collect(self.node, self.limits)?;
        let exactly = self.exactly;
        match &self.target {
            Target::Transaction(_) => save(collected, exactly, &self.target).await,
            Target::Graph(graph) => {
                graph
                    .transaction(|tx| async move {
                        save(collected, exactly, &Target::Transaction(tx)).await
                    })
                    .await
            }
        }
    }
}

impl<'a, N: Node> IntoFuture for SaveGraph<'a, N> {
    type Output = Result<(), Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        operation(self.run())
    }
}

async fn save(collected: &Collected<'_>, exactly: bool, target: &Target) -> Result<(), Error> {
    let rows = || collected.relations.iter().flat_map(|kind| &kind.rows);
    let carried = || {
        rows()
            .flat_map(|row| &row.related)
            .map(|(_, carried)| *carried)
    };
    let cx = HookContext::new(target, Operation::Connect);
    for carried in carried() {
        carried.check()?;
        if let Some(hook) = carried.hooked(RelationshipEvent::BeforeConnect, &cx) {
            hook.await?;
        }
    }
    for (_, group) in &collected.nodes {
        if let Some(first) = group.first() {
            first.save_all(group, target).await?;
        }
    }
    for copy in &collected.copies {
        copy.bind(target)?;
    }
    if exactly {
        for kind in &collected.fields {
            end_others(kind, target).await?;
        }
    }
    for kind in &collected.relations {
        connect(kind, target).await?;
    }
    for carried in carried() {
        if let Some(hook) = carried.hooked(RelationshipEvent::AfterConnect, &cx) {
            hook.await?;
        }
    }
    Ok(())
}

/// Makes or updates the relationships of a kind.
async fn connect(kind: &Kind<'_>, target: &Target) -> Result<(), Error> {
    let carried = |row: usize| Some(kind.rows.get(row)?.related.first()?.1.managed());
    let schema = kind.relation.relationship;
    let text = pairs::replacing(kind.source, kind.relation, kind.target);
    let mut statement = WriteStatement::with_rows(text);
    if let Some(managed) = carried(0).filter(stamps::asks) {
        pairs::number_column(&mut statement);
        stamps::columns(&mut statement, schema, &managed);
    }
    let rows = Rows {
        kind,
        keep: false,
        now: stamps::now(schema, target),
    };
    let done = target
        .write(&statement, rows)
        .await
        .map_err(|error| explain(error, kind))?;
    for record in &done.records {
        if let Some(managed) = carried(record.get_at::<usize>(0)?) {
            stamps::fill(&managed, record, 1, target)?;
        }
    }
    Ok(())
}

/// Ends the relationships of a field that its nodes do not hold.
async fn end_others(kind: &Kind<'_>, target: &Target) -> Result<(), Error> {
    if kind.relation.cardinality == Cardinality::OneOrMore
        && let Some(row) = kind.rows.iter().find(|row| row.related.is_empty())
    {
        return Err(Error::new(ErrorKind::Cardinality {
            node: row.source.key()?,
            field: kind.relation.field,
            cardinality: "OneOrMore",
            reason: "it was to be saved with nothing",
        }));
    }
    let statement = WriteStatement::new(unwanted(kind.source, kind.relation));
    let rows = Rows {
        kind,
        keep: true,
        now: None,
    };
    let done = target.write(&statement, rows).await;
    done.map(|_| ()).map_err(|error| explain(error, kind))
}

/// Says which node stood in the way.
fn explain(error: Error, kind: &Kind<'_>) -> Error {
    let Some((index, reason)) = raised(&error) else {
        return error;
    };
    let row = kind.rows.get(index);
    let end = row.and_then(|row| row.related.first());
    let (Some(row), Some((to, _))) = (row, end) else {
        return error;
    };
    let (Ok(from), Ok(to)) = (row.source.key(), to.key()) else {
        return error;
    };
    replaced_by(kind.source, kind.relation, (from, to), reason)
}

/// The rows of a kind: a relationship each, or, to be kept, all that a node leads to.
struct Rows<'r, 'v> {
    kind: &'r Kind<'v>,
    keep: bool,
    /// The time that is written, where one is.
    now: Option<DateTime>,
}

impl ToBolt for Rows<'_, '_> {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        let kind = self.kind;
        let from = kind.source.keys().count();
        let to = kind.target.keys().count();
        let keys = kind.relation.relationship.keys().count();
        let carries = kind.relation.relationship.is_written();
        encoder.map(1 + usize::from(self.now.is_some()))?;
        write_now(encoder, self.now.as_ref())?;
        encoder.string("rows")?;
        encoder.list(kind.rows.len())?;
        for (index, row) in kind.rows.iter().enumerate() {
            let variants = structs(kind.target);
            let more = if self.keep {
                variants.len()
            } else {
                to + keys + usize::from(carries)
            };
            encoder.map(1 + from + more)?;
            row_number(encoder, index)?;
            for key in 0..from {
                row_key(encoder, b'a', key)?;
                row.source.write_key(key, encoder)?;
            }
            if self.keep {
                for (variant, schema) in variants.into_iter().enumerate() {
                    let of = || {
                        let related = row.related.iter();
                        related.filter(|(node, _)| node.schema() == schema)
                    };
                    let to = schema.keys().count();
                    row_key(encoder, b'q', variant)?;
                    encoder.list(of().count())?;
                    for (node, carried) in of() {
                        encoder.list(to + keys)?;
                        (0..to).try_for_each(|key| node.write_key(key, encoder))?;
                        (0..keys).try_for_each(|key| carried.write_key(key, encoder))?;
                    }
                }
                continue;
            }
            for (node, carried) in &row.related {
                for key in 0..to {
                    row_key(encoder, b'b', key)?;
                    node.write_key(key, encoder)?;
                }
                for key in 0..keys {
                    row_key(encoder, b'r', key)?;
                    carried.write_key(key, encoder)?;
                }
                if carries {
                    encoder.string("p")?;
                    carried.write_properties(encoder)?;
                }
            }
        }
        Ok(())
    }
}
