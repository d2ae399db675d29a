//! Asks routers for routing tables.

use tokio::time::Instant;

use super::Purpose;
use super::table::RoutingTable;
use crate::connection::Address;
use crate::error::{Error, ErrorKind};
use crate::pool::{Lease, Pool};
use crate::protocol::{Begin, Wanted};
use crate::result::collect;
use crate::value::{Map, Value};

use std::sync::Arc;

/// Asks one router.
pub(super) async fn ask(
    pool: &Arc<Pool>,
    router: &Address,
    purpose: &Purpose,
    context: &Map,
) -> Result<RoutingTable, Error> {
    let mut lease = pool.acquire(router, purpose.wish()).await?;
    let limit = pool.connection_timeout();
    let asked = tokio::time::timeout(limit, exchange(&mut lease, purpose, context)).await;
    let answer = asked.unwrap_or_else(|_| {
        Err(Error::new(
            ErrorKind::ServiceUnavailable,
            format!("{router} did not send a routing table within {limit:?}"),
        ))
    });
    match answer {
        Ok(answer) => RoutingTable::parse(&answer, purpose.database.as_ref(), Instant::now()),
        Err(error) => {
            let auth = lease.connection()?.auth().clone();
            if error.is_expired_login() {
                pool.forget_logins(router);
            }
            Err(pool.refused(purpose.auth.as_ref(), &auth, error).await)
        }
    }
}

/// The map with `ttl`, `servers` and maybe `db`.
async fn exchange(lease: &mut Lease, purpose: &Purpose, context: &Map) -> Result<Map, Error> {
    let connection = lease.connection()?;
    let version = connection.machine().version();
    if let Some(user) = &purpose.impersonated_user
        && !version.has_impersonation()
    {
        return Err(Error::new(
            ErrorKind::Configuration,
            format!(
                "a server of Bolt {version} has no impersonation, so nothing can be run as \
                 {user:?}; that takes Bolt 4.4 (Neo4j 4.4) or later"
            ),
        ));
    }
    if !version.has_route() {
        return call(lease, purpose, context).await;
    }
    connection.machine().route(
        context,
        &purpose.bookmarks,
        purpose.database.as_deref(),
        purpose.impersonated_user.as_deref(),
    )?;
    connection.drive(Wanted::Idle).await?;
    if let Some(failure) = connection.machine().failure() {
        return Err(failure.again());
    }
    let mut answer = match connection.machine().answer() {
        Some(answer) => answer.map()?,
        None => Map::new(),
    };
    match answer.remove("rt") {
        Some(Value::Map(table)) => Ok(table),
        _ => Err(Error::new(
            ErrorKind::Protocol,
            format!("{} sent no routing table", connection.address()),
        )),
    }
}

/// Before Bolt 4.3 the table is the result of a procedure, which has another name before 4.0.
async fn call(lease: &mut Lease, purpose: &Purpose, context: &Map) -> Result<Map, Error> {
    let connection = lease.connection()?;
    let version = connection.machine().version();
    let mut begin = Begin {
        read: true,
        ..Begin::default()
    };
    let mut parameters = crate::params! { "context" => context.clone() };
    let statement = if !version.has_databases() {
        if purpose.database.is_some() {
            return Err(Error::new(
                ErrorKind::Configuration,
                format!(
                    "a server of Bolt {version} has no databases to choose from; that takes Bolt \
                     4.0 (Neo4j 4.0) or later"
                ),
            ));
        }
        "CALL dbms.cluster.routing.getRoutingTable($context)"
    } else {
        begin.database = Some("system".into());
        begin.bookmarks = purpose.bookmarks.clone();
        match &purpose.database {
            None => "CALL dbms.routing.getRoutingTable($context)",
            Some(database) => {
                parameters.insert("database".to_owned(), database.as_ref().into());
                "CALL dbms.routing.getRoutingTable($context, $database)"
            }
        }
    };
    let stream = connection
        .machine()
        .run(&statement.into(), &parameters, Some(&begin))?;
    connection.machine().pull(stream, -1)?;
    connection.drive(Wanted::Idle).await?;
    let result = collect(lease, stream)?;
    match result.records.first() {
        Some(record) => record.data(),
        None => Err(Error::new(
            ErrorKind::Protocol,
            "a router sent no routing table",
        )),
    }
}

/// Whether every router would say the same: a refused login, a database that is not there.
pub(super) fn is_final(error: &Error) -> bool {
    if error.kind() == ErrorKind::Server || error.is_security() {
        return error.code().is_some_and(|code| {
            matches!(
                code,
                "Neo.ClientError.Database.DatabaseNotFound"
                    | "Neo.ClientError.Transaction.InvalidBookmark"
                    | "Neo.ClientError.Transaction.InvalidBookmarkMixture"
                    | "Neo.ClientError.Statement.TypeError"
                    | "Neo.ClientError.Statement.ArgumentError"
                    | "Neo.ClientError.Request.Invalid"
            ) || (error.is_security() && code != "Neo.ClientError.Security.AuthorizationExpired")
        });
    }
    matches!(
        error.kind(),
        ErrorKind::Configuration | ErrorKind::Usage | ErrorKind::Callback | ErrorKind::Encode
    )
}
