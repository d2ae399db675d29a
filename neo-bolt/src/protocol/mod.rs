//! The protocol without I/O: bytes in, bytes out, and what they mean.

pub(crate) mod chunk;
pub(crate) mod handshake;
#[cfg(feature = "server")]
pub(crate) mod tag;
#[cfg(not(feature = "server"))]
mod tag;

mod machine;
mod message;
mod records;
mod version;

pub(crate) use machine::{Api, Begin, Completed, End, Machine, StreamId, Wanted, failed_elsewhere};
pub(crate) use message::Metadata;
pub(crate) use records::{Block, Records};
pub use version::Version;

/// Whether bytes are an answer of a server.
#[cfg(all(feature = "server", any(test, feature = "fuzzing")))]
pub(crate) fn parse_response(message: bytes::Bytes) -> Result<(), crate::packstream::DecodeError> {
    message::Response::parse(message).map(|_| ())
}
