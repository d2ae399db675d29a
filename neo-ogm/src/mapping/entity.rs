//! What a query finds and a relationship leads to: a node struct, or an enum of node structs.

use neo_bolt::packstream::{DecodeError, Decoder, EncodeError, Encoder};

use super::{KeyOf, Node, NodeSchema, decode_node};
use crate::executor::Graph;
use crate::query::LoadPlan;
use crate::relation::Visitor;

/// A type whose values are nodes of the graph: every [`Node`], and every enum of nodes that has
/// `#[derive(Nodes)]`.
///
/// Finders, relationship fields and columns take it; what writes a node takes a [`Node`], since a
/// write must know which struct it is about. Its contract:
///
/// * [`ENTITY`](Self::ENTITY) says which nodes are meant. A struct's are those of its label. An
///   enum's are those of its own label where it has one, and otherwise those that have the label
///   of a variant ([`NodeSchema::any_of`]).
/// * [`key`](Self::key) is the key of a value, and `key().schema` describes the *struct* that the
///   value is, also where the type is an enum: a statement that finds the node of a value uses
///   that one, and never `ENTITY`.
/// * [`decode`](Self::decode) reads a node and binds its relationship fields to the graph. Of an
///   enum it makes the variant whose labels the node has; where several fit, the one with the
///   most labels.
/// * [`load_related`](Self::load_related) is called once for each [`LoadPlan`] in the order of
///   the query, and reads exactly one value. An enum passes it to the struct that the plan
///   belongs to, and skips it where the value is another.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a node",
    label = "neither `#[derive(Node)]` nor `#[derive(Nodes)]` on this type",
    note = "put `#[derive(Node)]` on the struct and mark its identity with `#[node(key)]`",
    note = "for an enum of several node structs, put `#[derive(Nodes)]` on it"
)]
pub trait Entity: Sized + Send + Sync + 'static {
    /// What the type says of its nodes.
    const ENTITY: &'static NodeSchema;

    /// Reads one node and binds it to `graph`.
    ///
    /// # Errors
    /// The value is no node, is of none of the labels, or does not fit the struct.
    fn decode(decoder: &mut Decoder<'_>, graph: &Graph) -> Result<Self, DecodeError>;

    /// What identifies this value.
    ///
    /// # Errors
    /// A key value can't be sent at all, such as an integer beyond 64 signed bits.
    fn key(&self) -> Result<KeyOf, EncodeError>;

    /// The struct that this value is: that of [`key`](Self::key).
    fn own_schema(&self) -> &'static NodeSchema;

    /// Writes the value of the `index`-th key property of that struct.
    ///
    /// # Errors
    /// The value has no form in the dialect of the connection.
    fn encode_own_key(&self, index: usize, encoder: &mut Encoder<'_>) -> Result<(), EncodeError>;

    /// Shows the node, as the struct that it is, to somebody who saves it.
    fn visit<'v>(&'v self, visitor: &mut Visitor<'v>);

    /// Reads the related nodes of an eager load.
    ///
    /// # Errors
    /// A related node does not decode.
    fn load_related(
        &mut self,
        plan: &LoadPlan,
        decoder: &mut Decoder<'_>,
        graph: &Graph,
    ) -> Result<(), DecodeError>;
}

impl<N: Node> Entity for N {
    const ENTITY: &'static NodeSchema = N::SCHEMA;

    fn decode(decoder: &mut Decoder<'_>, graph: &Graph) -> Result<Self, DecodeError> {
        decode_node(decoder, graph)
    }

    fn key(&self) -> Result<KeyOf, EncodeError> {
        KeyOf::new(self)
    }

    fn own_schema(&self) -> &'static NodeSchema {
        N::SCHEMA
    }

    fn encode_own_key(&self, index: usize, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        self.encode_key(index, encoder)
    }

    fn visit<'v>(&'v self, visitor: &mut Visitor<'v>) {
        visitor.node(self);
    }

    fn load_related(
        &mut self,
        plan: &LoadPlan,
        decoder: &mut Decoder<'_>,
        graph: &Graph,
    ) -> Result<(), DecodeError> {
        N::load_relation(self, plan, decoder, graph)
    }
}
