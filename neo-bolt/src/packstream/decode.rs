//! Reads PackStream values out of a message that has arrived whole.

use super::error::{DecodeError, DecodeErrorKind};
use super::marker::{self as m, tag};

/// What kind of value comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `NULL`.
    Null,
    /// A boolean.
    Boolean,
    /// An integer.
    Integer,
    /// A floating point number.
    Float,
    /// A byte array.
    Bytes,
    /// Text.
    String,
    /// A list.
    List,
    /// A map.
    Map,
    /// A structure with this tag.
    Structure(u8),
}

impl Kind {
    /// The kind's name, as the Cypher manual writes the type.
    pub fn name(self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Boolean => "BOOLEAN",
            Self::Integer => "INTEGER",
            Self::Float => "FLOAT",
            Self::Bytes => "BYTES",
            Self::String => "STRING",
            Self::List => "LIST",
            Self::Map => "MAP",
            Self::Structure(tag) => match tag {
                tag::NODE => "NODE",
                tag::RELATIONSHIP | tag::UNBOUND_RELATIONSHIP => "RELATIONSHIP",
                tag::PATH => "PATH",
                tag::DATE => "DATE",
                tag::TIME => "ZONED TIME",
                tag::LOCAL_TIME => "LOCAL TIME",
                tag::DATE_TIME
                | tag::DATE_TIME_ZONE_ID
                | tag::LEGACY_DATE_TIME
                | tag::LEGACY_DATE_TIME_ZONE_ID => "ZONED DATETIME",
                tag::LOCAL_DATE_TIME => "LOCAL DATETIME",
                tag::DURATION => "DURATION",
                tag::POINT_2D | tag::POINT_3D => "POINT",
                tag::VECTOR => "VECTOR",
                tag::UNSUPPORTED => "a value of a type that this Bolt version can't carry",
                _ => "a structure of an unknown kind",
            },
        }
    }
}

/// Reads values one after another, without copying.
///
/// A length on the wire is believed only as far as the bytes behind it are there, so nothing
/// is ever allocated for what has not arrived.
#[derive(Debug, Clone)]
pub struct Decoder<'a> {
    rest: &'a [u8],
}

