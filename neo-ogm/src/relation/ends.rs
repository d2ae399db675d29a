//! What the statements about one relationship field share: its two ends, their patterns and
//! parameters, and what to say when a guard let nothing through.

use std::fmt::Write as _;

use neo_bolt::AccessMode;
use neo_bolt::packstream::{EncodeError, Encoder, ToBolt};
use neo_bolt::value::DateTime;

use super::NamedOrigin;
use crate::error::{Error, ErrorKind};
use crate::executor::{Executor as _, Target};
use crate::mapping::{
    Cardinality, Direction, Entity, KeyOf, NodeSchema, RelationSchema, Relationship,
    RelationshipSchema,
};
use crate::query::{arrows, escape, raise, write_node, write_one_of};

/// The property that is set and removed at once, to lock a node until the transaction ends.
const LOCK: &str = "_neo_ogm_lock";

/// A relationship field that knows its node.
#[derive(Debug, Clone)]
pub(super) struct Bound {
    pub(super) origin: NamedOrigin,
    pub(super) relation: &'static RelationSchema,
}

impl Bound {
    /// Where an operation runs: where it was told to, in the transaction of the node while that goes
    /// on, or on the graph of the node.
    pub(super) fn target(&self, on: Option<Target>) -> Target {
        on.unwrap_or_else(|| self.origin.graph.target())
    }

    /// The field of the other end that bounds the same relationship, where there is one.
    /// `target` is the struct of the node there.
    pub(super) fn bounded_inverse(
        &self,
        target: &'static NodeSchema,
    ) -> Option<&'static RelationSchema> {
        bounded_inverse(self.origin.key.schema, self.relation, target)
    }

    /// The field of the other end that wants to keep at least one of the same relationships.
    /// `target` is the struct of the node there.
    pub(super) fn keeping_inverse(
        &self,
        target: &'static NodeSchema,
    ) -> Option<&'static RelationSchema> {
        inverses(self.origin.key.schema, self.relation, target)
            .find(|inverse| inverse.cardinality == Cardinality::OneOrMore)
    }

    /// Whether the field itself wants to keep at least one relationship.
    pub(super) fn keeps_last(&self) -> bool {
        self.relation.cardinality == Cardinality::OneOrMore
    }

    /// A clone of the node's key for an error.
    pub(super) fn node(&self) -> KeyOf {
        self.origin.key.clone()
    }
}

/// The relationship fields of a struct, or of each struct of an enum.
fn relations(schema: &'static NodeSchema) -> Vec<&'static RelationSchema> {
    let variants = schema.variants.iter();
    let of_variants = variants.flat_map(|variant| relations(variant()));
    schema.relations.iter().chain(of_variants).collect()
}

/// The same relationship seen from the other end, by each field there that sees it.
///
/// A field that looks both ways sees what either end has written, and what it writes itself
/// points to the other end.
fn inverses(
    source: &'static NodeSchema,
    relation: &'static RelationSchema,
    target: &'static NodeSchema,
) -> impl Iterator<Item = &'static RelationSchema> {
    relations(target).into_iter().filter(move |candidate| {
        let meet = match (relation.direction, candidate.direction) {
            (Direction::Out | Direction::Both, Direction::In)
            | (Direction::In, Direction::Out)
            | (_, Direction::Both) => true,
            (Direction::Out | Direction::Both, Direction::Out) | (Direction::In, Direction::In) => {
                false
            }
        };
        meet && candidate.relationship_type == relation.relationship_type
            && (candidate.target)().covers(source)
    })
}

/// The field of the other end that bounds the same relationship, where there is one.
pub(crate) fn bounded_inverse(
    source: &'static NodeSchema,
    relation: &'static RelationSchema,
    target: &'static NodeSchema,
) -> Option<&'static RelationSchema> {
    inverses(source, relation, target).find(|inverse| inverse.cardinality.is_bounded())
}

pub(super) fn bound(bound: Option<Bound>) -> Result<Bound, Error> {
    bound.ok_or_else(|| {
        Error::new(ErrorKind::NotSaved {
            field: "the relationship field",
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
            field: "the relationship field",
        });
    };
    Error::new(ErrorKind::Cardinality {
        node: bound.origin.key.clone(),
        field: bound.relation.field,
        cardinality: cardinality_name(cardinality),
        reason,
    })
}

pub(crate) fn cardinality_name(cardinality: Cardinality) -> &'static str {
    match cardinality {
        Cardinality::One => "One",
        Cardinality::ZeroOrOne => "ZeroOrOne",
        Cardinality::OneOrMore => "OneOrMore",
        Cardinality::Many => "Many",
    }
}

/// Writes `(a:Book {isbn: $a0})`: a node found by its key.
pub(crate) fn keyed(text: &mut String, variable: &str, prefix: &str, schema: &NodeSchema) {
    keyed_by(text, variable, &format!("${prefix}"), schema);
}

