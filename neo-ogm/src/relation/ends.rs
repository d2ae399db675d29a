//! What the statements about one relationship field share: its two ends, their patterns and
//! parameters, and what to say when a guard let nothing through.

use std::fmt::Write as _;

use neo_bolt::AccessMode;
use neo_bolt::packstream::{DecodeError, Decoder, EncodeError, Encoder, ToBolt};

use super::NamedOrigin;
use crate::error::{Error, ErrorKind};
use crate::executor::{Graph, Target};
use crate::mapping::{
    Cardinality, Direction, Entity, KeyOf, NodeSchema, RelationSchema, Relationship,
    RelationshipSchema, decode_relationship,
};
use crate::query::{arrows, escape, write_node, write_one_of};

/// The property that is set and removed at once, to lock a node until the transaction ends.
const LOCK: &str = "_neo_ogm_lock";

/// A relationship field that knows its node.
#[derive(Debug, Clone)]
pub(super) struct Bound {
    pub(super) origin: NamedOrigin,
    pub(super) relation: &'static RelationSchema,
}

impl Bound {
    /// Where an operation runs: where it was told to, or on the graph of the node.
    pub(super) fn target(&self, on: Option<Target>) -> Target {
        on.unwrap_or_else(|| Target::Graph(self.origin.graph.clone()))
    }

    /// The same relationship seen from the other end, where the struct there has a field for it.
    /// `target` is the struct of the node there.
    pub(super) fn inverse(&self, target: &NodeSchema) -> Option<&'static RelationSchema> {
        let wanted = match self.relation.direction {
            Direction::Out => Direction::In,
            Direction::In => Direction::Out,
            Direction::Both => Direction::Both,
        };
        target.relations.iter().find(|candidate| {
            candidate.relationship_type == self.relation.relationship_type
                && candidate.direction == wanted
                && (candidate.target)().covers(self.origin.key.schema)
        })
    }
}

pub(super) fn bound(bound: Option<Bound>) -> Result<Bound, Error> {
    bound.ok_or_else(|| {
        Error::new(ErrorKind::NotSaved {
            field: "the relationship",
        })
    })
}

/// The error of a relationship too many or too few.
pub(super) fn violation(
    bound: Option<&Bound>,
    cardinality: Cardinality,
    reason: &'static str,
) -> Error {
    let Some(bound) = bound else {
        return Error::new(ErrorKind::NotSaved {
            field: "the relationship",
        });
    };
    Error::new(ErrorKind::Cardinality {
        node: bound.origin.key.clone(),
        field: bound.relation.field,
        cardinality: cardinality_name(cardinality),
        reason,
    })
}

pub(super) fn cardinality_name(cardinality: Cardinality) -> &'static str {
    match cardinality {
        Cardinality::One => "One",
        Cardinality::ZeroOrOne => "ZeroOrOne",
        Cardinality::OneOrMore => "OneOrMore",
        Cardinality::Many => "Many",
    }
}

/// Writes `(a:Book {isbn: $a0})`: a node found by its key.
pub(crate) fn keyed(text: &mut String, variable: &str, prefix: &str, schema: &NodeSchema) {
    // Writing to a string does not fail, here and below.
    let _ = write!(text, "({variable}:{} {{", escape(schema.label));
    for (index, property) in schema.keys().enumerate() {
        let comma = if index > 0 { ", " } else { "" };
        let _ = write!(text, "{comma}{}: ${prefix}{index}", escape(property.name));
    }
    text.push_str("})");
}

/// Writes `SET a._lock = true REMOVE a._lock`: locks the node and leaves it as it was.
///
/// Neo4j locks a node that is written to until the transaction ends, so whoever counts the
/// node's relationships behind this sees all that was committed, and nobody adds one in between.
pub(super) fn lock(text: &mut String, variable: &str) {
    let _ = write!(
        text,
        " SET {variable}.{LOCK} = true REMOVE {variable}.{LOCK}"
    );
}

/// Writes `(a)-[r:TYPE {key: $r0}]->(b`, up to where the far node's own text begins.
pub(super) fn step(
    text: &mut String,
    from: &str,
    relationship: &str,
    relation: &RelationSchema,
    keyed: bool,
) {
    let (left, right) = arrows(relation.direction);
    let _ = write!(
        text,
        "({from}){left}[{relationship}:{}",
        escape(relation.relationship_type)
    );
    let mut keys = relation.relationship.keys().enumerate().peekable();
    if keyed && keys.peek().is_some() {
        text.push_str(" {");
        for (index, property) in keys {
            let comma = if index > 0 { ", " } else { "" };
            let _ = write!(text, "{comma}{}: $r{index}", escape(property.name));
        }
        text.push('}');
    }
    let _ = write!(text, "]{right}");
}

