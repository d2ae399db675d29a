//! The database on a TCP port, for any Bolt client.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::task::{JoinHandle, JoinSet};

use super::EmbeddedServer;

impl EmbeddedServer {
    /// Lets Bolt clients in on a TCP address until the returned value is dropped.
    ///
    /// There are no users and no passwords: whoever reaches the address may do everything. Name
    /// a loopback address unless that is what you want.
    ///
    /// # Errors
    /// The address can't be listened on.
    ///
    /// # Cancel safety
    /// Dropping the future before it is done leaves nothing behind.
    pub async fn serve(&self, address: impl ToSocketAddrs) -> io::Result<Serving> {
        let listener = TcpListener::bind(address).await?;
        let local_addr = listener.local_addr()?;
        let server = self.clone();
        let task = tokio::spawn(accept(server, listener));
        Ok(Serving { local_addr, task })
    }
}

async fn accept(server: EmbeddedServer, listener: TcpListener) {
    // Its connections end with it.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(serve_one(server.clone(), stream, peer));
                }
                Err(error) => {
                    // Out of file descriptors, most likely: wait for some to be given back.
                    tracing::warn!(%error, "no connection could be accepted");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve_one(server: EmbeddedServer, stream: TcpStream, peer: SocketAddr) {
    // Without this, each pair of small messages waits for a delayed acknowledgement.
    let served = match stream.set_nodelay(true) {
        Ok(()) => server.accept_stream(stream).await,
        Err(error) => Err(error.into()),
    };
    if let Err(error) = served {
        tracing::debug!(%error, %peer, "a connection ended");
    }
}

/// A database that listens; it stops when this is dropped.
#[derive(Debug)]
#[must_use = "the server stops when this is dropped"]
pub struct Serving {
    local_addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Serving {
    /// The address listened on; the port is the one chosen, where 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The URI that clients connect to: `bolt://127.0.0.1:7687`. Where every address of the machine
    /// is listened on, name the one by which others reach it.
    pub fn uri(&self) -> String {
        format!("bolt://{}", self.local_addr)
    }

    /// Stops listening and closes the connections; what they had open is rolled back.
    ///
    /// # Cancel safety
    /// The server stops even when the future is dropped.
    pub async fn shutdown(mut self) {
        self.task.abort();
        // It was told to end; how it did is no news.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}
