//! Types of the standard library beyond numbers, text, lists and maps.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, Hash};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::{
    NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroU8, NonZeroU16, NonZeroU32, NonZeroU64,
    NonZeroUsize,
};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration as StdDuration, SystemTime, UNIX_EPOCH};

use super::{ConvertError, by_way_of, fixed_length};
use crate::packstream::{
    DecodeError, DecodeErrorKind, Decoder, EncodeError, Encoder, FromBolt, ToBolt,
};
use crate::value::{DateTime, Duration, Value};

impl TryFrom<Duration> for StdDuration {
    type Error = ConvertError;

    fn try_from(duration: Duration) -> Result<Self, ConvertError> {
        const NAME: &str = "std::time::Duration";
        let (seconds, nanoseconds) = fixed_length(NAME, &duration)?;
        match u64::try_from(seconds) {
            Ok(seconds) => Ok(Self::new(seconds, nanoseconds)),
            Err(_) => Err(ConvertError::new(NAME, duration, "it is negative")),
        }
    }
}

impl From<SystemTime> for DateTime {
    fn from(time: SystemTime) -> Self {
        let (seconds, nanosecond) = match time.duration_since(UNIX_EPOCH) {
            Ok(since) => (i64::try_from(since.as_secs()), since.subsec_nanos()),
            Err(before) => {
                let before = before.duration();
                let seconds = i64::try_from(before.as_secs()).map(|seconds| -seconds);
                match before.subsec_nanos() {
                    0 => (seconds, 0),
                    // Nanoseconds count forward.
                    nanoseconds => (seconds.map(|s| s - 1), 1_000_000_000 - nanoseconds),
                }
            }
        };
        Self::clamped(seconds.unwrap_or(i64::MAX), nanosecond, 0)
    }
}

/// The instant, whatever the zone was.
impl TryFrom<DateTime> for SystemTime {
    type Error = ConvertError;

    fn try_from(zoned: DateTime) -> Result<Self, ConvertError> {
        let seconds = StdDuration::from_secs(zoned.epoch_seconds().unsigned_abs());
        let whole = if zoned.epoch_seconds() < 0 {
            UNIX_EPOCH.checked_sub(seconds)
        } else {
            UNIX_EPOCH.checked_add(seconds)
        };
        let nanoseconds = StdDuration::from_nanos(zoned.nanosecond().into());
        whole
            .and_then(|whole| whole.checked_add(nanoseconds))
            .ok_or_else(|| ConvertError::outside("std::time::SystemTime", zoned))
    }
}

by_way_of! {
    StdDuration => Duration as Duration;
    SystemTime => DateTime as DateTime;
}

macro_rules! by_text {
    ($($ty:ty => $name:literal),*) => {$(
        /// Writes text.
        impl ToBolt for $ty {
            fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
                encoder.string(&self.to_string())
            }
        }

        impl<'a> FromBolt<'a> for $ty {
            fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
                let text = decoder.string()?;
                text.parse().map_err(|_| DecodeError::out_of_range($name, format_args!("{text:?}")))
            }
        }

        impl From<$ty> for Value {
            fn from(address: $ty) -> Self {
                Self::String(address.to_string())
            }
        }
    )*};
}
by_text!(IpAddr => "IpAddr", Ipv4Addr => "Ipv4Addr", Ipv6Addr => "Ipv6Addr");

macro_rules! non_zero {
    ($($ty:ty => $int:ty, $name:literal);*) => {$(
        impl ToBolt for $ty {
            fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
                self.get().to_bolt(encoder)
            }
        }

        impl<'a> FromBolt<'a> for $ty {
            fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
                let number = <$int>::from_bolt(decoder)?;
                Self::new(number).ok_or_else(|| DecodeError::out_of_range($name, number))
            }
        }
    )*};
}
non_zero!(
    NonZeroI8 => i8, "NonZeroI8"; NonZeroI16 => i16, "NonZeroI16"; NonZeroI32 => i32, "NonZeroI32";
    NonZeroI64 => i64, "NonZeroI64"; NonZeroU8 => u8, "NonZeroU8"; NonZeroU16 => u16, "NonZeroU16";
    NonZeroU32 => u32, "NonZeroU32"; NonZeroU64 => u64, "NonZeroU64";
    NonZeroUsize => usize, "NonZeroUsize"
);

macro_rules! text_pointers {
    ($($ty:ty),*) => {$(
        impl<'a> FromBolt<'a> for $ty {
            fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
                decoder.string().map(Into::into)
            }
        }
    )*};
}
text_pointers!(Box<str>, Rc<str>, Arc<str>, Cow<'a, str>);

/// Borrowed from the message, as long as nobody changes it.
impl<'a> FromBolt<'a> for Cow<'a, [u8]> {
    fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        decoder.bytes().map(Cow::Borrowed)
    }
}

macro_rules! pointers {
    ($($pointer:ident),*) => {$(
        impl<'a, T: FromBolt<'a>> FromBolt<'a> for $pointer<T> {
            fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
                T::from_bolt(decoder).map($pointer::new)
            }

            fn from_missing() -> Result<Self, DecodeError> {
                T::from_missing().map($pointer::new)
            }
        }
    )*};
}
pointers!(Rc, Arc);

/// Reads a list of exactly as many items.
impl<'a, T: FromBolt<'a>, const N: usize> FromBolt<'a> for [T; N] {
    fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        let items = Vec::<T>::from_bolt(decoder)?;
        items.try_into().map_err(|items: Vec<T>| {
            DecodeError::new(DecodeErrorKind::OutOfRange {
                expected: "an array",
                found: format!("a LIST of {} where {N} items are due", items.len()),
            })
        })
    }
}

