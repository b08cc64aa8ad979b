//! Days: log time as dates of the Gregorian calendar in UTC, both ways.

use std::fmt;
use std::str::FromStr;

/// Nanoseconds of a day of log time; leap seconds do not exist there (as in POSIX).
const DAY_NS: u64 = 24 * 3600 * SECOND_NS;
const SECOND_NS: u64 = 1_000_000_000;

/// A date of the Gregorian calendar in UTC, from 1970 to 2554: what 64 bits of nanoseconds can name. Text form: `2026-11-30`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    days: u32,
}

/// A text that is no date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DayError {
    /// No date at all.
    #[error("`{0}` is no date; write year, month and day such as `2026-11-30`")]
    Form(String),
    /// A date that the calendar lacks, or that the ledger cannot name.
    #[error("there is no day `{0}` between 1970-01-01 and 2262-04-10; write year, month and day such as `2026-11-30`")]
    Absent(String),
}

/// The last day that lies wholly within log time, which ends after 2^63 − 1 nanoseconds.
const LAST: Day = Day { days: 106_750 };

impl Day {
    /// The day in which this moment lies, Unix nanoseconds.
    pub fn of(time_ns: u64) -> Day {
        Day { days: u32::try_from(time_ns / DAY_NS).expect("2^64 nanoseconds are fewer than 2^32 days") }
    }

    /// When it begins, Unix nanoseconds.
    pub fn start_ns(self) -> u64 {
        u64::from(self.days).saturating_mul(DAY_NS)
    }

    /// The day after.
    pub fn next(self) -> Day {
        Day { days: self.days + 1 }
    }

    /// Year and month; months count from 1.
    pub fn month(self) -> (u32, u32) {
        let (year, month, _) = self.civil();
        (year, month)
    }

    /// The last day of its month.
    pub fn last_of_month(self) -> Day {
        let (year, month, _) = self.civil();
        let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        Day { days: days_from_civil(year, month, 1) - 1 }
    }

    /// Year, month and day, after Howard Hinnant's `civil_from_days`
    /// (<https://howardhinnant.github.io/date_algorithms.html>); no year before 1970 comes here.
    fn civil(self) -> (u32, u32, u32) {
        let days = self.days + 719_468;
        let (era, of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * of_year + 2) / 153;
        let (day, month) = (of_year - (153 * shifted + 2) / 5 + 1, if shifted < 10 { shifted + 3 } else { shifted - 9 });
        (year_of_era + era * 400 + u32::from(month <= 2), month, day)
    }
}

/// The inverse: Hinnant's `days_from_civil`. `year` is 1970 or later.
fn days_from_civil(year: u32, month: u32, day: u32) -> u32 {
    let year = year - u32::from(month <= 2);
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl FromStr for Day {
    type Err = DayError;
    fn from_str(text: &str) -> Result<Day, DayError> {
        let bytes = text.as_bytes();
        let dashes = bytes.len() == 10 && bytes[4] == b'-' && bytes[7] == b'-';
        let digits = bytes.iter().enumerate().all(|(at, byte)| matches!(at, 4 | 7) || byte.is_ascii_digit());
        if !(dashes && digits) {
            return Err(DayError::Form(text.to_owned()));
        }
        let number = |part: &str| part.parse::<u32>().map_err(|_| DayError::Form(text.to_owned()));
        let (year, month, day) = (number(&text[..4])?, number(&text[5..7])?, number(&text[8..])?);
        if !(1970..=2262).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return Err(DayError::Absent(text.to_owned()));
        }
        let found = Day { days: days_from_civil(year, month, day) };
        // 31 April would come out as 1 May.
        let exists = found.civil() == (year, month, day) && found <= LAST;
        exists.then_some(found).ok_or_else(|| DayError::Absent(text.to_owned()))
    }
}

impl serde::Serialize for Day {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

/// A moment in UTC with its nanoseconds, RFC 3339: `2026-11-30T23:59:59.000000001Z`.
pub fn moment(time_ns: u64) -> String {
    let (seconds, ns) = (time_ns % DAY_NS / SECOND_NS, time_ns % SECOND_NS);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{}T{hour:02}:{minute:02}:{second:02}.{ns:09}Z", Day::of(time_ns))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_days_and_moments() {
        let text = |seconds: u64| Day::of(seconds * SECOND_NS).to_string();
        assert_eq!(text(0), "1970-01-01");
        assert_eq!(text(951_782_400), "2000-02-29");
        assert_eq!(text(1_793_491_199), "2026-10-31");
        assert_eq!(text(1_793_491_200), "2026-11-01");
        assert_eq!(
            Day::of(LAST.next().start_ns()),
            Day::of((1 << 63) - 1),
            "log time ends within the day after the last whole one"
        );
        assert_eq!(LAST.to_string(), "2262-04-10");
        assert_eq!(moment(1_793_491_200 * SECOND_NS - 1), "2026-10-31T23:59:59.999999999Z");
        let day = |text: &str| text.parse::<Day>().unwrap();
        assert_eq!(day("2028-02-03").last_of_month(), day("2028-02-29"));
        assert_eq!(day("2026-12-03").last_of_month().next(), day("2027-01-01"));
        assert_eq!(day("2026-12-03").month(), (2026, 12));
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for form in ["", "2026-11", "2026-11-3", "26-11-03", "2026/11/03", "+026-11-03", "2026-11-03 ", "２026-11-0"] {
            assert_eq!(form.parse::<Day>(), Err(DayError::Form(form.into())));
        }
        for absent in ["2026-02-29", "2026-04-31", "2026-13-01", "2026-00-10", "2026-01-00", "1969-12-31", "2262-04-11"] {
            assert_eq!(absent.parse::<Day>(), Err(DayError::Absent(absent.into())));
        }
    }

    proptest! {
        #[test]
        fn days_go_both_ways(time_ns in 0..LAST.next().start_ns()) {
            let day = Day::of(time_ns);
            prop_assert_eq!(day.to_string().parse(), Ok(day));
            prop_assert!(day.start_ns() <= time_ns && time_ns < day.next().start_ns());
            prop_assert!(day.last_of_month() >= day && day.last_of_month().next().month() != day.month());
        }
    }
}
