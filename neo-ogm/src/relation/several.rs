//! `book.similar.connect_all(&others)` and `replace_all`.

use std::fmt;
use std::future::IntoFuture;

use neo_bolt::packstream::{EncodeError, Encoder, ToBolt};
use neo_bolt::value::DateTime;

use super::connect::Others;
use super::ends::{self, Bound, Keys, key_parameters};
use super::groups::{Group, groups, together};
use super::pairs::{self, Failed, PairRows, RelationEnd, Row, row_key, structs};
use super::said::Set;
use super::stamps;
use crate::error::{Error, ErrorKind};
use crate::executor::{BoxFuture, Executor, Target, WriteStatement, operation};
use crate::mapping::{Cardinality, Entity, KeyOf, NodeSchema, Operation, Relationship};
use crate::query::{raise, raised};

/// A connect with several nodes that waits to be awaited: one statement, one round trip. Where the
/// nodes are an enum's, it is a statement for each struct among them, in one transaction.
///
/// # Cancel safety
/// Dropping the future leaves graph and connection sound; either all of it has happened or
/// nothing.
#[must_use = "nothing is sent before `.await`"]
pub struct ConnectSeveral<'a, T, R> {
    bound: Option<Bound>,
    ends: Vec<(&'a T, pairs::CarriedEnd<'a, R>)>,
    others: Others,
    set: Set,
    on: Option<Target>,
}

impl<T, R> fmt::Debug for ConnectSeveral<'_, T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectSeveral")
            .field("bound", &self.bound)
            .field("ends", &self.ends.len())
            .finish_non_exhaustive()
    }
}

impl<'a, T: Entity, R: Relationship> ConnectSeveral<'a, T, R> {
    pub(super) fn new<E: RelationEnd<'a, T, R>>(
        bound: Option<Bound>,
        ends: impl IntoIterator<Item = E>,
        others: Others,
    ) -> Self {
        Self {
            bound,
            ends: ends.into_iter().map(RelationEnd::split).collect(),
            others,
            set: E::SET,
            on: None,
        }
    }

    /// Runs the operation on a transaction or another handle of the graph. By default, it joins the
    /// transaction that the node belongs to while that goes on, and otherwise runs on the node's
    /// graph; see [`Transaction`](crate::Transaction#scope).
    pub fn on(mut self, executor: impl Executor) -> Self {
        self.on = Some(executor.target());
        self
    }

    async fn run(self) -> Result<(), Error> {
        let bound = ends::bound(self.bound)?;
        let executor = bound.target(self.on);
        let source = &bound.origin.key;
        let rows = self.ends.into_iter().map(|(target, carried)| Row {
            source,
            target,
            carried: carried.0,
        });
        let rows: Vec<Row<'_, &KeyOf, T, R>> = rows.collect();
        let order: Vec<usize> = (0..rows.len()).collect();
        if rows.is_empty() && (self.others == Others::Stay || bound.keeps_last()) {
            return match self.others {
                Others::Stay => Ok(()),
                Others::Go => Err(ends::violation(
                    Some(&bound),
                    Cardinality::OneOrMore,
                    "it was to be replaced by nothing",
                )),
            };
        }
        let hooks = match self.others {
            Others::Stay => Operation::Connect,
            Others::Go => Operation::Replace,
        };
        let cx = pairs::before(&rows, &order, &executor, hooks).await?;
        let batch = Batch {
            bound: &bound,
            groups: groups(&rows, &order),
            rows: &rows,
            others: self.others,
            set: self.set,
        };
        let run = |target| -> BoxFuture<'_, Result<(), Error>> { Box::pin(batch.write(target)) };
        together(&executor, batch.groups.len(), run).await?;
        pairs::after(&rows, &order, cx).await
    }
}

impl<'a, T: Entity, R: Relationship> IntoFuture for ConnectSeveral<'a, T, R> {
    type Output = Result<(), Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        operation(self.run())
    }
}

/// All the relationships that are to be, by the structs that they lead to.
struct Batch<'r, 'a, T, R> {
    bound: &'r Bound,
    groups: Vec<Group>,
    rows: &'r [Row<'a, &'r KeyOf, T, R>],
    others: Others,
    set: Set,
}

