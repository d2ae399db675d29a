//! Types of the standard library and of others as properties.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::hash::{BuildHasher, Hash};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::{
    NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroU8, NonZeroU16, NonZeroU32, NonZeroU64,
};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::CypherType;
use super::property::{ListProperty, Property, kind};

macro_rules! properties {
    ($kind:ident, $cypher:ident: $($ty:ty),*) => {$(
        impl Property for $ty {
            type Plain = Self;
            type Kind = kind::$kind;
            const CYPHER_TYPE: CypherType = CypherType::$cypher;
            type As<U: Property> = U;
        }
    )*};
}
properties!(Text, String: Box<str>, Arc<str>);
properties!(Plain, String: IpAddr, Ipv4Addr, Ipv6Addr);
properties!(Plain, Duration: Duration);
properties!(Dated, ZonedDateTime: SystemTime);
properties!(Integer, Integer: NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64);
properties!(Integer, Integer: NonZeroU8, NonZeroU16, NonZeroU32, NonZeroU64);

macro_rules! lists {
    ($($ty:ty where [$($bound:tt)*] or $absent:expr;)*) => {$(
        impl<$($bound)*> Property for $ty {
            type Plain = Self;
            type Kind = kind::List;
            const CYPHER_TYPE: CypherType = CypherType::List(&T::CYPHER_TYPE);
            type As<U: Property> = U;

            fn absent() -> Option<Self> {
                $absent
            }
        }

        impl<$($bound)*> ListProperty for $ty {
            type Member = T;
        }
    )*};
}
lists! {
    VecDeque<T> where [T: Property] or Some(Self::new());
    BTreeSet<T> where [T: Property + Ord] or Some(Self::new());
    HashSet<T, S> where [T: Property + Eq + Hash, S: BuildHasher + Default + Send + Sync + 'static] or Some(Self::default());
    [T; N] where [T: Property, const N: usize] or None;
}

#[cfg(feature = "chrono")]
mod of_chrono {
    use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

    use super::{CypherType, Property, kind};

    properties!(Dated, Date: NaiveDate);
    properties!(Ordered, LocalTime: NaiveTime);
    properties!(Dated, LocalDateTime: NaiveDateTime);
    properties!(Dated, ZonedDateTime: DateTime<Utc>, DateTime<FixedOffset>);
    properties!(Plain, Duration: TimeDelta);
}

#[cfg(feature = "time")]
mod of_time {
    use time::{Date, Duration, OffsetDateTime, PrimitiveDateTime, Time, UtcDateTime};

    use super::{CypherType, Property, kind};

    properties!(Dated, Date: Date);
    properties!(Ordered, LocalTime: Time);
    properties!(Dated, LocalDateTime: PrimitiveDateTime);
    properties!(Dated, ZonedDateTime: OffsetDateTime, UtcDateTime);
    properties!(Plain, Duration: Duration);
}

#[cfg(feature = "jiff")]
mod of_jiff {
    use jiff::civil::{Date, DateTime, Time};
    use jiff::{SignedDuration, Span, Timestamp, ZonedDateTime};

    use super::{CypherType, Property, kind};

    properties!(Dated, Date: Date);
    properties!(Ordered, LocalTime: Time);
    properties!(Dated, LocalDateTime: DateTime);
    properties!(Dated, ZonedDateTime: Timestamp, ZonedDateTime);
    properties!(Plain, Duration: SignedDuration, Span);
}
