//! Filters: conditions over the properties and relationships of one struct.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{BitAnd, BitOr, Not};
use std::sync::Arc;

use neo_bolt::packstream::ToBolt;

use super::expression::Expr;
use super::hop::Hop;

/// A value that waits to be sent.
pub(crate) type Parameter = Arc<dyn ToBolt + Send + Sync>;

/// How a property is compared with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Has,
    HasAny,
    HasAll,
    StartsWith,
    EndsWith,
    Contains,
    Matches,
    EqualIgnoreCase,
    ContainsIgnoreCase,
    StartsWithIgnoreCase,
    EndsWithIgnoreCase,
}

/// What is asked of one node or relationship.
#[derive(Clone)]
pub(crate) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    /// Not, and where the answer would be unknown for want of a property, yes.
    Unless(Box<Condition>),
    IsNull(Expr),
    /// The node has the label.
    HasLabel(&'static str),
    /// The node has the element id.
    ElementId(Parameter),
    Compare {
        left: Expr,
        comparison: Comparison,
        right: Expr,
    },
    /// There is a node at the end of this step.
    Related(Box<Hop>),
}

/// A condition on the nodes (or relationships) of the struct `O`.
///
/// Filters come from tokens: `Book::TITLE.starts_with("Anna")`, `Book::AUTHOR.has(…)`, and are
/// put together by [`and`](Self::and), [`or`](Self::or) and `!`; `&` and `|` do the same.
#[must_use = "a filter does nothing until a query takes it"]
pub struct Filter<O> {
    pub(crate) condition: Condition,
    of: PhantomData<fn() -> O>,
}

impl<O> Filter<O> {
    pub(crate) fn new(condition: Condition) -> Self {
        Self {
            condition,
            of: PhantomData,
        }
    }

    /// Both hold.
    pub fn and(self, other: Self) -> Self {
        let mut all = match self.condition {
            Condition::All(all) => all,
            one => vec![one],
        };
        match other.condition {
            Condition::All(more) => all.extend(more),
            one => all.push(one),
        }
        Self::new(Condition::All(all))
    }

    /// One of the two holds, or both.
    pub fn or(self, other: Self) -> Self {
        let mut any = match self.condition {
            Condition::Any(any) => any,
            one => vec![one],
        };
        match other.condition {
            Condition::Any(more) => any.extend(more),
            one => any.push(one),
        }
        Self::new(Condition::Any(any))
    }

    /// All of `filters` hold; true where there are none.
    pub fn all(filters: impl IntoIterator<Item = Self>) -> Self {
        Self::new(Condition::All(
            filters.into_iter().map(|f| f.condition).collect(),
        ))
    }

    /// At least one of `filters` holds; false where there are none.
    pub fn any(filters: impl IntoIterator<Item = Self>) -> Self {
        Self::new(Condition::Any(
            filters.into_iter().map(|f| f.condition).collect(),
        ))
    }
}

impl<O> Clone for Filter<O> {
    fn clone(&self) -> Self {
        Self::new(self.condition.clone())
    }
}

/// As [`and`](Filter::and).
impl<O> BitAnd for Filter<O> {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        self.and(other)
    }
}

/// As [`or`](Filter::or).
impl<O> BitOr for Filter<O> {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.or(other)
    }
}

impl<O> Not for Filter<O> {
    type Output = Self;

    fn not(self) -> Self {
        match self.condition {
            Condition::Not(inner) => Self::new(*inner),
            condition => Self::new(Condition::Not(Box::new(condition))),
        }
    }
}

impl<O> fmt::Debug for Filter<O> {
    /// Shows the Cypher; values stay out of it, since they may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parameters = super::Parameters::default();
        let mut cypher = super::Cypher::new(&mut parameters);
        cypher.condition("n", &self.condition);
        write!(f, "Filter({})", cypher.finish())
    }
}
