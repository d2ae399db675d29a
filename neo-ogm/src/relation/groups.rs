//! Far ends of several structs, as an enum of nodes has them: a statement for each struct, all of
//! them in one transaction.

use super::pairs::Row;
use crate::error::Error;
use crate::executor::{BoxFuture, Target};
use crate::mapping::{Entity, NodeSchema};

/// Rows whose far nodes are of one struct.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) target: &'static NodeSchema,
    /// Which of all rows, in the order in which they are written.
    pub(crate) order: Vec<usize>,
}

/// The rows by the structs of their far nodes, in the order in which those appear.
pub(crate) fn groups<S, T: Entity, R>(rows: &[Row<'_, S, T, R>], order: &[usize]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for index in order.iter().copied() {
        let Some(row) = rows.get(index) else { continue };
        let target = row.target.own_schema();
        match groups.iter_mut().find(|group| group.target == target) {
            Some(group) => group.order.push(index),
            None => groups.push(Group {
                target,
                order: vec![index],
            }),
        }
    }
    groups
}

/// Runs what takes `statements` statements: several of them in one transaction, be it one of its
/// own.
pub(crate) async fn together<'r>(
    target: &'r Target,
    statements: usize,
    run: impl Fn(Target) -> BoxFuture<'r, Result<(), Error>> + Send + Sync,
) -> Result<(), Error> {
    match target {
        Target::Graph(graph) if statements > 1 => {
            graph.transaction(|tx| run(Target::Transaction(tx))).await
        }
        _ => run(target.clone()).await,
    }
}
