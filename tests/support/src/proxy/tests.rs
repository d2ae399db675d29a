//! The proxy between this crate's own client and scripted peers.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use super::*;
use crate::client::Client;
use crate::packstream::Value;
use crate::scripted::{Received, Script, ScriptedPeer};

fn map() -> Value {
    Value::Map(vec![])
}

/// The requests of one managed transaction, as they leave in one flush.
fn transaction() -> [(Message, Vec<Value>); 4] {
    [
        (Message::Begin, vec![map()]),
        (Message::Run, vec!["RETURN 1".into(), map(), map()]),
        (Message::Pull, vec![Value::map([("n", -1)])]),
        (Message::Commit, vec![]),
    ]
}

/// A peer that plays `script` after a log-in, the proxy before it, and a client that is logged in.
fn set_up(script: impl FnOnce(Script) -> Script) -> (ScriptedPeer, Proxy, Client) {
    let peer = ScriptedPeer::start([script(Script::new().login(5, 4))]).unwrap();
    let proxy = Proxy::start(&peer.uri()).unwrap();
    let client = Client::login(proxy.address(), "neo4j", "secret").unwrap();
    (peer, proxy, client)
}

/// A peer that reads the transaction and answers it.
fn answered(script: Script) -> Script {
    let requests = transaction().map(|(message, _)| message);
    script
        .expect_all(requests)
        .ok()
        .ok()
        .record([1])
        .ok()
        .success([("bookmark", "b")])
}

fn messages(received: &[Received]) -> Vec<Message> {
    received
        .iter()
        .skip(2)
        .map(|received| received.message)
        .collect()
}

/// Everything that reaches the client until the connection ends.
fn answers(client: &mut Client) -> Vec<Message> {
    std::iter::from_fn(|| client.answer().ok().map(|(message, _)| message)).collect()
}

#[test]
fn a_burst_is_one_round_trip() {
    let (peer, proxy, mut client) = set_up(|script| {
        answered(script)
            .expect(Message::Reset)
            .ok()
            .expect(Message::Run)
            .failure("Neo.X", "no")
    });
    let counts = proxy.counts();
    assert_eq!(
        (counts.connections, counts.handshakes, counts.round_trips),
        (1, 1, 2)
    );
    assert_eq!(
        (counts.of(Message::Hello), counts.of(Message::Logon)),
        (1, 1)
    );
    proxy.reset_counts();

    client.send(&transaction()).unwrap();
    for _ in 0..5 {
        client.answer().unwrap();
    }
    let counts = proxy.counts();
    assert_eq!((counts.connections, counts.round_trips), (0, 1));
    assert_eq!(
        (counts.of(Message::Commit), counts.of(Message::Success)),
        (1, 4)
    );
    assert_eq!(
        (counts.of(Message::Record), counts.of(Message::Failure)),
        (1, 0)
    );
    assert_eq!(
        proxy.trace()[3],
        Seen {
            connection: 1,
            message: Message::Commit
        }
    );

    for message in [Message::Reset, Message::Run] {
        client.send(&[(message, vec![])]).unwrap();
        client.answer().unwrap();
    }
    assert_eq!(proxy.counts().round_trips, 3);
    client.send(&[(Message::Goodbye, vec![])]).unwrap();
    drop(client);
    peer.finish().unwrap();
    assert_eq!(proxy.counts().round_trips, 3);
}

#[test]
fn a_burst_may_arrive_in_pieces() {
    let (peer, proxy, mut client) = set_up(|script| {
        script
            .expect(Message::Run)
            .ok()
            .expect(Message::Pull)
            .record([1])
            .ok()
    });
    proxy.reset_counts();
    // The answer to RUN comes back while PULL is still on its way: one write of the client, which
    // the network has split.
    let run = Value::Struct(0x10, vec!["RETURN 1".into(), map(), map()]).encode();
    let mut bytes = crate::framing::chunked(&run);
    bytes.extend_from_slice(&[0, 3, 0xB1]);
    client.stream().write_all(&bytes).unwrap();
    client.answer().unwrap();
    client.stream().write_all(&[0x3F, 0xA0, 0, 0]).unwrap();
    assert_eq!(client.answer().unwrap().0, Message::Record);
    assert_eq!(client.answer().unwrap().0, Message::Success);
    assert_eq!(proxy.counts().round_trips, 1);
    peer.finish().unwrap();
}

