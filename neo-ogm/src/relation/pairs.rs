//! Many relationships in one statement: its rows straight from the structs, its text, and what to
//! say of the row that it refused.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use neo_bolt::Record;
use neo_bolt::packstream::{EncodeError, Encoder, ToBolt};
use neo_bolt::value::DateTime;

use super::ends::{self, Keys};
use super::said::Set;
use super::stamps;
use crate::error::{Error, ErrorKind};
use crate::executor::{Target, WriteStatement};
use crate::mapping::{
    DefaultProperties, Entity, HookContext, KeyOf, Node, NodeSchema, Operation, RelationSchema,
    Relationship, RelationshipEvent, check_relationship,
};
use crate::query::{escape, raise, raised};

/// The property that is set to nothing where a row passes its checks.
pub(crate) const GUARD: &str = "_neo_ogm_guard";

/// The end where a relationship begins: a node, or the key of one.
pub(crate) trait EndKey: Send + Sync {
    /// Writes the value of the `index`-th key property.
    fn encode(&self, index: usize, encoder: &mut Encoder<'_>) -> Result<(), EncodeError>;

    /// The key, for an error.
    fn key(&self) -> Result<KeyOf, EncodeError>;
}

impl<N: Node> EndKey for &N {
    fn encode(&self, index: usize, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        self.encode_key(index, encoder)
    }

    fn key(&self) -> Result<KeyOf, EncodeError> {
        KeyOf::new(*self)
    }
}

impl EndKey for &KeyOf {
    fn encode(&self, index: usize, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        self.values
            .get(index)
            .map_or(Ok(()), |value| value.to_bolt(encoder))
    }

    fn key(&self) -> Result<KeyOf, EncodeError> {
        Ok((*self).clone())
    }
}

/// What a relationship is to carry.
#[derive(Debug)]
pub(crate) enum Carried<'a, R> {
    Owned(R),
    Borrowed(&'a R),
}

impl<R> Carried<'_, R> {
    pub(crate) fn get(&self) -> &R {
        match self {
            Self::Owned(relationship) => relationship,
            Self::Borrowed(relationship) => relationship,
        }
    }
}

/// One relationship that is to be.
pub(crate) struct Row<'a, S, T, R> {
    pub(crate) source: S,
    pub(crate) target: &'a T,
    pub(crate) carried: Carried<'a, R>,
}

/// The node that a relationship of a field is to lead to, with or without what it carries: `&T`
/// where the relationship struct needs nothing said, else `(&T, R)` or `(&T, &R)`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no end for a relationship to `{T}` that carries `{R}`",
    label = "expected `&{T}`, `(&{T}, {R})` or `(&{T}, &{R})`",
    note = "a node alone will do only where every field of `{R}` is optional or has a default"
)]
pub trait RelationEnd<'a, T, R> {
    #[doc(hidden)]
    const SET: Set;

    #[doc(hidden)]
    fn split(self) -> (&'a T, CarriedEnd<'a, R>);
}

/// What an end says of the relationship.
#[doc(hidden)]
#[derive(Debug)]
pub struct CarriedEnd<'a, R>(pub(crate) Carried<'a, R>);

#[diagnostic::do_not_recommend]
impl<'a, T: Entity, R: DefaultProperties> RelationEnd<'a, T, R> for &'a T {
    const SET: Set = Set::OnCreate;

    fn split(self) -> (&'a T, CarriedEnd<'a, R>) {
        (self, CarriedEnd(Carried::Owned(R::default_properties())))
    }
}

impl<'a, T: Entity, R: Relationship> RelationEnd<'a, T, R> for (&'a T, R) {
    const SET: Set = Set::Always;

    fn split(self) -> (&'a T, CarriedEnd<'a, R>) {
        (self.0, CarriedEnd(Carried::Owned(self.1)))
    }
}

impl<'a, T: Entity, R: Relationship> RelationEnd<'a, T, R> for (&'a T, &'a R) {
    const SET: Set = Set::Always;

    fn split(self) -> (&'a T, CarriedEnd<'a, R>) {
        (self.0, CarriedEnd(Carried::Borrowed(self.1)))
    }
}

/// Two nodes that are to be connected, with or without what the relationship carries:
/// `(&Book, &Person)` where the relationship struct needs nothing said, else
/// `(&Book, &Person, WrittenBy)` or `(&Book, &Person, &WrittenBy)`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no pair for a relationship from `{N}` to `{T}` that carries `{R}`",
    label = "expected `(&{N}, &{T}, {R})`",
    note = "`(&{N}, &{T})` will do only where every field of `{R}` is optional or has a default",
    note = "the first of a pair is the node whose struct has the relationship field"
)]
pub trait RelationPair<'a, N, T, R> {
    #[doc(hidden)]
    const SET: Set;

    #[doc(hidden)]
    fn split(self) -> (&'a N, &'a T, CarriedEnd<'a, R>);
}

