//! Tokens that name a label in a filter: optional labels, and the variants of an enum of nodes.

use std::fmt;
use std::marker::PhantomData;

use super::field::Field;
use super::filter::{Condition, Filter};
use super::plan::{LoadPlan, Loadable};
use crate::mapping::Node;

/// Names an optional label of the struct `N`.
///
/// `#[derive(Node)]` makes one for each field with `#[node(optional_label = "…")]`:
/// `Book::FEATURED`.
pub struct Label<N> {
    label: &'static str,
    of: PhantomData<fn() -> N>,
}

impl<N> Clone for Label<N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for Label<N> {}

impl<N> fmt::Debug for Label<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Label").field(&self.label).finish()
    }
}

impl<N> Label<N> {
    /// The token of the label called `label` in the database.
    pub const fn new(label: &'static str) -> Self {
        Self {
            label,
            of: PhantomData,
        }
    }

    /// The label's name in the database.
    pub const fn name(self) -> &'static str {
        self.label
    }

    /// The node has the label.
    pub fn is_set(self) -> Filter<N> {
        Filter::new(Condition::HasLabel(self.label))
    }

    /// The node has not the label.
    pub fn is_not_set(self) -> Filter<N> {
        !self.is_set()
    }
}

/// Names the variant of the enum `E` that holds the struct `N`.
///
/// `#[derive(Nodes)]` makes one for each variant: `Party::PERSON`.
pub struct Variant<E, N> {
    of: PhantomData<fn() -> (E, N)>,
}

impl<E, N> Clone for Variant<E, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E, N> Copy for Variant<E, N> {}

impl<E, N: Node> fmt::Debug for Variant<E, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Variant").field(&N::SCHEMA.label).finish()
    }
}

impl<E, N: Node> Variant<E, N> {
    /// The token; `#[derive(Nodes)]` knows that `E` has such a variant.
    #[doc(hidden)]
    pub const fn new() -> Self {
        Self { of: PhantomData }
    }

    /// The node is of this variant.
    pub fn is(self) -> Filter<E> {
        Filter::new(Condition::HasLabel(N::SCHEMA.label))
    }

    /// The node is of this variant, and passes `filter`.
    pub fn has(self, filter: Filter<N>) -> Filter<E> {
        self.is().and(Filter::new(filter.condition))
    }

    /// A property of this variant, as one of the enum's: nodes of other variants may lack it.
    pub fn field<T>(self, field: Field<N, T>) -> Field<E, T> {
        Field::new(field.name())
    }

    /// An eager load of a relationship of this variant; for nodes of other variants it has no
    /// effect.
    pub fn load(self, load: impl Loadable<N>) -> VariantLoad<E> {
        VariantLoad {
            plan: load.into_plan(),
            of: PhantomData,
        }
    }
}

/// An eager load of a relationship of one variant of the enum `E`, made by [`Variant::load`].
#[derive(Debug)]
#[must_use = "a load does nothing until a query takes it"]
pub struct VariantLoad<E> {
    plan: LoadPlan,
    of: PhantomData<fn() -> E>,
}

impl<E> Loadable<E> for VariantLoad<E> {
    fn into_plan(self) -> LoadPlan {
        self.plan
    }
}

#[doc(hidden)]
impl<E, N: Node> Default for Variant<E, N> {
    fn default() -> Self {
        Self::new()
    }
}
