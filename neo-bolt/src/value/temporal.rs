//! Dates, times and durations, with the range and the precision that Neo4j has.
//!
//! They are small plain types of their own, because no calendar library covers all of what the
//! protocol carries (nanoseconds, years beyond 9999, durations of months and days).

use std::fmt;
use std::time::SystemTime;

const NANOS_PER_SECOND: i64 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
const NANOS_PER_DAY: i64 = SECONDS_PER_DAY * NANOS_PER_SECOND;
/// The widest offset from UTC that Neo4j takes, in seconds.
const MAX_OFFSET: i32 = 18 * 3600;
/// The widest range of years in Neo4j's temporal types.
const MAX_YEAR: i64 = 999_999_999;

/// A part of a date or time lies outside the range that the type has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} {value} is out of range")]
pub struct OutOfRange {
    what: &'static str,
    value: i64,
}

fn in_range(
    what: &'static str,
    value: i64,
    range: std::ops::RangeInclusive<i64>,
) -> Result<i64, OutOfRange> {
    if range.contains(&value) {
        Ok(value)
    } else {
        Err(OutOfRange { what, value })
    }
}

/// Days between 1970-01-01 and a date of the proleptic Gregorian calendar.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March here, so that the leap day is the last of its year.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, u8, u8) {
    let shifted = days.saturating_add(719_468);
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, small(month), small(day))
}

/// Narrows a number that the caller has reduced to less than 60.
fn small(value: i64) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn write_time(f: &mut fmt::Formatter<'_>, nanosecond_of_day: i64) -> fmt::Result {
    let (second, nano) = (
        nanosecond_of_day / NANOS_PER_SECOND,
        nanosecond_of_day % NANOS_PER_SECOND,
    );
    write!(
        f,
        "{:02}:{:02}:{:02}",
        second / 3600,
        second / 60 % 60,
        second % 60
    )?;
    if nano != 0 {
        write!(f, "{}", format!(".{nano:09}").trim_end_matches('0'))?;
    }
    Ok(())
}

fn write_offset(f: &mut fmt::Formatter<'_>, offset: i32) -> fmt::Result {
    if offset == 0 {
        return f.write_str("Z");
    }
    let (sign, size) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
    write!(f, "{sign}{:02}:{:02}", size / 3600, size / 60 % 60)?;
    if size % 60 != 0 {
        write!(f, ":{:02}", size % 60)?;
    }
    Ok(())
}

fn write_date(f: &mut fmt::Formatter<'_>, days: i64) -> fmt::Result {
    let (year, month, day) = civil_from_days(days);
    let sign = if year < 0 {
        "-"
    } else if year > 9999 {
        "+"
    } else {
        ""
    };
    write!(f, "{sign}{:04}-{month:02}-{day:02}", year.unsigned_abs())
}

/// A date of the proleptic Gregorian calendar.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    days: i64,
}

impl Date {
    /// The date so many days after 1970-01-01.
    pub const fn from_epoch_days(days: i64) -> Self {
        Self { days }
    }

    /// The date of a year, a month (1 to 12) and a day of the month.
    ///
    /// # Errors
    /// [`OutOfRange`] where the calendar has no such date.
    pub fn from_ymd(year: i32, month: u8, day: u8) -> Result<Self, OutOfRange> {
        let year = in_range("year", year.into(), -MAX_YEAR..=MAX_YEAR)?;
        let month = in_range("month", month.into(), 1..=12)?;
        let day = in_range("day", day.into(), 1..=days_in_month(year, month))?;
        Ok(Self {
            days: days_from_civil(year, month, day),
        })
    }

    /// Days since 1970-01-01; negative before it.
    pub const fn epoch_days(self) -> i64 {
        self.days
    }

    /// The year; 0 is the year before 1.
    pub fn year(self) -> i64 {
        civil_from_days(self.days).0
    }

    /// The month, 1 to 12.
    pub fn month(self) -> u8 {
        civil_from_days(self.days).1
    }

    /// The day of the month, 1 to 31.
    pub fn day(self) -> u8 {
        civil_from_days(self.days).2
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_date(f, self.days)
    }
}

/// A time of day without a zone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime {
    nanosecond_of_day: i64,
}

impl LocalTime {
    /// The time of day so many nanoseconds after midnight.
    ///
    /// # Errors
    /// [`OutOfRange`] for less than zero, or a day and more.
    pub fn from_nanosecond_of_day(nanoseconds: i64) -> Result<Self, OutOfRange> {
        let nanosecond_of_day = in_range("nanosecond of day", nanoseconds, 0..=NANOS_PER_DAY - 1)?;
        Ok(Self { nanosecond_of_day })
    }

