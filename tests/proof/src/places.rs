//! The servers that the programmes run on.

use std::env;
use std::time::Duration;

use neo_ogm::neo_bolt::RetryPolicy;
use neo_ogm::prelude::*;
use neo_test_support::neo4j::{self, Line, Server};

use crate::context::Failure;

/// A real server, and how to log in.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// Such as `Neo4j/5.26.30`.
    pub(crate) version: String,
    uri: String,
    user: String,
    password: String,
}

impl Place {
    /// `HOST:PORT`, for a proxy.
    pub(crate) fn address(&self) -> &str {
        let rest = self.uri.split_once("://");
        rest.map_or(self.uri.as_str(), |(_, rest)| rest)
    }

    fn auth(&self) -> Auth {
        Auth::basic(self.user.as_str(), self.password.as_str())
    }

    /// The graph, with the waits of every user.
    pub(crate) async fn graph(&self) -> Result<Graph, neo_ogm::Error> {
        Graph::connect(&self.uri, self.auth()).await
    }

    /// The graph through another address, with short waits between attempts.
    pub(crate) async fn through(&self, uri: &str) -> Result<Graph, neo_ogm::Error> {
        self.built(uri, |driver| driver).await
    }

    /// As [`through`](Self::through), with more options of the driver.
    pub(crate) async fn built(
        &self,
        uri: &str,
        change: impl FnOnce(neo_bolt::DriverBuilder) -> neo_bolt::DriverBuilder,
    ) -> Result<Graph, neo_ogm::Error> {
        let quick = RetryPolicy {
            initial_delay: Duration::from_millis(5),
            ..RetryPolicy::default()
        };
        Graph::builder(uri)
            .auth(self.auth())
            .driver(|driver| change(driver.retry_policy(quick)))
            .connect()
            .await
    }

    async fn open(uri: &str, user: &str, password: &str) -> Result<Self, Failure> {
        let mut place = Self {
            version: String::new(),
            uri: uri.to_owned(),
            user: user.to_owned(),
            password: password.to_owned(),
        };
        let graph = place.graph().await?;
        let info = graph.driver().server_info().await?;
        info.agent().clone_into(&mut place.version);
        crate::model::schema(&graph).await?;
        graph.close().await;
        Ok(place)
    }
}

/// The servers at `uris`, or the one of `NEO4J_URI`, or both lines, started here.
pub(crate) async fn of(uris: &[String]) -> Result<Vec<Place>, Failure> {
    let set = |name, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
    let mut places = Vec::new();
    for uri in uris {
        let (user, password) = (set("NEO4J_USER", "neo4j"), set("NEO4J_PASSWORD", ""));
        places.push(Place::open(uri, &user, &password).await?);
    }
    if !places.is_empty() {
        return Ok(places);
    }
    let external = env::var_os("NEO4J_URI").is_some();
    let lines = if external {
        &Line::ALL[..1]
    } else {
        &Line::ALL[..]
    };
    for line in lines {
        let server: &'static Server =
            match tokio::task::spawn_blocking(|| neo4j::shared(*line)).await? {
                Ok(server) => server,
                Err(error) if error.is_fatal() => return Err(error.into()),
                Err(error) => {
                    eprintln!("proof: without Neo4j {}: {error}", line.version());
                    continue;
                }
            };
        places.push(Place::open(server.uri(), server.user(), server.password()).await?);
    }
    Ok(places)
}
