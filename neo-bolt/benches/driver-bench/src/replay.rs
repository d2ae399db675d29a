//! A Bolt server that sends canned bytes, so that the client is what is measured. One thread a
//! connection; it understands just enough to know what is asked for.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

/// What a statement's text begins with, and what it is answered with.
pub(crate) const ONE: &str = "one";
pub(crate) const INTS: &str = "ints";
pub(crate) const FIVE: &str = "five";
pub(crate) const NODES: &str = "nodes";
pub(crate) const NOTHING: &str = "nothing";

pub(crate) const INT_COUNT: usize = 1_000_000;
pub(crate) const FIVE_COUNT: usize = 300_000;
pub(crate) const NODE_COUNT: usize = 100_000;

/// How many records of a kind there are.
fn count_of(statement: &str) -> usize {
    if let Some(count) = statement.strip_prefix("ints ") {
        return count.parse().unwrap_or(INT_COUNT);
    }
    match statement {
        ONE => 1,
        INTS => INT_COUNT,
        FIVE => FIVE_COUNT,
        NODES => NODE_COUNT,
        _ => 0,
    }
}

/// The record `index` of a kind, with its chunk's frame; the same for each thousand.
fn record(statement: &str, index: usize, version: (u8, u8)) -> Vec<u8> {
    let mut body = vec![0xB1, 0x71];
    if statement.starts_with(INTS) {
        body.push(0x91);
        int(&mut body, index);
    } else {
        match statement {
            FIVE => five(&mut body, index),
            NODES => node(&mut body, index, version),
            _ => body.extend([0x91, 1]),
        }
    }
    frame(&body)
}

fn five(body: &mut Vec<u8>, index: usize) {
    body.push(0x95);
    int(body, index);
    body.push(0xC1);
    body.extend((index as f64 * 0.5).to_be_bytes());
    text(body, &format!("person number {index}"));
    body.push(if index.is_multiple_of(2) { 0xC3 } else { 0xC2 });
    text(body, "a short text");
}

fn node(body: &mut Vec<u8>, index: usize, version: (u8, u8)) {
    let has_element_id = version >= (5, 0);
    body.extend([0x91, if has_element_id { 0xB4 } else { 0xB3 }, 0x4E]);
    int(body, index);
    body.push(0x91);
    text(body, "Person");
    body.push(0xA6);
    text(body, "name");
    text(body, &format!("person number {index}"));
    text(body, "born");
    int(body, 1900 + index % 100);
    text(body, "score");
    body.push(0xC1);
    body.extend((index as f64).to_be_bytes());
    text(body, "active");
    body.push(0xC3);
    text(body, "email");
    text(body, &format!("person{index}@example.com"));
    text(body, "city");
    text(body, "Malmo");
    if has_element_id {
        text(
            body,
            &format!("4:00000000-0000-0000-0000-000000000000:{index}"),
        );
    }
}

fn int(body: &mut Vec<u8>, number: usize) {
    let number = number as i64;
    match number {
        0..=127 => body.push(number as u8),
        128..=32_767 => {
            body.push(0xC9);
            body.extend((number as i16).to_be_bytes());
        }
        _ => {
            body.push(0xCA);
            body.extend((number as i32).to_be_bytes());
        }
    }
}

fn text(body: &mut Vec<u8>, text: &str) {
    match text.len() {
        length @ 0..=15 => body.push(0x80 | length as u8),
        length => body.extend([0xD0, length as u8]),
    }
    body.extend(text.as_bytes());
}

fn frame(body: &[u8]) -> Vec<u8> {
    let mut framed = (body.len() as u16).to_be_bytes().to_vec();
    framed.extend(body);
    framed.extend([0, 0]);
    framed
}

fn success(entries: &[(&str, Entry<'_>)]) -> Vec<u8> {
    let mut body = vec![0xB1, 0x70, 0xA0 | entries.len() as u8];
    for (key, entry) in entries {
        text(&mut body, key);
        match entry {
            Entry::Text(value) => text(&mut body, value),
            Entry::True => body.push(0xC3),
            Entry::Int(number) => int(&mut body, *number),
            Entry::Texts(texts) => {
                body.push(0x90 | texts.len() as u8);
                texts.iter().for_each(|value| text(&mut body, value));
            }
        }
    }
    frame(&body)
}

enum Entry<'a> {
    Text(&'a str),
    True,
    Int(usize),
    Texts(&'a [&'a str]),
}

fn columns(statement: &str) -> &'static [&'static str] {
    match statement {
        FIVE => &["id", "score", "name", "active", "note"],
        NOTHING => &[],
        _ => &["n"],
    }
}

/// A thousand records of a kind in one piece.
struct Block {
    bytes: Vec<u8>,
    /// Where each record begins, and the end.
    starts: Vec<usize>,
}

impl Block {
    fn new(statement: &str, version: (u8, u8)) -> Self {
        let (mut bytes, mut starts) = (Vec::new(), vec![0]);
        for index in 0..1000 {
            bytes.extend(record(statement, index, version));
            starts.push(bytes.len());
        }
        Self { bytes, starts }
    }
}