macro_rules! collections {
    ($($ty:ident<T $(, $state:ident)?>: $($bound:path),+;)*) => {$(
        /// Writes a list.
        impl<T: ToBolt $(, $state)?> ToBolt for $ty<T $(, $state)?> {
            fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
                encoder.list(self.len())?;
                self.iter().try_for_each(|item| item.to_bolt(encoder))
            }
        }

        /// Reads a list.
        impl<'a, T $(, $state: BuildHasher + Default)?> FromBolt<'a> for $ty<T $(, $state)?>
        where
            T: FromBolt<'a> $(+ $bound)+,
        {
            fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
                Vec::<T>::from_bolt(decoder).map(|items| items.into_iter().collect())
            }
        }
    )*};
}
collections! {
    BTreeSet<T>: Ord;
    HashSet<T, S>: Eq, Hash;
    VecDeque<T>: Sized;
}

impl<'a, T: FromBolt<'a>> FromBolt<'a> for Box<[T]> {
    fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        Vec::<T>::from_bolt(decoder).map(Into::into)
    }
}

macro_rules! text_values {
    ($($ty:ty),*) => {$(
        impl From<$ty> for Value {
            fn from(text: $ty) -> Self {
                Self::String(text.into())
            }
        }
    )*};
}
text_values!(&String, Box<str>, Cow<'_, str>, char);

impl<T: Into<Value>, const N: usize> From<[T; N]> for Value {
    fn from(items: [T; N]) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

impl<K: Into<String>, T: Into<Value>, S> From<HashMap<K, T, S>> for Value {
    fn from(map: HashMap<K, T, S>) -> Self {
        let pairs = map.into_iter();
        Self::Map(
            pairs
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        )
    }
}

#[cfg(feature = "uuid")]
impl From<uuid::Uuid> for Value {
    fn from(uuid: uuid::Uuid) -> Self {
        Self::String(uuid.hyphenated().to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use bytes::BytesMut;

    use super::super::there_and_back;
    use super::*;
    use crate::packstream::Dialect;
    use crate::value::Zone;

    fn round_trip<T: ToBolt + PartialEq + Debug + for<'a> FromBolt<'a>>(value: T) {
        let mut out = BytesMut::new();
        value
            .to_bolt(&mut Encoder::new(&mut out, Dialect::NEWEST))
            .unwrap();
        let mut decoder = Decoder::new(&out);
        assert_eq!(T::from_bolt(&mut decoder).unwrap(), value);
        decoder.finish().unwrap();
    }

    fn refused<T: Debug + for<'a> FromBolt<'a>>(value: impl ToBolt) -> String {
        let mut out = BytesMut::new();
        value
            .to_bolt(&mut Encoder::new(&mut out, Dialect::NEWEST))
            .unwrap();
        T::from_bolt(&mut Decoder::new(&out))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn times_there_and_back() {
        let half = StdDuration::from_millis(1500);
        there_and_back(half, Duration::new(0, 0, 1, 500_000_000));
        for (time, seconds, nanosecond) in [
            (UNIX_EPOCH + half, 1, 500_000_000),
            (UNIX_EPOCH - half, -2, 500_000_000),
            (UNIX_EPOCH - StdDuration::from_secs(2), -2, 0),
        ] {
            let ours = DateTime::from_epoch(seconds, nanosecond, Zone::Offset(0)).unwrap();
            there_and_back(time, ours);
        }
        assert_eq!(
            refused::<StdDuration>(Duration::new(0, 0, -1, 0)),
            "P0M0DT-1S does not fit std::time::Duration: it is negative"
        );
    }

    #[test]
    fn everything_else_there_and_back() {
        round_trip(Box::<str>::from("a"));
        round_trip(Arc::<str>::from("a"));
        round_trip(Arc::new(7_i64));
        round_trip(Rc::new(Some(7_i64)));
        round_trip([1_i64, 2, 3]);
        round_trip(Box::<[i64]>::from([1_i64, 2]));
        round_trip(VecDeque::from([1_i64, 2]));
        round_trip(BTreeSet::from(["a".to_owned()]));
        round_trip(HashSet::from([1_u8, 2]));
        round_trip(NonZeroU8::MIN);
        round_trip(IpAddr::from([127, 0, 0, 1]));
        round_trip(Ipv6Addr::LOCALHOST);
        #[cfg(feature = "uuid")]
        round_trip(uuid::Uuid::from_u128(7));
        let mut out = BytesMut::new();
        "é".to_bolt(&mut Encoder::new(&mut out, Dialect::NEWEST))
            .unwrap();
        let text = Cow::<'_, str>::from_bolt(&mut Decoder::new(&out)).unwrap();
        assert!(matches!(text, Cow::Borrowed("é")));
    }

    #[test]
    fn what_does_not_fit_says_so() {
        assert_eq!(refused::<NonZeroU8>(0), "0 does not fit NonZeroU8");
        assert_eq!(
            refused::<Ipv4Addr>("1.2.3"),
            "\"1.2.3\" does not fit Ipv4Addr"
        );
        assert!(refused::<[i64; 2]>([1_i64]).contains("LIST of 1"));
    }

    #[test]
    fn parameters_take_them_all() {
        let parameters = crate::params! {
            "half" => StdDuration::from_millis(500), "at" => UNIX_EPOCH, "ip" => Ipv4Addr::LOCALHOST,
            "list" => [1, 2], "map" => HashMap::from([("a", 1)]), "text" => Cow::Borrowed("x"),
        };
        assert_eq!(parameters["ip"], Value::from("127.0.0.1"));
        assert_eq!(parameters["map"], Value::Map(crate::params! { "a" => 1 }));
        assert_eq!(parameters["list"], Value::from(vec![1, 2]));
    }
}
