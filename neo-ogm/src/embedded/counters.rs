//! What a statement changed, as far as it is known.
//!
//! The engine does not count. Its statistics of labels and relationship types are compared
//! before and after, within the transaction; where that does not tell for sure (a statement that
//! both makes and deletes), the counter is left out. How many properties were set is never known.

use neo_bolt::server::Failure;
use neo_bolt::value::{Map, Value};

use super::engine::{Counts, Handle};
use super::facts::{Deleted, Facts};

/// The statistics before a statement.
pub(super) struct Before {
    counts: Counts,
    /// All nodes, counted one by one, where the statistics will not do.
    nodes: Option<i64>,
}

impl Before {
    pub(super) fn take(handle: &mut impl Handle, facts: &Facts) -> Result<Self, Failure> {
        let nodes = if must_count(facts) {
            Some(count_nodes(handle)?)
        } else {
            None
        };
        Ok(Self {
            counts: handle.counts()?,
            nodes,
        })
    }
}

/// Nodes without labels are in no statistics, and neither are nodes that lose or gain labels.
fn must_count(facts: &Facts) -> bool {
    let makes = labels_of_made(facts).is_none() && !facts.made_nodes.is_empty();
    let deletes = facts.deleted.contains(&Deleted::Unknown)
        || deleted_label(facts).is_none() && deletes_nodes(facts);
    let relabels = !facts.labels_set.is_empty() || facts.labels_removed;
    makes || deletes || (relabels && (!facts.made_nodes.is_empty() || deletes_nodes(facts)))
}

fn deletes_nodes(facts: &Facts) -> bool {
    facts
        .deleted
        .iter()
        .any(|deleted| *deleted != Deleted::Relationship)
}

/// How many labels each node has that the statement may make, if all have as many.
fn labels_of_made(facts: &Facts) -> Option<i64> {
    let (first, rest) = facts.made_nodes.split_first()?;
    let same = *first > 0 && rest.iter().all(|labels| labels == first);
    same.then(|| i64::try_from(*first).ok()).flatten()
}

/// The label that all nodes have which the statement may delete.
fn deleted_label(facts: &Facts) -> Option<&str> {
    let mut labels = facts
        .deleted
        .iter()
        .filter(|deleted| **deleted != Deleted::Relationship);
    let Some(Deleted::Node(first)) = labels.next() else {
        return None;
    };
    labels
        .all(|deleted| *deleted == Deleted::Node(first.clone()))
        .then_some(first)
}

fn count_nodes(handle: &mut impl Handle) -> Result<i64, Failure> {
    let rows = handle.run("MATCH (n) RETURN count(n) AS n", &Map::new())?;
    match rows.records.first().and_then(|record| record.first()) {
        Some(Value::Integer(count)) => Ok(*count),
        _ => Ok(0),
    }
}

/// The counters, by their names on the wire.
pub(super) fn since(
    handle: &mut impl Handle,
    facts: &Facts,
    before: Before,
) -> Result<Map, Failure> {
    let after = handle.counts()?;
    let nodes = match before.nodes {
        Some(count) => Some(count_nodes(handle)? - count),
        None => None,
    };
    Ok(counted(facts, &before.counts, &after, nodes))
}

fn counted(facts: &Facts, before: &Counts, after: &Counts, nodes: Option<i64>) -> Map {
    let sum = |of: &std::collections::BTreeMap<String, i64>| of.values().sum::<i64>();
    let labels = sum(&after.labels) - sum(&before.labels);
    let types = sum(&after.types) - sum(&before.types);
    let (makes_nodes, deletes_nodes) = (!facts.made_nodes.is_empty(), deletes_nodes(facts));
    let deletes = !facts.deleted.is_empty();
    let mut counters = Map::new();
    let mut add = |name: &str, count: i64| {
        if count > 0 {
            counters.insert(name.to_owned(), Value::Integer(count));
        }
    };
    if makes_nodes && !deletes_nodes {
        add(
            "nodes-created",
            nodes
                .or_else(|| Some(labels / labels_of_made(facts)?))
                .unwrap_or(0),
        );
    }
    if deletes_nodes && !makes_nodes {
        let of_label = deleted_label(facts).map(|label| {
            let label = super::names::encode(label);
            let count = |of: &Counts| of.labels.get(label.as_ref()).copied().unwrap_or(0);
            count(before) - count(after)
        });
        add(
            "nodes-deleted",
            nodes.map(|nodes| -nodes).or(of_label).unwrap_or(0),
        );
    }
    if facts.makes && !deletes {
        add("relationships-created", types);
    }
    if deletes && !facts.makes {
        add("relationships-deleted", -types);
    }
    let removes_labels = facts.labels_removed || deletes_nodes;
    if !removes_labels {
        add("labels-added", labels);
    } else if facts.labels_removed && !deletes_nodes && !makes_nodes && facts.labels_set.is_empty()
    {
        add("labels-removed", -labels);
    }
    if !counters.is_empty() {
        counters.insert("contains-updates".into(), Value::Boolean(true));
    }
    counters
}
