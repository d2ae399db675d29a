//! Nodes, relationships and paths as they stood when a query read them.

use super::{Map, Value};

/// A node of the graph.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Node {
    /// The server's numeric identity; deprecated by Neo4j in favour of `element_id`.
    pub id: i64,
    /// The server's identity of the node, valid within one transaction.
    ///
    /// Servers before Neo4j 5 send none; then it is the numeric identity as text.
    pub element_id: String,
    /// The node's labels, in no particular order.
    pub labels: Vec<String>,
    /// The node's properties.
    pub properties: Map,
}

impl Node {
    /// The property named `key`, if the node has it.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.properties.get(key)
    }
}

/// A relationship of the graph.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Relationship {
    /// The server's numeric identity; deprecated by Neo4j in favour of `element_id`.
    pub id: i64,
    /// The numeric identity of the node where the relationship starts.
    pub start_node_id: i64,
    /// The numeric identity of the node where the relationship ends.
    pub end_node_id: i64,
    /// The relationship's type.
    pub relationship_type: String,
    /// The relationship's properties.
    pub properties: Map,
    /// The server's identity of the relationship, valid within one transaction.
    pub element_id: String,
    /// The element id of the node where the relationship starts.
    pub start_node_element_id: String,
    /// The element id of the node where the relationship ends.
    pub end_node_element_id: String,
}

impl Relationship {
    /// The property named `key`, if the relationship has it.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.properties.get(key)
    }
}

/// One step of a [`Path`]: the relationship walked and the node reached.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// The relationship, with its own start and end whatever way it was walked.
    pub relationship: Relationship,
    /// The node that the step reached.
    pub node: Node,
}

/// A walk over the graph: a node, then any number of steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// Where the path begins.
    pub start: Node,
    /// The steps, in order; empty for a path of one node.
    pub segments: Vec<Segment>,
}

impl Path {
    /// The nodes in the order of the walk; a node that is passed twice is named twice.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        std::iter::once(&self.start).chain(self.segments.iter().map(|segment| &segment.node))
    }

    /// The relationships in the order of the walk.
    pub fn relationships(&self) -> impl Iterator<Item = &Relationship> {
        self.segments.iter().map(|segment| &segment.relationship)
    }

    /// Where the path ends.
    pub fn end(&self) -> &Node {
        self.segments
            .last()
            .map_or(&self.start, |segment| &segment.node)
    }
}
