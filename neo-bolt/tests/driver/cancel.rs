//! Futures that are dropped at every point, and connections that are used again after it.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use neo_bolt::{Driver, Error, params};
use tokio::time::timeout;

use crate::peer::{BEGIN, COMMIT, PULL, RESET, RUN, Server, pipelined};

const LONG: Duration = Duration::from_secs(10);

/// Polls so many times, then drops. Whether the future came to its end.
async fn polled(times: usize, future: impl Future) -> bool {
    let mut future = pin!(future);
    let mut left = times;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    })
    .await
}

async fn still_works(driver: &Driver) {
    let query = async {
        let result = driver.execute_query("3", ()).await?;
        let mut session = driver.session(pipelined().fetch_size(2));
        let managed: Result<_, Error> = session
            .execute_write(async |tx| tx.run("5", ()).await?.collect().await)
            .await;
        Ok::<_, Error>((result.records.len(), managed?.len()))
    };
    let counts = timeout(LONG, query).await.expect("no hang").unwrap();
    assert_eq!(counts, (3, 5));
}

#[tokio::test(start_paused = true)]
async fn any_future_may_be_dropped_at_any_point() {
    // One connection only: a place in the pool that got lost would show as a hang.
    let server = Server::sound();
    let driver = server
        .builder()
        .max_connection_pool_size(1)
        .build()
        .unwrap();
    for kind in 0..5 {
        let mut finished = false;
        for times in 0..200 {
            let config = pipelined().fetch_size(2);
            finished = match kind {
                0 => polled(times, driver.execute_query("4", ()).into_future()).await,
                1 => {
                    let mut session = driver.session(config);
                    let work = session.execute_write(async |tx| {
                        let mut first = tx.run("5", ()).await?;
                        tx.execute("3", ()).await?;
                        first.collect().await
                    });
                    polled(times, work).await
                }
                2 => {
                    let mut session = driver.session(config);
                    let work = async {
                        let transaction = session.begin_transaction().await?;
                        transaction.run("5", ()).await?.next().await;
                        transaction.rollback().await
                    };
                    polled(times, work).await
                }
                3 => {
                    let mut session = driver.session(config);
                    polled(times, async { session.run("9", ()).await?.collect().await }).await
                }
                _ => polled(times, driver.verify_connectivity()).await,
            };
            still_works(&driver).await;
            if finished && times > 20 {
                break;
            }
        }
        assert!(finished, "kind {kind} never came to its end");
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_that_was_not_waited_for_comes_with_the_next_call() {
    let server = Server::new(|mut peer| async move {
        peer.log_in().await;
        for tag in [BEGIN, RUN, PULL] {
            peer.expect(tag).await;
        }
        peer.success(params! {}).await;
        peer.success(params! { "fields" => vec!["n"], "qid" => 0 })
            .await;
        // The records come only when another statement has come.
        peer.expect(RUN).await;
        peer.expect(PULL).await;
        peer.record(vec![1.into()]).await;
        peer.record(vec![2.into()]).await;
        peer.success(params! {}).await;
        peer.success(params! { "fields" => vec!["n"], "qid" => 1 })
            .await;
        peer.success(params! {}).await;
        peer.expect(COMMIT).await;
        peer.success(params! {}).await;
    });
    let mut session = server.driver().session(pipelined());
    let transaction = session.begin_transaction().await.unwrap();
    let mut result = transaction.run("2", ()).await.unwrap();
    assert!(
        timeout(Duration::from_millis(20), result.next())
            .await
            .is_err()
    );
    {
        // Also where it was polled as a `Stream`, which has no future that could be dropped.
        let poll = poll_fn(|cx| {
            Poll::Ready(futures_core::Stream::poll_next(
                std::pin::Pin::new(&mut result),
                cx,
            ))
        });
        assert!(poll.await.is_pending());
    }
    // Whoever stopped waiting does not keep the connection from others.
    let other = timeout(LONG, transaction.execute("0", ()))
        .await
        .expect("no hang")
        .unwrap();
    assert_eq!(other.records.len(), 0);
    assert_eq!(result.collect().await.unwrap().len(), 2);
    transaction.commit().await.unwrap();
}

/// On several threads, so that one reads while another lets go.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tasks_may_wait_for_results_of_one_transaction() {
    for round in 0..100 {
        let server = Server::sound();
        let config = pipelined().fetch_size(1);
        let mut session = server.driver().session(config);
        let work = session.execute_read(async |tx| {
            let mut readers = Vec::new();
            for (count, patient) in [("40", true), ("30", false), ("20", true)] {
                let mut result = tx.run(count, ()).await?;
                readers.push(tokio::spawn(async move {
                    let mut count = 0;
                    loop {
                        // One stops waiting now and then, as `select!` does; the others rely on
                        // being woken.
                        let patience = if patient {
                            LONG
                        } else {
                            Duration::from_micros(round)
                        };
                        let next = timeout(patience, result.next()).await;
                        assert!(next.is_ok() || !patient, "nobody woke the reader");
                        match next {
                            Err(_) => tokio::task::yield_now().await,
                            Ok(Some(record)) => count += record.map(|_| 1)?,
                            Ok(None) => return Ok::<_, Error>(count),
                        }
                    }
                }));
            }
            let mut counts = vec![tx.execute("10", ()).await?.records.len()];
            for reader in readers {
                counts.push(reader.await.unwrap()?);
            }
            Ok::<_, Error>(counts)
        });
        let counts = timeout(LONG, work).await.expect("no hang").unwrap();
        assert_eq!(counts, [10, 40, 30, 20]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_transaction_is_rolled_back_though_a_result_of_it_is_kept() {
    let server = Server::sound();
    let driver = server
        .builder()
        .max_connection_pool_size(1)
        .build()
        .unwrap();
    let mut session = driver.session(pipelined().fetch_size(1));
    let transaction = session.begin_transaction().await.unwrap();
    let mut kept = transaction.run("5", ()).await.unwrap();
    drop(transaction);
    timeout(
        LONG,
        session.execute_write(async |tx| tx.execute("1", ()).await.map(drop)),
    )
    .await
    .expect("the connection is free")
    .unwrap();
    assert!(kept.collect().await.is_err());
    assert_eq!(server.requests(0)[..4], [BEGIN, RUN, PULL, RESET]);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_unit_of_work_is_rolled_back_though_its_handle_is_kept() {
    let server = Server::sound();
    let driver = server
        .builder()
        .max_connection_pool_size(1)
        .build()
        .unwrap();
    let mut session = driver.session(pipelined());
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let mut sender = Some(sender);
    let work = session.execute_write(|tx| {
        let sender = sender.take();
        async move {
            tx.execute("1", ()).await?;
            let _ = sender.unwrap().send(tx);
            std::future::pending::<Result<(), Error>>().await
        }
    });
    assert!(timeout(Duration::from_millis(50), work).await.is_err());
    let kept = receiver.await.unwrap();
    assert!(kept.execute("1", ()).await.is_err());
    still_works(&driver).await;
}

/// A server that is told to stop drops what waited without a word on it.
#[tokio::test(start_paused = true)]
async fn requests_that_a_reset_interrupts_are_passed_over() {
    let server = Server::new(|mut peer| async move {
        peer.log_in().await;
        for tag in [BEGIN, RUN, PULL, COMMIT, RESET] {
            peer.expect(tag).await;
        }
        peer.success(params! {}).await;
        for _ in [RUN, PULL, COMMIT] {
            peer.ignored().await;
        }
        peer.success(params! {}).await;
        peer.serve().await;
    });
    let driver = server
        .builder()
        .max_connection_pool_size(1)
        .build()
        .unwrap();
    assert!(
        timeout(
            Duration::from_millis(50),
            driver.execute_query("1", ()).idempotent(true)
        )
        .await
        .is_err()
    );
    still_works(&driver).await;
    assert_eq!(server.opened(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_next_user_of_a_connection_does_not_meet_the_failure_of_the_last() {
    let server = Server::new(|mut peer| async move {
        peer.log_in().await;
        for tag in [BEGIN, RUN, PULL, COMMIT] {
            peer.expect(tag).await;
        }
        peer.success(params! {}).await;
        peer.failure("Neo.ClientError.Statement.SyntaxError").await;
        peer.ignored().await;
        peer.ignored().await;
        peer.expect(RESET).await;
        // The answer is on its way for long: the next transaction begins before it is there.
        tokio::time::sleep(Duration::from_millis(50)).await;
        peer.success(params! {}).await;
        peer.serve().await;
    });
    let driver = server.driver();
    let query = driver.execute_query("syntax", ()).idempotent(true);
    query.await.unwrap_err();
    let mut session = driver.session(pipelined());
    let transaction = session.begin_transaction().await.unwrap();
    assert_eq!(transaction.execute("2", ()).await.unwrap().records.len(), 2);
    // It was not committed, so the next user must not find it open.
    drop(transaction);
    still_works(&driver).await;
    assert_eq!(server.opened(), 1);
}

/// As a server that closes when it can't reset.
#[tokio::test(start_paused = true)]
async fn a_refused_reset_costs_the_connection_not_the_next_user() {
    let server = Server::new(|mut peer| async move {
        peer.log_in().await;
        if peer.number > 0 {
            return peer.serve().await;
        }
        for tag in [BEGIN, RUN, PULL, COMMIT] {
            peer.expect(tag).await;
        }
        peer.success(params! {}).await;
        peer.failure("Neo.ClientError.Statement.SyntaxError").await;
        peer.ignored().await;
        peer.ignored().await;
        peer.expect(RESET).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        peer.failure("Neo.DatabaseError.General.UnknownError").await;
        while peer.receive().await.is_some() {}
    });
    let driver = server.driver();
    let query = driver.execute_query("syntax", ()).idempotent(true);
    query.await.unwrap_err();
    still_works(&driver).await;
    assert_eq!(server.opened(), 2);
}

/// Some statements are slow to be stopped. Nobody waits for that while another connection may be
/// opened.
#[tokio::test(start_paused = true)]
async fn a_connection_that_is_slow_to_be_stopped_is_left_alone() {
    let server = Server::new(|mut peer| async move {
        peer.log_in().await;
        if peer.number > 0 {
            return peer.serve().await;
        }
        for tag in [BEGIN, RUN, PULL, COMMIT, RESET] {
            peer.expect(tag).await;
        }
        tokio::time::sleep(Duration::from_millis(400)).await;
        peer.success(params! {}).await;
        for _ in [RUN, PULL, COMMIT] {
            peer.ignored().await;
        }
        peer.success(params! {}).await;
        peer.serve().await;
    });
    let driver = server
        .builder()
        .max_connection_pool_size(2)
        .build()
        .unwrap();
    let slow = driver.execute_query("slow", ()).idempotent(true);
    let slow = slow.into_future();
    assert!(timeout(Duration::from_millis(20), slow).await.is_err());
    timeout(Duration::from_millis(200), still_works(&driver))
        .await
        .expect("nobody waits");
    assert_eq!(server.opened(), 2);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (first, second) =
        tokio::join!(driver.execute_query("1", ()), driver.execute_query("2", ()));
    assert_eq!(
        first.unwrap().records.len() + second.unwrap().records.len(),
        3
    );
    assert_eq!(server.opened(), 2, "both are used again");
}
