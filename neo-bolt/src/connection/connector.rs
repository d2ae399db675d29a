//! How a byte stream to an address is made.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use socket2::TcpKeepalive;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::Address;

/// A byte stream in both directions.
pub trait AsyncStream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> AsyncStream for S {}

/// Any byte stream.
pub type BoxedStream = Box<dyn AsyncStream>;

/// Makes byte streams to servers: TCP unless a driver is given another, such as an in-process
/// server or a proxy.
pub trait Connector: Send + Sync + 'static {
    /// Opens a stream to `address`.
    ///
    /// # Errors
    /// Nobody listens there, or the network is in the way.
    fn connect<'a>(
        &'a self,
        address: &'a Address,
    ) -> Pin<Box<dyn Future<Output = io::Result<BoxedStream>> + Send + 'a>>;
}

/// TCP, with small packets sent at once and dead peers found out by keep-alive.
#[derive(Debug)]
pub(crate) struct TcpConnector {
    pub(crate) keep_alive: bool,
}

impl Connector for TcpConnector {
    fn connect<'a>(
        &'a self,
        address: &'a Address,
    ) -> Pin<Box<dyn Future<Output = io::Result<BoxedStream>> + Send + 'a>> {
        Box::pin(async move {
            let stream = TcpStream::connect((address.host(), address.port())).await?;
            // Without this, each pair of small messages waits for a delayed acknowledgement.
            stream.set_nodelay(true)?;
            if self.keep_alive {
                find_out_when_dead(&stream)?;
            }
            Ok(Box::new(stream) as BoxedStream)
        })
    }
}

/// Lets the system notice within a minute that the peer's machine is gone, whether something was
/// sent to it or not; by itself that takes it a quarter of an hour, or for ever.
fn find_out_when_dead(stream: &TcpStream) -> io::Result<()> {
    let socket = socket2::SockRef::from(stream);
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(30))
        .with_interval(Duration::from_secs(10));
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(any(target_os = "android", target_os = "linux"))]
    socket.set_tcp_user_timeout(Some(Duration::from_secs(60)))?;
    Ok(())
}
