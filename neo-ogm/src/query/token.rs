//! Tokens that name a relationship field.

use std::fmt;
use std::marker::PhantomData;

use super::expression::{Expr, Expression, Gathered, RelatedExpr};
use super::filter::{Condition, Filter};
use super::hop::Hop;
use super::order::Orders;
use super::plan::{Load, LoadPlan, Loadable};
use crate::mapping::{Entity, Node, RelationSchema, Relationship};

/// Names the relationship field of the struct `N` that leads to `T` over `R`.
///
/// `#[derive(Node)]` makes one per relationship field: `Book::AUTHOR`.
pub struct Relation<N, T, R = ()> {
    index: usize,
    of: PhantomData<Ends<N, T, R>>,
}

/// What a token stands for, without being or having it.
pub(super) type Ends<N, T, R> = fn() -> (N, T, R);

impl<N, T, R> Clone for Relation<N, T, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N, T, R> Copy for Relation<N, T, R> {}

impl<N, T, R> Relation<N, T, R> {
    /// The token of the `index`-th relationship field.
    pub const fn new(index: usize) -> Self {
        Self {
            index,
            of: PhantomData,
        }
    }
}

impl<N: Node, T: Entity, R: Relationship> fmt::Debug for Relation<N, T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Relation")
            .field(&self.schema().field)
            .finish()
    }
}

/// Filters of the node that has the relationship.
impl<N: Node, T: Entity, R: Relationship> Relation<N, T, R> {
    fn related(self, node: Option<Filter<T>>, relationship: Option<Filter<R>>) -> Filter<N> {
        let mut hop = self.hop();
        hop.node.extend(node.map(|filter| filter.condition));
        hop.relationship
            .extend(relationship.map(|filter| filter.condition));
        Filter::new(Condition::Related(Box::new(hop)))
    }

    /// At least one node at the other end passes `filter`.
    pub fn has(self, filter: Filter<T>) -> Filter<N> {
        self.related(Some(filter), None)
    }

    /// At least one relationship passes `filter`, which asks for what the relationship carries.
    pub fn has_relationship(self, filter: Filter<R>) -> Filter<N> {
        self.related(None, Some(filter))
    }

    /// At least one relationship passes `relationship` and leads to a node that passes `node`.
    pub fn has_both(self, node: Filter<T>, relationship: Filter<R>) -> Filter<N> {
        self.related(Some(node), Some(relationship))
    }

    /// Every node at the other end passes `filter`; true where there is none.
    ///
    /// A node that lacks what `filter` asks for does not pass it.
    pub fn all(self, filter: Filter<T>) -> Filter<N> {
        !self.has(Filter::new(Condition::Unless(Box::new(filter.condition))))
    }

    /// There is at least one relationship.
    pub fn exists(self) -> Filter<N> {
        self.related(None, None)
    }

    /// There is no relationship.
    pub fn is_empty(self) -> Filter<N> {
        !self.exists()
    }

    /// How many relationships there are: `Book::SIMILAR.count().ge(3)`,
    /// `Book::SIMILAR.count().desc()`.
    pub fn count(self) -> Expression<N, i64> {
        Expression::new(Expr::Related(Box::new(RelatedExpr {
            hop: self.hop(),
            gathered: Gathered::Count,
        })))
    }

    /// How many relationships lead to a node that passes `filter`.
    pub fn count_of(self, filter: Filter<T>) -> Expression<N, i64> {
        let mut hop = self.hop();
        hop.node.push(filter.condition);
        Expression::new(Expr::Related(Box::new(RelatedExpr {
            hop,
            gathered: Gathered::Count,
        })))
    }
}

/// Eager loads; see [`Load`].
impl<N: Node, T: Entity, R: Relationship> Relation<N, T, R> {
    /// A load of this relationship and, from the nodes it leads to, of another:
    /// `Book::AUTHOR.then(Person::BOOKS)`.
    pub fn then(self, next: impl Loadable<T>) -> Load<N, T, R> {
        self.load().then(next)
    }

    /// A load of those nodes only that pass `filter`.
    pub fn filter(self, filter: Filter<T>) -> Load<N, T, R> {
        self.load().filter(filter)
    }

    /// A load over those relationships only that pass `filter`.
    pub fn filter_relationship(self, filter: Filter<R>) -> Load<N, T, R> {
        self.load().filter_relationship(filter)
    }

    /// A load in this order.
    pub fn order_by(self, order: impl Orders<T>) -> Load<N, T, R> {
        self.load().order_by(order)
    }

    /// A load in the order of what the relationships carry.
    pub fn order_by_relationship(self, order: impl Orders<R>) -> Load<N, T, R> {
        self.load().order_by_relationship(order)
    }

    /// A load of at most `count` for each node.
    pub fn limit(self, count: u32) -> Load<N, T, R> {
        self.load().limit(count)
    }

    fn load(self) -> Load<N, T, R> {
        Load::new(LoadPlan::new::<T, R>(self.index, self.schema()))
    }

    pub(super) fn hop(self) -> Hop {
        Hop::new(self.schema())
    }

    pub(crate) fn index(self) -> usize {
        self.index
    }

    pub(crate) fn schema(self) -> &'static RelationSchema {
        &N::SCHEMA.relations[self.index]
    }
}
