//! `delete`: a node and its relationships, gone.

use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;

use neo_bolt::AccessMode;

use super::key::KeyParameters;
use super::write::{of_role, version_of};
use crate::error::{Error, ErrorKind};
use crate::executor::{BoxFuture, Target, WriteStatement, operation};
use crate::mapping::{HookContext, KeyOf, Node, NodeEvent, Operation, PropertyRole};
use crate::query::{Cypher, LoadPlan, Loadable, Parameter, Parameters, escape, raise, raised};
use crate::relation::{lock, values};

/// A delete that waits to be awaited; see [`NodeExt::delete`](super::NodeExt::delete). One
/// statement, one round trip.
///
/// ```
/// # use neo_ogm::prelude::*;
/// # #[derive(Node)]
/// # struct Book { #[node(key)] isbn: String,
/// #     #[relationship(type = "HAS")] chapters: Many<Chapter> }
/// # #[derive(Node)] struct Chapter { #[node(key)] id: String }
/// # #[tokio::main] async fn main() -> Result<(), neo_ogm::Error> {
/// # let graph = Graph::in_memory().await?;
/// # let (book, chapter) = (Book::new("1"), Chapter::new("1/1"));
/// # book.save(&graph).await?; chapter.save(&graph).await?;
/// # book.chapters.connect(&chapter).await?;
/// assert!(book.delete(&graph).restrict().await.is_err()); // it has a chapter
/// book.delete(&graph).cascade(Book::CHAPTERS).await?; // the chapters go along
/// assert!(!Chapter::find().exists(&graph).await?);
/// # Ok(()) }
/// ```
///
/// # Cancel safety
/// Dropping the future leaves graph and connection sound; the node may or may not be gone.
#[must_use = "nothing is sent before `.await`"]
pub struct Delete<'a, N> {
    node: &'a N,
    target: Target,
    restrict: bool,
    cascade: Vec<LoadPlan>,
}

impl<N> fmt::Debug for Delete<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delete")
            .field("restrict", &self.restrict)
            .field("cascade", &self.cascade)
            .finish_non_exhaustive()
    }
}

impl<'a, N: Node> Delete<'a, N> {
    pub(crate) fn new(node: &'a N, target: Target) -> Self {
        Self {
            node,
            target,
            restrict: false,
            cascade: Vec::new(),
        }
    }

    /// Refuses where the node has a relationship, of whatever type and way; with
    /// [`cascade`](Self::cascade), where it has others than to nodes that go along.
    ///
    /// # Errors
    /// [`ErrorKind::HasRelationships`]; then nothing is deleted.
    pub fn restrict(mut self) -> Self {
        self.restrict = true;
        self
    }

    /// Deletes along what a relationship leads to, and deeper by
    /// `Book::CHAPTERS.then(Chapter::NOTES)`; called again, further relationships. Those nodes go
    /// with all their relationships.
    pub fn cascade(mut self, relation: impl Loadable<N>) -> Self {
        self.cascade.push(relation.into_plan());
        self
    }

    async fn run(self) -> Result<(), Error> {
        if !N::HOOKS {
            return self.send().await;
        }
        let cx = HookContext::new(&self.target, Operation::Delete);
        self.node.hook(NodeEvent::BeforeDelete, &cx).await?;
        self.send().await?;
        self.node.hook(NodeEvent::AfterDelete, &cx).await
    }

    async fn send(&self) -> Result<(), Error> {
        let key = KeyOf::new(self.node)?;
        let values = values::of_node(&key);
        let version = self.node.managed().version;
        let expected = version.map(|version| version.0.seen_by(self.target.attempt()));
        let known: Option<Parameter> =
            expected.map(|expected| Arc::new(expected.unwrap_or(0)) as Parameter);
        let mut parameters = Parameters::default();
        let mut cypher = Cypher::new(&mut parameters);
        cypher.push("MATCH ");
        values::node(&mut cypher, "n", N::SCHEMA, &values);
        if self.restrict || known.is_some() {
            // Nobody connects or writes the node in between.
            let mut text = String::new();
            lock(&mut text, "n");
            cypher.push(&text);
            cypher.push(" WITH n");
        }
        if let Some(known) = &known {
            let name = of_role(N::SCHEMA, PropertyRole::Version).unwrap_or_default();
            cypher.push(&format!(" WHERE coalesce(n.{}, 0) = ", escape(name)));
            cypher.value(known);
        }
        self.take_along(&mut cypher);
        if self.restrict {
            let mut text = String::from(" WITH n WHERE CASE WHEN EXISTS { MATCH (n)--() } THEN ");
            raise(&mut text, "0 * size(labels(n))", 'h');
            text.push_str(" ELSE true END");
            cypher.push(&text);
        }
        cypher.push(" DETACH DELETE n");
        let mut statement = WriteStatement::new(cypher.finish());
        statement.column("deleted", "1");
        let done = self.target.write(&statement, parameters).await;
        match done {
            Err(error) if raised(&error).is_some() => {
                Err(Error::new(ErrorKind::HasRelationships { node: key }))
            }
            Err(error) => Err(error),
            Ok(done) => match expected {
                Some(expected) if done.records.is_empty() => self.why_nothing(key, expected).await,
                _ => Ok(()),
            },
        }
    }

    /// Writes the clauses that delete what a cascade leads to.
    fn take_along<'c>(&'c self, cypher: &mut Cypher<'_, 'c>) {
        for plan in &self.cascade {
            cypher.push(" OPTIONAL MATCH ");
            let mut doomed = Vec::new();
            walk(cypher, "n", plan, &mut doomed);
            let collected: Vec<_> = doomed
                .iter()
                .map(|name| format!("collect(DISTINCT {name})"))
                .collect();
            cypher.push(&format!(" WITH n, {} AS xs", collected.join(" + ")));
            cypher.push(
                " UNWIND CASE size(xs) WHEN 0 THEN [null] ELSE xs END AS x DETACH DELETE x \
                 WITH DISTINCT n",
            );
        }
    }

    /// Either the node is gone already, or it has another version.
    async fn why_nothing(&self, key: KeyOf, expected: Option<i64>) -> Result<(), Error> {
        let question = version_of(N::SCHEMA).into();
        let found = self
            .target
            .execute(AccessMode::Write, question, KeyParameters(&key))
            .await?;
        let Some(record) = found.records.first() else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::VersionConflict {
            node: key,
            expected,
            found: Some(record.get_at(0)?),
        }))
    }
}

/// Writes the patterns that a cascade goes over, and names the nodes at their ends.
fn walk<'c>(cypher: &mut Cypher<'_, 'c>, from: &str, plan: &'c LoadPlan, doomed: &mut Vec<String>) {
    let id = cypher.fresh();
    let (r, m) = (format!("r{id}"), format!("m{id}"));
    cypher.hop(from, &r, &plan.hop, &m);
    cypher.hop_conditions(&r, &plan.hop, &m);
    doomed.push(m.clone());
    for next in &plan.next {
        cypher.push(" OPTIONAL MATCH ");
        walk(cypher, &m, next, doomed);
    }
}

impl<'a, N: Node> IntoFuture for Delete<'a, N> {
    type Output = Result<(), Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        operation(self.run())
    }
}
