//! The handshake, and the addresses that servers name.

use crate::connection::Address;
use crate::protocol::handshake::{Step, answer};

/// What a server answers to the proposal of versions; and the same bytes as an address.
pub fn hello(data: &[u8]) {
    if let Ok(Step::Done {
        consumed, reply, ..
    }) = answer(data)
    {
        assert!(consumed <= data.len());
        assert!(reply.len() <= 16);
        // What stands behind it makes no difference, and less is never enough.
        assert_eq!(answer(&data[..consumed]).ok(), answer(data).ok());
        for len in 0..consumed {
            assert_eq!(answer(&data[..len]).ok(), Some(Step::NeedMore), "{len}");
        }
    }
    if let Some(address) = std::str::from_utf8(data).ok().and_then(Address::parse) {
        let text = address.to_string();
        assert_eq!(Address::parse(&text), Some(address), "{text}");
    }
}
