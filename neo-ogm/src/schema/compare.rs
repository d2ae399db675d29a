//! `graph.schema_diff::<(Book, Person)>()`.

use std::fmt;
use std::future::IntoFuture;

use super::found::{self, FoundRule};
use super::{Rule, Schema, SchemaSet};
use crate::error::Error;
use crate::executor::{BoxFuture, Graph};

impl Graph {
    /// Compares the constraints and indexes that the structs name with those that the database
    /// has for the same labels and relationship types; changes nothing.
    ///
    /// ```
    /// use neo_ogm::prelude::*;
    ///
    /// #[derive(Node)]
    /// struct Book {
    ///     #[node(key)]
    ///     isbn: String,
    /// }
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), neo_ogm::Error> {
    /// let graph = Graph::in_memory().await?;
    /// graph.cypher("CREATE INDEX old FOR (b:Book) ON (b.pages)").execute(&graph).await?;
    /// let diff = graph.schema_diff::<Book>().await?;
    /// assert_eq!(
    ///     diff.to_string(),
    ///     "missing: uniqueness constraint `Book_isbn_unique` of :Book(isbn)\n\
    ///      extra: RANGE index `old` of :Book(pages)"
    /// );
    /// # Ok(())
    /// # }
    /// ```
    pub fn schema_diff<S: SchemaSet>(&self) -> SchemaDiff {
        SchemaDiff {
            graph: self.clone(),
            schema: Schema::of::<S>(),
        }
    }
}

/// A comparison that waits to be awaited: two reads at once, one wait.
#[derive(Debug)]
#[must_use = "nothing is sent before `.await`"]
pub struct SchemaDiff {
    graph: Graph,
    schema: Schema,
}

impl IntoFuture for SchemaDiff {
    type Output = Result<SchemaDifference, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let there = found::all(&self.graph).await?;
            Ok(compare(&self.schema, there))
        })
    }
}

/// Where a database is not as a model has it.
#[derive(Debug, Clone, Default)]
pub struct SchemaDifference {
    /// What only the model has.
    pub missing: Vec<Rule>,
    /// What only the database has, of the model's labels and relationship types.
    pub extra: Vec<FoundRule>,
    /// What has the name or the place of something in the model, and is something else.
    pub different: Vec<(Rule, FoundRule)>,
}

impl SchemaDifference {
    /// Whether there is no difference.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.extra.is_empty() && self.different.is_empty()
    }
}

fn compare(schema: &Schema, there: Vec<FoundRule>) -> SchemaDifference {
    let mut difference = SchemaDifference::default();
    let mut known: Vec<&FoundRule> = Vec::new();
    for rule in &schema.rules {
        let mut same = there.iter().filter(|found| found.does(rule)).peekable();
        if same.peek().is_some() {
            known.extend(same);
            continue;
        }
        let against = |found: &&FoundRule| found.name == rule.name || found.stands_against(rule);
        match there.iter().find(against) {
            Some(found) => {
                known.push(found);
                difference.different.push((rule.clone(), found.clone()));
            }
            None => difference.missing.push(rule.clone()),
        }
    }
    let of_model = |found: &&FoundRule| {
        schema.rules.iter().any(|rule| {
            rule.entity == found.entity && found.labels_or_types.iter().any(|of| of == rule.of)
        })
    };
    difference.extra = there
        .iter()
        .filter(of_model)
        .filter(|found| !known.contains(found))
        .cloned()
        .collect();
    difference
}

/// Writes a line for each difference; nothing where there is none.
impl fmt::Display for SchemaDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing = self.missing.iter().map(|rule| format!("missing: {rule}"));
        let different = self
            .different
            .iter()
            .map(|(rule, found)| format!("different: {rule}; the database has {found}"));
        let extra = self.extra.iter().map(|found| format!("extra: {found}"));
        let lines: Vec<_> = missing.chain(different).chain(extra).collect();
        f.write_str(&lines.join("\n"))
    }
}
