//! The client's end of a connection, as a state machine that is fed bytes and asked for bytes.
//!
//! ```text
//!            hello            begin                 run
//!  ┌─────┐ ─────────▶ ┌─────┐ ─────▶ ┌────────┐ ─────────▶ ┌─────────────┐
//!  │ New │            │Ready│        │Tx ready│            │Tx streaming │
//!  └─────┘            └─────┘ ◀───── └────────┘ ◀───────── └─────────────┘
//!                      │  ▲  commit,             pull to the end
//!                  run ▼  │ rollback
//!                 ┌─────────┐
//!                 │Streaming│      any FAILURE ─▶ Failed ─ reset ─▶ Ready
//!                 └─────────┘      broken bytes, lost connection ─▶ Defunct
//! ```
//!
//! Requests may be queued ahead of their answers, which come in the same order. After a FAILURE
//! the server ignores what was queued behind it, up to a RESET. The machine never blocks and
//! never loses an answer, so a caller may stop waiting at any point: what is owed is still known.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::{Buf, BytesMut};

mod requests;
mod results;
#[cfg(test)]
mod tests;

pub(crate) use requests::{Api, Begin};
pub(crate) use results::{Completed, End, failed_elsewhere};

use super::chunk::Dechunker;
use super::message::{Metadata, Response};
use super::records::{Block, Records};
use super::version::Version;
use crate::error::{Error, ErrorKind};
use crate::packstream::Dialect;

/// The largest message that is taken from a server: 1 GiB.
const MAX_MESSAGE: usize = 1 << 30;

/// How much room for requests a connection keeps.
const SEND_ROOM: usize = 1024;
/// From so many bytes on, the room for requests is given back when they are sent.
const LARGE_REQUEST: usize = 64 * 1024;

/// Names a result of this connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StreamId(u64);

/// A request whose answer is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Request {
    Hello,
    Logon,
    Logoff,
    Telemetry,
    Begin,
    Run(StreamId),
    Pull(StreamId),
    Commit,
    Rollback,
    Reset,
    Route,
}

/// How far the machine must come before a caller can go on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted {
    /// Every answer is there.
    Idle,
    /// The result's columns are known, or it failed.
    Keys(StreamId),
    /// The result has records to take, or is over, or failed.
    Records(StreamId),
}

/// What the statements of a transaction have done, as far as their results have ended.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Effects {
    /// At least one wrote data, or did not say what it did.
    pub(crate) wrote: bool,
    /// At least one changed the schema, which cannot be combined with writes.
    pub(crate) changed_schema: bool,
}

impl Effects {
    fn add(&mut self, query_type: Option<&str>) {
        match query_type {
            Some("r") => {}
            Some("s") => self.changed_schema = true,
            _ => self.wrote = true,
        }
    }

    /// Whether a receipt belongs to the transaction.
    pub(crate) fn need_receipt(self) -> bool {
        self.wrote && !self.changed_schema
    }

    /// Whether it makes no difference if the transaction was committed.
    pub(crate) fn only_read(self) -> bool {
        !self.wrote && !self.changed_schema
    }
}

/// A result, as far as it has come.
#[derive(Debug)]
struct Output {
    id: StreamId,
    query: Arc<str>,
    keys: Option<Arc<[String]>>,
    server_id: Option<i64>,
    records: Records,
    had_records: bool,
    run: Option<Metadata>,
    end: Option<Metadata>,
    failed: bool,
    /// It failed by itself, rather than with its transaction.
    refused: bool,
    /// A PULL is on its way, so more records may come without another.
    pulling: bool,
    /// It was for all that there is.
    pulling_all: bool,
    /// Nobody reads it; it is here so that the server can be told to forget it.
    abandoned: bool,
}

