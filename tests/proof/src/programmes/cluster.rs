//! What a user sees of a cluster that changes: scripted routers, and members that are embedded
//! engines with one and the same graph behind them.

use std::time::Duration;

use neo_ogm::neo_bolt::RetryPolicy;
use neo_ogm::prelude::*;
use neo_test_support::proxy::Proxy;
use neo_test_support::scripted::{Script, ScriptedPeer};
use neo_test_support::{Message, Value};

use crate::context::{Context, Failure};
use crate::model::{self, Book, count};

fn table(ttl: i64, routers: &[&str], readers: &[&str], writers: &[&str]) -> Value {
    let servers = [("ROUTE", routers), ("READ", readers), ("WRITE", writers)].map(|(role, at)| {
        let addresses = Value::list(at.iter().map(|address| Value::from(*address)));
        Value::map([("role", Value::from(role)), ("addresses", addresses)])
    });
    Value::map([
        ("ttl", Value::from(ttl)),
        ("db", Value::from("neo4j")),
        ("servers", Value::list(servers)),
    ])
}

/// A router that answers one request on each connection.
fn router(table: Value) -> Script {
    Script::new()
        .login(5, 4)
        .expect(Message::Route)
        .success([("rt", table)])
}

/// A member that fails the first statement of each connection.
fn failing(code: &str) -> Script {
    Script::new()
        .login(5, 4)
        .expect(Message::Begin)
        .expect(Message::Run)
        .expect(Message::Pull)
        .expect(Message::Commit)
        .ok()
        .failure(code, "not here, not now")
        .ignored()
        .ignored()
        .ignore_rest()
}

async fn connect(uri: &str) -> Result<Graph, Failure> {
    let quick = RetryPolicy {
        initial_delay: Duration::from_millis(20),
        ..RetryPolicy::default()
    };
    let builder = Graph::builder(uri).auth(Auth::basic("neo4j", "secret"));
    Ok(builder
        .driver(|driver| driver.retry_policy(quick))
        .connect()
        .await?)
}

pub(super) async fn run(context: &mut Context) -> Result<(), Failure> {
    let graph = Graph::in_memory().await?;
    model::schema(&graph).await?;
    let member = graph.serve("127.0.0.1:0").await?;
    let member = member.local_addr().to_string();
    leader_switch(context, &graph, &member).await?;
    stale_table(context, &graph, &member).await?;
    behind(context, &member).await?;
    dead_router(context, &member).await?;
    clocks(context, &member).await
}

/// The writer goes in the middle of a unit of work, and another takes its place.
async fn leader_switch(context: &mut Context, graph: &Graph, member: &str) -> Result<(), Failure> {
    let first = Proxy::start(member)?;
    let second = Proxy::start(member)?;
    let (a, b) = (first.address().to_string(), second.address().to_string());
    let peer = ScriptedPeer::start_with(|me| {
        let before = router(table(300, &[me], &[&b], &[&a]));
        let after = router(table(300, &[me], &[&b], &[&b]));
        vec![before, after.clone(), after.clone(), after]
    })?;
    let cluster = connect(&peer.routing_uri()).await?;
    let book = Book::new("switch", "A title", 1);
    let other = Book::new("switch too", "A title", 1);
    let attempts = cluster
        .transaction(async |tx| {
            book.save(&tx).await?;
            if tx.attempt() == 1 {
                first.set_refuse(true);
                first.cut_all();
            }
            other.save(&tx).await?;
            Ok(tx.attempt())
        })
        .await;
    let books = count(
        graph,
        "MATCH (b:ProofBook) WHERE b.isbn STARTS WITH $key RETURN count(b)",
        "switch",
    )
    .await?;
    context.check(
        "leader switch in mid-transaction",
        attempts.as_ref().is_ok_and(|attempts| *attempts > 1) && books == 2,
        match attempts {
            Ok(attempts) => format!("done at attempt {attempts}; {books} of 2 nodes"),
            Err(error) => error.to_string(),
        },
    );
    Ok(())
}

