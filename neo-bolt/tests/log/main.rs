//! What goes to the log, and what must not. A binary of its own, since the log is the process's.

#![allow(clippy::unwrap_used)] // a test that meets an error is to stop there

#[allow(dead_code)] // more than this test needs
#[path = "../driver/peer.rs"]
mod peer;

use std::fmt::{Debug, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use neo_bolt::{AuthToken, Error, SessionConfig, TransactionConfig, params};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::peer::{RUN, Server};

/// Writes down everything that is said, by every crate, at every level.
#[derive(Clone, Default)]
struct Log {
    said: Arc<Mutex<String>>,
    spans: Arc<AtomicU64>,
}

struct Line<'l>(&'l mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut said = self.said.lock().unwrap();
        let _ = write!(said, "span {}", span.metadata().name());
        span.record(&mut Line(&mut said));
        said.push('\n');
        Id::from_u64(self.spans.fetch_add(1, Ordering::SeqCst) + 1)
    }

    fn event(&self, event: &Event<'_>) {
        let mut said = self.said.lock().unwrap();
        said.push_str("event");
        event.record(&mut Line(&mut said));
        said.push('\n');
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

const PASSWORD: &str = "the-password-of-this-test";
const PARAMETER: &str = "a-parameter-of-this-test";
const METADATA: &str = "metadata-of-this-test";

#[tokio::test]
async fn queries_connections_and_retries_are_told_and_secrets_are_not() {
    let log = Log::default();
    let said = Arc::clone(&log.said);
    tracing::subscriber::set_global_default(log).unwrap();
    let server = Server::new(|mut peer| async move {
        peer.log_in().await;
        if peer.number == 0 {
            // Once something that another attempt mends.
            loop {
                match peer.receive().await {
                    Some(request) if request.tag == RUN => break,
                    Some(_) => peer.success(params! {}).await,
                    None => return,
                }
            }
            peer.failure("Neo.TransientError.Transaction.DeadlockDetected")
                .await;
            return;
        }
        peer.serve().await;
    });
    let auth = AuthToken::basic("neo4j", PASSWORD);
    let driver = server.builder().auth(auth.clone()).build().unwrap();
    let secret = || params! { "secret" => PARAMETER };
    driver
        .execute_query("2", secret())
        .database("films")
        .await
        .unwrap();
    let mut session = driver.session(SessionConfig::default().auth(auth.clone()));
    let config = TransactionConfig::default().metadata(params! { "who" => METADATA });
    session
        .execute_write_with(config, async |tx| {
            tx.execute("1", secret()).await?;
            tx.run("1", secret()).await?.consume().await?;
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
    session
        .run("3", secret())
        .await
        .unwrap()
        .consume()
        .await
        .unwrap();
    let refused = "Neo.ClientError.Statement.SyntaxError";
    let error = session.run(refused, secret()).await.unwrap_err();
    let shown = format!("{auth:?} {driver:?} {session:?} {error:?} {error}");
    driver.close().await;
    let nobody = Server::new(|_| async {});
    let unheard = nobody.builder().auth(auth).build().unwrap();
    unheard.execute_query("4", secret()).await.unwrap_err();

    let said = said.lock().unwrap().clone();
    for expected in [
        "span execute_query database=\"films\" read=false",
        "span transaction read=false",
        "message=connection opened",
        "address=peer:7687 statement=\"2\"",
        "statement=\"3\"",
        "a query is tried again",
        "DeadlockDetected",
        "a transaction is committed",
        "a connection could not be opened",
        "a connection is closed",
    ] {
        assert!(said.contains(expected), "{expected} is not in:\n{said}");
    }
    for secret in [PASSWORD, PARAMETER, METADATA] {
        assert!(!said.contains(secret), "{secret} is in:\n{said}");
        assert!(!shown.contains(secret), "{secret} is in {shown}");
    }
}