impl<'a> Decoder<'a> {
    /// A decoder at the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The bytes that have not been read yet.
    pub fn remaining(&self) -> &'a [u8] {
        self.rest
    }

    /// What comes next, without reading it.
    ///
    /// # Errors
    /// The message ends here, or goes on with a byte that opens no value.
    pub fn peek(&self) -> Result<Kind, DecodeError> {
        let marker = *self.rest.first().ok_or_else(truncated)?;
        Ok(match marker {
            0x00..=0x7F | 0xF0..=0xFF | m::INT_8..=m::INT_64 => Kind::Integer,
            0x80..=0x8F | m::STRING_8..=m::STRING_32 => Kind::String,
            0x90..=0x9F | m::LIST_8..=m::LIST_32 => Kind::List,
            0xA0..=0xAF | m::MAP_8..=m::MAP_32 => Kind::Map,
            0xB0..=0xBF => Kind::Structure(*self.rest.get(1).ok_or_else(truncated)?),
            m::NULL => Kind::Null,
            m::FLOAT => Kind::Float,
            m::TRUE | m::FALSE => Kind::Boolean,
            m::BYTES_8..=m::BYTES_32 => Kind::Bytes,
            unknown => return Err(DecodeError::new(DecodeErrorKind::UnknownMarker(unknown))),
        })
    }

    /// Reads a `NULL` if one comes next, and says whether it did.
    #[inline]
    pub fn null(&mut self) -> bool {
        match self.rest {
            [m::NULL, rest @ ..] => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Reads a boolean.
    ///
    /// # Errors
    /// Another type comes next, or the bytes are broken; nothing is read then.
    #[inline]
    pub fn boolean(&mut self) -> Result<bool, DecodeError> {
        match self.rest {
            [m::TRUE, rest @ ..] => {
                self.rest = rest;
                Ok(true)
            }
            [m::FALSE, rest @ ..] => {
                self.rest = rest;
                Ok(false)
            }
            _ => Err(self.unexpected("BOOLEAN")),
        }
    }

    /// Reads an integer.
    ///
    /// # Errors
    /// Another type comes next, or the bytes are broken.
    #[inline]
    pub fn integer(&mut self) -> Result<i64, DecodeError> {
        let (value, rest) = match self.rest {
            [byte @ (0x00..=0x7F | 0xF0..=0xFF), rest @ ..] => {
                (i64::from(i8::from_be_bytes([*byte])), rest)
            }
            [m::INT_8, a, rest @ ..] => (i64::from(i8::from_be_bytes([*a])), rest),
            [m::INT_16, a, b, rest @ ..] => (i64::from(i16::from_be_bytes([*a, *b])), rest),
            [m::INT_32, a, b, c, d, rest @ ..] => {
                (i64::from(i32::from_be_bytes([*a, *b, *c, *d])), rest)
            }
            [m::INT_64, a, b, c, d, e, f, g, h, rest @ ..] => {
                (i64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]), rest)
            }
            _ => return Err(self.unexpected("INTEGER")),
        };
        self.rest = rest;
        Ok(value)
    }

    /// Reads a floating point number.
    ///
    /// # Errors
    /// Another type comes next, or the bytes are broken.
    #[inline]
    pub fn float(&mut self) -> Result<f64, DecodeError> {
        match self.rest {
            [m::FLOAT, a, b, c, d, e, f, g, h, rest @ ..] => {
                self.rest = rest;
                Ok(f64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]))
            }
            _ => Err(self.unexpected("FLOAT")),
        }
    }

    /// Reads text, borrowed from the message.
    ///
    /// # Errors
    /// Another type comes next, the bytes are broken, or the text is not UTF-8.
    #[inline]
    pub fn string(&mut self) -> Result<&'a str, DecodeError> {
        let bytes = self.text_bytes()?;
        std::str::from_utf8(bytes).map_err(|_| DecodeError::new(DecodeErrorKind::InvalidUtf8))
    }

    /// Reads text as bytes, without checking that they are UTF-8: enough to compare with a key.
    ///
    /// # Errors
    /// Another type comes next, or the bytes are broken.
    #[inline]
    pub fn text_bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        let sized = self.sized(0x80, [m::STRING_8, m::STRING_16, m::STRING_32]);
        let (len, rest) = sized.ok_or_else(|| self.unexpected("STRING"))?;
        let (text, rest) = rest.split_at_checked(len).ok_or_else(truncated)?;
        self.rest = rest;
        Ok(text)
    }

    /// Reads a byte array, borrowed from the message.
    ///
    /// # Errors
    /// Another type comes next, or the bytes are broken.
    pub fn bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        // No byte array has a tiny form; 0xC0 to 0xCF are taken by other markers, none of which
        // the sized forms below meet.
        let sized = self.sized_only([m::BYTES_8, m::BYTES_16, m::BYTES_32]);
        let (len, rest) = sized.ok_or_else(|| self.unexpected("BYTES"))?;
        let (bytes, rest) = rest.split_at_checked(len).ok_or_else(truncated)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// Opens a list and says how many items follow.
    ///
    /// # Errors
    /// Another type comes next, the bytes are broken, or fewer bytes are left than items.
    #[inline]
    pub fn list(&mut self) -> Result<usize, DecodeError> {
        let sized = self.sized(0x90, [m::LIST_8, m::LIST_16, m::LIST_32]);
        let (len, rest) = sized.ok_or_else(|| self.unexpected("LIST"))?;
        self.open(len, len, rest)
    }

    /// Opens a map and says how many pairs follow, each a string and a value.
    ///
    /// # Errors
    /// Another type comes next, the bytes are broken, or fewer bytes are left than parts.
    #[inline]
    pub fn map(&mut self) -> Result<usize, DecodeError> {
        let sized = self.sized(0xA0, [m::MAP_8, m::MAP_16, m::MAP_32]);
        let (len, rest) = sized.ok_or_else(|| self.unexpected("MAP"))?;
        self.open(len, len.saturating_mul(2), rest)
    }

    /// Opens a structure and gives its tag and how many fields follow.
    ///
    /// # Errors
    /// Another type comes next, or the bytes are broken.
    #[inline]
    pub fn structure(&mut self) -> Result<(u8, usize), DecodeError> {
        match self.rest {
            [marker @ 0xB0..=0xBF, tag, rest @ ..] => {
                let fields = usize::from(marker & 0x0F);
                self.open(fields, fields, rest)?;
                Ok((*tag, fields))
            }
            _ => Err(self.unexpected("a structure")),
        }
    }

    /// Reads past one value, whatever it is and however deep.
    ///
    /// # Errors
    /// The bytes are broken.
    pub fn skip(&mut self) -> Result<(), DecodeError> {
        // Counts the values still to pass instead of recursing, so depth costs no stack.
        let mut pending = 1_usize;
        while pending > 0 {
            pending -= 1;
            match self.peek()? {
                Kind::Null => {
                    self.null();
                }
                Kind::Boolean => {
                    self.boolean()?;
                }
                Kind::Integer => {
                    self.integer()?;
                }
                Kind::Float => {
                    self.float()?;
                }
                Kind::Bytes => {
                    self.bytes()?;
                }
                Kind::String => {
                    self.text_bytes()?;
                }
                Kind::List => pending = pending.saturating_add(self.list()?),
                Kind::Map => pending = pending.saturating_add(self.map()?.saturating_mul(2)),
                Kind::Structure(_) => pending = pending.saturating_add(self.structure()?.1),
            }
        }
        Ok(())
    }

    /// Reads past one value and gives its bytes, markers included.
    ///
    /// # Errors
    /// The bytes are broken.
    pub fn raw(&mut self) -> Result<&'a [u8], DecodeError> {
        let start = self.rest;
        self.skip()?;
        let len = start.len() - self.rest.len();
        start.get(..len).ok_or_else(truncated)
    }

    /// Says that nothing may be left.
    ///
    /// # Errors
    /// Bytes are left.
    pub fn finish(&self) -> Result<(), DecodeError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::malformed(format!(
                "{} bytes are left over",
                self.rest.len()
            )))
        }
    }

    /// The error for what comes next where something else was due.
    pub fn unexpected(&self, expected: &'static str) -> DecodeError {
        match self.peek() {
            // The right marker and yet no value: the bytes behind it are not there.
            Ok(kind) if kind.name() == expected => truncated(),
            Ok(kind) => DecodeError::unexpected(expected, kind.name()),
            Err(error) => error,
        }
    }

    fn open(&mut self, len: usize, parts: usize, rest: &'a [u8]) -> Result<usize, DecodeError> {
        // Each part takes a byte at least.
        if parts > rest.len() {
            return Err(truncated());
        }
        self.rest = rest;
        Ok(len)
    }

    #[inline]
    fn sized(&self, tiny: u8, forms: [u8; 3]) -> Option<(usize, &'a [u8])> {
        match self.rest {
            [marker, rest @ ..] if marker & 0xF0 == tiny => {
                Some((usize::from(marker & 0x0F), rest))
            }
            _ => self.sized_only(forms),
        }
    }

    fn sized_only(&self, [size_8, size_16, size_32]: [u8; 3]) -> Option<(usize, &'a [u8])> {
        match self.rest {
            [marker, a, rest @ ..] if *marker == size_8 => Some((usize::from(*a), rest)),
            [marker, a, b, rest @ ..] if *marker == size_16 => {
                Some((usize::from(u16::from_be_bytes([*a, *b])), rest))
            }
            [marker, a, b, c, d, rest @ ..] if *marker == size_32 => {
                let len = u32::from_be_bytes([*a, *b, *c, *d]);
                Some((usize::try_from(len).unwrap_or(usize::MAX), rest))
            }
            _ => None,
        }
    }
}

