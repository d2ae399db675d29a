//! What goes wrong with a connection, and what the caller is told.

use std::sync::Arc;
use std::time::Duration;

use neo_bolt::{AccessMode, CommitOutcome, ErrorKind, TransactionConfig, params};
use tokio::time::timeout;

use crate::peer::{BEGIN, COMMIT, PULL, RESET, RUN, Server};

/// Far more than any of these tests takes.
const LONG: Duration = Duration::from_secs(20);

/// How many bytes of answers a whole `execute_query` takes, the handshake included.
const ANSWERS: usize = 400;

#[tokio::test]
async fn a_query_survives_a_cut_at_every_byte_of_the_answers() {
    let mut cuts = 0;
    for allowance in 1..ANSWERS {
        let server = Server::new(move |mut peer| async move {
            if peer.number == 0 {
                peer.allowance = Some(allowance);
            }
            peer.log_in().await;
            peer.serve().await;
        });
        let driver = server.driver();
        let queried = timeout(LONG, driver.execute_query("3", ()).idempotent(true))
            .await
            .expect("no hang");
        let result = queried.unwrap_or_else(|error| panic!("cut at {allowance}: {error}"));
        assert_eq!(result.records.len(), 3, "cut at {allowance}");
        cuts += server.opened() - 1;
    }
    assert!(
        (100..ANSWERS).contains(&cuts),
        "{cuts} of the cuts were met"
    );
}

#[tokio::test]
async fn a_cut_in_the_managed_transaction_is_mended_too() {
    for allowance in 1..ANSWERS {
        let server = Server::new(move |mut peer| async move {
            if peer.number == 0 {
                peer.allowance = Some(allowance);
            }
            peer.log_in().await;
            peer.serve().await;
        });
        let mut session = server.driver().session(Default::default());
        let config = TransactionConfig::default().idempotent(true);
        let worked = session.execute_write_with(config, async |tx| {
            let mut first = tx.run("3", ()).await?;
            let second = tx.execute("2", ()).await?;
            let mut count = second.records.len();
            while let Some(record) = first.next().await {
                record?;
                count += 1;
            }
            Ok::<_, neo_bolt::Error>(count)
        });
        let count = timeout(LONG, worked).await.expect("no hang");
        assert_eq!(
            count.unwrap_or_else(|error| panic!("cut at {allowance}: {error}")),
            5
        );
    }
}

#[tokio::test]
async fn a_commit_without_an_answer_is_of_unknown_outcome() {
    let server = Server::new(|mut peer| async move {
        peer.log_in().await;
        for tag in [BEGIN, RUN, PULL] {
            peer.expect(tag).await;
            peer.success(params! {}).await;
        }
        peer.expect(COMMIT).await;
    });
    let driver = server.driver();
    let error = driver.execute_query("CREATE (:A)", ()).await.unwrap_err();
    assert_eq!(error.commit_outcome(), CommitOutcome::Unknown, "{error}");
    assert!(error.to_string().contains("peer:7687"), "{error}");
    // A second attempt might do it twice.
    assert!(!error.is_retryable());
    assert_eq!((error.attempts(), server.opened()), (1, 1));
    let mut session = losing_a_commit().driver().session(Default::default());
    let worked = session.execute_write(async |tx| tx.execute("CREATE (:A)", ()).await.map(drop));
    let error = worked.await.unwrap_err();
    assert_eq!(
        (error.attempts(), error.commit_outcome()),
        (1, CommitOutcome::Unknown)
    );
}

/// Loses the answer to the first COMMIT of all.
fn losing_a_commit() -> Arc<Server> {
    Server::new(|mut peer| async move {
        peer.log_in().await;
        if peer.number > 0 {
            return peer.serve().await;
        }
        for answer in [params! {}, params! { "fields" => vec!["n"] }, params! {}] {
            peer.receive().await;
            peer.success(answer).await;
        }
        peer.expect(COMMIT).await;
    })
}

