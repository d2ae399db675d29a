//! Bolt's handshake and chunked messages, as a stream of whole units.

use crate::message::{Direction, Message};

/// The first bytes of every Bolt connection.
pub(crate) const MAGIC: [u8; 4] = [0x60, 0x60, 0xB0, 0x17];
/// The version that stands for "let us use a manifest".
pub(crate) const MANIFEST: [u8; 4] = [0x00, 0x00, 0x01, 0xFF];

/// A complete piece of one direction of a connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Bytes of the handshake.
    Handshake(Vec<u8>),
    /// An empty chunk between messages: a sign of life.
    Noop(Vec<u8>),
    /// One message: what it is and its bytes with their chunk headers.
    Message(Message, Vec<u8>),
    /// Bytes of a connection that does not speak Bolt, or speaks it under TLS.
    Opaque(Vec<u8>),
}

impl Unit {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Unit::Handshake(bytes)
            | Unit::Noop(bytes)
            | Unit::Message(_, bytes)
            | Unit::Opaque(bytes) => bytes,
        }
    }
}

/// ```text
/// to server: Start ── magic + 4 versions ──▶ Messages
///            Start ── the same with a manifest among them ──▶ Choice
///            Choice ── (the server chose a version) ──▶ Messages
///            Choice ── version + capabilities ──▶ Messages
/// to client: Start ── version ──▶ Messages ; Start ── manifest ──▶ Messages
/// either   : anything else ──▶ Opaque
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Start,
    Choice,
    Messages,
    Opaque,
}

/// Cuts one direction of a connection into units. It holds incomplete units back.
#[derive(Debug)]
pub(crate) struct Framer {
    direction: Direction,
    stage: Stage,
    buffer: Vec<u8>,
    /// Where the bytes begin that were not given out yet.
    start: usize,
}

impl Framer {
    pub(crate) fn new(direction: Direction) -> Self {
        Framer {
            direction,
            stage: Stage::Start,
            buffer: Vec::new(),
            start: 0,
        }
    }

    /// Takes bytes that arrived.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    fn pending(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Whether an incomplete unit is waiting for its rest.
    pub(crate) fn has_partial(&self) -> bool {
        !self.pending().is_empty()
    }

    /// What is left when the connection ends in the middle of a unit.
    pub(crate) fn take_rest(&mut self) -> Vec<u8> {
        self.split(self.pending().len())
    }

    /// The next complete unit. `manifest` says whether the server chose a manifest handshake; it
    /// is needed to read the client's side only, after its first 20 bytes: until it is known
    /// nothing more is given out.
    pub(crate) fn next(&mut self, manifest: Option<bool>) -> Option<Unit> {
        if self.pending().is_empty() {
            return None;
        }
        if self.stage == Stage::Start {
            return self.first();
        }
        if self.stage == Stage::Choice {
            match manifest {
                // Nobody can choose from a manifest before it came.
                None => return None,
                Some(false) => self.stage = Stage::Messages,
                Some(true) => {
                    let capabilities = varint(self.pending().get(4..)?)?;
                    self.stage = Stage::Messages;
                    return Some(Unit::Handshake(self.split(4 + capabilities.1)));
                }
            }
        }
        match self.stage {
            Stage::Opaque => Some(Unit::Opaque(self.take_rest())),
            _ => self.message(),
        }
    }

    fn first(&mut self) -> Option<Unit> {
        if self.direction == Direction::ToServer {
            let known = self.pending().len().min(4);
            if self.pending()[..known] != MAGIC[..known] {
                self.stage = Stage::Opaque;
                return Some(Unit::Opaque(self.take_rest()));
            }
            if self.pending().len() < 20 {
                return None;
            }
            // Who offers no manifest need not wait for the server's choice to be read.
            let offers_manifest = self.pending()[4..20]
                .chunks(4)
                .any(|offer| offer == MANIFEST);
            self.stage = if offers_manifest {
                Stage::Choice
            } else {
                Stage::Messages
            };
            return Some(Unit::Handshake(self.split(20)));
        }
        let answer = self.pending().get(..4)?;
        if answer[0] != 0 {
            // An HTTP server's complaint, most likely.
            self.stage = Stage::Opaque;
            return Some(Unit::Opaque(self.take_rest()));
        }
        let mut len = 4;
        if answer == MANIFEST {
            let (count, count_len) = varint(&self.pending()[4..])?;
            len = usize::try_from(count)
                .ok()?
                .checked_mul(4)?
                .checked_add(4 + count_len)?;
            len += varint(self.pending().get(len..)?)?.1;
        }
        self.stage = Stage::Messages;
        Some(Unit::Handshake(self.split(len)))
    }

