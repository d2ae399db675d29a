//! A connection: a byte stream and the machine that speaks over it.

mod address;
mod census;
mod connector;
mod open;
#[cfg(feature = "tls")]
mod tls;
mod uri;
mod waiters;

pub use address::{Address, ParseAddressError};
pub use connector::{AsyncStream, BoxedStream, Connector};

pub(crate) use census::{Census, Enumerated};
pub(crate) use connector::TcpConnector;
pub(crate) use open::{Opening, open};
#[cfg(feature = "tls")]
pub use tls::{ClientCertificate, ClientCertificateProvider, RotatingClientCertificate};

#[cfg(feature = "tls")]
pub(crate) use tls::Tls;
pub(crate) use uri::{Encryption, Target};
pub(crate) use waiters::Waiters;

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use crate::auth::AuthToken;
use crate::error::{Error, ErrorKind};
use crate::protocol::{Api, Machine, Wanted};

/// How much room a read offers at first, and at least.
const READ_SIZE: usize = 8 * 1024;
/// How much room a read offers at most: twice as much as the last whenever that was filled.
const MAX_READ_SIZE: usize = 128 * 1024;

/// An open connection. Whoever has it has it alone.
pub(crate) struct Connection {
    stream: BoxedStream,
    machine: Machine,
    address: Address,
    server_agent: Arc<str>,
    /// What the server calls the connection.
    id: Option<Arc<str>>,
    auth: AuthToken,
    /// The server wants to know which parts of the driver are used.
    wants_telemetry: bool,
    /// How many connections there are to servers that route by themselves, and to others.
    census: Option<Enumerated>,
    /// It has been opened to a member of a cluster.
    is_of_cluster: bool,
    /// Counts up for each server whenever its connections are all given up.
    epoch: u64,
    opened: Instant,
    idle_since: Instant,
    read_size: usize,
    /// How long the server may keep silent while an answer is due; its own hint.
    silence_limit: Option<Duration>,
    silence: Option<Pin<Box<Sleep>>>,
    /// It was given up because nothing came.
    was_silent: bool,
    /// How long the server may take for a RESET, which it does at once.
    reset_limit: Duration,
    waiters: Arc<Waiters>,
    /// Wakes all of `waiters`.
    waker: Waker,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("address", &self.address)
            .field("version", &self.machine.version())
            .finish_non_exhaustive()
    }
}

impl Connection {
    fn new(
        stream: BoxedStream,
        machine: Machine,
        address: Address,
        auth: AuthToken,
        reset_limit: Duration,
    ) -> Self {
        let now = Instant::now();
        let waiters = Arc::<Waiters>::default();
        Self {
            stream,
            machine,
            address,
            server_agent: "".into(),
            id: None,
            auth,
            wants_telemetry: false,
            census: None,
            is_of_cluster: false,
            epoch: 0,
            opened: now,
            idle_since: now,
            read_size: READ_SIZE,
            silence_limit: None,
            silence: None,
            was_silent: false,
            reset_limit,
            waker: Waker::from(Arc::clone(&waiters)),
            waiters,
        }
    }

    pub(crate) fn machine(&mut self) -> &mut Machine {
        &mut self.machine
    }

    pub(crate) fn machine_ref(&self) -> &Machine {
        &self.machine
    }

    /// The first failure since the last RESET.
    pub(crate) fn failure(&self) -> Option<&Error> {
        self.machine.failure()
    }

    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    pub(crate) fn server_agent(&self) -> &Arc<str> {
        &self.server_agent
    }

    /// What the server calls the connection.
    pub(crate) fn id(&self) -> Option<&Arc<str>> {
        self.id.as_ref()
    }

    /// The login that it has, or will have with the next answer.
    pub(crate) fn auth(&self) -> &AuthToken {
        &self.auth
    }

    /// Whether its login may be changed.
    pub(crate) fn takes_other_logins(&self) -> bool {
        self.machine.version().has_logon()
    }

    /// Changes the login, with the next request that leaves.
    pub(crate) fn log_on_anew(&mut self, auth: &AuthToken) -> Result<(), Error> {
        self.machine.log_on_anew(auth)?;
        self.auth = auth.clone();
        Ok(())
    }

    /// Tells the server which part of the driver is used, where it wants to know.
    pub(crate) fn tell_usage(&mut self, api: Option<Api>) -> Result<(), Error> {
        match api {
            Some(api) if self.wants_telemetry => self.machine.telemetry(api),
            _ => Ok(()),
        }
    }

