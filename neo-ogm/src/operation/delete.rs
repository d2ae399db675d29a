//! `delete`: a node and its relationships, gone.

use std::future::IntoFuture;

use neo_bolt::AccessMode;

use super::key::KeyParameters;
use crate::error::Error;
use crate::executor::{BoxFuture, Target};
use crate::mapping::{KeyOf, Node};
use crate::relation::keyed;

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

impl<'a, N: Node> Delete<'a, N> {
    pub(crate) fn new(node: &'a N, target: Target) -> Self {
        Self { node, target }
    }

    async fn run(self) -> Result<(), Error> {
        let key = KeyOf::new(self.node)?;
        let mut text = String::from("MATCH ");
        keyed(&mut text, "n", "k", N::SCHEMA);
        text.push_str(" DETACH DELETE n");
        self.target
            .execute(AccessMode::Write, text.into(), KeyParameters(&key))
            .await?;
        Ok(())
    }
}

impl<'a, N: Node> IntoFuture for Delete<'a, N> {
    type Output = Result<(), Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
