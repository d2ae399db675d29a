//! Requests: each is written into the send buffer, and its answer is due from then on.

use std::sync::Arc;

use super::{Effects, LARGE_REQUEST, Machine, Output, Request, StreamId};
use crate::auth::AuthToken;
use crate::bookmark::Bookmarks;
use crate::config::NotificationConfig;
use crate::error::{Error, ErrorKind};
use crate::packstream::{Decoder, EncodeError, Encoder, Kind, ToBolt};
use crate::protocol::message::{Extra, request};
use crate::protocol::records::Records;
use crate::protocol::tag;
use crate::protocol::version::Version;
use crate::value::{Map, Value};

/// Which part of the driver is used, as telemetry numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Api {
    ManagedTransaction = 0,
    ExplicitTransaction = 1,
    AutoCommit = 2,
    ExecuteQuery = 3,
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
    pub(crate) notifications: NotificationConfig,
}

impl Begin {
    fn extra(&self, version: Version) -> Result<Extra, Error> {
        let mut extra = Extra::default();
        let lacks = |what: &str, since: &str| {
            Error::new(
                ErrorKind::Configuration,
                format!("a server of Bolt {version} has no {what}; that takes {since} or later"),
            )
        };
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
            if !version.has_databases() {
                return Err(lacks("databases to choose from", "Bolt 4.0 (Neo4j 4.0)"));
            }
            extra.set("db", database.as_ref());
        }
        if let Some(user) = &self.impersonated_user {
            if !version.has_impersonation() {
                let what = format!("impersonation, so nothing can be run as {user:?}");
                return Err(lacks(&what, "Bolt 4.4 (Neo4j 4.4)"));
            }
            extra.set("imp_user", user.as_ref());
        }
        for (key, value) in self.notifications.entries(version)? {
            extra.set(key, value);
        }
        Ok(extra)
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
        notifications: &NotificationConfig,
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
        if let Some(routing) = routing
            && self.version.has_routing_context()
        {
            extra.set("routing", routing.clone());
        }
        for (key, value) in notifications.entries(self.version)? {
            extra.set(key, value);
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
        if logon { self.logon(auth) } else { Ok(()) }
    }

    fn logon(&mut self, auth: &AuthToken) -> Result<(), Error> {
        self.request(Request::Logon, tag::LOGON, 1, |encoder| {
            encoder.map(auth.len())?;
            auth.pairs(encoder)
        })
    }

    /// Changes the login (Bolt 5.1 and later). Where the server refuses it, the connection is of
    /// no more use.
    pub(crate) fn log_on_anew(&mut self, auth: &AuthToken) -> Result<(), Error> {
        self.request(Request::Logoff, tag::LOGOFF, 0, |_| Ok(()))?;
        self.logon(auth)
    }

    /// Tells the server which part of the driver is used (Bolt 5.4 and later).
    pub(crate) fn telemetry(&mut self, api: Api) -> Result<(), Error> {
        self.telemetry_taken = false;
        self.request(Request::Telemetry, tag::TELEMETRY, 1, |encoder| {
            encoder.integer(api as i64);
            Ok(())
        })
    }

    pub(crate) fn begin(&mut self, begin: &Begin) -> Result<(), Error> {
        let extra = begin.extra(self.version)?;
        self.request(Request::Begin, tag::BEGIN, 1, |encoder| {
            extra.to_bolt(encoder)
        })?;
        self.in_transaction = true;
        self.effects = Effects::default();
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
        let extra = match begin {
            Some(begin) => begin.extra(self.version)?,
            None => Extra::default(),
        };
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
            records: Records::default(),
            had_records: false,
            run: None,
            end: None,
            failed: false,
            refused: false,
            pulling: false,
            pulling_all: false,
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
        result.pulling_all = count < 0;
        result.pulling = true;
        // The server takes the last result for meant where none is named.
        let is_last = stream.0.saturating_add(1) == self.next_stream;
        let server_id = result.server_id.filter(|_| !is_last);
        self.ask_for(stream, tag::PULL, count, server_id)
    }

    fn ask_for(
        &mut self,
        stream: StreamId,
        tag: u8,
        count: i64,
        server_id: Option<i64>,
    ) -> Result<(), Error> {
        if !self.version.has_databases() {
            // Bolt 3 has one result at a time, which comes whole.
            return self.request(Request::Pull(stream), tag, 0, |_| Ok(()));
        }
        self.request(Request::Pull(stream), tag, 1, |encoder| {
            encoder.map(1 + usize::from(server_id.is_some()))?;
            encoder.string("n")?;
            encoder.integer(count);
            if let Some(id) = server_id {
                encoder.string("qid")?;
                encoder.integer(id);
            }
            Ok(())
        })
    }

    /// Asks the server to forget the rest of a result.
    pub(crate) fn discard(&mut self, stream: StreamId) -> Result<(), Error> {
        let Some(result) = self.results.iter_mut().find(|result| result.id == stream) else {
            return Ok(());
        };
        result.pulling = true;
        // The server takes the last result for meant where none is named.
        let is_last = stream.0.saturating_add(1) == self.next_stream;
        let server_id = result.server_id.filter(|_| !is_last);
        self.ask_for(stream, tag::DISCARD, -1, server_id)
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
        self.recovering |= self.failure.is_some();
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
        let bookmarks: Vec<&str> = bookmarks.raw_values().collect();
        if !self.version.has_impersonation() {
            return self.request(Request::Route, tag::ROUTE, 3, |encoder| {
                routing.to_bolt(encoder)?;
                bookmarks.to_bolt(encoder)?;
                database.to_bolt(encoder)
            });
        }
        let mut extra = Extra::default();
        if let Some(database) = database {
            extra.set("db", database);
        }
        if let Some(user) = impersonated_user {
            extra.set("imp_user", user);
        }
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
