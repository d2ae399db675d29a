//! `refresh`: a node as it is now.

use std::future::IntoFuture;

use neo_bolt::AccessMode;

use super::key::KeyParameters;
use crate::error::{Error, ErrorKind};
use crate::executor::{BoxFuture, Target};
use crate::mapping::{KeyOf, Node, decode_node};
use crate::relation::keyed;

/// A refresh that waits to be awaited; see [`NodeExt::refresh`](super::NodeExt::refresh).
///
/// # Cancel safety
/// Dropping the future leaves the struct as it was.
#[derive(Debug)]
#[must_use = "nothing is sent before `.await`"]
pub struct Refresh<'a, N> {
    node: &'a mut N,
    target: Target,
}

impl<'a, N: Node> Refresh<'a, N> {
    pub(crate) fn new(node: &'a mut N, target: Target) -> Self {
        Self { node, target }
    }

    async fn run(self) -> Result<(), Error> {
        let key = KeyOf::new(self.node)?;
        let mut text = String::from("MATCH ");
        keyed(&mut text, "n", "k", N::SCHEMA);
        text.push_str(" RETURN n LIMIT 1");
        let parameters = KeyParameters(&key);
        let found = self
            .target
            .execute(AccessMode::Read, text.into(), parameters)
            .await?;
        let Some(record) = found.records.first() else {
            return Err(Error::new(ErrorKind::NodeNotFound {
                key,
                operation: "refresh",
            }));
        };
        let node: N = decode_node(&mut record.raw_fields(), self.target.graph())
            .map_err(|error| Error::decode("", error))?;
        node.managed().falls_back_to(&self.node.managed());
        *self.node = node;
        Ok(())
    }
}

impl<'a, N: Node> IntoFuture for Refresh<'a, N> {
    type Output = Result<(), Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
