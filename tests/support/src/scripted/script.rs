//! What a scripted peer is to do.

use std::time::Duration;

use crate::message::Message;
use crate::packstream::Value;

/// One step of a script.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Step {
    /// Reads a handshake's 20 bytes and answers nothing.
    ReadHandshake,
    /// Reads a handshake that offers this version, and chooses it.
    Version(u8, u8),
    /// Reads a handshake, whatever it offers, and answers these 4 bytes.
    AnswerHandshake([u8; 4]),
    /// Reads a handshake that offers a manifest, answers one with these ranges and capabilities,
    /// and reads the client's choice, which must be in the ranges.
    Manifest(Vec<Range>, u64),
    /// Reads a message, which must be this one.
    Expect(Message),
    /// Sends a message: its structure's bytes are put into chunks.
    Message(Vec<u8>),
    /// Sends a `FAILURE` in the shape of the version that was chosen: code and message.
    Failure(String, String),
    /// Sends bytes as they are.
    Raw(Vec<u8>),
    /// Reads some bytes, whatever they are, and answers as an HTTP server would.
    Http,
    /// Waits.
    Pause(Duration),
    /// Neither reads nor writes any more, but stays open until the peer is finished.
    Hang,
    /// Reads and records whatever comes, answering nothing, until the client closes.
    IgnoreRest,
    /// Closes the connection.
    Close,
}

/// Versions that a manifest offers: `major.minor` and so many minors below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The major version.
    pub major: u8,
    /// The newest minor version.
    pub minor: u8,
    /// How many minor versions below that one are meant too.
    pub below: u8,
}

impl Range {
    pub(super) fn bytes(self) -> [u8; 4] {
        [0, self.below, self.minor, self.major]
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Range> {
        match *bytes {
            [0, below, minor, major] if major != 0 && bytes != [0, 0, 1, 0xFF] => Some(Range {
                major,
                minor,
                below,
            }),
            _ => None,
        }
    }

    pub(super) fn has(self, major: u8, minor: u8) -> bool {
        let oldest = self.minor.saturating_sub(self.below);
        self.major == major && (oldest..=self.minor).contains(&minor)
    }
}

/// What the peer does on one connection, step by step. After the last step the client may say
/// `GOODBYE` and close; anything else is a deviation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Script {
    pub(super) steps: Vec<Step>,
}

impl Script {
    /// An empty script.
    pub fn new() -> Self {
        Script::default()
    }

    /// Adds any step.
    pub fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// The steps so far.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Handshake by the classic way, choosing a version that the client must offer.
    pub fn version(self, major: u8, minor: u8) -> Self {
        self.step(Step::Version(major, minor))
    }

    /// Handshake by a manifest that offers one version, without capabilities.
    pub fn manifest(self, major: u8, minor: u8) -> Self {
        self.step(Step::Manifest(
            vec![Range {
                major,
                minor,
                below: 0,
            }],
            0,
        ))
    }

    /// Handshake in which no version suits the server.
    pub fn no_version(self) -> Self {
        self.step(Step::AnswerHandshake([0; 4]))
    }

    /// Handshake and log-in of a version: `HELLO`, and `LOGON` where it exists (5.1 and newer),
    /// each answered by `SUCCESS`. From 5.7 on the handshake is by manifest.
    pub fn login(self, major: u8, minor: u8) -> Self {
        let greeted = match (major, minor) {
            (0..=4, _) | (5, 0..=6) => self.version(major, minor),
            _ => self.manifest(major, minor),
        };
        let server = format!("Neo4j/{major}.{minor}.0");
        let hello = greeted.expect(Message::Hello).success([
            ("server", Value::from(server)),
            ("connection_id", Value::from("bolt-1")),
            ("hints", Value::Map(vec![])),
        ]);
        match (major, minor) {
            (0..=4, _) | (5, 0) => hello,
            _ => hello.expect(Message::Logon).ok(),
        }
    }

    /// Reads a message, which must be this one.
    pub fn expect(self, message: Message) -> Self {
        self.step(Step::Expect(message))
    }

    /// Reads these messages one after the other.
    pub fn expect_all(self, messages: impl IntoIterator<Item = Message>) -> Self {
        messages.into_iter().fold(self, Script::expect)
    }

    /// Sends a `SUCCESS` with metadata.
    pub fn success<K: Into<String>, V: Into<Value>>(
        self,
        metadata: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.send(Message::Success, vec![Value::map(metadata)])
    }

    /// Sends a `SUCCESS` without metadata.
    pub fn ok(self) -> Self {
        self.send(Message::Success, vec![Value::Map(vec![])])
    }

    /// Sends a `RECORD`.
    pub fn record<V: Into<Value>>(self, values: impl IntoIterator<Item = V>) -> Self {
        self.send(Message::Record, vec![Value::list(values)])
    }

    /// Sends a `FAILURE`, in the shape of the version that was chosen.
    pub fn failure(self, code: &str, message: &str) -> Self {
        self.step(Step::Failure(code.into(), message.into()))
    }

    /// Sends an `IGNORED`.
    pub fn ignored(self) -> Self {
        self.send(Message::Ignored, vec![])
    }

    /// Sends any message with these fields.
    pub fn send(self, message: Message, fields: Vec<Value>) -> Self {
        self.step(Step::Message(Value::Struct(message.tag(), fields).encode()))
    }

    /// Sends bytes as they are, without chunks: garbage, or half a message.
    pub fn raw(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.step(Step::Raw(bytes.into()))
    }

    /// Answers as an HTTP server does to a request that it can't read, and closes.
    pub fn http(self) -> Self {
        self.step(Step::Http).close()
    }

    /// Waits.
    pub fn pause(self, time: Duration) -> Self {
        self.step(Step::Pause(time))
    }

    /// Stays open and says nothing more.
    pub fn hang(self) -> Self {
        self.step(Step::Hang)
    }

    /// Records whatever comes from here on and answers nothing.
    pub fn ignore_rest(self) -> Self {
        self.step(Step::IgnoreRest)
    }

    /// Closes the connection.
    pub fn close(self) -> Self {
        self.step(Step::Close)
    }
}
