//! The writes as operations that wait to be awaited.

use std::future::IntoFuture;

use neo_bolt::packstream::{DecodeError, Decoder, FromBolt};
use neo_bolt::value::DateTime;
use neo_bolt::{AccessMode, EagerResult, Record};

use super::statement::{Way, Write, version_of};
use crate::error::{Error, ErrorKind};
use crate::executor::{BoxFuture, Target, operation};
use crate::mapping::{HookContext, KeyOf, Node, NodeEvent, Operation, check_node, decode_node};
use crate::operation::key::KeyParameters;
use crate::relation::Origin;

/// Tells the node's relationship fields where they are.
pub(in crate::operation) fn bind<N: Node>(node: &N, target: &Target) -> Result<(), Error> {
    if !N::SCHEMA.relations.is_empty() {
        node.bind(Origin::written(node, target.graph())?);
    }
    Ok(())
}

/// Writes a node: rules, hooks, statement, hooks. Whether it is new, where that was to be known.
pub(super) async fn write<N: Node>(
    node: &N,
    target: &Target,
    way: Way<'_>,
    wants_created: bool,
) -> Result<bool, Error> {
    let hooks = before(node, target, way).await?;
    let write = prepare(node, target, way, wants_created);
    let done = send(&write, target).await?;
    let record = done.records.first();
    if record.is_none() && write.returns() {
        return Err(why_nothing(&write, target).await?);
    }
    let created = match record {
        Some(record) if write.returns_created() => record.get_at(0)?,
        _ => false,
    };
    if matches!(way, Way::Insert) && !created {
        // The struct learns nothing of the node that exists, so that a later save is refused, too.
        return Err(Error::new(ErrorKind::AlreadyExists {
            key: KeyOf::new(node)?,
        }));
    }
    match record {
        Some(record) => settle(&write, record, target)?,
        None => settle_times(&write, None, target),
    }
    bind(node, target)?;
    after(node, hooks, created).await?;
    Ok(created)
}

/// Rules, and the hooks that come first.
async fn before<N: Node>(
    node: &N,
    target: &Target,
    way: Way<'_>,
) -> Result<Option<HookContext>, Error> {
    check_node(node)?;
    if !N::HOOKS {
        return Ok(None);
    }
    let operation = match way {
        Way::Save => Operation::Save,
        Way::Insert => Operation::Insert,
        Way::GetOrCreate => Operation::GetOrCreate,
        Way::Update | Way::Change(_) => Operation::Update,
    };
    let cx = HookContext::new(target, operation);
    node.hook(NodeEvent::BeforeSave, &cx).await?;
    if operation == Operation::Insert {
        node.hook(NodeEvent::BeforeCreate, &cx).await?;
    }
    Ok(Some(cx))
}

/// The hooks that come last.
async fn after<N: Node>(node: &N, cx: Option<HookContext>, created: bool) -> Result<(), Error> {
    if let Some(cx) = cx {
        if created {
            node.hook(NodeEvent::AfterCreate, &cx).await?;
        }
        node.hook(NodeEvent::AfterSave, &cx).await?;
    }
    Ok(())
}

fn prepare<'a, N: Node>(
    node: &'a N,
    target: &Target,
    way: Way<'a>,
    wants_created: bool,
) -> Write<'a, N> {
    let managed = node.managed();
    let version = managed.version;
    Write {
        node,
        way,
        expected: version.and_then(|version| version.0.seen_by(target.attempt())),
        wants_created: wants_created || N::HOOKS,
        now: target.time(),
        managed,
    }
}

async fn send<N: Node>(write: &Write<'_, N>, target: &Target) -> Result<EagerResult, Error> {
    target.write(&write.statement(), write.parameters()).await
}

/// Puts what came back into the struct's cells.
fn settle<N: Node>(write: &Write<'_, N>, record: &Record, target: &Target) -> Result<(), Error> {
    let mut at = usize::from(write.returns_created());
    if let Some(id) = write.managed.element_id {
        id.0.put(target.attempt(), record.get_at::<String>(at)?.into());
        at += 1;
    }
    let created = match write.managed.created_at {
        // A node that was made before the struct had the field has none.
        Some(_) => record.get_at::<Option<DateTime>>(at)?,
        None => None,
    };
    settle_times(write, created, target);
    if let Some(version) = write.managed.version {
        let written = match write.way.creates_only() {
            true => 1,
            false => write.expected.unwrap_or(0) + 1,
        };
        version.0.put(target.attempt(), written);
    }
    Ok(())
}