    /// As [`from_nanosecond_of_day`](Self::from_nanosecond_of_day), of what is in range.
    #[cfg(any(feature = "chrono", feature = "jiff", feature = "time"))]
    pub(crate) fn clamped(nanoseconds: i64) -> Self {
        Self {
            nanosecond_of_day: nanoseconds.clamp(0, NANOS_PER_DAY - 1),
        }
    }

    /// The time of day of an hour, minute, second and nanosecond.
    ///
    /// # Errors
    /// [`OutOfRange`] where one of them is more than a clock shows.
    pub fn from_hms_nano(
        hour: u8,
        minute: u8,
        second: u8,
        nanosecond: u32,
    ) -> Result<Self, OutOfRange> {
        let hour = in_range("hour", hour.into(), 0..=23)?;
        let minute = in_range("minute", minute.into(), 0..=59)?;
        let second = in_range("second", second.into(), 0..=59)?;
        let nano = in_range("nanosecond", nanosecond.into(), 0..=NANOS_PER_SECOND - 1)?;
        let nanosecond_of_day = ((hour * 60 + minute) * 60 + second) * NANOS_PER_SECOND + nano;
        Ok(Self { nanosecond_of_day })
    }

    /// Nanoseconds since midnight.
    pub const fn nanosecond_of_day(self) -> i64 {
        self.nanosecond_of_day
    }

    /// The hour, 0 to 23.
    pub fn hour(self) -> u8 {
        small(self.nanosecond_of_day / NANOS_PER_SECOND / 3600)
    }

    /// The minute, 0 to 59.
    pub fn minute(self) -> u8 {
        small(self.nanosecond_of_day / NANOS_PER_SECOND / 60 % 60)
    }

    /// The second, 0 to 59.
    pub fn second(self) -> u8 {
        small(self.nanosecond_of_day / NANOS_PER_SECOND % 60)
    }

    /// The nanosecond within the second.
    pub fn nanosecond(self) -> u32 {
        u32::try_from(self.nanosecond_of_day % NANOS_PER_SECOND).unwrap_or(0)
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_time(f, self.nanosecond_of_day)
    }
}

/// A time of day with an offset from UTC.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Time {
    local: LocalTime,
    offset_seconds: i32,
}

impl Time {
    /// A local time at an offset from UTC, in seconds east.
    ///
    /// # Errors
    /// [`OutOfRange`] for an offset beyond 18 hours.
    pub fn new(local: LocalTime, offset_seconds: i32) -> Result<Self, OutOfRange> {
        check_offset(offset_seconds)?;
        Ok(Self {
            local,
            offset_seconds,
        })
    }

    /// The time of day that a clock at this offset shows.
    pub const fn local(self) -> LocalTime {
        self.local
    }

    /// Seconds east of UTC.
    pub const fn offset_seconds(self) -> i32 {
        self.offset_seconds
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.local)?;
        write_offset(f, self.offset_seconds)
    }
}

fn check_offset(offset_seconds: i32) -> Result<(), OutOfRange> {
    let limit = i64::from(MAX_OFFSET);
    in_range("offset in seconds", offset_seconds.into(), -limit..=limit).map(|_| ())
}

/// A date and time of day without a zone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalDateTime {
    seconds: i64,
    nanosecond: u32,
}

impl LocalDateTime {
    /// So many seconds and nanoseconds after 1970-01-01T00:00.
    ///
    /// # Errors
    /// [`OutOfRange`] for a nanosecond of a second and more, or beyond the calendar's range.
    pub fn from_epoch(seconds: i64, nanosecond: u32) -> Result<Self, OutOfRange> {
        check_instant(seconds, nanosecond)?;
        Ok(Self {
            seconds,
            nanosecond,
        })
    }

    /// As [`from_epoch`](Self::from_epoch), of what is in range; nanoseconds beyond a second (of
    /// leap seconds) go to the next one.
    #[cfg(feature = "chrono")]
    pub(crate) fn clamped(seconds: i64, nanoseconds: u32) -> Self {
        let (second, nanosecond) = carried(seconds, nanoseconds);
        Self {
            seconds: second,
            nanosecond,
        }
    }

    /// A date at a time of day.
    pub fn new(date: Date, time: LocalTime) -> Self {
        Self {
            seconds: date
                .days
                .saturating_mul(SECONDS_PER_DAY)
                .saturating_add(time.nanosecond_of_day / NANOS_PER_SECOND),
            nanosecond: time.nanosecond(),
        }
    }

    /// Seconds since 1970-01-01T00:00, both read off the same clock.
    pub const fn epoch_seconds(self) -> i64 {
        self.seconds
    }

    /// The nanosecond within the second.
    pub const fn nanosecond(self) -> u32 {
        self.nanosecond
    }

