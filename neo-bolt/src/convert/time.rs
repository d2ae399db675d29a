//! The types of the crate `time`.

use ::time::{
    Date as CivilDate, Duration as SignedDuration, OffsetDateTime, PrimitiveDateTime,
    Time as ClockTime, UtcDateTime, UtcOffset,
};

use super::{ConvertError, by_way_of, fixed_length};
use crate::value::{Date, DateTime, Duration, LocalDateTime, LocalTime, Zone};

/// 1970-01-01 in the count of Julian days.
const EPOCH: i64 = 2_440_588;

impl From<CivilDate> for Date {
    fn from(date: CivilDate) -> Self {
        Self::from_epoch_days(i64::from(date.to_julian_day()) - EPOCH)
    }
}

impl TryFrom<Date> for CivilDate {
    type Error = ConvertError;

    fn try_from(date: Date) -> Result<Self, ConvertError> {
        let day = date.epoch_days().checked_add(EPOCH);
        day.and_then(|day| i32::try_from(day).ok())
            .and_then(|day| Self::from_julian_day(day).ok())
            .ok_or_else(|| ConvertError::outside("time::Date", date))
    }
}

impl From<ClockTime> for LocalTime {
    fn from(time: ClockTime) -> Self {
        let (hour, minute, second, nanosecond) = time.as_hms_nano();
        let seconds = (i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second);
        Self::clamped(seconds * 1_000_000_000 + i64::from(nanosecond))
    }
}

impl TryFrom<LocalTime> for ClockTime {
    type Error = ConvertError;

    fn try_from(time: LocalTime) -> Result<Self, ConvertError> {
        Self::from_hms_nano(time.hour(), time.minute(), time.second(), time.nanosecond())
            .map_err(|_| ConvertError::outside("time::Time", time))
    }
}

impl From<PrimitiveDateTime> for LocalDateTime {
    fn from(local: PrimitiveDateTime) -> Self {
        Self::new(local.date().into(), local.time().into())
    }
}

impl TryFrom<LocalDateTime> for PrimitiveDateTime {
    type Error = ConvertError;

    fn try_from(local: LocalDateTime) -> Result<Self, ConvertError> {
        let outside = |_| ConvertError::outside("time::PrimitiveDateTime", local);
        let date = CivilDate::try_from(local.date()).map_err(outside)?;
        Ok(Self::new(date, local.time().try_into()?))
    }
}

/// With its offset from UTC; the crate knows no named zones.
impl From<OffsetDateTime> for DateTime {
    fn from(zoned: OffsetDateTime) -> Self {
        let offset = zoned.offset().whole_seconds();
        Self::clamped(zoned.unix_timestamp(), zoned.nanosecond(), offset)
    }
}

impl TryFrom<DateTime> for OffsetDateTime {
    type Error = ConvertError;

    fn try_from(zoned: DateTime) -> Result<Self, ConvertError> {
        const NAME: &str = "time::OffsetDateTime";
        let offset = match zoned.zone() {
            Zone::Offset(seconds) => UtcOffset::from_whole_seconds(*seconds).ok(),
            Zone::Id(id) if id == "UTC" => Some(UtcOffset::UTC),
            Zone::Id(_) => {
                let why = "nothing is known of the zone's offset; read it as UtcDateTime";
                return Err(ConvertError::new(NAME, zoned, why));
            }
        };
        let utc = UtcDateTime::try_from(zoned.clone());
        let at_offset = utc
            .ok()
            .zip(offset)
            .and_then(|(utc, offset)| Self::from(utc).checked_to_offset(offset));
        at_offset.ok_or_else(|| ConvertError::outside(NAME, zoned))
    }
}

impl From<UtcDateTime> for DateTime {
    fn from(utc: UtcDateTime) -> Self {
        Self::clamped(utc.unix_timestamp(), utc.nanosecond(), 0)
    }
}

/// The instant, whatever the zone was.
impl TryFrom<DateTime> for UtcDateTime {
    type Error = ConvertError;

