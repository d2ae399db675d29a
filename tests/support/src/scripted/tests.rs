//! Scripted peers against this crate's own client.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::*;
use crate::client::{Client, Refused};

fn login(peer: &ScriptedPeer) -> Result<Client, Refused> {
    Client::login(peer.address(), "neo4j", "secret")
}

/// Sends bytes and reads what comes until the peer closes.
fn talk(peer: &ScriptedPeer, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(peer.address()).unwrap();
    stream.write_all(bytes).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    all
}

const MANIFEST_HELLO: [u8; 20] = [
    0x60, 0x60, 0xB0, 0x17, 0, 0, 1, 0xFF, 0, 8, 8, 5, 0, 2, 4, 4, 0, 0, 0, 3,
];

#[test]
fn a_query_is_answered_and_recorded() {
    let script = Script::new()
        .login(5, 4)
        .expect(Message::Run)
        .success([("fields", vec!["n".into()])])
        .expect(Message::Pull)
        .record([1])
        .record([2])
        .ok();
    let peer = ScriptedPeer::start([script]).unwrap();
    let mut client = login(&peer).unwrap();
    let records = client
        .run("neo4j", "UNWIND [1, 2] AS n RETURN n", Value::Map(vec![]))
        .unwrap();
    assert_eq!(records, [vec![Value::Integer(1)], vec![Value::Integer(2)]]);
    drop(client);
    let received = peer.finish().unwrap();
    let names: Vec<_> = received.iter().map(|received| received.message).collect();
    assert_eq!(
        names,
        [Message::Hello, Message::Logon, Message::Run, Message::Pull]
    );
    assert_eq!(
        received[2].fields[0].as_str(),
        Some("UNWIND [1, 2] AS n RETURN n")
    );
    assert_eq!(
        received[1].fields[0]
            .get("principal")
            .and_then(Value::as_str),
        Some("neo4j")
    );
}

#[test]
fn failures_reach_the_client() {
    let peer = ScriptedPeer::start([Script::new()
        .version(5, 4)
        .expect(Message::Hello)
        .failure("Neo.ClientError.Security.Unauthorized", "wrong")])
    .unwrap();
    match login(&peer) {
        Err(Refused::Server(code, message)) => {
            assert_eq!(
                (&*code, &*message),
                ("Neo.ClientError.Security.Unauthorized", "wrong")
            );
        }
        other => panic!("{:?}", other.err()),
    }
    peer.finish().unwrap();
}

#[test]
fn a_deviation_says_what_was_expected_and_what_came() {
    let peer = ScriptedPeer::start([Script::new().login(5, 4).expect(Message::Begin)]).unwrap();
    let mut client = login(&peer).unwrap();
    client
        .run("neo4j", "RETURN 1", Value::Map(vec![]))
        .unwrap_err();
    let deviation = peer.finish().unwrap_err();
    assert_eq!((deviation.connection, deviation.step), (1, 6));
    let text = deviation.to_string();
    assert!(
        text.contains("expected BEGIN; RUN [String(\"RETURN 1\")"),
        "{text}"
    );
}

#[test]
fn more_than_the_script_is_a_deviation() {
    let peer = ScriptedPeer::start([Script::new().login(5, 4)]).unwrap();
    let mut client = login(&peer).unwrap();
    client
        .run("neo4j", "RETURN 1", Value::Map(vec![]))
        .unwrap_err();
    let text = peer.finish().unwrap_err().to_string();
    assert!(text.contains("the script is over; RUN"), "{text}");

    let peer = ScriptedPeer::start([Script::new().login(5, 4)]).unwrap();
    drop((login(&peer).unwrap(), login(&peer).err().unwrap()));
    assert_eq!(peer.finish().unwrap_err().came, "one more was opened");
}

#[test]
fn a_version_that_is_not_offered_is_a_deviation() {
    let peer = ScriptedPeer::start([Script::new().login(4, 4)]).unwrap();
    assert!(login(&peer).is_err());
    let text = peer.finish().unwrap_err().to_string();
    assert!(
        text.contains("expected an offer of Bolt 4.4; the offers are"),
        "{text}"
    );
}

#[test]
fn a_manifest_is_offered_and_chosen_from() {
    let mut choice = MANIFEST_HELLO.to_vec();
    choice.extend_from_slice(&[0, 0, 8, 5, 0]);
    let manifest = Script::new().manifest(5, 8);
    let peer = ScriptedPeer::start([manifest.clone().failure("Neo.X", "y")]).unwrap();
    let came = talk(&peer, &choice);
    assert_eq!(came[..10], [0, 0, 1, 0xFF, 1, 0, 0, 8, 5, 0]);
    assert!(
        came.windows(10).any(|part| part == b"neo4j_code"),
        "the newer shape of failures"
    );
    peer.finish().unwrap();

    choice[22] = 7;
    let peer = ScriptedPeer::start([manifest]).unwrap();
    talk(&peer, &choice);
    let text = peer.finish().unwrap_err().to_string();
    assert!(
        text.contains("expected a choice from the manifest"),
        "{text}"
    );
}

#[test]
fn peers_that_speak_no_bolt() {
    let scripts = [
        Script::new().http(),
        Script::new().no_version().close(),
        Script::new()
            .step(Step::ReadHandshake)
            .raw(b"garbage!".as_slice())
            .close(),
        Script::new().step(Step::ReadHandshake).close(),
    ];
    let peer = ScriptedPeer::start(scripts).unwrap();
    assert!(talk(&peer, &MANIFEST_HELLO).starts_with(b"HTTP/1.1 400 Bad Request\r\n"));
    assert_eq!(talk(&peer, &MANIFEST_HELLO), [0; 4]);
    assert_eq!(talk(&peer, &MANIFEST_HELLO), b"garbage!");
    assert_eq!(talk(&peer, &MANIFEST_HELLO), b"");
    peer.finish().unwrap();
}

#[test]
fn a_hanging_peer_says_nothing() {
    let peer = ScriptedPeer::start([Script::new().step(Step::ReadHandshake).hang()]).unwrap();
    let begun = Instant::now();
    assert_eq!(talk(&peer, &MANIFEST_HELLO), b"");
    assert!(begun.elapsed() >= Duration::from_millis(300), "it closed");
    peer.finish().unwrap();
}
