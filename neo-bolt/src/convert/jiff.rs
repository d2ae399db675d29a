//! The types of the crate `jiff`. Named zones need one of its features that bring a database of
//! them, which are on by default there.

use ::jiff::civil::{Date as CivilDate, DateTime as CivilDateTime, Time as CivilTime};
use ::jiff::tz::{Offset, TimeZone};
use ::jiff::{SignedDuration, Span, Timestamp, ZonedDateTime};

use super::{ConvertError, by_way_of, fixed_length};
use crate::value::{Date, DateTime, Duration, LocalDateTime, LocalTime, Zone};

const NANOS: i64 = 1_000_000_000;

impl From<CivilDate> for Date {
    fn from(date: CivilDate) -> Self {
        let since = date.duration_since(CivilDate::constant(1970, 1, 1));
        Self::from_epoch_days(since.as_secs() / 86_400)
    }
}

impl TryFrom<Date> for CivilDate {
    type Error = ConvertError;

    fn try_from(date: Date) -> Result<Self, ConvertError> {
        let parts = i16::try_from(date.year())
            .ok()
            .zip(small(date.month()).zip(small(date.day())));
        parts
            .and_then(|(year, (month, day))| Self::new(year, month, day).ok())
            .ok_or_else(|| ConvertError::outside("jiff::civil::Date", date))
    }
}

/// Jiff's numbers are signed.
fn small(number: u8) -> Option<i8> {
    i8::try_from(number).ok()
}

impl From<CivilTime> for LocalTime {
    fn from(time: CivilTime) -> Self {
        let seconds = (i64::from(time.hour()) * 60 + i64::from(time.minute())) * 60;
        let seconds = seconds + i64::from(time.second());
        Self::clamped(seconds * NANOS + i64::from(time.subsec_nanosecond()))
    }
}

impl TryFrom<LocalTime> for CivilTime {
    type Error = ConvertError;

    fn try_from(time: LocalTime) -> Result<Self, ConvertError> {
        let clock = small(time.hour()).zip(small(time.minute()).zip(small(time.second())));
        clock
            .zip(i32::try_from(time.nanosecond()).ok())
            .and_then(|((hour, (minute, second)), nanosecond)| {
                Self::new(hour, minute, second, nanosecond).ok()
            })
            .ok_or_else(|| ConvertError::outside("jiff::civil::Time", time))
    }
}

impl From<CivilDateTime> for LocalDateTime {
    fn from(local: CivilDateTime) -> Self {
        Self::new(local.date().into(), local.time().into())
    }
}

impl TryFrom<LocalDateTime> for CivilDateTime {
    type Error = ConvertError;

    fn try_from(local: LocalDateTime) -> Result<Self, ConvertError> {
        let outside = |_| ConvertError::outside("jiff::civil::DateTime", local);
        let date = CivilDate::try_from(local.date()).map_err(outside)?;
        Ok(Self::from_parts(date, local.time().try_into()?))
    }
}

/// An instant in UTC, as seconds and nanoseconds that count forward.
fn instant(timestamp: Timestamp) -> (i64, u32) {
    let nanoseconds = timestamp.as_nanosecond();
    let seconds = nanoseconds.div_euclid(NANOS.into());
    let rest = nanoseconds.rem_euclid(NANOS.into());
    (
        i64::try_from(seconds).unwrap_or_default(),
        u32::try_from(rest).unwrap_or_default(),
    )
}

impl From<Timestamp> for DateTime {
    fn from(timestamp: Timestamp) -> Self {
        let (seconds, nanosecond) = instant(timestamp);
        Self::clamped(seconds, nanosecond, 0)
    }
}

/// The instant, whatever the zone was.
impl TryFrom<DateTime> for Timestamp {
    type Error = ConvertError;

