//! The machine, fed by hand.

use super::*;
use crate::auth::AuthToken;
use crate::bookmark::Bookmarks;

fn machine() -> Machine {
    Machine::new(Version::new(5, 4))
}

fn success(metadata: &[u8]) -> Vec<u8> {
    framed(&[&[0xB1, 0x70], metadata].concat())
}

fn framed(message: &[u8]) -> Vec<u8> {
    let len = u16::try_from(message.len()).unwrap();
    [&len.to_be_bytes(), message, &[0, 0]].concat()
}

#[test]
fn requests_are_the_bytes_of_the_manual() {
    let mut machine = machine();
    machine
        .begin(&Begin {
            read: true,
            ..Begin::default()
        })
        .unwrap();
    let stream = machine.run(&"RETURN 1".into(), &(), None).unwrap();
    machine.pull(stream, -1).unwrap();
    machine.commit().unwrap();
    let expected = [
        framed(b"\xB1\x11\xA1\x84mode\x81r"),
        framed(b"\xB3\x10\x88RETURN 1\xA0\xA0"),
        framed(b"\xB1\x3F\xA1\x81n\xFF"),
        framed(b"\xB0\x12"),
    ]
    .concat();
    assert_eq!(machine.outgoing(), expected);
}

#[test]
fn the_input_may_be_cut_anywhere() {
    let input = [
        success(b"\xA0"),
        success(b"\xA1\x86fields\x91\x81x"),
        framed(b"\xB1\x71\x91\x01"),
        framed(b"\xB1\x71\x91\x02"),
        success(b"\xA1\x84type\x81r"),
        success(b"\xA1\x88bookmark\x82b1"),
    ]
    .concat();
    for cut in 0..=input.len() {
        let mut machine = machine();
        machine.begin(&Begin::default()).unwrap();
        let stream = machine.run(&"RETURN 1".into(), &(), None).unwrap();
        machine.pull(stream, -1).unwrap();
        machine.commit().unwrap();
        machine.incoming().extend_from_slice(&input[..cut]);
        let early = machine.advance(Wanted::Idle).unwrap();
        assert_eq!(early, cut == input.len());
        machine.incoming().extend_from_slice(&input[cut..]);
        assert!(machine.advance(Wanted::Idle).unwrap());
        let (records, end) = machine.take_records(stream);
        assert_eq!(records.into_lists(), [&b"\x91\x01"[..], b"\x91\x02"]);
        assert!(matches!(end, Some(End::Complete(_))));
        assert_eq!(machine.answer().unwrap().get("bookmark"), Some("b1"));
        assert!(machine.is_clean());
    }
}

#[test]
fn a_failure_ends_what_was_queued_behind_it() {
    let mut machine = machine();
    machine.begin(&Begin::default()).unwrap();
    let stream = machine.run(&"RETURN".into(), &(), None).unwrap();
    machine.pull(stream, -1).unwrap();
    machine.commit().unwrap();
    let input = [
        success(b"\xA0"),
        framed(b"\xB1\x7F\xA2\x84code\x81c\x87message\x81m"),
        framed(b"\xB0\x7E"),
        framed(b"\xB0\x7E"),
    ]
    .concat();
    machine.incoming().extend_from_slice(&input);
    assert!(machine.advance(Wanted::Idle).unwrap());
    assert_eq!(machine.failure().unwrap().code(), Some("c"));
    assert!(!machine.is_clean());
    machine.reset().unwrap();
    machine.incoming().extend_from_slice(&success(b"\xA0"));
    assert!(machine.advance(Wanted::Idle).unwrap());
    assert!(machine.is_clean());
}

