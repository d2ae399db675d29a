//! What is tried again, what is not, and what the caller is told of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use neo_bolt::{BookmarkManager, Error, ErrorKind, RetryPolicy, params};

use crate::peer::{BEGIN, COMMIT, LOGOFF, LOGON, PULL, RUN, Server, pipelined};

/// Fails so many times with a code, and serves then.
fn failing(times: usize, code: &'static str) -> Arc<Server> {
    let left = Arc::new(AtomicUsize::new(times));
    Server::new(move |mut peer| {
        let left = Arc::clone(&left);
        async move {
            peer.log_in().await;
            while left.load(Ordering::SeqCst) > 0 {
                left.fetch_sub(1, Ordering::SeqCst);
                peer.expect(BEGIN).await;
                peer.success(params! {}).await;
                peer.expect(RUN).await;
                peer.failure(code).await;
                loop {
                    match peer.receive().await {
                        Some(request) if request.tag == crate::peer::RESET => break,
                        Some(_) => peer.ignored().await,
                        None => return,
                    }
                }
                peer.success(params! {}).await;
            }
            peer.serve().await;
        }
    })
}

#[tokio::test]
async fn transient_failures_are_tried_again() {
    for code in [
        "Neo.TransientError.Transaction.DeadlockDetected",
        "Neo.ClientError.Cluster.NotALeader",
    ] {
        let server = failing(3, code);
        let driver = server.driver();
        assert_eq!(
            driver.execute_query("2", ()).await.unwrap().records.len(),
            2
        );
        assert_eq!(
            server
                .requests(0)
                .iter()
                .filter(|tag| **tag == BEGIN)
                .count(),
            4
        );
        let mut session = failing(3, code).driver().session(pipelined());
        let attempt = session.execute_write(async |tx| {
            tx.execute("2", ()).await?;
            Ok::<_, Error>(tx.attempt())
        });
        assert_eq!(attempt.await.unwrap(), 4);
    }
}

#[tokio::test]
async fn what_another_attempt_can_not_mend_is_told_at_once() {
    for code in [
        "Neo.ClientError.Schema.ConstraintValidationFailed",
        "Neo.TransientError.Transaction.Terminated",
        "Neo.DatabaseError.General.UnknownError",
    ] {
        let server = failing(1, code);
        let error = server.driver().execute_query("2", ()).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.attempts()),
            (ErrorKind::Server, 1),
            "{error}"
        );
    }
}

#[tokio::test]
async fn an_auto_commit_is_never_tried_again() {
    let server = Server::new(|mut peer| async move {
        peer.log_in().await;
        peer.expect(RUN).await;
        peer.failure("Neo.TransientError.Transaction.DeadlockDetected")
            .await;
        peer.receive().await;
        peer.receive().await;
    });
    let mut session = server.driver().session(pipelined());
    let error = session.run("1", ()).await.unwrap_err();
    assert!(error.is_retryable());
    assert_eq!(server.opened(), 1);
    assert_eq!(
        server.requests(0).iter().filter(|tag| **tag == RUN).count(),
        1
    );
}

#[tokio::test]
async fn an_error_of_the_callers_own_is_not_tried_again() {
    let server = Server::sound();
    let mut session = server.driver().session(pipelined());
    let mut calls = 0;
    let worked = session.execute_write(|tx| {
        calls += 1;
        async move {
            tx.execute("1", ())
                .await
                .map_err(|error| error.to_string())?;
            Err::<(), _>(Own("enough".to_owned()))
        }
    });
    assert_eq!(worked.await.unwrap_err().0, "enough");
    assert_eq!(calls, 1);
}

#[derive(Debug)]
struct Own(String);

impl From<Error> for Own {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}

impl From<String> for Own {
    fn from(text: String) -> Self {
        Self(text)
    }
}

#[tokio::test]
async fn a_failure_that_the_work_hides_is_tried_again_all_the_same() {
    let server = failing(1, "Neo.TransientError.Transaction.DeadlockDetected");
    let mut session = server.driver().session(pipelined());
    let worked = session.execute_write(async |tx| {
        let hidden = tx.execute("1", ()).await;
        Ok::<_, Error>((tx.attempt(), hidden.is_ok()))
    });
    assert_eq!(worked.await.unwrap(), (2, true));
}