    fn message(&mut self) -> Option<Unit> {
        let (mut at, mut head) = (0, Vec::with_capacity(2));
        loop {
            let size = self.pending().get(at..at + 2)?;
            let size = usize::from(u16::from_be_bytes([size[0], size[1]]));
            at += 2;
            if size == 0 {
                break;
            }
            let chunk = self.pending().get(at..at + size)?;
            head.extend(chunk.iter().take(2 - head.len().min(2)));
            at += size;
        }
        let bytes = self.split(at);
        Some(match head.get(1) {
            None if head.is_empty() => Unit::Noop(bytes),
            tag => {
                let tag = tag.copied().unwrap_or_default();
                Unit::Message(Message::from_tag(tag, self.direction), bytes)
            }
        })
    }

    fn split(&mut self, len: usize) -> Vec<u8> {
        let unit = self.pending()[..len].to_vec();
        self.start += len;
        unit
    }
}

/// Reads a base-128 number, low bits first: the number and how many bytes it took.
pub(crate) fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut number = 0_u64;
    for (index, byte) in bytes.iter().enumerate().take(10) {
        number |= u64::from(byte & 0x7F).checked_shl(7 * u32::try_from(index).ok()?)?;
        if byte & 0x80 == 0 {
            return Some((number, index + 1));
        }
    }
    None
}

/// Puts a message into chunks and ends it.
pub(crate) fn chunked(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 4);
    for chunk in message.chunks(usize::from(u16::MAX)) {
        let len = u16::try_from(chunk.len()).unwrap_or(u16::MAX);
        out.extend_from_slice(&len.to_be_bytes());
        out.extend_from_slice(chunk);
    }
    out.extend_from_slice(&[0, 0]);
    out
}

/// The inside of a message's chunks. The argument is what a [`Unit::Message`] holds.
pub(crate) fn dechunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    while let Some((size, rest)) = bytes.split_first_chunk::<2>() {
        let size = usize::from(u16::from_be_bytes(*size)).min(rest.len());
        out.extend_from_slice(&rest[..size]);
        bytes = &rest[size..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All units of `bytes`, fed in pieces of `step` bytes.
    fn units(direction: Direction, manifest: bool, bytes: &[u8], step: usize) -> Vec<Unit> {
        let mut framer = Framer::new(direction);
        let mut units = Vec::new();
        for piece in bytes.chunks(step) {
            framer.feed(piece);
            while let Some(unit) = framer.next(Some(manifest)) {
                units.push(unit);
            }
        }
        assert!(!framer.has_partial());
        units
    }

    #[test]
    fn any_cut_gives_the_same_units() {
        let mut hello = MAGIC.to_vec();
        hello.extend_from_slice(&MANIFEST);
        hello.extend_from_slice(&[0; 12]);
        let mut client = hello.clone();
        client.extend_from_slice(&[0, 0, 0, 6, 0x80, 0x01]); // version 6.0, capabilities 128
        client.extend_from_slice(&[0, 0]); // a sign of life
        client.extend_from_slice(&[0, 1, 0xB1, 0, 2, 0x10, 0x80, 0, 0]); // RUN in two chunks
        client.extend_from_slice(&chunked(&[0xB0, 0x12]));
        let expected = vec![
            Unit::Handshake(hello),
            Unit::Handshake(vec![0, 0, 0, 6, 0x80, 0x01]),
            Unit::Noop(vec![0, 0]),
            Unit::Message(Message::Run, vec![0, 1, 0xB1, 0, 2, 0x10, 0x80, 0, 0]),
            Unit::Message(Message::Commit, vec![0, 2, 0xB0, 0x12, 0, 0]),
        ];
        for step in 1..=client.len() {
            assert_eq!(
                units(Direction::ToServer, true, &client, step),
                expected,
                "step {step}"
            );
        }

        let mut server = MANIFEST.to_vec();
        server.extend_from_slice(&[2, 0, 8, 8, 5, 0, 1, 1, 6, 0x80, 0x00]);
        let handshake = Unit::Handshake(server.clone());
        server.extend_from_slice(&chunked(&[0xB1, 0x70, 0xA0]));
        for step in 1..=server.len() {
            let units = units(Direction::ToClient, true, &server, step);
            assert_eq!(units[0], handshake);
            assert!(matches!(units[1], Unit::Message(Message::Success, _)));
            assert_eq!(units.len(), 2);
        }
    }

    #[test]
    fn chunks_are_undone() {
        let message: Vec<u8> = (0..150_000_u32).map(|i| i.to_be_bytes()[3]).collect();
        let chunks = chunked(&message);
        assert_eq!(chunks.len(), message.len() + 3 * 2 + 2);
        assert_eq!(dechunked(&chunks), message);
    }

    #[test]
    fn what_is_not_bolt_passes() {
        let tls = [0x16, 3, 1, 2, 0];
        let mut framer = Framer::new(Direction::ToServer);
        framer.feed(&tls);
        assert_eq!(framer.next(None), Some(Unit::Opaque(tls.to_vec())));
        let http = units(Direction::ToClient, false, b"HTTP/1.1 400", 12);
        assert_eq!(http, [Unit::Opaque(b"HTTP/1.1 400".to_vec())]);
    }
}
