//! Connections kept for later: so many for each server, handed out in the order of asking.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::auth::{AuthToken, Logins};
use crate::config::Config;
use crate::connection::{Address, Census, Connection, Opening, open};
use crate::error::{Error, ErrorKind};
use crate::protocol::Wanted;

/// How long closing takes at most, however many connections there are.
const GOODBYE_LIMIT: Duration = Duration::from_secs(2);

/// The pool of one driver.
pub(crate) struct Pool {
    opening: Opening,
    logins: Logins,
    config: Config,
    servers: Mutex<HashMap<Address, Arc<Server>>>,
    closed: AtomicBool,
}

/// What there is of one server.
struct Server {
    /// One for each connection that may be in use; it queues those who wait, first come first.
    permits: Arc<Semaphore>,
    /// The last used is at the end, and is the first to be used again. Boxed, since connections
    /// are handed from owner to owner.
    #[allow(clippy::vec_box)] // they come and go as they are, without being moved
    idle: Mutex<Vec<Box<Connection>>>,
    in_use: AtomicUsize,
    /// Connections that were opened before this last rose must log in anew.
    epoch: AtomicU64,
    /// Somebody speaks Bolt there, or did once.
    spoke_bolt: AtomicBool,
}

/// A connection in use. Dropping it gives it back, and whatever was going on at the server is
/// stopped.
pub(crate) struct Lease {
    connection: Option<Box<Connection>>,
    is_new: bool,
    server: Arc<Server>,
    pool: Weak<Pool>,
    _permit: OwnedSemaphorePermit,
}

/// How an idle connection was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Idle {
    Fresh,
    /// Closed, or too old.
    Over,
    /// Nobody answers at the other end, and nobody has closed it.
    Silent,
}

/// What kind of connection is wanted.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wish<'a> {
    /// The login; the driver's unless told.
    pub(crate) auth: Option<&'a AuthToken>,
    /// The server must have answered just before.
    pub(crate) checked: bool,
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.connection.fmt(f)
    }
}

impl Pool {
    pub(crate) fn new(opening: Opening, logins: Logins, config: Config) -> Arc<Self> {
        let (servers, closed) = (Mutex::default(), AtomicBool::new(false));
        Arc::new(Self {
            opening,
            logins,
            config,
            servers,
            closed,
        })
    }

    fn server(&self, address: &Address) -> Arc<Server> {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = servers.get(address) {
            return Arc::clone(server);
        }
        let server = Arc::new(Server {
            permits: Arc::new(Semaphore::new(self.config.max_connection_pool_size)),
            idle: Mutex::default(),
            in_use: AtomicUsize::new(0),
            epoch: AtomicU64::new(0),
            spoke_bolt: AtomicBool::new(false),
        });
        servers.insert(address.clone(), Arc::clone(&server));
        server
    }

    /// How many connections to `address` are in use.
    pub(crate) fn in_use(&self, address: &Address) -> usize {
        let servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        servers
            .get(address)
            .map_or(0, |server| server.in_use.load(Ordering::Relaxed))
    }

    /// A connection to `address`: one that is there, or a new one, or one that becomes free.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the place in the queue, or what was opened.
    pub(crate) async fn acquire(
        self: &Arc<Self>,
        address: &Address,
        wish: Wish<'_>,
    ) -> Result<Lease, Error> {
        let limit = self.config.connection_acquisition_timeout;
        let acquired = tokio::time::timeout(limit, self.acquire_in_turn(address, wish)).await;
        acquired.unwrap_or_else(|_| Err(self.timed_out(address)))
    }

    fn timed_out(&self, address: &Address) -> Error {
        let limit = self.config.connection_acquisition_timeout;
        let (in_use, size) = (self.in_use(address), self.config.max_connection_pool_size);
        let why = if in_use < size {
            "check that a Neo4j server listens there"
        } else {
            "raise max_connection_pool_size, or look for results and transactions that are kept \
             open"
        };
        Error::new(
            ErrorKind::AcquisitionTimeout,
            format!(
                "no connection to {address} was to be had within the acquisition timeout of \
                 {limit:?}; {in_use} of {size} are in use: {why}"
            ),
        )
    }