/// Writes the pattern and the condition of every relationship of the field but the one that is
/// to be: another node, or another key.
pub(super) fn others(
    text: &mut String,
    from: &str,
    (relationship, other, to): (&str, &str, &str),
    relation: &RelationSchema,
    nodes: &NodeSchema,
    carried: &RelationshipSchema,
) {
    text.push_str(" OPTIONAL MATCH ");
    step(text, from, relationship, relation, false);
    write_node(text, other, nodes);
    text.push_str(" WHERE ");
    let narrowed = write_one_of(text, "", other, nodes);
    text.push_str(if narrowed { " AND (" } else { "" });
    let _ = write!(text, "{other} <> {to}");
    for (index, property) in carried.keys().enumerate() {
        let _ = write!(
            text,
            " OR {relationship}.{} <> $r{index}",
            escape(property.name)
        );
    }
    text.push_str(if narrowed { ")" } else { "" });
}

/// The parameters of a statement about two nodes and the relationship between them: `a0`… and
/// `b0`… for their keys, `r0`… and `p` for what the relationship carries.
pub(super) struct EndParameters<'a, R> {
    pub(super) source: &'a KeyOf,
    pub(super) target: Option<&'a KeyOf>,
    pub(super) relationship: Option<&'a R>,
}

impl<R: Relationship> ToBolt for EndParameters<'_, R> {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        let target = self.target.map_or(0, |target| target.values.len());
        let carried = self
            .relationship
            .map_or(0, |_| R::SCHEMA.keys().count() + 1);
        encoder.map(self.source.values.len() + target + carried)?;
        key_parameters(encoder, "a", self.source)?;
        if let Some(target) = self.target {
            key_parameters(encoder, "b", target)?;
        }
        if let Some(relationship) = self.relationship {
            for index in 0..R::SCHEMA.keys().count() {
                encoder.string(&format!("r{index}"))?;
                relationship.encode_key(index, encoder)?;
            }
            encoder.string("p")?;
            relationship.encode_properties(encoder)?;
        }
        Ok(())
    }
}

pub(crate) fn key_parameters(
    encoder: &mut Encoder<'_>,
    prefix: &str,
    key: &KeyOf,
) -> Result<(), EncodeError> {
    for (index, value) in key.values.iter().enumerate() {
        encoder.string(&format!("{prefix}{index}"))?;
        value.to_bolt(encoder)?;
    }
    Ok(())
}

/// Reads what a relationship carries, or nothing where none was sent.
pub(super) fn read_relationship<R: Relationship>(
    decoder: &mut Decoder<'_>,
    graph: &Graph,
) -> Result<R, DecodeError> {
    if R::SCHEMA.properties.is_empty() && decoder.null() {
        // An empty map: what a relationship without properties carries.
        return R::decode_properties(&mut Decoder::new(&[0xA0]));
    }
    decode_relationship(decoder, graph)
}

/// Says why a guarded statement let nothing through: a node is not there, or a bound is reached.
///
/// It costs a second round trip, and only on the way to an error.
pub(super) async fn explain<T: Entity>(
    bound: &Bound,
    target_key: &KeyOf,
    target: &Target,
    operation: &'static str,
) -> Error {
    let mut text = String::from("OPTIONAL MATCH ");
    keyed(&mut text, "a", "a", bound.origin.key.schema);
    text.push_str(" OPTIONAL MATCH ");
    keyed(&mut text, "b", "b", target_key.schema());
    text.push_str(" OPTIONAL MATCH ");
    step(&mut text, "a", "x", bound.relation, false);
    write_node(&mut text, "o", T::ENTITY);
    write_one_of(&mut text, " WHERE ", "o", T::ENTITY);
    text.push_str(
        " RETURN a IS NOT NULL AS source, b IS NOT NULL AS target, count(x) AS connected LIMIT 1",
    );
    let parameters = EndParameters::<()> {
        source: &bound.origin.key,
        target: Some(target_key),
        relationship: None,
    };
    let found = match target
        .execute(AccessMode::Read, text.into(), parameters)
        .await
    {
        Ok(found) => found,
        Err(error) => return error,
    };
    let state = found
        .records
        .first()
        .map(neo_bolt::Record::decode::<(bool, bool, i64)>);
    let missing = |key: &KeyOf| {
        Error::new(ErrorKind::NodeNotFound {
            key: key.clone(),
            operation,
        })
    };
    match state {
        None | Some(Ok((false, ..))) => missing(&bound.origin.key),
        Some(Ok((_, false, _))) => missing(target_key),
        Some(Err(error)) => error.into(),
        Some(Ok((_, _, connected))) => {
            let own = bound.relation;
            match bound.inverse(target_key.schema()) {
                Some(inverse) if !own.cardinality.is_bounded() || connected == 0 => {
                    Error::new(ErrorKind::Cardinality {
                        node: target_key.clone(),
                        field: inverse.field,
                        cardinality: cardinality_name(inverse.cardinality),
                        reason: REACHED,
                    })
                }
                _ => violation(Some(bound), own.cardinality, REACHED),
            }
        }
    }
}

const REACHED: &str = "it leads to another node already; use `replace` to change that";
