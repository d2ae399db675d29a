//! The bytes that open a value, and the tags of the structures that carry values.

pub(crate) const NULL: u8 = 0xC0;
pub(crate) const FLOAT: u8 = 0xC1;
pub(crate) const FALSE: u8 = 0xC2;
pub(crate) const TRUE: u8 = 0xC3;
pub(crate) const INT_8: u8 = 0xC8;
pub(crate) const INT_16: u8 = 0xC9;
pub(crate) const INT_32: u8 = 0xCA;
pub(crate) const INT_64: u8 = 0xCB;
pub(crate) const BYTES_8: u8 = 0xCC;
pub(crate) const BYTES_16: u8 = 0xCD;
pub(crate) const BYTES_32: u8 = 0xCE;
pub(crate) const TINY_STRING: u8 = 0x80;
pub(crate) const STRING_8: u8 = 0xD0;
pub(crate) const STRING_16: u8 = 0xD1;
pub(crate) const STRING_32: u8 = 0xD2;
pub(crate) const TINY_LIST: u8 = 0x90;
pub(crate) const LIST_8: u8 = 0xD4;
pub(crate) const LIST_16: u8 = 0xD5;
pub(crate) const LIST_32: u8 = 0xD6;
pub(crate) const TINY_MAP: u8 = 0xA0;
pub(crate) const MAP_8: u8 = 0xD8;
pub(crate) const MAP_16: u8 = 0xD9;
pub(crate) const MAP_32: u8 = 0xDA;
pub(crate) const TINY_STRUCT: u8 = 0xB0;

/// Tags of structures, from <https://neo4j.com/docs/bolt/current/bolt/structure-semantics/>.
pub(crate) mod tag {
    pub(crate) const NODE: u8 = b'N';
    pub(crate) const RELATIONSHIP: u8 = b'R';
    pub(crate) const UNBOUND_RELATIONSHIP: u8 = b'r';
    pub(crate) const PATH: u8 = b'P';
    pub(crate) const DATE: u8 = b'D';
    pub(crate) const TIME: u8 = b'T';
    pub(crate) const LOCAL_TIME: u8 = b't';
    /// An instant in UTC with an offset.
    pub(crate) const DATE_TIME: u8 = b'I';
    /// An instant in UTC with a zone's name.
    pub(crate) const DATE_TIME_ZONE_ID: u8 = b'i';
    /// The local form with an offset, of servers without the UTC patch.
    pub(crate) const LEGACY_DATE_TIME: u8 = b'F';
    /// The local form with a zone's name.
    pub(crate) const LEGACY_DATE_TIME_ZONE_ID: u8 = b'f';
    pub(crate) const LOCAL_DATE_TIME: u8 = b'd';
    pub(crate) const DURATION: u8 = b'E';
    pub(crate) const POINT_2D: u8 = b'X';
    pub(crate) const POINT_3D: u8 = b'Y';
    pub(crate) const VECTOR: u8 = b'V';
    pub(crate) const UNSUPPORTED: u8 = b'?';
}
