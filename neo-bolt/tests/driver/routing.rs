//! `neo4j://`: tables, members that are gone or demoted, routers that do not answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use neo_bolt::value::{Map, Value};
use neo_bolt::{AccessMode, ErrorKind, params};
use tokio::time::timeout;

use crate::peer::{Peer, ROUTE, Server};

const LONG: Duration = Duration::from_secs(10);

fn table(routers: &[&str], readers: &[&str], writers: &[&str]) -> Map {
    let servers = [("ROUTE", routers), ("READ", readers), ("WRITE", writers)]
        .into_iter()
        .map(|(role, addresses)| {
            let addresses: Vec<Value> = addresses.iter().map(|address| (*address).into()).collect();
            Value::Map(params! { "role" => role, "addresses" => addresses })
        })
        .collect::<Vec<_>>();
    params! { "rt" => params! { "ttl" => 300, "servers" => servers, "db" => "neo4j" } }
}

async fn route(peer: &mut Peer, table: Map) {
    if peer.expect(ROUTE).await.is_some() {
        peer.success(table).await;
    }
}

#[tokio::test]
async fn reads_and_writes_go_to_whom_they_belong() {
    let server = Server::new(|mut peer| async move {
        peer.log_in().await;
        match peer.address.as_str() {
            "peer:7687" => route(&mut peer, table(&["peer:7687"], &["r:1"], &["w:1"])).await,
            "r:1" | "w:1" => peer.serve().await,
            other => panic!("nobody is called {other}"),
        }
    });
    let driver = server.builder_for("neo4j://peer").build().unwrap();
    let read = driver
        .execute_query("1", ())
        .database("neo4j")
        .routing(AccessMode::Read)
        .await
        .unwrap();
    assert_eq!(read.summary.server().address().to_string(), "r:1");
    let written = driver.execute_query("1", ()).database("neo4j");
    let written = written.await.unwrap();
    assert_eq!(written.summary.server().address().to_string(), "w:1");
    assert_eq!(server.opened(), 3);
}

#[tokio::test]
async fn another_reader_takes_the_place_of_one_that_is_gone() {
    let server = Server::new(|mut peer| async move {
        if peer.address == "gone:1" {
            peer.read(3).await;
            peer.write(&[0]).await;
            return;
        }
        peer.log_in().await;
        if peer.address == "peer:7687" {
            route(&mut peer, table(&["peer:7687"], &["gone:1", "r:1"], &[])).await;
        } else {
            peer.serve().await;
        }
    });
    for _ in 0..4 {
        let driver = server.builder_for("neo4j://peer").build().unwrap();
        let read = driver
            .execute_query("1", ())
            .routing(AccessMode::Read)
            .await
            .unwrap();
        assert_eq!(read.summary.server().address().to_string(), "r:1");
        assert_eq!(read.summary.server().agent(), "Neo4j/5.26.0");
    }
}

/// Each session asks for the home database anew; the first router need not live for that.
#[tokio::test]
async fn any_known_router_tells_the_home_database() {
    let first_is_gone = Arc::new(AtomicBool::new(false));
    let gone = Arc::clone(&first_is_gone);
    let server = Server::new(move |mut peer| {
        let gone = Arc::clone(&gone);
        async move {
            if peer.address == "peer:7687" && gone.load(Ordering::Relaxed) {
                peer.read(3).await;
                peer.write(&[0]).await;
                return;
            }
            peer.log_in().await;
            match peer.address.as_str() {
                "peer:7687" | "other:1" => {
                    let routers = ["peer:7687", "other:1"];
                    route(&mut peer, table(&routers, &["m:1"], &["m:1"])).await;
                }
                _ => peer.serve().await,
            }
        }
    });
    let driver = server.builder_for("neo4j://peer").build().unwrap();
    driver.execute_query("1", ()).await.unwrap();
    first_is_gone.store(true, Ordering::Relaxed);
    for _ in 0..3 {
        let session = driver.execute_query("1", ());
        timeout(LONG, session).await.unwrap().unwrap();
    }
}