#[diagnostic::do_not_recommend]
impl<'a, N: Node, T: Entity, R: DefaultProperties> RelationPair<'a, N, T, R> for (&'a N, &'a T) {
    const SET: Set = Set::OnCreate;

    fn split(self) -> (&'a N, &'a T, CarriedEnd<'a, R>) {
        let carried = Carried::Owned(R::default_properties());
        (self.0, self.1, CarriedEnd(carried))
    }
}

impl<'a, N: Node, T: Entity, R: Relationship> RelationPair<'a, N, T, R> for (&'a N, &'a T, R) {
    const SET: Set = Set::Always;

    fn split(self) -> (&'a N, &'a T, CarriedEnd<'a, R>) {
        (self.0, self.1, CarriedEnd(Carried::Owned(self.2)))
    }
}

impl<'a, N: Node, T: Entity, R: Relationship> RelationPair<'a, N, T, R> for (&'a N, &'a T, &'a R) {
    const SET: Set = Set::Always;

    fn split(self) -> (&'a N, &'a T, CarriedEnd<'a, R>) {
        (self.0, self.1, CarriedEnd(Carried::Borrowed(self.2)))
    }
}

/// Remembers which row could not be written.
#[derive(Debug)]
pub(crate) struct Failed(AtomicUsize);

impl Default for Failed {
    fn default() -> Self {
        Self(AtomicUsize::new(usize::MAX))
    }
}

impl Failed {
    /// Writes a row, and remembers it where that fails.
    pub(crate) fn watch(
        &self,
        index: usize,
        written: Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        if written.is_err() {
            self.0.store(index, Ordering::Relaxed);
        }
        written
    }

    pub(crate) fn index(&self) -> Option<usize> {
        Some(self.0.load(Ordering::Relaxed)).filter(|index| *index != usize::MAX)
    }
}

/// Writes the name of a key in a row, such as `a0`.
pub(crate) fn row_key(
    encoder: &mut Encoder<'_>,
    prefix: u8,
    index: usize,
) -> Result<(), EncodeError> {
    // Nearly always one digit; nothing is allocated then.
    match u8::try_from(index) {
        Ok(digit @ 0..=9) => {
            let name = [prefix, b'0' + digit];
            encoder.string(std::str::from_utf8(&name).unwrap_or_default())
        }
        _ => encoder.string(&format!("{}{index}", char::from(prefix))),
    }
}

/// Writes the number of a row.
pub(crate) fn row_number(encoder: &mut Encoder<'_>, index: usize) -> Result<(), EncodeError> {
    encoder.string("i")?;
    encoder.integer(i64::try_from(index).unwrap_or(i64::MAX));
    Ok(())
}

/// The parameter `rows`: a map for each row, `{i, a0…, b0…, r0…, p}`.
pub(crate) struct PairRows<'r, 'a, S, T, R> {
    pub(crate) source: &'static NodeSchema,
    /// The struct that the far nodes of these rows are.
    pub(crate) target: &'static NodeSchema,
    pub(crate) rows: &'r [Row<'a, S, T, R>],
    /// Which of the rows, in the order in which they are written.
    pub(crate) order: &'r [usize],
    /// The time that is written, where one is.
    pub(crate) now: Option<&'r DateTime>,
    pub(crate) failed: &'r Failed,
}

impl<S: EndKey, T: Entity, R: Relationship> PairRows<'_, '_, S, T, R> {
    pub(crate) fn write_rows(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        let (from, to) = (self.source.keys().count(), self.target.keys().count());
        let keys = R::SCHEMA.keys().count();
        let carries = R::SCHEMA.is_written();
        let entries = 1 + from + to + keys + usize::from(carries);
        encoder.string("rows")?;
        encoder.list(self.order.len())?;
        for index in self.order {
            let Some(row) = self.rows.get(*index) else {
                continue;
            };
            let carried = row.carried.get();
            let mut write = || {
                encoder.map(entries)?;
                row_number(encoder, *index)?;
                for key in 0..from {
                    row_key(encoder, b'a', key)?;
                    row.source.encode(key, encoder)?;
                }
                for key in 0..to {
                    row_key(encoder, b'b', key)?;
                    row.target.encode_own_key(key, encoder)?;
                }
                for key in 0..keys {
                    row_key(encoder, b'r', key)?;
                    carried.encode_key(key, encoder)?;
                }
                if carries {
                    encoder.string("p")?;
                    carried.encode_properties(encoder)?;
                }
                Ok(())
            };
            self.failed.watch(*index, write())?;
        }
        Ok(())
    }
}