#[cold]
fn truncated() -> DecodeError {
    DecodeError::new(DecodeErrorKind::Truncated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_that_did_not_arrive_are_refused() {
        for bytes in [
            &[0xD6, 0xFF, 0xFF, 0xFF, 0xFF][..],
            &[0xDA, 0xFF, 0xFF, 0xFF, 0xFF, 0x80],
            &[0xD2, 0, 0, 0, 2, b'a'],
            &[0xCE, 0x7F, 0xFF, 0xFF, 0xFF],
            &[0xB3, b'N', 1],
            &[0xCB, 1, 2],
            &[0xB1],
            &[],
        ] {
            let error = Decoder::new(bytes).skip().unwrap_err();
            assert_eq!(error.kind(), &DecodeErrorKind::Truncated, "{bytes:02X?}");
        }
    }

    #[test]
    fn skipping_is_not_recursive() {
        let mut bytes = vec![0x91; 1_000_000];
        bytes.push(0x01);
        let mut decoder = Decoder::new(&bytes);
        decoder.skip().unwrap();
        decoder.finish().unwrap();
    }

    #[test]
    fn a_wrong_type_is_named_and_nothing_is_read() {
        let mut decoder = Decoder::new(&[0x81, b'a']);
        assert_eq!(
            decoder.integer().unwrap_err().to_string(),
            "expected INTEGER, found STRING"
        );
        assert_eq!(decoder.string().unwrap(), "a");
        assert_eq!(
            Decoder::new(&[0xC4]).boolean().unwrap_err().to_string(),
            "0xC4 opens no PackStream value"
        );
    }
}
