//! Tokens that name a relationship field in filters and eager loads.

use std::fmt;
use std::marker::PhantomData;

use super::filter::{Condition, Filter};
use super::plan::Load;
use crate::mapping::{Entity, Node, Relationship};

/// Names the relationship field of the struct `N` that leads to `T` over `R`.
///
/// `#[derive(Node)]` makes one per relationship field: `Book::AUTHOR`.
pub struct Relation<N, T, R = ()> {
    index: usize,
    of: PhantomData<Ends<N, T, R>>,
}

/// What a token stands for, without being or having it.
type Ends<N, T, R> = fn() -> (N, T, R);

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
            .field(&N::SCHEMA.relations[self.index].field)
            .finish()
    }
}

impl<N: Node, T: Entity, R: Relationship> Relation<N, T, R> {
    fn related(self, node: Option<Filter<T>>, relationship: Option<Filter<R>>) -> Filter<N> {
        Filter::new(Condition::Related {
            relation: &N::SCHEMA.relations[self.index],
            node: node.map(|filter| Box::new(filter.condition)),
            relationship: relationship.map(|filter| Box::new(filter.condition)),
        })
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

    /// There is at least one relationship.
    pub fn exists(self) -> Filter<N> {
        self.related(None, None)
    }

    /// There is no relationship.
    pub fn is_empty(self) -> Filter<N> {
        !self.exists()
    }

    /// An eager load of this relationship and, from the nodes it leads to, of another:
    /// `Book::AUTHOR.then(Person::BOOKS)`.
    pub fn then(self, next: impl Into<Load<T>>) -> Load<N> {
        Load::from(self).then(next)
    }

    pub(super) fn index(self) -> usize {
        self.index
    }
}