impl<S: EndKey, T: Entity, R: Relationship> PairRows<'_, '_, S, T, R> {
    /// Writes a list of the keys of each row's far node and relationship.
    pub(crate) fn write_keys(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        let (to, keys) = (self.target.keys().count(), R::SCHEMA.keys().count());
        encoder.list(self.order.len())?;
        for index in self.order {
            let Some(row) = self.rows.get(*index) else {
                continue;
            };
            let mut write = || {
                encoder.list(to + keys)?;
                (0..to).try_for_each(|key| row.target.encode_own_key(key, encoder))?;
                (0..keys).try_for_each(|key| row.carried.get().encode_key(key, encoder))
            };
            self.failed.watch(*index, write())?;
        }
        Ok(())
    }
}

impl<S: EndKey, T: Entity, R: Relationship> ToBolt for PairRows<'_, '_, S, T, R> {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.map(1 + usize::from(self.now.is_some()))?;
        self.write_rows(encoder)?;
        ends::write_now(encoder, self.now)
    }
}

/// Checks the rules of what each row's relationship carries, and calls the hooks that come first;
/// what refuses is named.
pub(crate) async fn before<S: EndKey, T: Entity, R: Relationship>(
    rows: &[Row<'_, S, T, R>],
    order: &[usize],
    target: &Target,
    operation: Operation,
) -> Result<Option<HookContext>, Error> {
    let cx = R::HOOKS.then(|| HookContext::new(target, operation));
    for index in order.iter().copied() {
        let Some(row) = rows.get(index) else { continue };
        let named = |error| Error::new(ErrorKind::Row { index, error });
        let carried = row.carried.get();
        check_relationship(carried).map_err(named)?;
        if let Some(cx) = &cx {
            let event = RelationshipEvent::BeforeConnect;
            R::hook(Some(carried), event, cx).await.map_err(named)?;
        }
    }
    Ok(cx)
}

/// Adds the first column of a statement that returns something of each row. With brackets, because
/// the embedded engine finds nothing by `row.i` after a `MATCH`.
pub(crate) fn number_column(statement: &mut WriteStatement) {
    statement.column("i", "row['i']");
}

/// What the statement of some rows gives back of each, where somebody can see it: the structs are
/// the caller's, or have hooks.
pub(crate) fn columns<S, T, R: Relationship>(
    statement: &mut WriteStatement,
    rows: &[Row<'_, S, T, R>],
) {
    let seen = |row: &&Row<'_, S, T, R>| R::HOOKS || matches!(row.carried, Carried::Borrowed(_));
    let Some(row) = rows.first().filter(seen) else {
        return;
    };
    let managed = row.carried.get().managed();
    if stamps::asks(&managed) {
        number_column(statement);
        stamps::columns(statement, R::SCHEMA, &managed);
    }
}

/// Puts what came back into the structs.
pub(crate) fn fill<S, T, R: Relationship>(
    rows: &[Row<'_, S, T, R>],
    records: &[Record],
    target: &Target,
) -> Result<(), Error> {
    for record in records {
        if let Some(row) = rows.get(record.get_at::<usize>(0)?) {
            stamps::fill(&row.carried.get().managed(), record, 1, target)?;
        }
    }
    Ok(())
}

/// Calls the hooks that come last.
pub(crate) async fn after<S: EndKey, T: Entity, R: Relationship>(
    rows: &[Row<'_, S, T, R>],
    order: &[usize],
    cx: Option<HookContext>,
) -> Result<(), Error> {
    let Some(cx) = cx else { return Ok(()) };
    for row in order.iter().filter_map(|index| rows.get(*index)) {
        R::hook(
            Some(row.carried.get()),
            RelationshipEvent::AfterConnect,
            &cx,
        )
        .await?;
    }
    Ok(())
}

/// The statement that connects the pairs of `$rows`.
///
/// It refuses the first row whose nodes are not both there, or that leaves a bounded end with
/// more than one relationship once all rows are written; then none of them is.
pub(crate) fn statement(
    source: &'static NodeSchema,
    relation: &'static RelationSchema,
    target: &'static NodeSchema,
    set: Set,
) -> String {
    let text = found(source, target);
    finish(text, source, relation, target, set)
}

/// The same, which ends what else a bounded field leads to instead of refusing.
pub(crate) fn replacing(
    source: &'static NodeSchema,
    relation: &'static RelationSchema,
    target: &'static NodeSchema,
) -> String {
    let mut text = found(source, target);
    if relation.cardinality.is_bounded() {
        ends::lock(&mut text, "a");
        text.push_str(" WITH row, a, b OPTIONAL MATCH ");
        let carried = (relation.relationship, "row.r");
        let names = ("x", "o", "b");
        ends::others(
            &mut text,
            "a",
            names,
            relation,
            (relation.target)(),
            carried,
        );
        ends::spare(&mut text, source, relation, "row, a, b");
        text.push_str(" DELETE x WITH DISTINCT row, a, b");
    }
    finish(text, source, relation, target, Set::Always)
}

/// A struct, or those that an enum is made of.
pub(crate) fn structs(schema: &'static NodeSchema) -> Vec<&'static NodeSchema> {
    if schema.variants.is_empty() {
        return vec![schema];
    }
    let variants = schema.variants.iter();
    variants.flat_map(|variant| structs(variant())).collect()
}

/// The statement that ends those relationships of a field which `row.q0` and so on, one for each
/// struct that it may lead to, do not name, of the node of each row.
pub(crate) fn unwanted(source: &'static NodeSchema, relation: &'static RelationSchema) -> String {
    let target = (relation.target)();
    let mut text = String::from("UNWIND $rows AS row MATCH ");
    ends::keyed_by(&mut text, "a", "row.a", source);
    ends::lock(&mut text, "a");
    text.push_str(" WITH row, a MATCH ");
    ends::step(&mut text, "a", "x", relation, Keys::Any);
    ends::far(&mut text, "o", target, &not_kept(relation, "row.q"));
    ends::spare(&mut text, source, relation, "row, a");
    text.push_str(" DELETE x");
    text
}

/// The condition that the relationship `x` to `o` is none of those whose keys are in the lists
/// `values`0 and so on, one for each struct that the field may lead to.
pub(super) fn not_kept(relation: &RelationSchema, values: &str) -> String {
    let structs = structs((relation.target)());
    let several = structs.len() > 1;
    let mut text = String::from("NOT (");
    for (variant, schema) in structs.into_iter().enumerate() {
        let or = if variant > 0 { " OR " } else { "" };
        text.push_str(or);
        if several {
            let _ = write!(text, "o:{} AND ", escape(schema.label));
        }
        let mut word = "coalesce([";
        let nodes = schema.keys().map(|key| ("o", key));
        let relationships = relation.relationship.keys().map(|key| ("x", key));
        for (variable, key) in nodes.chain(relationships) {
            let _ = write!(text, "{word}{variable}.{}", escape(key.name));
            word = ", ";
        }
        let _ = write!(text, "] IN {values}{variant}, false)");
    }
    text.push(')');
    text
}

/// What a row says that was refused: `from` was to lead to `to`.
pub(crate) fn replaced_by(
    source: &'static NodeSchema,
    relation: &'static RelationSchema,
    (from, to): (KeyOf, KeyOf),
    reason: char,
) -> Error {
    let operation = "save_graph";
    let inverse = ends::bounded_inverse(source, relation, to.schema());
    Error::new(match (reason, inverse) {
        ('a', _) => ErrorKind::NodeNotFound {
            key: from,
            operation,
        },
        ('b', _) => ErrorKind::NodeNotFound { key: to, operation },
        ('d', Some(inverse)) => ErrorKind::Cardinality {
            node: to,
            field: inverse.field,
            cardinality: ends::cardinality_name(inverse.cardinality),
            reason: ends::REACHED,
        },
        ('l', _) => ErrorKind::Cardinality {
            node: from,
            field: relation.field,
            cardinality: "OneOrMore at its other end",
            reason: "a node there would lose its last relationship; connect another to it first",
        },
        _ => ErrorKind::Cardinality {
            node: from,
            field: relation.field,
            cardinality: ends::cardinality_name(relation.cardinality),
            reason: ends::REACHED,
        },
    })
}

/// Begins a statement that finds the nodes of each row.
fn found(source: &NodeSchema, target: &NodeSchema) -> String {
    let mut text = String::with_capacity(512);
    text.push_str("UNWIND $rows AS row OPTIONAL MATCH ");
    ends::keyed_by(&mut text, "a", "row.a", source);
    text.push_str(" OPTIONAL MATCH ");
    ends::keyed_by(&mut text, "b", "row.b", target);
    text.push_str(" WITH row, a, b WHERE CASE WHEN a IS NULL THEN ");
    raise(&mut text, "row.i", 'a');
    text.push_str(" WHEN b IS NULL THEN ");
    raise(&mut text, "row.i", 'b');
    text.push_str(" ELSE true END");
    text
}

fn finish(
    mut text: String,
    source: &'static NodeSchema,
    relation: &'static RelationSchema,
    target: &'static NodeSchema,
    set: Set,
) -> String {
    merge(&mut text, source, relation, target, set);
    text
}

/// Writes what becomes of a row whose nodes `a` and `b` are there.
pub(crate) fn merge(
    text: &mut String,
    source: &'static NodeSchema,
    relation: &'static RelationSchema,
    target: &'static NodeSchema,
    set: Set,
) {
    let own = relation.cardinality.is_bounded().then_some(relation);
    let inverse = ends::bounded_inverse(source, relation, target);
    for (bounded, variable) in [(own.is_some(), "a"), (inverse.is_some(), "b")] {
        if bounded {
            ends::lock(text, variable);
        }
    }
    text.push_str(" MERGE ");
    ends::step(text, "a", "r", relation, Keys::Values("row.r"));
    text.push_str("(b)");
    set.write(text, relation.relationship, "row.p");
    if own.is_none() && inverse.is_none() {
        return;
    }
    let _ = write!(text, " SET r.{GUARD} = CASE");
    let carried = (relation.relationship, "row.r");
    let back = inverse.map_or(source, |inverse| (inverse.target)());
    let checks = [
        (own, "a", ("x", "o", "b"), (relation.target)(), 'c'),
        (inverse, "b", ("y", "q", "a"), back, 'd'),
    ];
    for (bound, from, names, nodes, reason) in checks {
        if let Some(bound) = bound {
            text.push_str(" WHEN EXISTS { MATCH ");
            ends::others(text, from, names, bound, nodes, carried);
            text.push_str(" } THEN ");
            raise(text, "row.i", reason);
        }
    }
    text.push_str(" END");
}

/// Names the row that the statement refused, and why; an error that is about no row stays as it
/// is.
pub(crate) fn explain<S: EndKey, T: Entity, R>(
    error: Error,
    rows: &[Row<'_, S, T, R>],
    failed: &Failed,
    (source, relation): (&'static NodeSchema, &'static RelationSchema),
    operation: &'static str,
) -> Error {
    if let Some(index) = failed.index() {
        return Error::new(ErrorKind::Row { index, error });
    }
    let Some((index, reason)) = raised(&error) else {
        return error;
    };
    let Some(row) = rows.get(index) else {
        return error;
    };
    let (Ok(from), Ok(to)) = (row.source.key(), row.target.key()) else {
        return error;
    };
    let bounded = |node: KeyOf, relation: &RelationSchema| ErrorKind::Cardinality {
        node,
        field: relation.field,
        cardinality: ends::cardinality_name(relation.cardinality),
        reason: ends::REACHED,
    };
    let kind = match (reason, ends::bounded_inverse(source, relation, to.schema)) {
        ('a', _) => ErrorKind::NodeNotFound {
            key: from,
            operation,
        },
        ('b', _) => ErrorKind::NodeNotFound { key: to, operation },
        ('d', Some(inverse)) => bounded(to, inverse),
        _ => bounded(from, relation),
    };
    let error = Error::new(kind);
    Error::new(ErrorKind::Row { index, error })
}

/// The rows in the order of their keys, so that batches which run beside each other lock the
/// same nodes in the same order; rows of the same key stay in theirs.
pub(crate) fn sorted(
    rows: &[usize],
    mut encode: impl FnMut(usize, &mut Encoder<'_>) -> Result<(), EncodeError>,
) -> Vec<usize> {
    let mut bytes = bytes::BytesMut::new();
    let mut spans = Vec::with_capacity(rows.len());
    for index in rows.iter().copied() {
        let start = bytes.len();
        let mut encoder = Encoder::new(&mut bytes, neo_bolt::packstream::Dialect::NEWEST);
        if encode(index, &mut encoder).is_err() {
            // Writing the statement's parameters says what is wrong.
            return rows.to_vec();
        }
        spans.push((start..bytes.len(), index));
    }
    spans.sort_by(|(one, _), (other, _)| bytes.get(one.clone()).cmp(&bytes.get(other.clone())));
    spans.into_iter().map(|(_, index)| index).collect()
}
