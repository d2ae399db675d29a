//! The graph that a result shows: its nodes and relationships, each once.

use std::collections::HashSet;

use crate::value::{Node, Relationship, Value};

/// The nodes and relationships of a result, each once, wherever in its values they stand.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Graph {
    /// The nodes, in the order in which they first came.
    pub nodes: Vec<Node>,
    /// The relationships, in the order in which they first came.
    pub relationships: Vec<Relationship>,
}

/// Gathers a [`Graph`].
#[derive(Default)]
pub(crate) struct Gatherer {
    graph: Graph,
    seen_nodes: HashSet<String>,
    seen_relationships: HashSet<String>,
}

impl Gatherer {
    /// Takes what stands in `value`, which is nested no deeper than a message may be.
    pub(crate) fn take(&mut self, value: Value) {
        match value {
            Value::Node(node) => self.node(node),
            Value::Relationship(relationship) => self.relationship(relationship),
            Value::Path(path) => {
                self.node(path.start);
                for segment in path.segments {
                    self.relationship(segment.relationship);
                    self.node(segment.node);
                }
            }
            Value::List(values) => values.into_iter().for_each(|value| self.take(value)),
            Value::Map(entries) => entries.into_values().for_each(|value| self.take(value)),
            _ => {}
        }
    }

    fn node(&mut self, node: Node) {
        if self.seen_nodes.insert(node.element_id.clone()) {
            self.graph.nodes.push(node);
        }
    }

    fn relationship(&mut self, relationship: Relationship) {
        if self
            .seen_relationships
            .insert(relationship.element_id.clone())
        {
            self.graph.relationships.push(relationship);
        }
    }

    pub(crate) fn finish(self) -> Graph {
        self.graph
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_gathered_once_wherever_it_stands() {
        let node = |id: &str| Node {
            element_id: id.to_owned(),
            ..Node::default()
        };
        let relationship = Relationship {
            element_id: "r".to_owned(),
            ..Relationship::default()
        };
        let path = crate::value::Path {
            start: node("a"),
            segments: vec![crate::value::Segment {
                relationship: relationship.clone(),
                node: node("b"),
            }],
        };
        let mut gatherer = Gatherer::default();
        gatherer.take(Value::List(vec![Value::Node(node("b")), Value::Null]));
        gatherer.take(Value::Map(crate::params! { "path" => Value::Path(path) }));
        gatherer.take(Value::Relationship(relationship.clone()));
        let graph = gatherer.finish();
        assert_eq!(graph.nodes, [node("b"), node("a")]);
        assert_eq!(graph.relationships, [relationship]);
    }
}
