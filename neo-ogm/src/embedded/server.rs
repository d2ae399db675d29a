//! Opens a database file, or memory, and lets Bolt clients in.

use std::fmt;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use graphdblite::GraphError;
use neo_bolt::server::{ServeError, ServerConfig, serve_stream};
use neo_bolt::{Address, BoxedStream, Connector};
use tokio::io::{AsyncRead, AsyncWrite};

use super::graphdblite::GraphDbLite;
use super::schema::catalogue::Catalogue;
use super::session::{EmbeddedBackend, Shared};
use super::storage::{self, Scratch};

/// How many bytes wait in each direction of an in-memory connection.
const DUPLEX_BYTES: usize = 256 << 10;
/// SQLite's codes for a file that another process holds.
const SQLITE_BUSY: i32 = 5;
/// SQLite's code for a file that is none of its own.
const SQLITE_NOT_A_DATABASE: i32 = 26;
/// SQLite's code for a file that can't be opened.
const SQLITE_CANT_OPEN: i32 = 14;

/// Why a database can't be opened. The file is left as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// The file can't be read, written or made.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is something else.
    #[error(
        "{} is no database of the embedded engine: {reason}; name a file that it made, or one \
         that is not there yet", path.display()
    )]
    NotADatabase {
        /// The file.
        path: PathBuf,
        /// How that was seen.
        reason: String,
    },
    /// The end of the file is missing.
    #[error(
        "{} is cut short: it should have {expected} bytes and has {found}; restore it from a \
         copy", path.display()
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// How long it should be, in bytes.
        expected: u64,
        /// How long it is, in bytes.
        found: u64,
    },
    /// Another process holds the file.
    #[error("{} is locked by another process; close it there first", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The file's contents are damaged.
    #[error("{} is damaged: {reason}; restore it from a copy", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
}

/// An embedded database with a Bolt server on top: cheap to clone, closed with its last clone.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use neo_ogm::embedded::EmbeddedServer;
///
/// let server = EmbeddedServer::open("library.db")?;
/// let serving = server.serve("127.0.0.1:7687").await?;
/// println!("any Bolt client may look inside at {}", serving.uri());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct EmbeddedServer {
    inner: Arc<Inner>,
}

struct Inner {
    backend: EmbeddedBackend<GraphDbLite>,
    config: ServerConfig,
    description: String,
    // Dropped last: the handles above have files in it.
    _scratch: Option<Scratch>,
}

impl EmbeddedServer {
    /// Opens a database file, and makes it where there is none.
    ///
    /// Acknowledged commits survive the death of the process and of the machine.
    ///
    /// # Errors
    /// The file is no database of this engine, cut short, damaged, locked, or can't be made.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, EmbeddedError> {
        let path = path.as_ref();
        let description = format!("embedded engine, {}", path.display());
        Self::open_file(path, true, description, None)
    }

    /// Opens an empty database that is gone when its last user is.
    ///
    /// Its pages are kept in a private file in the directory for temporary files, never synced
    /// to a disk: that is what lets readers go on while one writes.
    ///
    /// # Errors
    /// The directory for temporary files can't be written.
    pub fn in_memory() -> Result<Self, EmbeddedError> {
        let scratch = Scratch::new()?;
        let path = scratch.file();
        Self::open_file(
            &path,
            false,
            "embedded engine, in memory".into(),
            Some(scratch),
        )
    }

    fn open_file(
        path: &Path,
        durable: bool,
        description: String,
        scratch: Option<Scratch>,
    ) -> Result<Self, EmbeddedError> {
        storage::check(path)?;
        let mut engine = GraphDbLite {
            path: path.to_owned(),
            database_id: "".into(),
            durable,
        };
        let first = engine
            .open_database()
            .map_err(|error| graph_error(path, error))?;
        let catalogue =
            Catalogue::open(path, durable).map_err(|error| sqlite_error(path, &error))?;
        drop(first);
        if let Some(reason) = catalogue
            .check()
            .map_err(|error| sqlite_error(path, &error))?
        {
            return Err(EmbeddedError::Damaged {
                path: path.to_owned(),
                reason,
            });
        }
        let database_id: Arc<str> = catalogue
            .database_id()
            .map_err(|error| sqlite_error(path, &error))?
            .into();
        engine.database_id = Arc::clone(&database_id);
        let shared = Shared::new(engine, catalogue, database_id).map_err(|failure| {
            EmbeddedError::Damaged {
                path: path.to_owned(),
                reason: failure.message,
            }
        })?;
        let shared = Arc::new(shared);
        Ok(Self {
            inner: Arc::new(Inner {
                backend: EmbeddedBackend(shared),
                config: ServerConfig::default(),
                description,
                _scratch: scratch,
            }),
        })
    }

    /// Serves one Bolt client on a stream until it leaves.
    ///
    /// # Errors
    /// The stream failed, or the client does not keep to the protocol.
    ///
    /// # Cancel safety
    /// Dropping the future closes the stream; what was open is rolled back.
    pub async fn accept_stream<S>(&self, stream: S) -> Result<(), ServeError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        serve_stream(stream, &self.inner.backend, &self.inner.config).await
    }

    /// A new connection to this database within the process. It must be called within a Tokio
    /// runtime, where the server's end of the connection runs as a task.
    pub fn connect_in_process(&self) -> tokio::io::DuplexStream {
        let (client, end) = tokio::io::duplex(DUPLEX_BYTES);
        let server = self.clone();
        tokio::spawn(async move {
            if let Err(error) = server.accept_stream(end).await {
                tracing::debug!(%error, "an in-process connection ended");
            }
        });
        client
    }
}

impl fmt::Display for EmbeddedServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.inner.description)
    }
}

impl fmt::Debug for EmbeddedServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmbeddedServer({self})")
    }
}

impl Connector for EmbeddedServer {
    /// Whatever the address, the way leads to this database.
    fn connect<'a>(
        &'a self,
        _address: &'a Address,
    ) -> Pin<Box<dyn Future<Output = io::Result<BoxedStream>> + Send + 'a>> {
        Box::pin(async move { Ok(Box::new(self.connect_in_process()) as BoxedStream) })
    }
}

fn graph_error(path: &Path, error: GraphError) -> EmbeddedError {
    match error {
        GraphError::Storage { source, .. } => sqlite_error(path, &source),
        other => EmbeddedError::Damaged {
            path: path.to_owned(),
            reason: other.to_string(),
        },
    }
}

fn sqlite_error(path: &Path, error: &rusqlite::Error) -> EmbeddedError {
    let path = path.to_owned();
    let code = error.sqlite_error().map(|error| error.extended_code & 0xFF);
    match code {
        Some(SQLITE_BUSY) => EmbeddedError::Locked { path },
        Some(SQLITE_NOT_A_DATABASE) => EmbeddedError::NotADatabase {
            path,
            reason: error.to_string(),
        },
        Some(SQLITE_CANT_OPEN) => EmbeddedError::Io {
            path,
            source: io::Error::other(error.to_string()),
        },
        _ => EmbeddedError::Damaged {
            path,
            reason: error.to_string(),
        },
    }
}