    fn try_from(zoned: DateTime) -> Result<Self, ConvertError> {
        let nanoseconds =
            i128::from(zoned.epoch_seconds()) * i128::from(NANOS) + i128::from(zoned.nanosecond());
        Self::from_nanosecond(nanoseconds)
            .map_err(|_| ConvertError::outside("jiff::Timestamp", zoned))
    }
}

/// With the zone's name, where it has one; otherwise with its offset at that time.
impl From<ZonedDateTime> for DateTime {
    fn from(zoned: ZonedDateTime) -> Self {
        let (seconds, nanosecond) = instant(zoned.timestamp());
        let name = zoned.time_zone().iana_name().filter(|name| *name != "UTC");
        let named =
            name.map(|name| Self::from_epoch(seconds, nanosecond, Zone::Id(name.to_owned())));
        match named {
            Some(Ok(named)) => named,
            _ => Self::clamped(seconds, nanosecond, zoned.offset().seconds()),
        }
    }
}

impl TryFrom<DateTime> for ZonedDateTime {
    type Error = ConvertError;

    fn try_from(ours: DateTime) -> Result<Self, ConvertError> {
        const NAME: &str = "jiff::ZonedDateTime";
        let zone = match ours.zone() {
            Zone::Offset(0) => Ok(TimeZone::UTC),
            Zone::Offset(seconds) => Offset::from_seconds(*seconds)
                .map(TimeZone::fixed)
                .map_err(|_| ConvertError::outside(NAME, &ours)),
            Zone::Id(id) => TimeZone::get(id).map_err(|_| {
                let why = "jiff's database of time zones does not have the zone";
                ConvertError::new(NAME, &ours, why)
            }),
        };
        Ok(Timestamp::try_from(ours.clone())?.to_zoned_datetime(zone?))
    }
}

impl From<SignedDuration> for Duration {
    fn from(duration: SignedDuration) -> Self {
        // Ours count nanoseconds forward, also where the seconds are negative.
        let nanoseconds = duration.subsec_nanos();
        let borrow = i32::from(nanoseconds < 0);
        Self::new(
            0,
            0,
            duration.as_secs().saturating_sub(borrow.into()),
            nanoseconds + borrow * 1_000_000_000,
        )
    }
}

impl TryFrom<Duration> for SignedDuration {
    type Error = ConvertError;

    fn try_from(duration: Duration) -> Result<Self, ConvertError> {
        let (seconds, nanoseconds) = fixed_length("jiff::SignedDuration", &duration)?;
        Ok(Self::from_secs(seconds).saturating_add(Self::from_nanos(nanoseconds.into())))
    }
}

/// Years become months, weeks become days, and what is shorter becomes seconds and nanoseconds.
impl From<Span> for Duration {
    fn from(span: Span) -> Self {
        let months = i64::from(span.get_years()) * 12 + i64::from(span.get_months());
        let days = i64::from(span.get_weeks()) * 7 + i64::from(span.get_days());
        let minutes = i128::from(span.get_hours()) * 60 + i128::from(span.get_minutes());
        let seconds = minutes * 60 + i128::from(span.get_seconds());
        let micros =
            i128::from(span.get_milliseconds()) * 1000 + i128::from(span.get_microseconds());
        let total =
            seconds * i128::from(NANOS) + micros * 1000 + i128::from(span.get_nanoseconds());
        Self::new(
            months,
            days,
            // A span's parts are bounded far within this.
            i64::try_from(total.div_euclid(NANOS.into())).unwrap_or_default(),
            i32::try_from(total.rem_euclid(NANOS.into())).unwrap_or_default(),
        )
    }
}

/// All parts of a span have one sign.
impl TryFrom<Duration> for Span {
    type Error = ConvertError;

