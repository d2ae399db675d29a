//! The types of the crate `chrono`.
//!
//! Neo4j knows no leap seconds: one of chrono's counts as the first second after it where there
//! is a date, and as the last nanosecond of its day where there is none.

use ::chrono::{
    DateTime as Zoned, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta,
    TimeZone, Timelike, Utc,
};

use super::{ConvertError, by_way_of, fixed_length};
use crate::value::{Date, DateTime, Duration, LocalDateTime, LocalTime, Zone};

/// Days from the beginning of chrono's count to 1970-01-01.
const EPOCH_FROM_CE: i64 = 719_163;

const NANOS: u32 = 1_000_000_000;

impl From<NaiveDate> for Date {
    fn from(date: NaiveDate) -> Self {
        use ::chrono::Datelike;
        Self::from_epoch_days(i64::from(date.num_days_from_ce()) - EPOCH_FROM_CE)
    }
}

impl TryFrom<Date> for NaiveDate {
    type Error = ConvertError;

    fn try_from(date: Date) -> Result<Self, ConvertError> {
        let days = date.epoch_days().checked_add(EPOCH_FROM_CE);
        days.and_then(|days| i32::try_from(days).ok())
            .and_then(Self::from_num_days_from_ce_opt)
            .ok_or_else(|| ConvertError::outside("chrono::NaiveDate", date))
    }
}

impl From<NaiveTime> for LocalTime {
    fn from(time: NaiveTime) -> Self {
        let seconds = i64::from(time.num_seconds_from_midnight());
        // Less than a second, but for a leap second.
        let nanosecond = time.nanosecond().min(NANOS - 1);
        Self::clamped(seconds * i64::from(NANOS) + i64::from(nanosecond))
    }
}

impl TryFrom<LocalTime> for NaiveTime {
    type Error = ConvertError;

    fn try_from(time: LocalTime) -> Result<Self, ConvertError> {
        Self::from_hms_nano_opt(
            time.hour().into(),
            time.minute().into(),
            time.second().into(),
            time.nanosecond(),
        )
        .ok_or_else(|| ConvertError::outside("chrono::NaiveTime", time))
    }
}

impl From<NaiveDateTime> for LocalDateTime {
    fn from(local: NaiveDateTime) -> Self {
        let utc = local.and_utc();
        let nanosecond = utc.timestamp_subsec_nanos();
        Self::clamped(utc.timestamp(), nanosecond)
    }
}

impl TryFrom<LocalDateTime> for NaiveDateTime {
    type Error = ConvertError;

    fn try_from(local: LocalDateTime) -> Result<Self, ConvertError> {
        Zoned::from_timestamp(local.epoch_seconds(), local.nanosecond())
            .map(|utc| utc.naive_utc())
            .ok_or_else(|| ConvertError::outside("chrono::NaiveDateTime", local))
    }
}

/// With its offset from UTC; of the zone's name chrono tells nothing in general.
impl From<Zoned<FixedOffset>> for DateTime {
    fn from(zoned: Zoned<FixedOffset>) -> Self {
        let offset = zoned.offset().fix().local_minus_utc();
        Self::clamped(zoned.timestamp(), zoned.timestamp_subsec_nanos(), offset)
    }
}

impl From<Zoned<Utc>> for DateTime {
    fn from(utc: Zoned<Utc>) -> Self {
        Self::clamped(utc.timestamp(), utc.timestamp_subsec_nanos(), 0)
    }
}

/// The instant, whatever the zone was.
impl TryFrom<DateTime> for Zoned<Utc> {
    type Error = ConvertError;

    fn try_from(zoned: DateTime) -> Result<Self, ConvertError> {
        Self::from_timestamp(zoned.epoch_seconds(), zoned.nanosecond())
            .ok_or_else(|| ConvertError::outside("chrono::DateTime<Utc>", zoned))
    }
}

/// What is in a named zone has an offset only where the feature `time-zones` knows it.
impl TryFrom<DateTime> for Zoned<FixedOffset> {
    type Error = ConvertError;

    fn try_from(zoned: DateTime) -> Result<Self, ConvertError> {
        const NAME: &str = "chrono::DateTime<FixedOffset>";
        let utc = Zoned::<Utc>::from_timestamp(zoned.epoch_seconds(), zoned.nanosecond())
            .ok_or_else(|| ConvertError::outside(NAME, &zoned))?;
        let offset = match zoned.zone() {
            Zone::Offset(seconds) => FixedOffset::east_opt(*seconds),
            Zone::Id(id) => offset_in(id, &utc),
        };
        match offset {
            // The local time may lie beyond chrono's range, where the instant does not.
            Some(offset) if utc.naive_utc().checked_add_offset(offset).is_some() => {
                Ok(offset.from_utc_datetime(&utc.naive_utc()))
            }
            Some(_) => Err(ConvertError::outside(NAME, zoned)),
            None => {
                let why = "nothing is known of the zone's offset; read it as DateTime<Utc>";
                Err(ConvertError::new(NAME, zoned, why))
            }
        }
    }
}

#[cfg(feature = "time-zones")]
fn offset_in(zone: &str, utc: &Zoned<Utc>) -> Option<FixedOffset> {
    let zone: chrono_tz::Tz = zone.parse().ok()?;
    Some(zone.offset_from_utc_datetime(&utc.naive_utc()).fix())
}

#[cfg(not(feature = "time-zones"))]
fn offset_in(zone: &str, _: &Zoned<Utc>) -> Option<FixedOffset> {
    (zone == "UTC").then(|| Utc.fix())
}

