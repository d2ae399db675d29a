//! Nodes and relationships on the wire, read in place.
//!
//! A mapper reads a header, then the property map with the decoder's own methods, then the
//! footer: one pass over the bytes, and nothing built in between.

use super::decode::{Decoder, Kind};
use super::error::DecodeError;
use super::marker::tag;

/// What stands before a node's properties.
#[derive(Debug, Clone)]
pub struct NodeHeader<'a> {
    /// The server's numeric identity.
    pub id: i64,
    /// The labels.
    pub labels: Labels<'a>,
    has_element_id: bool,
}

/// What stands before a relationship's properties.
#[derive(Debug, Clone)]
pub struct RelationshipHeader<'a> {
    /// The server's numeric identity.
    pub id: i64,
    /// The numeric identity of the start node.
    pub start_node_id: i64,
    /// The numeric identity of the end node.
    pub end_node_id: i64,
    /// The relationship's type.
    pub relationship_type: &'a str,
    has_element_ids: bool,
}

/// What stands behind a relationship's properties, from servers of Bolt 5.0 and later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelationshipFooter<'a> {
    /// The relationship's element id.
    pub element_id: &'a str,
    /// The start node's element id.
    pub start_node_element_id: &'a str,
    /// The end node's element id.
    pub end_node_element_id: &'a str,
}

/// The labels of a node, borrowed from the message.
#[derive(Debug, Clone)]
pub struct Labels<'a> {
    left: usize,
    decoder: Decoder<'a>,
}

impl<'a> Iterator for Labels<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.left = self.left.checked_sub(1)?;
        // They were checked when the header was read.
        self.decoder.string().ok()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<'a> Decoder<'a> {
    /// Reads a node up to its properties; the property map comes next.
    ///
    /// # Errors
    /// Something else than a node comes, or its bytes are broken.
    pub fn node_header(&mut self) -> Result<NodeHeader<'a>, DecodeError> {
        let fields = self.graph_structure(tag::NODE, "NODE", [3, 4])?;
        let id = self.integer()?;
        let left = self.list()?;
        let labels = Labels {
            left,
            decoder: self.clone(),
        };
        for _ in 0..left {
            self.string()?;
        }
        Ok(NodeHeader {
            id,
            labels,
            has_element_id: fields == 4,
        })
    }

    /// Reads what follows a node's properties: its element id, where the server sent one.
    ///
    /// # Errors
    /// The bytes are broken.
    pub fn node_footer(&mut self, header: &NodeHeader<'_>) -> Result<Option<&'a str>, DecodeError> {
        header.has_element_id.then(|| self.string()).transpose()
    }

    /// Reads a relationship up to its properties; the property map comes next.
    ///
    /// # Errors
    /// Something else than a relationship comes, or its bytes are broken.
    pub fn relationship_header(&mut self) -> Result<RelationshipHeader<'a>, DecodeError> {
        let fields = self.graph_structure(tag::RELATIONSHIP, "RELATIONSHIP", [5, 8])?;
        Ok(RelationshipHeader {
            id: self.integer()?,
            start_node_id: self.integer()?,
            end_node_id: self.integer()?,
            relationship_type: self.string()?,
            has_element_ids: fields == 8,
        })
    }

    /// Reads what follows a relationship's properties: element ids, where the server sent them.
    ///
    /// # Errors
    /// The bytes are broken.
    pub fn relationship_footer(
        &mut self,
        header: &RelationshipHeader<'_>,
    ) -> Result<Option<RelationshipFooter<'a>>, DecodeError> {
        if !header.has_element_ids {
            return Ok(None);
        }
        Ok(Some(RelationshipFooter {
            element_id: self.string()?,
            start_node_element_id: self.string()?,
            end_node_element_id: self.string()?,
        }))
    }

    fn graph_structure(
        &mut self,
        tag: u8,
        name: &'static str,
        sizes: [usize; 2],
    ) -> Result<usize, DecodeError> {
        if self.peek()? != Kind::Structure(tag) {
            return Err(self.unexpected(name));
        }
        let (_, fields) = self.structure()?;
        if sizes.contains(&fields) {
            Ok(fields)
        } else {
            Err(DecodeError::malformed(format!(
                "a {name} of {fields} fields"
            )))
        }
    }
}
