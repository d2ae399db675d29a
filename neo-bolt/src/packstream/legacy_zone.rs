//! Local times in named zones, as servers before Neo4j 5 send and want them. What they stand for
//! only a database of time zones knows, which the feature `time-zones` brings.

#[cfg(feature = "time-zones")]
pub(super) use database::{NOT_READ, NOT_SENT, to_instant, to_local};
#[cfg(not(feature = "time-zones"))]
pub(super) use nothing::{NOT_READ, NOT_SENT, to_instant, to_local};

#[cfg(feature = "time-zones")]
mod database {
    use std::str::FromStr;

    use chrono::{DateTime, Offset, TimeZone};
    use chrono_tz::Tz;

    pub(crate) const NOT_SENT: &str = "the time zone of a ZONED DATETIME is not in the database of time zones, and this server \
         wants local time";
    pub(crate) const NOT_READ: &str = "a zone that the database of time zones does not have";

    /// Seconds of the zone's clock since its 1970-01-01.
    pub(crate) fn to_local(epoch_seconds: i64, zone: &str) -> Option<i64> {
        let zone = Tz::from_str(zone).ok()?;
        let instant = DateTime::from_timestamp(epoch_seconds, 0)?;
        let offset = zone.offset_from_utc_datetime(&instant.naive_utc()).fix();
        epoch_seconds.checked_add(offset.local_minus_utc().into())
    }

    /// The instant at which the zone's clock shows this; the earlier one where it does so twice.
    pub(crate) fn to_instant(local_seconds: i64, zone: &str) -> Option<i64> {
        let zone = Tz::from_str(zone).ok()?;
        let local = DateTime::from_timestamp(local_seconds, 0)?.naive_utc();
        let offset = zone.offset_from_local_datetime(&local).earliest()?;
        local_seconds.checked_sub(offset.fix().local_minus_utc().into())
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn there_and_back() {
            // 2022-06-01T12:00 in Stockholm is 10:00 UTC.
            let local = to_local(1_654_077_600, "Europe/Stockholm").unwrap();
            assert_eq!(local, 1_654_077_600 + 7200);
            assert_eq!(to_instant(local, "Europe/Stockholm"), Some(1_654_077_600));
            assert_eq!(to_local(0, "Europe/Neo4j"), None);
            // The hour that is left out in spring.
            assert_eq!(to_instant(1_648_348_200, "Europe/Stockholm"), None);
        }
    }
}

#[cfg(not(feature = "time-zones"))]
mod nothing {
    pub(crate) const NOT_SENT: &str = "a ZONED DATETIME with a named zone needs Bolt 5, 4.4 with the UTC patch, or neo-bolt's \
         feature `time-zones`";
    pub(crate) const NOT_READ: &str = "which takes neo-bolt's feature `time-zones`, or a server with the UTC patch (Neo4j 4.4.12 \
         or later)";

    pub(crate) fn to_local(_: i64, _: &str) -> Option<i64> {
        None
    }

    pub(crate) fn to_instant(_: i64, _: &str) -> Option<i64> {
        None
    }
}
