//! Slow and broken ways to the server.

use std::time::{Duration, Instant};

use neo_ogm::prelude::*;
use neo_test_support::Direction;
use neo_test_support::proxy::Proxy;

use crate::context::{Context, Failure};
use crate::model::{self, Book};
use crate::places::Place;

pub(super) async fn run(context: &mut Context) -> Result<(), Failure> {
    let place = context.place()?.clone();
    let direct = place.graph().await?;
    slow(context, &place).await?;
    byte_by_byte(context, &place).await?;
    narrow(context, &place).await?;
    half_open(context, &place).await?;
    stops_reading(context, &place).await?;
    time_outs(context, &place).await?;
    model::clean(&direct, context.prefix()).await
}

/// Each message is held back: everything still works, at one round trip for each operation.
async fn slow(context: &mut Context, place: &Place) -> Result<(), Failure> {
    let proxy = Proxy::start(place.address())?;
    let graph = place.through(&proxy.uri()).await?;
    let delay = Duration::from_millis(50);
    proxy.set_delay(Direction::ToClient, delay);
    let book = Book::new(format!("{}slow", context.prefix()), "A title", 1);
    let begun = Instant::now();
    book.save(&graph).await?;
    let took = begun.elapsed();
    // BEGIN, RUN, PULL and COMMIT are answered by four messages.
    let least = delay * 4;
    context.check(
        "each answer 50 ms late",
        took >= least && took < least * 3,
        format!(
            "a save took {} ms, of which {} ms are the delay's",
            took.as_millis(),
            least.as_millis()
        ),
    );
    Ok(())
}

async fn byte_by_byte(context: &mut Context, place: &Place) -> Result<(), Failure> {
    let proxy = Proxy::start(place.address())?;
    proxy.set_byte_at_a_time(true);
    let graph = place.through(&proxy.uri()).await?;
    let rows: Vec<(i64, String)> = graph
        .cypher("UNWIND range(1, 500) AS i RETURN i, 'text number ' + toString(i)")
        .fetch(&graph)
        .await?;
    let sum: i64 = rows.iter().map(|(number, _)| number).sum();
    context.check(
        "a byte at a time",
        (rows.len(), sum) == (500, 125_250),
        format!("{} records came whole", rows.len()),
    );
    Ok(())
}

/// Little bandwidth: a stream is read as it comes, and memory stays bounded.
async fn narrow(context: &mut Context, place: &Place) -> Result<(), Failure> {
    let proxy = Proxy::start(place.address())?;
    let graph = place.through(&proxy.uri()).await?;
    proxy.set_bandwidth(Some(1_000_000));
    let count: i64 = context.size(100_000, 10_000);
    let before = resident();
    let begun = Instant::now();
    let mut session = graph.driver().session(Default::default());
    let statement = format!("UNWIND range(1, {count}) AS i RETURN i, 'text number ' + toString(i)");
    let mut result = session.run(statement, ()).await?;
    let (mut read, mut peak) = (0, before);
    while let Some(record) = result.next().await {
        record?;
        read += 1;
        if read % 5_000 == 0 {
            peak = peak.max(resident());
        }
    }
    let grown = peak.saturating_sub(before) / 1024;
    context.check(
        "a megabyte in a second",
        read == count && grown < 32 * 1024,
        format!(
            "{read} records in {:.1} s; memory grew by {grown} KiB at most",
            begun.elapsed().as_secs_f64()
        ),
    );
    Ok(())
}

/// Nothing comes through any more, and nobody says so: the caller's own time limits hold, and the
/// pool is sound when the way is free again.
async fn half_open(context: &mut Context, place: &Place) -> Result<(), Failure> {
    let proxy = Proxy::start(place.address())?;
    let graph = place.through(&proxy.uri()).await?;
    let book = Book::new(format!("{}open", context.prefix()), "A title", 1);
    book.save(&graph).await?;
    proxy.set_black_hole(true);
    let limit = Duration::from_millis(500);
    let begun = Instant::now();
    let saved = tokio::time::timeout(limit, async { book.save(&graph).await }).await;
    let took = begun.elapsed();
    proxy.set_black_hole(false);
    proxy.cut_all();
    let again = book.save(&graph).await;
    context.check(
        "a half-open connection",
        saved.is_err() && took < limit * 2 && again.is_ok(),
        format!(
            "a save was given up after {} ms; the next one {}",
            took.as_millis(),
            again.map_or_else(|error| error.to_string(), |()| "succeeds".into())
        ),
    );
    Ok(())
}

