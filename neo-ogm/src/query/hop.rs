//! One step of a pattern: over which relationships it goes, and what must hold at its end.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Bound, RangeBounds};

use super::expression::{Expr, Expression, Gathered, RelatedExpr};
use super::filter::{Condition, Filter};
use super::token::Relation;
use crate::mapping::{Entity, Node, RelationSchema, Relationship};

/// From a node over a relationship to another.
#[derive(Clone)]
pub(crate) struct Hop {
    pub(crate) relation: &'static RelationSchema,
    /// How many relationships one after another, from and to; `None` for exactly one.
    pub(crate) range: Option<(Option<u32>, Option<u32>)>,
    /// What must hold of the node at the end.
    pub(crate) node: Vec<Condition>,
    /// What must hold of each relationship.
    pub(crate) relationship: Vec<Condition>,
}

impl Hop {
    pub(crate) fn new(relation: &'static RelationSchema) -> Self {
        Self {
            relation,
            range: None,
            node: Vec::new(),
            relationship: Vec::new(),
        }
    }
}

/// Several relationships of one kind, one after another; made by [`Relation::hops`].
#[must_use = "hops do nothing until a query takes them"]
pub struct Hops<N, R = ()> {
    hop: Hop,
    of: PhantomData<fn() -> (N, R)>,
}

impl<N, R> Clone for Hops<N, R> {
    fn clone(&self) -> Self {
        Self {
            hop: self.hop.clone(),
            of: PhantomData,
        }
    }
}

impl<N, R> fmt::Debug for Hops<N, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hops")
            .field("field", &self.hop.relation.field)
            .field("range", &self.hop.range)
            .finish_non_exhaustive()
    }
}

impl<N: Node, R: Relationship> Relation<N, N, R> {
    /// Several relationships one after another: `Book::SIMILAR.hops(1..=3)` for one to three,
    /// `hops(..)` for one or more, `hops(2..)`, and `hops(0..)`, which begins with the node itself.
    ///
    /// No relationship is walked twice on one way, so cycles come to an end; but without an upper
    /// bound there may be very many ways.
    ///
    /// ```
    /// # use neo_ogm::prelude::*;
    /// # #[derive(Node)]
    /// # struct Book {
    /// #     #[node(key)] isbn: String,
    /// #     #[relationship(type = "SIMILAR_TO")] similar: Many<Book>,
    /// # }
    /// # async fn example(graph: Graph) -> Result<(), neo_ogm::Error> {
    /// // Books from which another can be reached,
    /// let found = Book::find()
    ///     .filter(Book::SIMILAR.hops(1..=3).has(Book::ISBN.eq("978-0-14-303500-8")))
    ///     .all(&graph)
    ///     .await?;
    /// // and what can be reached from one.
    /// let around = Book::find_by_isbn("978-0-14-303500-8")
    ///     .follow(Book::SIMILAR.hops(1..=3))
    ///     .all(&graph)
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn hops(self, range: impl RangeBounds<u32>) -> Hops<N, R> {
        let least = match range.start_bound() {
            Bound::Included(&least) => Some(least),
            Bound::Excluded(&least) => Some(least.saturating_add(1)),
            Bound::Unbounded => None,
        };
        let most = match range.end_bound() {
            Bound::Included(&most) => Some(most),
            Bound::Excluded(&most) => Some(most.saturating_sub(1)),
            Bound::Unbounded => None,
        };
        let mut hop = self.hop();
        hop.range = Some((least, most));
        Hops {
            hop,
            of: PhantomData,
        }
    }
}

impl<N: Node, R: Relationship> Hops<N, R> {
    /// Only ways whose every relationship passes `filter`.
    pub fn filter_relationship(mut self, filter: Filter<R>) -> Self {
        self.hop.relationship.push(filter.condition);
        self
    }

    /// At least one node that is reached passes `filter`.
    pub fn has(mut self, filter: Filter<N>) -> Filter<N> {
        self.hop.node.push(filter.condition);
        self.exists()
    }

    /// Every node that is reached passes `filter`; true where there is none. A node that lacks
    /// what `filter` asks for does not pass it.
    pub fn all(self, filter: Filter<N>) -> Filter<N> {
        !self.has(Filter::new(Condition::Unless(Box::new(filter.condition))))
    }

    /// At least one node is reached.
    pub fn exists(self) -> Filter<N> {
        Filter::new(Condition::Related(Box::new(self.hop)))
    }

    /// No node is reached.
    pub fn is_empty(self) -> Filter<N> {
        !self.exists()
    }

    /// How many ways there are.
    pub fn count(self) -> Expression<N, i64> {
        Expression::new(Expr::Related(Box::new(RelatedExpr {
            hop: self.hop,
            gathered: Gathered::Count,
        })))
    }
}

/// What leads from nodes of the struct `N` to others: relationship tokens, and [`Hops`] of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not lead on from `{N}`",
    label = "no relationship of `{N}`",
    note = "follow a relationship token of `{N}`, the struct that has been found so far"
)]
pub trait Follow<N> {
    /// The struct at the other end.
    type End: Entity;
    /// What the relationships carry.
    type Relationship: Relationship;

    /// The step.
    fn into_step(self) -> Step;
}

/// A step from one node to another, without its types.
pub struct Step(pub(crate) Hop);

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Step").field(&self.0.relation.field).finish()
    }
}

impl<N: Node, T: Entity, R: Relationship> Follow<N> for Relation<N, T, R> {
    type End = T;
    type Relationship = R;

    fn into_step(self) -> Step {
        Step(self.hop())
    }
}

impl<N: Node, R: Relationship> Follow<N> for Hops<N, R> {
    type End = N;
    type Relationship = R;

    fn into_step(self) -> Step {
        Step(self.hop)
    }
}
