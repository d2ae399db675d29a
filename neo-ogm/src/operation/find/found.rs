//! A question on its way: what the last word of a finder gives.

use std::fmt;
use std::future::IntoFuture;

use crate::error::Error;
use crate::executor::{BoxFuture, Executor, Target};

pub(super) type Run<Q, O> = fn(Q, Target) -> BoxFuture<'static, Result<O, Error>>;

/// A question `Q` that waits to be awaited, and is answered by an `O`: one read, one round trip.
///
/// # Cancel safety
/// It only reads: dropping its future changes nothing.
#[must_use = "nothing is sent before `.await`"]
pub struct Found<Q, O> {
    question: Q,
    target: Target,
    run: Run<Q, O>,
}

impl<Q, O> Found<Q, O> {
    pub(super) fn new(question: Q, on: impl Executor, run: Run<Q, O>) -> Self {
        Self {
            question,
            target: on.target(),
            run,
        }
    }
}

impl<Q: fmt::Debug, O> fmt::Debug for Found<Q, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.question.fmt(f)
    }
}

impl<Q, O> IntoFuture for Found<Q, O> {
    type Output = Result<O, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        (self.run)(self.question, self.target)
    }
}