#[cfg(feature = "time-zones")]
impl From<Zoned<chrono_tz::Tz>> for DateTime {
    fn from(zoned: Zoned<chrono_tz::Tz>) -> Self {
        let utc = Self::from(zoned.to_utc());
        let name = zoned.timezone().name().to_owned();
        // It keeps the instant, which is in range.
        Self::from_epoch(utc.epoch_seconds(), utc.nanosecond(), Zone::Id(name)).unwrap_or(utc)
    }
}

/// What has an offset instead of a named zone has none, but for UTC.
#[cfg(feature = "time-zones")]
impl TryFrom<DateTime> for Zoned<chrono_tz::Tz> {
    type Error = ConvertError;

    fn try_from(zoned: DateTime) -> Result<Self, ConvertError> {
        const NAME: &str = "chrono::DateTime<Tz>";
        let zone: Option<chrono_tz::Tz> = match zoned.zone() {
            Zone::Offset(0) => Some(chrono_tz::UTC),
            Zone::Offset(_) => None,
            Zone::Id(id) => id.parse().ok(),
        };
        let Some(zone) = zone else {
            let why = "its zone is none of chrono-tz";
            return Err(ConvertError::new(NAME, zoned, why));
        };
        let utc = Zoned::<Utc>::try_from(zoned)?.naive_utc();
        let offset = zone.offset_from_utc_datetime(&utc).fix();
        if utc.checked_add_offset(offset).is_none() {
            return Err(ConvertError::outside(NAME, utc));
        }
        Ok(zone.from_utc_datetime(&utc))
    }
}

impl From<TimeDelta> for Duration {
    fn from(delta: TimeDelta) -> Self {
        // Ours count nanoseconds forward, also where the seconds are negative.
        let nanoseconds = delta.subsec_nanos();
        let borrow = i32::from(nanoseconds < 0);
        Self::new(
            0,
            0,
            delta.num_seconds() - i64::from(borrow),
            nanoseconds + borrow * 1_000_000_000,
        )
    }
}

impl TryFrom<Duration> for TimeDelta {
    type Error = ConvertError;

    fn try_from(duration: Duration) -> Result<Self, ConvertError> {
        const NAME: &str = "chrono::TimeDelta";
        let (seconds, nanoseconds) = fixed_length(NAME, &duration)?;
        Self::new(seconds, nanoseconds).ok_or_else(|| ConvertError::outside(NAME, duration))
    }
}

by_way_of! {
    NaiveDate => Date as Date;
    NaiveTime => LocalTime as LocalTime;
    NaiveDateTime => LocalDateTime as LocalDateTime;
    Zoned<FixedOffset> => DateTime as DateTime;
    Zoned<Utc> => DateTime as DateTime;
    #[cfg(feature = "time-zones")]
    Zoned<chrono_tz::Tz> => DateTime as DateTime;
    TimeDelta => Duration as Duration;
}

#[cfg(test)]
mod tests {
    use super::super::there_and_back;
    use super::*;

    #[test]
    fn each_type_there_and_back() {
        let date = NaiveDate::from_ymd_opt(1878, 4, 1).unwrap();
        let time = NaiveTime::from_hms_nano_opt(13, 5, 9, 7).unwrap();
        let ours = Date::from_ymd(1878, 4, 1).unwrap();
        let our_time = LocalTime::from_hms_nano(13, 5, 9, 7).unwrap();
        let local = LocalDateTime::new(ours, our_time);
        there_and_back(date, ours);
        there_and_back(time, our_time);
        there_and_back(date.and_time(time), local);
        let at = |offset| DateTime::from_local(local, offset).unwrap();
        there_and_back(date.and_time(time).and_utc(), at(0));
        let offset = FixedOffset::east_opt(-5400).unwrap();
        let zoned = offset.from_local_datetime(&date.and_time(time)).unwrap();
        there_and_back(zoned, at(-5400));
        there_and_back(
            TimeDelta::milliseconds(-1500),
            Duration::new(0, 0, -2, 500_000_000),
        );
        there_and_back(
            TimeDelta::milliseconds(1500),
            Duration::new(0, 0, 1, 500_000_000),
        );
    }

    #[test]
    fn what_does_not_fit_says_so() {
        let far = Date::from_ymd(999_999, 1, 1).unwrap();
        assert_eq!(
            NaiveDate::try_from(far).unwrap_err().to_string(),
            "+999999-01-01 does not fit chrono::NaiveDate"
        );
        let month = TimeDelta::try_from(Duration::new(1, 0, 0, 0)).unwrap_err();
        assert!(
            month.to_string().contains("not always of the same length"),
            "{month}"
        );
        let named = DateTime::from_epoch(0, 0, Zone::Id("Mars/Olympus".to_owned())).unwrap();
        let error = Zoned::<FixedOffset>::try_from(named).unwrap_err();
        assert!(error.to_string().contains("DateTime<Utc>"), "{error}");
    }

    #[test]
    fn a_leap_second_is_the_one_after_it_or_the_last_of_its_day() {
        let leap = NaiveTime::from_hms_nano_opt(23, 59, 59, 1_500_000_000).unwrap();
        assert_eq!(LocalTime::from(leap).to_string(), "23:59:59.999999999");
        let date = NaiveDate::from_ymd_opt(2016, 12, 31).unwrap();
        let local = LocalDateTime::from(date.and_time(leap));
        assert_eq!(local.to_string(), "2017-01-01T00:00:00.5");
    }

    #[test]
    #[cfg(feature = "time-zones")]
    fn named_zones_are_looked_up() {
        let named = DateTime::from_epoch(0, 0, Zone::Id("Europe/Paris".to_owned())).unwrap();
        let zoned = Zoned::<FixedOffset>::try_from(named.clone()).unwrap();
        assert_eq!(zoned.offset().local_minus_utc(), 3600);
        let paris = Zoned::<chrono_tz::Tz>::try_from(named.clone()).unwrap();
        there_and_back(paris, named);
    }
}
