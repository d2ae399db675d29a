//! Writes PackStream values into a buffer.

use bytes::{BufMut, BytesMut};

use super::EncodeError;
use super::marker as m;

/// What the peer understands beyond the core types; fixed once a connection is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// Zoned datetimes are sent as UTC instants (Bolt 5.0 and later, or the `utc` patch of 4.4).
    pub utc_datetimes: bool,
    /// Vectors may be sent (Bolt 6.0 and later).
    pub vectors: bool,
    /// Nodes and relationships carry element ids (Bolt 5.0 and later); matters to a server only.
    pub element_ids: bool,
}

impl Dialect {
    /// Everything that the newest protocol version has.
    pub const NEWEST: Self = Self {
        utc_datetimes: true,
        vectors: true,
        element_ids: true,
    };
}

/// Writes values, one after another, at the end of a buffer.
#[derive(Debug)]
pub struct Encoder<'b> {
    out: &'b mut BytesMut,
    dialect: Dialect,
}

impl<'b> Encoder<'b> {
    /// An encoder that appends to `out` what a peer of this dialect understands.
    pub fn new(out: &'b mut BytesMut, dialect: Dialect) -> Self {
        Self { out, dialect }
    }

    /// What the peer understands.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// How many bytes the buffer has, with what was there before.
    pub(crate) fn len(&self) -> usize {
        self.out.len()
    }

    /// What was written since the buffer had so many bytes.
    pub(crate) fn written_since(&self, len: usize) -> &[u8] {
        self.out.get(len..).unwrap_or_default()
    }

    /// Writes `NULL`.
    pub fn null(&mut self) {
        self.out.put_u8(m::NULL);
    }

    /// Writes a boolean.
    pub fn boolean(&mut self, value: bool) {
        self.out.put_u8(if value { m::TRUE } else { m::FALSE });
    }

    /// Writes an integer, in as few bytes as it takes.
    pub fn integer(&mut self, value: i64) {
        if let Ok(tiny) = i8::try_from(value) {
            if tiny >= -16 {
                self.out.put_i8(tiny);
            } else {
                self.out.put_slice(&[m::INT_8, tiny.to_be_bytes()[0]]);
            }
        } else if let Ok(value) = i16::try_from(value) {
            self.out.put_u8(m::INT_16);
            self.out.put_i16(value);
        } else if let Ok(value) = i32::try_from(value) {
            self.out.put_u8(m::INT_32);
            self.out.put_i32(value);
        } else {
            self.out.put_u8(m::INT_64);
            self.out.put_i64(value);
        }
    }

    /// Writes a floating point number.
    pub fn float(&mut self, value: f64) {
        self.out.put_u8(m::FLOAT);
        self.out.put_f64(value);
    }

    /// Writes text.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`] for more than 4 GiB.
    pub fn string(&mut self, value: &str) -> Result<(), EncodeError> {
        self.sized(
            value.len(),
            Some(m::TINY_STRING),
            [m::STRING_8, m::STRING_16, m::STRING_32],
        )?;
        self.out.put_slice(value.as_bytes());
        Ok(())
    }

    /// Writes a byte array.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`] for more than 4 GiB.
    pub fn bytes(&mut self, value: &[u8]) -> Result<(), EncodeError> {
        self.sized(value.len(), None, [m::BYTES_8, m::BYTES_16, m::BYTES_32])?;
        self.out.put_slice(value);
        Ok(())
    }

    /// Opens a list: the next `len` values written are its items.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`] for more than 4,294,967,295 items.
    pub fn list(&mut self, len: usize) -> Result<(), EncodeError> {
        self.sized(len, Some(m::TINY_LIST), [m::LIST_8, m::LIST_16, m::LIST_32])
    }

    /// Opens a map: `len` pairs of a string and a value follow.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`] for more than 4,294,967,295 pairs.
    pub fn map(&mut self, len: usize) -> Result<(), EncodeError> {
        self.sized(len, Some(m::TINY_MAP), [m::MAP_8, m::MAP_16, m::MAP_32])
    }

    /// Opens a list of a length that [`close`](Self::close) tells. Where the length stands.
    pub(crate) fn open_list(&mut self) -> usize {
        self.open(m::LIST_32)
    }

    /// As [`open_list`](Self::open_list), for a map.
    pub(crate) fn open_map(&mut self) -> usize {
        self.open(m::MAP_32)
    }

    fn open(&mut self, marker: u8) -> usize {
        self.out.put_u8(marker);
        let at = self.out.len();
        self.out.put_u32(0);
        at
    }

    /// Says how many items or pairs were written since the length at `at` was left open.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`] for more than 4,294,967,295 parts.
    pub(crate) fn close(&mut self, at: usize, len: usize) -> Result<(), EncodeError> {
        let bytes = u32::try_from(len).map_err(|_| EncodeError::TooLong(len))?;
        if let Some(length) = self.out.get_mut(at..at + 4) {
            length.copy_from_slice(&bytes.to_be_bytes());
        }
        Ok(())
    }