/// Writes `(a:Book {isbn: row.a0})`: a node found by the key that stands in `values`.
pub(crate) fn keyed_by(text: &mut String, variable: &str, values: &str, schema: &NodeSchema) {
    // Writing to a string does not fail, here and below.
    let _ = write!(text, "({variable}:{} {{", escape(schema.label));
    for (index, property) in schema.keys().enumerate() {
        let comma = if index > 0 { ", " } else { "" };
        let _ = write!(text, "{comma}{}: {values}{index}", escape(property.name));
    }
    text.push_str("})");
}

/// Writes `SET a._lock = true REMOVE a._lock`: locks the node and leaves it as it was.
///
/// Neo4j locks a node that is written to until the transaction ends, so whoever counts the
/// node's relationships behind this sees all that was committed, and nobody adds one in between.
pub(crate) fn lock(text: &mut String, variable: &str) {
    let _ = write!(
        text,
        " SET {variable}.{LOCK} = true REMOVE {variable}.{LOCK}"
    );
}

/// Which of parallel relationships a pattern means.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Keys<'a> {
    /// Each of them.
    Any,
    /// The one whose key is in these values: `$r` for `$r0`, `$r1` and so on.
    Values(&'a str),
    /// The one with the same key as this variable.
    Same(&'a str),
}

/// Writes `(a)-[r:TYPE {key: $r0}]->`, up to where the far node begins.
pub(crate) fn step(
    text: &mut String,
    from: &str,
    relationship: &str,
    relation: &RelationSchema,
    keys: Keys<'_>,
) {
    let (left, right) = arrows(relation.direction);
    let _ = write!(
        text,
        "({from}){left}[{relationship}:{}",
        escape(relation.relationship_type)
    );
    let mut open = " {";
    for (index, property) in relation.relationship.keys().enumerate() {
        let name = escape(property.name);
        let _ = match keys {
            Keys::Any => break,
            Keys::Values(values) => write!(text, "{open}{name}: {values}{index}"),
            Keys::Same(variable) => write!(text, "{open}{name}: {variable}.{name}"),
        };
        open = ", ";
    }
    if open == ", " {
        text.push('}');
    }
    let _ = write!(text, "]{right}");
}

/// Writes `(b:Label) WHERE …`: a node of a struct, or of an enum of structs, of which `condition`
/// holds, if it is not empty.
pub(crate) fn far(text: &mut String, variable: &str, schema: &NodeSchema, condition: &str) {
    write_node(text, variable, schema);
    let narrowed = write_one_of(text, " WHERE ", variable, schema);
    if !condition.is_empty() {
        let word = if narrowed { "AND" } else { "WHERE" };
        let _ = write!(text, " {word} ({condition})");
    }
}

/// Writes the pattern and the condition of every relationship of the field but the one that is
/// to be: another node, or another key.
pub(crate) fn others(
    text: &mut String,
    from: &str,
    (relationship, other, to): (&str, &str, &str),
    relation: &RelationSchema,
    nodes: &NodeSchema,
    (carried, values): (&RelationshipSchema, &str),
) {
    step(text, from, relationship, relation, Keys::Any);
    let mut condition = format!("{other} <> {to}");
    for (index, property) in carried.keys().enumerate() {
        let name = escape(property.name);
        let _ = write!(condition, " OR {relationship}.{name} <> {values}{index}");
    }
    far(text, other, nodes, &condition);
}

/// The parameters of a statement about two nodes and the relationship between them: `a0`… and
/// `b0`… for their keys, `c0`… for that of a third, `r0`… and `p` for what the relationship
/// carries, `q0`… for the key of one that is there, `now` for the time of the operation.
pub(super) struct EndParameters<'a, R> {
    pub(super) source: &'a KeyOf,
    pub(super) target: Option<&'a KeyOf>,
    pub(super) old: Option<&'a KeyOf>,
    pub(super) relationship: Option<&'a R>,
    pub(super) keyed: Option<&'a R>,
    /// The time that is written, where one is.
    pub(super) now: Option<&'a DateTime>,
}

impl<'a, R> EndParameters<'a, R> {
    /// Those of a statement about one node.
    pub(super) fn of(source: &'a KeyOf) -> Self {
        Self {
            source,
            target: None,
            old: None,
            relationship: None,
            keyed: None,
            now: None,
        }
    }
}

impl<R: Relationship> ToBolt for EndParameters<'_, R> {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        let keys = R::SCHEMA.keys().count();
        let nodes = [
            ("a", Some(self.source)),
            ("b", self.target),
            ("c", self.old),
        ];
        let nodes = nodes
            .into_iter()
            .filter_map(|(prefix, key)| Some((prefix, key?)));
        let entries: usize = nodes.clone().map(|(_, key)| key.values.len()).sum();
        let carried = self.relationship.map_or(0, |_| keys + 1) + self.keyed.map_or(0, |_| keys);
        encoder.map(entries + carried + usize::from(self.now.is_some()))?;
        for (prefix, key) in nodes {
            key_parameters(encoder, prefix, key)?;
        }
        for (prefix, relationship) in [("r", self.relationship), ("q", self.keyed)] {
            for index in 0..relationship.map_or(0, |_| keys) {
                encoder.string(&format!("{prefix}{index}"))?;
                if let Some(relationship) = relationship {
                    relationship.encode_key(index, encoder)?;
                }
            }
        }
        if let Some(relationship) = self.relationship {
            encoder.string("p")?;
            relationship.encode_properties(encoder)?;
        }
        write_now(encoder, self.now)
    }
}

