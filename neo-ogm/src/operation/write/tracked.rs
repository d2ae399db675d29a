//! Nodes that know what of them has changed.

use std::collections::BTreeMap;
use std::fmt;
use std::future::IntoFuture;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use bytes::BytesMut;
use neo_bolt::packstream::{DecodeError, Decoder, Dialect, EncodeError, Encoder, FromBolt};
use neo_bolt::value::{Map, Value};

use super::run::write;
use super::statement::Way;
use crate::error::Error;
use crate::executor::{BoxFuture, Executor, Target, current_attempt, operation};
use crate::mapping::{Kept, Node};

/// A node together with what the database has of it, so that
/// [`save_changes`](Self::save_changes) writes only what differs. It is made by
/// [`NodeExt::tracked`](crate::operation::NodeExt::tracked) of a node as it was found or saved, and
/// is used like the node itself.
///
/// ```
/// use neo_ogm::prelude::*;
///
/// #[derive(Node)]
/// struct Book {
///     #[node(key)]
///     isbn: String,
///     title: String,
///     pages: Option<u32>,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), neo_ogm::Error> {
/// let graph = Graph::in_memory().await?;
/// graph.save(&Book::new("978-0-14-303500-8", "Anna Karenina")).await?;
///
/// let book = Book::find_by_isbn("978-0-14-303500-8").one(&graph).await?;
/// let mut book = book.expect("it is saved").tracked();
/// book.pages = Some(864);
/// assert_eq!(book.changed(), ["pages"]);
/// book.save_changes(&graph).await?; // SET n += {pages: 864}
/// assert!(book.changed().is_empty());
/// # Ok(())
/// # }
/// ```
pub struct Tracked<N> {
    node: N,
    saved: Kept<Snapshot>,
}

/// What the database has of a node.
#[derive(Clone)]
struct Snapshot {
    /// The property map, as it is written.
    properties: Arc<[u8]>,
    labels: u64,
}

impl Snapshot {
    fn of<N: Node>(node: &N) -> Result<Self, EncodeError> {
        let mut buffer = BytesMut::new();
        node.encode_properties(&mut Encoder::new(&mut buffer, Dialect::NEWEST))?;
        Ok(Self {
            properties: buffer[..].into(),
            labels: node.optional_labels(),
        })
    }

    /// The entries of `now` that are not here, and those of here that are no longer there, as
    /// `NULL`.
    fn changes(&self, now: &Self) -> Result<Map, DecodeError> {
        let mut before = entries(&self.properties)?;
        let mut changes = Map::new();
        for (name, value) in entries(&now.properties)? {
            if before.remove(name) != Some(value) {
                let value = Value::from_bolt(&mut Decoder::new(value))?;
                changes.insert(name.to_owned(), value);
            }
        }
        changes.extend(
            before
                .into_keys()
                .map(|name| (name.to_owned(), Value::Null)),
        );
        Ok(changes)
    }
}

/// The entries of a property map, still encoded.
fn entries(properties: &[u8]) -> Result<BTreeMap<&str, &[u8]>, DecodeError> {
    let mut decoder = Decoder::new(properties);
    let count = decoder.map()?;
    (0..count)
        .map(|_| Ok((decoder.string()?, decoder.raw()?)))
        .collect()
}

impl<N: Node> Tracked<N> {
    pub(crate) fn new(node: N) -> Self {
        // What can't be encoded was never saved; then all of it is a change, and the save says why
        // it fails.
        let saved = Kept::new(Snapshot::of(&node).ok());
        // What was read or written in a transaction is not in the database before the commit.
        if let Some(attempt) = node.managed().attempt().or_else(current_attempt) {
            saved.pend(&attempt);
        }
        Self { node, saved }
    }

    /// The changes, and the node as it is now; `None` where nothing changed.
    fn changes(&self, on: Option<&Target>) -> Result<Option<(Map, Snapshot)>, Error> {
        let now = Snapshot::of(&self.node)?;
        let saved = match on {
            // While a transaction of another graph goes on, the node counts as it was given.
            Some(target) => {
                let saved = self.saved.seen_by(target.attempt());
                saved.or_else(|| self.saved.get())
            }
            None => self.saved.get(),
        };
        let saved = saved.unwrap_or_else(|| Snapshot {
            properties: Arc::new([0xA0]), // an empty map
            labels: !now.labels,
        });
        let changes = saved
            .changes(&now)
            .map_err(|error| Error::decode("the changes of a node", error))?;
        if changes.is_empty() && saved.labels == now.labels {
            return Ok(None);
        }
        Ok(Some((changes, now)))
    }

    /// The names of the properties that differ from what the database has, as far as is known
    /// here, in the order of the alphabet.
    pub fn changed(&self) -> Vec<String> {
        let changes = self.changes(None).ok().flatten();
        changes.map_or_else(Vec::new, |(changes, _)| changes.into_keys().collect())
    }

    /// Writes the properties that have changed, in one round trip; where nothing has, nothing is
    /// sent. Whether anything was sent.
    ///
    /// Properties that have not changed are left to whoever changes them in the meantime; to be
    /// told of that instead, give the node a [`Version`](crate::Version).
    ///
    /// # Errors
    /// [`NodeNotFound`](crate::ErrorKind::NodeNotFound) where the node is not in the database, or
    /// as [`NodeExt::save`](crate::operation::NodeExt::save).
    pub fn save_changes(&self, on: impl Executor) -> SaveChanges<'_, N> {
        SaveChanges {
            tracked: self,
            target: on.target(),
        }
    }

    /// The node alone.
    pub fn into_inner(self) -> N {
        self.node
    }
}

impl<N> Deref for Tracked<N> {
    type Target = N;

    fn deref(&self) -> &N {
        &self.node
    }
}

impl<N> DerefMut for Tracked<N> {
    fn deref_mut(&mut self) -> &mut N {
        &mut self.node
    }
}

impl<N: Clone> Clone for Tracked<N> {
    fn clone(&self) -> Self {
        Self {
            node: self.node.clone(),
            saved: self.saved.clone(),
        }
    }
}

impl<N: fmt::Debug> fmt::Debug for Tracked<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.fmt(f)
    }
}

/// A write of changes that waits to be awaited; see [`Tracked::save_changes`].
///
/// # Cancel safety
/// Dropping the future leaves graph and connection sound; the changes may or may not have been
/// written, all of them together.
#[derive(Debug)]
#[must_use = "nothing is sent before `.await`"]
pub struct SaveChanges<'a, N> {
    tracked: &'a Tracked<N>,
    target: Target,
}

impl<N: Node> SaveChanges<'_, N> {
    async fn run(self) -> Result<bool, Error> {
        let Self { tracked, target } = self;
        let Some((changes, now)) = tracked.changes(Some(&target))? else {
            return Ok(false);
        };
        write(&tracked.node, &target, Way::Change(&changes), false).await?;
        tracked.saved.put(target.attempt(), now);
        Ok(true)
    }
}

impl<'a, N: Node> IntoFuture for SaveChanges<'a, N> {
    type Output = Result<bool, Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        operation(self.run())
    }
}