/// A router that keeps naming a dead member must not keep the caller for ever.
#[tokio::test]
async fn a_cluster_whose_members_are_all_gone_is_given_up_in_time() {
    let server = Server::new(|mut peer| async move {
        if peer.address == "gone:1" {
            peer.read(3).await;
            peer.write(&[0]).await;
            return;
        }
        peer.log_in().await;
        while peer.expect(ROUTE).await.is_some() {
            peer.success(table(&["peer:7687"], &["gone:1"], &["gone:1"]))
                .await;
        }
    });
    let driver = server.builder_for("neo4j://peer").build().unwrap();
    let queried = timeout(LONG, driver.execute_query("1", ()))
        .await
        .expect("no hang");
    let error = queried.unwrap_err();
    assert!(error.is_retryable() && error.attempts() > 1, "{error}");
    let verified = timeout(LONG, driver.verify_connectivity())
        .await
        .expect("no hang");
    assert!(verified.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_router_that_hangs_is_not_asked_by_each_who_waits() {
    let server = Server::new(|mut peer| async move {
        peer.log_in().await;
        std::future::pending::<()>().await;
    });
    let driver = server
        .builder_for("neo4j://peer")
        .connection_timeout(Duration::from_secs(30))
        .connection_acquisition_timeout(Duration::from_secs(40))
        .build()
        .unwrap();
    let started = tokio::time::Instant::now();
    let callers: Vec<_> = (0..10)
        .map(|_| {
            let driver = driver.clone();
            tokio::spawn(async move { driver.verify_connectivity().await })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap().unwrap_err();
    }
    assert!(
        started.elapsed() <= Duration::from_secs(61),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn a_leader_that_stepped_down_is_not_asked_again() {
    let server = Server::new(|mut peer| async move {
        peer.log_in().await;
        match peer.address.as_str() {
            "peer:7687" => {
                let (mut leader, next) = ("old:1", "new:1");
                while peer.expect(ROUTE).await.is_some() {
                    peer.success(table(&["peer:7687"], &["r:1"], &[leader]))
                        .await;
                    leader = next;
                }
            }
            "old:1" => {
                peer.receive().await;
                peer.success(params! {}).await;
                peer.receive().await;
                peer.failure("Neo.ClientError.Cluster.NotALeader").await;
                peer.ignored().await;
                peer.ignored().await;
                peer.receive().await;
            }
            _ => peer.serve().await,
        }
    });
    let driver = server.builder_for("neo4j://peer").build().unwrap();
    let written = driver.execute_query("1", ()).await.unwrap();
    assert_eq!(written.summary.server().address().to_string(), "new:1");
}

#[tokio::test]
async fn a_database_that_is_not_there_is_said_at_once() {
    let server = Server::new(|mut peer| async move {
        peer.log_in().await;
        peer.expect(ROUTE).await;
        peer.failure("Neo.ClientError.Database.DatabaseNotFound")
            .await;
        peer.receive().await;
    });
    let driver = server.builder_for("neo4j://peer").build().unwrap();
    let error = driver
        .execute_query("1", ())
        .database("nope")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server);
    assert_eq!(
        error.code(),
        Some("Neo.ClientError.Database.DatabaseNotFound")
    );
    assert_eq!(error.attempts(), 1);
}

#[tokio::test]
async fn a_router_in_trouble_is_passed_over_for_the_next() {
    let server = Server::new(|mut peer| async move {
        peer.log_in().await;
        match peer.address.as_str() {
            "peer:7687" => {
                // The table is stale at once, so that the next query asks again.
                let mut first = table(&["bad:1", "peer:7687"], &["r:1"], &["r:1"]);
                if let Some(Value::Map(rt)) = first.get_mut("rt") {
                    rt.insert("ttl".to_owned(), 0.into());
                }
                route(&mut peer, first.clone()).await;
                route(&mut peer, first).await;
            }
            "bad:1" => {
                peer.expect(ROUTE).await;
                peer.failure("Neo.DatabaseError.General.UnknownError").await;
                peer.receive().await;
            }
            _ => peer.serve().await,
        }
    });
    let driver = server.builder_for("neo4j://peer").build().unwrap();
    for _ in 0..2 {
        driver.execute_query("1", ()).await.unwrap();
    }
}