#[test]
fn bytes_one_at_a_time_and_late() {
    let (peer, proxy, mut client) = set_up(answered);
    proxy.reset_counts();
    proxy.set_byte_at_a_time(true);
    proxy.set_delay(Direction::ToServer, Duration::from_millis(15));
    let begun = Instant::now();
    client.send(&transaction()).unwrap();
    for _ in 0..5 {
        client.answer().unwrap();
    }
    assert!(
        begun.elapsed() >= Duration::from_millis(60),
        "4 messages, 15 ms each"
    );
    assert_eq!(proxy.counts().of(Message::Success), 4);
    drop(client);
    assert_eq!(
        messages(&peer.finish().unwrap()),
        transaction().map(|(message, _)| message)
    );
}

/// Sends the transaction through a fault on COMMIT: what the peer got, what the client got.
fn broken(action: Action, script: impl FnOnce(Script) -> Script) -> (Vec<Message>, Vec<Message>) {
    let (peer, proxy, mut client) = set_up(script);
    let fault = proxy.inject(Message::Commit, action, When::Next(1));
    client.send(&transaction()).unwrap();
    let came = answers(&mut client);
    assert_eq!(proxy.fired(fault), 1);
    (messages(&peer.finish().unwrap()), came)
}

#[test]
fn cut_before_a_request() {
    let (sent, _) = broken(Action::CutBefore, Script::ignore_rest);
    assert_eq!(sent, [Message::Begin, Message::Run, Message::Pull]);
}

#[test]
fn cut_inside_a_request() {
    let (sent, _) = broken(Action::CutInside, Script::ignore_rest);
    assert_eq!(sent, [Message::Begin, Message::Run, Message::Pull]);
}

#[test]
fn cut_after_a_request() {
    let (sent, came) = broken(Action::CutAfter, Script::ignore_rest);
    // Whether the server reads it before it sees the reset is open.
    assert!(
        sent.is_empty() || sent.starts_with(&[Message::Begin]),
        "{sent:?}"
    );
    assert_eq!(came, []);
}

#[test]
fn cut_when_the_answer_has_come() {
    let (sent, came) = broken(Action::CutAfterAnswer, |script| {
        answered(script).ignore_rest()
    });
    assert_eq!(sent, transaction().map(|(message, _)| message));
    assert_eq!(
        came,
        [
            Message::Success,
            Message::Success,
            Message::Record,
            Message::Success
        ]
    );
}

#[test]
fn cut_before_and_after_an_answer() {
    for (action, expected) in [
        (Action::CutBefore, &[Message::Success, Message::Success][..]),
        (
            Action::CutAfter,
            &[Message::Success, Message::Success, Message::Record],
        ),
    ] {
        let (_peer, proxy, mut client) = set_up(|script| answered(script).ignore_rest());
        proxy.inject(Message::Record, action, When::Nth(1));
        client.send(&transaction()).unwrap();
        assert_eq!(answers(&mut client), expected);
    }
}

#[test]
fn every_second_connection_is_cut() {
    let peer = ScriptedPeer::repeating(Script::new().login(5, 4).ignore_rest()).unwrap();
    let proxy = Proxy::start(&peer.uri()).unwrap();
    let fault = proxy.inject(Message::Hello, Action::CutBefore, When::Every(2));
    let login = || Client::login(proxy.address(), "neo4j", "secret").is_ok();
    assert_eq!(
        [login(), login(), login(), login()],
        [true, false, true, false]
    );
    assert_eq!((proxy.fired(fault), proxy.counts().connections), (2, 4));
    proxy.clear_faults();
    assert_eq!([login(), login()], [true, true]);
    proxy.set_refuse(true);
    assert!(!login());
}

#[test]
fn a_black_hole_holds_and_lets_go() {
    let (peer, proxy, mut client) = set_up(answered);
    proxy.set_black_hole(true);
    client.send(&transaction()).unwrap();
    client
        .stream()
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    let error = client.answer().unwrap_err();
    assert!(matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    ));
    assert_eq!(peer.received().len(), 2, "only the log-in got through");
    client
        .stream()
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    proxy.set_black_hole(false);
    assert_eq!(client.answer().unwrap().0, Message::Success);
}

