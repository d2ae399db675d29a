//! `save_all`, `insert_all`, `update_all` and `delete_all`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::future::IntoFuture;
use std::ops::Range;
use std::sync::Arc;

use neo_bolt::AccessMode;

use super::rows::NodeRows;
use super::run::{self, Options, Progress, options};
use crate::error::{Error, ErrorKind};
use crate::executor::{BoxFuture, Target};
use crate::mapping::{KeyOf, Node};
use crate::operation::write::{TOKEN, bind, created_labels, labels};
use crate::query::{raise, raised};
use crate::relation::keyed_by;
use crate::relation::pairs::{Failed, GUARD, sorted};

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident => $work:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// # Cancel safety
        /// Dropping the future leaves graph and connections sound; of the batches on their way
        /// each may or may not have been written.
        #[derive(Debug)]
        #[must_use = "nothing is sent before `.await`"]
        pub struct $name<'a, N> {
            nodes: Vec<&'a N>,
            target: Target,
            options: Options<'a>,
        }

        impl<'a, N: Node> $name<'a, N> {
            pub(super) fn new(nodes: impl IntoIterator<Item = &'a N>, target: Target) -> Self {
                Self {
                    nodes: nodes.into_iter().collect(),
                    target,
                    options: Options::default(),
                }
            }

            options!();
        }

        impl<'a, N: Node> IntoFuture for $name<'a, N> {
            type Output = Result<(), Error>;
            type IntoFuture = BoxFuture<'a, Self::Output>;

            fn into_future(self) -> Self::IntoFuture {
                Box::pin(run(Work::$work, self.nodes, self.target, self.options))
            }
        }
    )*};
}

operations! {
    /// A save of many nodes that waits to be awaited; see [`Graph::save_all`](crate::Graph::save_all).
    SaveAll => Save;
    /// An insert of many nodes that waits to be awaited; see
    /// [`Graph::insert_all`](crate::Graph::insert_all).
    InsertAll => Insert;
    /// An update of many nodes that waits to be awaited; see
    /// [`Graph::update_all`](crate::Graph::update_all).
    UpdateAll => Update;
    /// A delete of many nodes that waits to be awaited; see
    /// [`Graph::delete_all`](crate::Graph::delete_all).
    DeleteAll => Delete;
}

/// What is done with the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    Save,
    Insert,
    Update,
    Delete,
}

impl Work {
    /// Whether the statement may refuse a row, which it names by its number then.
    fn refuses(self) -> bool {
        matches!(self, Self::Insert | Self::Update)
    }
}

/// The statement for nodes that have the same optional labels as `example`.
fn statement<N: Node>(work: Work, example: &N) -> String {
    let mut text = String::from("UNWIND $rows AS row ");
    text.push_str(match work {
        Work::Save | Work::Insert => "MERGE ",
        Work::Update => "OPTIONAL MATCH ",
        Work::Delete => "MATCH ",
    });
    keyed_by(&mut text, "n", "row.k", N::SCHEMA);
    match work {
        Work::Save => {
            text.push_str(" SET n += row.p");
            labels(&mut text, example);
        }
        Work::Insert => {
            // Writing to a string does not fail.
            let _ = write!(
                text,
                " ON CREATE SET n += row.p, n.{TOKEN} = $token + toString(row.i)"
            );
            created_labels(&mut text, example);
            let _ = write!(
                text,
                " SET n.{GUARD} = CASE WHEN coalesce(n.{TOKEN} = $token + toString(row.i), false) THEN null ELSE "
            );
            raise(&mut text, "row.i", 'e');
            text.push_str(" END");
        }
        Work::Update => {
            text.push_str(" WITH row, n WHERE CASE WHEN n IS NULL THEN ");
            raise(&mut text, "row.i", 'n');
            text.push_str(" ELSE true END SET n += row.p");
            labels(&mut text, example);
        }
        Work::Delete => text.push_str(" DETACH DELETE n"),
    }
    text
}

async fn run<N: Node>(
    work: Work,
    nodes: Vec<&N>,
    target: Target,
    options: Options<'_>,
) -> Result<(), Error> {
    let groups = groups(&nodes);
    let (nodes, target) = (&nodes, &target);
    let mut progress = Progress::of(nodes.len());
    for group in &groups {
        let Some(example) = group.first().and_then(|first| nodes.get(*first)) else {
            continue;
        };
        let statement: &Arc<str> = &statement(work, *example).into();
        let batch = |range: Range<usize>| -> BoxFuture<'_, Result<(), Error>> {
            Box::pin(async move {
                let rows = group.get(range).unwrap_or_default();
                write(work, nodes, rows, target, statement).await?;
                let written = rows.iter().filter_map(|row| nodes.get(*row));
                if work != Work::Delete {
                    written.copied().try_for_each(|node| bind(node, target))?;
                }
                Ok(())
            })
        };
        options
            .run(group.len(), target, &mut progress, batch)
            .await?;
    }
    Ok(())
}

/// The nodes by their optional labels, since those stand in the statement's text: nearly always
/// all of them together.
fn groups<N: Node>(nodes: &[&N]) -> Vec<Vec<usize>> {
    if N::SCHEMA.optional_labels.is_empty() {
        return vec![(0..nodes.len()).collect()];
    }
    let mut groups: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate() {
        groups
            .entry(node.optional_labels())
            .or_default()
            .push(index);
    }
    groups.into_values().collect()
}

/// Writes one batch.
async fn write<N: Node>(
    work: Work,
    nodes: &[&N],
    rows: &[usize],
    target: &Target,
    statement: &Arc<str>,
) -> Result<(), Error> {
    let keys = N::SCHEMA.keys().count();
    let order = sorted(rows, |index, encoder| {
        nodes.get(index).map_or(Ok(()), |node| {
            (0..keys).try_for_each(|key| node.encode_key(key, encoder))
        })
    });
    let token = (work == Work::Insert).then(|| format!("{}/", target.operation_token()));
    let failed = Failed::default();
    let rows = |rows: usize| NodeRows {
        nodes,
        order: order.get(..rows).unwrap_or(&order),
        numbered: work.refuses(),
        properties: work != Work::Delete,
        token: token.as_deref(),
        failed: &failed,
    };
    let done = target
        .execute(AccessMode::Write, Arc::clone(statement), rows(order.len()))
        .await;
    let Err(error) = done else { return Ok(()) };
    if let Some(index) = failed.index() {
        return Err(Error::new(ErrorKind::Row { index, error }));
    }
    let Some((index, _)) = raised(&error) else {
        return Err(run::name_culprit(error, target, statement, &order, rows).await);
    };
    let Some(node) = nodes.get(index) else {
        return Err(error);
    };
    let key = KeyOf::new(*node)?;
    let error = Error::new(match work {
        Work::Insert => ErrorKind::AlreadyExists { key },
        _ => ErrorKind::NodeNotFound {
            key,
            operation: "update_all",
        },
    });
    Err(Error::new(ErrorKind::Row { index, error }))
}
