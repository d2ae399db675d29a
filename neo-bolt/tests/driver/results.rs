//! Streaming, several results at once, and results that nobody reads to their end.

use neo_bolt::{
    Error, ErrorKind, NotificationClassification, NotificationSeverity, SessionConfig, params,
};

use crate::peer::{BEGIN, COMMIT, DISCARD, PULL, RESET, RUN, Server, pipelined};

fn by_two() -> SessionConfig {
    pipelined().fetch_size(2)
}

#[tokio::test]
async fn records_come_batch_by_batch_and_the_next_is_asked_for_early() {
    let server = Server::sound();
    let mut session = server.driver().session(by_two());
    let mut result = session.run("5", ()).await.unwrap();
    assert_eq!(result.keys()[..], ["n"]);
    assert!(result.next().await.unwrap().is_ok());
    assert_eq!(server.requests(0), [RUN, PULL]);
    assert!(result.next().await.unwrap().is_ok());
    // The request left with the last record of the batch.
    tokio::task::yield_now().await;
    assert_eq!(server.requests(0), [RUN, PULL, PULL]);
    let rest: Vec<i64> = result
        .collect()
        .await
        .unwrap()
        .iter()
        .map(|record| record.get_at(0).unwrap())
        .collect();
    assert_eq!(rest, [3, 2, 1]);
    assert_eq!(server.requests(0), [RUN, PULL, PULL, PULL]);
    assert_eq!(
        session.last_bookmarks().raw_values().collect::<Vec<_>>(),
        ["auto"]
    );
}

#[tokio::test]
async fn a_result_that_is_consumed_at_once_asks_for_no_further_batch() {
    let server = Server::sound();
    let mut session = server.driver().session(pipelined().fetch_size(1));
    let mut result = session.run("5", ()).await.unwrap();
    result.consume().await.unwrap();
    assert_eq!(server.requests(0), [RUN, PULL, DISCARD]);
}

#[tokio::test]
async fn peek_fetch_and_single() {
    let server = Server::sound();
    let mut session = server.driver().session(by_two());
    let mut result = session.run("5", ()).await.unwrap();
    assert_eq!(
        result
            .peek()
            .await
            .unwrap()
            .unwrap()
            .get_at::<i64>(0)
            .unwrap(),
        5
    );
    assert_eq!(result.fetch(3).await.unwrap().len(), 3);
    assert_eq!(result.fetch(9).await.unwrap().len(), 2);
    assert!(result.next().await.is_none());
    assert!(result.peek().await.unwrap().is_none());
    assert!(session.run("1", ()).await.unwrap().single().await.is_ok());
    for (count, found) in [("0", "none"), ("2", "several")] {
        let error = session
            .run(count, ())
            .await
            .unwrap()
            .single()
            .await
            .unwrap_err();
        assert!(error.to_string().contains(found), "{error}");
    }
}

#[tokio::test]
async fn what_is_consumed_is_not_sent() {
    let server = Server::sound();
    let mut session = server.driver().session(by_two());
    let mut result = session.run("1000", ()).await.unwrap();
    result.next().await.unwrap().unwrap();
    let summary = result.consume().await.unwrap();
    assert_eq!(summary.database(), Some("neo4j"));
    assert_eq!(server.requests(0), [RUN, PULL, DISCARD]);
}

#[tokio::test]
async fn results_of_one_transaction_are_read_side_by_side() {
    let server = Server::sound();
    let mut session = server.driver().session(by_two());
    let transaction = session.begin_transaction().await.unwrap();
    let mut first = transaction.run("5", ()).await.unwrap();
    let mut second = transaction.run("4", ()).await.unwrap();
    let third = transaction.execute("3", ()).await.unwrap();
    assert_eq!(third.records.len(), 3);
    let (mut a, mut b) = (Vec::new(), Vec::new());
    loop {
        let (x, y) = (first.next().await, second.next().await);
        if x.is_none() && y.is_none() {
            break;
        }
        a.extend(x.map(|record| record.unwrap().get_at::<i64>(0).unwrap()));
        b.extend(y.map(|record| record.unwrap().get_at::<i64>(0).unwrap()));
    }
    assert_eq!((a, b), (vec![5, 4, 3, 2, 1], vec![4, 3, 2, 1]));
    transaction.commit().await.unwrap();
    assert_eq!(server.opened(), 1);
}