#[test]
fn answers_to_nothing_and_broken_bytes_are_errors() {
    let mut unasked = machine();
    unasked.begin(&Begin::default()).unwrap();
    unasked
        .incoming()
        .extend_from_slice(&framed(b"\xB1\x71\x90"));
    assert_eq!(
        unasked.advance(Wanted::Idle).unwrap_err().kind(),
        ErrorKind::Protocol
    );
    assert!(unasked.is_defunct());
    for garbage in [&b"\x01"[..], b"\xB1\x70", b"\xB1\x55\xA0", b"\xB0\x7E"] {
        let mut machine = machine();
        machine.begin(&Begin::default()).unwrap();
        machine.incoming().extend_from_slice(&framed(garbage));
        assert!(machine.advance(Wanted::Idle).is_err(), "{garbage:02X?}");
    }
}

#[test]
fn what_was_queued_before_a_reset_does_not_touch_what_comes_behind_it() {
    let mut machine = machine();
    machine.begin(&Begin::default()).unwrap();
    machine.commit().unwrap();
    machine.reset().unwrap();
    machine.begin(&Begin::default()).unwrap();
    assert!(machine.failure().is_none());
    let input = [
        framed(b"\xB1\x7F\xA2\x84code\x81c\x87message\x81m"),
        framed(b"\xB0\x7E"),
        success(b"\xA0"),
        success(b"\xA0"),
    ]
    .concat();
    machine.incoming().extend_from_slice(&input);
    assert!(machine.advance(Wanted::Idle).unwrap());
    assert!(machine.failure().is_none());
    assert!(!machine.is_clean(), "the second transaction is open");
}

#[test]
fn a_forgotten_result_is_passed_over() {
    let mut machine = machine();
    let stream = machine.run(&"RETURN 1".into(), &(), None).unwrap();
    machine.pull(stream, 1).unwrap();
    machine.reset().unwrap();
    let input = [
        success(b"\xA1\x86fields\x91\x81x"),
        framed(b"\xB1\x71\x91\x01"),
        success(b"\xA1\x88has_more\xC3"),
        success(b"\xA0"),
    ]
    .concat();
    machine.incoming().extend_from_slice(&input);
    assert!(machine.advance(Wanted::Idle).unwrap());
    assert!(machine.is_clean());
}

/// Each request as <https://neo4j.com/docs/bolt/current/bolt/message/> has it.
#[test]
fn each_request_byte_by_byte() {
    type Write = fn(&mut Machine) -> Result<(), Error>;
    let table: [(Write, &[u8]); 6] = [
        (|m| m.commit(), b"\xB0\x12"),
        (|m| m.rollback(), b"\xB0\x13"),
        (|m| m.reset(), b"\xB0\x0F"),
        (
            |m| {
                m.goodbye();
                Ok(())
            },
            b"\xB0\x02",
        ),
        (
            |m| {
                let marks = Bookmarks::from_raw_values(["b"]);
                m.route(
                    &crate::params! { "address" => "h:1" },
                    &marks,
                    Some("d"),
                    Some("u"),
                )
            },
            b"\xB3\x66\xA1\x87address\x83h:1\x91\x81b\xA2\x82db\x81d\x88imp_user\x81u",
        ),
        (
            |m| {
                m.begin(&Begin {
                    bookmarks: Bookmarks::from_raw_values(["b"]),
                    timeout: Some(std::time::Duration::from_millis(7)),
                    metadata: crate::params! { "k" => 1 },
                    ..Begin::default()
                })
            },
            b"\xB1\x11\xA3\x89bookmarks\x91\x81b\x8Atx_timeout\x07\x8Btx_metadata\xA1\x81k\x01",
        ),
    ];
    for (write, bytes) in table {
        let mut machine = machine();
        write(&mut machine).unwrap();
        assert_eq!(machine.outgoing(), framed(bytes));
    }
    let mut machine = Machine::new(Version::new(5, 1));
    let auth = AuthToken::basic("me", "pw");
    machine
        .hello("a/1", &auth, None, &Default::default())
        .unwrap();
    let hello = framed(b"\xB1\x01\xA1\x8Auser_agent\x83a/1");
    let logon = framed(b"\xB1\x6A\xA3\x8Bcredentials\x82pw\x89principal\x82me\x86scheme\x85basic");
    assert_eq!(machine.outgoing(), [hello, logon].concat());
}

