//! Requests: each is written into the send buffer, and its answer is due from then on.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{LARGE_REQUEST, Machine, Output, Request, StreamId};
use crate::auth::AuthToken;
use crate::bookmark::Bookmarks;
use crate::error::Error;
use crate::packstream::{Decoder, EncodeError, Encoder, Kind, ToBolt};
use crate::protocol::message::{Extra, request};
use crate::protocol::tag;
use crate::value::{Map, Value};

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

impl Machine {
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
        statement: &Arc<str>,
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
            query: Arc::clone(statement),
            keys: None,
            server_id: None,
            records: VecDeque::new(),
            had_records: false,
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
}

fn must_be_map(parameters: &[u8]) -> Result<(), EncodeError> {
    match Decoder::new(parameters).peek() {
        Ok(Kind::Map) => Ok(()),
        Ok(other) => Err(EncodeError::NotAMap(other.name())),
        Err(_) => Err(EncodeError::NotAMap("nothing")),
    }
}