#[tokio::test]
async fn a_result_left_half_read_does_not_break_the_commit() {
    let server = Server::sound();
    let mut session = server.driver().session(by_two());
    for dropped in [true, false] {
        let transaction = session.begin_transaction().await.unwrap();
        let mut result = transaction.run("9", ()).await.unwrap();
        result.next().await.unwrap().unwrap();
        if dropped {
            drop(result);
            transaction.commit().await.unwrap();
        } else {
            transaction.commit().await.unwrap();
            let error = result.collect().await.unwrap_err();
            assert!(
                error.to_string().contains("transaction was closed"),
                "{error}"
            );
        }
    }
    assert!(!server.requests(0).contains(&RESET));
    assert_eq!(
        session.last_bookmarks().raw_values().collect::<Vec<_>>(),
        ["bookmark-0"]
    );
}

#[tokio::test]
async fn an_auto_commit_that_nobody_reads_takes_effect_before_the_next_statement() {
    let server = Server::sound();
    let mut session = server.driver().session(by_two());
    drop(session.run("CREATE (:A)", ()).await.unwrap());
    drop(session.run("7", ()).await.unwrap());
    session.run("1", ()).await.unwrap().consume().await.unwrap();
    let requests = server.requests(0);
    // RESET would undo what the caller was told had been accepted.
    assert_eq!(requests, [RUN, PULL, RUN, PULL, DISCARD, RUN, PULL]);
    assert_eq!(server.opened(), 1);
    drop(session.run("7", ()).await.unwrap());
    session.close().await.unwrap();
    assert_eq!(server.requests(0)[7..], [RUN, PULL, DISCARD]);
}

#[tokio::test]
async fn the_previous_result_of_a_session_stays_readable() {
    let server = Server::sound();
    let mut session = server.driver().session(by_two());
    let mut first = session.run("7", ()).await.unwrap();
    let mut second = session.run("3", ()).await.unwrap();
    // The second statement sees what the first did: it was read to its end before.
    assert_eq!(server.requests(0), [RUN, PULL, PULL, RUN, PULL]);
    assert_eq!(second.collect().await.unwrap().len(), 3);
    assert_eq!(first.collect().await.unwrap().len(), 7);
    assert_eq!(server.opened(), 1);
}

#[tokio::test]
async fn one_query_is_one_flush() {
    let server = Server::new(|mut peer| async move {
        peer.log_in().await;
        // Nothing is answered before all has come: a client that waits would hang.
        for tag in [BEGIN, RUN, PULL, COMMIT] {
            peer.expect(tag).await;
        }
        peer.success(params! {}).await;
        peer.success(params! { "fields" => vec!["n"] }).await;
        peer.record(vec![1.into()]).await;
        peer.success(params! {}).await;
        peer.success(params! { "bookmark" => "b" }).await;
        for tag in [BEGIN, RUN, PULL] {
            peer.expect(tag).await;
        }
        peer.success(params! {}).await;
        peer.success(params! { "fields" => vec!["n"] }).await;
        peer.success(params! {}).await;
        peer.expect(COMMIT).await;
        peer.success(params! {}).await;
    });
    let driver = server.driver();
    let query = driver.execute_query("1", ()).idempotent(true);
    let queried = query.await.unwrap();
    assert_eq!(queried.records.len(), 1);
    let mut session = driver.session(pipelined());
    let worked: Result<_, Error> = session
        .execute_read(async |tx| tx.execute("1", ()).await)
        .await;
    assert_eq!(worked.unwrap().records.len(), 0);
}