/// A peer that stops reading: a large write waits, and what waits is what was given, no more.
async fn stops_reading(context: &mut Context, place: &Place) -> Result<(), Failure> {
    let proxy = Proxy::start(place.address())?;
    let graph = place.through(&proxy.uri()).await?;
    graph.cypher("RETURN 1").execute(&graph).await?;
    proxy.set_black_hole(true);
    let text = "x".repeat(context.size(32, 8) * 1024 * 1024);
    let size = text.len() / 1024;
    let before = resident();
    let query = graph.cypher("RETURN size($text)").param("text", text);
    let given_up =
        tokio::time::timeout(Duration::from_millis(800), query.fetch::<i64>(&graph)).await;
    let grown = resident().saturating_sub(before) / 1024;
    proxy.set_black_hole(false);
    proxy.cut_all();
    let again: Result<Vec<i64>, _> = graph.cypher("RETURN 1").fetch(&graph).await;
    let bound = 4 * u64::try_from(size)?;
    context.check(
        "a peer that stops reading",
        given_up.is_err() && again.is_ok() && grown < bound,
        format!("a statement of {size} KiB waited; memory grew by {grown} KiB; the graph works on"),
    );
    Ok(())
}

/// The driver's own time limits, within a tenth.
async fn time_outs(context: &mut Context, place: &Place) -> Result<(), Failure> {
    let proxy = Proxy::start(place.address())?;
    let limit = Duration::from_millis(1_500);
    let tenth = |took: Duration| took >= limit.mul_f64(0.9) && took <= limit.mul_f64(1.1);
    let graph = place
        .built(&proxy.uri(), |driver| {
            driver
                .max_connection_pool_size(1)
                .connection_acquisition_timeout(limit)
                .max_transaction_retry_time(Duration::ZERO)
        })
        .await?;
    // The only connection is in use.
    let mut session = graph.driver().session(Default::default());
    let transaction = session.begin_transaction().await?;
    let begun = Instant::now();
    let refused = graph.cypher("RETURN 1").execute(&graph).await;
    let took = begun.elapsed();
    transaction.rollback().await?;
    let text = |ended: &Result<_, neo_ogm::Error>| match ended {
        Ok(_) => "succeeded".to_owned(),
        Err(error) => error.to_string(),
    };
    context.check(
        "the acquisition timeout",
        refused.is_err() && tenth(took),
        format!("{} ms of 1500 ms: {}", took.as_millis(), text(&refused)),
    );
    // A handshake that is never answered.
    proxy.cut_all();
    tokio::time::sleep(Duration::from_millis(100)).await;
    proxy.set_black_hole(true);
    let begun = Instant::now();
    let refused = graph.cypher("RETURN 1").execute(&graph).await;
    let took = begun.elapsed();
    context.check(
        "a handshake that is never answered",
        refused.is_err() && tenth(took),
        format!("{} ms of 1500 ms: {}", took.as_millis(), text(&refused)),
    );
    proxy.set_black_hole(false);
    let graph = place.graph().await?;
    let sleepy = graph.with_timeout(Duration::from_millis(500));
    let begun = Instant::now();
    let ended = sleepy
        .cypher("UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b RETURN count(*)")
        .read_only()
        .execute(&sleepy)
        .await;
    let took = begun.elapsed();
    context.check(
        "a transaction's own timeout",
        ended.is_err() && took < Duration::from_secs(8),
        format!(
            "{} ms of 500 ms (the server looks now and then): {}",
            took.as_millis(),
            text(&ended)
        ),
    );
    Ok(())
}

/// The memory of this process in bytes, where the system tells.
pub(super) fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    number.unwrap_or_default() * 1024
}
