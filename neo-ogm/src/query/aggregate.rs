//! Aggregates: over all nodes that a question finds, over groups of them, and over what a
//! relationship leads to.

use std::fmt;
use std::marker::PhantomData;

use neo_bolt::packstream::{DecodeError, Decoder};

use super::expression::{AggregateExpr, Expr, SummaryExpr};
use super::filter::{Comparison, Condition};
use super::order::{Order, OrderStep};
use super::select::{Columns, Selection, To, read_property};
use crate::executor::Graph;
use crate::mapping::{Operand, Property, kind};

/// An aggregate over nodes of the struct `O`, of the type `T`: `Book::PAGES.sum()`, [`count`].
#[must_use = "an aggregate does nothing until a query takes it"]
pub struct Aggregate<O, T> {
    expr: Expr,
    of: PhantomData<fn() -> (O, T)>,
}

impl<O, T> Clone for Aggregate<O, T> {
    fn clone(&self) -> Self {
        Self::from_expr(self.expr.clone())
    }
}

impl<O, T> fmt::Debug for Aggregate<O, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parameters = super::Parameters::default();
        let mut cypher = super::Cypher::new(&mut parameters);
        cypher.expression("n", &self.expr);
        write!(f, "Aggregate({})", cypher.finish())
    }
}

fn within(expr: Expr, function: Option<&'static str>) -> Expr {
    match function {
        Some(function) => Expr::Call(function, vec![expr]),
        None => expr,
    }
}

/// How many nodes there are.
pub fn count<O>() -> Aggregate<O, u64> {
    Aggregate::new("count", false, Expr::This)
}

impl<O, T> Aggregate<O, T> {
    fn from_expr(expr: Expr) -> Self {
        Self {
            expr,
            of: PhantomData,
        }
    }

    pub(super) fn new(function: &'static str, distinct: bool, of: Expr) -> Self {
        Self::with(function, distinct, of, None)
    }

    pub(super) fn with(
        function: &'static str,
        distinct: bool,
        of: Expr,
        parameter: Option<Expr>,
    ) -> Self {
        Self::from_expr(Expr::Aggregate(Box::new(AggregateExpr {
            function,
            distinct,
            of,
            parameter,
        })))
    }

    /// The same, computed further by `function`, if there is one.
    pub(super) fn within(self, function: Option<&'static str>) -> Self {
        Self::from_expr(within(self.expr, function))
    }

    /// The same, or `value` where there was nothing to compute it of.
    pub(super) fn or(self, value: T) -> Self
    where
        T: Property,
    {
        Self::from_expr(Expr::Call("coalesce", vec![self.expr, Expr::value(value)]))
    }

    /// Groups with the smallest first.
    pub fn asc(self) -> GroupOrder<O> {
        GroupOrder::new(self.expr, false)
    }

    /// Groups with the largest first.
    pub fn desc(self) -> GroupOrder<O> {
        GroupOrder::new(self.expr, true)
    }
}

macro_rules! comparisons {
    ($($(#[$doc:meta])* $name:ident $comparison:ident),* $(,)?) => {
        /// Which groups stay.
        impl<O, T: Property> Aggregate<O, T> {$(
            $(#[$doc])*
            pub fn $name(self, value: impl Operand<T::Plain>) -> Having<O> {
                Having::new(Condition::Compare {
                    left: self.expr,
                    comparison: Comparison::$comparison,
                    right: Expr::value(value.into_operand()),
                })
            }
        )*}
    };
}
comparisons! {
    /// Groups in which it equals `value`.
    eq Equal,
    /// Groups in which it differs from `value`.
    ne NotEqual,
    /// Groups in which it is less than `value`.
    lt Less,
    /// Groups in which it is at most `value`.
    le LessOrEqual,
    /// Groups in which it is greater than `value`.
    gt Greater,
    /// Groups in which it is at least `value`.
    ge GreaterOrEqual,
}

/// A condition on groups of nodes of the struct `O`: `count().gt(3)`.
#[must_use = "a condition does nothing until a query takes it"]
pub struct Having<O> {
    pub(crate) condition: Condition,
    of: PhantomData<fn() -> O>,
}

impl<O> Having<O> {
    fn new(condition: Condition) -> Self {
        Self {
            condition,
            of: PhantomData,
        }
    }

    /// Both hold.
    pub fn and(self, other: Self) -> Self {
        Self::new(Condition::All(vec![self.condition, other.condition]))
    }

    /// One of the two holds, or both.
    pub fn or(self, other: Self) -> Self {
        Self::new(Condition::Any(vec![self.condition, other.condition]))
    }
}

impl<O> std::ops::Not for Having<O> {
    type Output = Self;

    fn not(self) -> Self {
        Self::new(Condition::Not(Box::new(self.condition)))
    }
}

impl<O> fmt::Debug for Having<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parameters = super::Parameters::default();
        let mut cypher = super::Cypher::new(&mut parameters);
        cypher.condition("n", &self.condition);
        write!(f, "Having({})", cypher.finish())
    }
}

/// One step of an ordering of groups: by an aggregate, or by what they are grouped by.
#[must_use = "an order does nothing until a query takes it"]
pub struct GroupOrder<O> {
    pub(crate) step: OrderStep,
    of: PhantomData<fn() -> O>,
}

impl<O> GroupOrder<O> {
    fn new(expr: Expr, descending: bool) -> Self {
        Self {
            step: OrderStep { expr, descending },
            of: PhantomData,
        }
    }
}

impl<O> From<Order<O>> for GroupOrder<O> {
    fn from(order: Order<O>) -> Self {
        Self::new(order.step.expr, order.step.descending)
    }
}

impl<O> fmt::Debug for GroupOrder<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parameters = super::Parameters::default();
        let mut cypher = super::Cypher::new(&mut parameters);
        cypher.order_step("n", &self.step);
        write!(f, "GroupOrder({})", cypher.finish())
    }
}

