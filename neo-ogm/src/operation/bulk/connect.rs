//! `connect_all`: any pairs of nodes, by one relationship field.

use std::fmt;
use std::future::IntoFuture;
use std::ops::Range;

use super::run::{self, Options, Progress, options};
use crate::error::Error;
use crate::executor::{BoxFuture, Target, WriteStatement, operation};
use crate::mapping::{Entity, Node, Operation, RelationSchema, Relationship};
use crate::query::{Relation, raised};
use crate::relation::groups::{Group, groups, together};
use crate::relation::pairs::{self, Failed, PairRows, Row, sorted};
use crate::relation::{RelationPair, Set, stamps};

/// A connect of many pairs that waits to be awaited; see
/// [`Graph::connect_all`](crate::Graph::connect_all).
///
/// # Cancel safety
/// Dropping the future leaves graph and connections sound; of the batches on their way each may
/// or may not have been written.
#[must_use = "nothing is sent before `.await`"]
pub struct ConnectAll<'a, N, T, R> {
    rows: Vec<Row<'a, &'a N, T, R>>,
    relation: &'static RelationSchema,
    set: Set,
    target: Target,
    options: Options<'a>,
}

impl<N, T, R> fmt::Debug for ConnectAll<'_, N, T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectAll")
            .field("pairs", &self.rows.len())
            .field("relation", &self.relation.field)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl<'a, N: Node, T: Entity, R: Relationship> ConnectAll<'a, N, T, R> {
    pub(super) fn new<P: RelationPair<'a, N, T, R>>(
        relation: Relation<N, T, R>,
        pairs: impl IntoIterator<Item = P>,
        target: Target,
    ) -> Self {
        let rows = pairs.into_iter().map(|pair| {
            let (source, target, carried) = pair.split();
            Row {
                source,
                target,
                carried: carried.0,
            }
        });
        Self {
            rows: rows.collect(),
            relation: relation.schema(),
            set: P::SET,
            target,
            options: Options::default(),
        }
    }

    options!();

    async fn run(self) -> Result<(), Error> {
        let Self {
            rows,
            relation,
            set,
            target,
            options,
        } = self;
        let (rows, target) = (&rows, &target);
        let batch = |range: Range<usize>| -> BoxFuture<'_, Result<(), Error>> {
            let batch = Batch {
                rows,
                relation,
                set,
                target,
            };
            Box::pin(batch.run(range))
        };
        let mut progress = Progress::of(rows.len());
        options.run(rows.len(), target, &mut progress, batch).await
    }
}

/// Some of the pairs, which are written whole or not at all.
struct Batch<'b, 'a, N, T, R> {
    rows: &'b [Row<'a, &'a N, T, R>],
    relation: &'static RelationSchema,
    set: Set,
    target: &'b Target,
}

impl<N: Node, T: Entity, R: Relationship> Batch<'_, '_, N, T, R> {
    async fn run(self, range: Range<usize>) -> Result<(), Error> {
        let Self { rows, target, .. } = self;
        let of_batch: Vec<usize> = range.collect();
        let mut groups = groups(rows, &of_batch);
        for group in &mut groups {
            self.sort(group);
        }
        let cx = pairs::before(rows, &of_batch, target, Operation::Connect).await?;
        let (batch, groups) = (&self, &groups);
        together(target, groups.len(), |target| {
            Box::pin(async move {
                for group in groups {
                    batch.write(group, &target, groups.len() == 1).await?;
                }
                Ok(())
            })
        })
        .await?;
        pairs::after(rows, &of_batch, cx).await
    }

    /// Puts rows in the order of their keys.
    fn sort(&self, group: &mut Group) {
        let (from, to) = (N::SCHEMA.keys().count(), group.target.keys().count());
        group.order = sorted(&group.order, |index, encoder| {
            self.rows.get(index).map_or(Ok(()), |row| {
                (0..from).try_for_each(|key| row.source.encode_key(key, encoder))?;
                (0..to).try_for_each(|key| row.target.encode_own_key(key, encoder))
            })
        });
    }

    /// Writes the rows of one struct. Only where they are `alone` in their transaction can be tried
    /// which of them a constraint stands against.
    async fn write(&self, group: &Group, target: &Target, alone: bool) -> Result<(), Error> {
        let Self {
            rows,
            relation,
            set,
            ..
        } = *self;
        let order = &group.order;
        let text = pairs::statement(N::SCHEMA, relation, group.target, set);
        let mut statement = WriteStatement::with_rows(text);
        pairs::columns(&mut statement, rows);
        let now = stamps::now(R::SCHEMA, target);
        let failed = Failed::default();
        let parameters = |count: usize| PairRows {
            source: N::SCHEMA,
            target: group.target,
            rows,
            order: order.get(..count).unwrap_or(order),
            now: now.as_ref(),
            failed: &failed,
        };
        let all = parameters(order.len());
        let error = match target.write(&statement, all).await {
            Ok(done) => return pairs::fill(rows, &done.records, target),
            Err(error) => error,
        };
        let named = failed.index().is_some() || raised(&error).is_some();
        let error = pairs::explain(error, rows, &failed, (N::SCHEMA, relation), "connect_all");
        if named || !alone {
            return Err(error);
        }
        let statement = statement.to_string().into();
        Err(run::name_culprit(error, target, &statement, order, parameters).await)
    }
}

impl<'a, N: Node, T: Entity, R: Relationship> IntoFuture for ConnectAll<'a, N, T, R> {
    type Output = Result<(), Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        operation(self.run())
    }
}
