//! Real servers, started by this crate.

use std::io::Read;
use std::time::Instant;

use neo_test_support::neo4j::{Line, Server, StartOptions, shared_or_skip};

/// The first four bytes that a server answers to a classic proposal of Bolt 5.4.
fn handshake(address: &str) -> std::io::Result<[u8; 4]> {
    use std::io::Write;
    let mut stream = std::net::TcpStream::connect(address)?;
    let mut hello = vec![0x60, 0x60, 0xB0, 0x17, 0, 0, 4, 5];
    hello.extend_from_slice(&[0; 12]);
    stream.write_all(&hello)?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

#[test]
fn both_lines_answer() {
    for line in Line::ALL {
        let begun = Instant::now();
        let Some(server) = shared_or_skip(line, "both_lines_answer") else {
            continue;
        };
        println!("{} after {:?}", server.uri(), begun.elapsed());
        assert_eq!(handshake(server.address()).unwrap(), [0, 0, 4, 5]);
    }
}

#[test]
fn kill_and_restart() {
    let server = match Server::start(Line::V5_26, StartOptions::default().tls(false)) {
        Ok(server) => server,
        Err(why) => return why.skip_or_fail("kill_and_restart"),
    };
    assert_eq!(server.certificate_pem(), None);
    let uri = server.uri().to_owned();
    server.kill().unwrap();
    handshake(server.address()).unwrap_err();
    server.restart().unwrap();
    assert_eq!(server.uri(), uri);
    assert_eq!(handshake(server.address()).unwrap(), [0, 0, 4, 5]);
}
