//! One statement as a retried transaction, of whose result something is made while it comes.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use super::ExecuteQuery;
use crate::config::{AccessMode, SessionConfig, TransactionConfig};
use crate::error::Error;
use crate::packstream::ToBolt;
use crate::protocol::Api;
use crate::result::RecordStream;
use crate::session::Session;

/// A statement with a result transformer; made by [`ExecuteQuery::transform`].
#[must_use = "nothing is sent before `.await`"]
pub struct Transform<'p, P, F> {
    query: ExecuteQuery<'p, P>,
    transformer: F,
}

impl<P, F> fmt::Debug for Transform<'_, P, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transform")
            .field("query", &self.query)
            .finish_non_exhaustive()
    }
}

impl<'p, P, F> Transform<'p, P, F> {
    pub(super) fn new(query: ExecuteQuery<'p, P>, transformer: F) -> Self {
        Self { query, transformer }
    }
}

impl<'p, P, T, E, F, Fut> IntoFuture for Transform<'p, P, F>
where
    P: ToBolt + Send + Sync + 'p,
    F: Fn(RecordStream) -> Fut + Send + Sync + 'p,
    Fut: Future<Output = Result<T, E>> + Send + 'p,
    T: Send + 'p,
    E: From<Error> + Send + 'p,
{
    type Output = Result<T, E>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'p>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(run(self.query, self.transformer))
    }
}

async fn run<P, T, E, F, Fut>(query: ExecuteQuery<'_, P>, transformer: F) -> Result<T, E>
where
    P: ToBolt + Send + Sync,
    F: Fn(RecordStream) -> Fut + Send + Sync,
    Fut: Future<Output = Result<T, E>> + Send,
    T: Send,
    E: From<Error> + Send,
{
    let mode = if query.begin.read {
        AccessMode::Read
    } else {
        AccessMode::Write
    };
    let config = TransactionConfig {
        timeout: query.begin.timeout,
        metadata: query.begin.metadata,
        idempotent: query.idempotent,
        exactly_once: Some(query.exactly_once.is_some()),
    };
    let session = SessionConfig {
        database: query.begin.database,
        impersonated_user: query.begin.impersonated_user,
        bookmark_manager: query.manager,
        auth: query.auth,
        // Nothing is lost by it: the work begins with the statement.
        pipelined_begin: true,
        ..SessionConfig::default()
    };
    let mut session = Session::new(query.driver, session);
    let (statement, parameters) = (&query.statement, &query.parameters);
    let transformer = &transformer;
    session
        .managed(mode, config, Api::ExecuteQuery, move |tx| async move {
            let link = tx.link;
            let (stream, keys) = link.run(statement, parameters).await?;
            transformer(RecordStream::new(Arc::clone(&link), stream, keys)).await
        })
        .await
}
