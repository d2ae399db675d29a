//! Messages in chunks: a 16-bit length before each, a length of zero behind the last.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// The largest chunk that the 16-bit length can announce.
const MAX_CHUNK: usize = 0xFFFF;

/// Writes one message at the end of `out`: `write` puts its bytes there, and the chunk headers
/// come around them. A failing `write` leaves `out` as it was.
pub(crate) fn frame<E>(
    out: &mut BytesMut,
    write: impl FnOnce(&mut BytesMut) -> Result<(), E>,
) -> Result<(), E> {
    let start = out.len();
    // Nearly every message fits into one chunk, so room for one header is left before it.
    out.put_u16(0);
    if let Err(error) = write(out) {
        out.truncate(start);
        return Err(error);
    }
    let len = out.len() - start - 2;
    if let Ok(short) = u16::try_from(len) {
        out[start..start + 2].copy_from_slice(&short.to_be_bytes());
    } else {
        let message = out.split_off(start + 2);
        out.truncate(start);
        for chunk in message.chunks(MAX_CHUNK) {
            // A chunk of `chunks(MAX_CHUNK)` fits.
            out.put_u16(u16::try_from(chunk.len()).unwrap_or(u16::MAX));
            out.put_slice(chunk);
        }
    }
    out.put_u16(0);
    Ok(())
}

/// A message grew beyond what is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLarge {
    pub(crate) limit: usize,
}

/// Takes whole messages out of a receive buffer.
///
/// A message of one chunk, as nearly all are, comes out as a slice of the buffer. What is not
/// whole stays where it is, so nothing is lost whenever the reader stops.
#[derive(Debug)]
pub(crate) struct Dechunker {
    /// The chunks so far of a message that has several.
    assembled: BytesMut,
    limit: usize,
}

impl Dechunker {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            assembled: BytesMut::new(),
            limit,
        }
    }

    /// Whether the next byte begins a message.
    pub(crate) fn is_between_messages(&self) -> bool {
        self.assembled.is_empty()
    }

    /// The next whole message, or `None` where more bytes must come.
    pub(crate) fn next(&mut self, buffer: &mut BytesMut) -> Result<Option<Bytes>, TooLarge> {
        loop {
            let [high, low, ..] = buffer[..] else {
                return Ok(None);
            };
            let len = usize::from(u16::from_be_bytes([high, low]));
            if len == 0 {
                buffer.advance(2);
                if self.assembled.is_empty() {
                    // A lone zero keeps the connection alive.
                    continue;
                }
                // Taken whole, so that a large message is not kept when its reader is done.
                return Ok(Some(std::mem::take(&mut self.assembled).freeze()));
            }
            if self.assembled.len() + len > self.limit {
                return Err(TooLarge { limit: self.limit });
            }
            if buffer.len() < 2 + len {
                return Ok(None);
            }
            if self.assembled.is_empty() {
                match buffer.get(2 + len..4 + len) {
                    // The end may be the last two bytes that have not come.
                    None => return Ok(None),
                    Some([0, 0]) => {
                        buffer.advance(2);
                        let message = buffer.split_to(len).freeze();
                        buffer.advance(2);
                        return Ok(Some(message));
                    }
                    Some(_) => {}
                }
            }
            buffer.advance(2);
            self.assembled.extend_from_slice(&buffer[..len]);
            buffer.advance(len);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn framed(message: &[u8]) -> BytesMut {
        let mut out = BytesMut::new();
        let Ok(()) = frame(&mut out, |out| {
            out.put_slice(message);
            Ok::<_, Infallible>(())
        });
        out
    }

    #[test]
    fn messages_of_every_size_come_back() {
        for len in [1, 2, 65_535, 65_536, 200_000] {
            let message: Vec<u8> = (0..=250).cycle().take(len).collect();
            let mut buffer = framed(&message);
            let mut dechunker = Dechunker::new(usize::MAX);
            assert_eq!(dechunker.next(&mut buffer).unwrap().unwrap(), message);
            assert!(buffer.is_empty());
        }
    }

    #[test]
    fn any_cut_of_the_input_gives_the_same_messages() {
        let mut bytes = vec![0, 0];
        bytes.extend_from_slice(&framed(b"one"));
        bytes.extend_from_slice(&[0, 2, b't', b'w', 0, 1, b'o', 0, 0, 0, 0]);
        bytes.extend_from_slice(&framed(b"three"));
        for cut in 0..=bytes.len() {
            let mut dechunker = Dechunker::new(1024);
            let mut buffer = BytesMut::new();
            let mut messages = Vec::new();
            for part in [&bytes[..cut], &bytes[cut..]] {
                buffer.extend_from_slice(part);
                while let Some(message) = dechunker.next(&mut buffer).unwrap() {
                    messages.push(message);
                }
            }
            assert_eq!(messages, [&b"one"[..], b"two", b"three"], "cut at {cut}");
        }
    }

    #[test]
    fn a_message_without_end_is_refused_before_it_is_kept() {
        let mut dechunker = Dechunker::new(10);
        let mut buffer = BytesMut::from(&[0, 6, 1, 2, 3, 4, 5, 6, 0, 6][..]);
        assert_eq!(dechunker.next(&mut buffer), Err(TooLarge { limit: 10 }));
    }

    #[test]
    fn a_failed_write_leaves_nothing_behind() {
        let mut out = BytesMut::from(&b"kept"[..]);
        assert_eq!(
            frame(&mut out, |out| {
                out.put_u8(1);
                Err(7)
            }),
            Err(7)
        );
        assert_eq!(&out[..], b"kept");
    }
}
