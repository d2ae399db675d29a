//! Graph handles of embedded databases: the same driver over streams within the process.

use std::path::Path;
use std::sync::Arc;

use neo_bolt::Driver;
use tokio::net::ToSocketAddrs;

use super::{EmbeddedServer, Serving};
use crate::error::{Error, ErrorKind};
use crate::executor::Graph;

/// The address that stands for this process in messages; nothing looks it up.
const URI: &str = "bolt://embedded";

impl Graph {
    /// An empty graph in this process that is gone with its last handle: for a first run and for
    /// tests.
    ///
    /// # Errors
    /// The directory for temporary files can't be written.
    pub async fn in_memory() -> Result<Self, Error> {
        Self::open(EmbeddedServer::in_memory).await
    }

    /// The graph in a file, which is made where there is none. Acknowledged commits survive the
    /// death of the process.
    ///
    /// # Errors
    /// The file is something else, cut short, damaged, locked by another process, or can't be
    /// made; it is left as it was.
    pub async fn embedded(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref().to_owned();
        Self::open(move || EmbeddedServer::open(path)).await
    }

    async fn open<F>(open: F) -> Result<Self, Error>
    where
        F: FnOnce() -> Result<EmbeddedServer, super::EmbeddedError> + Send + 'static,
    {
        // Opening reads and checks the file, which may take a while.
        let opened = tokio::task::spawn_blocking(open).await;
        let server = opened
            .map_err(|error| Error::new(ErrorKind::Embedded(error.to_string())))?
            .map_err(|error| Error::new(ErrorKind::Embedded(error.to_string())))?;
        let connector = Arc::new(server.clone());
        let driver = Driver::builder(URI).connector(connector).build()?;
        driver.verify_connectivity().await?;
        Ok(Self::of_engine(driver, server))
    }

    /// Lets any Bolt client look into an embedded graph over TCP, until the answer is dropped:
    /// `graph.serve("127.0.0.1:7687")`. There is no login, so mind who can reach the address.
    ///
    /// # Errors
    /// The address can't be listened on, or the graph is not an embedded one.
    pub async fn serve(&self, address: impl ToSocketAddrs) -> Result<Serving, Error> {
        let server = self.engine().ok_or_else(|| {
            let text = format!("{self} is a server already; only embedded graphs are served");
            Error::new(ErrorKind::Embedded(text))
        })?;
        server.serve(address).await.map_err(|error| {
            let text = format!("the address can't be served: {error}; choose another port");
            Error::new(ErrorKind::Embedded(text))
        })
    }
}
