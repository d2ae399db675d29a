//! `book.author.reconnect(&old, &new)`: a relationship led to another node.

use std::fmt::Write as _;
use std::future::IntoFuture;

use neo_bolt::AccessMode;

use super::ends::{self, Bound, EndParameters, Keys};
use super::stamps;
use crate::error::{Error, ErrorKind};
use crate::executor::{BoxFuture, Executor, Target, WriteStatement, operation};
use crate::mapping::{
    Entity, HookContext, KeyOf, Operation, Relationship, RelationshipEvent, check_relationship,
};
use crate::query::escape;

/// A reconnect that waits to be awaited: one statement, one round trip.
///
/// # Cancel safety
/// Dropping the future leaves graph and connection sound; either all of it has happened or
/// nothing.
#[derive(Debug)]
#[must_use = "nothing is sent before `.await`"]
pub struct Reconnect<'a, T, R = ()> {
    bound: Option<Bound>,
    old: &'a T,
    new: &'a T,
    keyed: Option<&'a R>,
    properties: Option<R>,
    on: Option<Target>,
}

impl<'a, T: Entity, R: Relationship> Reconnect<'a, T, R> {
    pub(super) fn new(bound: Option<Bound>, old: &'a T, new: &'a T) -> Self {
        Self {
            bound,
            old,
            new,
            keyed: None,
            properties: None,
            on: None,
        }
    }

    /// Of parallel relationships, only the one with the key fields of `relationship`.
    pub fn keyed(mut self, relationship: &'a R) -> Self {
        self.keyed = Some(relationship);
        self
    }

    /// What the relationship carries from then on; without it, what it has carried. Where there
    /// are key fields and [`keyed`](Self::keyed) says nothing else, the relationship with the
    /// same key is led over.
    pub fn properties(mut self, properties: R) -> Self {
        self.properties = Some(properties);
        self
    }

    /// Runs the operation on a transaction or another handle of the graph. By default, it joins the
    /// transaction that the node belongs to while that goes on, and otherwise runs on the node's
    /// graph; see [`Transaction`](crate::Transaction#scope).
    pub fn on(mut self, executor: impl Executor) -> Self {
        self.on = Some(executor.target());
        self
    }

    async fn run(mut self) -> Result<(), Error> {
        let bound = ends::bound(self.bound.take())?;
        let executor = bound.target(self.on.take());
        if let Some(properties) = &self.properties {
            check_relationship(properties)?;
        }
        if !R::HOOKS {
            return self.send(&bound, &executor).await;
        }
        // What is kept has not been read, so only what is given can be shown to a hook.
        let cx = HookContext::new(&executor, Operation::Connect);
        let carried = self.properties.as_ref();
        R::hook(carried, RelationshipEvent::BeforeConnect, &cx).await?;
        self.send(&bound, &executor).await?;
        R::hook(carried, RelationshipEvent::AfterConnect, &cx).await
    }

    async fn send(&self, bound: &Bound, executor: &Target) -> Result<(), Error> {
        let (old, new) = (self.old.key()?, self.new.key()?);
        let keyed = self.keyed.or(self.properties.as_ref());
        let moves = old != new;
        let now = stamps::now(R::SCHEMA, executor);
        let text = statement::<R>(bound, (&new, &old), keyed.is_some(), &self.properties);
        let mut statement = WriteStatement::new(text);
        statement.column("moved", "count(*)");
        let parameters = || EndParameters::<R> {
            target: Some(&new),
            old: Some(&old),
            relationship: self.properties.as_ref(),
            keyed,
            now: now.as_ref(),
            ..EndParameters::of(&bound.origin.key)
        };
        for _ in 0..=ends::REPEATS {
            let done = executor.write(&statement, parameters()).await?;
            if let Some(record) = done.records.first()
                && record.get_at::<i64>(0)? > 0
            {
                if let Some(properties) = &self.properties {
                    stamps::written(properties, now.as_ref(), executor);
                }
                return Ok(());
            }
            let text = explanation(bound, (&new, &old), keyed.is_some());
            let found = executor
                .execute(AccessMode::Read, text.into(), parameters())
                .await?;
            let Some(record) = found.records.first() else {
                return Err(missing(&bound.origin.key));
            };
            let (source, target, known, here, there) =
                record.decode::<(bool, bool, bool, bool, bool)>()?;
            let reason = if !source {
                missing(&bound.origin.key)
            } else if !target {
                missing(&new)
            } else if !here && there && moves {
                // Another client has moved it already.
                return Ok(());
            } else if !known {
                missing(&old)
            } else if !here {
                Error::new(ErrorKind::NotConnected {
                    node: bound.node(),
                    field: bound.relation.field,
                    other: old,
                })
            } else if let Some(refused) = refused(bound, &new, &old) {
                refused
            } else {
                // Another client has connected it meanwhile.
                continue;
            };
            return Err(reason);
        }
        Err(ends::contended(bound, "reconnect"))
    }
}