/// Starts a server; it lives as long as the program.
pub(crate) fn start() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                // A client that goes away ends its connection.
                let _ = serve(stream);
            });
        }
    });
    Ok(address)
}

fn serve(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut handshake = [0; 20];
    stream.read_exact(&mut handshake)?;
    let version = choose(&handshake[4..]);
    stream.write_all(&[0, 0, version.1, version.0])?;
    let mut input = Input {
        stream: stream.try_clone()?,
        buffer: Vec::new(),
        taken: 0,
    };
    let mut block: Option<(String, Arc<Block>)> = None;
    let mut left = 0;
    let mut output = Vec::new();
    while let Some(message) = input.next(&mut stream, &mut output)? {
        let tag = message.get(1).copied().unwrap_or(0);
        match tag {
            0x01 => output.extend(success(&[
                ("server", Entry::Text("Neo4j/5.26.0")),
                ("connection_id", Entry::Text("bolt-1")),
            ])),
            0x02 => return Ok(()),
            0x10 => {
                let statement = statement(&message);
                left = count_of(&statement);
                if block.as_ref().is_none_or(|(known, _)| *known != statement) {
                    let new = Arc::new(Block::new(&statement, version));
                    block = Some((statement.clone(), new));
                }
                output.extend(success(&[
                    ("fields", Entry::Texts(columns(&statement))),
                    ("t_first", Entry::Int(0)),
                    ("qid", Entry::Int(0)),
                ]));
            }
            0x3F => {
                let wanted = wanted(&message).unwrap_or(left).min(left);
                if let Some((_, block)) = &block {
                    send(&mut stream, &mut output, block, wanted)?;
                }
                left -= wanted;
                if left > 0 {
                    output.extend(success(&[("has_more", Entry::True)]));
                } else {
                    output.extend(success(&[
                        ("type", Entry::Text("r")),
                        ("t_last", Entry::Int(0)),
                        ("db", Entry::Text("neo4j")),
                    ]));
                }
            }
            0x2F => {
                left = 0;
                output.extend(success(&[("type", Entry::Text("r"))]));
            }
            0x12 => output.extend(success(&[("bookmark", Entry::Text("bookmark:1"))])),
            // LOGON, BEGIN, ROLLBACK, RESET and the rest.
            _ => output.extend(success(&[])),
        }
    }
    Ok(())
}

/// The newest version that is offered; 5.8 and 4.4 are known.
fn choose(offers: &[u8]) -> (u8, u8) {
    let offered = offers
        .chunks_exact(4)
        .filter(|offer| offer[3] == 5)
        .map(|offer| (5, offer[2].min(8)))
        .max();
    offered.unwrap_or((4, 4))
}

fn statement(message: &[u8]) -> String {
    let (start, length) = match message.get(2) {
        Some(0xD0) => (4, usize::from(message[3])),
        Some(marker) => (3, usize::from(marker & 0x0F)),
        None => (0, 0),
    };
    let text = message.get(start..start + length).unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

/// The `n` of a PULL; `None` for all.
fn wanted(message: &[u8]) -> Option<usize> {
    let at = message.windows(2).position(|pair| pair == [0x81, b'n'])? + 2;
    match *message.get(at)? {
        small @ 0..=127 => Some(small.into()),
        0xC8 => Some(usize::from(*message.get(at + 1)?)),
        0xC9 => Some(usize::from(u16::from_be_bytes([
            *message.get(at + 1)?,
            *message.get(at + 2)?,
        ]))),
        0xCA => {
            let bytes = message.get(at + 1..at + 5)?.try_into().ok()?;
            usize::try_from(u32::from_be_bytes(bytes)).ok()
        }
        _ => None,
    }
}

fn send(
    stream: &mut TcpStream,
    output: &mut Vec<u8>,
    block: &Block,
    mut count: usize,
) -> io::Result<()> {
    while count >= 1000 {
        stream.write_all(output)?;
        output.clear();
        stream.write_all(&block.bytes)?;
        count -= 1000;
    }
    output.extend(&block.bytes[..block.starts[count]]);
    Ok(())
}

struct Input {
    stream: TcpStream,
    buffer: Vec<u8>,
    taken: usize,
}

impl Input {
    /// The next message. What has been answered leaves before more is waited for.
    fn next(&mut self, out: &mut TcpStream, output: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
        let mut message = Vec::new();
        loop {
            let rest = &self.buffer[self.taken..];
            if rest.len() >= 2 {
                let length = usize::from(u16::from_be_bytes([rest[0], rest[1]]));
                if rest.len() >= 2 + length {
                    // Only the beginning of large messages is looked at.
                    if message.len() < 4096 {
                        message.extend(&rest[2..2 + length]);
                    }
                    self.taken += 2 + length;
                    if length == 0 && !message.is_empty() {
                        return Ok(Some(message));
                    }
                    continue;
                }
            }
            self.buffer.drain(..self.taken);
            self.taken = 0;
            out.write_all(output)?;
            output.clear();
            let start = self.buffer.len();
            self.buffer.resize(start + 64 * 1024, 0);
            let count = self.stream.read(&mut self.buffer[start..])?;
            self.buffer.truncate(start + count);
            if count == 0 {
                return Ok(None);
            }
        }
    }
}
