//! Tags of messages, from <https://neo4j.com/docs/bolt/current/bolt/message/>.

pub(crate) const HELLO: u8 = 0x01;
pub(crate) const GOODBYE: u8 = 0x02;
pub(crate) const RESET: u8 = 0x0F;
pub(crate) const RUN: u8 = 0x10;
pub(crate) const BEGIN: u8 = 0x11;
pub(crate) const COMMIT: u8 = 0x12;
pub(crate) const ROLLBACK: u8 = 0x13;
pub(crate) const DISCARD: u8 = 0x2F;
pub(crate) const PULL: u8 = 0x3F;
#[cfg(feature = "server")]
pub(crate) const TELEMETRY: u8 = 0x54;
pub(crate) const ROUTE: u8 = 0x66;
pub(crate) const LOGON: u8 = 0x6A;
#[cfg(feature = "server")]
pub(crate) const LOGOFF: u8 = 0x6B;
pub(crate) const SUCCESS: u8 = 0x70;
pub(crate) const RECORD: u8 = 0x71;
pub(crate) const IGNORED: u8 = 0x7E;
pub(crate) const FAILURE: u8 = 0x7F;
