//! What `#[neo_ogm::test]` turns into.

use std::env;
use std::future::Future;
use std::time::Duration;

use neo_bolt::AuthToken;

use super::isolated;
use crate::executor::Graph;
use crate::schema::Schema;

/// How long indexes may take to be there before a test.
const ONLINE: Duration = Duration::from_secs(60);

/// What a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// The server that `NEO4J_TEST_URI` names, or else the embedded engine.
    Either,
    /// The embedded engine.
    Embedded,
    /// The server that `NEO4J_TEST_URI` names.
    Server,
}

/// Runs a test with a graph of its own, in a Tokio runtime of its own; what
/// [`#[neo_ogm::test]`](crate::test) calls.
///
/// # Panics
/// The test panics, or there is no such database.
pub fn run<T, F, Fut>(on: On, schema: Option<Schema>, test: F) -> T
where
    F: FnOnce(Graph) -> Fut,
    Fut: Future<Output = T>,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap_or_else(|error| panic!("no runtime for the test: {error}"));
    let uri = env::var("NEO4J_TEST_URI")
        .ok()
        .filter(|uri| !uri.is_empty());
    let prepared = async |graph: Graph| {
        if let Some(schema) = schema {
            let applied = graph
                .apply(schema)
                .skip_unsupported()
                .await_online(ONLINE)
                .await;
            applied.unwrap_or_else(|error| panic!("the schema of the test: {error}"));
        }
        test(graph).await
    };
    runtime.block_on(async {
        match (on, uri) {
            (On::Either | On::Server, Some(uri)) => {
                let graph = server(&uri).await;
                let done = isolated(&graph, prepared).await;
                graph.close().await;
                done.unwrap_or_else(|error| {
                    panic!("what the test left behind could not be deleted: {error}")
                })
            }
            (On::Either | On::Embedded, _) => prepared(embedded().await).await,
            (On::Server, None) => panic!(
                "this test runs on a server: set NEO4J_TEST_URI, and NEO4J_TEST_USER and \
                 NEO4J_TEST_PASSWORD"
            ),
        }
    })
}

async fn server(uri: &str) -> Graph {
    let auth = match env::var("NEO4J_TEST_PASSWORD") {
        Ok(password) => {
            let user = env::var("NEO4J_TEST_USER").unwrap_or_else(|_| "neo4j".to_owned());
            AuthToken::basic(user, password)
        }
        Err(_) => AuthToken::none(),
    };
    let graph = Graph::connect(uri, auth)
        .await
        .unwrap_or_else(|error| panic!("the server of NEO4J_TEST_URI, {uri}: {error}"));
    match env::var("NEO4J_TEST_DATABASE") {
        Ok(database) => graph.with_database(database),
        Err(_) => graph,
    }
}

#[cfg(feature = "embedded")]
async fn embedded() -> Graph {
    Graph::in_memory()
        .await
        .unwrap_or_else(|error| panic!("the embedded engine: {error}"))
}

#[cfg(not(feature = "embedded"))]
async fn embedded() -> Graph {
    panic!(
        "this test needs a database: set NEO4J_TEST_URI, or switch the feature `embedded` of \
         neo-ogm on"
    )
}
