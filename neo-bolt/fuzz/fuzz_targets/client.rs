//! The client's machine.

#![no_main]

use neo_bolt_fuzz::limited;

libfuzzer_sys::fuzz_target!(|data: &[u8]| limited(data, neo_bolt::fuzzing::client));
