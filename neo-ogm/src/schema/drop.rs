//! `graph.drop_schema::<(Book, Person)>()`.

use std::future::IntoFuture;

use super::apply::write;
use super::found::{self, FoundRule};
use super::{Schema, SchemaSet};
use crate::error::Error;
use crate::executor::{BoxFuture, Graph, operation};

impl Graph {
    /// Drops the constraints and indexes that the structs name, where they are there; data and
    /// everything of another name stay. Running it again changes nothing.
    ///
    /// ```
    /// # use neo_ogm::prelude::*;
    /// # #[derive(Node)] struct Book { #[node(key)] isbn: String }
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), neo_ogm::Error> {
    /// # let graph = Graph::in_memory().await?;
    /// graph.apply_schema::<Book>().await?;
    /// let dropped = graph.drop_schema::<Book>().await?;
    /// assert_eq!(dropped[0].name, "Book_isbn_unique");
    /// assert!(graph.drop_schema::<Book>().await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn drop_schema<S: SchemaSet>(&self) -> DropSchema {
        DropSchema {
            graph: self.clone(),
            schema: Schema::of::<S>(),
        }
    }
}

/// Drops every constraint and index of the graph's label space.
pub(crate) async fn clear(graph: &Graph) -> Result<(), Error> {
    for found in found::all(graph).await? {
        write(graph, found.drop_cypher()).await?;
    }
    Ok(())
}

/// A schema that waits to be dropped: one wait to see what is there, and one round trip for each
/// constraint and index. It gives what it dropped.
///
/// # Cancel safety
/// Dropping the future leaves each constraint and index there or gone.
#[derive(Debug)]
#[must_use = "nothing is sent before `.await`"]
pub struct DropSchema {
    graph: Graph,
    schema: Schema,
}

impl DropSchema {
    async fn run(self) -> Result<Vec<FoundRule>, Error> {
        let named = |found: &FoundRule| {
            let mut rules = self.schema.rules.iter();
            rules.any(|rule| rule.name == found.name)
        };
        let mut dropped = found::all(&self.graph).await?;
        dropped.retain(named);
        for found in &dropped {
            write(&self.graph, found.drop_cypher()).await?;
        }
        Ok(dropped)
    }
}

impl IntoFuture for DropSchema {
    type Output = Result<Vec<FoundRule>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        operation(self.run())
    }
}
