//! Which relationships a query loads along with its nodes.

use std::fmt;
use std::marker::PhantomData;

use super::token::Relation;
use crate::mapping::{Entity, Node, RelationSchema, Relationship};

/// A relationship to load in the same query, with what to load from there on.
pub struct Load<N> {
    pub(crate) plan: LoadPlan,
    of: PhantomData<fn() -> N>,
}

impl<N> fmt::Debug for Load<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.plan.fmt(f)
    }
}

/// The same without types, as a query carries it.
#[derive(Debug, Clone)]
pub struct LoadPlan {
    /// Which of the struct's relationship fields.
    pub index: usize,
    /// That field's description.
    pub relation: &'static RelationSchema,
    /// What to load from the nodes at the other end.
    pub next: Vec<LoadPlan>,
}

impl<N: Node, T: Entity, R: Relationship> From<Relation<N, T, R>> for Load<N> {
    fn from(token: Relation<N, T, R>) -> Self {
        let index = token.index();
        let plan = LoadPlan {
            index,
            relation: &N::SCHEMA.relations[index],
            next: Vec::new(),
        };
        Self {
            plan,
            of: PhantomData,
        }
    }
}

impl<N> Load<N> {
    pub(super) fn then<T: Entity>(mut self, next: impl Into<Load<T>>) -> Self {
        self.plan.next.push(next.into().plan);
        self
    }

    /// The same load, as one of an enum that has the struct as a variant.
    pub(super) fn of<E>(self) -> Load<E> {
        Load {
            plan: self.plan,
            of: PhantomData,
        }
    }
}