#[tokio::test(start_paused = true)]
async fn giving_up_tells_how_often_it_was_tried() {
    let server = failing(99, "Neo.TransientError.Transaction.DeadlockDetected");
    let policy = RetryPolicy {
        jitter: 0.0,
        max_retry_time: Duration::from_secs(6),
        ..RetryPolicy::default()
    };
    let driver = server.builder().retry_policy(policy).build().unwrap();
    let started = tokio::time::Instant::now();
    let error = driver.execute_query("1", ()).await.unwrap_err();
    // At 0, 1, 3 and 6 seconds.
    assert_eq!(
        (error.attempts(), started.elapsed().as_secs()),
        (4, 6),
        "{error}"
    );
    assert!(error.to_string().contains("4 times"), "{error}");
}

#[tokio::test]
async fn policies_beyond_all_measure_do_not_panic() {
    for multiplier in [f64::INFINITY, f64::NAN, f64::MAX, -1.0] {
        let server = failing(2, "Neo.TransientError.Transaction.DeadlockDetected");
        let policy = RetryPolicy {
            initial_delay: Duration::from_nanos(1),
            multiplier,
            jitter: multiplier,
            max_retry_time: Duration::from_secs(1),
        };
        let driver = server.builder().retry_policy(policy).build().unwrap();
        let queried =
            tokio::time::timeout(Duration::from_millis(50), driver.execute_query("1", ()));
        let _ = queried.await;
    }
}

/// Where the user's rights have changed, every connection logs in anew before it is used again;
/// the server's answers to that come with those to what is asked next.
#[tokio::test]
async fn expired_rights_call_for_a_new_login() {
    let server = Server::new(|mut peer| async move {
        peer.log_in().await;
        while let Some(request) = peer.receive().await {
            match request.tag {
                BEGIN => {
                    peer.failure("Neo.ClientError.Security.AuthorizationExpired")
                        .await
                }
                crate::peer::RESET | LOGOFF => peer.success(params! {}).await,
                LOGON => {
                    peer.success(params! {}).await;
                    return peer.serve().await;
                }
                _ => peer.ignored().await,
            }
        }
    });
    server.driver().execute_query("1", ()).await.unwrap();
    assert_eq!(server.opened(), 1);
    // LOGON is not in the log.
    let requests = server.requests(0);
    assert!(requests.windows(2).any(|two| two == [LOGOFF, BEGIN]));
}

#[tokio::test]
async fn bookmarks_go_from_one_transaction_to_the_next() {
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let server = Server::new(move |mut peer| {
        let log = Arc::clone(&log);
        async move {
            peer.log_in().await;
            for round in 0.. {
                let Some(begin) = peer.expect(BEGIN).await else {
                    return;
                };
                log.lock()
                    .unwrap()
                    .push(begin.extra().get("bookmarks").cloned());
                for tag in [RUN, PULL] {
                    peer.expect(tag).await;
                }
                for _ in [BEGIN, RUN, PULL] {
                    peer.success(params! {}).await;
                }
                peer.expect(COMMIT).await;
                peer.success(params! { "bookmark" => format!("b{round}") })
                    .await;
            }
        }
    });
    let driver = server.driver();
    driver.execute_query("a", ()).await.unwrap();
    driver.execute_query("b", ()).await.unwrap();
    driver
        .execute_query("c", ())
        .bookmark_manager(None)
        .await
        .unwrap();
    let other = BookmarkManager::new();
    driver
        .execute_query("d", ())
        .bookmark_manager(Some(other.clone()))
        .await
        .unwrap();
    driver.execute_query("e", ()).await.unwrap();
    let list = |mark: &str| Some(neo_bolt::value::Value::from(vec![mark]));
    assert_eq!(
        *seen.lock().unwrap(),
        [None, list("b0"), None, None, list("b1")]
    );
    assert_eq!(other.bookmarks().raw_values().collect::<Vec<_>>(), ["b3"]);
    assert_eq!(
        driver
            .bookmark_manager()
            .bookmarks()
            .raw_values()
            .collect::<Vec<_>>(),
        ["b4"]
    );
}
