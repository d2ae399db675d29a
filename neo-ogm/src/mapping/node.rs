//! The trait behind `#[derive(Node)]`.

use std::fmt;
use std::sync::Arc;

use bytes::BytesMut;
use neo_bolt::packstream::{DecodeError, Decoder, Dialect, EncodeError, Encoder, FromBolt, ToBolt};
use neo_bolt::value::Value;

use super::{HookContext, Managed, NodeEvent, NodeSchema, Violations};
use crate::error::Error;
use crate::executor::{BoxFuture, Graph};
use crate::query::LoadPlan;
use crate::relation::{Origin, Visitor};

/// A struct whose values are nodes of the graph. `#[derive(Node)]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a node",
    label = "no `#[derive(Node)]` on this type",
    note = "put `#[derive(Node)]` on the struct and mark its identity with `#[node(key)]`"
)]
pub trait Node: Sized + Send + Sync + 'static {
    /// What the struct says of its nodes.
    const SCHEMA: &'static NodeSchema;

    /// Writes the value of the `index`-th key property.
    ///
    /// # Errors
    /// The value has no form in the dialect of the connection.
    fn encode_key(&self, index: usize, encoder: &mut Encoder<'_>) -> Result<(), EncodeError>;

    /// Writes a map of every property that is not part of the key; `None` is written as `NULL`,
    /// which removes the property.
    ///
    /// # Errors
    /// A value has no form in the dialect of the connection.
    fn encode_properties(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError>;

    /// Reads a property map; relationship fields come out not loaded, and not bound.
    ///
    /// # Errors
    /// A property that is due is missing, or of another type.
    fn decode_properties(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError>;

    /// Tells each relationship field which node it belongs to.
    fn bind(&self, origin: Origin);

    /// Reads the related nodes of an eager load into the `plan.index`-th relationship field.
    ///
    /// # Errors
    /// A related node does not decode.
    fn load_relation(
        &mut self,
        plan: &LoadPlan,
        decoder: &mut Decoder<'_>,
        graph: &Graph,
    ) -> Result<(), DecodeError>;

    /// Shows what is in the relationship fields to somebody who saves it.
    fn visit_relations<'v>(&'v self, visitor: &mut Visitor<'v>) {
        let _ = visitor;
    }

    /// Which of [`NodeSchema::optional_labels`] the node has: the lowest bit is the first.
    fn optional_labels(&self) -> u64 {
        0
    }

    /// Sets the fields behind [`NodeSchema::optional_labels`], in the same form.
    fn set_optional_labels(&mut self, labels: u64) {
        let _ = labels;
    }

    /// The fields that the mapper fills.
    fn managed(&self) -> Managed<'_> {
        Managed::default()
    }

    /// Remembers the element id that was read with the node.
    fn set_element_id(&mut self, id: &str) {
        let _ = id;
    }

    /// Adds the rules of validation that the struct breaks.
    fn check(&self, violations: &mut Violations) {
        let _ = violations;
    }

    /// Whether the struct has [`Hooks`](super::Hooks); without, nothing below is ever called.
    const HOOKS: bool = false;

    /// Calls a hook.
    fn hook<'a>(
        &'a self,
        event: NodeEvent,
        cx: &'a HookContext,
    ) -> BoxFuture<'a, Result<(), Error>> {
        let _ = (event, cx);
        Box::pin(std::future::ready(Ok(())))
    }

    /// Calls the hook that follows a read.
    ///
    /// # Errors
    /// The hook refused.
    fn loaded(&mut self) -> Result<(), DecodeError> {
        Ok(())
    }
}

/// The identity of a node: the values of its key properties.
#[derive(Clone, PartialEq)]
pub struct KeyOf {
    pub(crate) schema: &'static NodeSchema,
    pub(crate) values: Arc<[Value]>,
}

impl KeyOf {
    /// The key of a node struct.
    ///
    /// # Errors
    /// A key value can't be sent at all, such as an integer beyond 64 signed bits.
    pub fn new<N: Node>(node: &N) -> Result<Self, EncodeError> {
        // Written and read back, so that a key of any property type becomes plain values; the
        // dialect of the connection that sends it may be another.
        let mut buffer = BytesMut::new();
        Self::encode(node, &mut Encoder::new(&mut buffer, Dialect::NEWEST))?;
        Ok(Self::read(N::SCHEMA, &buffer))
    }

    /// Writes the values of a node's key, one behind the other.
    pub(crate) fn encode<N: Node>(node: &N, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        (0..N::SCHEMA.keys().count()).try_for_each(|index| node.encode_key(index, encoder))
    }

    /// Reads what [`encode`](Self::encode) has written.
    pub(crate) fn read(schema: &'static NodeSchema, encoded: &[u8]) -> Self {
        let mut decoder = Decoder::new(encoded);
        // Whatever was written is a value.
        let values = schema
            .keys()
            .map(|_| Value::from_bolt(&mut decoder).unwrap_or(Value::Null));
        Self {
            schema,
            values: values.collect(),
        }
    }
}

impl KeyOf {
    /// The struct that the node is of.
    pub fn schema(&self) -> &'static NodeSchema {
        self.schema
    }

    /// The values, in the order of [`NodeSchema::keys`].
    pub fn values(&self) -> &[Value] {
        &self.values
    }
}

impl PartialEq<NodeSchema> for NodeSchema {
    fn eq(&self, other: &Self) -> bool {
        // A constant has no address of its own, so addresses do not tell.
        self.type_name == other.type_name && self.label == other.label
    }
}

/// A value of a key as it stands in messages.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(flag) => flag.to_string(),
        Value::Date(date) => date.to_string(),
        Value::DateTime(instant) => instant.to_string(),
        other => format!("{other:?}"),
    }
}

/// Writes `Book {isbn: "978-0-14-303500-8"}`.
impl fmt::Display for KeyOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {{", self.schema.label)?;
        for (index, (property, value)) in self.schema.keys().zip(self.values.iter()).enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{}: {}", property.name, shown(value))?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for KeyOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Writes the key's values as a list.
impl ToBolt for KeyOf {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        self.values.as_ref().to_bolt(encoder)
    }
}
