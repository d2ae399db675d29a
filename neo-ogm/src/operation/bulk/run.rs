//! Batches, one after the other or several at once.

use std::fmt;
use std::future::poll_fn;
use std::ops::Range;
use std::sync::Arc;
use std::task::Poll;

use neo_bolt::AccessMode;
use neo_bolt::packstream::ToBolt;

use crate::error::{Error, ErrorKind};
use crate::executor::{BoxFuture, Target};

/// How many rows go into one statement unless told. More save little, and cost memory on both
/// sides.
const BATCH: usize = 5_000;

/// How far a bulk operation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// How many rows are written: committed, unless they are part of a transaction.
    pub done: usize,
    /// How many rows there are.
    pub total: usize,
    /// How many batches are written.
    pub batches: usize,
}

impl Progress {
    /// Nothing of `total` rows yet.
    pub(super) fn of(total: usize) -> Self {
        Self {
            done: 0,
            total,
            batches: 0,
        }
    }
}

/// How a bulk operation is cut and run.
pub(super) struct Options<'a> {
    pub(super) batch_size: usize,
    pub(super) concurrency: usize,
    pub(super) on_progress: Option<Box<dyn Fn(Progress) + Send + Sync + 'a>>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            batch_size: BATCH,
            concurrency: 1,
            on_progress: None,
        }
    }
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("batch_size", &self.batch_size)
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}

/// The words that every bulk operation has.
macro_rules! options {
    () => {
        /// How many rows go into one statement, 5,000 unless told; at least 1.
        pub fn batch_size(mut self, rows: usize) -> Self {
            self.options.batch_size = rows.max(1);
            self
        }

        /// How many batches run at once, each on a connection of its own; 1 unless told. Within
        /// a transaction they run one after the other all the same.
        ///
        /// Batches that write to the same nodes may meet in a deadlock, which is retried.
        pub fn concurrency(mut self, batches: usize) -> Self {
            self.options.concurrency = batches.max(1);
            self
        }

        /// Calls `tell` behind each batch that was written.
        pub fn on_progress(mut self, tell: impl Fn(Progress) + Send + Sync + 'a) -> Self {
            self.options.on_progress = Some(Box::new(tell));
            self
        }
    };
}
pub(super) use options;

impl Options<'_> {
    /// Runs `batch` for each range of `total` rows. Where one fails, no further one is begun, those on
    /// their way are waited for, and the error of the foremost is given.
    pub(super) async fn run<'f>(
        &self,
        total: usize,
        target: &Target,
        progress: &mut Progress,
        batch: impl Fn(Range<usize>) -> BoxFuture<'f, Result<(), Error>>,
    ) -> Result<(), Error> {
        let at_once = match target {
            Target::Graph(_) => self.concurrency,
            Target::Transaction(_) => 1,
        };
        let starts = (0..total).step_by(self.batch_size);
        let mut waiting = starts.map(|start| start..total.min(start + self.batch_size));
        let mut running: Vec<Running<'f>> = Vec::new();
        let mut failed: Option<(usize, Error)> = None;
        loop {
            while failed.is_none()
                && running.len() < at_once
                && let Some(range) = waiting.next()
            {
                let future = batch(range.clone());
                running.push((range, future));
            }
            if running.is_empty() {
                return failed.map_or(Ok(()), |(_, error)| Err(error));
            }
            let (range, result) = next(&mut running).await;
            match result {
                Ok(()) => {
                    progress.done += range.len();
                    progress.batches += 1;
                    if let Some(tell) = &self.on_progress {
                        tell(*progress);
                    }
                }
                Err(error) => {
                    let foremost = failed
                        .as_ref()
                        .is_none_or(|(start, _)| range.start < *start);
                    if foremost {
                        failed = Some((range.start, error));
                    }
                }
            }
        }
    }
}

/// A batch on its way.
type Running<'f> = (Range<usize>, BoxFuture<'f, Result<(), Error>>);

/// The first of several futures to end.
async fn next<K, T>(running: &mut Vec<(K, BoxFuture<'_, T>)>) -> (K, T) {
    let (at, value) = poll_fn(|context| {
        for (at, (_, future)) in running.iter_mut().enumerate() {
            if let Poll::Ready(value) = future.as_mut().poll(context) {
                return Poll::Ready((at, value));
            }
        }
        Poll::Pending
    })
    .await;
    (running.swap_remove(at).0, value)
}

/// Names the row that a constraint stands against: the last of the shortest beginning of the
/// batch that fails. Beginnings are tried in transactions that are rolled back.
///
/// Within a transaction nothing can be tried, since the error has ended it; there the server's
/// words must do.
pub(super) async fn name_culprit<P: ToBolt + Send + Sync>(
    error: Error,
    target: &Target,
    statement: &Arc<str>,
    order: &[usize],
    parameters: impl Fn(usize) -> P + Send + Sync,
) -> Error {
    let Target::Graph(graph) = target else {
        return error;
    };
    if !error.is_constraint_violation() {
        return error;
    }
    let fails = async |rows: usize| {
        let tried: Result<(), Error> = graph
            .transaction(|tx| {
                let (statement, parameters) = (Arc::clone(statement), parameters(rows));
                async move {
                    let target = Target::Transaction(tx);
                    target
                        .execute(AccessMode::Write, statement, parameters)
                        .await?;
                    Err(Error::abort("only tried"))
                }
            })
            .await;
        matches!(tried, Err(error) if !matches!(error.kind(), ErrorKind::Aborted(_)))
    };
    let (mut fine, mut broken) = (0, order.len());
    while broken - fine > 1 {
        let middle = fine + (broken - fine) / 2;
        if fails(middle).await {
            broken = middle;
        } else {
            fine = middle;
        }
    }
    match broken.checked_sub(1).and_then(|last| order.get(last)) {
        Some(index) => Error::new(ErrorKind::Row {
            index: *index,
            error,
        }),
        None => error,
    }
}
