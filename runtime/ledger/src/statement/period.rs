//! Periods: from a moment to another, in whole days of UTC.

use serde::{Deserialize, Serialize};

use crate::day::{Day, DayError, moment};

/// A stretch of log time, the end not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    since_ns: u64,
    until_ns: Option<u64>,
}

/// What is no period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// A date that is none.
    #[error(transparent)]
    Day(#[from] DayError),
    /// A month that is none.
    #[error("`{0}` is no month; write year and month such as `2026-11`")]
    Month(String),
    /// The end before the beginning.
    #[error("the last day, {until}, is before the first, {since}; exchange them")]
    Backwards {
        /// The first day.
        since: Day,
        /// The last day.
        until: Day,
    },
}

impl Period {
    /// All of log time.
    pub const ALL: Period = Period { since_ns: 0, until_ns: None };

    /// A month, written `2026-11`.
    pub fn month(text: &str) -> Result<Period, PeriodError> {
        let first: Day = format!("{text}-01").parse().map_err(|_| PeriodError::Month(text.to_owned()))?;
        Ok(Period { since_ns: first.start_ns(), until_ns: Some(first.last_of_month().next().start_ns()) })
    }

    /// From the first moment of `since` to the last one of `until`; without them, from the beginning and to the end.
    pub fn days(since: Option<Day>, until: Option<Day>) -> Result<Period, PeriodError> {
        if let (Some(since), Some(until)) = (since, until)
            && until < since
        {
            return Err(PeriodError::Backwards { since, until });
        }
        Ok(Period { since_ns: since.map_or(0, Day::start_ns), until_ns: until.map(|day| day.next().start_ns()) })
    }

    /// Does a moment of log time lie in it?
    pub fn contains(&self, time_ns: u64) -> bool {
        !self.is_after(time_ns) && !self.is_before(time_ns)
    }

    pub(super) fn is_before(&self, time_ns: u64) -> bool {
        self.until_ns.is_some_and(|until_ns| time_ns >= until_ns)
    }

    pub(super) fn is_after(&self, time_ns: u64) -> bool {
        time_ns < self.since_ns
    }

    pub(super) fn since_text(&self) -> String {
        moment(self.since_ns)
    }

    /// A period without end is that of a log which ends at `head_ns`.
    pub(super) fn until_text(&self, head_ns: u64) -> String {
        moment(self.until_ns.unwrap_or(head_ns + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_and_days() {
        let november = Period::month("2026-11").unwrap();
        assert_eq!(Period::days("2026-11-01".parse().ok(), "2026-11-30".parse().ok()), Ok(november));
        assert_eq!(
            (november.since_text(), november.until_text(0)),
            ("2026-11-01T00:00:00.000000000Z".into(), "2026-12-01T00:00:00.000000000Z".into())
        );
        for bad in ["", "2026", "2026-13", "2026-11-01", "11-2026", "2026-1"] {
            assert_eq!(Period::month(bad), Err(PeriodError::Month(bad.into())));
        }
        let backwards = Period::days("2026-11-02".parse().ok(), "2026-11-01".parse().ok());
        assert!(backwards.unwrap_err().to_string().contains("exchange"));
    }
}
