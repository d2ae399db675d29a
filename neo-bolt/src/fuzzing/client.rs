//! The client's machine, driven by a small program: requests, answers, and what callers do with
//! them, in any order.
//!
//! Two machines go through it, one with its input whole and one with its input cut up. They must
//! not differ in anything that can be seen.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::input::{Input, pieces};
use super::values::show;
use crate::auth::AuthToken;
use crate::bookmark::Bookmarks;
use crate::connection::Address;
use crate::error::Error;
use crate::protocol::chunk::frame;
use crate::protocol::{Api, Begin, End, Machine, Metadata, Records, StreamId, Version, Wanted};
use crate::record::Reader;
use crate::routing::RoutingTable;
use crate::summary::{ResultSummary, ServerInfo};
use crate::value::Value;

/// What the program's bytes mean, modulo their number.
pub(super) mod op {
    pub(crate) const HELLO: u8 = 0;
    pub(crate) const LOG_ON_ANEW: u8 = 1;
    pub(crate) const TELEMETRY: u8 = 2;
    pub(crate) const BEGIN: u8 = 3;
    pub(crate) const RUN: u8 = 4;
    pub(crate) const PULL: u8 = 5;
    pub(crate) const DISCARD: u8 = 6;
    pub(crate) const COMMIT: u8 = 7;
    pub(crate) const ROLLBACK: u8 = 8;
    pub(crate) const RESET: u8 = 9;
    pub(crate) const ROUTE: u8 = 10;
    pub(crate) const SENT: u8 = 11;
    /// Bytes as they are: a length, and as many.
    pub(crate) const RAW: u8 = 12;
    /// A message, framed here: a length, and as many bytes.
    pub(crate) const MESSAGE: u8 = 13;
    /// SUCCESS without anything.
    pub(crate) const SUCCESS: u8 = 14;
    pub(crate) const TAKE: u8 = 15;
    pub(crate) const FORGET: u8 = 16;
    pub(crate) const FORGET_ENDED: u8 = 17;
    pub(crate) const ANSWER: u8 = 18;
    pub(crate) const LISTEN: u8 = 19;
    pub(crate) const COUNT: u8 = 20;
}

/// Versions that differ in what they can do.
pub(super) const VERSIONS: [(u8, u8); 8] = [
    (3, 0),
    (4, 1),
    (4, 3),
    (4, 4),
    (5, 0),
    (5, 4),
    (5, 8),
    (6, 1),
];

/// One byte for the version, one for the cuts, then operations.
pub fn client(data: &[u8]) {
    let mut input = Input::new(data);
    let (major, minor) = VERSIONS[usize::from(input.byte()) % VERSIONS.len()];
    let version = Version::new(major, minor);
    let mut pair = Pair {
        whole: Machine::new(version),
        cut: Machine::new(version),
        size: input.byte(),
        streams: Vec::new(),
        fed: 0,
        taken: 0,
        ragged: false,
    };
    while let Some(byte) = input.next() {
        if !pair.step(byte % op::COUNT, &mut input) {
            return;
        }
        pair.compare();
    }
    pair.close();
}

struct Pair {
    whole: Machine,
    cut: Machine,
    /// How the input of `cut` is cut.
    size: u8,
    streams: Vec<StreamId>,
    /// How many bytes were received, and handed out in records.
    fed: usize,
    taken: usize,
    /// Half a message may have been received.
    ragged: bool,
}