    async fn acquire_in_turn(
        self: &Arc<Self>,
        address: &Address,
        wish: Wish<'_>,
    ) -> Result<Lease, Error> {
        self.check_open()?;
        let own = wish.auth.is_some();
        let server = self.server(address);
        let permit = Arc::clone(&server.permits)
            .acquire_owned()
            .await
            .map_err(|_| closed())?;
        let mut auth = match wish.auth {
            Some(auth) => auth.clone(),
            None => self.logins.current().await?,
        };
        let (connection, is_new) = loop {
            self.check_open()?;
            let Some(mut idle) = self.take_idle(&server) else {
                let new = self.open(&server, address, &auth, own).await?;
                break (Box::new(new), true);
            };
            let epoch = server.epoch.load(Ordering::Acquire);
            let is_logged_in = idle.epoch() >= epoch;
            let state = self.look_at(&mut idle, wish.checked).await;
            if state != Idle::Fresh {
                tracing::debug!(%address, "a pooled connection was closed");
                if state == Idle::Silent {
                    // The way to the server is cut, or was; to wait for each of the others in
                    // turn would take all the time that there is.
                    self.forget(address);
                }
            } else if is_logged_in && *idle.auth() == auth {
                break (idle, false);
            } else if idle.takes_other_logins() {
                idle.log_on_anew(&auth)?;
                idle.set_epoch(epoch);
                break (idle, false);
            } else if own && is_logged_in {
                let error = no_other_logins(&mut idle);
                self.put_back(&server, idle);
                return Err(error);
            } else {
                tracing::debug!(%address, "a pooled connection with an old login was closed");
                if wish.auth.is_none() {
                    // Each connection is logged in with what is given for it.
                    auth = self.logins.current().await?;
                }
            }
        };
        server.in_use.fetch_add(1, Ordering::Relaxed);
        let pool = Arc::downgrade(self);
        Ok(Lease {
            connection: Some(connection),
            is_new,
            server,
            pool,
            _permit: permit,
        })
    }

    /// An idle connection: rather one that the server is done with, the last used first. One that
    /// is not is waited for only where no other may be opened.
    fn take_idle(&self, server: &Server) -> Option<Box<Connection>> {
        let mut idle = server.idle.lock().unwrap_or_else(PoisonError::into_inner);
        for index in (0..idle.len()).rev() {
            // A look at the socket shows whether it has been let go meanwhile.
            if idle[index].is_stopping() && idle[index].is_closed() {
                idle.remove(index);
            } else if !idle[index].is_stopping() {
                return Some(idle.remove(index));
            }
        }
        let size = self.config.max_connection_pool_size;
        let in_use = size.saturating_sub(server.permits.available_permits());
        if in_use + idle.len() > size {
            idle.pop()
        } else {
            None
        }
    }

    /// Opens a connection; `own` where `auth` is not the driver's.
    async fn open(
        &self,
        server: &Server,
        address: &Address,
        auth: &AuthToken,
        own: bool,
    ) -> Result<Connection, Error> {
        let epoch = server.epoch.load(Ordering::Acquire);
        match open(&self.opening, address, auth).await {
            Ok(mut connection) => {
                server.spoke_bolt.store(true, Ordering::Relaxed);
                connection.set_epoch(epoch);
                if own && !connection.takes_other_logins() {
                    let error = no_other_logins(&mut connection);
                    Box::new(connection).close().await;
                    return Err(error);
                }
                Ok(connection)
            }
            Err(error) if error.is_security() && !own => {
                Err(self.logins.refused(auth, error).await)
            }
            // Where nobody ever spoke Bolt, a connection that is cut in the handshake means that
            // the port or the scheme is wrong. Where somebody did, the server is going or coming.
            Err(error)
                if matches!(error.kind(), ErrorKind::NotBolt | ErrorKind::Tls)
                    && was_cut(&error)
                    && server.spoke_bolt.load(Ordering::Relaxed) =>
            {
                Err(Error::new(ErrorKind::ServiceUnavailable, error.message()).with_source(error))
            }
            Err(error) => Err(error),
        }
    }

    fn check_open(&self) -> Result<(), Error> {
        if self.closed.load(Ordering::Acquire) {
            Err(closed())
        } else {
            Ok(())
        }
    }

    /// Whether an idle connection can be used. A look at the socket costs no round trip; a
    /// question to the server is asked only where the liveness check says so. Behind a failure, the
    /// answer to the RESET is waited for: servers close connections behind some of them.
    async fn look_at(&self, connection: &mut Connection, checked: bool) -> Idle {
        if connection.age() >= self.config.max_connection_lifetime || connection.is_closed() {
            return Idle::Over;
        }
        let limit = if checked {
            Some(Duration::ZERO)
        } else {
            self.config.liveness_check_timeout
        };
        let is_asked = limit.is_some_and(|limit| connection.idle_time() >= limit);
        if is_asked && connection.machine().reset().is_err() {
            return Idle::Over;
        }
        if !is_asked && !connection.is_recovering() {
            return Idle::Fresh;
        }
        let alive = connection.drive(Wanted::Idle);
        match tokio::time::timeout(self.config.connection_timeout, alive).await {
            Ok(Ok(())) => Idle::Fresh,
            Ok(Err(_)) if !connection.was_silent() => Idle::Over,
            _ => Idle::Silent,
        }
    }

