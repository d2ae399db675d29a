//! The same driver on a real server: `NEO4J_URI` (with `NEO4J_USER` and `NEO4J_PASSWORD`) says
//! which. Without it, these tests say so and have nothing to run on.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use neo_bolt::{
    AccessMode, Address, AuthToken, BoxedStream, Connector, Driver, DriverBuilder, Error,
    ErrorKind, SessionConfig, TransactionConfig, Version, params,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::timeout;

fn builder() -> Option<DriverBuilder> {
    let Ok(uri) = std::env::var("NEO4J_URI") else {
        eprintln!("NEO4J_URI is not set: this test ran on no server");
        return None;
    };
    let auth = match (std::env::var("NEO4J_USER"), std::env::var("NEO4J_PASSWORD")) {
        (Ok(user), Ok(password)) => AuthToken::basic(user, password),
        _ => AuthToken::none(),
    };
    Some(Driver::builder(&uri).auth(auth))
}

fn driver() -> Option<Driver> {
    builder().map(|builder| builder.build().unwrap())
}

/// Counts how often the client turns from sending to receiving.
struct Counting(Arc<AtomicUsize>);

struct Counted<S> {
    stream: S,
    turns: Arc<AtomicUsize>,
    wrote: bool,
}

impl Connector for Counting {
    fn connect<'a>(
        &'a self,
        address: &'a Address,
    ) -> Pin<Box<dyn Future<Output = std::io::Result<BoxedStream>> + Send + 'a>> {
        Box::pin(async move {
            let stream = tokio::net::TcpStream::connect((address.host(), address.port())).await?;
            stream.set_nodelay(true)?;
            let turns = Arc::clone(&self.0);
            Ok(Box::new(Counted {
                stream,
                turns,
                wrote: false,
            }) as BoxedStream)
        })
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before && std::mem::take(&mut self.wrote) {
            self.turns.fetch_add(1, Ordering::SeqCst);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.wrote = true;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// A label of this test alone.
fn label(test: &str) -> String {
    let nanos = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    format!("Bolt_{test}_{}", nanos.as_nanos())
}

async fn count(driver: &Driver, label: &str) -> i64 {
    let result = driver
        .execute_query(format!("MATCH (n:{label}) RETURN count(n)"), ())
        .await;
    result.unwrap().records[0].get_at(0).unwrap()
}

#[tokio::test]
async fn one_query_is_one_round_trip() {
    let Some(builder) = builder() else { return };
    let turns = Arc::new(AtomicUsize::new(0));
    let driver = builder
        .connector(Arc::new(Counting(Arc::clone(&turns))))
        .build()
        .unwrap();
    driver.execute_query("RETURN 1", ()).await.unwrap();
    let before = turns.load(Ordering::SeqCst);
    for _ in 0..10 {
        driver
            .execute_query("RETURN $n", params! { "n" => 1 })
            .await
            .unwrap();
    }
    assert_eq!(turns.load(Ordering::SeqCst) - before, 10);
    // BEGIN, RUN and PULL in one, COMMIT in another.
    let mut session = driver.session(SessionConfig::default());
    let before = turns.load(Ordering::SeqCst);
    session
        .execute_write(async |tx| tx.execute("RETURN 1", ()).await.map(drop))
        .await
        .unwrap();
    assert_eq!(turns.load(Ordering::SeqCst) - before, 2);
}

#[tokio::test]
async fn a_long_result_is_streamed_and_may_be_left() {
    let Some(driver) = driver() else { return };
    let mut session = driver.session(SessionConfig::default());
    let mut result = session
        .run("UNWIND range(1, 100000) AS n RETURN n", ())
        .await
        .unwrap();
    let mut sum = 0;
    while let Some(record) = result.next().await {
        sum += record.unwrap().get_at::<i64>(0).unwrap();
    }
    assert_eq!(sum, 5_000_050_000);
    // Left behind: the server stops, and the connection is free again at once.
    let started = Instant::now();
    for mode in [AccessMode::Read, AccessMode::Write] {
        let config = SessionConfig::default().default_access_mode(mode);
        let mut session = driver.session(config);
        let endless = "UNWIND range(1, 1000000000) AS n RETURN n";
        let mut result = session.run(endless, ()).await.unwrap();
        result.next().await.unwrap().unwrap();
        drop(result);
        session
            .run("RETURN 1", ())
            .await
            .unwrap()
            .single()
            .await
            .unwrap();
        let summary = session
            .run(endless, ())
            .await
            .unwrap()
            .consume()
            .await
            .unwrap();
        assert!(summary.result_consumed_after().is_some());
    }
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn a_transaction_commits_with_results_half_read() {
    let Some(driver) = driver() else { return };
    let label = label("half");
    let mut session = driver.session(SessionConfig::default().fetch_size(2));
    for dropped in [true, false] {
        let transaction = session.begin_transaction().await.unwrap();
        let create = format!("UNWIND range(1, 10) AS n CREATE (x:{label}) RETURN n");
        let mut first = transaction.run(create.as_str(), ()).await.unwrap();
        let mut second = transaction
            .run("UNWIND range(1, 9) AS n RETURN n", ())
            .await
            .unwrap();
        first.next().await.unwrap().unwrap();
        second.next().await.unwrap().unwrap();
        if dropped {
            drop((first, second));
            transaction.commit().await.unwrap();
        } else {
            transaction.commit().await.unwrap();
        }
    }
    assert_eq!(count(&driver, &label).await, 20);
    let transaction = session.begin_transaction().await.unwrap();
    transaction
        .execute(format!("CREATE (:{label})"), ())
        .await
        .unwrap();
    drop(transaction);
    let transaction = session.begin_transaction().await.unwrap();
    transaction
        .run(format!("CREATE (n:{label}) RETURN n"), ())
        .await
        .unwrap()
        .next()
        .await;
    transaction.rollback().await.unwrap();
    assert_eq!(count(&driver, &label).await, 20);
}

#[tokio::test]
async fn what_nobody_reads_takes_effect_and_is_seen_next() {
    let Some(driver) = driver() else { return };
    let label = label("unread");
    let mut session = driver.session(SessionConfig::default());
    for number in 1..=20 {
        drop(
            session
                .run(format!("CREATE (n:{label}) RETURN n"), ())
                .await
                .unwrap(),
        );
        let mut counted = session
            .run(format!("MATCH (n:{label}) RETURN count(n)"), ())
            .await
            .unwrap();
        assert_eq!(
            counted.single().await.unwrap().get_at::<i64>(0).unwrap(),
            number
        );
    }
    drop(
        session
            .run(format!("CREATE (n:{label})"), ())
            .await
            .unwrap(),
    );
    session.close().await.unwrap();
    assert_eq!(count(&driver, &label).await, 21);
}

#[tokio::test]
async fn a_failure_costs_the_transaction_and_nothing_else() {
    let Some(builder) = builder() else { return };
    let driver = builder.max_connection_pool_size(1).build().unwrap();
    for _ in 0..50 {
        let error = driver.execute_query("RETURN 1 / 0", ()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Server);
        assert_eq!(
            error.code(),
            Some("Neo.ClientError.Statement.ArithmeticError"),
            "{error}"
        );
        let mut session = driver.session(SessionConfig::default());
        let worked: Result<_, Error> = session
            .execute_write(async |tx| {
                tx.run("UNWIND [1, 2] AS n RETURN n", ())
                    .await?
                    .collect()
                    .await
            })
            .await;
        assert_eq!(worked.unwrap().len(), 2);
        let worked: Result<(), Error> = session
            .execute_write(async |tx| {
                let first = tx.run("UNWIND range(1, 5000) AS n RETURN n", ()).await?;
                assert!(tx.execute("no Cypher", ()).await.is_err());
                drop(first);
                Ok(())
            })
            .await;
        assert!(worked.unwrap_err().to_string().contains("failed before"));
        driver.execute_query("RETURN 1", ()).await.unwrap();
    }
}

#[tokio::test]
async fn a_cancelled_statement_is_stopped_at_the_server() {
    let Some(builder) = builder() else { return };
    let driver = builder.max_connection_pool_size(1).build().unwrap();
    // Something that looks at the graph, since that is where a server notices that it is to stop.
    let endless = "UNWIND range(1, 2000000000) AS n MATCH (x:NoSuch_ {n: n}) RETURN count(x)";
    for _ in 0..3 {
        let queried = timeout(
            Duration::from_millis(100),
            driver.execute_query(endless, ()),
        );
        assert!(queried.await.is_err());
        let started = Instant::now();
        let mut session = driver.session(SessionConfig::default());
        session
            .execute_read(async |tx| tx.execute("RETURN 1", ()).await.map(drop))
            .await
            .unwrap();
        assert!(
            started.elapsed() < Duration::from_secs(3),
            "{:?}",
            started.elapsed()
        );
        // So does giving up a transaction, or a result of what only reads.
        let transaction = session.begin_transaction().await.unwrap();
        drop(transaction.run(endless, ()).await.unwrap());
        drop(transaction);
        let config = SessionConfig::default().default_access_mode(AccessMode::Read);
        drop(driver.session(config).run(endless, ()).await.unwrap());
    }
    let config = TransactionConfig::default().timeout(Duration::from_millis(200));
    let mut session = driver.session(SessionConfig::default());
    let timed_out = async { session.run_with(endless, (), config).await?.consume().await };
    let error = timed_out.await.unwrap_err();
    assert!(
        error.code().unwrap().contains("TransactionTimedOut"),
        "{error}"
    );
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn summaries_tell_what_was_done_and_warned_of() {
    let Some(driver) = driver() else { return };
    let label = label("summary");
    let created = driver
        .execute_query(
            format!("CREATE (a:{label} {{n: 1}})-[:R]->(b:{label}) RETURN a"),
            (),
        )
        .await
        .unwrap();
    let counters = created.summary.counters();
    assert_eq!(
        (counters.nodes_created(), counters.relationships_created()),
        (2, 1)
    );
    assert_eq!((counters.labels_added(), counters.properties_set()), (2, 1));
    assert!(counters.contains_updates());
    assert_eq!(created.summary.database(), Some("neo4j"));
    assert!(created.summary.server().agent().starts_with("Neo4j/"));
    assert!(created.summary.server().protocol_version() >= Version::new(5, 8));
    let warned = driver
        .execute_query("MATCH (n:NoSuchLabel_) RETURN n", ())
        .await
        .unwrap();
    let notifications = warned.summary.notifications();
    assert!(
        notifications.iter().any(|notification| {
            notification.code() == "Neo.ClientNotification.Statement.UnknownLabelWarning"
                && notification.raw_severity() == Some("WARNING")
                && notification.position().is_some()
        }),
        "{notifications:?}"
    );
    let profiled = driver
        .execute_query("PROFILE MATCH (n) RETURN count(n)", ())
        .await
        .unwrap();
    let profile = profiled.summary.profile().unwrap();
    assert!(!profile.operator_type().is_empty());
    assert_eq!(profile.rows(), 1);
    assert!(!profile.children().is_empty());
    assert_eq!(
        &**profiled.summary.query(),
        "PROFILE MATCH (n) RETURN count(n)"
    );
    let failed = driver.execute_query("RETURN oops", ()).await.unwrap_err();
    assert!(failed.gql_status().is_some(), "{failed}");
}

#[tokio::test]
async fn many_tasks_share_few_connections() {
    let Some(builder) = builder() else { return };
    let driver = builder.max_connection_pool_size(3).build().unwrap();
    let label = label("tasks");
    driver
        .execute_query(format!("CREATE (:{label} {{n: 0}})"), ())
        .await
        .unwrap();
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (driver, label) = (driver.clone(), label.clone());
            tokio::spawn(async move {
                for _ in 0..10 {
                    let statement = format!("MATCH (n:{label}) SET n.n = n.n + 1");
                    driver.execute_query(statement, ()).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let read = driver
        .execute_query(format!("MATCH (n:{label}) RETURN n.n"), ())
        .await
        .unwrap();
    assert_eq!(read.records[0].get_at::<i64>(0).unwrap(), 200);
}