#[tokio::test]
async fn a_failure_in_the_middle_of_a_stream_is_its_last_word() {
    let server = Server::new(|mut peer| async move {
        peer.log_in().await;
        peer.expect(RUN).await;
        peer.expect(PULL).await;
        peer.success(params! { "fields" => vec!["n"] }).await;
        peer.record(vec![1.into()]).await;
        peer.failure("Neo.ClientError.Statement.ArithmeticError")
            .await;
        peer.expect(RESET).await;
        peer.success(params! {}).await;
        peer.serve().await;
    });
    let mut session = server.driver().session(pipelined());
    let mut result = session.run("1", ()).await.unwrap();
    assert!(result.next().await.unwrap().is_ok());
    let error = result.next().await.unwrap().unwrap_err();
    assert_eq!(
        error.code(),
        Some("Neo.ClientError.Statement.ArithmeticError")
    );
    assert!(result.next().await.is_none());
    drop(result);
    session.run("2", ()).await.unwrap().collect().await.unwrap();
    assert_eq!(server.opened(), 1);
}

#[tokio::test]
async fn parameters_that_are_no_map_are_refused_before_they_are_sent() {
    let server = Server::sound();
    let driver = server.driver();
    for error in [
        driver.execute_query("RETURN $n", 7).await.unwrap_err(),
        driver
            .execute_query("RETURN $n", vec![1, 2])
            .await
            .unwrap_err(),
    ] {
        assert_eq!(error.kind(), neo_bolt::ErrorKind::Encode, "{error}");
        assert!(error.to_string().contains("map"), "{error}");
    }
    assert!(!server.requests(0).contains(&RUN));
}

#[tokio::test]
async fn notifications_are_read_from_status_objects_too() {
    let server = Server::new(|mut peer| async move {
        peer.log_in_as(6, 5).await;
        for tag in [BEGIN, RUN, PULL, COMMIT] {
            peer.expect(tag).await;
        }
        peer.success(params! {}).await;
        peer.success(params! { "fields" => Vec::<String>::new() })
            .await;
        let position = params! { "offset" => 1, "line" => 1, "column" => 2 };
        let warning = params! {
            "gql_status" => "01N50",
            "status_description" => "warn: label does not exist",
            "neo4j_code" => "Neo.ClientNotification.Statement.UnknownLabelWarning",
            "title" => "The provided label is not in the database.",
            "description" => "One of the labels in your query is not available",
            "diagnostic_record" => params! {
                "_severity" => "WARNING", "_classification" => "UNRECOGNIZED", "_position" => position
            },
        };
        let success = params! { "gql_status" => "00001", "status_description" => "no result" };
        let statuses = vec![neo_bolt::value::Value::from(warning), success.into()];
        peer.success(params! { "statuses" => statuses }).await;
        peer.success(params! {}).await;
    });
    let summary = server
        .driver()
        .execute_query("1", ())
        .idempotent(true)
        .await
        .unwrap()
        .summary;
    assert_eq!(summary.gql_status_objects().len(), 2);
    let notifications = summary.notifications();
    assert_eq!(notifications.len(), 1);
    let notification = &notifications[0];
    assert_eq!(
        notification.code(),
        "Neo.ClientNotification.Statement.UnknownLabelWarning"
    );
    assert_eq!(notification.severity(), NotificationSeverity::Warning);
    assert_eq!(
        notification.category(),
        NotificationClassification::Unrecognized
    );
    assert_eq!(notification.position().unwrap().line, 1);
}

#[tokio::test]
async fn records_become_values_and_the_summary_stays_at_hand() {
    let server = Server::sound();
    let mut session = server.driver().session(by_two());
    let mut numbers = session.run("3", ()).await.unwrap().records_as::<(i64,)>();
    assert_eq!(numbers.collect().await.unwrap(), [(3,), (2,), (1,)]);
    assert_eq!(numbers.consume().await.unwrap().database(), Some("neo4j"));
    let mut result = session.run("3", ()).await.unwrap();
    let eager = result.to_eager_result().await.unwrap();
    assert_eq!(eager.records_as::<(i64,)>().unwrap().len(), 3);
    assert!(eager.graph().unwrap().nodes.is_empty());
    assert!(result.closed());
    let error = result.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResultConsumed);
    assert!(result.consume().await.is_ok());
}
