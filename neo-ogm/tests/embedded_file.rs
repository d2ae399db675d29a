//! The embedded engine on a file: what survives, and what is refused.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use neo_bolt::{AccessMode, AuthToken, Driver, SessionConfig, params};
use neo_ogm::embedded::{EmbeddedError, EmbeddedServer};

/// Set for the child process of the crash test: the file that it writes to.
const CHILD: &str = "NEO_OGM_TEST_CRASH_FILE";

struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("the engine and its files can be had");
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn driver(server: &EmbeddedServer) -> Driver {
    Driver::builder("bolt://embedded")
        .auth(AuthToken::none())
        .connector(Arc::new(server.clone()))
        .build()
        .expect("the address is right")
}

async fn count(driver: &Driver, text: &str) -> i64 {
    let found = driver
        .execute_query(text, params! {})
        .await
        .expect("the engine and its files can be had");
    found.records[0]
        .get_at(0)
        .expect("the engine and its files can be had")
}

/// Not a test of its own: the process that [`acknowledged_commits_survive_kill`] kills.
#[tokio::test]
async fn crash_child() {
    let Ok(file) = std::env::var(CHILD) else {
        return;
    };
    let driver = driver(&EmbeddedServer::open(file).unwrap());
    for number in 0.. {
        driver
            .execute_query(
                "MERGE (n:N {k: $k}) SET n.at = date('2024-01-01')",
                params! { "k" => number },
            )
            .await
            .unwrap();
        // Only now does the parent count on it.
        let mut out = std::io::stderr();
        writeln!(out, "committed {number}").unwrap();
        out.flush().unwrap();
    }
}

#[tokio::test]
async fn acknowledged_commits_survive_kill() {
    let directory = Directory::new("crash");
    let file = directory.file("graph.db");
    let server = EmbeddedServer::open(&file).unwrap();
    driver(&server)
        .execute_query(
            "CREATE CONSTRAINT n FOR (n:N) REQUIRE n.k IS UNIQUE",
            params! {},
        )
        .await
        .unwrap();
    drop(server);
    let mut known = 0;
    for round in 0..3 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash_child", "--nocapture"])
            .env(CHILD, &file)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        for _ in 0..(20 + 17 * round) {
            let line = lines.next().unwrap().unwrap();
            if let Some(number) = line.strip_prefix("committed ") {
                known = known.max(number.parse::<i64>().unwrap());
            }
        }
        // SIGKILL on Unix.
        child.kill().unwrap();
        for line in lines.map_while(Result::ok) {
            if let Some(number) = line.strip_prefix("committed ") {
                known = known.max(number.parse::<i64>().unwrap());
            }
        }
        child.wait().unwrap();
        let server = EmbeddedServer::open(&file).unwrap();
        let driver = driver(&server);
        let text = format!("MATCH (n:N) WHERE n.k <= {known} RETURN count(n)");
        assert_eq!(count(&driver, &text).await, known + 1, "round {round}");
        // The rule is there as well, and so is its index.
        assert!(
            driver
                .execute_query("CREATE (:N {k: 0})", params! {})
                .await
                .is_err()
        );
    }
    assert!(known >= 19, "{known}");
}

#[tokio::test]
async fn files_that_are_something_else_are_refused_and_left_alone() {
    let directory = Directory::new("foreign");
    let file = directory.file("graph.db");
    for bytes in [&b"a letter"[..], &[0xFF; 8192]] {
        std::fs::write(&file, bytes).unwrap();
        let error = EmbeddedServer::open(&file).unwrap_err();
        assert!(
            matches!(error, EmbeddedError::NotADatabase { .. }),
            "{error}"
        );
        assert_eq!(std::fs::read(&file).unwrap(), bytes);
    }
    assert!(matches!(
        EmbeddedServer::open(&directory.0).unwrap_err(),
        EmbeddedError::Io { .. }
    ));
    let nowhere = directory.file("no/such/graph.db");
    assert!(matches!(
        EmbeddedServer::open(nowhere).unwrap_err(),
        EmbeddedError::Io { .. }
    ));

    let file = directory.file("cut.db");
    let server = EmbeddedServer::open(&file).unwrap();
    driver(&server)
        .execute_query(
            "UNWIND range(1, 2000) AS x CREATE (:N {k: x, t: 'a text of some length'})",
            params! {},
        )
        .await
        .unwrap();
    drop(server);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let error = EmbeddedServer::open(&file).unwrap_err();
    assert!(matches!(error, EmbeddedError::Truncated { .. }), "{error}");
    assert_eq!(
        std::fs::metadata(&file).unwrap().len(),
        whole.len() as u64 / 2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_go_on_while_one_writes_and_writers_take_turns() {
    let directory = Directory::new("turns");
    for server in [
        EmbeddedServer::in_memory().unwrap(),
        EmbeddedServer::open(directory.file("graph.db")).unwrap(),
    ] {
        let driver = driver(&server);
        driver
            .execute_query("CREATE (:N {v: 1})", params! {})
            .await
            .unwrap();
        let mut session = driver.session(SessionConfig::default());
        let tx = session.begin_transaction().await.unwrap();
        tx.run("MATCH (n:N) SET n.v = 2", params! {})
            .await
            .unwrap()
            .consume()
            .await
            .unwrap();
        // Not committed, so not seen; and the reader does not wait.
        let reading = driver
            .execute_query("MATCH (n:N) RETURN n.v", params! {})
            .routing(AccessMode::Read);
        let found = tokio::time::timeout(Duration::from_secs(2), reading.into_future())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found.records[0].get_at::<i64>(0).unwrap(), 1);
        // A second writer waits for the first.
        let other = driver.clone();
        let waiting = tokio::spawn(async move {
            other
                .execute_query("MATCH (n:N) SET n.v = n.v + 10", params! {})
                .await
        });
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!waiting.is_finished());
        tx.commit().await.unwrap();
        waiting.await.unwrap().unwrap();
        assert_eq!(count(&driver, "MATCH (n:N) RETURN n.v").await, 12);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_frees_the_turn() {
    let server = EmbeddedServer::in_memory().unwrap();
    let driver = driver(&server);
    let mut session = driver.session(SessionConfig::default());
    let tx = session.begin_transaction().await.unwrap();
    tx.run("CREATE (:N)", params! {})
        .await
        .unwrap()
        .consume()
        .await
        .unwrap();
    drop(tx);
    drop(session);
    driver
        .execute_query("CREATE (:M)", params! {})
        .await
        .unwrap();
    assert_eq!(count(&driver, "MATCH (n) RETURN count(n)").await, 1);
}
