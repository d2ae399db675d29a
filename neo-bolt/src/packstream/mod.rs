//! [PackStream](https://neo4j.com/docs/bolt/current/packstream/): how Bolt writes values.
//!
//! [`Encoder`] and [`Decoder`] are the two ends. [`ToBolt`] and [`FromBolt`] let any type write
//! itself into the send buffer, and read itself out of the receive buffer, with nothing between.

#[cfg(any(test, feature = "server"))]
mod any_value;
mod decode;
mod encode;
mod error;
mod from_bolt;
mod graph;
mod legacy_zone;
mod marker;
mod serde_de;
mod to_bolt;
mod value;

#[cfg(any(feature = "server", all(test, feature = "arrow")))]
pub(crate) use any_value::write_any;
pub use decode::{Decoder, Kind};
pub use encode::{Dialect, Encoder};
pub use error::{DecodeError, DecodeErrorKind, EncodeError};
pub use from_bolt::{FromBolt, FromBoltOwned};
pub use graph::{Labels, NodeHeader, RelationshipFooter, RelationshipHeader};
pub use to_bolt::ToBolt;

pub(crate) use serde_de::{RecordDeserializer, deserialize};