/// The last attempt certainly did nothing; the first may have done all of it.
#[tokio::test]
async fn a_commit_that_was_lost_once_stays_of_unknown_outcome() {
    let losing = || {
        Server::new(|mut peer| async move {
            peer.log_in().await;
            if peer.number == 0 {
                for answer in [params! {}, params! { "fields" => vec!["n"] }, params! {}] {
                    peer.receive().await;
                    peer.success(answer).await;
                }
                peer.expect(COMMIT).await;
                return;
            }
            peer.expect(BEGIN).await;
            peer.success(params! {}).await;
            peer.expect(RUN).await;
            peer.failure("Neo.DatabaseError.General.UnknownError").await;
            while let Some(request) = peer.receive().await {
                match request.tag {
                    crate::peer::RESET => peer.success(params! {}).await,
                    _ => peer.ignored().await,
                }
            }
        })
    };
    let driver = losing().driver();
    let query = driver.execute_query("MERGE (:A)", ()).idempotent(true);
    let error = query.await.unwrap_err();
    assert_eq!(
        (error.attempts(), error.commit_outcome()),
        (2, CommitOutcome::Unknown),
        "{error}"
    );
    let mut session = losing().driver().session(Default::default());
    let config = neo_bolt::TransactionConfig::default().idempotent(true);
    let worked = session.execute_write_with(config, async |tx| {
        tx.execute("MERGE (:A)", ()).await.map(drop)
    });
    let error = worked.await.unwrap_err();
    assert_eq!(
        (error.attempts(), error.commit_outcome()),
        (2, CommitOutcome::Unknown),
        "{error}"
    );
}

#[tokio::test]
async fn what_may_be_done_twice_is_done_again_when_a_commit_is_lost() {
    let server = losing_a_commit();
    let query = server
        .driver()
        .execute_query("MERGE (:A)", ())
        .idempotent(true);
    assert!(query.await.unwrap().follows_lost_commit());
    assert_eq!(server.opened(), 2);
    let server = losing_a_commit();
    let query = server
        .driver()
        .execute_query("1", ())
        .routing(AccessMode::Read);
    // Nothing that reads has an outcome to wonder about.
    assert!(!query.await.unwrap().follows_lost_commit());
    assert_eq!(server.opened(), 2);
    let server = losing_a_commit();
    let mut session = server.driver().session(Default::default());
    let config = TransactionConfig::default().idempotent(true);
    let worked = session.execute_write_with(config, async |tx| {
        let result = tx.execute("MERGE (:A)", ()).await?;
        assert_eq!(result.follows_lost_commit(), tx.follows_lost_commit());
        Ok::<_, neo_bolt::Error>((tx.attempt(), tx.follows_lost_commit()))
    });
    assert_eq!(worked.await.unwrap(), (2, true));
}