impl<'r, 'a, T: Entity, R: Relationship> Batch<'r, 'a, T, R> {
    /// A statement for each struct; the first of a replace ends what may not stay.
    async fn write(&self, target: Target) -> Result<(), Error> {
        let bound = self.bound;
        let source = bound.origin.key.schema;
        let nothing = [Group {
            target: T::ENTITY,
            order: Vec::new(),
        }];
        let groups = match self.groups.as_slice() {
            // A replace by nothing.
            [] => &nothing,
            groups => groups,
        };
        let now = stamps::now(R::SCHEMA, &target);
        let failed = Failed::default();
        for (index, group) in groups.iter().enumerate() {
            let pairs = self.pairs(group.target, &group.order, now.as_ref(), &failed);
            let done = if index == 0 && self.others == Others::Go {
                let mut text = replace(bound);
                if !self.groups.is_empty() {
                    replace_by(&mut text, bound, group.target, self.set);
                }
                let mut statement = WriteStatement::with_rows(text);
                if !self.groups.is_empty() {
                    pairs::columns(&mut statement, self.rows);
                }
                let kept = structs(T::ENTITY).into_iter().map(|schema| {
                    let of = self.groups.iter().find(|group| group.target == schema);
                    let order = of.map_or(&[][..], |group| &group.order);
                    self.pairs(schema, order, None, &failed)
                });
                let parameters = ReplaceParameters {
                    source: &bound.origin.key,
                    kept: kept.collect(),
                    pairs,
                };
                target.write(&statement, parameters).await
            } else {
                let text = pairs::statement(source, bound.relation, group.target, self.set);
                let mut statement = WriteStatement::with_rows(text);
                pairs::columns(&mut statement, self.rows);
                target.write(&statement, pairs).await
            };
            let done = done.map_err(|error| self.explain(error, &failed))?;
            pairs::fill(self.rows, &done.records, &target)?;
        }
        Ok(())
    }

    fn pairs<'p>(
        &'p self,
        target: &'static NodeSchema,
        order: &'p [usize],
        now: Option<&'p DateTime>,
        failed: &'p Failed,
    ) -> PairRows<'p, 'a, &'r KeyOf, T, R> {
        PairRows {
            source: self.bound.origin.key.schema,
            target,
            rows: self.rows,
            order,
            now,
            failed,
        }
    }

    fn explain(&self, error: Error, failed: &Failed) -> Error {
        let source = &self.bound.origin.key;
        let operation = match self.others {
            Others::Stay => "connect_all",
            Others::Go => "replace_all",
        };
        match raised(&error) {
            // The node is the same in each row.
            Some((_, 'a')) => Error::new(ErrorKind::NodeNotFound {
                key: source.clone(),
                operation,
            }),
            Some((_, 'l')) => ends::left_alone(self.bound),
            _ => {
                let field = (source.schema, self.bound.relation);
                pairs::explain(error, self.rows, failed, field, operation)
            }
        }
    }
}

/// The parameters of a replace: the key of the node, what may stay of each struct, and the rows.
struct ReplaceParameters<'r, 'a, T, R> {
    source: &'r KeyOf,
    kept: Vec<PairRows<'r, 'a, &'r KeyOf, T, R>>,
    pairs: PairRows<'r, 'a, &'r KeyOf, T, R>,
}

impl<T: Entity, R: Relationship> ToBolt for ReplaceParameters<'_, '_, T, R> {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        let now = self.pairs.now;
        let keys = self.source.values.len();
        encoder.map(keys + self.kept.len() + 1 + usize::from(now.is_some()))?;
        key_parameters(encoder, "a", self.source)?;
        for (index, kept) in self.kept.iter().enumerate() {
            row_key(encoder, b'q', index)?;
            kept.write_keys(encoder)?;
        }
        self.pairs.write_rows(encoder)?;
        ends::write_now(encoder, now)
    }
}

/// Ends all relationships of the field that `$q0` and so on, one list for each struct, do not name.
fn replace(bound: &Bound) -> String {
    let mut text = String::with_capacity(512);
    let source = bound.origin.key.schema;
    let relation = bound.relation;
    text.push_str("OPTIONAL MATCH ");
    ends::keyed(&mut text, "a", "a", source);
    text.push_str(" WITH a WHERE CASE WHEN a IS NULL THEN ");
    raise(&mut text, "0 * size($rows)", 'a');
    text.push_str(" ELSE true END");
    ends::lock(&mut text, "a");
    text.push_str(" WITH a OPTIONAL MATCH ");
    ends::step(&mut text, "a", "x", relation, Keys::Any);
    let not_kept = pairs::not_kept(relation, "$q");
    ends::far(&mut text, "o", (relation.target)(), &not_kept);
    ends::spare(&mut text, source, relation, "a");
    text.push_str(" DELETE x");
    text
}

/// Goes on with the pairs of `$rows`.
fn replace_by(text: &mut String, bound: &Bound, target: &'static NodeSchema, set: Set) {
    let source = bound.origin.key.schema;
    text.push_str(" WITH DISTINCT a UNWIND $rows AS row OPTIONAL MATCH ");
    ends::keyed_by(text, "b", "row.b", target);
    text.push_str(" WITH row, a, b WHERE CASE WHEN b IS NULL THEN ");
    raise(text, "row.i", 'b');
    text.push_str(" ELSE true END");
    pairs::merge(text, source, bound.relation, target, set);
}
