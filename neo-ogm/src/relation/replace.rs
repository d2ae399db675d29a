//! `book.author.replace(&author)`: one relationship in the place of whatever was there.

use std::future::IntoFuture;
use std::sync::Arc;

use neo_bolt::AccessMode;

use super::ends::{self, Bound, EndParameters};
use super::said::{PropertiesGiven, PropertiesMissing, Said, Set};
use crate::error::Error;
use crate::executor::{BoxFuture, Executor, Target};
use crate::mapping::{KeyOf, Node, Relationship};

/// A replace that waits to be awaited: one atomic statement, one round trip.
///
/// # Cancel safety
/// Dropping the future leaves graph and connection sound; either all of it has happened or
/// nothing.
#[derive(Debug)]
#[must_use = "nothing is sent before `.await`"]
pub struct Replace<'a, T, R, S = PropertiesGiven> {
    bound: Option<Bound>,
    target: &'a T,
    on: Option<Target>,
    properties: Option<R>,
    said: std::marker::PhantomData<fn() -> S>,
}

impl<'a, T: Node, R: Relationship> Replace<'a, T, R, PropertiesMissing> {
    pub(super) fn new(bound: Option<Bound>, target: &'a T) -> Self {
        Self {
            bound,
            target,
            on: None,
            properties: None,
            said: std::marker::PhantomData,
        }
    }

    /// What the new relationship carries.
    pub fn properties(self, properties: R) -> Replace<'a, T, R, PropertiesGiven> {
        Replace {
            bound: self.bound,
            target: self.target,
            on: self.on,
            properties: Some(properties),
            said: std::marker::PhantomData,
        }
    }
}

impl<T, R, S> Replace<'_, T, R, S> {
    /// Where to run: a transaction, or another handle of the graph.
    pub fn on(mut self, executor: impl Executor) -> Self {
        self.on = Some(executor.target());
        self
    }
}

impl<'a, T: Node, R: Relationship, S: Said<R>> IntoFuture for Replace<'a, T, R, S> {
    type Output = Result<(), Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self {
            bound,
            target,
            on,
            properties,
            ..
        } = self;
        Box::pin(replace(bound, target, on, S::resolve(properties), S::SET))
    }
}

async fn replace<T: Node, R: Relationship>(
    bound: Option<Bound>,
    target: &T,
    on: Option<Target>,
    properties: Option<R>,
    set: Set,
) -> Result<(), Error> {
    let bound = ends::bound(bound)?;
    let key = KeyOf::new(target)?;
    let executor = bound.target(on);
    let statement: Arc<str> = statement::<T, R>(&bound, set).into();
    let parameters = EndParameters {
        source: &bound.origin.key,
        target: Some(&key),
        relationship: properties.as_ref(),
    };
    let done = executor
        .execute(AccessMode::Write, statement, parameters)
        .await?;
    if done.records.is_empty() {
        return Err(ends::explain::<T>(&bound, &key, &executor, "replace").await);
    }
    Ok(())
}

fn statement<T: Node, R: Relationship>(bound: &Bound, set: Set) -> String {
    let mut text = String::with_capacity(256);
    let source = bound.origin.key.schema;
    text.push_str("MATCH ");
    ends::keyed(&mut text, "a", "a", source);
    text.push_str(" MATCH ");
    ends::keyed(&mut text, "b", "b", T::SCHEMA);
    let inverse = bound
        .inverse()
        .filter(|inverse| inverse.cardinality.is_bounded());
    ends::lock(&mut text, "a");
    if let Some(inverse) = inverse {
        ends::lock(&mut text, "b");
        text.push_str(" WITH a, b");
        ends::others(
            &mut text,
            "b",
            ("y", "q", "a"),
            inverse,
            source.label,
            R::SCHEMA,
        );
        text.push_str(" WITH a, b, count(y) AS others WHERE others = 0");
    }
    text.push_str(" WITH a, b");
    ends::others(
        &mut text,
        "a",
        ("x", "o", "b"),
        bound.relation,
        T::SCHEMA.label,
        R::SCHEMA,
    );
    text.push_str(" DELETE x WITH DISTINCT a, b MERGE ");
    ends::step(&mut text, "a", "r", bound.relation, true);
    text.push_str("(b)");
    set.write::<R>(&mut text);
    text.push_str(" RETURN 1 AS connected");
    text
}
