//! Finds a connection for a transaction: to the one server of a `bolt` URI, or to a member of
//! the cluster behind a `neo4j` URI.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use super::table::Table;
use crate::bookmark::Bookmarks;
use crate::config::AccessMode;
use crate::connection::Address;
use crate::error::{Error, ErrorKind};
use crate::pool::{Lease, Pool};
use crate::protocol::Wanted;
use crate::value::Map;

/// What a connection is wanted for.
#[derive(Debug, Clone)]
pub(crate) struct Purpose {
    pub(crate) mode: AccessMode,
    pub(crate) database: Option<Arc<str>>,
    pub(crate) impersonated_user: Option<Arc<str>>,
    pub(crate) bookmarks: Bookmarks,
}

/// Which database's table, as seen by whom.
type Key = (Option<Arc<str>>, Option<Arc<str>>);

/// See the module's description.
pub(crate) struct Provider {
    pool: Arc<Pool>,
    seed: Address,
    /// For `neo4j` URIs, what routers are told.
    routing: Option<Map>,
    tables: Mutex<HashMap<Key, Table>>,
    /// One task asks for a table; the others wait for its answer.
    asking: tokio::sync::Mutex<()>,
    turn: AtomicUsize,
}

impl Provider {
    pub(crate) fn new(pool: Arc<Pool>, seed: Address, routing: Option<Map>) -> Self {
        let (tables, asking) = (Mutex::default(), tokio::sync::Mutex::default());
        Self {
            pool,
            seed,
            routing,
            tables,
            asking,
            turn: AtomicUsize::new(0),
        }
    }

    pub(crate) fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    pub(crate) fn seed(&self) -> &Address {
        &self.seed
    }

    pub(crate) fn is_routed(&self) -> bool {
        self.routing.is_some()
    }

    /// A connection for `purpose`, within the acquisition timeout.
    ///
    /// # Cancel safety
    /// As [`Pool::acquire`].
    pub(crate) async fn acquire(&self, purpose: &Purpose) -> Result<Lease, Error> {
        let Some(routing) = &self.routing else {
            return self.pool.acquire(&self.seed).await;
        };
        let limit = self.pool.acquisition_timeout();
        let acquired = tokio::time::timeout(limit, self.acquire_routed(purpose, routing)).await;
        acquired.unwrap_or_else(|_| {
            Err(Error::new(
                ErrorKind::AcquisitionTimeout,
                format!(
                    "no connection to a member of the cluster behind {} was to be had within the \
                     acquisition timeout of {limit:?}",
                    self.seed
                ),
            ))
        })
    }

    async fn acquire_routed(&self, purpose: &Purpose, routing: &Map) -> Result<Lease, Error> {
        let table = self.table(purpose, routing).await?;
        // Each member is tried once; whom a router still names after that is its own mistake.
        let mut members = table.servers(purpose.mode).to_vec();
        let mut last = None;
        while let Some(address) = self.choose(&members) {
            match self.pool.acquire(&address).await {
                Err(error) if error.kind() == ErrorKind::ServiceUnavailable => {
                    tracing::debug!(%address, %error, "a member of the cluster is gone");
                    self.gone(&address);
                    members.retain(|member| *member != address);
                    last = Some(error);
                }
                acquired => return acquired,
            }
        }
        let what = match purpose.mode {
            AccessMode::Read => "reads",
            AccessMode::Write => "writes",
        };
        let nobody = format!(
            "the cluster behind {} has nobody who {what} right now",
            self.seed
        );
        Err(match last {
            None => Error::new(ErrorKind::SessionExpired, nobody),
            Some(error) => Error::new(
                ErrorKind::SessionExpired,
                format!("{nobody}: {}", error.message()),
            )
            .with_source(error),
        })
    }

    /// The member with the fewest connections in use; in turn where several have as few.
    fn choose(&self, servers: &[Address]) -> Option<Address> {
        let start = self.turn.fetch_add(1, Ordering::Relaxed);
        (0..servers.len())
            .filter_map(|offset| servers.get(start.wrapping_add(offset) % servers.len()))
            .min_by_key(|address| self.pool.in_use(address))
            .cloned()
    }

