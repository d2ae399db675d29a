//! `save`, `insert` and `update`: three ways to write one node.

use std::fmt::Write as _;
use std::future::IntoFuture;

use neo_bolt::AccessMode;
use neo_bolt::packstream::{EncodeError, Encoder, ToBolt};

use crate::error::{Error, ErrorKind};
use crate::executor::{BoxFuture, Target};
use crate::mapping::{KeyOf, Node};
use crate::query::escape;
use crate::relation::{Origin, keyed};

/// The property by which an insert knows its own earlier attempt.
pub(super) const TOKEN: &str = "_neo_ogm_insert";

/// The parameters of a write of one node, straight from the struct: `k0`… and `p`.
struct NodeParameters<'a, N> {
    node: &'a N,
    token: Option<&'a str>,
}

impl<N: Node> ToBolt for NodeParameters<'_, N> {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        let keys = N::SCHEMA.keys().count();
        encoder.map(keys + 1 + usize::from(self.token.is_some()))?;
        for index in 0..keys {
            encoder.string(&format!("k{index}"))?;
            self.node.encode_key(index, encoder)?;
        }
        if let Some(token) = self.token {
            encoder.string("token")?;
            encoder.string(token)?;
        }
        encoder.string("p")?;
        self.node.encode_properties(encoder)
    }
}

/// Writes the labels besides the one of the pattern: `, n:Product` goes on with a `SET`, and
/// ` REMOVE n:Featured` ends it. There are as many texts as there are combinations of optional
/// labels.
pub(super) fn labels<N: Node>(text: &mut String, node: &N) {
    created_labels(text, node);
    let set = node.optional_labels();
    let mut word = " REMOVE ";
    for (bit, of) in N::SCHEMA.optional_labels.iter().enumerate() {
        if set >> bit & 1 == 0 {
            let _ = write!(text, "{word}n:{}", escape(of.label));
            word = ", ";
        }
    }
}

/// The labels that a node has from its start.
pub(super) fn created_labels<N: Node>(text: &mut String, node: &N) {
    for label in N::SCHEMA.labels {
        let _ = write!(text, ", n:{}", escape(label));
    }
    let set = node.optional_labels();
    for (bit, of) in N::SCHEMA.optional_labels.iter().enumerate() {
        if set >> bit & 1 == 1 {
            let _ = write!(text, ", n:{}", escape(of.label));
        }
    }
}

/// Tells the node's relationship fields where they are.
pub(super) fn bind<N: Node>(node: &N, target: &Target) -> Result<(), Error> {
    if !N::SCHEMA.relations.is_empty() {
        node.bind(&Origin::new(node, target.graph())?);
    }
    Ok(())
}

macro_rules! writes {
    ($($(#[$doc:meta])* $name:ident => $run:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// # Cancel safety
        /// Dropping the future leaves graph and connection sound; the node may or may not have
        /// been written.
        #[derive(Debug)]
        #[must_use = "nothing is sent before `.await`"]
        pub struct $name<'a, N> {
            node: &'a N,
            target: Target,
        }

        impl<'a, N: Node> $name<'a, N> {
            pub(crate) fn new(node: &'a N, target: Target) -> Self {
                Self { node, target }
            }
        }

        impl<'a, N: Node> IntoFuture for $name<'a, N> {
            type Output = Result<(), Error>;
            type IntoFuture = BoxFuture<'a, Self::Output>;

            fn into_future(self) -> Self::IntoFuture {
                Box::pin($run(self.node, self.target))
            }
        }
    )*};
}

writes! {
    /// A save that waits to be awaited; see [`NodeExt::save`](super::NodeExt::save).
    Save => save;
    /// An insert that waits to be awaited; see [`NodeExt::insert`](super::NodeExt::insert).
    Insert => insert;
    /// An update that waits to be awaited; see [`NodeExt::update`](super::NodeExt::update).
    Update => update;
}

async fn save<N: Node>(node: &N, target: Target) -> Result<(), Error> {
    let mut text = String::from("MERGE ");
    keyed(&mut text, "n", "k", N::SCHEMA);
    text.push_str(" SET n += $p");
    labels(&mut text, node);
    let parameters = NodeParameters { node, token: None };
    target
        .execute(AccessMode::Write, text.into(), parameters)
        .await?;
    bind(node, &target)
}

async fn insert<N: Node>(node: &N, target: Target) -> Result<(), Error> {
    let mut text = String::from("MERGE ");
    keyed(&mut text, "n", "k", N::SCHEMA);
    let _ = write!(text, " ON CREATE SET n += $p, n.{TOKEN} = $token");
    // A node that is new has no label to remove.
    created_labels(&mut text, node);
    let _ = write!(text, " RETURN coalesce(n.{TOKEN} = $token, false) AS mine");
    let token = target.operation_token();
    let parameters = NodeParameters {
        node,
        token: Some(&token),
    };
    let done = target
        .execute(AccessMode::Write, text.into(), parameters)
        .await?;
    let mine = match done.records.first() {
        Some(record) => record.get_at::<bool>(0)?,
        None => false,
    };
    if !mine {
        return Err(Error::new(ErrorKind::AlreadyExists {
            key: KeyOf::new(node)?,
        }));
    }
    bind(node, &target)
}

async fn update<N: Node>(node: &N, target: Target) -> Result<(), Error> {
    let mut text = String::from("MATCH ");
    keyed(&mut text, "n", "k", N::SCHEMA);
    text.push_str(" SET n += $p");
    labels(&mut text, node);
    text.push_str(" RETURN 1 AS updated");
    let parameters = NodeParameters { node, token: None };
    let done = target
        .execute(AccessMode::Write, text.into(), parameters)
        .await?;
    if done.records.is_empty() {
        let key = KeyOf::new(node)?;
        return Err(Error::new(ErrorKind::NodeNotFound {
            key,
            operation: "update",
        }));
    }
    bind(node, &target)
}
