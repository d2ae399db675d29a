//! One database that a test runs on.

use std::sync::OnceLock;
use std::time::Duration;

use neo_ogm::executor::GraphBuilder;
use neo_ogm::neo_bolt::RetryPolicy;
use neo_ogm::prelude::*;
use neo_test_support::neo4j::{Line, Server};
use tokio::sync::OnceCell;

use super::{Account, Author, Book, Edition, Everything, Holder, Label, Member, Passport, Team};

/// A database, and a name of this test's own on it.
#[derive(Debug)]
pub(crate) struct Backend {
    place: Place,
    /// Begins every key that the test makes, so that tests share a server without meeting.
    prefix: String,
    /// Where the embedded engine listens, once somebody asked.
    serving: OnceCell<neo_ogm::embedded::Serving>,
}

#[derive(Debug)]
enum Place {
    Embedded(Graph),
    Server(&'static Server),
}

impl Backend {
    fn new(place: Place) -> Self {
        let prefix = format!("{}-", Uuid::now_v7().simple());
        Self {
            place,
            prefix,
            serving: OnceCell::new(),
        }
    }

    /// A fresh embedded engine in memory, unless `NEO_TEST_BACKENDS` leaves it out.
    pub(crate) async fn embedded() -> Option<Self> {
        let wanted = backends()
            .await
            .iter()
            .any(|b| matches!(b, Found::Embedded));
        if !wanted {
            return None;
        }
        let graph = Graph::in_memory().await.expect("the embedded engine opens");
        apply_schema(&graph).await;
        Some(Self::new(Place::Embedded(graph)))
    }

    /// Neo4j 5.26, or the server that `NEO4J_URI` names; `None` where there is neither.
    pub(crate) async fn neo4j_5_26() -> Option<Self> {
        Self::neo4j(Line::V5_26).await
    }

    /// Neo4j 2026.08; `None` where it can't be started.
    pub(crate) async fn neo4j_2026_08() -> Option<Self> {
        Self::neo4j(Line::V2026_08).await
    }

    async fn neo4j(line: Line) -> Option<Self> {
        // A server from the environment has no line of its own, and is used once.
        let wanted = |server: &Server| server.line().unwrap_or(Line::V5_26) == line;
        let server = backends().await.iter().find_map(|backend| match backend {
            Found::Neo4j(server) if wanted(server) => Some(*server),
            _ => None,
        })?;
        static APPLIED: [OnceCell<()>; 2] = [OnceCell::const_new(), OnceCell::const_new()];
        let backend = Self::new(Place::Server(server));
        let applied = &APPLIED[usize::from(line == Line::V2026_08)];
        applied
            .get_or_init(|| async { apply_schema(&backend.graph().await).await })
            .await;
        Some(backend)
    }

    /// Whether it is the embedded engine.
    pub(crate) fn is_embedded(&self) -> bool {
        matches!(self.place, Place::Embedded(_))
    }

    /// Whether the server takes TLS, as those do that the tests start.
    pub(crate) fn has_tls(&self) -> bool {
        matches!(self.place, Place::Server(server) if server.certificate_pem().is_some())
    }

    /// The graph.
    ///
    /// # Panics
    /// When the server does not answer.
    pub(crate) async fn graph(&self) -> Graph {
        match &self.place {
            Place::Embedded(graph) => graph.clone(),
            Place::Server(server) => self
                .server_graph(server.uri(), RetryPolicy::default())
                .await
                .expect("the server answers"),
        }
    }

    /// The graph with short waits between attempts, for tests that make many of them.
    ///
    /// # Panics
    /// When the server does not answer.
    pub(crate) async fn quick_graph(&self) -> Graph {
        match &self.place {
            Place::Embedded(graph) => graph.clone(),
            Place::Server(server) => self
                .server_graph(server.uri(), quick())
                .await
                .expect("the server answers"),
        }
    }

    /// A graph on this backend's server, reached through another address, with short waits.
    ///
    /// # Errors
    /// Nobody answers there.
    pub(crate) async fn graph_through(&self, uri: &str) -> Result<Graph, neo_ogm::Error> {
        self.server_graph(uri, quick()).await
    }

    /// As [`graph_through`](Self::graph_through), without receipts.
    ///
    /// # Panics
    /// If the server does not answer.
    pub(crate) async fn graph_without_receipts(&self, uri: &str) -> Graph {
        let builder = self.builder(uri, quick()).exactly_once(false);
        builder.connect().await.expect("the server answers")
    }

    async fn server_graph(&self, uri: &str, retries: RetryPolicy) -> Result<Graph, neo_ogm::Error> {
        self.builder(uri, retries).connect().await
    }

    fn builder(&self, uri: &str, retries: RetryPolicy) -> GraphBuilder {
        let auth = match &self.place {
            Place::Embedded(_) => Auth::none(),
            Place::Server(server) => Auth::basic(server.user(), server.password()),
        };
        Graph::builder(uri)
            .auth(auth)
            .driver(|d| d.retry_policy(retries))
    }

    /// Where the server listens, as `HOST:PORT`; the embedded engine is made to listen.
    ///
    /// # Panics
    /// When no port is to be had.
    pub(crate) async fn address(&self) -> String {
        match &self.place {
            Place::Server(server) => server.address().to_owned(),
            Place::Embedded(graph) => {
                let serving = self
                    .serving
                    .get_or_init(|| async { graph.serve("127.0.0.1:0").await.expect("a port") });
                serving.await.local_addr().to_string()
            }
        }
    }

    /// URI, user and password of a server; the embedded engine has none.
    pub(crate) fn login(&self) -> Option<(&str, &str, &str)> {
        match &self.place {
            Place::Embedded(_) => None,
            Place::Server(server) => Some((server.uri(), server.user(), server.password())),
        }
    }

    /// The graph of the other line of Neo4j, where both are there.
    ///
    /// # Panics
    /// When that server does not answer.
    pub(crate) async fn other_line(&self) -> Option<Graph> {
        let Place::Server(server) = &self.place else {
            return None;
        };
        let line = server.line()?;
        let other = backends().await.iter().find_map(|backend| match backend {
            Found::Neo4j(other) if other.line().is_some_and(|of| of != line) => Some(*other),
            _ => None,
        })?;
        let auth = Auth::basic(other.user(), other.password());
        let graph = Graph::connect(other.uri(), auth).await;
        Some(graph.expect("the server answers"))
    }

    /// A key of this test's own.
    pub(crate) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

/// Waits that fit a test.
fn quick() -> RetryPolicy {
    RetryPolicy {
        initial_delay: Duration::from_millis(5),
        ..RetryPolicy::default()
    }
}

use neo_test_support::Backend as Found;

/// Starting servers blocks, so it has a thread of its own.
async fn backends() -> &'static [Found] {
    static BACKENDS: OnceLock<&'static [Found]> = OnceLock::new();
    if let Some(backends) = BACKENDS.get() {
        return backends;
    }
    let backends = tokio::task::spawn_blocking(neo_test_support::backends)
        .await
        .expect("the backends of this run can be had");
    BACKENDS.get_or_init(|| backends)
}

async fn apply_schema(graph: &Graph) {
    graph
        .apply_schema::<(
            Book,
            Author,
            Holder,
            Passport,
            Team,
            Member,
            Edition,
            Account,
            Label,
            Everything,
        )>()
        .await
        .expect("the schema can be applied");
}