#[test]
fn a_hanging_connection_stays_open_until_it_is_cut() {
    let (_peer, proxy, mut client) = set_up(answered);
    proxy.inject(Message::Commit, Action::HangBefore, When::Next(1));
    client.send(&transaction()).unwrap();
    client
        .stream()
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    let error = client.answer().unwrap_err();
    assert!(matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    ));
    client
        .stream()
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    proxy.cut_all();
    assert_eq!(
        client.answer().unwrap_err().kind(),
        io::ErrorKind::ConnectionReset
    );
}

#[test]
fn holds_what_follows_a_cut_until_it_is_released() {
    let sessions = [0, 1].map(|_| answered(Script::new().login(5, 4)));
    let peer = ScriptedPeer::start(sessions).unwrap();
    let proxy = Proxy::start(&peer.uri()).unwrap();
    let login = || Client::login(proxy.address(), "neo4j", "secret");
    let mut client = login().unwrap();
    proxy.inject_and_hold(Message::Commit, Action::CutAfterAnswer, When::Next(1));
    assert!(!proxy.is_held());
    client.send(&transaction()).unwrap();
    let before = [Message::Success, Message::Success, Message::Record];
    assert_eq!(
        answers(&mut client),
        [&before[..], &[Message::Success]].concat()
    );
    assert!(proxy.is_held());
    assert_eq!(messages(&peer.received()), transaction().map(|one| one.0));
    std::thread::scope(|scope| {
        let next = scope.spawn(login);
        std::thread::sleep(Duration::from_millis(100));
        assert!(!next.is_finished());
        assert_eq!(peer.received().len(), 2 + transaction().len());
        proxy.release();
        let mut client = next.join().unwrap().unwrap();
        client.send(&transaction()).unwrap();
        for _ in 0..5 {
            client.answer().unwrap();
        }
    });
    assert!(!proxy.is_held());
}

#[test]
fn what_is_not_bolt_passes_uncounted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = Proxy::start(&listener.local_addr().unwrap().to_string()).unwrap();
    let mut client = TcpStream::connect(proxy.address()).unwrap();
    client.write_all(&[0x16, 3, 1, 0, 5]).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    let mut five = [0; 5];
    server.read_exact(&mut five).unwrap();
    assert_eq!(five, [0x16, 3, 1, 0, 5]);
    server.write_all(b"HTTP/1.1 400").unwrap();
    drop(server);
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"HTTP/1.1 400");
    assert_eq!(
        proxy.counts(),
        Counts {
            connections: 1,
            ..Counts::default()
        }
    );
}

#[test]
fn messages_are_dropped_doubled_and_held_back() {
    let (peer, proxy, mut client) = set_up(|script| {
        script
            .expect_all([
                Message::Begin,
                Message::Pull,
                Message::Commit,
                Message::Commit,
            ])
            .ok()
            .ok()
            .ok()
            .success([("bookmark", "b")])
    });
    proxy.inject(Message::Run, Action::Drop, When::Next(1));
    proxy.inject(Message::Commit, Action::Duplicate, When::Next(1));
    let delay = Duration::from_millis(80);
    proxy.inject(Message::Success, Action::Delay(delay), When::Next(1));
    let begun = Instant::now();
    client.send(&transaction()).unwrap();
    for _ in 0..4 {
        assert_eq!(client.answer().unwrap().0, Message::Success);
    }
    assert!(begun.elapsed() >= delay);
    proxy.clear_faults();
    drop(client);
    peer.finish().unwrap();
}

#[test]
fn bandwidth_is_limited() {
    let (peer, proxy, mut client) = set_up(|script| script.expect(Message::Run).ok());
    proxy.set_bandwidth(Some(10_000));
    let begun = Instant::now();
    let statement = "x".repeat(1_000);
    client
        .send(&[(Message::Run, vec![statement.as_str().into(), map(), map()])])
        .unwrap();
    client.answer().unwrap();
    assert!(
        begun.elapsed() >= Duration::from_millis(90),
        "{:?}",
        begun.elapsed()
    );
    drop(client);
    peer.finish().unwrap();
}
