//! The machine, fed by hand.

use super::*;

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
    let stream = machine.run("RETURN 1", &(), None).unwrap();
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
        let stream = machine.run("RETURN 1", &(), None).unwrap();
        machine.pull(stream, -1).unwrap();
        machine.commit().unwrap();
        machine.incoming().extend_from_slice(&input[..cut]);
        let early = machine.advance(Wanted::Idle).unwrap();
        assert_eq!(early, cut == input.len());
        machine.incoming().extend_from_slice(&input[cut..]);
        assert!(machine.advance(Wanted::Idle).unwrap());
        let (records, end) = machine.take_records(stream);
        assert_eq!(records, [&b"\x91\x01"[..], b"\x91\x02"]);
        assert!(matches!(end, Some(End::Complete { .. })));
        assert_eq!(machine.answer().unwrap().get("bookmark"), Some("b1"));
        assert!(machine.is_clean());
    }
}

#[test]
fn a_failure_ends_what_was_queued_behind_it() {
    let mut machine = machine();
    machine.begin(&Begin::default()).unwrap();
    let stream = machine.run("RETURN", &(), None).unwrap();
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
    let stream = machine.run("RETURN 1", &(), None).unwrap();
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
