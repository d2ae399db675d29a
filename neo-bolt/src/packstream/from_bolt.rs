//! Types that read themselves out of the receive buffer.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};

use bytes::Bytes;

use super::error::{DecodeError, DecodeErrorKind};
use super::{Decoder, Kind};

/// A type that reads itself from one PackStream value, borrowing from the message where it can.
///
/// An `Option` reads `NULL` as `None`; every other type refuses `NULL`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be read from a Neo4j result",
    label = "no Cypher type for this",
    note = "numbers, bool, text, `Option`, lists, maps with text keys, tuples (for lists), `bytes::Bytes` for byte arrays and the types of `neo_bolt::value` can be read"
)]
pub trait FromBolt<'a>: Sized {
    /// Reads exactly one value.
    ///
    /// # Errors
    /// The value is of another type, does not fit, or its bytes are broken.
    fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError>;

    /// What stands for a column or field that is not there at all, where the type has that.
    ///
    /// # Errors
    /// [`DecodeErrorKind::Missing`], unless the type is optional.
    fn from_missing() -> Result<Self, DecodeError> {
        Err(DecodeError::new(DecodeErrorKind::Missing))
    }
}

/// A type that reads itself and keeps nothing of the message.
pub trait FromBoltOwned: for<'a> FromBolt<'a> {}

impl<T: for<'a> FromBolt<'a>> FromBoltOwned for T {}

impl<'a> FromBolt<'a> for bool {
    fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        decoder.boolean()
    }
}

impl<'a> FromBolt<'a> for i64 {
    #[inline]
    fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        decoder.integer()
    }
}

macro_rules! integers {
    ($($int:ty => $name:literal),*) => {$(
        impl<'a> FromBolt<'a> for $int {
            #[inline]
            fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
                let value = decoder.integer()?;
                value.try_into().map_err(|_| DecodeError::out_of_range($name, value))
            }
        }
    )*};
}
integers!(
    i8 => "i8", i16 => "i16", i32 => "i32", isize => "isize", i128 => "i128",
    u8 => "u8", u16 => "u16", u32 => "u32", u64 => "u64", usize => "usize", u128 => "u128"
);

impl<'a> FromBolt<'a> for f64 {
    #[inline]
    fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        decoder.float()
    }
}

impl<'a> FromBolt<'a> for f32 {
    /// Reads the nearest `f32`; a number beyond its range is refused.
    fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        let wide = decoder.float()?;
        #[allow(clippy::cast_possible_truncation)] // rounding is what the doc promises
        let narrow = wide as f32;
        if narrow.is_infinite() && wide.is_finite() {
            return Err(DecodeError::out_of_range("f32", wide));
        }
        Ok(narrow)
    }
}

impl<'a> FromBolt<'a> for &'a str {
    #[inline]
    fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        decoder.string()
    }
}

impl<'a> FromBolt<'a> for String {
    fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        decoder.string().map(str::to_owned)
    }
}

impl<'a> FromBolt<'a> for char {
    fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        let text = decoder.string()?;
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(only), None) => Ok(only),
            _ => Err(DecodeError::out_of_range("char", format_args!("{text:?}"))),
        }
    }
}

impl<'a> FromBolt<'a> for &'a [u8] {
    fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        decoder.bytes()
    }
}

impl<'a> FromBolt<'a> for Bytes {
    fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        decoder.bytes().map(Bytes::copy_from_slice)
    }
}

#[cfg(feature = "uuid")]
impl<'a> FromBolt<'a> for uuid::Uuid {
    /// Reads any of the text forms of a UUID.
    fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        let text = decoder.string()?;
        uuid::Uuid::try_parse(text)
            .map_err(|_| DecodeError::out_of_range("UUID", format_args!("{text:?}")))
    }
}

/// Reads any value and keeps nothing.
impl<'a> FromBolt<'a> for () {
    fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        decoder.skip()
    }
}

impl<'a, T: FromBolt<'a>> FromBolt<'a> for Option<T> {
    #[inline]
    fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        if decoder.null() {
            Ok(None)
        } else {
            T::from_bolt(decoder).map(Some)
        }
    }

    fn from_missing() -> Result<Self, DecodeError> {
        Ok(None)
    }
}

impl<'a, T: FromBolt<'a>> FromBolt<'a> for Box<T> {
    fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        T::from_bolt(decoder).map(Box::new)
    }

    fn from_missing() -> Result<Self, DecodeError> {
        T::from_missing().map(Box::new)
    }
}

impl<'a, T: FromBolt<'a>> FromBolt<'a> for Vec<T> {
    fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        let len = decoder.list()?;
        // A list's items take a byte each at least, and `list` has seen that they are there; a
        // large `T` still must not turn a short message into a large allocation.
        let mut items = Self::with_capacity(len.min(1024));
        for index in 0..len {
            items.push(T::from_bolt(decoder).map_err(|e| e.within(format!("[{index}]")))?);
        }
        Ok(items)
    }
}

impl<'a, K, T> FromBolt<'a> for BTreeMap<K, T>
where
    K: From<&'a str> + Ord,
    T: FromBolt<'a>,
{
    fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        let mut map = Self::new();
        pairs(decoder, |key, value| {
            map.insert(key.into(), value);
        })?;
        Ok(map)
    }
}

impl<'a, K, T, S> FromBolt<'a> for HashMap<K, T, S>
where
    K: From<&'a str> + Eq + Hash,
    T: FromBolt<'a>,
    S: BuildHasher + Default,
{
    fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        let mut map = Self::default();
        pairs(decoder, |key, value| {
            map.insert(key.into(), value);
        })?;
        Ok(map)
    }
}

fn pairs<'a, T: FromBolt<'a>>(
    decoder: &mut Decoder<'a>,
    mut insert: impl FnMut(&'a str, T),
) -> Result<(), DecodeError> {
    for _ in 0..decoder.map()? {
        let key = decoder.string()?;
        insert(key, T::from_bolt(decoder).map_err(|e| e.within(key))?);
    }
    Ok(())
}

macro_rules! tuples {
    ($($name:ident $index:tt),+) => {
        /// Reads a list of exactly as many items.
        impl<'a, $($name: FromBolt<'a>),+> FromBolt<'a> for ($($name,)+) {
            fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
                const LEN: usize = [$($index),+].len();
                if decoder.peek()? != Kind::List {
                    return Err(decoder.unexpected("LIST"));
                }
                let len = decoder.list()?;
                if len != LEN {
                    return Err(DecodeError::new(DecodeErrorKind::OutOfRange {
                        expected: concat!("a tuple (", $(stringify!($name), ","),+, ")"),
                        found: format!("a LIST of {len}"),
                    }));
                }
                Ok(($($name::from_bolt(decoder)
                    .map_err(|e| e.within(concat!("[", $index, "]")))?,)+))
            }
        }
    };
}
tuples!(A 0);
tuples!(A 0, B 1);
tuples!(A 0, B 1, C 2);
tuples!(A 0, B 1, C 2, D 3);
tuples!(A 0, B 1, C 2, D 3, E 4);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);