/// The table names a writer that is one no more.
async fn stale_table(context: &mut Context, graph: &Graph, member: &str) -> Result<(), Failure> {
    let demoted = ScriptedPeer::repeating(failing("Neo.ClientError.Cluster.NotALeader"))?;
    let stale = demoted.address().to_string();
    let peer = ScriptedPeer::start_with(|me| {
        let before = router(table(300, &[me], &[member], &[&stale]));
        let after = router(table(300, &[me], &[member], &[member]));
        vec![before, after.clone(), after]
    })?;
    let cluster = connect(&peer.routing_uri()).await?;
    let saved = Book::new("stale", "A title", 1).save(&cluster).await;
    let books = count(
        graph,
        "MATCH (b:ProofBook {isbn: $key}) RETURN count(b)",
        "stale",
    )
    .await?;
    context.check(
        "a stale table",
        saved.is_ok() && books == 1,
        saved.map_or_else(
            |error| error.to_string(),
            |()| "saved, at the new leader".into(),
        ),
    );
    Ok(())
}

/// A replica that has not caught up with what was written says so; another is asked.
async fn behind(context: &mut Context, member: &str) -> Result<(), Failure> {
    let slow = ScriptedPeer::repeating(failing("Neo.TransientError.Transaction.BookmarkTimeout"))?;
    let replica = slow.address().to_string();
    let peer = ScriptedPeer::repeating_with(|me| {
        router(table(300, &[me], &[&replica, member], &[member]))
    })?;
    let cluster = connect(&peer.routing_uri()).await?;
    let saved = Book::new("behind", "A title", 1).save(&cluster).await;
    let limit = Duration::from_secs(3);
    let found = tokio::time::timeout(
        limit,
        Book::find_by_isbn("behind").one(&cluster).into_future(),
    );
    let text = match found.await {
        Err(_) => "still being retried after 3 s".to_owned(),
        Ok(Ok(found)) => format!("found: {}", found.is_some()),
        Ok(Err(error)) => error.to_string(),
    };
    context.check(
        "a replica behind its bookmark",
        saved.is_ok() && text == "found: true",
        format!("a read after a write: {text}"),
    );
    Ok(())
}

/// The first router is gone when the table has run out; another one that it named is asked.
async fn dead_router(context: &mut Context, member: &str) -> Result<(), Failure> {
    let members = [member];
    let whole = |ttl, routers: &[&str]| router(table(ttl, routers, &members, &members));
    let second = ScriptedPeer::repeating_with(|me| whole(300, &[me]))?;
    let heir = second.address().to_string();
    let first = ScriptedPeer::start_with(|me| {
        let one = whole(1, &[me, &heir]);
        vec![one.clone(), one.clone(), one]
    })?;
    // Named, so that the table is asked for only when it has run out.
    let cluster = connect(&first.routing_uri()).await?.with_database("neo4j");
    cluster.cypher("RETURN 1").execute(&cluster).await?;
    drop(first);
    let mut ended = Vec::new();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    for number in 0..3 {
        let book = Book::new(format!("router {number}"), "A title", 1);
        ended.extend(
            book.save(&cluster)
                .await
                .err()
                .map(|error| error.to_string()),
        );
    }
    context.check(
        "a router that dies",
        ended.is_empty() && second.connections() > 0,
        ended.first().map_or_else(
            || {
                format!(
                    "3 saves, by the other router ({} requests)",
                    second.connections()
                )
            },
            Clone::clone,
        ),
    );
    Ok(())
}

/// Times to live that no clock agrees with.
async fn clocks(context: &mut Context, member: &str) -> Result<(), Failure> {
    let mut ended = Vec::new();
    for ttl in [0, 1, i64::MAX, -1, i64::MIN] {
        let peer =
            ScriptedPeer::repeating_with(|me| router(table(ttl, &[me], &[member], &[member])))?;
        let outcome = async {
            let cluster = connect(&peer.routing_uri()).await?;
            for _ in 0..3 {
                Book::new("clock", "A title", 1).save(&cluster).await?;
            }
            Ok::<_, Failure>(())
        };
        let limit = Duration::from_secs(5);
        match tokio::time::timeout(limit, outcome).await {
            Ok(Ok(())) => ended.push(format!("{ttl}: works")),
            // To say what is wrong is as good.
            Ok(Err(error)) => ended.push(format!("{ttl}: {error}")),
            Err(_) => ended.push(format!("{ttl}: hangs")),
        }
    }
    let sound = ended.iter().take(3).all(|text| text.ends_with("works"));
    context.check(
        "times to live that are odd",
        sound && !ended.iter().any(|text| text.ends_with("hangs")),
        ended.join("; "),
    );
    Ok(())
}
