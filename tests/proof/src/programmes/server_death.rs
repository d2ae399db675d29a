//! kill -9 of the server in the middle of writers, again and again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use neo_ogm::prelude::*;
use neo_test_support::neo4j::{Line, Server, StartOptions};
use tokio::task::JoinSet;

use crate::context::{Context, Failure};
use crate::ledger::{Addition, Counter, Ledgers, Manner};
use crate::model::{self, Author, Book, WrittenBy, count};
use crate::random::Random;

const WRITERS: u64 = 16;

/// What the writers add to, in units of work that read what they write.
const COUNTERS: [&str; 4] = ["counter0", "counter1", "counter2", "counter3"];

/// For how long a call is tried again: a server that is killed is away for as long as its start takes,
/// which on a busy machine may be longer than the 30 s of the drivers.
const RETRIES: Duration = Duration::from_secs(60);

/// Starts the server. `NEO4J_URI` names one that others use, which is not ours to kill.
fn start(line: Line) -> Result<Option<Arc<Server>>, Failure> {
    let options = StartOptions::default().tls(false);
    match Server::start_own(line, &options) {
        Ok(server) => Ok(Some(Arc::new(server))),
        Err(error) if error.is_fatal() => Err(error.into()),
        Err(error) => {
            eprintln!("proof: without Neo4j {}: {error}", line.version());
            Ok(None)
        }
    }
}

pub(super) async fn run(context: &mut Context) -> Result<(), Failure> {
    let lines = context.size(&Line::ALL[..], &Line::ALL[..1]);
    for line in lines {
        deaths(context, *line).await?;
    }
    Ok(())
}

async fn deaths(context: &mut Context, line: Line) -> Result<(), Failure> {
    let kills: u64 = context.size(20, 3);
    let Some(server) = tokio::task::spawn_blocking(move || start(line)).await?? else {
        return Ok(());
    };
    let graph = Graph::builder(server.uri())
        .auth(Auth::basic(server.user(), server.password()))
        .max_transaction_retry_time(RETRIES)
        .connect()
        .await?;
    model::schema(&graph).await?;
    let author = Author::new("the author");
    author.save(&graph).await?;
    for name in COUNTERS {
        Counter::new(name, 0).save(&graph).await?;
    }
    let shared = Arc::new(Shared {
        graph: graph.clone(),
        author,
        stop: AtomicBool::default(),
        recovered: AtomicU64::default(),
        units: AtomicI64::default(),
        written: (0..WRITERS).map(|_| AtomicU64::default()).collect(),
    });
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (shared, random) = (Arc::clone(&shared), context.random().fork(writer));
        writers.spawn(async move { shared.write(writer, random).await });
    }
    let mut random = context.random();
    let mut progress = context.progress(kills);
    let mut away = Duration::ZERO;
    for _ in 0..kills {
        // In the middle of work, and not before everybody is back from the last death.
        let written = shared.written.iter();
        let before: Vec<u64> = written.map(|one| one.load(Ordering::Relaxed)).collect();
        let back = || {
            let mut writers = shared.written.iter().zip(&before);
            writers.all(|(now, before)| now.load(Ordering::Relaxed) >= before + 4)
        };
        let patience = Instant::now() + RETRIES;
        while !back() && Instant::now() < patience {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_millis(random.next() % 500)).await;
        let (dying, killed) = (Arc::clone(&server), Instant::now());
        tokio::task::spawn_blocking(move || dying.restart()).await??;
        away = away.max(killed.elapsed());
        progress.step(1);
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    shared.stop.store(true, Ordering::Relaxed);
    let mut acknowledged = 0;
    let mut ledgers = Ledgers::default();
    let mut surfaced = Vec::new();
    let mut longest = Duration::ZERO;
    while let Some(writer) = writers.join_next().await {
        let writer = writer?;
        acknowledged += writer.acknowledged;
        surfaced.extend(writer.surfaced);
        ledgers.merge(writer.ledgers);
        longest = longest.max(writer.longest);
    }
    let all = "MATCH (b:ProofBook)-[:PROOF_WRITTEN_BY]->(:ProofAuthor) RETURN count(b)";
    let all = u64::try_from(count(&graph, all, "").await?)?;
    let doubled = "MATCH (b:ProofBook) OPTIONAL MATCH (b)-[r:PROOF_WRITTEN_BY]->() \
                   WITH b.isbn AS isbn, count(DISTINCT b) AS books, count(r) AS related \
                   WHERE books > 1 OR related > 1 RETURN count(isbn)";
    let doubled = count(&graph, doubled, "").await?;
    let failed = u64::try_from(surfaced.len())?;
    context.check(
        format!("kill -9 of Neo4j {}", line.version()),
        all >= acknowledged && all <= acknowledged + failed && doubled == 0,
        format!(
            "{kills} kills under {WRITERS} writers: {acknowledged} units of work acknowledged, \
             {all} there, {doubled} doubled"
        ),
    );
    context.check(
        format!("writers recover from deaths of Neo4j {}", line.version()),
        surfaced.is_empty(),
        format!(
            "the server was away for {:.1} s at most; {} calls took more than one attempt, the \
             longest {:.1} s, {failed} failed{}",
            away.as_secs_f64(),
            shared.recovered.load(Ordering::Relaxed),
            longest.as_secs_f64(),
            surfaced
                .first()
                .map_or(String::new(), |error| format!(": {error}"))
        ),
    );
    let balance = ledgers.balance(&graph).await?;
    let first = |texts: &[String]| {
        let first = texts.first();
        first.map_or(String::new(), |text| format!("; {text}"))
    };
    context.check(
        format!(
            "units that read what they write, of Neo4j {}",
            line.version()
        ),
        balance.differences.is_empty(),
        format!(
            "{} additions to {} counters acknowledged, {} differences{}",
            balance.acknowledged,
            COUNTERS.len(),
            balance.differences.len(),
            first(&balance.differences)
        ),
    );
    context.check(
        format!("known outcomes after deaths of Neo4j {}", line.version()),
        balance.unknown.is_empty() && balance.surfaced.is_empty(),
        format!(
            "{} additions of unknown outcome{}, {} that failed{}",
            balance.unknown.len(),
            first(&balance.unknown),
            balance.surfaced.len(),
            first(&balance.surfaced)
        ),
    );
    graph.close().await;
    Ok(())
}

