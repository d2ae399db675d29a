//! From a column of a result to a struct.

use std::collections::{BTreeMap, HashMap};

use neo_bolt::packstream::{DecodeError, DecodeErrorKind, Decoder, FromBolt, FromBoltOwned};
use neo_bolt::value as v;

use super::{Node, NodeSchema, Relationship};
use crate::executor::Graph;
use crate::relation::Origin;

/// A type that a column of a result turns into: nodes and relationship structs, everything that
/// the driver reads, and `Option` and `Vec` of these.
#[diagnostic::on_unimplemented(
    message = "a column can't turn into `{Self}`",
    label = "neither a node, a relationship struct nor a Cypher type",
    note = "put `#[derive(Node)]`, `#[relationship]` or `#[derive(Property)]` on it, or fetch plain structs by `fetch_as`"
)]
pub trait FromColumn: Sized {
    /// Reads one value; nodes are bound to `graph`.
    ///
    /// # Errors
    /// The value is of another type.
    fn from_column(decoder: &mut Decoder<'_>, graph: &Graph) -> Result<Self, DecodeError>;
}

/// Reads a node of the struct's label and binds it to `graph`; what `#[derive(Node)]` calls.
///
/// # Errors
/// The value is no node, lacks the label, or a property is missing or of another type.
pub fn decode_node<N: Node>(decoder: &mut Decoder<'_>, graph: &Graph) -> Result<N, DecodeError> {
    let header = decoder.node_header()?;
    let labels = graph.names(header.labels.clone());
    if !labels.clone().any(|label| label == N::SCHEMA.label) {
        return Err(unexpected_labels(N::SCHEMA, labels));
    }
    let properties = decoder.clone();
    let mut node =
        N::decode_properties(decoder).map_err(|error| error.within(name::<N>(properties)))?;
    if let Some(id) = decoder.node_footer(&header)? {
        node.set_element_id(id);
    }
    node.managed().pend(graph);
    let optional = N::SCHEMA.optional_labels;
    if !optional.is_empty() {
        let mut found = 0;
        for label in labels {
            if let Some(bit) = optional.iter().position(|of| of.label == label) {
                found |= 1 << bit;
            }
        }
        node.set_optional_labels(found);
    }
    if N::HOOKS {
        node.loaded()?;
    }
    if !N::SCHEMA.relations.is_empty() {
        node.bind(Origin::new(&node, graph).map_err(DecodeError::custom)?);
    }
    Ok(node)
}

/// The error of a node that has none of the labels that `schema` asks for.
fn unexpected_labels<'a>(schema: &NodeSchema, found: impl Iterator<Item = &'a str>) -> DecodeError {
    DecodeError::new(DecodeErrorKind::UnexpectedLabels {
        expected: schema.any_of().into_iter().map(str::to_owned).collect(),
        found: found.map(str::to_owned).collect(),
    })
}

/// Which of several structs the next node is, by its labels: the one all of whose labels the node
/// has; where there are several, the one with the most. What `#[derive(Nodes)]` calls.
///
/// # Errors
/// The value is no node, or none of the structs.
pub fn variant_of(
    schema: &NodeSchema,
    decoder: &Decoder<'_>,
    graph: &Graph,
) -> Result<usize, DecodeError> {
    let header = decoder.clone().node_header()?;
    let labels = graph.names(header.labels);
    let fitting = schema
        .variants
        .iter()
        .enumerate()
        .filter_map(|(index, of)| {
            let of = of();
            let has = |wanted: &str| labels.clone().any(|label| label == wanted);
            let count = of.labels.iter().filter(|label| has(label)).count();
            has(of.label).then_some((count, std::cmp::Reverse(index)))
        });
    match fitting.max() {
        Some((_, std::cmp::Reverse(index))) => Ok(index),
        None => {
            let variants = schema.variants.iter();
            Err(DecodeError::new(DecodeErrorKind::UnexpectedLabels {
                expected: variants
                    .flat_map(|of| of().any_of())
                    .map(str::to_owned)
                    .collect(),
                found: labels.map(str::to_owned).collect(),
            }))
        }
    }
}

/// What a node that does not fit is called: its label and what there is of its key.
fn name<N: Node>(mut properties: Decoder<'_>) -> String {
    let found = v::Map::from_bolt(&mut properties).unwrap_or_default();
    let keys = N::SCHEMA.keys().filter_map(|key| {
        Some(format!(
            "{}: {}",
            key.name,
            super::node::shown(found.get(key.name)?)
        ))
    });
    let keys: Vec<_> = keys.collect();
    format!("{} {{{}}}", N::SCHEMA.type_name, keys.join(", "))
}