/// See the module's description.
#[derive(Debug)]
pub(crate) struct Machine {
    version: Version,
    dialect: Dialect,
    outgoing: BytesMut,
    /// What is to be sent was once so much that the room for it is given back afterwards.
    swollen: bool,
    incoming: BytesMut,
    dechunker: Dechunker,
    pending: VecDeque<Request>,
    /// How many RESETs are due. What stands before the last of them is of the past.
    resets_due: usize,
    /// A RESET came upon something that was going on; until it is answered, the server may be
    /// slow to let go of that.
    stopping: bool,
    /// A RESET came upon a failure; until it is answered, the server may be about to close the
    /// connection, as it does behind some failures.
    recovering: bool,
    results: Vec<Output>,
    next_stream: u64,
    in_transaction: bool,
    /// What the statements of the transaction have done.
    effects: Effects,
    /// The first failure is the answer to COMMIT.
    commit_failed: bool,
    /// The first failure since the last RESET.
    failure: Option<Error>,
    /// What came with the last SUCCESS to HELLO, COMMIT or ROUTE, or at the end of a result that
    /// nobody reads.
    answer: Option<Metadata>,
    /// The server has taken the last telemetry.
    telemetry_taken: bool,
    /// The database that the last transaction runs in, where the server says so (Bolt 5.8).
    database: Option<Arc<str>>,
    /// The login was refused; a RESET does not mend that.
    login_refused: bool,
    defunct: bool,
}

impl Machine {
    pub(crate) fn new(version: Version) -> Self {
        Self {
            version,
            dialect: version.dialect(),
            outgoing: BytesMut::with_capacity(SEND_ROOM),
            swollen: false,
            incoming: BytesMut::with_capacity(8 * 1024),
            dechunker: Dechunker::new(MAX_MESSAGE),
            pending: VecDeque::new(),
            resets_due: 0,
            stopping: false,
            recovering: false,
            results: Vec::new(),
            next_stream: 0,
            in_transaction: false,
            effects: Effects::default(),
            commit_failed: false,
            failure: None,
            answer: None,
            telemetry_taken: false,
            database: None,
            login_refused: false,
            defunct: false,
        }
    }

    /// What is to be sent.
    pub(crate) fn outgoing(&self) -> &[u8] {
        &self.outgoing
    }

    /// So many bytes of [`outgoing`](Self::outgoing) have been sent.
    pub(crate) fn sent(&mut self, count: usize) {
        self.outgoing.advance(count.min(self.outgoing.len()));
        if self.swollen && self.outgoing.is_empty() {
            self.outgoing = BytesMut::with_capacity(SEND_ROOM);
            self.swollen = false;
        }
    }

    /// Gives back the room for received bytes, where there are none.
    pub(crate) fn give_back_room(&mut self) {
        if self.incoming.is_empty() {
            self.incoming = BytesMut::new();
        }
    }

    /// Where received bytes go, at the end.
    pub(crate) fn incoming(&mut self) -> &mut BytesMut {
        &mut self.incoming
    }

    /// Takes what has come, up to the point that is wanted. Whether it was reached.
    ///
    /// # Errors
    /// The peer broke the protocol; the machine is defunct then.
    pub(crate) fn advance(&mut self, wanted: Wanted) -> Result<bool, Error> {
        while !self.reached(wanted) {
            self.take_records_at_once();
            let message = match self.dechunker.next(&mut self.incoming) {
                Ok(Some(message)) => message,
                Ok(None) => return Ok(self.has_some(wanted)),
                Err(too_large) => {
                    return Err(self.broken(format!(
                        "the server sent a message of more than {} bytes",
                        too_large.limit
                    )));
                }
            };
            match Response::parse(message) {
                Ok(response) => self.take(response)?,
                Err(error) => {
                    return Err(self.broken(format!("the server sent broken bytes: {error}")));
                }
            }
        }
        Ok(true)
    }

    /// Takes the records that stand at the start of what has come, without looking at each.
    fn take_records_at_once(&mut self) {
        let Some(&Request::Pull(stream)) = self.pending.front() else {
            return;
        };
        if !self.dechunker.is_between_messages() {
            return;
        }
        match self.results.iter_mut().find(|result| result.id == stream) {
            Some(result) if !result.abandoned => {
                if let Some(block) = Block::take_from(&mut self.incoming) {
                    result.records.push_block(block);
                    result.had_records = true;
                }
            }
            // A result of before a RESET is not there any more.
            _ => Block::pass(&mut self.incoming),
        }
    }

