//! Writers who share counters, units of work and a proxy; strangers add to the same counters.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use neo_ogm::prelude::*;
use neo_test_support::Message;
use neo_test_support::proxy::{Proxy, When};
use tokio::task::JoinSet;

use super::{ACTIONS, Tally};
use crate::context::{Context, Failure};
use crate::ledger::{Addition, Counter, Ledgers, Manner};
use crate::random::Random;

const WRITERS: u64 = 8;
const COUNTERS: usize = 3;

const MESSAGES: &[Message] = &[
    Message::Begin,
    Message::Run,
    Message::Pull,
    Message::Commit,
    Message::Commit,
    Message::Commit,
    Message::Success,
    Message::Record,
    Message::Hello,
];

/// Units that other clients make have numbers of their own.
const STRANGERS: i64 = 1_000_000_000;

/// For how long a stranger may keep the writers waiting. What it waits for may be a lock of one of
/// them; then it goes on beside them.
const PATIENCE: Duration = Duration::from_millis(50);

/// The counters, and what has been done to them.
struct Shared {
    graph: Graph,
    direct: Graph,
    names: Vec<String>,
    finished: AtomicU64,
    units: AtomicI64,
    stop: AtomicBool,
}

pub(super) async fn run(context: &mut Context, wanted: u64) -> Result<Tally, Failure> {
    let place = context.place()?.clone();
    let direct = place.graph().await?;
    let proxy = Proxy::start(place.address())?;
    let graph = place.through(&proxy.uri()).await?;
    let names = (0..COUNTERS).map(|number| format!("{}shared{number}", context.prefix()));
    let shared = Arc::new(Shared {
        graph,
        direct,
        names: names.collect(),
        finished: AtomicU64::default(),
        units: AtomicI64::default(),
        stop: AtomicBool::default(),
    });
    for name in &shared.names {
        let counter = Counter::new(name.as_str(), 0);
        counter.save(&shared.direct).await?;
    }
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (shared, random) = (Arc::clone(&shared), context.random().fork(100 + writer));
        writers.spawn(async move { shared.write(random).await });
    }
    let mut tally = Tally::default();
    let mut ledgers = disturb(context, &proxy, &shared, wanted, &mut tally).await?;
    shared.stop.store(true, Ordering::Relaxed);
    while let Some(known) = writers.join_next().await {
        ledgers.merge(known?);
    }
    let balance = ledgers.balance(&shared.direct).await?;
    tally.operations += u64::try_from(balance.acknowledged)?;
    tally.unknown += u64::try_from(balance.unknown.len())?;
    for text in balance.surfaced.iter().chain(&balance.differences) {
        eprintln!("   {text}");
    }
    tally.wrong_answers.extend(balance.unknown);
    tally.wrong_answers.extend(balance.surfaced);
    tally.differences.extend(balance.differences);
    Ok(tally)
}

impl Shared {
    fn addition(&self, random: &mut Random, from: i64) -> Addition<'_> {
        Addition {
            ledger: &self.names[random.below(self.names.len())],
            unit: from + self.units.fetch_add(1, Ordering::Relaxed),
            by: 1 + i64::try_from(random.below(9)).unwrap_or_default(),
        }
    }

    async fn write(&self, mut random: Random) -> Ledgers {
        let mut ledgers = Ledgers::default();
        while !self.stop.load(Ordering::Relaxed) {
            let addition = self.addition(&mut random, 0);
            let manner = Manner::by_chance(&mut random);
            let ended = addition.perform(&self.graph, manner).await;
            ledgers.note(addition, manner, ended);
            self.finished.fetch_add(1, Ordering::Relaxed);
        }
        ledgers
    }
}

/// Cuts connections, and lets a stranger write after each cut.
async fn disturb(
    context: &Context,
    proxy: &Proxy,
    shared: &Arc<Shared>,
    wanted: u64,
    tally: &mut Tally,
) -> Result<Ledgers, Failure> {
    let mut random = context.random().fork(99);
    let mut progress = context.progress(wanted);
    let mut strangers = JoinSet::new();
    let mut ledgers = Ledgers::default();
    while tally.cuts < wanted {
        // Everybody gets on, so that no limit of retries is reached.
        let enough = shared.finished.load(Ordering::Relaxed) + 2;
        let patience = Instant::now() + Duration::from_secs(2);
        while shared.finished.load(Ordering::Relaxed) < enough && Instant::now() < patience {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let message = random.of(MESSAGES);
        let action = random.of(ACTIONS);
        let fault = proxy.inject_and_hold(message, action, When::Nth(1 + random.next() % 5));
        let held = tokio::time::timeout(Duration::from_millis(40), proxy.held()).await;
        if held.is_ok() {
            let (shared, mut random) = (Arc::clone(shared), random.fork(tally.cuts));
            let (done, written) = tokio::sync::oneshot::channel();
            strangers.spawn(async move {
                let addition = shared.addition(&mut random, STRANGERS);
                let ended = addition.raw(&shared.direct).await;
                let mut known = Ledgers::default();
                known.note(addition, Manner::Raw, ended);
                // Nobody may wait for it any more.
                let _ = done.send(());
                known
            });
            let written = tokio::time::timeout(PATIENCE, written).await;
            tally.strangers += u64::from(written.is_ok());
        }
        let fired = proxy.fired(fault);
        if fired > 0 {
            let boundary = format!("shared {message} {action:?}");
            tally.boundaries.insert(boundary);
        }
        tally.cuts += fired;
        progress.step(fired);
        proxy.clear_faults();
        proxy.release();
        while let Some(known) = strangers.try_join_next() {
            ledgers.merge(known?);
        }
    }
    while let Some(known) = strangers.join_next().await {
        ledgers.merge(known?);
    }
    Ok(ledgers)
}
