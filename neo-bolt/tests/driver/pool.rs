//! Connections that are kept, replaced and waited for.

use std::time::Duration;

use neo_bolt::{ErrorKind, SessionConfig};
use tokio::time::{Instant, timeout};

use crate::peer::{PULL, RESET, RUN, Server, pipelined};

const LONG: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_connection_is_used_again() {
    let server = Server::sound();
    let driver = server.driver();
    for _ in 0..5 {
        driver.execute_query("1", ()).await.unwrap();
        driver
            .execute_query("Neo.ClientError.Statement.SyntaxError", ())
            .await
            .unwrap_err();
    }
    assert_eq!(server.opened(), 1);
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_replaced_unseen() {
    let server = Server::new(|mut peer| async move {
        peer.log_in().await;
        // It serves one query, and closes.
        for _ in 0..4 {
            peer.receive().await;
        }
        for _ in 0..4 {
            peer.success(Default::default()).await;
        }
    });
    let driver = server.driver();
    for round in 1..5 {
        let query = driver.execute_query("MERGE (:A)", ()).idempotent(true);
        let result = query.await;
        assert!(result.is_ok(), "{result:?}");
        // Let the peer close.
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert_eq!(server.opened(), round);
    }
}

#[tokio::test]
async fn a_connection_that_the_server_closes_behind_a_failure_is_replaced_unseen() {
    let server = Server::new(|mut peer| async move {
        peer.log_in().await;
        if peer.number > 0 {
            return peer.serve().await;
        }
        peer.expect(RUN).await;
        peer.expect(PULL).await;
        peer.failure("Neo.ClientError.Security.AuthorizationExpired")
            .await;
        peer.ignored().await;
        peer.expect(RESET).await;
        // Long enough that the next user is there before it closes.
        tokio::time::sleep(Duration::from_millis(50)).await;
    });
    // No other may be opened beside it.
    let driver = server
        .builder()
        .max_connection_pool_size(1)
        .build()
        .unwrap();
    let mut session = driver.session(SessionConfig::default());
    let failed = async { session.run("RETURN 1", ()).await?.consume().await };
    failed.await.unwrap_err();
    let transaction = session.begin_transaction().await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(server.opened(), 2);
}

#[tokio::test]
async fn empty_chunks_on_an_idle_connection_are_no_reason_to_close_it() {
    let server = Server::new(|mut peer| async move {
        peer.log_in().await;
        for _ in 0..4 {
            peer.receive().await;
        }
        for _ in 0..4 {
            peer.success(Default::default()).await;
        }
        peer.write(&[0, 0, 0, 0]).await;
        peer.serve().await;
    });
    let driver = server.driver();
    let query = driver.execute_query("MERGE (:A)", ()).idempotent(true);
    query.await.unwrap();
    tokio::time::sleep(Duration::from_millis(5)).await;
    driver.execute_query("1", ()).await.unwrap();
    assert_eq!(server.opened(), 1);
}

#[tokio::test(start_paused = true)]
async fn old_connections_are_replaced_and_idle_ones_tried() {
    let server = Server::sound();
    let driver = server
        .builder()
        .max_connection_lifetime(Duration::from_secs(100))
        .liveness_check_timeout(Some(Duration::from_secs(10)))
        .build()
        .unwrap();
    driver.execute_query("1", ()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    driver.execute_query("1", ()).await.unwrap();
    assert!(!server.requests(0).contains(&RESET));
    tokio::time::sleep(Duration::from_secs(20)).await;
    driver.execute_query("1", ()).await.unwrap();
    assert!(server.requests(0).contains(&RESET));
    tokio::time::sleep(Duration::from_secs(80)).await;
    driver.execute_query("1", ()).await.unwrap();
    assert_eq!(server.opened(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_pool_has_a_limit_and_whoever_waits_is_told_in_time() {
    let server = Server::sound();
    let driver = server
        .builder()
        .max_connection_pool_size(2)
        .connection_acquisition_timeout(Duration::from_secs(4))
        .build()
        .unwrap();
    let mut sessions: Vec<_> = (0..2)
        .map(|_| driver.session(pipelined().fetch_size(1)))
        .collect();
    let mut results = Vec::new();
    for session in &mut sessions {
        results.push(session.run("9", ()).await.unwrap());
    }
    let started = Instant::now();
    let error = driver.execute_query("1", ()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AcquisitionTimeout, "{error}");
    assert!(error.to_string().contains("2 of 2"), "{error}");
    assert_eq!(started.elapsed().as_secs(), 4);
    // One comes back while another waits.
    let (freed, waited) = tokio::join!(
        async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            results.pop().unwrap().collect().await
        },
        driver.execute_query("1", ())
    );
    freed.unwrap();
    waited.unwrap();
    assert_eq!(server.opened(), 2);
}

#[tokio::test]
async fn those_who_wait_are_served_in_the_order_of_asking() {
    let server = Server::sound();
    let driver = server
        .builder()
        .max_connection_pool_size(1)
        .build()
        .unwrap();
    let mut session = driver.session(pipelined().fetch_size(1));
    let mut holder = session.run("3", ()).await.unwrap();
    let (sender, mut order) = tokio::sync::mpsc::unbounded_channel();
    for number in 0..10 {
        let (driver, sender) = (driver.clone(), sender.clone());
        tokio::spawn(async move {
            driver.execute_query("1", ()).await.unwrap();
            sender.send(number).unwrap();
        });
        tokio::task::yield_now().await;
    }
    drop(sender);
    holder.collect().await.unwrap();
    let mut served = Vec::new();
    while let Some(number) = order.recv().await {
        served.push(number);
    }
    assert_eq!(served, (0..10).collect::<Vec<_>>());
}

#[tokio::test]
async fn closing_the_driver_ends_those_who_wait_and_what_comes_back() {
    let server = Server::sound();
    let driver = server
        .builder()
        .max_connection_pool_size(1)
        .build()
        .unwrap();
    let mut session = driver.session(pipelined().fetch_size(1));
    let mut holder = session.run("3", ()).await.unwrap();
    let waiting = tokio::spawn({
        let driver = driver.clone();
        async move { driver.execute_query("1", ()).await }
    });
    tokio::task::yield_now().await;
    driver.close().await;
    let waited = timeout(LONG, waiting)
        .await
        .expect("it is told at once")
        .unwrap();
    assert!(waited.unwrap_err().to_string().contains("closed"));
    assert_eq!(holder.collect().await.unwrap().len(), 3);
    let error = driver.execute_query("1", ()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
}

#[tokio::test]
async fn a_driver_moves_between_tasks() {
    fn is_send_and_sync<T: Send + Sync>(_: &T) {}
    let server = Server::sound();
    let driver = server.driver();
    is_send_and_sync(&driver);
    let name = String::from("shared");
    let counted = tokio::spawn(async move {
        let mut session = driver.session(pipelined());
        session
            .execute_write(async |tx| {
                tx.run("3", ()).await?.consume().await?;
                assert!(!name.is_empty());
                Ok::<_, neo_bolt::Error>(tx.attempt())
            })
            .await
    });
    assert_eq!(counted.await.unwrap().unwrap(), 1);
}

/// Connections whose other end is gone without a word, as behind a firewall that forgets them.
#[tokio::test(start_paused = true)]
async fn half_open_connections_do_not_add_up() {
    let (cut, is_cut) = tokio::sync::watch::channel(false);
    let server = Server::new(move |mut peer| {
        let mut is_cut = is_cut.clone();
        async move {
            if peer.number >= 5 {
                peer.log_in().await;
                return peer.serve().await;
            }
            let serve = async {
                peer.log_in().await;
                peer.serve().await;
            };
            let cut = async { drop(is_cut.wait_for(|cut| *cut).await) };
            tokio::select! {
                () = serve => {}
                // Neither read nor closed from then on.
                () = cut => std::future::pending().await,
            }
        }
    });
    let driver = server
        .builder()
        .connection_timeout(Duration::from_secs(2))
        .connection_acquisition_timeout(Duration::from_secs(3))
        .liveness_check_timeout(Some(Duration::from_secs(10)))
        .build()
        .unwrap();
    let mut sessions: Vec<_> = (0..5)
        .map(|_| driver.session(SessionConfig::default()))
        .collect();
    let mut open = Vec::new();
    for session in &mut sessions {
        open.push(session.begin_transaction().await.unwrap());
    }
    for transaction in open {
        transaction.commit().await.unwrap();
    }
    assert_eq!(driver.connection_pool_metrics()[0].idle, 5);
    cut.send(true).unwrap();
    tokio::time::sleep(Duration::from_secs(20)).await;
    let started = tokio::time::Instant::now();
    driver.execute_query("1", ()).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(3));
    assert_eq!(server.opened(), 6);
}

/// A machine that slept for years, or whose clock was set: nothing breaks, and what is too old is
/// made anew.
#[tokio::test(start_paused = true)]
async fn a_leap_of_the_clock_costs_a_connection_and_no_more() {
    const YEARS: Duration = Duration::from_secs(10 * 365 * 86_400);
    let server = Server::sound();
    let driver = server.driver();
    driver.execute_query("1", ()).await.unwrap();
    tokio::time::advance(YEARS).await;
    driver.execute_query("1", ()).await.unwrap();
    assert_eq!(server.opened(), 2);
    // One that is in use meanwhile stays so.
    let mut session = driver.session(SessionConfig::default());
    let transaction = session.begin_transaction().await.unwrap();
    tokio::time::advance(YEARS).await;
    assert_eq!(transaction.execute("2", ()).await.unwrap().records.len(), 2);
    transaction.commit().await.unwrap();
    assert_eq!(server.opened(), 2);
}