#[test]
fn more_is_asked_for_by_the_results_own_name_unless_it_is_the_last() {
    let mut machine = machine();
    machine.begin(&Begin::default()).unwrap();
    let stream = machine.run(&"RETURN 1".into(), &(), None).unwrap();
    machine.pull(stream, 1).unwrap();
    let input = [
        success(b"\xA0"),
        success(b"\xA2\x86fields\x91\x81x\x83qid\x05"),
        success(b"\xA1\x88has_more\xC3"),
    ]
    .concat();
    machine.incoming().extend_from_slice(&input);
    assert!(machine.advance(Wanted::Idle).unwrap());
    assert!(machine.wants_pull(stream));
    machine.sent(usize::MAX);
    machine.pull(stream, 2).unwrap();
    assert_eq!(machine.outgoing(), framed(b"\xB1\x3F\xA1\x81n\x02"));
    machine.run(&"RETURN 2".into(), &(), None).unwrap();
    machine.sent(usize::MAX);
    machine.pull(stream, 2).unwrap();
    assert_eq!(
        machine.outgoing(),
        framed(b"\xB1\x3F\xA2\x81n\x02\x83qid\x05")
    );
    machine.sent(usize::MAX);
    machine.discard(stream).unwrap();
    assert_eq!(
        machine.outgoing(),
        framed(b"\xB1\x2F\xA2\x81n\xFF\x83qid\x05")
    );
}

/// Whatever a peer sends, at whatever cuts: an error or an answer, never a panic, and nothing is
/// kept that was not sent.
#[test]
fn any_bytes_are_taken_without_a_panic() {
    let sound = [
        success(b"\xA0"),
        success(b"\xA2\x86fields\x91\x81x\x83qid\x00"),
        framed(b"\xB1\x71\x91\x01"),
        vec![0, 2, 0xB1, 0x71, 0, 2, 0x91, 0x02, 0, 0],
        success(b"\xA1\x88has_more\xC3"),
        framed(b"\xB1\x7F\xA2\x84code\x81c\x87message\x81m"),
        framed(b"\xB0\x7E"),
        success(b"\xA0"),
    ]
    .concat();
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below).unwrap()).unwrap()
    };
    let mut errors = 0;
    for round in 0..20_000 {
        let mut input = sound.clone();
        for _ in 0..random(4) {
            let at = random(input.len());
            match random(4) {
                0 => drop(input.remove(at)),
                1 => input.insert(at, u8::try_from(random(256)).unwrap()),
                2 => input.truncate(at.max(8)),
                _ => input[at] = u8::try_from(random(256)).unwrap(),
            }
        }
        let mut machine = machine();
        machine.begin(&Begin::default()).unwrap();
        let stream = machine.run(&"RETURN 1".into(), &(), None).unwrap();
        machine.pull(stream, 2).unwrap();
        if round % 2 == 0 {
            machine.pull(stream, 2).unwrap();
            machine.commit().unwrap();
        }
        if round % 3 == 0 {
            machine.forget(stream);
        }
        if round % 5 == 0 {
            machine.reset().unwrap();
        }
        let wanted = [Wanted::Idle, Wanted::Keys(stream), Wanted::Records(stream)][round % 3];
        let mut rest = &input[..];
        while !rest.is_empty() {
            let (part, behind) = rest.split_at(random(rest.len()) + 1);
            machine.incoming().extend_from_slice(part);
            rest = behind;
            if machine.advance(wanted).is_err() {
                errors += 1;
                assert!(machine.is_defunct() && !machine.is_clean());
                break;
            }
            let (records, _) = machine.take_records(stream);
            assert!(
                records
                    .into_lists()
                    .iter()
                    .map(|record| record.len())
                    .sum::<usize>()
                    <= input.len()
            );
        }
    }
    assert!(errors > 1000, "{errors} of the inputs were broken");
}
