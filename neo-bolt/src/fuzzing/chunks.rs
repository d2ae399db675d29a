//! De-chunking, against a plain model of it.

use std::convert::Infallible;

use bytes::{BufMut, BytesMut};

use super::input::{Input, pieces};
use crate::protocol::chunk::{Dechunker, TooLarge, frame};

/// Two bytes of limit, one of cuts, then a stream of chunks.
pub fn chunks(data: &[u8]) {
    let mut input = Input::new(data);
    let limit = usize::from(u16::from_be_bytes([input.byte(), input.byte()]));
    let cut = input.byte();
    let stream = input.rest();
    let expected = model(stream, limit);
    assert_eq!(dechunk(stream, limit, cut), expected, "cut by {cut}");
    assert_eq!(dechunk(stream, limit, 0), expected, "whole");
    if !stream.is_empty() {
        let mut framed = BytesMut::new();
        let Ok(()) = frame(&mut framed, |out| {
            out.put_slice(stream);
            Ok::<_, Infallible>(())
        });
        let back = dechunk(&framed, usize::MAX, cut);
        assert_eq!(back, (vec![stream.to_vec()], None));
    }
}

type Dechunked = (Vec<Vec<u8>>, Option<TooLarge>);

fn dechunk(stream: &[u8], limit: usize, cut: u8) -> Dechunked {
    let mut dechunker = Dechunker::new(limit);
    let mut buffer = BytesMut::new();
    let mut messages = Vec::new();
    for piece in pieces(stream, cut) {
        buffer.extend_from_slice(piece);
        loop {
            match dechunker.next(&mut buffer) {
                Ok(Some(message)) => messages.push(message.to_vec()),
                Ok(None) => break,
                Err(too_large) => return (messages, Some(too_large)),
            }
        }
    }
    (messages, None)
}

/// What the manual says, without a thought of speed.
fn model(mut stream: &[u8], limit: usize) -> Dechunked {
    let (mut messages, mut message) = (Vec::new(), Vec::new());
    while let Some((header, rest)) = stream.split_first_chunk::<2>() {
        let len = usize::from(u16::from_be_bytes(*header));
        if len == 0 {
            if !message.is_empty() {
                messages.push(std::mem::take(&mut message));
            }
            stream = rest;
            continue;
        }
        if message.len() + len > limit {
            return (messages, Some(TooLarge { limit }));
        }
        let Some((chunk, rest)) = rest.split_at_checked(len) else {
            break;
        };
        message.extend_from_slice(chunk);
        stream = rest;
    }
    (messages, None)
}