/// What the writers have in common.
struct Shared {
    graph: Graph,
    author: Author,
    stop: AtomicBool,
    recovered: AtomicU64,
    /// Numbers the additions.
    units: AtomicI64,
    /// How many calls of each writer were acknowledged.
    written: Vec<AtomicU64>,
}

#[derive(Default)]
struct Writer {
    acknowledged: u64,
    surfaced: Vec<String>,
    longest: Duration,
    ledgers: Ledgers,
}

impl Shared {
    /// Saves and connects a book, and adds to a counter, in turns.
    async fn write(&self, writer: u64, mut random: Random) -> Writer {
        let mut this = Writer::default();
        let mut number = 0_u64;
        while !self.stop.load(Ordering::Relaxed) {
            number += 1;
            let begun = Instant::now();
            let done = match number % 2 {
                0 => self.connect(writer, number, &mut this).await,
                _ => self.add(&mut random, &mut this).await,
            };
            this.longest = this.longest.max(begun.elapsed());
            let mine = usize::try_from(writer).ok();
            if let Some(mine) = mine.and_then(|at| self.written.get(at)) {
                mine.fetch_add(u64::from(done), Ordering::Relaxed);
            }
        }
        this
    }

    async fn connect(&self, writer: u64, number: u64, this: &mut Writer) -> bool {
        let book = Book::new(format!("{writer}-{number}"), "A title", 1);
        let done = self.graph.transaction(async |tx| {
            book.save(&tx).await?;
            let connect = book
                .author
                .connect(&self.author)
                .properties(WrittenBy { year: 1 });
            connect.on(&tx).await?;
            Ok(tx.attempt())
        });
        match done.await {
            Ok(attempts) => {
                this.acknowledged += 1;
                self.recovered
                    .fetch_add(u64::from(attempts > 1), Ordering::Relaxed);
                true
            }
            Err(error) => {
                this.surfaced.push(error.to_string());
                false
            }
        }
    }

    async fn add(&self, random: &mut Random, this: &mut Writer) -> bool {
        let addition = Addition {
            ledger: random.of(&COUNTERS),
            unit: self.units.fetch_add(1, Ordering::Relaxed),
            by: 1 + i64::try_from(random.below(9)).unwrap_or_default(),
        };
        let manner = Manner::by_chance(random);
        let ended = addition.perform(&self.graph, manner).await;
        let done = this.ledgers.note(addition, manner, ended);
        if !done {
            // An explicit transaction fails at once while the server is away.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        done
    }
}
