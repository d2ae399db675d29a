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

use bytes::{Buf, Bytes, BytesMut};

use super::chunk::Dechunker;
use super::message::{Extra, Metadata, Response, request};
use super::tag;
use super::version::Version;
use crate::auth::AuthToken;
use crate::bookmark::Bookmarks;
use crate::error::{Error, ErrorKind};
use crate::packstream::{Decoder, Dialect, EncodeError, Encoder, Kind, ToBolt};
use crate::value::{Map, Value};

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

/// A result, as far as it has come.
#[derive(Debug)]
struct Output {
    id: StreamId,
    keys: Option<Arc<[String]>>,
    server_id: Option<i64>,
    records: VecDeque<Bytes>,
    run: Option<Metadata>,
    end: Option<Metadata>,
    failed: bool,
    /// A PULL is on its way, so more records may come without another.
    pulling: bool,
    /// Nobody reads it; it is here so that the server can be told to forget it.
    abandoned: bool,
}

/// What begins a transaction, explicit or not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Begin {
    pub(crate) bookmarks: Bookmarks,
    pub(crate) timeout: Option<std::time::Duration>,
    pub(crate) metadata: Map,
    pub(crate) read: bool,
    pub(crate) database: Option<Arc<str>>,
    pub(crate) impersonated_user: Option<Arc<str>>,
}

