//! What a program wants done before and after its nodes and relationships are written.

use std::future::{Future, ready};

use crate::error::Error;
use crate::executor::{BoxFuture, Executor, Target};
use neo_bolt::CommitOutcome;
use neo_bolt::packstream::DecodeError;

use super::Node;

/// What an operation does to a node or a relationship.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// `save`, of one node or of many: makes it, or sets its properties.
    Save,
    /// `insert`: makes a node that must be new.
    Insert,
    /// `get_or_create`: makes it, or leaves it as it is.
    GetOrCreate,
    /// `update` and `save_changes`: sets properties of a node that must be there.
    Update,
    /// `delete`.
    Delete,
    /// `connect`.
    Connect,
    /// `replace`.
    Replace,
    /// `disconnect`.
    Disconnect,
}

/// Where a hook is called from. It stands for the graph or the transaction that the operation runs
/// on: a hook may pass it to operations of its own.
#[derive(Debug, Clone)]
pub struct HookContext {
    target: Target,
    operation: Operation,
}

impl HookContext {
    pub(crate) fn new(target: &Target, operation: Operation) -> Self {
        Self {
            target: target.clone(),
            operation,
        }
    }

    /// What is being done.
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// Whether it is being done within a unit of work. If not, what the hook itself does in the
    /// database is a transaction of its own.
    pub fn in_transaction(&self) -> bool {
        matches!(self.target, Target::Transaction(_))
    }
}

impl Executor for HookContext {
    fn target(&self) -> Target {
        self.target.clone()
    }
}

/// What is done before and after a node is written, deleted or read; for structs with
/// `#[node(hooks)]`. Each method does nothing unless it is written.
///
/// A hook that returns an error refuses: before a write, nothing is sent. An error *after* a write
/// is the operation's error, too, but undoes it only where a unit of work is rolled back by it; else
/// its [`commit_outcome`](Error::commit_outcome) is `Committed`.
/// Hooks are called once for an operation on a graph handle, however often that is tried, and once
/// in each attempt of a unit of work. Validation comes first.
///
/// ```
/// use neo_ogm::prelude::*;
/// use neo_ogm::mapping::HookContext;
///
/// #[derive(Node, Debug)]
/// #[node(hooks)]
/// struct Book {
///     #[node(key)]
///     isbn: String,
///     title: String,
/// }
///
/// impl Hooks for Book {
///     async fn before_save(&self, _: &HookContext) -> Result<(), neo_ogm::Error> {
///         if self.title.is_empty() {
///             return Err(neo_ogm::Error::abort("a book has a title"));
///         }
///         Ok(())
///     }
///
///     async fn after_create(&self, cx: &HookContext) -> Result<(), neo_ogm::Error> {
///         cx.cypher("MERGE (c:Counter {name: 'books'}) SET c.count = coalesce(c.count, 0) + 1")
///             .execute(cx)
///             .await?;
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), neo_ogm::Error> {
/// let graph = Graph::in_memory().await?;
/// graph.save(&Book::new("1", "Anna Karenina")).await?;
/// let error = graph.save(&Book::new("2", "")).await.unwrap_err();
/// assert_eq!(error.to_string(), "a book has a title");
/// assert_eq!(Book::find().count(&graph).await?, 1);
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has `#[node(hooks)]` and no hooks",
    label = "`Hooks` is not implemented for this struct",
    note = "write `impl Hooks for {Self}` with those methods that you need, or take `hooks` away"
)]
pub trait Hooks: Node {
    /// Before the node is written, in whatever way.
    fn before_save(&self, cx: &HookContext) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = cx;
        ready(Ok(()))
    }

    /// After the node was written, in whatever way.
    fn after_save(&self, cx: &HookContext) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = cx;
        ready(Ok(()))
    }

    /// Before an `insert`, which makes the node or fails. Whether another write will make the node
    /// is not known before it was sent.
    fn before_create(&self, cx: &HookContext) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = cx;
        ready(Ok(()))
    }

    /// After a write that made the node; before `after_save`.
    fn after_create(&self, cx: &HookContext) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = cx;
        ready(Ok(()))
    }

    /// Before the node is deleted.
    fn before_delete(&self, cx: &HookContext) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = cx;
        ready(Ok(()))
    }

    /// After the node was deleted.
    fn after_delete(&self, cx: &HookContext) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = cx;
        ready(Ok(()))
    }

    /// When the node was read, by a finder, an eager load or raw Cypher: it may fill fields that
    /// the database does not have. It is not async, since it runs for each node of a result.
    ///
    /// # Errors
    /// The node is not to be used; the read fails with this message.
    fn after_load(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

/// What is done before and after a relationship is written; for structs with
/// `#[relationship(hooks)]`. As [`Hooks`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` has `#[relationship(hooks)]` and no hooks",
    label = "`RelationshipHooks` is not implemented for this struct",
    note = "write `impl RelationshipHooks for {Self}` with those methods that you need, or take `hooks` away"
)]
pub trait RelationshipHooks: super::Relationship {
    /// Before the relationship is made, or its properties are set.
    fn before_connect(&self, cx: &HookContext) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = cx;
        ready(Ok(()))
    }

    /// After the relationship was made, or its properties were set.
    fn after_connect(&self, cx: &HookContext) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = cx;
        ready(Ok(()))
    }

    /// Before relationships of this struct are taken away; what they carry has not been read.
    fn before_disconnect(cx: &HookContext) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = cx;
        ready(Ok(()))
    }

    /// After relationships of this struct were taken away.
    fn after_disconnect(cx: &HookContext) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = cx;
        ready(Ok(()))
    }

    /// When a relationship was read.
    ///
    /// # Errors
    /// It is not to be used; the read fails with this message.
    fn after_load(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

/// Which hook of a node is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeEvent {
    /// [`Hooks::before_save`].
    BeforeSave,
    /// [`Hooks::after_save`].
    AfterSave,
    /// [`Hooks::before_create`].
    BeforeCreate,
    /// [`Hooks::after_create`].
    AfterCreate,
    /// [`Hooks::before_delete`].
    BeforeDelete,
    /// [`Hooks::after_delete`].
    AfterDelete,
}