    async fn table(&self, purpose: &Purpose, routing: &Map) -> Result<Table, Error> {
        let key = (purpose.database.clone(), purpose.impersonated_user.clone());
        if let Some(table) = self.known(&key, purpose.mode) {
            return Ok(table);
        }
        let _only = self.asking.lock().await;
        if let Some(table) = self.known(&key, purpose.mode) {
            return Ok(table);
        }
        let mut routers = {
            let tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
            tables
                .get(&key)
                .map(|table| table.routers.clone())
                .unwrap_or_default()
        };
        if !routers.contains(&self.seed) {
            routers.push(self.seed.clone());
        }
        let mut last = None;
        for router in routers {
            match self.ask(&router, purpose, routing).await {
                Ok(table) => {
                    let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
                    // Those of users and databases that are not asked for any more go.
                    let now = Instant::now();
                    tables.retain(|_, known| known.is_of_use(now));
                    tables.insert(key, table.clone());
                    return Ok(table);
                }
                Err(error) if is_final(&error) => return Err(error),
                Err(error) => {
                    tracing::debug!(%router, %error, "a router sent no table");
                    last = Some(error);
                }
            }
        }
        Err(last.unwrap_or_else(|| {
            Error::new(
                ErrorKind::ServiceUnavailable,
                "no router of the cluster answers",
            )
        }))
    }

    fn known(&self, key: &Key, mode: AccessMode) -> Option<Table> {
        let tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables
            .get(key)
            .filter(|table| table.is_fresh(mode, Instant::now()))
            .cloned()
    }

    async fn ask(
        &self,
        router: &Address,
        purpose: &Purpose,
        routing: &Map,
    ) -> Result<Table, Error> {
        let mut lease = self.pool.acquire(router).await?;
        let connection = lease.connection()?;
        connection.machine().route(
            routing,
            &purpose.bookmarks,
            purpose.database.as_deref(),
            purpose.impersonated_user.as_deref(),
        )?;
        let limit = self.pool.connection_timeout();
        tokio::time::timeout(limit, connection.drive(Wanted::Idle))
            .await
            .map_err(|_| {
                Error::new(
                    ErrorKind::ServiceUnavailable,
                    format!("{router} did not send a routing table within {limit:?}"),
                )
            })??;
        if let Some(failure) = connection.machine().failure() {
            return Err(failure.again());
        }
        let answer = connection.machine().answer().ok_or_else(|| {
            Error::new(
                ErrorKind::Protocol,
                format!("{router} sent no routing table"),
            )
        })?;
        Table::parse(&answer.map()?, Instant::now())
    }

    /// Learns from a failure on a connection to `address`.
    pub(crate) fn learn(&self, error: &Error, address: &Address) {
        match (error.kind(), error.code()) {
            (ErrorKind::ServiceUnavailable | ErrorKind::SessionExpired, _) => self.gone(address),
            (_, Some("Neo.TransientError.General.DatabaseUnavailable")) => self.gone(address),
            // Its other connections are of the same login.
            _ if error.is_expired_login() => self.pool.forget(address),
            (
                _,
                Some(
                    "Neo.ClientError.Cluster.NotALeader"
                    | "Neo.ClientError.General.ForbiddenOnReadOnlyDatabase",
                ),
            ) => {
                let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
                tables.values_mut().for_each(|table| table.demote(address));
            }
            _ => {}
        }
    }

    fn gone(&self, address: &Address) {
        self.pool.forget(address);
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.values_mut().for_each(|table| table.remove(address));
    }
}

/// Whether every router would say the same: a refused login, a database that is not there.
fn is_final(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::ServiceUnavailable
        | ErrorKind::SessionExpired
        | ErrorKind::Protocol
        | ErrorKind::AcquisitionTimeout => false,
        ErrorKind::Server => error
            .code()
            .is_some_and(|code| code.starts_with("Neo.ClientError.") && !error.is_retryable()),
        _ => true,
    }
}
