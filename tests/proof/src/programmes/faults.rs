//! Writers that share nodes, while the way to the server does its worst.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use neo_ogm::neo_bolt::CommitOutcome;
use neo_ogm::prelude::*;
use neo_test_support::Message;
use neo_test_support::proxy::{Action, Proxy, When};
use tokio::task::JoinSet;

use crate::context::{Context, Failure};
use crate::model::{self, Author, Book, WrittenBy, count};
use crate::random::Random;

const WRITERS: u64 = 8;
const MESSAGES: &[Message] = &[
    Message::Begin,
    Message::Run,
    Message::Pull,
    Message::Commit,
    Message::Success,
    Message::Record,
    Message::Hello,
    Message::Logon,
];

/// What an intermediary that is broken may lose or double. A BEGIN that is lost while what follows
/// it arrives makes each statement a transaction of its own, which nobody could mend.
const LOSABLE: &[Message] = &[
    Message::Run,
    Message::Pull,
    Message::Commit,
    Message::Success,
    Message::Record,
];

/// What came out of a writer.
#[derive(Default)]
struct Tally {
    operations: u64,
    /// Keys of nodes that were acknowledged, that may be there, and that are not there for certain.
    done: BTreeSet<String>,
    open: BTreeSet<String>,
    failed: BTreeMap<String, String>,
    /// Counts that are not idempotent: acknowledged, and of unknown outcome.
    counted: u64,
    unknown: u64,
}

/// What is done to the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// What a network does: connections break, hang and are slow.
    Network,
    /// What no network does to a stream: single messages are lost or doubled.
    Intermediary,
}

pub(super) async fn run(context: &mut Context) -> Result<(), Failure> {
    let seconds = context.size(120, 6);
    under(context, Way::Network, Duration::from_secs(seconds)).await?;
    under(context, Way::Intermediary, Duration::from_secs(seconds / 3)).await
}

async fn under(context: &mut Context, way: Way, time: Duration) -> Result<(), Failure> {
    let place = context.place()?.clone();
    let direct = place.graph().await?;
    let proxy = Proxy::start(place.address())?;
    let graph = place.through(&proxy.uri()).await?;
    let prefix = format!("{}{way:?}-", context.prefix());
    let counter = Book::new(format!("{prefix}counter"), "A title", 0);
    counter.save(&direct).await?;
    let mut shared = Vec::new();
    for number in 0..4 {
        let author = Author::new(format!("{prefix}{number}"));
        author.save(&direct).await?;
        shared.push(author);
    }
    let shared = Arc::new(shared);
    let until = Instant::now() + time;
    let finished = Arc::new(AtomicU64::new(0));
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let random = context.random().fork(writer);
        let (graph, prefix, shared) = (graph.clone(), prefix.clone(), Arc::clone(&shared));
        let finished = Arc::clone(&finished);
        writers.spawn(async move {
            write(graph, prefix, writer, &shared, random, (until, &finished)).await
        });
    }
    let faults = disturb(context, &proxy, way, until, &finished).await;
    let mut total = Tally::default();
    while let Some(tally) = writers.join_next().await {
        let mut tally = tally?;
        total.done.append(&mut tally.done);
        total.open.append(&mut tally.open);
        total.failed.append(&mut tally.failed);
        total.counted += tally.counted;
        total.unknown += tally.unknown;
        total.operations += tally.operations;
    }
    let keys = "MATCH (n) WHERE (n:ProofTick AND n.id STARTS WITH $key) \
                OR (n:ProofBook AND n.isbn STARTS WITH $key AND n.isbn CONTAINS '/') \
                RETURN coalesce(n.id, n.isbn)";
    let keys = direct
        .cypher(keys)
        .param("key", prefix.as_str())
        .read_only();
    let there: Vec<String> = keys.fetch(&direct).await?;
    let found: BTreeSet<String> = there.iter().cloned().collect();
    let lost = total.done.difference(&found).count();
    let doubled = there.len() - found.len();
    let denied: Vec<_> = total
        .failed
        .iter()
        .filter(|(key, _)| found.contains(*key))
        .collect();
    let pages = "MATCH (b:ProofBook {isbn: $key}) RETURN b.pages";
    let pages = u64::try_from(count(&direct, pages, &counter.isbn).await?)?;
    let wrong = "MATCH (b:ProofBook) WHERE b.isbn STARTS WITH $key AND b.isbn CONTAINS '/' \
                 OPTIONAL MATCH (b)-[r:PROOF_WRITTEN_BY]->() \
                 WITH b, count(r) AS related WHERE related <> 1 RETURN count(b)";
    let wrong = count(&direct, wrong, &prefix).await?;
    let name = match way {
        Way::Network => "cuts, hangs and delays",
        Way::Intermediary => "single messages lost and doubled",
    };
    context.check(
        format!("{name}: no write lost, none doubled, none half done"),
        lost == 0 && doubled == 0 && wrong == 0,
        format!(
            "{} operations by {WRITERS} writers under {faults} faults: {} writes acknowledged, {lost} of \
             them lost; {doubled} nodes doubled; {wrong} transactions half done",
            total.operations,
            total.done.len()
        ),
    );
    context.check(
        format!("{name}: counters add up"),
        (total.counted..=total.counted + total.unknown).contains(&pages),
        format!(
            "{} counts acknowledged, {} said to be of unknown outcome, {pages} counted",
            total.counted, total.unknown
        ),
    );
    let first = denied.first().copied().or(total.failed.iter().next());
    let (said, held) = match way {
        // What a network does, a retry mends; only a count that is not idempotent stays unknown.
        Way::Network => (
            "each call succeeded, but for counts that said that their outcome is unknown",
            total.failed.is_empty() && total.open.is_empty(),
        ),
        Way::Intermediary => (
            "each call succeeded, or said what is true",
            denied.is_empty(),
        ),
    };
    context.check(
        format!("{name}: {said}"),
        held,
        format!(
            "{} writes said that their outcome is unknown; {} said that they failed, {} of which are \
             there{}",
            total.open.len(),
            total.failed.len(),
            denied.len(),
            first.map_or(String::new(), |(key, error)| format!("; {key}: {error}"))
        ),
    );
    model::clean(&direct, &prefix).await
}

