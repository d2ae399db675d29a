//! Each transaction takes effect once and returns what it committed, whatever is lost on the way, even
//! if other clients write in between.

mod exact;
mod operation;
mod perform;
mod shared;
mod state;
mod stranger;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use neo_ogm::prelude::*;
use neo_test_support::proxy::Action;
use tokio::task::JoinSet;

use crate::context::{Context, Failure};
use crate::model::{self, count};

const WORKERS: u64 = 8;

const ACTIONS: &[Action] = &[
    Action::CutBefore,
    Action::CutInside,
    Action::CutAfter,
    Action::CutAfterAnswer,
    Action::CutAfterAnswer,
];

/// What came out of a worker.
#[derive(Debug, Default)]
struct Tally {
    operations: u64,
    cuts: u64,
    /// Cuts after which a stranger wrote before the mapper could go on.
    strangers: u64,
    boundaries: BTreeSet<String>,
    unknown: u64,
    wrong_answers: Vec<String>,
    differences: Vec<String>,
}

impl Tally {
    fn merge(&mut self, other: Self) {
        self.operations += other.operations;
        self.cuts += other.cuts;
        self.strangers += other.strangers;
        self.boundaries.extend(other.boundaries);
        self.unknown += other.unknown;
        self.wrong_answers.extend(other.wrong_answers);
        self.differences.extend(other.differences);
    }

    fn write(&self, context: &mut Context, part: &str) {
        let first = |texts: &[String]| {
            texts
                .first()
                .map_or(String::new(), |text| format!("; {text}"))
        };
        context.check(
            format!("{part}: each transaction took effect once, and no other client's write was undone"),
            self.differences.is_empty(),
            format!(
                "{} cuts in {} transactions, after {} of which a stranger wrote to the same nodes; {} \
                 differences{}",
                self.cuts,
                self.operations,
                self.strangers,
                self.differences.len(),
                first(&self.differences)
            ),
        );
        context.check(
            format!("{part}: each call returned what was committed"),
            self.wrong_answers.is_empty(),
            format!(
                "{} wrong answers, {} of unknown outcome{}",
                self.wrong_answers.len(),
                self.unknown,
                first(&self.wrong_answers)
            ),
        );
        if !self.boundaries.is_empty() {
            let count = self.boundaries.len();
            context.note(format!("{part}: {count} different boundaries were cut."));
        }
    }
}

async fn receipts(direct: &Graph) -> Result<i64, Failure> {
    let all = "MATCH (r:_NeoOgmReceipt) WHERE $key = '' RETURN count(r)";
    count(direct, all, "").await
}

pub(super) async fn run(context: &mut Context) -> Result<(), Failure> {
    let direct = context.place()?.graph().await?;
    let before = receipts(&direct).await?;
    let wanted = context.size(8_000, 240);
    let tally = exact(context, &direct, wanted).await?;
    tally.write(context, "own nodes");
    let wanted = context.size(2_000, 60);
    let tally = shared::run(context, wanted).await?;
    tally.write(context, "shared counters");
    let after = receipts(&direct).await?;
    let most = i64::try_from(WORKERS + 3)? * 20;
    context.check(
        "receipts do not pile up",
        after - before <= most,
        format!(
            "{} more than before, at most {most} allowed",
            after - before
        ),
    );
    model::clean(&direct, context.prefix()).await
}

async fn exact(context: &Context, direct: &Graph, wanted: u64) -> Result<Tally, Failure> {
    let cuts = Arc::new(AtomicU64::new(0));
    let mut workers = JoinSet::new();
    for number in 0..WORKERS {
        let random = context.random().fork(number);
        let prefix = format!("{}{number}-", context.prefix());
        let (place, direct, cuts) = (context.place()?.clone(), direct.clone(), Arc::clone(&cuts));
        workers.spawn(exact::work(place, direct, prefix, random, cuts, wanted));
    }
    let mut progress = context.progress(wanted);
    let mut shown = 0;
    let mut total = Tally::default();
    while !workers.is_empty() {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(200)) => {}
            Some(done) = workers.join_next() => total.merge(done??),
        }
        let now = cuts.load(Ordering::Relaxed).min(wanted);
        progress.step(now - shown);
        shown = now;
    }
    total.cuts = cuts.load(Ordering::Relaxed);
    Ok(total)
}
