//! Playing one script on one connection.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::script::{Range, Script, Step};
use super::{Deviation, PATIENCE, Received, Stage};
use crate::framing::{Framer, MANIFEST, Unit, chunked, dechunked, varint};
use crate::message::{Direction, Message};
use crate::packstream::Value;

/// How often a waiting player looks whether it is to stop.
const TICK: Duration = Duration::from_millis(20);

const HTTP: &str = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n\
                    Connection: close\r\n\r\nBad Request";

pub(super) fn play(stream: TcpStream, number: usize, script: &Script, stage: &Stage) {
    let mut player = Player {
        stream,
        number,
        stage,
        framer: Framer::new(Direction::ToServer),
        manifest: false,
        version: (0, 0),
    };
    let mut step = 0;
    let mut played = false;
    let result = player.run(script, &mut step, &mut played);
    if let Err(Trouble { expected, came }) = result {
        stage.deviate(Deviation {
            connection: number,
            step: step + 1,
            expected,
            came,
        });
    }
    // What the client has not read yet still arrives; a plain drop with unread bytes would reset.
    let _ = player.stream.shutdown(Shutdown::Write);
}

struct Trouble {
    expected: String,
    came: String,
}

fn trouble(expected: impl Into<String>, came: impl Into<String>) -> Trouble {
    Trouble {
        expected: expected.into(),
        came: came.into(),
    }
}

struct Player<'a> {
    stream: TcpStream,
    number: usize,
    stage: &'a Stage,
    framer: Framer,
    manifest: bool,
    version: (u8, u8),
}

/// What reading found.
enum Came {
    Unit(Unit),
    /// The client closed, or the connection broke: how.
    End(String),
    /// Nothing in time.
    Nothing,
    /// The test is over.
    Stopped,
}

