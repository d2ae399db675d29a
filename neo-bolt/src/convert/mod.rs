//! Types of the standard library and of others, as values of Bolt.
//!
//! What of theirs becomes a value of ours always does (`From`); what comes back may not fit
//! (`TryFrom`, with [`ConvertError`]). Through that, they are parameters and columns as well
//! ([`ToBolt`], [`FromBolt`]).

#[cfg(feature = "chrono")]
mod chrono;
#[cfg(feature = "jiff")]
mod jiff;
mod serde;
mod standard;
#[cfg(feature = "time")]
mod time;

pub use self::serde::Serde;

use std::fmt;

use crate::packstream::DecodeError;
#[cfg(doc)]
use crate::packstream::{FromBolt, ToBolt};
use crate::value::Duration;

/// A value has no equal in another library's type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value} does not fit {target}{}{why}", if .why.is_empty() { "" } else { ": " })]
pub struct ConvertError {
    value: String,
    target: &'static str,
    why: &'static str,
}

impl ConvertError {
    fn new(target: &'static str, value: impl fmt::Display, why: &'static str) -> Self {
        Self {
            value: value.to_string(),
            target,
            why,
        }
    }

    /// The value is before or after all that the other type has.
    fn outside(target: &'static str, value: impl fmt::Display) -> Self {
        Self::new(target, value, "")
    }
}

impl From<ConvertError> for DecodeError {
    fn from(error: ConvertError) -> Self {
        if error.why.is_empty() {
            Self::out_of_range(error.target, error.value)
        } else {
            Self::custom(error)
        }
    }
}

/// The seconds and nanoseconds of a duration that has nothing of changing length.
fn fixed_length(target: &'static str, duration: &Duration) -> Result<(i64, u32), ConvertError> {
    if duration.months != 0 || duration.days != 0 {
        let why = "months and days are not always of the same length";
        return Err(ConvertError::new(target, duration, why));
    }
    let nanoseconds = u32::try_from(duration.nanoseconds).ok();
    match nanoseconds.filter(|nanoseconds| *nanoseconds < 1_000_000_000) {
        Some(nanoseconds) => Ok((duration.seconds, nanoseconds)),
        None => Err(ConvertError::outside(target, duration)),
    }
}

/// Makes types parameters and columns by way of a type of ours.
macro_rules! by_way_of {
    ($($(#[$meta:meta])* $theirs:ty => $ours:ty as $variant:ident;)*) => {$(
        $(#[$meta])*
        impl crate::packstream::ToBolt for $theirs {
            fn to_bolt(
                &self,
                encoder: &mut crate::packstream::Encoder<'_>,
            ) -> Result<(), crate::packstream::EncodeError> {
                <$ours>::from(self.clone()).to_bolt(encoder)
            }
        }

        $(#[$meta])*
        impl<'a> crate::packstream::FromBolt<'a> for $theirs {
            fn from_bolt(
                decoder: &mut crate::packstream::Decoder<'a>,
            ) -> Result<Self, crate::packstream::DecodeError> {
                let ours = <$ours as crate::packstream::FromBolt<'a>>::from_bolt(decoder)?;
                Ok(<$theirs>::try_from(ours)?)
            }
        }

        $(#[$meta])*
        impl From<$theirs> for crate::value::Value {
            fn from(theirs: $theirs) -> Self {
                Self::$variant(theirs.into())
            }
        }
    )*};
}
use by_way_of;

/// Checks that a type of theirs becomes `ours`, and comes back, by `From` and over the wire.
#[cfg(test)]
fn there_and_back<T, O>(theirs: T, ours: O)
where
    T: Clone + PartialEq + fmt::Debug + crate::packstream::ToBolt,
    T: TryFrom<O, Error = ConvertError> + for<'a> crate::packstream::FromBolt<'a>,
    O: From<T> + PartialEq + fmt::Debug + for<'a> crate::packstream::FromBolt<'a>,
{
    use crate::packstream::{Decoder, Dialect, Encoder};
    let mut out = bytes::BytesMut::new();
    let mut encoder = Encoder::new(&mut out, Dialect::NEWEST);
    theirs.to_bolt(&mut encoder).unwrap();
    assert_eq!(O::from_bolt(&mut Decoder::new(&out)).unwrap(), ours);
    assert_eq!(T::from_bolt(&mut Decoder::new(&out)).unwrap(), theirs);
    assert_eq!(O::from(theirs.clone()), ours);
    assert_eq!(T::try_from(ours).unwrap(), theirs);
}
