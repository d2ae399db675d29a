//! `book.author.connect(&author)` and `book.author.replace(&author)`.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::ends::{self, Bound, EndParameters, Keys};
use super::said::{PropertiesGiven, PropertiesMissing, Set};
use super::stamps;
use crate::error::Error;
use crate::executor::{BoxFuture, Executor, Target, WriteStatement, operation};
use crate::mapping::{
    DefaultProperties, Entity, HookContext, NodeSchema, Operation, RelationSchema, Relationship,
    RelationshipEvent, check_relationship,
};

/// A connect, or a replace, that waits to be awaited.
///
/// ```text
/// 1 await ─▶ 1 statement ─▶ 1 transaction ─▶ 1 flush of BEGIN, RUN, PULL and COMMIT
/// ```
///
/// The statement finds both nodes by their keys, locks each end whose cardinality is bounded,
/// counts what else it leads to, and merges the relationship only where nothing is in the way;
/// so it may run any number of times, and beside any number of others. A replace deletes what is
/// in the way of its own field instead.
///
/// # Cancel safety
/// Dropping the future leaves graph and connection sound; either all of it has happened or
/// nothing.
#[must_use = "nothing is sent before `.await`"]
pub struct Connect<'a, T, R, S = PropertiesGiven> {
    bound: Option<Bound>,
    target: &'a T,
    others: Others,
    on: Option<Target>,
    properties: Option<R>,
    running: Option<BoxFuture<'a, Result<(), Error>>>,
    said: PhantomData<fn() -> S>,
}

impl<T, R, S> fmt::Debug for Connect<'_, T, R, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect")
            .field("bound", &self.bound)
            .field("others", &self.others)
            .field("on", &self.on)
            .finish_non_exhaustive()
    }
}

/// What becomes of the field's other relationships.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    /// They stay, as far as the cardinality allows.
    Stay,
    /// They are deleted.
    Go,
}

impl<'a, T: Entity, R: Relationship> Connect<'a, T, R, PropertiesMissing> {
    pub(super) fn new(bound: Option<Bound>, target: &'a T, others: Others) -> Self {
        Self {
            bound,
            target,
            others,
            on: None,
            properties: None,
            running: None,
            said: PhantomData,
        }
    }

    /// What the relationship carries. Key fields tell it from parallel relationships; the others
    /// are set, also on a relationship that is there already.
    pub fn properties(self, properties: R) -> Connect<'a, T, R, PropertiesGiven> {
        Connect {
            bound: self.bound,
            target: self.target,
            others: self.others,
            on: self.on,
            properties: Some(properties),
            running: None,
            said: PhantomData,
        }
    }
}

impl<T, R, S> Connect<'_, T, R, S> {
    /// Runs the operation on a transaction or another handle of the graph. By default, it joins the
    /// transaction that the node belongs to while that goes on, and otherwise runs on the node's
    /// graph; see [`Transaction`](crate::Transaction#scope).
    ///
    /// A node that was read or saved before a unit of work needs it inside of the unit:
    ///
    /// ```
    /// # use neo_ogm::prelude::*;
    /// # use neo_ogm::ErrorKind;
    /// # #[derive(Node)]
    /// # struct Book { #[node(key)] isbn: String, #[relationship(type = "SIMILAR_TO")] similar: Many<Book> }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), neo_ogm::Error> {
    /// # let graph = Graph::in_memory().await?;
    /// let (book, other) = (Book::new("1"), Book::new("2"));
    /// graph.save_all([&book, &other]).await?;
    /// graph
    ///     .transaction(async |tx| {
    ///         let error = book.similar.connect(&other).await.unwrap_err();
    ///         assert!(matches!(error.kind(), ErrorKind::GraphInTransaction));
    ///         book.similar.connect(&other).on(&tx).await
    ///     })
    ///     .await?;
    /// # assert_eq!(book.similar.count().await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn on(mut self, executor: impl Executor) -> Self {
        self.on = Some(executor.target());
        self
    }
}

impl<'a, T: Entity, R: Relationship> IntoFuture for Connect<'a, T, R, PropertiesGiven> {
    type Output = Result<(), Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        operation(run(
            self.bound,
            self.target,
            self.others,
            self.on,
            self.properties,
            Set::Always,
        ))
    }
}

/// A future itself, rather than something that turns into one: only then does the compiler say of
/// forgotten properties what is missing, instead of "is not a future".
impl<T: Entity, R: DefaultProperties> Future for Connect<'_, T, R, PropertiesMissing> {
    type Output = Result<(), Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let running = this.running.get_or_insert_with(|| {
            operation(run(
                this.bound.take(),
                this.target,
                this.others,
                this.on.take(),
                Some(R::default_properties()),
                Set::OnCreate,
            ))
        });
        running.as_mut().poll(context)
    }
}

/// Nothing in it is ever pinned in place: what runs stands behind a pointer.
impl<T, R, S> Unpin for Connect<'_, T, R, S> {}

