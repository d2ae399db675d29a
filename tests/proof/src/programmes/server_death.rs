//! kill -9 of the server in the middle of writers, again and again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use neo_ogm::prelude::*;
use neo_test_support::neo4j::{Line, Server, StartOptions};
use tokio::task::JoinSet;

use crate::context::{Context, Failure};
use crate::model::{self, Author, Book, WrittenBy, count};

const WRITERS: u64 = 16;

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
    let kills: u64 = context.size(20, 1);
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
    let stop = Arc::new(AtomicBool::new(false));
    let recovered = Arc::new(AtomicU64::new(0));
    let written: Arc<[AtomicU64]> = (0..WRITERS).map(|_| AtomicU64::new(0)).collect();
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (graph, author) = (graph.clone(), author.clone());
        let (stop, recovered) = (Arc::clone(&stop), Arc::clone(&recovered));
        let written = Arc::clone(&written);
        writers.spawn(
            async move { write(&graph, writer, &author, &stop, &recovered, &written).await },
        );
    }
    let mut random = context.random();
    let mut progress = context.progress(kills);
    let mut away = Duration::ZERO;
    for _ in 0..kills {
        // In the middle of work, and not before everybody is back from the last death.
        let before: Vec<u64> = written
            .iter()
            .map(|one| one.load(Ordering::Relaxed))
            .collect();
        let back = || {
            let mut writers = written.iter().zip(&before);
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
    stop.store(true, Ordering::Relaxed);
    let mut acknowledged = 0;
    let mut surfaced = Vec::new();
    let mut longest = Duration::ZERO;
    while let Some(writer) = writers.join_next().await {
        let writer = writer?;
        acknowledged += writer.acknowledged;
        surfaced.extend(writer.surfaced);
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
            recovered.load(Ordering::Relaxed),
            longest.as_secs_f64(),
            surfaced
                .first()
                .map_or(String::new(), |error| format!(": {error}"))
        ),
    );
    graph.close().await;
    Ok(())
}

#[derive(Default)]
struct Writer {
    acknowledged: u64,
    surfaced: Vec<String>,
    longest: Duration,
}

async fn write(
    graph: &Graph,
    writer: u64,
    author: &Author,
    stop: &AtomicBool,
    recovered: &AtomicU64,
    written: &[AtomicU64],
) -> Writer {
    let mut this = Writer::default();
    let mut number = 0_u64;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let book = Book::new(format!("{writer}-{number}"), "A title", 1);
        let begun = Instant::now();
        let done = graph
            .transaction(async |tx| {
                book.save(&tx).await?;
                let connect = book
                    .author
                    .connect(author)
                    .properties(WrittenBy { year: 1 });
                connect.on(&tx).await?;
                Ok(tx.attempt())
            })
            .await;
        this.longest = this.longest.max(begun.elapsed());
        match done {
            Ok(attempts) => {
                this.acknowledged += 1;
                if let Some(mine) = usize::try_from(writer).ok().and_then(|at| written.get(at)) {
                    mine.fetch_add(1, Ordering::Relaxed);
                }
                recovered.fetch_add(u64::from(attempts > 1), Ordering::Relaxed);
            }
            Err(error) => this.surfaced.push(error.to_string()),
        }
    }
    this
}