fn settle_times<N: Node>(write: &Write<'_, N>, created: Option<DateTime>, target: &Target) {
    if let (Some(cell), Some(created)) = (write.managed.created_at, created) {
        cell.0.put(target.attempt(), created);
    }
    if let Some(cell) = write.managed.updated_at {
        cell.0.put(target.attempt(), write.now.clone());
    }
}

/// Finds out why a statement wrote nothing: the node is not in the database, or it has another
/// version. It costs a second round trip, and only on the way to an error.
async fn why_nothing<N: Node>(write: &Write<'_, N>, target: &Target) -> Result<Error, Error> {
    let key = KeyOf::new(write.node)?;
    let found = match write.is_checked() {
        false => None,
        true => {
            let version = version_of(N::SCHEMA).into();
            let parameters = KeyParameters(&key);
            let found = target
                .execute(AccessMode::Write, version, parameters)
                .await?;
            let record = found.records.first();
            record.map(|record| record.get_at(0)).transpose()?
        }
    };
    Ok(Error::new(match (found, write.expected) {
        (None, None) => ErrorKind::NodeNotFound {
            key,
            operation: "update",
        },
        (None, Some(_)) if write.way.must_exist() => ErrorKind::NodeNotFound {
            key,
            operation: "update",
        },
        (found, expected) => ErrorKind::VersionConflict {
            node: key,
            expected,
            found,
        },
    }))
}

async fn get_or_create<N: Node>(node: &N, target: Target) -> Result<(N, bool), Error> {
    let hooks = before(node, &target, Way::GetOrCreate).await?;
    let write = prepare(node, &target, Way::GetOrCreate, true);
    let (found, created) = loop {
        let done = send(&write, &target).await?;
        let Some(record) = done.records.first() else {
            let key = KeyOf::new(node)?;
            let operation = "get_or_create";
            return Err(Error::new(ErrorKind::NodeNotFound { key, operation }));
        };
        let mut decoder = record.raw_fields();
        let created = bool::from_bolt(&mut decoder);
        let created = created.map_err(|error| Error::decode("", error))?;
        let found = match (done.is_recovered(), created) {
            (false, _) => {
                let skipped = decoder.skip();
                skipped.and_then(|()| decode_node::<N>(&mut decoder, target.graph()))
            }
            // The node is not stored with the receipt, but it is known what was written.
            (true, true) => write
                .created_node(record.get_at(1)?)
                .map_err(DecodeError::custom)
                .and_then(|node| decode_node(&mut Decoder::new(&node), target.graph())),
            // Nothing was written, so the node can be read by another attempt.
            (true, false) => continue,
        };
        break (found.map_err(|error| Error::decode("", error))?, created);
    };
    if created {
        after(&found, hooks, true).await?;
    }
    Ok((found, created))
}

macro_rules! writes {
    ($($(#[$doc:meta])* $name:ident => $run:expr, $output:ty;)*) => {$(
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
            type Output = Result<$output, Error>;
            type IntoFuture = BoxFuture<'a, Self::Output>;

            fn into_future(self) -> Self::IntoFuture {
                let run = $run;
                operation(run(self.node, self.target))
            }
        }
    )*};
}

writes! {
    /// A save that waits to be awaited; see [`NodeExt::save`](crate::operation::NodeExt::save).
    Save => async |node, target| {
        write(node, &target, Way::Save, false).await.map(|_| ())
    }, ();
    /// An insert that waits to be awaited; see
    /// [`NodeExt::insert`](crate::operation::NodeExt::insert).
    Insert => async |node, target| {
        write(node, &target, Way::Insert, false).await.map(|_| ())
    }, ();
    /// An update that waits to be awaited; see
    /// [`NodeExt::update`](crate::operation::NodeExt::update).
    Update => async |node, target| {
        write(node, &target, Way::Update, false).await.map(|_| ())
    }, ();
    /// A save that says whether the node is new; see
    /// [`NodeExt::create_or_update`](crate::operation::NodeExt::create_or_update).
    CreateOrUpdate => async |node, target| write(node, &target, Way::Save, true).await, bool;
    /// A write of a node where it is not there, which gives the node as it is; see
    /// [`NodeExt::get_or_create`](crate::operation::NodeExt::get_or_create).
    GetOrCreate => get_or_create, (N, bool);
}