impl Pair {
    /// One operation. Whether the connection may still be used.
    fn step(&mut self, operation: u8, input: &mut Input<'_>) -> bool {
        match operation {
            op::HELLO => self.both(|machine| {
                let auth = AuthToken::basic("me", "secret");
                let routing = crate::params! { "address" => "a:1" };
                drop(machine.hello("fuzz/1", &auth, Some(&routing), &Default::default()));
            }),
            op::LOG_ON_ANEW => self.both(|machine| {
                drop(machine.log_on_anew(&AuthToken::bearer("secret")));
            }),
            op::TELEMETRY => self.both(|machine| drop(machine.telemetry(Api::AutoCommit))),
            op::BEGIN => {
                let flags = input.byte();
                let begin = Begin {
                    read: flags & 1 != 0,
                    database: (flags & 2 != 0).then(|| "db".into()),
                    impersonated_user: (flags & 4 != 0).then(|| "user".into()),
                    ..Begin::default()
                };
                self.both(|machine| drop(machine.begin(&begin)));
            }
            op::RUN => {
                let begin = (input.byte() & 1 != 0).then(Begin::default);
                let run = |machine: &mut Machine| {
                    machine.run(&"RETURN 1".into(), &(), begin.as_ref()).ok()
                };
                let stream = run(&mut self.whole);
                assert_eq!(stream, run(&mut self.cut));
                self.streams.extend(stream);
            }
            op::PULL => {
                let count = i64::from(i8::from_be_bytes([input.byte()]));
                self.on_stream(input, |machine, stream| drop(machine.pull(stream, count)));
            }
            op::DISCARD => self.on_stream(input, |machine, stream| drop(machine.discard(stream))),
            op::COMMIT => self.both(|machine| drop(machine.commit())),
            op::ROLLBACK => self.both(|machine| drop(machine.rollback())),
            op::RESET => self.both(|machine| drop(machine.reset())),
            op::ROUTE => self.both(|machine| {
                let context = crate::params! { "address" => "a:1" };
                let bookmarks = Bookmarks::from_raw_values(["mark"]);
                drop(machine.route(&context, &bookmarks, Some("db"), None));
            }),
            op::SENT => {
                let count = usize::from(input.byte()) * 8;
                self.both(|machine| machine.sent(count));
            }
            op::RAW => {
                let wanted = self.wanted(input);
                let bytes = input.sized();
                self.ragged = true;
                return self.receive(bytes, wanted);
            }
            op::MESSAGE => {
                let wanted = self.wanted(input);
                let message = framed(input.sized());
                return self.receive(&message, wanted);
            }
            op::SUCCESS => return self.receive(&framed(SUCCESS), Wanted::Idle),
            op::TAKE => {
                if let Some(stream) = self.stream(input) {
                    self.take(stream);
                }
            }
            op::FORGET => self.on_stream(input, Machine::forget),
            op::FORGET_ENDED => self.both(Machine::forget_ended),
            op::ANSWER => {
                let answers = [self.whole.answer(), self.cut.answer()];
                let [answer, other] = answers.map(|answer| answer.map(|a| a.map()));
                assert_eq!(format!("{answer:?}"), format!("{other:?}"));
                if let Some(Ok(answer)) = answer
                    && let Some(Value::Map(table)) = answer.get("rt")
                {
                    let now = tokio::time::Instant::now();
                    drop(RoutingTable::parse(table, None, now));
                }
            }
            _ => {
                let spoke = self.whole.spoke_unasked();
                assert_eq!(spoke, self.cut.spoke_unasked());
                return !spoke;
            }
        }
        true
    }

    fn both(&mut self, act: impl Fn(&mut Machine)) {
        act(&mut self.whole);
        act(&mut self.cut);
    }

    fn stream(&self, input: &mut Input<'_>) -> Option<StreamId> {
        let index = usize::from(input.byte());
        self.streams.get(index % self.streams.len().max(1)).copied()
    }

    fn on_stream(&mut self, input: &mut Input<'_>, act: impl Fn(&mut Machine, StreamId)) {
        if let Some(stream) = self.stream(input) {
            self.both(|machine| act(machine, stream));
        }
    }

    fn wanted(&self, input: &mut Input<'_>) -> Wanted {
        let kind = input.byte();
        match (kind % 3, self.stream(input)) {
            (1, Some(stream)) => Wanted::Keys(stream),
            (2, Some(stream)) => Wanted::Records(stream),
            _ => Wanted::Idle,
        }
    }

    /// Whether both may go on.
    fn receive(&mut self, bytes: &[u8], wanted: Wanted) -> bool {
        self.fed += bytes.len();
        self.whole.incoming().extend_from_slice(bytes);
        let whole = said(self.whole.advance(wanted));
        let mut cut = said(self.cut.advance(wanted));
        for piece in pieces(bytes, self.size) {
            if cut.is_err() {
                break;
            }
            self.cut.incoming().extend_from_slice(piece);
            cut = said(self.cut.advance(wanted));
        }
        assert_eq!(whole, cut);
        if whole.is_err() {
            assert!(self.whole.is_defunct() && !self.whole.is_clean());
            self.compare();
        }
        whole.is_ok()
    }

