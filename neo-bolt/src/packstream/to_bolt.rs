//! Types that write themselves into the send buffer.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;

use super::{EncodeError, Encoder};

/// A type that writes itself as one PackStream value.
///
/// Parameters of a query are a type that writes a map.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be sent to Neo4j",
    label = "no Cypher type for this",
    note = "numbers up to 64 signed bits, bool, text, `Option`, lists, maps with text keys, `bytes::Bytes` for byte arrays and the types of `neo_bolt::value` can be sent"
)]
pub trait ToBolt {
    /// Writes exactly one value.
    ///
    /// # Errors
    /// The value has no form in the dialect of the connection.
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError>;
}

macro_rules! small_integers {
    ($($int:ty),*) => {$(
        impl ToBolt for $int {
            fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
                encoder.integer(i64::from(*self));
                Ok(())
            }
        }
    )*};
}
small_integers!(i8, i16, i32, i64, u8, u16, u32);

macro_rules! large_integers {
    ($($int:ty),*) => {$(
        impl ToBolt for $int {
            fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
                let value = i64::try_from(*self)
                    .map_err(|_| EncodeError::IntegerOutOfRange(self.to_string()))?;
                encoder.integer(value);
                Ok(())
            }
        }
    )*};
}
large_integers!(isize, i128, u64, u128, usize);

impl ToBolt for bool {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.boolean(*self);
        Ok(())
    }
}

impl ToBolt for f64 {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.float(*self);
        Ok(())
    }
}

impl ToBolt for f32 {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.float(f64::from(*self));
        Ok(())
    }
}

impl ToBolt for str {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.string(self)
    }
}

impl ToBolt for String {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.string(self)
    }
}

impl ToBolt for char {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.string(self.encode_utf8(&mut [0; 4]))
    }
}

impl ToBolt for Bytes {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.bytes(self)
    }
}

#[cfg(feature = "uuid")]
impl ToBolt for uuid::Uuid {
    /// Writes the hyphenated text form, as Neo4j's `randomUUID()` gives it.
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.string(
            self.hyphenated()
                .encode_lower(&mut uuid::Uuid::encode_buffer()),
        )
    }
}

/// Writes an empty map: a query without parameters.
impl ToBolt for () {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.map(0)
    }
}

impl<T: ToBolt> ToBolt for Option<T> {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        match self {
            Some(value) => value.to_bolt(encoder),
            None => {
                encoder.null();
                Ok(())
            }
        }
    }
}

macro_rules! pointers {
    ($($pointer:ty),*) => {$(
        impl<T: ToBolt + ?Sized> ToBolt for $pointer {
            fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
                (**self).to_bolt(encoder)
            }
        }
    )*};
}
pointers!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

impl<T: ToBolt + ToOwned + ?Sized> ToBolt for Cow<'_, T> {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        self.as_ref().to_bolt(encoder)
    }
}

impl<T: ToBolt> ToBolt for [T] {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.list(self.len())?;
        self.iter().try_for_each(|item| item.to_bolt(encoder))
    }
}

impl<T: ToBolt> ToBolt for Vec<T> {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        self.as_slice().to_bolt(encoder)
    }
}

impl<T: ToBolt, const N: usize> ToBolt for [T; N] {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        self.as_slice().to_bolt(encoder)
    }
}

impl<K: AsRef<str>, T: ToBolt> ToBolt for BTreeMap<K, T> {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        pairs(self.len(), self.iter(), encoder)
    }
}

impl<K: AsRef<str>, T: ToBolt, S> ToBolt for HashMap<K, T, S> {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        pairs(self.len(), self.iter(), encoder)
    }
}

fn pairs<'m, K: AsRef<str> + 'm, T: ToBolt + 'm>(
    len: usize,
    pairs: impl Iterator<Item = (&'m K, &'m T)>,
    encoder: &mut Encoder<'_>,
) -> Result<(), EncodeError> {
    encoder.map(len)?;
    for (key, value) in pairs {
        encoder.string(key.as_ref())?;
        value.to_bolt(encoder)?;
    }
    Ok(())
}

macro_rules! tuples {
    ($($name:ident $index:tt),+) => {
        /// Writes a list.
        impl<$($name: ToBolt),+> ToBolt for ($($name,)+) {
            fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
                encoder.list([$($index),+].len())?;
                $(self.$index.to_bolt(encoder)?;)+
                Ok(())
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
