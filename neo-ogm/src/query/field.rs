//! Tokens that name a property.

use std::fmt;
use std::marker::PhantomData;

use super::aggregate::Aggregate;
use super::expression::{Comparand, Expr, Expression};
use super::filter::{Comparison, Condition, Filter};
use super::operators::operators;
use super::order::Order;
use crate::mapping::{ListProperty, Operand, Property, kind};

/// Names the property of the type `T` of the node or relationship struct `O`.
///
/// The derive macros make one per field: `Book::TITLE`.
///
/// ```
/// # use neo_ogm::prelude::*;
/// # #[derive(Node)]
/// # struct Book {
/// #     #[node(key)] isbn: String, title: String, pages: Option<u32>, sold: Option<u32>,
/// #     published: Option<Date>, tags: Vec<String>,
/// # }
/// let filter = Book::TITLE.lower().contains("karenina")
///     .and(Book::PUBLISHED.year().between(1870, 1880))
///     .and(Book::TAGS.len().gt(1))
///     .and(Book::SOLD.gt(Book::PAGES * 2));
/// assert_eq!(
///     Book::find().filter(filter).to_cypher(),
///     "MATCH (n:Book) WHERE toLower(n.title) CONTAINS $p0 \
///      AND n.published.year >= $p1 AND n.published.year <= $p2 \
///      AND size(n.tags) > $p3 AND n.sold > n.pages * $p4 RETURN n"
/// );
/// ```
pub struct Field<O, T> {
    name: &'static str,
    of: PhantomData<fn() -> (O, T)>,
}

impl<O, T> Clone for Field<O, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<O, T> Copy for Field<O, T> {}

impl<O, T> fmt::Debug for Field<O, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Field").field(&self.name).finish()
    }
}

impl<O, T> Field<O, T> {
    /// The token of the property called `name` in the database.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            of: PhantomData,
        }
    }

    /// The property's name in the database.
    pub const fn name(self) -> &'static str {
        self.name
    }

    fn into_expr(self) -> Expr {
        Expr::Property(self.name)
    }
}

operators!(Field);
