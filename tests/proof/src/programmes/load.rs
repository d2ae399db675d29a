//! Many tasks on a small pool, for long: nothing leaks, and everybody has a turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use neo_ogm::prelude::*;
use tokio::task::JoinSet;

use super::networks::resident;
use crate::context::{Context, Failure};
use crate::model::{self, Book, count};

const TASKS: u64 = 1_000;
const POOL: usize = 50;

pub(super) async fn run(context: &mut Context) -> Result<(), Failure> {
    let time = Duration::from_secs(context.size(600, 8));
    let place = context.place()?.clone();
    let uri = format!("bolt://{}", place.address());
    let graph = place
        .built(&uri, |driver| driver.max_connection_pool_size(POOL))
        .await?;
    let books = 100_usize;
    for number in 0..books {
        let book = Book::new(format!("{}{number}", context.prefix()), "A title", 1);
        book.save(&graph).await?;
    }
    let until = Instant::now() + time;
    let done = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let (graph, done) = (graph.clone(), Arc::clone(&done));
        let mut random = context.random().fork(task);
        let prefix = context.prefix().to_owned();
        tasks.spawn(async move {
            let mut waits = Vec::new();
            let mut failed = Vec::new();
            while Instant::now() < until {
                let isbn = format!("{prefix}{}", random.below(books));
                let begun = Instant::now();
                let ended = if random.below(10) == 0 {
                    Book::new(isbn, "A title", 2).save(&graph).await
                } else {
                    let found = Book::find_by_isbn(isbn).one(&graph).await;
                    found.map(drop)
                };
                waits.push(u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX));
                failed.extend(ended.err().map(|error| error.to_string()));
                done.fetch_add(1, Ordering::Relaxed);
            }
            (waits, failed)
        });
    }
    // Memory and connections, after a while and at the end.
    let warm = time / 4;
    tokio::time::sleep(warm).await;
    let connections = |graph: &Graph| -> usize {
        let metrics = graph.driver().connection_pool_metrics();
        metrics.iter().map(|one| one.in_use + one.idle).sum()
    };
    let (memory, mut most) = (resident(), 0);
    let mut progress = context.progress(time.as_secs());
    progress.step(warm.as_secs());
    while Instant::now() < until {
        tokio::time::sleep(Duration::from_secs(1)).await;
        most = most.max(connections(&graph));
        progress.step(1);
    }
    let grown = resident().saturating_sub(memory) / 1024;
    let (mut waits, mut failed) = (Vec::new(), Vec::new());
    while let Some(task) = tasks.join_next().await {
        let task = task?;
        waits.push(task.0);
        failed.extend(task.1);
    }
    let fewest = waits.iter().map(Vec::len).min().unwrap_or_default();
    let mut all: Vec<u32> = waits.into_iter().flatten().collect();
    all.sort_unstable();
    let at = |part: f64| {
        // Exact enough for a place in a list.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let index = (all.len() as f64 * part) as usize;
        f64::from(all.get(index).copied().unwrap_or_default()) / 1e3
    };
    context.check(
        "no call fails",
        failed.is_empty(),
        format!(
            "{} calls by {TASKS} tasks on {POOL} connections in {} s, {} failed{}",
            all.len(),
            time.as_secs(),
            failed.len(),
            failed
                .first()
                .map_or(String::new(), |error| format!(": {error}"))
        ),
    );
    context.check(
        "everybody has a turn",
        at(0.999) < at(0.5) * 20.0 && fewest > 0,
        format!(
            "median {:.1} ms, 99.9th percentile {:.1} ms, longest {:.1} ms; the least that a task \
             had were {fewest} calls",
            at(0.5),
            at(0.999),
            at(1.0 - f64::EPSILON),
        ),
    );
    // The figures of the calls themselves take some.
    let figures = u64::try_from(all.len() * 8)? / 1024;
    context.check(
        "nothing leaks",
        most <= POOL && grown < 16 * 1024 + figures,
        format!(
            "{most} connections at most; memory grew by {grown} KiB after the first quarter, \
             {figures} KiB of which may be this programme's figures"
        ),
    );
    let in_use: usize = {
        let metrics = graph.driver().connection_pool_metrics();
        metrics.iter().map(|one| one.in_use).sum()
    };
    let found = count(
        &graph,
        "MATCH (b:ProofBook) WHERE b.isbn STARTS WITH $key RETURN count(b)",
        context.prefix(),
    )
    .await?;
    model::clean(&graph, context.prefix()).await?;
    let begun = Instant::now();
    graph.close().await;
    let closed = begun.elapsed();
    let refused = graph.cypher("RETURN 1").execute(&graph).await.is_err();
    context.check(
        "a clean end",
        in_use == 0
            && refused
            && connections(&graph) == 0
            && closed < Duration::from_secs(5)
            && found == 100,
        format!(
            "{in_use} connections in use afterwards; closed in {} ms",
            closed.as_millis()
        ),
    );
    Ok(())
}
