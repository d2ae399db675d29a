//! Messages as chunks: two bytes of length, the chunk, and an empty chunk behind the last.

use bytes::{Buf, Bytes, BytesMut};

/// The longest chunk that two bytes of length can announce.
const MAX_CHUNK: usize = 0xFFFF;

/// A message grew beyond the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLarge;

/// Puts messages together from chunks that arrive in any pieces.
#[derive(Debug)]
pub(super) struct Dechunker {
    message: BytesMut,
    limit: usize,
}

impl Dechunker {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            message: BytesMut::new(),
            limit,
        }
    }

    /// Takes the next whole message out of what has arrived, if there is one. Empty chunks
    /// between messages only keep the connection alive and are passed over.
    pub(super) fn next(&mut self, arrived: &mut BytesMut) -> Result<Option<Bytes>, TooLarge> {
        loop {
            let Some(&[high, low]) = arrived.first_chunk::<2>() else {
                return Ok(None);
            };
            let len = usize::from(u16::from_be_bytes([high, low]));
            if self.message.len() + len > self.limit {
                return Err(TooLarge);
            }
            if arrived.len() < len + 2 {
                return Ok(None);
            }
            arrived.advance(2);
            if len > 0 {
                let chunk = arrived.split_to(len);
                if self.message.is_empty() {
                    self.message = chunk;
                } else {
                    self.message.extend_from_slice(&chunk);
                }
            } else if !self.message.is_empty() {
                return Ok(Some(self.message.split().freeze()));
            }
        }
    }
}

/// Appends a message as chunks.
pub(super) fn write(message: &[u8], out: &mut BytesMut) {
    for chunk in message.chunks(MAX_CHUNK) {
        let len = u16::try_from(chunk.len()).unwrap_or(u16::MAX);
        out.extend_from_slice(&len.to_be_bytes());
        out.extend_from_slice(chunk);
    }
    out.extend_from_slice(&[0, 0]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_any_cut() {
        let long = vec![7_u8; 150_000];
        let mut wire = BytesMut::new();
        wire.extend_from_slice(&[0, 0]);
        write(b"one", &mut wire);
        wire.extend_from_slice(&[0, 0, 0, 1, b't', 0, 2, b'w', b'o', 0, 0]);
        write(&long, &mut wire);
        for step in [1, 2, 3, 70_000, wire.len()] {
            let (mut dechunker, mut arrived) = (Dechunker::new(1 << 20), BytesMut::new());
            let mut messages = Vec::new();
            for piece in wire.chunks(step) {
                arrived.extend_from_slice(piece);
                while let Some(message) = dechunker.next(&mut arrived).unwrap() {
                    messages.push(message);
                }
            }
            assert_eq!(messages, [&b"one"[..], b"two", &long], "step {step}");
        }
    }

    #[test]
    fn a_message_beyond_the_limit_is_refused_before_it_arrives() {
        let mut dechunker = Dechunker::new(100);
        let mut arrived = BytesMut::from(&[0, 101, 1][..]);
        assert_eq!(dechunker.next(&mut arrived), Err(TooLarge));
        let mut dechunker = Dechunker::new(100);
        let mut arrived = BytesMut::new();
        arrived.extend_from_slice(&[0, 60]);
        arrived.extend_from_slice(&[1; 60]);
        assert_eq!(dechunker.next(&mut arrived), Ok(None));
        arrived.extend_from_slice(&[0, 41]);
        assert_eq!(dechunker.next(&mut arrived), Err(TooLarge));
    }
}
