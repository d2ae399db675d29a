//! Expressions: what a property, a value or something computed of them is in Cypher.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use super::aggregate::Aggregate;
use super::field::Field;
use super::filter::{Comparison, Condition, Filter, Parameter};
use super::hop::Hop;
use super::operators::operators;
use super::order::Order;
use crate::mapping::{ListProperty, Operand, Property, kind};

/// An expression about one node or relationship, without its types.
#[derive(Clone)]
pub(crate) enum Expr {
    /// The node or relationship itself.
    This,
    /// Another variable.
    Name(&'static str),
    Property(&'static str),
    Value(Parameter),
    /// `function(argument, …)`
    Call(&'static str, Vec<Expr>),
    /// `(of).name`: a part of a date.
    Part(Box<Expr>, &'static str),
    /// `left operator right`
    Binary(Box<[Expr; 2]>, &'static str),
    /// Something of what a relationship leads to.
    Related(Box<RelatedExpr>),
    /// An aggregate over all rows.
    Aggregate(Box<AggregateExpr>),
    /// An aggregate over what a relationship leads to: a clause of its own, before its place.
    Summary(Box<SummaryExpr>),
}

/// A list of what a relationship leads to.
#[derive(Clone)]
pub(crate) struct RelatedExpr {
    pub(crate) hop: Hop,
    pub(crate) gathered: Gathered,
}

/// What is made of such a list.
#[derive(Clone)]
pub(crate) enum Gathered {
    /// How long it is.
    Count,
    /// What each entry has, as a list where there are several items.
    List(Vec<(End, Expr)>),
    /// What the first entry has.
    First(Vec<(End, Expr)>),
}

/// Of which end of a step an item is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Node,
    Relationship,
}

/// `function(DISTINCT of, parameter)`
#[derive(Clone)]
pub(crate) struct AggregateExpr {
    pub(crate) function: &'static str,
    pub(crate) distinct: bool,
    pub(crate) of: Expr,
    pub(crate) parameter: Option<Expr>,
}

#[derive(Clone)]
pub(crate) struct SummaryExpr {
    pub(crate) hop: Hop,
    pub(crate) end: End,
    pub(crate) aggregate: Expr,
}

impl Expr {
    pub(crate) fn value<T: Property>(value: T) -> Self {
        Self::Value(Arc::new(value))
    }

    pub(crate) fn binary(self, operator: &'static str, right: Self) -> Self {
        Self::Binary(Box::new([self, right]), operator)
    }

    /// Whether both certainly say the same.
    pub(crate) fn same(&self, other: &Self) -> bool {
        let all =
            |a: &[Self], b: &[Self]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b));
        match (self, other) {
            (Self::This, Self::This) => true,
            (Self::Property(a), Self::Property(b)) | (Self::Name(a), Self::Name(b)) => a == b,
            (Self::Value(a), Self::Value(b)) => Arc::ptr_eq(a, b),
            (Self::Call(f, a), Self::Call(g, b)) => f == g && all(a, b),
            (Self::Part(a, f), Self::Part(b, g)) => f == g && a.same(b),
            (Self::Binary(a, f), Self::Binary(b, g)) => f == g && all(&**a, &**b),
            (Self::Aggregate(a), Self::Aggregate(b)) => a.same(b),
            (Self::Related(a), Self::Related(b)) => std::ptr::eq(&raw const **a, &raw const **b),
            (Self::Summary(a), Self::Summary(b)) => std::ptr::eq(&raw const **a, &raw const **b),
            _ => false,
        }
    }
}

impl AggregateExpr {
    fn same(&self, other: &Self) -> bool {
        self.function == other.function
            && self.distinct == other.distinct
            && self.of.same(&other.of)
            && match (&self.parameter, &other.parameter) {
                (None, None) => true,
                (Some(a), Some(b)) => a.same(b),
                _ => false,
            }
    }
}

/// Something computed of the properties of the node or relationship struct `O`, of the type `T`.
///
/// It comes from tokens, `Book::TITLE.lower()` or `Book::PAGES + 1`, and can be asked, ordered by
/// and selected like a property.
#[must_use = "an expression does nothing until a query takes it"]
pub struct Expression<O, T> {
    pub(crate) expr: Expr,
    of: PhantomData<fn() -> (O, T)>,
}

impl<O, T> Clone for Expression<O, T> {
    fn clone(&self) -> Self {
        Self::new(self.expr.clone())
    }
}

impl<O, T> fmt::Debug for Expression<O, T> {
    /// Shows the Cypher; values stay out of it, since they may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parameters = super::Parameters::default();
        let mut cypher = super::Cypher::new(&mut parameters);
        cypher.expression("n", &self.expr);
        write!(f, "Expression({})", cypher.finish())
    }
}

impl<O, T> Expression<O, T> {
    pub(crate) fn new(expr: Expr) -> Self {
        Self {
            expr,
            of: PhantomData,
        }
    }

    fn into_expr(self) -> Expr {
        self.expr
    }
}

operators!(Expression);

/// What a property of the type `T` can be compared with: a `T`, borrowed text for text, and
/// another property or expression of the same struct `O` and of the same type.
#[diagnostic::on_unimplemented(
    message = "the property is a `{T}`, and `{Self}` is not",
    label = "expected a `{T}`",
    note = "convert the value, or compare another property",
    note = "give what is in an `Option`; `.is_null()` and `.is_not_null()` ask whether it is there, and `.remove(…)` takes it away in an update"
)]
pub trait Comparand<O, T> {
    /// The value as an expression.
    fn into_comparand(self) -> Expression<O, T>;
}

impl<O, T: Property> Comparand<O, T> for T {
    fn into_comparand(self) -> Expression<O, T> {
        Expression::new(Expr::value(self))
    }
}

impl<O, T: Property, U: Property<Plain = T>> Comparand<O, T> for Field<O, U> {
    fn into_comparand(self) -> Expression<O, T> {
        Expression::new(Expr::Property(self.name()))
    }
}

impl<O, T: Property, U: Property<Plain = T>> Comparand<O, T> for Expression<O, U> {
    fn into_comparand(self) -> Expression<O, T> {
        Expression::new(self.expr)
    }
}

macro_rules! text_comparands {
    ($($ty:ty),*) => {$(
        impl<O> Comparand<O, String> for $ty {
            fn into_comparand(self) -> Expression<O, String> {
                Expression::new(Expr::value::<String>(self.into()))
            }
        }
    )*};
}
text_comparands!(&str, &String, std::borrow::Cow<'_, str>, Box<str>);