fn missing(key: &KeyOf) -> Error {
    Error::new(ErrorKind::NodeNotFound {
        key: key.clone(),
        operation: "reconnect",
    })
}

/// The error of a relationship that is there and may not be moved, if a bound forbids it.
fn refused(bound: &Bound, new: &KeyOf, old: &KeyOf) -> Option<Error> {
    let (node, inverse, reason) = match (
        bound.bounded_inverse(new.schema),
        bound.keeping_inverse(old.schema),
    ) {
        (Some(inverse), _) => (new, inverse, ends::REACHED),
        (None, Some(inverse)) => (old, inverse, super::disconnect::LAST),
        (None, None) => return None,
    };
    Some(Error::new(ErrorKind::Cardinality {
        node: node.clone(),
        field: inverse.field,
        cardinality: ends::cardinality_name(inverse.cardinality),
        reason,
    }))
}

impl<'a, T: Entity, R: Relationship> IntoFuture for Reconnect<'a, T, R> {
    type Output = Result<(), Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        operation(self.run())
    }
}

fn statement<R: Relationship>(
    bound: &Bound,
    (new, old): (&KeyOf, &KeyOf),
    keyed: bool,
    properties: &Option<R>,
) -> String {
    let moves = old != new;
    let mut text = String::with_capacity(384);
    let source = bound.origin.key.schema;
    let (taken, kept) = (
        bound.bounded_inverse(new.schema),
        bound.keeping_inverse(old.schema),
    );
    let keys = if keyed { Keys::Values("$q") } else { Keys::Any };
    for (word, name, schema) in [
        ("MATCH ", "a", source),
        (" MATCH ", "b", new.schema),
        (" MATCH ", "c", old.schema),
    ] {
        text.push_str(word);
        ends::keyed(&mut text, name, name, schema);
    }
    // Whoever else moves, replaces or connects at this node waits.
    ends::lock(&mut text, "a");
    if moves && taken.is_some() {
        ends::lock(&mut text, "b");
    }
    if moves && kept.is_some() {
        ends::lock(&mut text, "c");
    }
    text.push_str(" WITH a, b, c MATCH ");
    ends::step(&mut text, "a", "r", bound.relation, keys);
    text.push_str("(c)");
    if !moves {
        if properties.is_some() {
            set::<R>(&mut text, "r", true);
        }
        return text;
    }
    text.push_str(" WITH a, b, c, collect(r) AS rs");
    for (inverse, of, other, condition, bar) in [
        (taken, "b", "q <> a", "others = 0", "y"),
        (kept, "c", "NOT z IN rs", "others > 0", "z"),
    ] {
        let Some(inverse) = inverse else { continue };
        text.push_str(" OPTIONAL MATCH ");
        ends::step(&mut text, of, bar, inverse, Keys::Any);
        ends::far(&mut text, "q", (inverse.target)(), other);
        let _ = write!(
            text,
            " WITH a, b, c, rs, count({bar}) AS others WHERE {condition}"
        );
    }
    text.push_str(" UNWIND rs AS r MERGE ");
    let keys = match properties {
        Some(_) => Keys::Values("$r"),
        None => Keys::Same("r"),
    };
    ends::step(&mut text, "a", "s", bound.relation, keys);
    text.push_str("(b) SET s += properties(r)");
    set::<R>(&mut text, "s", properties.is_some());
    text.push_str(" DELETE r");
    text
}

/// Writes the clause that gives a relationship new properties, key and all, where they are
/// `given`, and the time of this write. When it was made comes along with what it carries.
fn set<R: Relationship>(text: &mut String, variable: &str, given: bool) {
    let mut word = " SET ";
    if given {
        let _ = write!(text, "{word}{variable} += $p");
        for (index, key) in R::SCHEMA.keys().enumerate() {
            let _ = write!(text, ", {variable}.{} = $r{index}", escape(key.name));
        }
        word = ", ";
    }
    if let Some(updated) = stamps::updated(R::SCHEMA) {
        let _ = write!(text, "{word}{variable}.{} = $now", escape(updated));
    }
}

fn explanation(bound: &Bound, (new, old): (&KeyOf, &KeyOf), keyed: bool) -> String {
    let mut text = String::from("OPTIONAL MATCH ");
    ends::keyed(&mut text, "a", "a", bound.origin.key.schema);
    for (name, key) in [("b", new), ("c", old)] {
        text.push_str(" OPTIONAL MATCH ");
        ends::keyed(&mut text, name, name, key.schema);
    }
    let keys = if keyed { Keys::Values("$q") } else { Keys::Any };
    for (relationship, to, keys) in [("r", "c", keys), ("s", "b", Keys::Any)] {
        text.push_str(" OPTIONAL MATCH ");
        ends::step(&mut text, "a", relationship, bound.relation, keys);
        let _ = write!(text, "({to})");
    }
    text.push_str(
        " RETURN a IS NOT NULL AS source, b IS NOT NULL AS target, c IS NOT NULL AS known, \
         r IS NOT NULL AS here, s IS NOT NULL AS there LIMIT 1",
    );
    text
}
