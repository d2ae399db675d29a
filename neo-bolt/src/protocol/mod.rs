//! The protocol without I/O: bytes in, bytes out, and what they mean.

pub(crate) mod chunk;
pub(crate) mod handshake;
#[cfg(feature = "server")]
pub(crate) mod tag;
#[cfg(not(feature = "server"))]
mod tag;

mod machine;
mod message;
mod version;

pub(crate) use machine::{Api, Begin, Completed, End, Machine, StreamId, Wanted, failed_elsewhere};
pub(crate) use message::Metadata;
pub use version::Version;