    fn reached(&self, wanted: Wanted) -> bool {
        match wanted {
            Wanted::Idle => self.pending.is_empty(),
            Wanted::Keys(stream) => self
                .result(stream)
                .is_none_or(|r| r.keys.is_some() || r.failed),
            Wanted::Records(stream) => self
                .result(stream)
                .is_none_or(|result| result.failed || result.end.is_some() || !result.pulling),
        }
    }

    /// Whether there is something to hand out although more is on its way.
    fn has_some(&self, wanted: Wanted) -> bool {
        match wanted {
            Wanted::Records(stream) => self.result(stream).is_some_and(|r| r.records.len() > 0),
            Wanted::Idle | Wanted::Keys(_) => false,
        }
    }

    fn broken(&mut self, message: impl Into<String>) -> Error {
        let commit_is_unanswered = self.commit_is_unanswered();
        self.defunct = true;
        let error = Error::new(ErrorKind::Protocol, message);
        if commit_is_unanswered {
            error.with_unknown_commit()
        } else {
            error
        }
    }

    fn take(&mut self, response: Response) -> Result<(), Error> {
        let Some(&due) = self.pending.front() else {
            return Err(self.broken("the server answered when nothing was asked"));
        };
        match response {
            Response::Record(record) => {
                let Request::Pull(stream) = due else {
                    return Err(self.broken("the server sent a record that nothing asked for"));
                };
                // A result of before a RESET is not there any more.
                if let Some(result) = self.result_mut(stream)
                    && !result.abandoned
                {
                    result.records.push(record);
                    result.had_records = true;
                }
            }
            Response::Success(metadata) => {
                self.pending.pop_front();
                if due == Request::Reset {
                    self.resets_due = self.resets_due.saturating_sub(1);
                    self.stopping &= self.resets_due > 0;
                    self.recovering &= self.resets_due > 0;
                } else if self.resets_due == 0 {
                    self.succeed(due, metadata);
                }
            }
            Response::Failure(error) if due == Request::Reset => {
                // Nothing that stands behind it was done, so it is as if it was never sent.
                self.defunct = true;
                let message = format!("the server could not reset the connection: {error}");
                return Err(Error::new(ErrorKind::ServiceUnavailable, message));
            }
            Response::Failure(error) => {
                self.pending.pop_front();
                self.login_refused |= matches!(due, Request::Logon | Request::Logoff);
                if self.resets_due == 0 {
                    self.commit_failed = self.failure.is_none() && due == Request::Commit;
                    self.failure.get_or_insert(error);
                    if let Request::Run(stream) | Request::Pull(stream) = due
                        && let Some(result) = self.result_mut(stream)
                    {
                        result.refused = true;
                    }
                    self.fail(due);
                }
            }
            // A RESET that overtakes what was queued before it makes the server ignore that.
            Response::Ignored if due != Request::Reset && self.resets_due > 0 => {
                self.pending.pop_front();
            }
            Response::Ignored => {
                if self.failure.is_none() {
                    return Err(self.broken("the server ignored a request without a reason"));
                }
                self.pending.pop_front();
                self.fail(due);
            }
        }
        Ok(())
    }