/// Which hook of a relationship is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelationshipEvent {
    /// [`RelationshipHooks::before_connect`]; needs the struct.
    BeforeConnect,
    /// [`RelationshipHooks::after_connect`]; needs the struct.
    AfterConnect,
    /// [`RelationshipHooks::before_disconnect`].
    BeforeDisconnect,
    /// [`RelationshipHooks::after_disconnect`].
    AfterDisconnect,
}

/// Calls a hook; what `#[node(hooks)]` makes of [`Node::hook`].
#[doc(hidden)]
pub fn node_hook<'a, N: Hooks>(
    node: &'a N,
    event: NodeEvent,
    cx: &'a HookContext,
) -> BoxFuture<'a, Result<(), Error>> {
    match event {
        NodeEvent::BeforeSave => Box::pin(node.before_save(cx)),
        NodeEvent::AfterSave => after(cx, node.after_save(cx)),
        NodeEvent::BeforeCreate => Box::pin(node.before_create(cx)),
        NodeEvent::AfterCreate => after(cx, node.after_create(cx)),
        NodeEvent::BeforeDelete => Box::pin(node.before_delete(cx)),
        NodeEvent::AfterDelete => after(cx, node.after_delete(cx)),
    }
}

/// Calls a hook; what `#[relationship(hooks)]` makes of
/// [`Relationship::hook`](super::Relationship::hook).
#[doc(hidden)]
pub fn relationship_hook<'a, R: RelationshipHooks>(
    carried: Option<&'a R>,
    event: RelationshipEvent,
    cx: &'a HookContext,
) -> BoxFuture<'a, Result<(), Error>> {
    match (event, carried) {
        (RelationshipEvent::BeforeConnect, Some(carried)) => Box::pin(carried.before_connect(cx)),
        (RelationshipEvent::AfterConnect, Some(carried)) => after(cx, carried.after_connect(cx)),
        (RelationshipEvent::BeforeDisconnect, _) => Box::pin(R::before_disconnect(cx)),
        (RelationshipEvent::AfterDisconnect, _) => after(cx, R::after_disconnect(cx)),
        (RelationshipEvent::BeforeConnect | RelationshipEvent::AfterConnect, None) => {
            Box::pin(ready(Ok(())))
        }
    }
}

/// A hook that comes after a write: where that was a transaction of its own, the hook's error can't
/// undo it, and says so.
fn after<'a>(
    cx: &'a HookContext,
    hook: impl Future<Output = Result<(), Error>> + Send + 'a,
) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(async move {
        hook.await.map_err(|error| match cx.in_transaction() {
            false => error.with_commit_outcome(CommitOutcome::Committed),
            true => error,
        })
    })
}

/// The error of an `after_load`, as one of decoding.
#[doc(hidden)]
pub fn load_refused(error: &Error) -> DecodeError {
    DecodeError::custom(error)
}
