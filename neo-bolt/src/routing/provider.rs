//! Finds a connection for a transaction: to the one server of a `bolt` URI, or to a member of
//! the cluster behind a `neo4j` URI.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::discovery::{ask, is_final};
use super::home::HomeDatabases;
use super::table::RoutingTable;
use crate::auth::AuthToken;
use crate::bookmark::Bookmarks;
use crate::callback::failed;
use crate::config::AccessMode;
use crate::connection::Address;
use crate::error::{Error, ErrorKind};
use crate::pool::{Lease, Pool, Wish};
use crate::resolver::Resolver;
use crate::value::Map;

/// What a connection is wanted for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Purpose {
    pub(crate) mode: AccessMode,
    pub(crate) database: Option<Arc<str>>,
    pub(crate) impersonated_user: Option<Arc<str>>,
    pub(crate) auth: Option<AuthToken>,
    pub(crate) bookmarks: Bookmarks,
    /// The server must have answered just before.
    pub(crate) checked: bool,
}

impl Purpose {
    pub(super) fn wish(&self) -> Wish<'_> {
        Wish {
            auth: self.auth.as_ref(),
            checked: self.checked,
        }
    }
}

/// A connection, and what was found out on the way.
pub(crate) struct Acquired {
    pub(crate) lease: Lease,
    /// The user's home database, where a router named it: requests must name it, too.
    pub(crate) home: Option<Arc<str>>,
}

impl Acquired {
    fn plain(lease: Lease) -> Self {
        Self { lease, home: None }
    }
}

/// A question to routers that went without an answer.
struct Unanswered {
    asked: u64,
    database: Option<Arc<str>>,
    error: Error,
}

/// See the module's description.
pub(crate) struct Provider {
    pool: Arc<Pool>,
    seed: Address,
    /// For `neo4j` URIs, what routers are told.
    routing: Option<Map>,
    resolver: Option<Arc<dyn Resolver>>,
    /// By database; the one without a name is that of servers which don't tell home databases.
    tables: Mutex<HashMap<Option<Arc<str>>, RoutingTable>>,
    homes: HomeDatabases,
    /// One task asks for a table; the others wait for its answer.
    asking: tokio::sync::Mutex<()>,
    questions: AtomicU64,
    /// Which question was the last to go without an answer, and why: whoever has waited for it
    /// need not ask again.
    unanswered: Mutex<Option<Unanswered>>,
    turn: AtomicUsize,
}