impl Begin {
    fn extra(&self) -> Extra {
        let mut extra = Extra::default();
        if !self.bookmarks.is_empty() {
            let values: Vec<_> = self.bookmarks.raw_values().map(Value::from).collect();
            extra.set("bookmarks", Value::List(values));
        }
        if let Some(timeout) = self.timeout {
            // Rounded up, since zero would mean that there is no limit.
            let millis = timeout.as_nanos().div_ceil(1_000_000);
            extra.set("tx_timeout", i64::try_from(millis).unwrap_or(i64::MAX));
        }
        if !self.metadata.is_empty() {
            extra.set("tx_metadata", self.metadata.clone());
        }
        if self.read {
            extra.set("mode", "r");
        }
        if let Some(database) = &self.database {
            extra.set("db", database.as_ref());
        }
        if let Some(user) = &self.impersonated_user {
            extra.set("imp_user", user.as_ref());
        }
        extra
    }
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
    results: Vec<Output>,
    next_stream: u64,
    in_transaction: bool,
    /// The first failure since the last RESET.
    failure: Option<Error>,
    /// What came with the last SUCCESS to HELLO, COMMIT or ROUTE, or at the end of a result that
    /// nobody reads.
    answer: Option<Metadata>,
    /// The login has expired; a RESET does not mend that.
    login_expired: bool,
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
            results: Vec::new(),
            next_stream: 0,
            in_transaction: false,
            failure: None,
            answer: None,
            login_expired: false,
            defunct: false,
        }
    }

    // ---- requests -------------------------------------------------------------------------

    fn request(
        &mut self,
        due: Request,
        tag: u8,
        fields: u8,
        write: impl FnOnce(&mut Encoder<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), Error> {
        request(&mut self.outgoing, self.dialect, tag, fields, write)?;
        self.swollen |= self.outgoing.len() > LARGE_REQUEST;
        self.pending.push_back(due);
        Ok(())
    }

    /// HELLO, and LOGON where the version has it.
    pub(crate) fn hello(
        &mut self,
        user_agent: &str,
        auth: &AuthToken,
        routing: Option<&Map>,
    ) -> Result<(), Error> {
        let mut extra = Extra::default();
        extra.set("user_agent", user_agent);
        if self.version.has_bolt_agent() {
            let product = concat!("neo-bolt/", env!("CARGO_PKG_VERSION"));
            extra.set(
                "bolt_agent",
                crate::params! { "product" => product, "language" => "Rust" },
            );
        }
        if let Some(routing) = routing {
            extra.set("routing", routing.clone());
        }
        if self.version.needs_utc_patch() {
            extra.set("patch_bolt", vec!["utc"]);
        }
        let logon = self.version.has_logon();
        self.request(Request::Hello, tag::HELLO, 1, |encoder| {
            encoder.map(extra.len() + if logon { 0 } else { auth.len() })?;
            extra.pairs(encoder)?;
            if logon { Ok(()) } else { auth.pairs(encoder) }
        })?;
        if logon {
            self.request(Request::Logon, tag::LOGON, 1, |encoder| {
                encoder.map(auth.len())?;
                auth.pairs(encoder)
            })?;
        }
        Ok(())
    }

    pub(crate) fn begin(&mut self, begin: &Begin) -> Result<(), Error> {
        let extra = begin.extra();
        self.request(Request::Begin, tag::BEGIN, 1, |encoder| {
            extra.to_bolt(encoder)
        })?;
        self.in_transaction = true;
        Ok(())
    }

    /// RUN; `begin` says what an auto-commit transaction is to be like.
    pub(crate) fn run(
        &mut self,
        statement: &str,
        parameters: &dyn ToBolt,
        begin: Option<&Begin>,
    ) -> Result<StreamId, Error> {
        let id = StreamId(self.next_stream);
        let extra = begin.map(Begin::extra).unwrap_or_default();
        self.request(Request::Run(id), tag::RUN, 3, |encoder| {
            encoder.string(statement)?;
            let start = encoder.len();
            parameters.to_bolt(encoder)?;
            must_be_map(encoder.written_since(start))?;
            extra.to_bolt(encoder)
        })?;
        self.next_stream += 1;
        self.results.push(Output {
            id,
            keys: None,
            server_id: None,
            records: VecDeque::new(),
            run: None,
            end: None,
            failed: false,
            pulling: false,
            abandoned: false,
        });
        Ok(id)
    }

    /// PULL of so many records; -1 for all. Before the answer to RUN has come, the server's own
    /// name of the result is not known, and none is needed: it is the last one.
    pub(crate) fn pull(&mut self, stream: StreamId, count: i64) -> Result<(), Error> {
        let Some(result) = self.results.iter_mut().find(|result| result.id == stream) else {
            return Ok(());
        };
        result.pulling = true;
        let mut extra = Extra::default();
        extra.set("n", count);
        if let Some(id) = result.server_id {
            extra.set("qid", id);
        }
        self.request(Request::Pull(stream), tag::PULL, 1, |encoder| {
            extra.to_bolt(encoder)
        })
    }

    /// Asks the server to forget the rest of a result.
    pub(crate) fn discard(&mut self, stream: StreamId) -> Result<(), Error> {
        let Some(result) = self.results.iter_mut().find(|result| result.id == stream) else {
            return Ok(());
        };
        result.pulling = true;
        let mut extra = Extra::default();
        extra.set("n", -1_i64);
        if let Some(id) = result.server_id {
            extra.set("qid", id);
        }
        self.request(Request::Pull(stream), tag::DISCARD, 1, |encoder| {
            extra.to_bolt(encoder)
        })
    }

    pub(crate) fn commit(&mut self) -> Result<(), Error> {
        self.answer = None;
        self.request(Request::Commit, tag::COMMIT, 0, |_| Ok(()))
    }

    pub(crate) fn rollback(&mut self) -> Result<(), Error> {
        self.request(Request::Rollback, tag::ROLLBACK, 0, |_| Ok(()))
    }

    /// RESET: whatever was going on is over. Answers that are still due are passed over, and
    /// what is queued behind it finds the machine as new.
    pub(crate) fn reset(&mut self) -> Result<(), Error> {
        self.stopping |= !self.pending.is_empty();
        self.request(Request::Reset, tag::RESET, 0, |_| Ok(()))?;
        self.resets_due += 1;
        self.results.clear();
        self.answer = None;
        self.failure = None;
        self.in_transaction = false;
        Ok(())
    }

    pub(crate) fn route(
        &mut self,
        routing: &Map,
        bookmarks: &Bookmarks,
        database: Option<&str>,
        impersonated_user: Option<&str>,
    ) -> Result<(), Error> {
        self.answer = None;
        let mut extra = Extra::default();
        if let Some(database) = database {
            extra.set("db", database);
        }
        if let Some(user) = impersonated_user {
            extra.set("imp_user", user);
        }
        let bookmarks: Vec<&str> = bookmarks.raw_values().collect();
        self.request(Request::Route, tag::ROUTE, 3, |encoder| {
            routing.to_bolt(encoder)?;
            bookmarks.to_bolt(encoder)?;
            extra.to_bolt(encoder)
        })
    }

    /// GOODBYE has no answer.
    pub(crate) fn goodbye(&mut self) {
        // A structure without fields always encodes.
        let _ = request(
            &mut self.outgoing,
            self.dialect,
            tag::GOODBYE,
            0,
            |_| Ok(()),
        );
    }

    // ---- bytes ----------------------------------------------------------------------------

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
            Wanted::Records(stream) => self.result(stream).is_some_and(|r| !r.records.is_empty()),
            Wanted::Idle | Wanted::Keys(_) => false,
        }
    }

    fn result(&self, stream: StreamId) -> Option<&Output> {
        self.results.iter().find(|result| result.id == stream)
    }

    fn result_mut(&mut self, stream: StreamId) -> Option<&mut Output> {
        self.results.iter_mut().find(|result| result.id == stream)
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
                    result.records.push_back(record);
                }
            }
            Response::Success(metadata) => {
                self.pending.pop_front();
                if due == Request::Reset {
                    self.resets_due = self.resets_due.saturating_sub(1);
                    self.stopping &= self.resets_due > 0;
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
                self.login_expired |= error.is_expired_login();
                if self.resets_due == 0 {
                    self.failure.get_or_insert(error);
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
                result.keys = Some(keys.unwrap_or_default().into());
                result.run = Some(metadata);
            }
            Request::Pull(stream) => {
                let Some(result) = self.result_mut(stream) else {
                    return;
                };
                result.pulling = false;
                if metadata.get("has_more") == Some(true) {
                    return;
                }
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
            Request::Logon | Request::Begin | Request::Reset => {}
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

    // ---- what a caller asks ---------------------------------------------------------------

    pub(crate) fn version(&self) -> Version {
        self.version
    }

    /// The first failure since the last RESET.
    pub(crate) fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }

    pub(crate) fn answer(&mut self) -> Option<Metadata> {
        self.answer.take()
    }

    pub(crate) fn keys(&self, stream: StreamId) -> Option<Arc<[String]>> {
        self.result(stream)?.keys.clone()
    }

    /// The records that have come, and what ended the result where it is over.
    pub(crate) fn take_records(&mut self, stream: StreamId) -> (VecDeque<Bytes>, Option<End>) {
        let failure = self.failure.as_ref().map(Error::again);
        let Some(index) = self.results.iter().position(|result| result.id == stream) else {
            let closed = Error::new(
                ErrorKind::TransactionClosed,
                "the result ended with its transaction before all of it was read",
            );
            return (
                VecDeque::new(),
                Some(End::Failed(failure.unwrap_or(closed))),
            );
        };
        let result = &mut self.results[index];
        let records = std::mem::take(&mut result.records);
        let end = if result.failed {
            let unknown = Error::new(ErrorKind::Protocol, "the result failed without a reason");
            Some(End::Failed(failure.unwrap_or(unknown)))
        } else if result.end.is_some() {
            let result = self.results.swap_remove(index);
            Some(End::Complete {
                run: result.run,
                pull: result.end,
            })
        } else {
            None
        };
        (records, end)
    }

    /// The server has more of this result, and nothing has asked for it yet.
    pub(crate) fn wants_pull(&self, stream: StreamId) -> bool {
        self.result(stream)
            .is_some_and(|r| !r.pulling && !r.failed && r.end.is_none())
    }

    /// Nobody waits for this result any more; what still comes of it is passed over.
    pub(crate) fn forget(&mut self, stream: StreamId) {
        let Some(result) = self.result_mut(stream) else {
            return;
        };
        result.abandoned = true;
        result.records.clear();
        if result.end.is_some() || result.failed {
            let end = result.end.take();
            self.answer = end.or(self.answer.take());
            self.results.retain(|result| result.id != stream);
        }
    }

    /// Nobody reads any result any more; all of them are over.
    pub(crate) fn forget_ended(&mut self) {
        self.results
            .retain(|result| result.end.is_none() && !result.failed);
    }

    /// The result that was asked for first of those that are not over and read.
    pub(crate) fn first_result(&self) -> Option<StreamId> {
        self.results.first().map(|result| result.id)
    }

    pub(crate) fn is_abandoned(&self, stream: StreamId) -> bool {
        self.result(stream).is_some_and(|result| result.abandoned)
    }

    /// Results that the server has not sent to their end.
    pub(crate) fn open_results(&self) -> impl Iterator<Item = StreamId> {
        self.results
            .iter()
            .filter(|r| r.end.is_none() && !r.failed)
            .map(|result| result.id)
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

    /// Nobody may use the connection any more, not even after a RESET.
    pub(crate) fn is_spent(&self) -> bool {
        self.defunct || self.login_expired
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

fn must_be_map(parameters: &[u8]) -> Result<(), EncodeError> {
    match Decoder::new(parameters).peek() {
        Ok(Kind::Map) => Ok(()),
        Ok(other) => Err(EncodeError::NotAMap(other.name())),
        Err(_) => Err(EncodeError::NotAMap("nothing")),
    }
}

/// How a result ended.
#[derive(Debug)]
pub(crate) enum End {
    Complete {
        run: Option<Metadata>,
        pull: Option<Metadata>,
    },
    Failed(Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Machine {
        Machine::new(Version::new(5, 4))
    }

    fn success(metadata: &[u8]) -> Vec<u8> {
        framed(&[&[0xB1, 0x70], metadata].concat())
    }

    fn framed(message: &[u8]) -> Vec<u8> {
        let len = u16::try_from(message.len()).unwrap();
        [&len.to_be_bytes(), message, &[0, 0]].concat()
    }

    #[test]
    fn requests_are_the_bytes_of_the_manual() {
        let mut machine = machine();
        machine
            .begin(&Begin {
                read: true,
                ..Begin::default()
            })
            .unwrap();
        let stream = machine.run("RETURN 1", &(), None).unwrap();
        machine.pull(stream, -1).unwrap();
        machine.commit().unwrap();
        let expected = [
            framed(b"\xB1\x11\xA1\x84mode\x81r"),
            framed(b"\xB3\x10\x88RETURN 1\xA0\xA0"),
            framed(b"\xB1\x3F\xA1\x81n\xFF"),
            framed(b"\xB0\x12"),
        ]
        .concat();
        assert_eq!(machine.outgoing(), expected);
    }

    #[test]
    fn the_input_may_be_cut_anywhere() {
        let input = [
            success(b"\xA0"),
            success(b"\xA1\x86fields\x91\x81x"),
            framed(b"\xB1\x71\x91\x01"),
            framed(b"\xB1\x71\x91\x02"),
            success(b"\xA1\x84type\x81r"),
            success(b"\xA1\x88bookmark\x82b1"),
        ]
        .concat();
        for cut in 0..=input.len() {
            let mut machine = machine();
            machine.begin(&Begin::default()).unwrap();
            let stream = machine.run("RETURN 1", &(), None).unwrap();
            machine.pull(stream, -1).unwrap();
            machine.commit().unwrap();
            machine.incoming().extend_from_slice(&input[..cut]);
            let early = machine.advance(Wanted::Idle).unwrap();
            assert_eq!(early, cut == input.len());
            machine.incoming().extend_from_slice(&input[cut..]);
            assert!(machine.advance(Wanted::Idle).unwrap());
            let (records, end) = machine.take_records(stream);
            assert_eq!(records, [&b"\x91\x01"[..], b"\x91\x02"]);
            assert!(matches!(end, Some(End::Complete { .. })));
            assert_eq!(machine.answer().unwrap().get("bookmark"), Some("b1"));
            assert!(machine.is_clean());
        }
    }

    #[test]
    fn a_failure_ends_what_was_queued_behind_it() {
        let mut machine = machine();
        machine.begin(&Begin::default()).unwrap();
        let stream = machine.run("RETURN", &(), None).unwrap();
        machine.pull(stream, -1).unwrap();
        machine.commit().unwrap();
        let input = [
            success(b"\xA0"),
            framed(b"\xB1\x7F\xA2\x84code\x81c\x87message\x81m"),
            framed(b"\xB0\x7E"),
            framed(b"\xB0\x7E"),
        ]
        .concat();
        machine.incoming().extend_from_slice(&input);
        assert!(machine.advance(Wanted::Idle).unwrap());
        assert_eq!(machine.failure().unwrap().code(), Some("c"));
        assert!(!machine.is_clean());
        machine.reset().unwrap();
        machine.incoming().extend_from_slice(&success(b"\xA0"));
        assert!(machine.advance(Wanted::Idle).unwrap());
        assert!(machine.is_clean());
    }

    #[test]
    fn answers_to_nothing_and_broken_bytes_are_errors() {
        let mut unasked = machine();
        unasked.begin(&Begin::default()).unwrap();
        unasked
            .incoming()
            .extend_from_slice(&framed(b"\xB1\x71\x90"));
        assert_eq!(
            unasked.advance(Wanted::Idle).unwrap_err().kind(),
            ErrorKind::Protocol
        );
        assert!(unasked.is_defunct());
        for garbage in [&b"\x01"[..], b"\xB1\x70", b"\xB1\x55\xA0", b"\xB0\x7E"] {
            let mut machine = machine();
            machine.begin(&Begin::default()).unwrap();
            machine.incoming().extend_from_slice(&framed(garbage));
            assert!(machine.advance(Wanted::Idle).is_err(), "{garbage:02X?}");
        }
    }

    #[test]
    fn what_was_queued_before_a_reset_does_not_touch_what_comes_behind_it() {
        let mut machine = machine();
        machine.begin(&Begin::default()).unwrap();
        machine.commit().unwrap();
        machine.reset().unwrap();
        machine.begin(&Begin::default()).unwrap();
        assert!(machine.failure().is_none());
        let input = [
            framed(b"\xB1\x7F\xA2\x84code\x81c\x87message\x81m"),
            framed(b"\xB0\x7E"),
            success(b"\xA0"),
            success(b"\xA0"),
        ]
        .concat();
        machine.incoming().extend_from_slice(&input);
        assert!(machine.advance(Wanted::Idle).unwrap());
        assert!(machine.failure().is_none());
        assert!(!machine.is_clean(), "the second transaction is open");
    }

    #[test]
    fn a_forgotten_result_is_passed_over() {
        let mut machine = machine();
        let stream = machine.run("RETURN 1", &(), None).unwrap();
        machine.pull(stream, 1).unwrap();
        machine.reset().unwrap();
        let input = [
            success(b"\xA1\x86fields\x91\x81x"),
            framed(b"\xB1\x71\x91\x01"),
            success(b"\xA1\x88has_more\xC3"),
            success(b"\xA0"),
        ]
        .concat();
        machine.incoming().extend_from_slice(&input);
        assert!(machine.advance(Wanted::Idle).unwrap());
        assert!(machine.is_clean());
    }
}