    /// Whether the server passes on what another member of its cluster has to do.
    pub(crate) fn routes_by_itself(&self) -> bool {
        self.census
            .as_ref()
            .is_some_and(Enumerated::routes_by_itself)
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    pub(crate) fn set_epoch(&mut self, epoch: u64) {
        self.epoch = epoch;
    }

    pub(crate) fn age(&self) -> Duration {
        self.opened.elapsed()
    }

    pub(crate) fn idle_time(&self) -> Duration {
        self.idle_since.elapsed()
    }

    /// The server has not let go yet of what it was busy with for the last user.
    pub(crate) fn is_stopping(&self) -> bool {
        self.machine.is_stopping()
    }

    /// Whether the server goes on behind a failure is not known yet.
    pub(crate) fn is_recovering(&self) -> bool {
        self.machine.is_recovering()
    }

    /// It was given up because nothing came.
    pub(crate) fn was_silent(&self) -> bool {
        self.was_silent
    }

    /// Tells the log of a statement that is sent. Its parameters are nobody's business.
    pub(crate) fn log_statement(&self, statement: &str) {
        tracing::debug!(address = %self.address, statement, "a statement is sent");
    }

    pub(crate) fn touch(&mut self) {
        self.idle_since = Instant::now();
    }

    /// Sends what is queued and receives until the machine has come as far as is wanted.
    ///
    /// # Cancel safety
    /// Bytes are taken from the machine as they are sent, and only whole messages out of what
    /// was received, so it may be dropped and called again.
    pub(crate) async fn drive(&mut self, wanted: Wanted) -> Result<(), Error> {
        poll_fn(|cx| self.poll_drive(cx, wanted)).await
    }

    /// As [`drive`](Self::drive). Several tasks may wait for one connection in turn: what comes
    /// wakes all of them, whoever polled last.
    pub(crate) fn poll_drive(
        &mut self,
        cx: &mut Context<'_>,
        wanted: Wanted,
    ) -> Poll<Result<(), Error>> {
        self.waiters.add(cx.waker());
        let waker = self.waker.clone();
        let driven = ready!(self.poll_exchange(&mut Context::from_waker(&waker), wanted));
        self.waiters.remove(cx.waker());
        // A server that refuses something may close behind it; what it said is the reason.
        Poll::Ready(driven.map_err(|lost| match self.machine.failure() {
            Some(failure) => failure.again(),
            None => lost,
        }))
    }

    fn poll_exchange(&mut self, cx: &mut Context<'_>, wanted: Wanted) -> Poll<Result<(), Error>> {
        if self.machine.is_defunct() {
            return Poll::Ready(Err(self.lost("it had failed before")));
        }
        loop {
            let advanced = self.machine.advance(wanted);
            let reached = advanced.map_err(|error| match error.kind() {
                ErrorKind::Protocol => {
                    error.at(&format_args!("{} broke the Bolt protocol", self.address))
                }
                _ => error.at(&self.address),
            })?;
            // Sending and receiving go on side by side: a server that is busy sending may not
            // read, and must not be waited for. What is queued leaves also when nothing is
            // waited for.
            let sent = self.poll_send(cx);
            if reached {
                // What is wanted is there; a failure to send shows with the next request.
                return Poll::Ready(Ok(()));
            }
            if let Poll::Ready(Err(error)) = sent {
                // The server's last words may still be there to be read, and tell why.
                return match self.read_last_words(cx, wanted) {
                    true => Poll::Ready(Ok(())),
                    false => Poll::Ready(Err(error)),
                };
            }
            match self.poll_receive(cx) {
                Poll::Ready(received) => received?,
                Poll::Pending => {
                    let limit = ready!(self.poll_silence(cx));
                    let error = self.lost(&format!("it was silent for {limit:?}"));
                    self.was_silent = true;
                    // Closed at once, whoever keeps the transaction still: the server should know.
                    self.stream = Box::new(tokio::io::empty());
                    return Poll::Ready(Err(error));
                }
            }
        }
    }

    /// Takes what has arrived on a stream that sends no more. Whether that was what is wanted.
    fn read_last_words(&mut self, cx: &mut Context<'_>, wanted: Wanted) -> bool {
        while let Poll::Ready(Ok(())) = self.poll_receive(cx) {
            match self.machine.advance(wanted) {
                Ok(false) => {}
                Ok(true) => return true,
                Err(_) => return false,
            }
        }
        false
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let mut wrote = false;
        while !self.machine.outgoing().is_empty() {
            let sent = ready!(Pin::new(&mut self.stream).poll_write(cx, self.machine.outgoing()));
            match sent {
                Ok(0) => return Poll::Ready(Err(self.lost("it takes no more bytes"))),
                Ok(count) => self.machine.sent(count),
                Err(error) => return Poll::Ready(Err(self.lost_io(error))),
            }
            wrote = true;
        }
        if wrote || cfg!(feature = "tls") {
            // A TLS session may hold records back until it is flushed.
            let flushed = ready!(Pin::new(&mut self.stream).poll_flush(cx));
            flushed.map_err(|error| self.lost_io(error))?;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let incoming = self.machine.incoming();
        incoming.reserve(self.read_size);
        let before = incoming.len();
        let received = {
            let spare = tokio::io::AsyncReadExt::read_buf(&mut self.stream, incoming);
            let mut spare = std::pin::pin!(spare);
            ready!(spare.as_mut().poll(cx))
        };
        match received {
            Ok(0) => Poll::Ready(Err(self.lost("the server closed it"))),
            Ok(count) => {
                if count >= self.read_size {
                    self.read_size = (self.read_size * 2).min(MAX_READ_SIZE);
                }
                debug_assert!(self.machine.incoming().len() > before);
                self.silence = None;
                Poll::Ready(Ok(()))
            }
            Err(error) => Poll::Ready(Err(self.lost_io(error))),
        }
    }

    /// Ready when the server has been silent for too long, which it tells.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<Duration> {
        let limit = match (self.silence_limit, self.machine.reset_is_due()) {
            (limit, false) => limit,
            (limit, true) => Some(limit.unwrap_or(Duration::MAX).min(self.reset_limit)),
        };
        let Some(limit) = limit else {
            return Poll::Pending;
        };
        let sleep = self
            .silence
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        sleep.as_mut().poll(cx).map(|()| limit)
    }

    fn lost_io(&mut self, error: io::Error) -> Error {
        self.lost(&error.to_string()).with_source(error)
    }

    fn lost(&mut self, why: &str) -> Error {
        let commit = self.machine.commit_is_unanswered();
        self.machine.set_defunct();
        let message = format!("the connection to {} was lost: {why}", self.address);
        // Of a cluster it is one member that is gone.
        let kind = if self.is_of_cluster && !commit {
            ErrorKind::SessionExpired
        } else {
            ErrorKind::ServiceUnavailable
        };
        tracing::debug!(address = %self.address, why, "a connection was lost");
        let error = Error::new(kind, message);
        if commit {
            error.with_unknown_commit()
        } else {
            error
        }
    }

    /// Sends what is queued as far as the socket takes it, without waiting.
    pub(crate) fn send_now(&mut self) -> Result<(), Error> {
        match self.poll_send(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(sent) => sent,
            Poll::Pending => Ok(()),
        }
    }

    /// Whether the peer is known to have closed, without waiting for anything. Answers that were
    /// still due are taken on the way.
    pub(crate) fn is_closed(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        loop {
            if self.machine.is_defunct() {
                return true;
            }
            match self.poll_receive(&mut cx) {
                Poll::Pending => return false,
                Poll::Ready(Err(_)) => return true,
                Poll::Ready(Ok(())) => {
                    // What came must be an answer that is due.
                    if self.machine.advance(Wanted::Idle).is_err() || self.machine.spoke_unasked() {
                        return true;
                    }
                }
            }
        }
    }

    /// Makes the connection as new, without waiting: what goes on at the server is stopped by a
    /// RESET that leaves now, whose answer the next user takes. Whether that worked.
    pub(crate) fn recycle(&mut self) -> bool {
        self.waiters.clear();
        self.silence = None;
        if self.read_size > READ_SIZE {
            // What waits in the pool should be small.
            self.read_size = READ_SIZE;
            self.machine.give_back_room();
        }
        if self.machine.is_clean() {
            return true;
        }
        if self.machine.is_spent() || self.machine.reset().is_err() {
            return false;
        }
        let mut cx = Context::from_waker(Waker::noop());
        matches!(self.poll_send(&mut cx), Poll::Ready(Ok(())))
    }

    /// Says goodbye and closes. Waits for nothing that the peer might not do.
    pub(crate) async fn close(mut self: Box<Self>) {
        tracing::debug!(address = %self.address, "a connection is closed");
        let farewell = async {
            // A server that is still answering should find somebody who listens.
            if !self.machine.is_defunct() {
                let _ = self.drive(Wanted::Idle).await;
            }
            self.machine.goodbye();
            let _ = poll_fn(|cx| self.poll_send(cx)).await;
            let _ = tokio::io::AsyncWriteExt::shutdown(&mut self.stream).await;
        };
        // Whether it was heard makes no difference to anybody.
        let _ = tokio::time::timeout(Duration::from_secs(1), farewell).await;
    }
}

/// Reads into a fixed buffer; for the handshake, which must not read beyond its end.
pub(crate) async fn read_some(stream: &mut BoxedStream, into: &mut [u8]) -> io::Result<usize> {
    poll_fn(|cx| {
        let mut buffer = ReadBuf::new(into);
        ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    })
    .await
}