async fn run<T: Entity, R: Relationship>(
    bound: Option<Bound>,
    target: &T,
    others: Others,
    on: Option<Target>,
    properties: Option<R>,
    set: Set,
) -> Result<(), Error> {
    let bound = ends::bound(bound)?;
    let key = target.key()?;
    let executor = bound.target(on);
    let hooks = before(properties.as_ref(), others, &executor).await?;
    let managed = properties.as_ref().map(R::managed).unwrap_or_default();
    let text = statement::<T, R>(&bound, key.schema, others, set);
    let mut statement = WriteStatement::new(text);
    statement.column("connected", "1");
    stamps::columns(&mut statement, R::SCHEMA, &managed);
    let now = stamps::now(R::SCHEMA, &executor);
    let operation = match others {
        Others::Stay => "connect",
        Others::Go => "replace",
    };
    let mut repeats = 0;
    let done = loop {
        let parameters = EndParameters {
            target: Some(&key),
            relationship: properties.as_ref(),
            now: now.as_ref(),
            ..EndParameters::of(&bound.origin.key)
        };
        let done = executor.write(&statement, parameters).await?;
        if !done.records.is_empty() {
            break done;
        }
        match ends::explain::<T>(&bound, &key, &executor, operation).await {
            Some(reason) => return Err(reason),
            None if repeats < ends::REPEATS => repeats += 1,
            None => return Err(ends::contended(&bound, operation)),
        }
    };
    if let Some(record) = done.records.first() {
        stamps::fill(&managed, record, 1, &executor)?;
    }
    if let Some(cx) = hooks {
        R::hook(properties.as_ref(), RelationshipEvent::AfterConnect, &cx).await?;
    }
    Ok(())
}

/// Rules, and the hook that comes first.
async fn before<R: Relationship>(
    carried: Option<&R>,
    others: Others,
    executor: &Target,
) -> Result<Option<HookContext>, Error> {
    if let Some(carried) = carried {
        check_relationship(carried)?;
    }
    if !R::HOOKS {
        return Ok(None);
    }
    let operation = match others {
        Others::Stay => Operation::Connect,
        Others::Go => Operation::Replace,
    };
    let cx = HookContext::new(executor, operation);
    R::hook(carried, RelationshipEvent::BeforeConnect, &cx).await?;
    Ok(Some(cx))
}

fn statement<T: Entity, R: Relationship>(
    bound: &Bound,
    target: &'static NodeSchema,
    others: Others,
    set: Set,
) -> String {
    let mut text = String::with_capacity(256);
    let source = bound.origin.key.schema;
    text.push_str("MATCH ");
    ends::keyed(&mut text, "a", "a", source);
    text.push_str(" MATCH ");
    ends::keyed(&mut text, "b", "b", target);
    let own = bound.relation.cardinality.is_bounded();
    let inverse = bound.bounded_inverse(target);
    if own || others == Others::Go {
        ends::lock(&mut text, "a");
    }
    if inverse.is_some() {
        ends::lock(&mut text, "b");
    }
    let carried = (R::SCHEMA, "$r");
    let mine = |text: &mut String| {
        text.push_str(" WITH a, b OPTIONAL MATCH ");
        let names = ("x", "o", "b");
        ends::others(text, "a", names, bound.relation, T::ENTITY, carried);
    };
    if own && others == Others::Stay {
        mine(&mut text);
        text.push_str(" WITH a, b, count(x) AS others WHERE others = 0");
    }
    if let Some(inverse) = inverse {
        text.push_str(" WITH a, b OPTIONAL MATCH ");
        let names = ("y", "q", "a");
        ends::others(&mut text, "b", names, inverse, (inverse.target)(), carried);
        text.push_str(" WITH a, b, count(y) AS others WHERE others = 0");
    }
    if others == Others::Go {
        mine(&mut text);
        if let Some(inverse) = bound.keeping_inverse(target) {
            keep_last(&mut text, inverse);
        }
        text.push_str(" DELETE x WITH DISTINCT a, b");
    }
    text.push_str(" MERGE ");
    ends::step(&mut text, "a", "r", bound.relation, Keys::Values("$r"));
    text.push_str("(b)");
    set.write(&mut text, R::SCHEMA, "$p");
    text
}

/// Goes on only where each node `o` that is to be left has another relationship of the kind.
fn keep_last(text: &mut String, inverse: &RelationSchema) {
    ends::lock(text, "o");
    text.push_str(" WITH a, b, x, o OPTIONAL MATCH ");
    ends::step(text, "o", "y", inverse, Keys::Any);
    ends::far(text, "q", (inverse.target)(), "q <> a");
    text.push_str(
        " WITH a, b, x, o, count(y) AS left \
         WITH a, b, collect(x) AS xs, \
         min(CASE WHEN o IS NULL OR o = b THEN 1 ELSE left END) AS least WHERE least > 0 \
         UNWIND CASE size(xs) WHEN 0 THEN [null] ELSE xs END AS x",
    );
}
