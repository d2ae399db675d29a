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

/// A new order each time: with a limit, a sample. Every node is read for it.
pub fn random<O>() -> Order<O> {
    Order::new(Expr::Call("rand", Vec::new()), false)
}