    /// The date.
    pub fn date(self) -> Date {
        Date {
            days: self.seconds.div_euclid(SECONDS_PER_DAY),
        }
    }

    /// The time of day.
    pub fn time(self) -> LocalTime {
        let second = self.seconds.rem_euclid(SECONDS_PER_DAY);
        LocalTime {
            nanosecond_of_day: second * NANOS_PER_SECOND + i64::from(self.nanosecond),
        }
    }
}

impl fmt::Display for LocalDateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}T{}", self.date(), self.time())
    }
}

/// Nanoseconds beyond a second, moved to the seconds.
fn carried(seconds: i64, nanoseconds: u32) -> (i64, u32) {
    const SECOND: u32 = 1_000_000_000;
    let limit = (MAX_YEAR + 1) * 366 * SECONDS_PER_DAY;
    let seconds = seconds.saturating_add(i64::from(nanoseconds / SECOND));
    (seconds.clamp(-limit, limit), nanoseconds % SECOND)
}

fn check_instant(seconds: i64, nanosecond: u32) -> Result<(), OutOfRange> {
    // 366 days a year over-estimates, which is enough to keep the arithmetic from overflowing.
    let limit = (MAX_YEAR + 1) * 366 * SECONDS_PER_DAY;
    in_range("second", seconds, -limit..=limit)?;
    in_range("nanosecond", nanosecond.into(), 0..=NANOS_PER_SECOND - 1).map(|_| ())
}

/// Where an instant's clock stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Zone {
    /// A fixed offset, in seconds east of UTC.
    Offset(i32),
    /// A zone of the tz database, such as `Europe/Paris`.
    Id(String),
}

/// An instant, with the zone in which it was written down.
///
/// It keeps the instant in UTC and the zone's name, and needs no zone rules of its own.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DateTime {
    seconds: i64,
    nanosecond: u32,
    zone: Zone,
}

impl DateTime {
    /// The instant so many seconds and nanoseconds after 1970-01-01T00:00Z, seen from a zone.
    ///
    /// # Errors
    /// [`OutOfRange`] for a nanosecond of a second and more, an offset beyond 18 hours, or
    /// beyond the calendar's range.
    pub fn from_epoch(seconds: i64, nanosecond: u32, zone: Zone) -> Result<Self, OutOfRange> {
        check_instant(seconds, nanosecond)?;
        if let Zone::Offset(offset) = zone {
            check_offset(offset)?;
        }
        Ok(Self {
            seconds,
            nanosecond,
            zone,
        })
    }

    /// As [`from_epoch`](Self::from_epoch), of what is in range; nanoseconds beyond a second (of
    /// leap seconds) go to the next one. An offset beyond 18 hours is none of Neo4j's: then it is
    /// the same instant in UTC.
    pub(crate) fn clamped(seconds: i64, nanoseconds: u32, offset: i32) -> Self {
        let (seconds, nanosecond) = carried(seconds, nanoseconds);
        let known = check_offset(offset).is_ok();
        Self {
            seconds,
            nanosecond,
            zone: Zone::Offset(if known { offset } else { 0 }),
        }
    }

    /// What a clock at an offset from UTC (seconds east) showed.
    ///
    /// # Errors
    /// [`OutOfRange`] for an offset beyond 18 hours.
    pub fn from_local(local: LocalDateTime, offset_seconds: i32) -> Result<Self, OutOfRange> {
        let seconds = local.seconds.saturating_sub(offset_seconds.into());
        Self::from_epoch(seconds, local.nanosecond, Zone::Offset(offset_seconds))
    }

    /// The system clock's present, in UTC.
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// Seconds since 1970-01-01T00:00Z.
    pub const fn epoch_seconds(&self) -> i64 {
        self.seconds
    }

    /// The nanosecond within the second.
    pub const fn nanosecond(&self) -> u32 {
        self.nanosecond
    }

    /// The zone in which the instant was written down.
    pub const fn zone(&self) -> &Zone {
        &self.zone
    }
}

impl fmt::Display for DateTime {
    /// Writes ISO 8601; an instant in a named zone is written in UTC with the name behind it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offset = match self.zone {
            Zone::Offset(offset) => offset,
            Zone::Id(_) => 0,
        };
        let local = LocalDateTime {
            seconds: self.seconds.saturating_add(offset.into()),
            nanosecond: self.nanosecond,
        };
        write!(f, "{local}")?;
        write_offset(f, offset)?;
        match &self.zone {
            Zone::Offset(_) => Ok(()),
            Zone::Id(id) => write!(f, "[{id}]"),
        }
    }
}