impl Player<'_> {
    fn run(&mut self, script: &Script, at: &mut usize, played: &mut bool) -> Result<(), Trouble> {
        let setup = |error: io::Error| trouble("a working connection", error.to_string());
        self.stream.set_nodelay(true).map_err(setup)?;
        self.stream.set_read_timeout(Some(TICK)).map_err(setup)?;
        for (index, step) in script.steps.iter().enumerate() {
            *at = index;
            match step {
                Step::Close => {
                    self.played(played);
                    return Ok(());
                }
                Step::Hang => {
                    self.played(played);
                    while !self.stage.stopped() {
                        thread::sleep(TICK);
                    }
                    return Ok(());
                }
                Step::IgnoreRest => {
                    self.played(played);
                    while let Came::Unit(unit) = self.read(None) {
                        self.record(unit)?;
                    }
                    return Ok(());
                }
                step => self.step(step)?,
            }
        }
        *at = script.steps.len();
        self.played(played);
        loop {
            match self.read(None) {
                Came::Unit(Unit::Message(Message::Goodbye, bytes)) => {
                    self.record(Unit::Message(Message::Goodbye, bytes))?;
                }
                Came::Unit(unit) => {
                    let came = describe(&unit);
                    self.record(unit)?;
                    return Err(trouble("nothing more, the script is over", came));
                }
                Came::End(_) | Came::Nothing | Came::Stopped => return Ok(()),
            }
        }
    }

    fn played(&self, played: &mut bool) {
        if !std::mem::replace(played, true) {
            self.stage.report().played += 1;
            self.stage.changed.notify_all();
        }
    }

    fn step(&mut self, step: &Step) -> Result<(), Trouble> {
        match step {
            Step::ReadHandshake => self.handshake().map(drop),
            Step::AnswerHandshake(answer) => {
                self.handshake()?;
                self.write(answer)
            }
            Step::Version(major, minor) => self.choose(*major, *minor),
            Step::Manifest(ranges, capabilities) => self.offer(ranges, *capabilities),
            Step::Expect(message) => self.expect(*message),
            Step::Message(bytes) => self.write(&chunked(bytes)),
            Step::Failure(code, message) => self.write(&failure(self.version, code, message)),
            Step::Raw(bytes) => self.write(bytes),
            Step::Http => {
                self.some_bytes()?;
                self.write(HTTP.as_bytes())
            }
            Step::Pause(time) => {
                thread::sleep(*time);
                Ok(())
            }
            // These end a script; `run` has seen to them.
            Step::Hang | Step::IgnoreRest | Step::Close => Ok(()),
        }
    }

    /// The client's 20 bytes: four offers.
    fn handshake(&mut self) -> Result<Vec<[u8; 4]>, Trouble> {
        match self.read(Some(PATIENCE)) {
            Came::Unit(Unit::Handshake(bytes)) => {
                Ok(bytes.as_chunks::<4>().0.iter().skip(1).copied().collect())
            }
            came => Err(trouble("a Bolt handshake", self.unexpected(came))),
        }
    }

    fn choose(&mut self, major: u8, minor: u8) -> Result<(), Trouble> {
        let offers = self.handshake()?;
        let has = |offer: &[u8; 4]| Range::from_bytes(offer).is_some_and(|r| r.has(major, minor));
        if !offers.iter().any(has) {
            let came = format!("the offers are {offers:02X?}");
            return Err(trouble(format!("an offer of Bolt {major}.{minor}"), came));
        }
        self.version = (major, minor);
        self.write(&[0, 0, minor, major])
    }

    fn offer(&mut self, ranges: &[Range], capabilities: u64) -> Result<(), Trouble> {
        let offers = self.handshake()?;
        if !offers.contains(&MANIFEST) {
            let came = format!("the offers are {offers:02X?}");
            return Err(trouble("an offer of a manifest", came));
        }
        let mut answer = MANIFEST.to_vec();
        push_varint(u64::try_from(ranges.len()).unwrap_or(u64::MAX), &mut answer);
        ranges
            .iter()
            .for_each(|range| answer.extend_from_slice(&range.bytes()));
        push_varint(capabilities, &mut answer);
        self.manifest = true;
        self.write(&answer)?;
        let expected = "a choice from the manifest";
        let bytes = match self.read(Some(PATIENCE)) {
            Came::Unit(Unit::Handshake(bytes)) => bytes,
            came => return Err(trouble(expected, self.unexpected(came))),
        };
        let (choice, wanted) = (&bytes[..4], varint(&bytes[4..]).map_or(0, |(bits, _)| bits));
        let fits = |r: &Range| choice[..2] == [0, 0] && r.has(choice[3], choice[2]);
        if !ranges.iter().any(fits) || wanted & !capabilities != 0 {
            return Err(trouble(expected, format!("the choice is {bytes:02X?}")));
        }
        self.version = (choice[3], choice[2]);
        Ok(())
    }

    fn expect(&mut self, message: Message) -> Result<(), Trouble> {
        loop {
            match self.read(Some(PATIENCE)) {
                Came::Unit(Unit::Noop(_)) => {}
                Came::Unit(Unit::Message(came, bytes)) if came == message => {
                    return self.record(Unit::Message(came, bytes));
                }
                Came::Unit(unit) => {
                    let came = describe(&unit);
                    self.record(unit)?;
                    return Err(trouble(message.to_string(), came));
                }
                came => return Err(trouble(message.to_string(), self.unexpected(came))),
            }
        }
    }

    fn record(&mut self, unit: Unit) -> Result<(), Trouble> {
        let Unit::Message(message, bytes) = unit else {
            return Ok(());
        };
        let fields = match Value::decode(&dechunked(&bytes)) {
            Ok(Value::Struct(_, fields)) => fields,
            Ok(other) => return Err(trouble("a message", format!("{other:?} came"))),
            Err(error) => {
                let came = format!("{message} can't be read: {error}; bytes {bytes:02X?}");
                return Err(trouble("a message", came));
            }
        };
        self.stage.report().received.push(Received {
            connection: self.number,
            message,
            fields,
        });
        Ok(())
    }

    fn some_bytes(&mut self) -> Result<(), Trouble> {
        match self.receive(Some(PATIENCE)) {
            None => {
                self.framer.take_rest();
                Ok(())
            }
            Some(came) => Err(trouble("a request", self.unexpected(came))),
        }
    }

    /// The next unit, waiting for so long, or until the test is over.
    fn read(&mut self, patience: Option<Duration>) -> Came {
        loop {
            if let Some(unit) = self.framer.next(Some(self.manifest)) {
                return Came::Unit(unit);
            }
            if let Some(end) = self.receive(patience) {
                return end;
            }
        }
    }

    /// Takes bytes from the socket; something else than bytes is the answer.
    fn receive(&mut self, patience: Option<Duration>) -> Option<Came> {
        let deadline = patience.map(|patience| Instant::now() + patience);
        let mut buffer = [0; 16 * 1024];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Some(Came::End("the client closed the connection".into())),
                Ok(len) => {
                    self.framer.feed(&buffer[..len]);
                    return None;
                }
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock
                            | io::ErrorKind::TimedOut
                            | io::ErrorKind::Interrupted
                    ) => {}
                Err(error) => return Some(Came::End(format!("the connection broke: {error}"))),
            }
            if self.stage.stopped() {
                return Some(Came::Stopped);
            }
            if deadline.is_some_and(|deadline| Instant::now() > deadline) {
                return Some(Came::Nothing);
            }
        }
    }

    fn unexpected(&mut self, came: Came) -> String {
        let rest = self.framer.take_rest();
        let after = match rest.is_empty() {
            true => String::new(),
            false => format!(" after the bytes {rest:02X?}"),
        };
        match came {
            Came::Unit(unit) => describe(&unit),
            Came::End(how) => format!("{how}{after}"),
            Came::Nothing => format!("nothing came in {PATIENCE:?}{after}"),
            Came::Stopped => format!("the test ended{after}"),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        self.stream
            .write_all(bytes)
            .map_err(|error| trouble("the client to take an answer", error.to_string()))
    }
}

fn describe(unit: &Unit) -> String {
    match unit {
        Unit::Message(message, bytes) => match Value::decode(&dechunked(bytes)) {
            Ok(Value::Struct(_, fields)) => format!("{message} {fields:?} came"),
            _ => format!("{message} with the bytes {bytes:02X?} came"),
        },
        other => format!("{other:02X?} came"),
    }
}

fn failure(version: (u8, u8), code: &str, message: &str) -> Vec<u8> {
    let metadata = if version < (5, 7) {
        Value::map([("code", code), ("message", message)])
    } else {
        let status = "50N42";
        let description =
            format!("error: general processing exception - unexpected error. {message}");
        Value::map([
            ("neo4j_code", Value::from(code)),
            ("message", message.into()),
            ("gql_status", status.into()),
            ("description", description.into()),
            (
                "diagnostic_record",
                Value::map([
                    ("OPERATION", ""),
                    ("OPERATION_CODE", "0"),
                    ("CURRENT_SCHEMA", "/"),
                ]),
            ),
        ])
    };
    chunked(&Value::Struct(Message::Failure.tag(), vec![metadata]).encode())
}

fn push_varint(mut number: u64, out: &mut Vec<u8>) {
    loop {
        let low = u8::try_from(number & 0x7F).unwrap_or_default();
        number >>= 7;
        if number == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}
