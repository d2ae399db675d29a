//! `graph.apply_schema::<(Book, Person)>()`: the constraints and indexes that a model names.

use std::fmt::Write as _;
use std::future::IntoFuture;
use std::marker::PhantomData;

use neo_bolt::AccessMode;

use crate::error::Error;
use crate::executor::{BoxFuture, Executor, Graph};
use crate::mapping::{Node, NodeSchema};
use crate::query::escape;

/// Several node structs at once: a tuple of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no set of nodes",
    label = "expected a node struct or a tuple of node structs",
    note = "write `graph.apply_schema::<(Book, Person)>()`"
)]
pub trait SchemaSet: Send {
    /// The descriptions of the nodes.
    fn schemas() -> Vec<&'static NodeSchema>;
}

impl<N: Node> SchemaSet for N {
    fn schemas() -> Vec<&'static NodeSchema> {
        vec![N::SCHEMA]
    }
}

macro_rules! schema_sets {
    ($($name:ident),+) => {
        impl<$($name: Node),+> SchemaSet for ($($name,)+) {
            fn schemas() -> Vec<&'static NodeSchema> {
                vec![$($name::SCHEMA),+]
            }
        }
    };
}
schema_sets!(A);
schema_sets!(A, B);
schema_sets!(A, B, C);
schema_sets!(A, B, C, D);
schema_sets!(A, B, C, D, E);
schema_sets!(A, B, C, D, E, F);
schema_sets!(A, B, C, D, E, F, G);
schema_sets!(A, B, C, D, E, F, G, H);
schema_sets!(A, B, C, D, E, F, G, H, I);
schema_sets!(A, B, C, D, E, F, G, H, I, J);
schema_sets!(A, B, C, D, E, F, G, H, I, J, K);
schema_sets!(A, B, C, D, E, F, G, H, I, J, K, L);

impl Graph {
    /// Makes the constraints and indexes that the node structs name, where they are not there:
    /// uniqueness for keys and `unique`, range indexes for `index`. Running it again changes
    /// nothing.
    ///
    /// # Errors
    /// The data breaks a constraint, or the database can't keep one; the error names it.
    pub fn apply_schema<S: SchemaSet>(&self) -> ApplySchema<S> {
        ApplySchema {
            graph: self.clone(),
            of: PhantomData,
        }
    }
}

/// A schema that waits to be applied; one round trip for each constraint and index.
///
/// # Cancel safety
/// Dropping the future leaves each constraint and index whole, made or not made.
#[derive(Debug)]
#[must_use = "nothing is sent before `.await`"]
pub struct ApplySchema<S> {
    graph: Graph,
    of: PhantomData<fn() -> S>,
}

impl<S: SchemaSet + 'static> IntoFuture for ApplySchema<S> {
    type Output = Result<(), Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            for statement in S::schemas().into_iter().flat_map(statements) {
                self.graph
                    .target()
                    .execute(AccessMode::Write, statement.into(), ())
                    .await?;
            }
            Ok(())
        })
    }
}

/// The statements for one node struct.
fn statements(schema: &NodeSchema) -> Vec<String> {
    let keys: Vec<_> = schema.keys().map(|property| property.name).collect();
    let mut statements = vec![constraint(schema.label, &keys)];
    for property in schema.properties.iter().filter(|property| !property.key) {
        if property.unique {
            statements.push(constraint(schema.label, &[property.name]));
        } else if property.index {
            statements.push(index(schema.label, &[property.name]));
        }
    }
    for composite in schema.composites {
        let make = if composite.unique { constraint } else { index };
        statements.push(make(schema.label, composite.properties));
    }
    statements
}

fn constraint(label: &str, properties: &[&str]) -> String {
    let name = name(label, properties, "unique");
    let of = list(properties);
    format!(
        "CREATE CONSTRAINT {} IF NOT EXISTS FOR (n:{}) REQUIRE {of} IS UNIQUE",
        escape(&name),
        escape(label)
    )
}

fn index(label: &str, properties: &[&str]) -> String {
    let name = name(label, properties, "index");
    let mut of = list(properties);
    if !of.starts_with('(') {
        of = format!("({of})");
    }
    format!(
        "CREATE INDEX {} IF NOT EXISTS FOR (n:{}) ON {of}",
        escape(&name),
        escape(label)
    )
}

/// Writes `n.a`, or `(n.a, n.b)`.
fn list(properties: &[&str]) -> String {
    let mut text = String::new();
    for (index, property) in properties.iter().enumerate() {
        let comma = if index > 0 { ", " } else { "" };
        let _ = write!(text, "{comma}n.{}", escape(property));
    }
    if properties.len() > 1 {
        format!("({text})")
    } else {
        text
    }
}

/// A name that is the same each time: `Book_isbn_unique`.
fn name(label: &str, properties: &[&str], kind: &str) -> String {
    format!("{label}_{}_{kind}", properties.join("_"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::{IndexSchema, PropertySchema};

    const fn property(name: &'static str, key: bool, unique: bool, index: bool) -> PropertySchema {
        PropertySchema {
            field: name,
            name,
            key,
            unique,
            index,
        }
    }

    #[test]
    fn statements_of_a_model() {
        let schema = NodeSchema {
            type_name: "Edition",
            label: "Order",
            properties: const {
                &[
                    property("isbn", true, false, false),
                    property("nr", true, false, false),
                    property("title", false, false, true),
                    property("sort key", false, true, false),
                    property("pages", false, false, false),
                ]
            },
            composites: &[IndexSchema {
                properties: &["title", "pages"],
                unique: false,
            }],
            relations: &[],
        };
        assert_eq!(
            statements(&schema),
            [
                "CREATE CONSTRAINT Order_isbn_nr_unique IF NOT EXISTS FOR (n:`Order`) REQUIRE \
                 (n.isbn, n.nr) IS UNIQUE",
                "CREATE INDEX Order_title_index IF NOT EXISTS FOR (n:`Order`) ON (n.title)",
                "CREATE CONSTRAINT `Order_sort key_unique` IF NOT EXISTS FOR (n:`Order`) REQUIRE \
                 n.`sort key` IS UNIQUE",
                "CREATE INDEX Order_title_pages_index IF NOT EXISTS FOR (n:`Order`) ON \
                 (n.title, n.pages)",
            ]
        );
    }
}