    /// Adds one pair, a key and a value that `write` writes, to the map that begins at `start` and
    /// ends with the buffer.
    ///
    /// # Errors
    /// [`EncodeError::NotAMap`] if something else begins there, or what `write` returns.
    pub(crate) fn add_pair(
        &mut self,
        start: usize,
        write: impl FnOnce(&mut Self) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let written = self.written_since(start);
        let mut decoder = super::Decoder::new(written);
        let not_a_map = |_| EncodeError::NotAMap("another value");
        let len = decoder.map().map_err(not_a_map)?;
        let header = written.len() - decoder.remaining().len();
        // Nearly every map has fewer than 15 entries: then its length is part of one byte.
        match self.out.get_mut(start) {
            Some(tiny) if len < 15 => *tiny += 1,
            _ => {
                let pairs = self.out.split_off(start + header);
                self.out.truncate(start);
                self.map(len + 1)?;
                self.out.put_slice(&pairs);
            }
        }
        write(self)
    }

    /// Opens a structure: its tag is written, and `fields` values (15 at most) follow.
    pub fn structure(&mut self, tag: u8, fields: u8) {
        self.out.put_slice(&[m::TINY_STRUCT | (fields & 0x0F), tag]);
    }

    /// Appends values that are encoded already, in the same dialect.
    pub fn raw(&mut self, encoded: &[u8]) {
        self.out.put_slice(encoded);
    }

    fn sized(
        &mut self,
        len: usize,
        tiny: Option<u8>,
        [size_8, size_16, size_32]: [u8; 3],
    ) -> Result<(), EncodeError> {
        match (
            tiny,
            u8::try_from(len),
            u16::try_from(len),
            u32::try_from(len),
        ) {
            (Some(tiny), Ok(len), ..) if len < 16 => self.out.put_u8(tiny | len),
            (_, Ok(len), ..) => self.out.put_slice(&[size_8, len]),
            (_, _, Ok(len), _) => {
                self.out.put_u8(size_16);
                self.out.put_u16(len);
            }
            (_, _, _, Ok(len)) => {
                self.out.put_u8(size_32);
                self.out.put_u32(len);
            }
            _ => return Err(EncodeError::TooLong(len)),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(write: impl FnOnce(&mut Encoder<'_>)) -> Vec<u8> {
        let mut out = BytesMut::new();
        write(&mut Encoder::new(&mut out, Dialect::NEWEST));
        out.to_vec()
    }

    #[test]
    fn integers_take_the_fewest_bytes() {
        for (value, bytes) in [
            (0, vec![0x00]),
            (127, vec![0x7F]),
            (-16, vec![0xF0]),
            (-17, vec![0xC8, 0xEF]),
            (-128, vec![0xC8, 0x80]),
            (128, vec![0xC9, 0x00, 0x80]),
            (-129, vec![0xC9, 0xFF, 0x7F]),
            (32_768, vec![0xCA, 0, 0, 0x80, 0]),
            (
                i64::from(i32::MIN) - 1,
                vec![0xCB, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF],
            ),
        ] {
            assert_eq!(encoded(|e| e.integer(value)), bytes, "{value}");
        }
    }

    #[test]
    fn pairs_are_added_to_maps_of_any_size() {
        for len in [0, 1, 14, 15, 16, 255, 256, 65_535, 65_536] {
            let map = |len: usize| {
                encoded(|e| {
                    e.string("before").unwrap();
                    e.map(len).unwrap();
                    for number in 0..len {
                        e.string("key").unwrap();
                        e.integer(i64::try_from(number).unwrap());
                    }
                })
            };
            let mut out = BytesMut::from(&map(len)[..]);
            let mut encoder = Encoder::new(&mut out, Dialect::NEWEST);
            let add = |encoder: &mut Encoder<'_>| {
                encoder.string("key")?;
                encoder.integer(i64::try_from(len).unwrap());
                Ok(())
            };
            encoder.add_pair(7, add).unwrap();
            assert_eq!(out, map(len + 1), "{len}");
        }
        let mut out = BytesMut::new();
        let mut encoder = Encoder::new(&mut out, Dialect::NEWEST);
        encoder.null();
        assert!(encoder.add_pair(0, |_| Ok(())).is_err());
    }

    #[test]
    fn headers_by_size() {
        assert_eq!(encoded(|e| e.list(15).unwrap()), [0x9F]);
        assert_eq!(encoded(|e| e.list(16).unwrap()), [0xD4, 16]);
        assert_eq!(encoded(|e| e.map(300).unwrap()), [0xD9, 1, 44]);
        assert_eq!(
            encoded(|e| e.map(70_000).unwrap()),
            [0xDA, 0, 1, 0x11, 0x70]
        );
        assert_eq!(encoded(|e| e.bytes(&[7]).unwrap()), [0xCC, 1, 7]);
        assert_eq!(encoded(|e| e.string("é").unwrap()), [0x82, 0xC3, 0xA9]);
        assert_eq!(encoded(|e| e.structure(0x4E, 4)), [0xB4, 0x4E]);
        assert_eq!(
            encoded(|e| e.float(1.1)),
            [0xC1, 0x3F, 0xF1, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9A]
        );
    }
}