    fn take(&mut self, stream: StreamId) {
        let keys = self.whole.keys(stream);
        assert_eq!(keys, self.cut.keys(stream));
        let (records, end) = self.whole.take_records(stream);
        let (cut_records, cut_end) = self.cut.take_records(stream);
        let (records, cut_records) = (records.into_lists(), cut_records.into_lists());
        assert_eq!(records, cut_records);
        self.taken += records.iter().map(Bytes::len).sum::<usize>();
        assert!(self.taken <= self.fed, "more came out than went in");
        if let Some(keys) = keys {
            for record in records {
                read(&keys, record);
            }
        }
        assert_eq!(ended(end), ended(cut_end));
    }

    fn compare(&self) {
        let seen = |machine: &Machine| {
            (
                Bytes::copy_from_slice(machine.outgoing()),
                machine.failure().map(|failure| {
                    // The debug form of the causes goes to their end.
                    format!("{failure:?} {:?}", failure.gql())
                }),
                (machine.is_clean(), machine.is_defunct(), machine.is_spent()),
                (
                    machine.owes_nothing(),
                    machine.is_stopping(),
                    machine.pulls_all(),
                ),
                (machine.reset_is_due(), machine.commit_is_unanswered()),
                machine.first_result(),
                machine.open_results().collect::<Vec<_>>(),
            )
        };
        assert_eq!(seen(&self.whole), seen(&self.cut));
        let open: Vec<StreamId> = self.whole.open_results().collect();
        assert!(self.whole.first_result().is_some() || open.is_empty());
    }

    /// Whatever went on, a RESET and its answer make the connection as new.
    fn close(mut self) {
        if self.ragged || self.whole.is_spent() {
            return;
        }
        self.both(|machine| drop(machine.reset()));
        let mut patience = 10_000;
        while !self.whole.owes_nothing() {
            if !self.receive(&framed(SUCCESS), Wanted::Idle) {
                return;
            }
            patience -= 1;
            assert!(patience > 0, "each answer settles a request");
        }
        self.compare();
        assert!(self.whole.is_clean() || self.whole.is_spent());
    }
}

const SUCCESS: &[u8] = b"\xB1\x70\xA0";

pub(super) fn framed(message: &[u8]) -> BytesMut {
    let mut out = BytesMut::new();
    let Ok(()) = frame(&mut out, |out| {
        out.extend_from_slice(message);
        Ok::<_, std::convert::Infallible>(())
    });
    out
}

fn said(advanced: Result<bool, Error>) -> Result<bool, String> {
    advanced.map_err(|error| format!("{error:?}"))
}

fn read(keys: &Arc<[String]>, body: Bytes) {
    if let Some(Ok(record)) = Reader::new(Arc::clone(keys), Records::of(body)).next()
        && let Ok(values) = record.values()
    {
        values.iter().for_each(show);
    }
}

/// Reads all that a summary has.
fn ended(end: Option<End>) -> String {
    let completed = match end {
        None => return "it goes on".to_owned(),
        Some(End::Failed(error)) => return format!("{error:?}"),
        Some(End::Complete(completed)) => completed,
    };
    let _ = completed.run.as_ref().map(Metadata::map);
    let server = ServerInfo {
        address: Address::new("a", 1),
        agent: "Neo4j/5".into(),
        protocol_version: Version::new(5, 4),
    };
    match ResultSummary::new(completed, server) {
        Err(error) => format!("{error:?}"),
        Ok(summary) => {
            let times = (
                summary.result_available_after(),
                summary.result_consumed_after(),
            );
            let counters = summary.counters();
            format!(
                "{:?} {:?} {times:?} {} {} {} {:?} {:?} {:?} {:?}",
                summary.query_type(),
                summary.database(),
                summary.has_notifications(),
                counters.contains_updates(),
                counters.contains_system_updates(),
                summary.plan(),
                summary.profile(),
                summary.notifications(),
                summary.gql_status_objects(),
            )
        }
    }
}
