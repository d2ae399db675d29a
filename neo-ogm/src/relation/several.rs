//! `book.similar.connect_all(&others)` and `replace_all`.

use std::fmt;
use std::future::IntoFuture;

use neo_bolt::AccessMode;
use neo_bolt::packstream::{EncodeError, Encoder, ToBolt};

use super::connect::Others;
use super::ends::{self, Bound, Keys, key_parameters};
use super::pairs::{self, Failed, PairRows, RelationEnd, Row};
use super::said::Set;
use super::stamps;
use crate::error::{Error, ErrorKind};
use crate::executor::{BoxFuture, Executor, Target, operation};
use crate::mapping::{Cardinality, KeyOf, Node, Operation, Relationship};
use crate::query::{escape, raise, raised};

/// A connect with several nodes that waits to be awaited: one statement, one round trip.
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

impl<'a, T: Node, R: Relationship> ConnectSeveral<'a, T, R> {
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

    /// Where to run: a transaction, or another handle of the graph.
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
        let failed = Failed::default();
        let operation = match self.others {
            Others::Stay => "connect_all",
            Others::Go => "replace_all",
        };
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
        let now = stamps::now(R::SCHEMA, &executor);
        let pairs = PairRows {
            source: source.schema,
            rows: &rows,
            order: &order,
            now: now.as_ref(),
            failed: &failed,
        };
        let done = match self.others {
            Others::Stay => {
                let mut text = pairs::statement::<T>(source.schema, bound.relation, self.set);
                pairs::columns(&mut text, &rows);
                executor
                    .execute(AccessMode::Write, text.into(), pairs)
                    .await
            }
            Others::Go => {
                let mut text = replace::<T, R>(&bound, self.set);
                pairs::columns(&mut text, &rows);
                let parameters = ReplaceParameters { source, pairs };
                executor
                    .execute(AccessMode::Write, text.into(), parameters)
                    .await
            }
        };
        let error = match done {
            Ok(done) => {
                pairs::fill(&rows, &done.records, &executor)?;
                return pairs::after(&rows, &order, cx).await;
            }
            Err(error) => error,
        };
        Err(match raised(&error) {
            // The node is the same in each row.
            Some((_, 'a')) => Error::new(ErrorKind::NodeNotFound {
                key: source.clone(),
                operation,
            }),
            Some((_, 'l')) => ends::left_alone(&bound),
            _ => pairs::explain(
                error,
                &rows,
                &failed,
                (source.schema, bound.relation),
                operation,
            ),
        })
    }
}

impl<'a, T: Node, R: Relationship> IntoFuture for ConnectSeveral<'a, T, R> {
    type Output = Result<(), Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        operation(self.run())
    }
}

/// The parameters of a replace: the key of the node, what may stay, and the rows.
struct ReplaceParameters<'r, 'a, T, R> {
    source: &'r KeyOf,
    pairs: PairRows<'r, 'a, &'r KeyOf, T, R>,
}

impl<T: Node, R: Relationship> ToBolt for ReplaceParameters<'_, '_, T, R> {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        let now = self.pairs.now;
        encoder.map(self.source.values.len() + 2 + usize::from(now.is_some()))?;
        key_parameters(encoder, "a", self.source)?;
        encoder.string("keep")?;
        self.pairs.write_keys(encoder)?;
        self.pairs.write_rows(encoder)?;
        ends::write_now(encoder, now)
    }
}

/// The statement that leaves exactly the pairs of `$rows`.
fn replace<T: Node, R: Relationship>(bound: &Bound, set: Set) -> String {
    let mut text = String::with_capacity(512);
    let source = bound.origin.key.schema;
    text.push_str("OPTIONAL MATCH ");
    ends::keyed(&mut text, "a", "a", source);
    text.push_str(" WITH a WHERE CASE WHEN a IS NULL THEN ");
    raise(&mut text, "0 * size($rows)", 'a');
    text.push_str(" ELSE true END");
    ends::lock(&mut text, "a");
    text.push_str(" WITH a OPTIONAL MATCH ");
    ends::step(&mut text, "a", "x", bound.relation, Keys::Any);
    let mut kept = String::new();
    let mut word = "NOT coalesce([";
    let nodes = T::SCHEMA.keys().map(|key| ("o", key));
    for (variable, key) in nodes.chain(R::SCHEMA.keys().map(|key| ("x", key))) {
        kept.push_str(&format!("{word}{variable}.{}", escape(key.name)));
        word = ", ";
    }
    kept.push_str("] IN $keep, false)");
    ends::far(&mut text, "o", T::SCHEMA, &kept);
    ends::spare(&mut text, source, bound.relation, "a");
    text.push_str(" DELETE x WITH DISTINCT a UNWIND $rows AS row OPTIONAL MATCH ");
    ends::keyed_by(&mut text, "b", "row.b", T::SCHEMA);
    text.push_str(" WITH row, a, b WHERE CASE WHEN b IS NULL THEN ");
    raise(&mut text, "row.i", 'b');
    text.push_str(" ELSE true END");
    pairs::merge(&mut text, source, bound.relation, T::SCHEMA, set);
    text
}