/// Writes the parameter `now`, where a time is written.
pub(crate) fn write_now(
    encoder: &mut Encoder<'_>,
    now: Option<&DateTime>,
) -> Result<(), EncodeError> {
    let Some(now) = now else { return Ok(()) };
    encoder.string("now")?;
    now.to_bolt(encoder)
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

/// How often a guarded statement is repeated that let nothing through, if the reason is gone by the
/// time it is looked for.
pub(super) const REPEATS: usize = 5;

/// Returns why a guarded statement let nothing through: a node is not there, or a bound is reached.
/// `None` if there is no reason any more, since another client has changed something meanwhile.
///
/// It costs a second round trip, and only on the way to an error.
pub(super) async fn explain<T: Entity>(
    bound: &Bound,
    target_key: &KeyOf,
    target: &Target,
    operation: &'static str,
) -> Option<Error> {
    let mut text = String::from("OPTIONAL MATCH ");
    keyed(&mut text, "a", "a", bound.origin.key.schema);
    text.push_str(" OPTIONAL MATCH ");
    keyed(&mut text, "b", "b", target_key.schema);
    text.push_str(" OPTIONAL MATCH ");
    step(&mut text, "a", "x", bound.relation, Keys::Any);
    far(&mut text, "o", T::ENTITY, "");
    text.push_str(
        " RETURN a IS NOT NULL AS source, b IS NOT NULL AS target, count(x) AS connected LIMIT 1",
    );
    let parameters = EndParameters::<()> {
        target: Some(target_key),
        ..EndParameters::of(&bound.origin.key)
    };
    let found = match target
        .execute(AccessMode::Read, text.into(), parameters)
        .await
    {
        Ok(found) => found,
        Err(error) => return Some(error),
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
    let own = bound.relation;
    let inverse = bound.bounded_inverse(target_key.schema);
    Some(match state {
        None | Some(Ok((false, ..))) => missing(&bound.origin.key),
        Some(Ok((_, false, _))) => missing(target_key),
        Some(Err(error)) => error.into(),
        Some(Ok((_, _, connected))) => match inverse {
            Some(inverse) if !own.cardinality.is_bounded() || connected == 0 => {
                Error::new(ErrorKind::Cardinality {
                    node: target_key.clone(),
                    field: inverse.field,
                    cardinality: cardinality_name(inverse.cardinality),
                    reason: REACHED,
                })
            }
            None if operation == "replace" => {
                bound.keeping_inverse(target_key.schema)?;
                left_alone(bound)
            }
            _ if connected == 0 => return None,
            _ => violation(Some(bound), own.cardinality, REACHED),
        },
    })
}

/// Refuses the statement where `x`, which is to be deleted, is the last relationship of the node
/// `o` at its other end, and that wants to keep one. `carried` are the variables that have to be
/// there behind it.
pub(crate) fn spare(
    text: &mut String,
    source: &'static NodeSchema,
    relation: &'static RelationSchema,
    carried: &str,
) {
    let kept = inverses(source, relation, (relation.target)())
        .find(|inverse| inverse.cardinality == Cardinality::OneOrMore);
    let Some(inverse) = kept else { return };
    lock(text, "o");
    let _ = write!(text, " WITH {carried}, x, o OPTIONAL MATCH ");
    step(text, "o", "y", inverse, Keys::Any);
    far(text, "q", (inverse.target)(), "q <> a");
    let _ = write!(
        text,
        " WITH {carried}, x, o, count(y) AS others \
         WITH {carried}, x, CASE WHEN o IS NULL OR others > 0 THEN true ELSE "
    );
    raise(text, "0 * size($rows)", 'l');
    text.push_str(" END AS fine WHERE fine");
}

/// The error of a statement that let nothing through each time, though no reason was found.
pub(super) fn contended(bound: &Bound, operation: &'static str) -> Error {
    Error::new(ErrorKind::NotSupported {
        operation,
        reason: match bound.relation.cardinality.is_bounded() {
            true => "other clients change the same bounded relationship all the time; try again",
            false => "other clients change the same nodes all the time; try again",
        },
    })
}

/// The error of a node at the other end that would be left without a relationship.
pub(super) fn left_alone(bound: &Bound) -> Error {
    Error::new(ErrorKind::Cardinality {
        node: bound.node(),
        field: bound.relation.field,
        cardinality: "OneOrMore at its other end",
        reason: "a node there would lose its last relationship; connect another to it first",
    })
}

/// Why a bounded end refuses another relationship.
pub(crate) const REACHED: &str = "it leads to another node already; use `replace` to change that";