    fn succeed(&mut self, due: Request, metadata: Metadata) {
        match due {
            Request::Run(stream) => {
                let keys: Option<Vec<String>> = metadata.get("fields");
                let Some(result) = self.result_mut(stream) else {
                    return;
                };
                result.server_id = metadata.get("qid");
                let database = metadata.get::<&str>("db").map(Into::into);
                result.keys = Some(keys.unwrap_or_default().into());
                result.run = Some(metadata);
                self.database = database.or(self.database.take());
            }
            Request::Pull(stream) => {
                let Some(result) = self.result_mut(stream) else {
                    return;
                };
                result.pulling = false;
                if metadata.get("has_more") == Some(true) {
                    return;
                }
                self.effects.add(metadata.get("type"));
                let Some(result) = self.result_mut(stream) else {
                    return;
                };
                if result.abandoned {
                    self.answer = Some(metadata);
                    self.results.retain(|result| result.id != stream);
                } else {
                    result.end = Some(metadata);
                }
            }
            Request::Hello => {
                let patches: Option<Vec<String>> = metadata.get("patch_bolt");
                if patches.is_some_and(|patches| patches.iter().any(|patch| patch == "utc")) {
                    self.dialect.utc_datetimes = true;
                }
                self.answer = Some(metadata);
            }
            Request::Commit | Request::Rollback => {
                self.in_transaction = false;
                self.answer = Some(metadata);
            }
            Request::Route => self.answer = Some(metadata),
            Request::Begin => self.database = metadata.get::<&str>("db").map(Into::into),
            Request::Telemetry => self.telemetry_taken = true,
            Request::Logon | Request::Logoff | Request::Reset => {}
        }
    }

    fn fail(&mut self, due: Request) {
        if let Request::Run(stream) | Request::Pull(stream) = due
            && let Some(result) = self.result_mut(stream)
        {
            result.failed = true;
            result.pulling = false;
        }
        self.results
            .retain(|result| !result.abandoned || !result.failed);
    }

    pub(crate) fn version(&self) -> Version {
        self.version
    }

    /// The first failure since the last RESET.
    pub(crate) fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }

    /// Whether the server has taken the last telemetry.
    pub(crate) fn telemetry_taken(&self) -> bool {
        self.telemetry_taken
    }

    /// The database that the last transaction runs in, where the server has said so.
    pub(crate) fn take_database(&mut self) -> Option<Arc<str>> {
        self.database.take()
    }

    /// Whether the server has answered COMMIT with the first failure. In a cluster the transaction may
    /// have taken effect nevertheless.
    pub(crate) fn commit_failed(&self) -> bool {
        self.commit_failed && self.failure.is_some()
    }

    /// What the statements of the transaction have done.
    pub(crate) fn effects(&self) -> Effects {
        self.effects
    }

    pub(crate) fn answer(&mut self) -> Option<Metadata> {
        self.answer.take()
    }

    /// COMMIT has been sent whole, and nothing is known of what became of it.
    pub(crate) fn commit_is_unanswered(&self) -> bool {
        // After a failure the server ignores it; and it is never followed by anything but RESET.
        self.outgoing.is_empty()
            && self.failure.is_none()
            && self.resets_due == 0
            && self.pending.contains(&Request::Commit)
    }

    pub(crate) fn reset_is_due(&self) -> bool {
        self.resets_due > 0
    }

    /// The server has not let go yet of what it was busy with.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping
    }

    /// Whether the server goes on behind a failure is not known yet.
    pub(crate) fn is_recovering(&self) -> bool {
        self.recovering
    }

    /// Nobody may use the connection any more, not even after a RESET.
    pub(crate) fn is_spent(&self) -> bool {
        self.defunct || self.login_refused
    }

    pub(crate) fn owes_nothing(&self) -> bool {
        self.pending.is_empty()
    }

    /// Nothing is owed, open or failed: the next user finds the connection as new.
    pub(crate) fn is_clean(&self) -> bool {
        !self.is_spent()
            && self.pending.is_empty()
            && self.failure.is_none()
            && !self.in_transaction
            && self.results.is_empty()
    }

    pub(crate) fn is_defunct(&self) -> bool {
        self.defunct
    }

    pub(crate) fn set_defunct(&mut self) {
        self.defunct = true;
    }

    /// Whether the server has said something that nothing asked for. Empty chunks, which show
    /// that it lives, do not count.
    pub(crate) fn spoke_unasked(&mut self) -> bool {
        self.pending.is_empty()
            && (!matches!(self.dechunker.next(&mut self.incoming), Ok(None))
                || !self.incoming.is_empty())
    }
}