/// An amount of time whose parts do not turn into each other: a month has no fixed number of
/// days, a day no fixed number of seconds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Duration {
    /// Months.
    pub months: i64,
    /// Days.
    pub days: i64,
    /// Seconds.
    pub seconds: i64,
    /// Nanoseconds, 0 to 999,999,999; they count forward also where `seconds` is negative.
    pub nanoseconds: i32,
}

impl Duration {
    /// A duration of its four parts.
    pub const fn new(months: i64, days: i64, seconds: i64, nanoseconds: i32) -> Self {
        Self {
            months,
            days,
            seconds,
            nanoseconds,
        }
    }
}

impl From<std::time::Duration> for Duration {
    fn from(duration: std::time::Duration) -> Self {
        Self {
            months: 0,
            days: 0,
            seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
            nanoseconds: i32::try_from(duration.subsec_nanos()).unwrap_or(0),
        }
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total =
            i128::from(self.seconds) * i128::from(NANOS_PER_SECOND) + i128::from(self.nanoseconds);
        let (sign, size) = (if total < 0 { "-" } else { "" }, total.unsigned_abs());
        let (second, nano) = (size / 1_000_000_000, size % 1_000_000_000);
        write!(f, "P{}M{}DT{sign}{second}", self.months, self.days)?;
        if nano != 0 {
            write!(f, "{}", format!(".{nano:09}").trim_end_matches('0'))?;
        }
        f.write_str("S")
    }
}

/// `{:?}` shows the text that ISO 8601 has for a value: the numbers that it is kept as tell a reader
/// nothing.
macro_rules! debug_as_text {
    ($($ty:ty),*) => {$(
        impl fmt::Debug for $ty {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}
debug_as_text!(Date, LocalTime, Time, LocalDateTime, DateTime, Duration);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_the_text() {
        let time = LocalTime::from_hms_nano(7, 5, 0, 250_000_000).unwrap();
        let date = Date::from_ymd(2026, 2, 9).unwrap();
        assert_eq!(format!("{:?}", Some(date)), "Some(2026-02-09)");
        assert_eq!(format!("{time:?}"), time.to_string());
        assert_eq!(format!("{:?}", DateTime::now()).get(4..5), Some("-"));
        let duration = Duration::new(14, 0, 0, 0);
        assert_eq!(format!("{duration:?}"), duration.to_string());
        assert!(format!("{duration:?}").starts_with('P'));
    }

    #[test]
    fn dates_go_to_days_and_back() {
        for (year, month, day, days) in [
            (1970, 1, 1, 0),
            (1969, 12, 31, -1),
            (2000, 2, 29, 11_016),
            (1, 1, 1, -719_162),
            (-4713, 11, 24, -2_440_588),
            (9999, 12, 31, 2_932_896),
        ] {
            let date = Date::from_ymd(year, month, day).unwrap();
            assert_eq!(date.epoch_days(), days, "{date}");
            assert_eq!(
                (date.year(), date.month(), date.day()),
                (year.into(), month, day)
            );
        }
    }

    #[test]
    fn every_day_of_eight_centuries_round_trips() {
        for days in -146_097..146_097 {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month.into(), day.into()), days);
        }
    }

    #[test]
    fn impossible_parts_are_refused() {
        assert_eq!(
            Date::from_ymd(2023, 2, 29).unwrap_err().to_string(),
            "day 29 is out of range"
        );
        assert!(Date::from_ymd(1900, 2, 29).is_err());
        assert!(LocalTime::from_hms_nano(24, 0, 0, 0).is_err());
        assert!(Time::new(LocalTime::from_hms_nano(1, 0, 0, 0).unwrap(), 18 * 3600 + 1).is_err());
        assert!(LocalDateTime::from_epoch(i64::MAX, 0).is_err());
        assert!(DateTime::from_epoch(0, 1_000_000_000, Zone::Offset(0)).is_err());
    }

    #[test]
    fn iso_text() {
        let local = LocalDateTime::new(
            Date::from_ymd(1878, 4, 1).unwrap(),
            LocalTime::from_hms_nano(13, 5, 9, 120_000_000).unwrap(),
        );
        assert_eq!(local.to_string(), "1878-04-01T13:05:09.12");
        assert_eq!(
            DateTime::from_local(local, -5400).unwrap().to_string(),
            "1878-04-01T13:05:09.12-01:30"
        );
        let named = DateTime::from_epoch(0, 0, Zone::Id("Europe/Paris".into())).unwrap();
        assert_eq!(named.to_string(), "1970-01-01T00:00:00Z[Europe/Paris]");
        assert_eq!(
            Duration::new(1, -2, -1, 500_000_000).to_string(),
            "P1M-2DT-0.5S"
        );
        assert_eq!(
            Date::from_epoch_days(i64::MAX / 2)
                .to_string()
                .chars()
                .next(),
            Some('+')
        );
    }
}