    fn try_from(duration: Duration) -> Result<Self, ConvertError> {
        const NAME: &str = "jiff::Span";
        let outside = |_| ConvertError::outside(NAME, duration);
        let nanoseconds =
            i128::from(duration.seconds) * i128::from(NANOS) + i128::from(duration.nanoseconds);
        let signs = [
            duration.months.signum(),
            duration.days.signum(),
            i64::try_from(nanoseconds.signum()).unwrap_or_default(),
        ];
        if signs.contains(&1) && signs.contains(&-1) {
            let why = "its parts have different signs";
            return Err(ConvertError::new(NAME, duration, why));
        }
        // Both of the same sign.
        let seconds = i64::try_from(nanoseconds / i128::from(NANOS)).unwrap_or(i64::MAX);
        let rest = i64::try_from(nanoseconds % i128::from(NANOS)).unwrap_or_default();
        Self::new()
            .try_months(duration.months)
            .and_then(|span| span.try_days(duration.days))
            .and_then(|span| span.try_seconds(seconds))
            .and_then(|span| span.try_nanoseconds(rest))
            .map_err(outside)
    }
}

by_way_of! {
    CivilDate => Date as Date;
    CivilTime => LocalTime as LocalTime;
    CivilDateTime => LocalDateTime as LocalDateTime;
    Timestamp => DateTime as DateTime;
    ZonedDateTime => DateTime as DateTime;
    SignedDuration => Duration as Duration;
    Span => Duration as Duration;
}

#[cfg(test)]
mod tests {
    use super::super::there_and_back;
    use super::*;

    #[test]
    fn each_type_there_and_back() {
        let date = CivilDate::constant(1878, 4, 1);
        let time = CivilTime::constant(13, 5, 9, 7);
        let ours = Date::from_ymd(1878, 4, 1).unwrap();
        let our_time = LocalTime::from_hms_nano(13, 5, 9, 7).unwrap();
        let local = LocalDateTime::new(ours, our_time);
        there_and_back(date, ours);
        there_and_back(time, our_time);
        there_and_back(date.to_datetime(time), local);
        let at = |offset| DateTime::from_local(local, offset).unwrap();
        let zoned = date
            .to_datetime(time)
            .to_zoned_datetime(TimeZone::UTC)
            .unwrap();
        there_and_back(zoned.timestamp(), at(0));
        there_and_back(zoned, at(0));
        let offset = TimeZone::fixed(Offset::from_seconds(-5400).unwrap());
        there_and_back(
            date.to_datetime(time).to_zoned_datetime(offset).unwrap(),
            at(-5400),
        );
        let half = Duration::new(0, 0, -2, 500_000_000);
        there_and_back(SignedDuration::from_millis(-1500), half);
    }

    #[test]
    fn spans_keep_their_months_and_days() {
        let span = Span::new()
            .years(1)
            .months(2)
            .weeks(1)
            .days(1)
            .minutes(1)
            .milliseconds(1500);
        let ours = Duration::from(span);
        assert_eq!(ours, Duration::new(14, 8, 61, 500_000_000));
        assert_eq!(Duration::from(Span::try_from(ours).unwrap()), ours);
        let back = Duration::from(-span);
        assert_eq!(back, Duration::new(-14, -8, -62, 500_000_000));
        assert_eq!(Duration::from(Span::try_from(back).unwrap()), back);
        let mixed = Span::try_from(Duration::new(1, -1, 0, 0)).unwrap_err();
        assert!(mixed.to_string().contains("different signs"), "{mixed}");
    }

    #[test]
    fn what_does_not_fit_says_so() {
        let far = Date::from_ymd(10_000, 1, 1).unwrap();
        let error = CivilDate::try_from(far).unwrap_err();
        assert_eq!(
            error.to_string(),
            "+10000-01-01 does not fit jiff::civil::Date"
        );
        let named = DateTime::from_epoch(0, 0, Zone::Id("Mars/Olympus".to_owned())).unwrap();
        assert!(Timestamp::try_from(named.clone()).is_ok());
        let error = ZonedDateTime::try_from(named).unwrap_err();
        assert!(error.to_string().contains("time zones"), "{error}");
    }
}
