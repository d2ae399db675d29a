//! A blocking socket that decodes nothing: what the exchange itself costs.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::replay::{FIVE, INTS, NODES, NOTHING, ONE};
use crate::{Size, Work, timed};

struct Bare {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Bare {
    fn connect(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let mut bare = Self {
            stream,
            buffer: vec![0; 256 * 1024],
        };
        bare.stream.write_all(&[
            0x60, 0x60, 0xB0, 0x17, 0, 8, 8, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ])?;
        bare.stream.read_exact(&mut [0; 4])?;
        bare.exchange(&message(&[0xB1, 0x01, 0xA0]), 1)?;
        Ok(bare)
    }

    /// Sends, and reads until so many SUCCESSes that end something have come.
    fn exchange(&mut self, request: &[u8], answers: usize) -> std::io::Result<()> {
        self.stream.write_all(request)?;
        let (mut seen, mut open) = (0, Vec::new());
        while seen < answers {
            let count = self.stream.read(&mut self.buffer)?;
            if count == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            open.extend_from_slice(&self.buffer[..count]);
            let mut at = 0;
            while let Some(head) = open.get(at..at + 2) {
                let length = usize::from(u16::from_be_bytes([head[0], head[1]]));
                if open.len() < at + 4 + length {
                    break;
                }
                seen += usize::from(open[at + 3] == 0x70);
                at += 4 + length;
            }
            open.drain(..at);
        }
        Ok(())
    }
}

fn message(body: &[u8]) -> Vec<u8> {
    let mut framed = (body.len() as u16).to_be_bytes().to_vec();
    framed.extend(body);
    framed.extend([0, 0]);
    framed
}

/// RUN with no parameters and PULL of everything.
fn run_and_pull(statement: &str) -> Vec<u8> {
    let mut run = vec![0xB3, 0x10, 0x80 | statement.len() as u8];
    run.extend(statement.as_bytes());
    run.extend([0xA0, 0xA0]);
    let mut request = message(&run);
    request.extend(message(&[0xB1, 0x3F, 0xA1, 0x81, b'n', 0xFF]));
    request
}

pub(crate) fn run(
    work: Work,
    address: SocketAddr,
    size: Size,
) -> Result<(Duration, u64), Box<dyn std::error::Error>> {
    let mut bare = Bare::connect(address)?;
    let (statement, times) = match work {
        Work::Ints => (INTS, 1),
        Work::Five => (FIVE, 1),
        Work::Nodes => (NODES, 1),
        Work::PointQueries => (ONE, size.points),
        Work::ParallelQueries => (ONE, size.parallel),
        Work::ManagedTransactions => (ONE, size.transactions),
        Work::ParameterList => (NOTHING, 1),
    };
    let request = run_and_pull(statement);
    let (time, done) = timed(|| (0..times).try_for_each(|_| bare.exchange(&request, 2)));
    done?;
    Ok((time, 0))
}

/// Opens connections that do nothing more; they close when they are dropped. The one buffer that
/// each has here is small.
pub(crate) fn idle_connections(
    address: SocketAddr,
    count: usize,
) -> std::io::Result<Vec<TcpStream>> {
    (0..count)
        .map(|_| {
            let bare = Bare::connect(address)?;
            Ok(bare.stream)
        })
        .collect()
}

/// How often the server allocates to answer a point query.
pub(crate) fn allocations_of_a_query(address: SocketAddr) -> std::io::Result<usize> {
    let mut bare = Bare::connect(address)?;
    let request = run_and_pull(ONE);
    bare.exchange(&request, 2)?;
    let before = crate::allocations::calls();
    // This end allocates once for each exchange.
    (0..1_000).try_for_each(|_| bare.exchange(&request, 2))?;
    Ok((crate::allocations::calls() - before) / 1_000 - 1)
}
