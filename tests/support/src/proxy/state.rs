//! What a proxy knows and was told, shared between its thread and the test.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::fault::{Action, Faults, Hit};
use crate::message::{Direction, Message};

/// What a proxy has counted since it began or since
/// [`reset_counts`](super::Proxy::reset_counts).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Connections that clients opened.
    pub connections: u64,
    /// Bolt handshakes that a server answered. They are not among the round trips.
    pub handshakes: u64,
    /// Bursts of one or more requests that were followed by an answer. Requests that leave
    /// together count once, however many answers they have; a `GOODBYE` at the end has no answer
    /// and counts nothing. Messages of the log-in count as any others.
    pub round_trips: u64,
    /// How many there were of each message, in both directions.
    pub messages: BTreeMap<Message, u64>,
}

impl Counts {
    /// How many of one message.
    pub fn of(&self, message: Message) -> u64 {
        self.messages.get(&message).copied().unwrap_or_default()
    }
}

/// A message that came by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The number of its connection; the first of a proxy is 1.
    pub connection: u64,
    /// What it was.
    pub message: Message,
}

/// What the relays of connections do to all bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Manner {
    pub(super) delay_to_server: Duration,
    pub(super) delay_to_client: Duration,
    pub(super) byte_at_a_time: bool,
    /// Bytes in a second, for each direction of each connection.
    pub(super) bandwidth: Option<u64>,
    pub(super) refuse: bool,
    pub(super) latency: Duration,
}

#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) counts: Counts,
    pub(super) trace: Vec<Seen>,
    pub(super) faults: Faults,
    pub(super) manner: Manner,
    pub(super) opened: u64,
}

/// Everything shared. The channels wake relays that wait.
#[derive(Debug)]
pub(super) struct State {
    book: Mutex<Book>,
    pub(super) black_hole: watch::Sender<bool>,
    /// Each change cuts the connections of that moment.
    pub(super) cut: watch::Sender<u64>,
    /// Each change resets the clients' sides of the connections of that moment.
    pub(super) lost: watch::Sender<u64>,
    pub(super) stop: watch::Sender<bool>,
}

impl State {
    pub(super) fn new() -> Self {
        State {
            book: Mutex::default(),
            black_hole: watch::Sender::new(false),
            cut: watch::Sender::new(0),
            lost: watch::Sender::new(0),
            stop: watch::Sender::new(false),
        }
    }

    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The state of one connection; both of its directions use it.
#[derive(Debug, Default)]
pub(super) struct Connection {
    number: u64,
    /// Whether the server chose a manifest handshake, once it has answered.
    pub(super) manifest: Option<bool>,
    /// A fault stopped all forwarding.
    pub(super) hung: bool,
    /// The client has sent a part of a message.
    pub(super) client_partial: bool,
    /// Requests were sent since the last answer.
    awaiting: bool,
    /// The next request was begun before the last answer came: it belongs to the same burst.
    continues: bool,
    /// For each request without its answer yet: what is to be done instead of forwarding it.
    pending: VecDeque<Option<Hit>>,
}

impl Connection {
    pub(super) fn new(number: u64) -> Self {
        Connection {
            number,
            ..Connection::default()
        }
    }

    /// Counts a message, and says what to do with it instead of forwarding it.
    pub(super) fn meet(&mut self, book: &mut Book, message: Message) -> Option<Hit> {
        *book.counts.messages.entry(message).or_default() += 1;
        book.trace.push(Seen {
            connection: self.number,
            message,
        });
        let hit = book.faults.meet(message);
        let action = hit.map(|hit| hit.action);
        if message.direction() == Direction::ToServer {
            if !std::mem::take(&mut self.continues) {
                self.awaiting = true;
            }
            let answers = match action {
                _ if message == Message::Goodbye => 0,
                Some(Action::Drop) => 0,
                Some(Action::Duplicate) => 2,
                _ => 1,
            };
            let (later, now) = match hit {
                Some(hit) if hit.action == Action::CutAfterAnswer => {
                    let cut = Hit {
                        action: Action::CutBefore,
                        ..hit
                    };
                    (Some(cut), None)
                }
                hit => (None, hit),
            };
            for _ in 0..answers {
                self.pending.push_back(later);
            }
            return now;
        }
        if std::mem::take(&mut self.awaiting) {
            book.counts.round_trips += 1;
            self.continues = self.client_partial;
        }
        if message.ends_answer()
            && let Some(Some(cut)) = self.pending.pop_front()
        {
            return Some(cut);
        }
        hit
    }
}