    /// Closes idle connections now, and those in use when they come back. Whoever waits for one
    /// is told.
    pub(crate) async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let deadline = tokio::time::Instant::now() + GOODBYE_LIMIT;
        let servers: Vec<_> = {
            let servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
            servers.values().cloned().collect()
        };
        for server in servers {
            server.permits.close();
            let idle = {
                let mut idle = server.idle.lock().unwrap_or_else(PoisonError::into_inner);
                std::mem::take(&mut *idle)
            };
            for connection in idle {
                // Those that are left are closed without a word.
                let _ = tokio::time::timeout_at(deadline, connection.close()).await;
            }
        }
    }

    /// Closes the idle connections to a server that is gone.
    pub(crate) fn forget(&self, address: &Address) {
        let servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = servers.get(address) {
            server
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clear();
        }
    }

    /// The server takes the logins of all its connections no more: none is used again before it
    /// has logged in anew.
    pub(crate) fn forget_logins(&self, address: &Address) {
        let servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = servers.get(address) {
            server.epoch.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn put_back(&self, server: &Server, mut connection: Box<Connection>) {
        connection.touch();
        let mut idle = server.idle.lock().unwrap_or_else(PoisonError::into_inner);
        // Looked at under the lock that closing takes after it has said so.
        if !self.closed.load(Ordering::Acquire) {
            idle.push(connection);
        }
    }

    /// Closes the idle connections to servers that are not among `named`.
    pub(crate) fn forget_others(&self, named: &[Address]) {
        let servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        for (address, server) in servers.iter() {
            if !named.contains(address) {
                server
                    .idle
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .clear();
            }
        }
    }

    /// Tells whoever gives out logins that the server has refused one of the driver's own.
    pub(crate) async fn refused(
        &self,
        own: Option<&AuthToken>,
        auth: &AuthToken,
        error: Error,
    ) -> Error {
        if own.is_some() || !error.is_security() {
            return error;
        }
        self.logins.refused(auth, error).await
    }

    /// What there is of each server.
    pub(crate) fn metrics(&self) -> Vec<ConnectionPoolMetrics> {
        let servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut metrics: Vec<_> = servers
            .iter()
            .map(|(address, server)| ConnectionPoolMetrics {
                address: address.clone(),
                in_use: server.in_use.load(Ordering::Relaxed),
                idle: server
                    .idle
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .len(),
            })
            .collect();
        metrics.sort_by(|a, b| a.address.cmp(&b.address));
        metrics
    }

    pub(crate) fn logins(&self) -> &Logins {
        &self.logins
    }

    pub(crate) fn census(&self) -> &Census {
        &self.opening.census
    }

    pub(crate) fn connection_timeout(&self) -> Duration {
        self.config.connection_timeout
    }
}

/// How many connections to a server a driver has; see
/// [`Driver::connection_pool_metrics`](crate::Driver::connection_pool_metrics).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionPoolMetrics {
    /// The server.
    pub address: Address,
    /// Connections that something runs on.
    pub in_use: usize,
    /// Connections that are kept for later.
    pub idle: usize,
}

/// What is said where a server is too old for it.
pub(crate) fn no_other_logins(connection: &mut Connection) -> Error {
    let version = connection.machine().version();
    Error::new(
        ErrorKind::Configuration,
        format!(
            "a session can't have a login of its own with a server of Bolt {version}; that takes              Bolt 5.1 (Neo4j 5.5) or later"
        ),
    )
}

fn closed() -> Error {
    Error::new(ErrorKind::Usage, "the driver was closed; make another")
}

/// Whether the stream broke, rather than said something else than Bolt.
fn was_cut(error: &Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref());
    source.is_some_and(|error: &std::io::Error| {
        use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
        matches!(
            error.kind(),
            UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe
        )
    })
}

impl Lease {
    /// Whether the connection was opened for this lease.
    pub(crate) fn is_new(&self) -> bool {
        self.is_new
    }

    /// The connection; it is there for as long as the lease is.
    pub(crate) fn connection(&mut self) -> Result<&mut Connection, Error> {
        self.connection
            .as_deref_mut()
            .ok_or_else(|| Error::new(ErrorKind::Usage, "the connection was given back"))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.server.in_use.fetch_sub(1, Ordering::Relaxed);
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        let Some(pool) = self.pool.upgrade() else {
            return;
        };
        let is_logged_in = connection.epoch() >= self.server.epoch.load(Ordering::Acquire);
        if (is_logged_in || connection.takes_other_logins()) && connection.recycle() {
            pool.put_back(&self.server, connection);
        }
    }
}
