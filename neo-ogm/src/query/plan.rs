//! Which relationships a query loads along with its nodes.

use std::any::{Any, TypeId};
use std::fmt;
use std::marker::PhantomData;

use neo_bolt::packstream::{DecodeError, Decoder};

use super::expression::End;
use super::filter::Filter;
use super::hop::Hop;
use super::order::{OrderStep, Orders, steps};
use super::token::Relation;
use crate::executor::Graph;
use crate::mapping::{Entity, Node, RelationSchema, Relationship, decode_carried};

/// A relationship to load in the same query: which of its nodes, in which order, and what to load
/// from there on. Made from a token: `Book::AUTHOR.filter(…)`, `Book::AUTHOR.then(…)`.
///
/// ```
/// # use neo_ogm::prelude::*;
/// # #[derive(Node)]
/// # struct Book {
/// #     #[node(key)] isbn: String, title: String,
/// #     #[relationship(type = "WRITTEN_BY")] author: One<Person, WrittenBy>,
/// # }
/// # #[derive(Node)]
/// # struct Person {
/// #     #[node(key)] name: String,
/// #     #[relationship(type = "WRITTEN_BY", direction = "in")] books: Many<Book, WrittenBy>,
/// # }
/// # #[relationship(type = "WRITTEN_BY")]
/// # struct WrittenBy { year: i32 }
/// let find = Book::find_by_isbn("978-0-14-303500-8").load(
///     Book::AUTHOR.then(
///         Person::BOOKS
///             .filter(Book::TITLE.ne("Resurrection"))
///             .filter_relationship(WrittenBy::YEAR.lt(1880))
///             .order_by_relationship(WrittenBy::YEAR.desc())
///             .limit(3),
///     ),
/// );
/// # let _ = find;
/// ```
#[must_use = "a load does nothing until a query takes it"]
pub struct Load<N, T, R = ()> {
    plan: LoadPlan,
    of: PhantomData<super::token::Ends<N, T, R>>,
}

impl<N, T, R> fmt::Debug for Load<N, T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.plan.fmt(f)
    }
}

impl<N, T, R> Clone for Load<N, T, R> {
    fn clone(&self) -> Self {
        Self::new(self.plan.clone())
    }
}

/// The same without types, as a query carries it.
#[derive(Clone)]
pub struct LoadPlan {
    /// Which of the struct's relationship fields.
    pub index: usize,
    /// That field's description.
    pub relation: &'static RelationSchema,
    /// What to load from the nodes at the other end.
    pub next: Vec<LoadPlan>,
    pub(crate) read: ReadEnd,
    pub(crate) hop: Hop,
    pub(crate) order: Vec<(End, OrderStep)>,
    pub(crate) skip: Option<u32>,
    pub(crate) limit: Option<u32>,
}

impl fmt::Debug for LoadPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadPlan")
            .field("field", &self.relation.field)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

/// Reads a node of some struct.
#[derive(Clone, Copy)]
pub(crate) struct ReadAny {
    pub(crate) of: TypeId,
    pub(crate) node: ReadBoxed,
}

type ReadBoxed = fn(&mut Decoder<'_>, &Graph) -> Result<Box<dyn Any + Send + Sync>, DecodeError>;

/// Reads what stands at the end of a plan.
#[derive(Clone, Copy)]
pub(crate) struct ReadEnd {
    pub(crate) node: ReadAny,
    pub(crate) relationship: ReadBoxed,
}

pub(crate) fn read_any<T: Entity>(
    decoder: &mut Decoder<'_>,
    graph: &Graph,
) -> Result<Box<dyn Any + Send + Sync>, DecodeError> {
    Ok(Box::new(T::decode(decoder, graph)?))
}

fn read_carried<R: Relationship>(
    decoder: &mut Decoder<'_>,
    graph: &Graph,
) -> Result<Box<dyn Any + Send + Sync>, DecodeError> {
    Ok(Box::new(decode_carried::<R>(decoder, graph)?))
}

impl LoadPlan {
    pub(crate) fn new<T: Entity, R: Relationship>(
        index: usize,
        relation: &'static RelationSchema,
    ) -> Self {
        Self {
            read: ReadEnd {
                node: ReadAny {
                    of: TypeId::of::<T>(),
                    node: read_any::<T>,
                },
                relationship: read_carried::<R>,
            },
            index,
            relation,
            next: Vec::new(),
            hop: Hop::new(relation),
            order: Vec::new(),
            skip: None,
            limit: None,
        }
    }

    /// Whether it or something in it is ordered or cut, which a pattern comprehension can't be.
    pub(crate) fn is_staged(&self) -> bool {
        !self.order.is_empty()
            || self.skip.is_some()
            || self.limit.is_some()
            || self.next.iter().any(Self::is_staged)
    }
}

/// What can be loaded with nodes of the struct `N`: its relationship tokens and the [`Load`]s made
/// of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no relationship of `{N}`",
    label = "can't be loaded with a `{N}`",
    note = "name a relationship field of `{N}`; a relationship of the node at its other end goes into `.then(…)`"
)]
pub trait Loadable<N> {
    /// What to load.
    fn into_plan(self) -> LoadPlan;
}

impl<N: Node, T: Entity, R: Relationship> Loadable<N> for Relation<N, T, R> {
    fn into_plan(self) -> LoadPlan {
        LoadPlan::new::<T, R>(self.index(), self.schema())
    }
}

impl<N, T, R> Loadable<N> for Load<N, T, R> {
    fn into_plan(self) -> LoadPlan {
        self.plan
    }
}

impl<N, T, R> Load<N, T, R> {
    pub(super) fn new(plan: LoadPlan) -> Self {
        Self {
            plan,
            of: PhantomData,
        }
    }

    /// Only nodes that pass `filter`; called again, both must hold.
    pub fn filter(mut self, filter: Filter<T>) -> Self {
        self.plan.hop.node.push(filter.condition);
        self
    }

    /// Only relationships that pass `filter`, which asks for what they carry.
    pub fn filter_relationship(mut self, filter: Filter<R>) -> Self {
        self.plan.hop.relationship.push(filter.condition);
        self
    }

    /// Orders the nodes; called again, it decides between those that are equal so far.
    pub fn order_by(mut self, order: impl Orders<T>) -> Self {
        let steps = steps(order).map(|step| (End::Node, step));
        self.plan.order.extend(steps);
        self
    }

    /// Orders the nodes by what their relationships carry.
    pub fn order_by_relationship(mut self, order: impl Orders<R>) -> Self {
        let steps = steps(order).map(|step| (End::Relationship, step));
        self.plan.order.extend(steps);
        self
    }

    /// Leaves out the first `count` of each node's.
    pub fn skip(mut self, count: u32) -> Self {
        self.plan.skip = Some(count);
        self
    }

    /// At most `count` for each node.
    pub fn limit(mut self, count: u32) -> Self {
        self.plan.limit = Some(count);
        self
    }

    /// Loads another relationship from the nodes that this one leads to.
    pub fn then(mut self, next: impl Loadable<T>) -> Self {
        self.plan.next.push(next.into_plan());
        self
    }
}