    fn try_from(zoned: DateTime) -> Result<Self, ConvertError> {
        Self::from_unix_timestamp(zoned.epoch_seconds())
            .and_then(|utc| utc.replace_nanosecond(zoned.nanosecond()))
            .map_err(|_| ConvertError::outside("time::UtcDateTime", zoned))
    }
}

impl From<SignedDuration> for Duration {
    fn from(duration: SignedDuration) -> Self {
        // Ours count nanoseconds forward, also where the seconds are negative.
        let nanoseconds = duration.subsec_nanoseconds();
        let borrow = i32::from(nanoseconds < 0);
        Self::new(
            0,
            0,
            duration.whole_seconds().saturating_sub(borrow.into()),
            nanoseconds + borrow * 1_000_000_000,
        )
    }
}

impl TryFrom<Duration> for SignedDuration {
    type Error = ConvertError;

    fn try_from(duration: Duration) -> Result<Self, ConvertError> {
        const NAME: &str = "time::Duration";
        let (seconds, nanoseconds) = fixed_length(NAME, &duration)?;
        Self::seconds(seconds)
            .checked_add(Self::nanoseconds(nanoseconds.into()))
            .ok_or_else(|| ConvertError::outside(NAME, duration))
    }
}

by_way_of! {
    CivilDate => Date as Date;
    ClockTime => LocalTime as LocalTime;
    PrimitiveDateTime => LocalDateTime as LocalDateTime;
    OffsetDateTime => DateTime as DateTime;
    UtcDateTime => DateTime as DateTime;
    SignedDuration => Duration as Duration;
}

#[cfg(test)]
mod tests {
    use ::time::Month;

    use super::super::there_and_back;
    use super::*;

    #[test]
    fn each_type_there_and_back() {
        let date = CivilDate::from_calendar_date(1878, Month::April, 1).unwrap();
        let time = ClockTime::from_hms_nano(13, 5, 9, 7).unwrap();
        let ours = Date::from_ymd(1878, 4, 1).unwrap();
        let our_time = LocalTime::from_hms_nano(13, 5, 9, 7).unwrap();
        let local = LocalDateTime::new(ours, our_time);
        there_and_back(date, ours);
        there_and_back(time, our_time);
        there_and_back(PrimitiveDateTime::new(date, time), local);
        let at = |offset| DateTime::from_local(local, offset).unwrap();
        there_and_back(UtcDateTime::new(date, time), at(0));
        let offset = UtcOffset::from_whole_seconds(-5400).unwrap();
        there_and_back(OffsetDateTime::new_in_offset(date, time, offset), at(-5400));
        let half = Duration::new(0, 0, -2, 500_000_000);
        there_and_back(SignedDuration::milliseconds(-1500), half);
    }

    #[test]
    fn what_does_not_fit_says_so() {
        let far = Date::from_ymd(9_999_999, 1, 1).unwrap();
        let error = CivilDate::try_from(far).unwrap_err();
        assert_eq!(error.to_string(), "+9999999-01-01 does not fit time::Date");
        let named = DateTime::from_epoch(0, 0, Zone::Id("Europe/Paris".to_owned())).unwrap();
        assert_eq!(
            UtcDateTime::try_from(named.clone())
                .unwrap()
                .unix_timestamp(),
            0
        );
        let error = OffsetDateTime::try_from(named).unwrap_err();
        assert!(error.to_string().contains("UtcDateTime"), "{error}");
        let day = SignedDuration::try_from(Duration::new(0, 1, 0, 0)).unwrap_err();
        assert!(day.to_string().contains("not always"), "{day}");
    }

    #[test]
    fn an_offset_beyond_what_neo4j_takes_keeps_the_instant() {
        let offset = UtcOffset::from_hms(20, 0, 0).unwrap();
        let zoned = UtcDateTime::UNIX_EPOCH.to_offset(offset);
        let ours = DateTime::from(zoned);
        assert_eq!((ours.epoch_seconds(), ours.zone()), (0, &Zone::Offset(0)));
    }
}