#[tokio::test]
async fn an_answer_that_can_not_be_read_says_that_the_transaction_is_committed() {
    let server = Server::new(|mut peer| async move {
        peer.log_in().await;
        for answer in [params! {}, params! { "fields" => vec!["n"] }] {
            peer.receive().await;
            peer.success(answer).await;
        }
        peer.expect(PULL).await;
        // There is no such kind of statement.
        peer.success(params! { "type" => "x" }).await;
        peer.expect(COMMIT).await;
        peer.success(params! { "bookmark" => "b:1" }).await;
        peer.receive().await;
    });
    let driver = server.driver();
    let query = driver.execute_query("CREATE (:A)", ()).idempotent(true);
    let error = query.await.unwrap_err();
    assert_eq!(
        (error.attempts(), error.commit_outcome()),
        (1, CommitOutcome::Committed),
        "{error}"
    );
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn garbage_in_the_place_of_the_commits_answer_leaves_its_outcome_unknown() {
    let server = Server::new(|mut peer| async move {
        peer.log_in().await;
        for tag in [BEGIN, RUN, PULL, COMMIT] {
            peer.expect(tag).await;
        }
        peer.write(&[0, 2, 0xB1, 0x55, 0, 0]).await;
        peer.receive().await;
    });
    let error = server
        .driver()
        .execute_query("MERGE (:A)", ())
        .idempotent(true)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    assert_eq!(error.commit_outcome(), CommitOutcome::Unknown, "{error}");
    assert!(error.to_string().contains("peer:7687"), "{error}");
}

#[tokio::test]
async fn a_refused_statement_was_not_committed_even_if_the_connection_is_cut_then() {
    let server = Server::new(|mut peer| async move {
        peer.log_in().await;
        for tag in [BEGIN, RUN, PULL, COMMIT] {
            peer.expect(tag).await;
        }
        peer.success(Default::default()).await;
        peer.failure("Neo.ClientError.Statement.SyntaxError").await;
    });
    let error = server
        .driver()
        .execute_query("MERGE (:A)", ())
        .idempotent(true)
        .await
        .unwrap_err();
    assert_eq!(
        error.code(),
        Some("Neo.ClientError.Statement.SyntaxError"),
        "{error}"
    );
    assert_eq!(error.commit_outcome(), CommitOutcome::NotSent, "{error}");
    assert_eq!(server.opened(), 1);
}

#[tokio::test]
async fn broken_messages_are_the_peers_fault() {
    for garbage in [
        &[0, 1, 0x01, 0, 0][..],               // no structure
        &[0, 2, 0xB0, 0x70, 0, 0],             // SUCCESS without metadata
        &[0, 3, 0xB1, 0x70, 0xA1, 0, 0],       // a map that breaks off
        &[0, 3, 0xB1, 0x70, 0xC4, 0, 0],       // no value
        &[0, 4, 0xB1, 0x70, 0xA0, 0xA0, 0, 0], // something behind the end
        &[0, 3, 0xB1, 0x71, 0x90, 0, 0],       // a record that nobody asked for
        &[0, 2, 0xB0, 0x7E, 0, 0],             // ignored for no reason
        &[0, 3, 0xB1, 0x7F, 0x01, 0, 0],       // a failure that is no map
    ] {
        let server = Server::new(move |mut peer| async move {
            peer.log_in().await;
            peer.receive().await;
            peer.write(garbage).await;
            peer.receive().await;
        });
        let queried = server.driver().execute_query("1", ()).await;
        let error = queried.expect_err("garbage is no answer");
        assert_eq!(error.kind(), ErrorKind::Protocol, "{garbage:02X?}: {error}");
    }
}

#[tokio::test]
async fn records_of_the_wrong_width_are_the_peers_fault() {
    let server = Server::new(|mut peer| async move {
        peer.log_in().await;
        for tag in [BEGIN, RUN, PULL, COMMIT] {
            peer.expect(tag).await;
        }
        peer.success(Default::default()).await;
        peer.success(neo_bolt::params! { "fields" => vec!["a", "b"] })
            .await;
        peer.record(vec![1.into()]).await;
        peer.success(Default::default()).await;
        peer.success(Default::default()).await;
    });
    let query = server.driver().execute_query("1", ()).idempotent(true);
    let error = query.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
}

#[tokio::test]
async fn http_on_the_port_is_said_at_once() {
    let server = Server::new(|mut peer| async move {
        peer.read(20).await;
        peer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    });
    let error = server.driver().execute_query("1", ()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotBolt);
    assert_eq!(error.attempts(), 1);
    assert!(error.to_string().contains("HTTP") && error.to_string().contains("peer:7687"));
}

#[tokio::test]
async fn a_server_of_tls_behind_a_plain_uri_is_said_at_once() {
    // An alert, or no word at all: servers do either.
    for alert in [&[0x15, 3, 3, 0, 2, 2, 10][..], &[]] {
        let server = Server::new(move |mut peer| async move {
            peer.read(20).await;
            peer.write(alert).await;
        });
        let error = server.driver().execute_query("1", ()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotBolt);
        assert_eq!(server.opened(), 1, "it was not tried again");
        assert!(error.to_string().contains("+s"), "{error}");
    }
}

/// As a server does that is stopped just then.
#[tokio::test]
async fn a_handshake_that_is_cut_off_is_retried_if_the_server_has_answered_before() {
    let server = Server::new(|mut peer| async move {
        if peer.number == 1 {
            peer.read(20).await;
            return;
        }
        peer.log_in().await;
        if peer.number > 1 {
            return peer.serve().await;
        }
        for tag in [BEGIN, RUN, PULL] {
            peer.expect(tag).await;
        }
    });
    let result = timeout(LONG, server.driver().execute_query("1", ())).await;
    assert_eq!(result.unwrap().unwrap().records.len(), 1);
    assert_eq!(server.opened(), 3);
}

#[tokio::test]
async fn a_plain_server_behind_a_tls_uri_is_said_at_once() {
    let server = Server::new(|mut peer| async move {
        // A Bolt server takes the TLS greeting for a broken handshake, and closes.
        peer.read(20).await;
    });
    let driver = server.builder_for("bolt+ssc://peer").build().unwrap();
    let error = driver.execute_query("1", ()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    assert!(error.to_string().contains("bolt://"), "{error}");
    assert_eq!(server.opened(), 1);
}

#[tokio::test]
async fn a_wrong_password_names_the_server_and_is_not_tried_again() {
    for reason_then_close in [true, false] {
        let server = Server::new(move |mut peer| async move {
            peer.read(20).await;
            peer.write(&[0, 0, 4, 5]).await;
            // A server may refuse at HELLO already, and close without a word on LOGON.
            peer.receive().await;
            if !reason_then_close {
                peer.success(Default::default()).await;
            }
            peer.receive().await;
            peer.failure("Neo.ClientError.Security.Unauthorized").await;
        });
        let error = server.driver().verify_connectivity().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Authentication, "{error}");
        assert!(error.to_string().contains("peer:7687"), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
        assert_eq!(server.opened(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_hangs_while_opening_costs_the_acquisition_timeout() {
    for silent_after in 0..4 {
        let server = Server::new(move |mut peer| async move {
            for step in 0..silent_after {
                match step {
                    0 => drop(peer.read(20).await),
                    1 => peer.write(&[0, 0, 4, 5]).await,
                    _ => peer.success(Default::default()).await,
                }
            }
            std::future::pending::<()>().await;
        });
        let driver = server
            .builder()
            .connection_acquisition_timeout(Duration::from_secs(3))
            .build()
            .unwrap();
        let started = tokio::time::Instant::now();
        let error = driver.verify_connectivity().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AcquisitionTimeout, "{error}");
        assert!(error.to_string().contains("3s"), "{error}");
        assert_eq!(started.elapsed().as_secs(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_hangs_on_a_reset_is_replaced_after_the_connection_timeout() {
    let server = Server::new(|mut peer| async move {
        peer.log_in().await;
        if peer.number > 0 {
            return peer.serve().await;
        }
        peer.expect(RESET).await;
        std::future::pending::<()>().await;
    });
    let driver = server
        .builder()
        .connection_timeout(Duration::from_secs(3))
        .build()
        .unwrap();
    driver.verify_connectivity().await.unwrap();
    let started = tokio::time::Instant::now();
    timeout(LONG, driver.verify_connectivity())
        .await
        .expect("no hang")
        .expect("the dead connection was replaced");
    assert_eq!(started.elapsed().as_secs(), 3);
    assert_eq!(server.opened(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_servers_own_limit_of_silence_is_kept() {
    let server = Server::new(|mut peer| async move {
        peer.read(20).await;
        peer.write(&[0, 0, 4, 5]).await;
        peer.receive().await;
        let hints = neo_bolt::params! { "connection.recv_timeout_seconds" => 5 };
        peer.success(neo_bolt::params! { "server" => "Neo4j/5", "hints" => hints })
            .await;
        peer.receive().await;
        peer.success(Default::default()).await;
        peer.expect(RUN).await;
        // Empty chunks show that it lives.
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_secs(4)).await;
            peer.write(&[0, 0]).await;
        }
        std::future::pending::<()>().await;
    });
    let mut session = server.driver().session(Default::default());
    let started = tokio::time::Instant::now();
    let ran = timeout(Duration::from_secs(60), session.run("1", ()))
        .await
        .expect("no hang");
    assert_eq!(ran.unwrap_err().kind(), ErrorKind::ServiceUnavailable);
    assert_eq!(started.elapsed().as_secs(), 17);
}

#[tokio::test]
async fn nobody_listens() {
    // The port is free: it was just given back.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let uri = format!("bolt://{address}");
    let driver = neo_bolt::Driver::new(&uri, neo_bolt::AuthToken::none()).unwrap();
    let error = driver.verify_connectivity().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ServiceUnavailable);
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}
