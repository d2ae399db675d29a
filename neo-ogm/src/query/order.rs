//! In which order nodes come.

use std::fmt;
use std::marker::PhantomData;

use super::expression::Expr;

/// One step of an ordering of the nodes or relationships of the struct `O`, made by
/// [`Field::asc`](super::Field::asc) and its like, and by [`random`].
#[must_use = "an order does nothing until a query takes it"]
pub struct Order<O> {
    pub(crate) step: OrderStep,
    of: PhantomData<fn() -> O>,
}

/// The same without types.
#[derive(Clone)]
pub(crate) struct OrderStep {
    pub(crate) expr: Expr,
    pub(crate) descending: bool,
}

impl<O> Order<O> {
    pub(crate) fn new(expr: Expr, descending: bool) -> Self {
        Self {
            step: OrderStep { expr, descending },
            of: PhantomData,
        }
    }
}

impl<O> Clone for Order<O> {
    fn clone(&self) -> Self {
        Self::new(self.step.expr.clone(), self.step.descending)
    }
}

impl<O> fmt::Debug for Order<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parameters = super::Parameters::default();
        let mut cypher = super::Cypher::new(&mut parameters);
        cypher.order_step("n", &self.step);
        write!(f, "Order({})", cypher.finish())
    }
}

/// What `order_by` takes: an order, a tuple of up to 8, or a `Vec` of them. The first decides, each
/// further one between those that are equal so far.
///
/// ```
/// # use neo_ogm::prelude::*;
/// # #[derive(Node)]
/// # struct Book { #[node(key)] isbn: String, title: String, pages: Option<u32> }
/// let find = Book::find().order_by((Book::PAGES.desc(), Book::TITLE.asc()));
/// assert_eq!(find.to_cypher(), "MATCH (n:Book) RETURN n ORDER BY n.pages DESC, n.title");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no order of `{O}`",
    label = "expected an order of `{O}`",
    note = "say which way it goes: `Book::TITLE.asc()` or `Book::TITLE.desc()`; several go into a tuple",
    note = "to order by how many there are at the other end of a relationship, write `Book::SIMILAR.count().desc()`"
)]
pub trait Orders<O> {
    /// Adds the orders, the one that decides first.
    fn add_to(self, orders: &mut Vec<Order<O>>);
}

impl<O> Orders<O> for Order<O> {
    fn add_to(self, orders: &mut Vec<Order<O>>) {
        orders.push(self);
    }
}

impl<O> Orders<O> for Vec<Order<O>> {
    fn add_to(mut self, orders: &mut Vec<Order<O>>) {
        orders.append(&mut self);
    }
}

macro_rules! tuples {
    ($($($name:ident)+;)+) => {$(
        impl<O, $($name: Orders<O>),+> Orders<O> for ($($name,)+) {
            #[allow(non_snake_case, reason = "a variable for each type")]
            fn add_to(self, orders: &mut Vec<Order<O>>) {
                let ($($name,)+) = self;
                $($name.add_to(orders);)+
            }
        }
    )+};
}
tuples! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
}

/// The orders without types.
pub(crate) fn steps<O>(orders: impl Orders<O>) -> impl Iterator<Item = OrderStep> {
    let mut all = Vec::new();
    orders.add_to(&mut all);
    all.into_iter().map(|order| order.step)
}

/// A new order each time: with a limit, a sample. Every node is read for it.
pub fn random<O>() -> Order<O> {
    Order::new(Expr::Call("rand", Vec::new()), false)
}
