//! Result transformers: what is made of a result within its transaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use neo_bolt::{AccessMode, Error, FetchSize, params};

use crate::peer::{BEGIN, COMMIT, DISCARD, PULL, ROLLBACK, RUN, Server};

#[tokio::test]
async fn a_result_is_made_into_something_within_its_transaction() {
    let server = Server::sound();
    let driver = server.driver();
    let sum = driver
        .execute_query("5", ())
        .routing(AccessMode::Read)
        .transform(async |mut records| {
            let mut sum = 0;
            while let Some(record) = records.next().await {
                sum += record?.get::<i64>("n")?;
            }
            Ok::<_, Error>(sum)
        })
        .await
        .unwrap();
    assert_eq!(sum, 15);
    assert_eq!(server.requests(0), [BEGIN, RUN, PULL, COMMIT]);
}

#[tokio::test]
async fn what_it_does_not_read_is_not_sent() {
    let server = Server::sound();
    let builder = server.builder().fetch_size(FetchSize::Records(10));
    let first = builder
        .build()
        .unwrap()
        .execute_query("1000", ())
        .transform(async |mut records| records.next().await.unwrap()?.get_at::<i64>(0))
        .await
        .unwrap();
    assert_eq!(first, 1000);
    assert_eq!(server.requests(0), [BEGIN, RUN, PULL, DISCARD, COMMIT]);
}

#[tokio::test]
async fn it_is_called_again_with_the_records_of_another_attempt() {
    let left = Arc::new(AtomicUsize::new(2));
    let flaky = Server::new(move |mut peer| {
        let left = Arc::clone(&left);
        async move {
            peer.log_in().await;
            if left.load(Ordering::SeqCst) == 0 {
                return peer.serve().await;
            }
            left.fetch_sub(1, Ordering::SeqCst);
            // Half of the result, and no more.
            peer.expect(BEGIN).await;
            peer.success(params! {}).await;
            peer.expect(RUN).await;
            peer.success(params! { "fields" => vec!["n"] }).await;
            peer.expect(PULL).await;
            peer.record(vec![1.into()]).await;
        }
    });
    let calls = AtomicUsize::new(0);
    let rows = flaky
        .driver()
        .execute_query("3", ())
        .transform(async |records| {
            calls.fetch_add(1, Ordering::SeqCst);
            records.records_as::<(i64,)>().collect().await
        })
        .await;
    assert_eq!(rows.unwrap(), [(3,), (2,), (1,)]);
    assert_eq!(calls.load(Ordering::SeqCst), 3);
}

/// An error of the caller's own, which is no driver's.
#[derive(Debug)]
enum Own {
    TooMany,
    Driver(#[allow(dead_code)] Error), // shown by a test that fails
}

impl From<Error> for Own {
    fn from(error: Error) -> Self {
        Self::Driver(error)
    }
}

#[tokio::test]
async fn a_failing_transformer_rolls_back() {
    let server = Server::sound();
    let query = server.driver().execute_query("3", ());
    let failed = query.transform(async |mut records| match records.collect().await?.len() {
        3 => Err(Own::TooMany),
        count => Ok(count),
    });
    assert!(matches!(failed.await, Err(Own::TooMany)));
    assert_eq!(server.requests(0), [BEGIN, RUN, PULL, ROLLBACK]);
}

/// It runs inside a spawned task, and may borrow from around it.
#[tokio::test]
async fn it_is_send() {
    let driver = Server::sound().driver();
    let task = tokio::spawn(async move {
        let offset = 10_i64;
        driver
            .execute_query("1", ())
            .transform(async |mut records| {
                let value = records.single().await?.get::<i64>(0)?;
                Ok::<_, Error>(value + offset)
            })
            .await
    });
    assert_eq!(task.await.unwrap().unwrap(), 11);
}
