//! Filters: conditions over the properties and relationships of one struct.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Not;

use neo_bolt::packstream::ToBolt;

use crate::mapping::RelationSchema;

/// A value that waits to be sent.
pub(crate) type Parameter = Box<dyn ToBolt + Send + Sync>;

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
    StartsWith,
    EndsWith,
    Contains,
    Matches,
    EqualIgnoreCase,
    ContainsIgnoreCase,
}

/// What is asked of one node or relationship.
pub(crate) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    IsNull(&'static str),
    /// The node has the label.
    HasLabel(&'static str),
    Compare {
        property: &'static str,
        comparison: Comparison,
        value: Parameter,
    },
    Related {
        relation: &'static RelationSchema,
        node: Option<Box<Condition>>,
        relationship: Option<Box<Condition>>,
    },
}

/// A condition on the nodes (or relationships) of the struct `O`.
///
/// Filters come from tokens: `Book::TITLE.starts_with("Anna")`, `Book::AUTHOR.has(…)`, and are
/// put together by [`and`](Self::and), [`or`](Self::or) and `!`.
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