/// For how long faults come one after the other, and how long the pause behind them is: no time
/// limit for retries would do for a network that is never up.
const STORM: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(1));

/// Injects one fault after the other, and cuts what hangs; says how many acted.
async fn disturb(
    context: &Context,
    proxy: &Proxy,
    way: Way,
    until: Instant,
    finished: &AtomicU64,
) -> u64 {
    let mut random = context.random();
    let begun = Instant::now();
    let mut progress = context.progress((until - begun).as_secs());
    let (mut acted, mut shown) = (0, 0);
    let mut calm = begun + STORM.0;
    while Instant::now() < until {
        if Instant::now() > calm {
            tokio::time::sleep(STORM.1).await;
            calm = Instant::now() + STORM.0;
        }
        // A server that is slow must not see nothing but faults: then no retry limit suffices.
        let enough = finished.load(Ordering::Relaxed) + 2;
        let patience = (Instant::now() + Duration::from_secs(2)).min(until);
        while finished.load(Ordering::Relaxed) < enough && Instant::now() < patience {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let network = way == Way::Network;
        let action = match random.below(6) {
            turn if !network && turn % 2 == 0 => Action::Drop,
            _ if !network => Action::Duplicate,
            0 => Action::CutBefore,
            1 => Action::CutInside,
            2 => Action::CutAfter,
            3 => Action::CutAfterAnswer,
            4 => Action::HangBefore,
            _ => Action::Delay(Duration::from_millis(random.next() % 60)),
        };
        let when = When::Nth(1 + random.next() % 5);
        let message = random.of(if network { MESSAGES } else { LOSABLE });
        let fault = proxy.inject(message, action, when);
        tokio::time::sleep(Duration::from_millis(10 + random.next() % 40)).await;
        acted += proxy.fired(fault);
        proxy.clear_faults();
        if matches!(
            action,
            Action::HangBefore | Action::Drop | Action::Duplicate
        ) {
            // As the system does with a connection on which nothing comes any more.
            tokio::time::sleep(Duration::from_millis(30)).await;
            proxy.cut_all();
        }
        let now = begun.elapsed().as_secs();
        progress.step(now - shown);
        shown = now;
    }
    proxy.cut_all();
    acted
}

async fn write(
    graph: Graph,
    prefix: String,
    writer: u64,
    shared: &[Author],
    mut random: Random,
    (until, finished): (Instant, &AtomicU64),
) -> Tally {
    let mut tally = Tally::default();
    while Instant::now() < until {
        tally.operations += 1;
        finished.fetch_add(1, Ordering::Relaxed);
        let number = tally.operations;
        let key = format!("{prefix}{writer}/{number}");
        let ended = match random.below(3) {
            0 => {
                // Idempotent by its key: it must succeed, and be there once.
                let tick = "MERGE (n:ProofTick {id: $key}) RETURN 1";
                let tick = graph.cypher(tick).param("key", key.as_str()).idempotent();
                tick.execute(&graph).await.map(drop)
            }
            1 => {
                let up = "MATCH (b:ProofBook {isbn: $key}) SET b.pages = b.pages + 1";
                let up = graph.cypher(up).param("key", format!("{prefix}counter"));
                match up.execute(&graph).await {
                    Ok(_) => tally.counted += 1,
                    Err(error) if error.commit_outcome() == CommitOutcome::Unknown => {
                        tally.unknown += 1;
                    }
                    Err(error) => {
                        tally.failed.insert(key, error.to_string());
                    }
                }
                continue;
            }
            _ => {
                let book = Book::new(key.as_str(), "A title", 0);
                let author = &shared[random.below(shared.len())];
                graph
                    .transaction(async |tx| {
                        book.insert(&tx).await?;
                        let connect = book.author.connect(author);
                        connect.properties(WrittenBy { year: 1 }).on(&tx).await?;
                        author.save(&tx).await
                    })
                    .await
            }
        };
        match ended {
            Ok(()) => {
                tally.done.insert(key);
            }
            Err(error) if error.commit_outcome() == CommitOutcome::Unknown => {
                tally.open.insert(key);
            }
            Err(error) => {
                tally.failed.insert(key, error.to_string());
            }
        }
    }
    tally
}