/// One aggregate over nodes of the struct `O`, or a tuple of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no aggregate over `{O}`",
    label = "not an aggregate of this struct",
    note = "write `count()`, `Book::PAGES.sum()`, `.avg()`, `.min()`, `.max()`, `.collect()` and so on, or a tuple of up to 12 of them; what stays as it is goes into `.group_by(…)`"
)]
pub trait Aggregates<O> {
    /// What they turn into.
    type Row: Send + 'static;

    /// Adds their columns.
    fn columns(self, columns: &mut Columns);

    /// Reads their columns.
    ///
    /// # Errors
    /// A value is of another type.
    fn read(decoder: &mut Decoder<'_>) -> Result<Self::Row, DecodeError>;
}

impl<O, T: Property> Aggregates<O> for Aggregate<O, T> {
    type Row = T;

    fn columns(self, columns: &mut Columns) {
        columns.push(self.expr, None);
    }

    fn read(decoder: &mut Decoder<'_>) -> Result<T, DecodeError> {
        read_property(decoder)
    }
}

/// An aggregate over what a relationship of each `N` leads to:
/// `Person::BOOKS.to(Book::PAGES).avg()`. It can be selected and ordered by.
#[must_use = "an aggregate does nothing until a query takes it"]
pub struct Summary<N, T> {
    expr: Expr,
    of: PhantomData<fn() -> (N, T)>,
}

impl<N, T> fmt::Debug for Summary<N, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.expr {
            Expr::Summary(summary) => f
                .debug_tuple("Summary")
                .field(&summary.hop.relation.field)
                .finish(),
            _ => f.write_str("Summary"),
        }
    }
}

impl<N, T> Summary<N, T> {
    /// Smallest first.
    pub fn asc(self) -> Order<N> {
        Order::new(self.expr, false)
    }

    /// Largest first.
    pub fn desc(self) -> Order<N> {
        Order::new(self.expr, true)
    }
}

impl<N, T: Property> Selection<N> for Summary<N, T> {
    type Row = T;
    const COLUMNS: usize = 1;

    fn columns(self, columns: &mut Columns) {
        columns.push(self.expr, None);
    }

    fn read(decoder: &mut Decoder<'_>, _: &Graph) -> Result<T, DecodeError> {
        read_property(decoder)
    }
}

/// Aggregates over what the relationship of one node leads to.
impl<N, O, S: Selection<O>> To<N, O, S>
where
    S::Row: Property,
{
    fn summary<T>(self, function: &'static str, distinct: bool) -> Summary<N, T> {
        self.summary_within(function, distinct, None)
    }

    fn summary_within<T>(
        self,
        function: &'static str,
        distinct: bool,
        outer: Option<&'static str>,
    ) -> Summary<N, T> {
        let (hop, end, of) = self.into_parts();
        let aggregate = Expr::Aggregate(Box::new(AggregateExpr {
            function,
            distinct,
            of,
            parameter: None,
        }));
        Summary {
            expr: Expr::Summary(Box::new(SummaryExpr {
                hop,
                end,
                aggregate: within(aggregate, outer),
            })),
            of: PhantomData,
        }
    }

    /// Their sum; 0 where there are none.
    pub fn sum<T>(self) -> Summary<N, T>
    where
        <S::Row as Property>::Kind: kind::IsNumber<Sum = T>,
    {
        let outer = <<S::Row as Property>::Kind as kind::IsNumber>::SUM;
        self.summary_within("sum", false, outer)
    }

    /// Their mean, or nothing where there are none.
    pub fn avg(self) -> Summary<N, Option<f64>>
    where
        <S::Row as Property>::Kind: kind::IsNumber,
    {
        self.summary("avg", false)
    }

    /// The smallest, or nothing where there are none.
    pub fn min(self) -> Summary<N, Option<<S::Row as Property>::Plain>>
    where
        <S::Row as Property>::Kind: kind::IsOrdered,
    {
        self.summary("min", false)
    }

    /// The largest, or nothing where there are none.
    pub fn max(self) -> Summary<N, Option<<S::Row as Property>::Plain>>
    where
        <S::Row as Property>::Kind: kind::IsOrdered,
    {
        self.summary("max", false)
    }

    /// How many there are; those that lack the property are not counted.
    pub fn count(self) -> Summary<N, u64> {
        self.summary("count", false)
    }

    /// How many different ones there are.
    pub fn count_distinct(self) -> Summary<N, u64> {
        self.summary("count", true)
    }

    /// The different ones.
    pub fn collect_distinct(self) -> Summary<N, Vec<<S::Row as Property>::Plain>> {
        self.summary("collect", true)
    }
}