impl Provider {
    pub(crate) fn new(
        pool: Arc<Pool>,
        seed: Address,
        routing: Option<Map>,
        resolver: Option<Arc<dyn Resolver>>,
    ) -> Self {
        Self {
            pool,
            seed,
            routing,
            resolver,
            tables: Mutex::default(),
            homes: HomeDatabases::default(),
            asking: tokio::sync::Mutex::default(),
            questions: AtomicU64::new(0),
            unanswered: Mutex::default(),
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

    fn tables(&self) -> MutexGuard<'_, HashMap<Option<Arc<str>>, RoutingTable>> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection for `purpose`. Each connection on the way, to routers and to members, is had
    /// within the acquisition timeout, and each routing table within the connection timeout.
    ///
    /// # Cancel safety
    /// As [`Pool::acquire`].
    pub(crate) async fn acquire(&self, purpose: &Purpose) -> Result<Acquired, Error> {
        let Some(routing) = &self.routing else {
            return self.acquire_direct(purpose).await.map(Acquired::plain);
        };
        self.acquire_routed(purpose, routing).await
    }

    /// A connection to the one server, wherever it is.
    async fn acquire_direct(&self, purpose: &Purpose) -> Result<Lease, Error> {
        if self.resolver.is_none() {
            return self.pool.acquire(&self.seed, purpose.wish()).await;
        }
        let mut last = None;
        for address in self.seeds().await? {
            match self.pool.acquire(&address, purpose.wish()).await {
                Err(error) if error.kind() == ErrorKind::ServiceUnavailable => last = Some(error),
                acquired => return acquired,
            }
        }
        Err(last.unwrap_or_else(|| {
            Error::new(
                ErrorKind::ServiceUnavailable,
                format!("the resolver knows no address for {}", self.seed),
            )
        }))
    }

    async fn acquire_routed(&self, purpose: &Purpose, routing: &Map) -> Result<Acquired, Error> {
        if purpose.database.is_some() {
            let table = self.table(purpose, routing).await?;
            let lease = self.acquire_member(purpose, &table).await?;
            return Ok(Acquired::plain(lease));
        }
        if self.pool.census().all_route_by_themselves()
            && let Some(guess) = self.homes.get(purpose)
        {
            let purpose = Purpose {
                database: Some(guess),
                ..purpose.clone()
            };
            let table = self.table(&purpose, routing).await?;
            let mut lease = self.acquire_member(&purpose, &table).await?;
            if lease.connection()?.routes_by_itself() {
                return Ok(Acquired::plain(lease));
            }
        }
        let table = self.resolve_home(purpose, routing).await?;
        let lease = self.acquire_member(purpose, &table).await?;
        Ok(Acquired {
            lease,
            home: table.database,
        })
    }

    async fn acquire_member(
        &self,
        purpose: &Purpose,
        table: &RoutingTable,
    ) -> Result<Lease, Error> {
        // Each member is tried once; whom a router still names after that is its own mistake.
        let mut members = table.servers(purpose.mode).to_vec();
        let mut last = None;
        while let Some(address) = self.choose(&members) {
            match self.pool.acquire(&address, purpose.wish()).await {
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

    /// The table of `purpose`'s database, asked for where it is not known or has run out.
    async fn table(&self, purpose: &Purpose, routing: &Map) -> Result<RoutingTable, Error> {
        if let Some(table) = self.known(&purpose.database, purpose.mode) {
            return Ok(table);
        }
        let asked = self.questions.load(Ordering::Acquire) + 1;
        let _only = self.asking.lock().await;
        if let Some(table) = self.known(&purpose.database, purpose.mode) {
            return Ok(table);
        }
        self.check_unanswered(purpose, asked)?;
        self.ask_all(purpose, routing).await
    }

    /// The table of the user's home database, from a router. It is not named where routers don't
    /// tell.
    async fn resolve_home(&self, purpose: &Purpose, routing: &Map) -> Result<RoutingTable, Error> {
        let asked = self.questions.load(Ordering::Acquire) + 1;
        let _only = self.asking.lock().await;
        // An answer to a question that was asked after this began is as good.
        if let Some(home) = self.homes.get_since(purpose, asked)
            && let Some(table) = self.known(&home.into(), purpose.mode)
        {
            return Ok(table);
        }
        if let Some(table) = self.known(&None, purpose.mode) {
            return Ok(table);
        }
        self.check_unanswered(purpose, asked)?;
        self.ask_all(purpose, routing).await
    }

    fn known(&self, database: &Option<Arc<str>>, mode: AccessMode) -> Option<RoutingTable> {
        self.tables()
            .get(database)
            .filter(|table| table.is_fresh(mode, Instant::now()))
            .cloned()
    }

    /// Fails as the question `asked` or a later one has.
    fn check_unanswered(&self, purpose: &Purpose, asked: u64) -> Result<(), Error> {
        let unanswered = self.unanswered.lock();
        match &*unanswered.unwrap_or_else(PoisonError::into_inner) {
            Some(last) if last.asked >= asked && last.database == purpose.database => {
                Err(last.error.again())
            }
            _ => Ok(()),
        }
    }

    /// Asks one router after another. To be called by one task at a time.
    async fn ask_all(&self, purpose: &Purpose, routing: &Map) -> Result<RoutingTable, Error> {
        let asked = self.questions.fetch_add(1, Ordering::AcqRel) + 1;
        let answer = self.ask_in_turn(purpose, routing, asked).await;
        if let Err(error) = &answer {
            let failed = Unanswered {
                asked,
                database: purpose.database.clone(),
                error: error.again(),
            };
            let mut unanswered = self
                .unanswered
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            *unanswered = Some(failed);
        }
        answer
    }

    async fn ask_in_turn(
        &self,
        purpose: &Purpose,
        routing: &Map,
        asked: u64,
    ) -> Result<RoutingTable, Error> {
        let (routers, seed_first) = {
            let tables = self.tables();
            match tables.get(&purpose.database) {
                // Who routes for one database knows of the others, too.
                None => {
                    let others = tables.values().flat_map(|table| table.routers.clone());
                    (others.collect(), true)
                }
                Some(table) => (table.routers.clone(), table.came_without_writers),
            }
        };
        let mut last = None;
        let mut done: Vec<Address> = Vec::new();
        for part in [seed_first, !seed_first] {
            let asked_now = if part {
                self.seeds().await?
            } else {
                routers.clone()
            };
            for router in asked_now {
                if done.contains(&router) {
                    continue;
                }
                done.push(router.clone());
                match ask(&self.pool, &router, purpose, routing).await {
                    Ok(table) => {
                        tracing::debug!(%router, database = ?table.database, "a new routing table");
                        self.keep(&table, purpose, asked);
                        return Ok(table);
                    }
                    Err(error) if is_final(&error) => return Err(error),
                    Err(error) => {
                        tracing::debug!(%router, %error, "a router sent no table");
                        // A router that says something has not gone, unless it says so.
                        if !matches!(error.kind(), ErrorKind::Server | ErrorKind::Protocol) {
                            self.gone(&router);
                        }
                        self.learn(&error, &router, purpose.database.as_ref());
                        last = Some(error);
                    }
                }
            }
        }
        Err(self.no_router(last))
    }

    fn no_router(&self, last: Option<Error>) -> Error {
        match last {
            // What is wrong with the only address that there is.
            Some(error) if !matches!(error.kind(), ErrorKind::Server | ErrorKind::Protocol) => error,
            Some(error) => Error::new(
                ErrorKind::ServiceUnavailable,
                format!(
                    "no router of the cluster behind {} sent a routing table; the last said: {error}",
                    self.seed
                ),
            )
            .with_source(error),
            None => Error::new(
                ErrorKind::ServiceUnavailable,
                format!("there is no router of the cluster behind {}", self.seed),
            ),
        }
    }

    /// What the first address stands for.
    async fn seeds(&self) -> Result<Vec<Address>, Error> {
        let Some(resolver) = &self.resolver else {
            return Ok(vec![self.seed.clone()]);
        };
        let resolved = resolver.resolve(&self.seed).await;
        resolved.map_err(|error| failed("the resolver", error))
    }

    fn keep(&self, table: &RoutingTable, purpose: &Purpose, asked: u64) {
        if let (None, Some(home)) = (&purpose.database, &table.database) {
            self.homes.set(purpose, home, asked);
        }
        let mut tables = self.tables();
        // Those of databases that are not asked for any more go.
        let now = Instant::now();
        tables.retain(|_, known| known.is_of_use(now));
        tables.insert(table.database.clone(), table.clone());
        // A server that nobody names any more is not kept in touch with.
        let named: Vec<Address> = tables
            .values()
            .flat_map(|table| table.members().cloned())
            .collect();
        drop(tables);
        self.pool.forget_others(&named);
    }

    /// A server has told in which database it ran what named none.
    pub(crate) fn learn_home(&self, purpose: &Purpose, database: &Arc<str>) {
        let asked = self.questions.load(Ordering::Acquire);
        self.homes.set(purpose, database, asked);
    }

    /// What is known of a database's members; of the home database where none is named.
    pub(crate) fn routing_table(&self, database: Option<Arc<str>>) -> Option<RoutingTable> {
        let home = Purpose::default();
        let database = database.or_else(|| self.homes.get(&home));
        self.tables().get(&database).cloned()
    }

    /// Asks for a table though there may be one.
    pub(crate) async fn update_routing_table(&self, purpose: &Purpose) -> Result<(), Error> {
        let Some(routing) = &self.routing else {
            return Ok(());
        };
        let _only = self.asking.lock().await;
        self.ask_all(purpose, routing).await.map(|_| ())
    }

    /// Learns from a failure on a connection to `address`, which was used for `database`.
    pub(crate) fn learn(&self, error: &Error, address: &Address, database: Option<&Arc<str>>) {
        match (error.kind(), error.code()) {
            (ErrorKind::ServiceUnavailable | ErrorKind::SessionExpired, _) => self.gone(address),
            (_, Some("Neo.TransientError.General.DatabaseUnavailable")) => self.gone(address),
            // Its other connections are of the same login.
            _ if error.is_expired_login() => self.pool.forget_logins(address),
            (
                _,
                Some(
                    "Neo.ClientError.Cluster.NotALeader"
                    | "Neo.ClientError.General.ForbiddenOnReadOnlyDatabase",
                ),
            ) => {
                // It may well lead other databases.
                let mut tables = self.tables();
                match tables.get_mut(&database.cloned()) {
                    Some(table) => table.demote(address),
                    None => tables.values_mut().for_each(|table| table.demote(address)),
                }
            }
            _ => {}
        }
    }

    fn gone(&self, address: &Address) {
        self.pool.forget(address);
        let mut tables = self.tables();
        tables.values_mut().for_each(|table| table.remove(address));
    }
}
