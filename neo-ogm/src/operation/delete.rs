//! `delete`: a node and its relationships, gone.

use std::future::IntoFuture;

use neo_bolt::AccessMode;
use neo_bolt::packstream::{EncodeError, Encoder, ToBolt};

use super::key::KeyParameters;
use super::write::{delete, version_of};
use crate::error::{Error, ErrorKind};
use crate::executor::{BoxFuture, Target};
use crate::mapping::{HookContext, KeyOf, Node, NodeEvent, Operation};
use crate::relation::key_parameters;

/// A delete that waits to be awaited; see [`NodeExt::delete`](super::NodeExt::delete).
///
/// # Cancel safety
/// Dropping the future leaves graph and connection sound; the node may or may not be gone.
#[derive(Debug)]
#[must_use = "nothing is sent before `.await`"]
pub struct Delete<'a, N> {
    node: &'a N,
    target: Target,
}

/// The parameters: `k0`…, and `v` where the node has a version.
struct Parameters<'a> {
    key: &'a KeyOf,
    version: Option<i64>,
}

impl ToBolt for Parameters<'_> {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.map(self.key.values().len() + usize::from(self.version.is_some()))?;
        key_parameters(encoder, "k", self.key)?;
        if let Some(version) = self.version {
            encoder.string("v")?;
            encoder.integer(version);
        }
        Ok(())
    }
}

impl<'a, N: Node> Delete<'a, N> {
    pub(crate) fn new(node: &'a N, target: Target) -> Self {
        Self { node, target }
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
        let version = self.node.managed().version;
        let expected = version.map(|version| version.0.seen_by(self.target.attempt()));
        let parameters = Parameters {
            key: &key,
            version: expected.map(|expected| expected.unwrap_or(0)),
        };
        let statement = delete(N::SCHEMA).into();
        let done = self
            .target
            .execute(AccessMode::Write, statement, parameters)
            .await?;
        match expected {
            Some(expected) if done.records.is_empty() => self.why_nothing(key, expected).await,
            _ => Ok(()),
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

impl<'a, N: Node> IntoFuture for Delete<'a, N> {
    type Output = Result<(), Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
