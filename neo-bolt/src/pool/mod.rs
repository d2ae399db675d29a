//! Connections kept for later: so many for each server, handed out in the order of asking.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Config;
use crate::connection::{Address, Connection, Opening, open};
use crate::error::{Error, ErrorKind};
use crate::protocol::Wanted;

/// How long closing takes at most, however many connections there are.
const GOODBYE_LIMIT: Duration = Duration::from_secs(2);

/// The pool of one driver.
pub(crate) struct Pool {
    opening: Opening,
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
    /// Somebody speaks Bolt there, or did once.
    spoke_bolt: AtomicBool,
}

/// A connection in use. Dropping it gives it back, and whatever was going on at the server is
/// stopped.
pub(crate) struct Lease {
    connection: Option<Box<Connection>>,
    server: Arc<Server>,
    pool: Weak<Pool>,
    _permit: OwnedSemaphorePermit,
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.connection.fmt(f)
    }
}

impl Pool {
    pub(crate) fn new(opening: Opening, config: Config) -> Arc<Self> {
        let (servers, closed) = (Mutex::default(), AtomicBool::new(false));
        Arc::new(Self {
            opening,
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
    pub(crate) async fn acquire(self: &Arc<Self>, address: &Address) -> Result<Lease, Error> {
        let limit = self.config.connection_acquisition_timeout;
        let acquired = tokio::time::timeout(limit, self.acquire_in_turn(address)).await;
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

    async fn acquire_in_turn(self: &Arc<Self>, address: &Address) -> Result<Lease, Error> {
        self.check_open()?;
        let server = self.server(address);
        let permit = Arc::clone(&server.permits)
            .acquire_owned()
            .await
            .map_err(|_| closed())?;
        let connection = loop {
            self.check_open()?;
            let idle = self.take_idle(&server);
            match idle {
                None => break Box::new(self.open(&server, address).await?),
                Some(mut idle) => {
                    if self.is_fresh(&mut idle).await {
                        break idle;
                    }
                    tracing::debug!(address = %address, "a pooled connection was closed");
                }
            }
        };
        server.in_use.fetch_add(1, Ordering::Relaxed);
        let pool = Arc::downgrade(self);
        Ok(Lease {
            connection: Some(connection),
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

    async fn open(&self, server: &Server, address: &Address) -> Result<Connection, Error> {
        match open(&self.opening, address).await {
            Ok(connection) => {
                server.spoke_bolt.store(true, Ordering::Relaxed);
                Ok(connection)
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
    /// question to the server is asked only where the liveness check says so.
    async fn is_fresh(&self, connection: &mut Connection) -> bool {
        if connection.age() >= self.config.max_connection_lifetime || connection.is_closed() {
            return false;
        }
        match self.config.liveness_check_timeout {
            Some(limit) if connection.idle_time() >= limit => {
                let alive = async {
                    connection.machine().reset()?;
                    connection.drive(Wanted::Idle).await
                };
                let alive = tokio::time::timeout(self.config.connection_timeout, alive).await;
                matches!(alive, Ok(Ok(())))
            }
            _ => true,
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

    pub(crate) fn acquisition_timeout(&self) -> Duration {
        self.config.connection_acquisition_timeout
    }

    pub(crate) fn connection_timeout(&self) -> Duration {
        self.config.connection_timeout
    }
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
        if connection.recycle() {
            connection.touch();
            let mut idle = self
                .server
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            // Looked at under the lock that closing takes after it has said so.
            if !pool.closed.load(Ordering::Acquire) {
                idle.push(connection);
            }
        }
    }
}
