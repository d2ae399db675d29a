//! What a client has sent and the server has not answered yet.

use std::collections::VecDeque;
use std::future::Future;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::ServeError;
use crate::protocol::chunk::Dechunker;
use crate::protocol::tag::RESET;

/// How many bytes may wait; more are left on the socket, so that the client is slowed down.
const MAX_WAITING: usize = 4 << 20;

/// Reads from the socket, also while a statement runs, so that a `RESET` is seen at once.
#[derive(Debug)]
pub(super) struct Inbox<R> {
    reader: R,
    arrived: BytesMut,
    dechunker: Dechunker,
    waiting: VecDeque<Bytes>,
    waiting_bytes: usize,
    /// How many of the waiting messages are a `RESET`.
    resets: usize,
    /// No more comes: the client has gone, or sent what can't be read.
    end: Option<ServeError>,
}

/// How a wait for the backend ended.
pub(super) enum Watched<T> {
    Done(T),
    /// A `RESET` has come; the future was dropped.
    Interrupted,
}

impl<R: AsyncRead + Unpin> Inbox<R> {
    pub(super) fn new(reader: R, max_message_size: usize) -> Self {
        Self {
            reader,
            arrived: BytesMut::new(),
            dechunker: Dechunker::new(max_message_size),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            resets: 0,
            end: None,
        }
    }

    /// Whether a `RESET` waits, so that everything before it is to be ignored.
    pub(super) fn has_reset(&self) -> bool {
        self.resets > 0
    }

    /// A message that is there already.
    pub(super) fn take(&mut self) -> Option<Bytes> {
        let message = self.waiting.pop_front()?;
        self.waiting_bytes -= message.len();
        if is_reset(&message) {
            self.resets -= 1;
        }
        Some(message)
    }

    /// The next message. Cancel-safe: what has arrived is kept.
    pub(super) async fn next(&mut self) -> Result<Bytes, ServeError> {
        loop {
            if let Some(message) = self.take() {
                return Ok(message);
            }
            if let Some(end) = self.end.take() {
                return Err(end);
            }
            self.fill().await;
        }
    }

    /// Waits for the backend, and for a `RESET` meanwhile; `meanwhile` goes on beside it and is
    /// not waited for.
    pub(super) async fn watch<T>(
        &mut self,
        work: impl Future<Output = T>,
        meanwhile: impl Future<Output = ()>,
    ) -> Watched<T> {
        let forever = async {
            meanwhile.await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            biased;
            done = work => Watched::Done(done),
            () = self.reset_arrives() => Watched::Interrupted,
            () = forever => Watched::Interrupted,
        }
    }

    async fn reset_arrives(&mut self) {
        while self.resets == 0 {
            self.read_ahead().await;
        }
    }

    /// Reads once more; waits for ever when nothing comes or too much waits already.
    ///
    /// A client that has gone gets the statements that it sent run all the same: it may have
    /// sent a COMMIT behind them.
    pub(super) async fn read_ahead(&mut self) {
        if self.end.is_some() || self.waiting_bytes > MAX_WAITING {
            std::future::pending::<()>().await;
        }
        self.fill().await;
    }

    /// Reads once and sorts what came. Cancel-safe.
    async fn fill(&mut self) {
        self.arrived.reserve(8 << 10);
        self.end = match self.reader.read_buf(&mut self.arrived).await {
            Ok(0) if self.arrived.is_empty() => Some(ServeError::Closed),
            Ok(0) => Some(ServeError::Truncated),
            Err(error) => Some(error.into()),
            Ok(_) => self.sort().err(),
        };
    }

    fn sort(&mut self) -> Result<(), ServeError> {
        while let Some(message) = self
            .dechunker
            .next(&mut self.arrived)
            .map_err(|_| ServeError::MessageTooLarge)?
        {
            self.waiting_bytes += message.len();
            self.resets += usize::from(is_reset(&message));
            self.waiting.push_back(message);
        }
        Ok(())
    }
}

fn is_reset(message: &[u8]) -> bool {
    message == [0xB0, RESET]
}