/// Reads what a relationship carries; what `#[relationship]` calls.
///
/// # Errors
/// The value is no relationship, is of another type, or a property is missing or of another type.
pub fn decode_relationship<R: Relationship>(
    decoder: &mut Decoder<'_>,
    graph: &Graph,
) -> Result<R, DecodeError> {
    let header = decoder.relationship_header()?;
    let expected = R::SCHEMA.relationship_type;
    let found = graph.name(header.relationship_type);
    if !expected.is_empty() && found != expected {
        return Err(DecodeError::custom(format_args!(
            "expected a relationship of type :{expected}, found :{found}",
        )));
    }
    let mut carried = R::decode_properties(decoder)?;
    if let Some(footer) = decoder.relationship_footer(&header)? {
        carried.set_element_id(footer.element_id);
    }
    carried.managed().pend(graph);
    if R::HOOKS {
        carried.loaded()?;
    }
    Ok(carried)
}

/// Reads what a query gave that [asked](crate::mapping::RelationshipSchema::asked) for what a
/// relationship carries.
pub(crate) fn decode_carried<R: Relationship>(
    decoder: &mut Decoder<'_>,
    graph: &Graph,
) -> Result<R, DecodeError> {
    if R::SCHEMA.identified {
        return decode_relationship(decoder, graph);
    }
    let mut carried = match decoder.null() {
        // An empty map.
        true => R::decode_properties(&mut Decoder::new(&[0xA0]))?,
        false => R::decode_properties(decoder)?,
    };
    carried.managed().pend(graph);
    if R::HOOKS {
        carried.loaded()?;
    }
    Ok(carried)
}

impl<T: FromColumn> FromColumn for Option<T> {
    fn from_column(decoder: &mut Decoder<'_>, graph: &Graph) -> Result<Self, DecodeError> {
        if decoder.null() {
            Ok(None)
        } else {
            T::from_column(decoder, graph).map(Some)
        }
    }
}

impl<T: FromColumn> FromColumn for Vec<T> {
    fn from_column(decoder: &mut Decoder<'_>, graph: &Graph) -> Result<Self, DecodeError> {
        let len = decoder.list()?;
        let mut items = Self::with_capacity(len.min(1024));
        for index in 0..len {
            let item = T::from_column(decoder, graph);
            items.push(item.map_err(|error| error.within(format!("[{index}]")))?);
        }
        Ok(items)
    }
}

macro_rules! maps {
    ($($map:ty),*) => {$(
        impl<T: FromColumn> FromColumn for $map {
            fn from_column(decoder: &mut Decoder<'_>, graph: &Graph) -> Result<Self, DecodeError> {
                let len = decoder.map()?;
                let mut entries = Self::new();
                for _ in 0..len {
                    let key = decoder.string()?.to_owned();
                    let value = T::from_column(decoder, graph);
                    let value = value.map_err(|error| error.within(format!("{key:?}")))?;
                    entries.insert(key, value);
                }
                Ok(entries)
            }
        }
    )*};
}
maps!(HashMap<String, T>, BTreeMap<String, T>);

/// What [`FromColumn`] is for types that the driver reads by itself.
fn plain<T: FromBoltOwned>(decoder: &mut Decoder<'_>) -> Result<T, DecodeError> {
    <T as FromBolt<'_>>::from_bolt(decoder)
}

macro_rules! plain_columns {
    ($($ty:ty),* $(,)?) => {$(
        impl FromColumn for $ty {
            fn from_column(decoder: &mut Decoder<'_>, _: &Graph) -> Result<Self, DecodeError> {
                plain(decoder)
            }
        }
    )*};
}
plain_columns!(
    bool,
    i8,
    i16,
    i32,
    i64,
    u8,
    u16,
    u32,
    u64,
    usize,
    isize,
    f32,
    f64,
    char,
    String,
    uuid::Uuid,
    bytes::Bytes,
    v::Value,
    v::Node,
    v::Relationship,
    v::Path,
    v::Date,
    v::Time,
    v::LocalTime,
    v::DateTime,
    v::LocalDateTime,
    v::Duration,
    v::Point,
    v::Vector,
);
