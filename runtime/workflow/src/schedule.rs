//! When schedules start runs: times of a wall clock, exact where clocks are put forward or back.
//!
//! A schedule names minutes of a zone's wall clock; each of them starts one run at most. A minute that clocks jump over starts its run at the first moment
//! after the jump, and several such minutes start one run together. A minute that comes twice starts its run the first time.
//! So `*/5 * * * *` starts nothing in the second of two hours that are called the same; a schedule that must not rest then takes the zone `UTC`.
//!
//! The cron text has five fields (minute, hour, day, month, weekday) with `*`, `,`, `-`, `/`, names (`MON`, `JAN`), `L` (last), `W` (nearest weekday) and
//! `#` (nth weekday, `5#2`), or is `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly` or `@annually`. Where day and weekday are both said, either is
//! enough. Seconds, years, `?` and `+` are refused: runs start by the minute, and the rest can be said in one way only.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, MappedLocalTime, NaiveDate, NaiveDateTime, TimeZone as _, Utc};
use chrono_tz::{GapInfo, TZ_VARIANTS, Tz};
use croner::parser::{CronParser, Seconds, Year};
use hansa_catalogue::strict_toml::nearest;

use crate::definition::Schedule;
use crate::limits::CRON_BYTES_MAX;

/// Names of whole cron texts.
pub(crate) const NAMES: [&str; 6] = ["@hourly", "@daily", "@weekly", "@monthly", "@yearly", "@annually"];

/// Minutes of a wall clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Cron {
    text: String,
    pattern: croner::Cron,
}

/// A time zone of the IANA database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone(Tz);

impl Zone {
    /// Coordinated universal time, whose clocks are never put forward or back.
    pub const UTC: Zone = Zone(Tz::UTC);
}

/// The first start of `schedule` after `unix_ms`, in milliseconds since 1970; none where none comes before the year 5000. Whether it is paused is the caller's to see.
pub fn next_after(schedule: &Schedule, unix_ms: u64) -> Option<u64> {
    let after = DateTime::from_timestamp_millis(i64::try_from(unix_ms).ok()?)?;
    let mut wall = after.with_timezone(&schedule.zone.0).naive_local();
    // In the second of two hours that are called the same, starts of the first are passed over.
    loop {
        wall = schedule.cron.pattern.find_next_occurrence(&wall, false).ok()?;
        let start = moment(wall, schedule.zone.0)?;
        if start > after {
            return u64::try_from(start.timestamp_millis()).ok();
        }
    }
}

/// Starts of `schedule` after `after_ms`, up to and with `until_ms`, the first `most` of them.
pub fn between(schedule: &Schedule, after_ms: u64, until_ms: u64, most: usize) -> Vec<u64> {
    let starts = std::iter::successors(next_after(schedule, after_ms), |last| next_after(schedule, *last));
    starts.take_while(|start| *start <= until_ms).take(most).collect()
}

/// When the clocks of `zone` show `wall` for the first time, or where they never do, the first moment after.
fn moment(wall: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    let moment = match zone.from_local_datetime(&wall) {
        MappedLocalTime::Single(moment) => moment,
        MappedLocalTime::Ambiguous(one, other) => one.min(other),
        MappedLocalTime::None => GapInfo::new(&wall, &zone)?.end?,
    };
    Some(moment.to_utc())
}

impl FromStr for Cron {
    type Err = String;

    fn from_str(text: &str) -> Result<Cron, String> {
        let form = "write minute, hour, day, month and weekday, as `0 2 * * *`, or `@daily`";
        let known = |letter: char| letter.is_ascii_alphanumeric() || " */,-#@".contains(letter);
        if let Some(letter) = text.chars().find(|letter| !known(*letter)) {
            return Err(format!("`{}` is not used here; {form}", letter.escape_default()));
        }
        if text.len() > CRON_BYTES_MAX {
            return Err(format!("it has {} bytes, at most {CRON_BYTES_MAX}", text.len()));
        }
        if text.starts_with('@') && !NAMES.iter().any(|name| name.eq_ignore_ascii_case(text)) {
            return Err(format!("known are `{}`", NAMES.join("`, `")));
        }
        if !text.starts_with('@') && text.split_whitespace().count() != 5 {
            return Err(format!("it has {} fields, not 5; {form}", text.split_whitespace().count()));
        }
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let pattern = parser.parse(text).map_err(|error| format!("{}; {form}", said(&error)))?;
        // The calendar repeats after 400 years; what does not come in those before 5000, where croner ends, never does.
        let begin = NaiveDate::from_ymd_opt(4600, 1, 1).and_then(|day| day.and_hms_opt(0, 0, 0)).ok_or("there is no calendar")?;
        match pattern.find_next_occurrence(&begin, true) {
            Ok(_) => Ok(Cron { text: text.to_owned(), pattern }),
            Err(_) => Err("no such day ever comes".to_owned()),
        }
    }
}

/// The parser's reason as a fragment.
fn said(error: &croner::errors::CronError) -> String {
    let text = error.to_string().replace("CronPattern ", "it ");
    let reason = text.rsplit(": ").next().unwrap_or(&text).trim_end_matches('.');
    let mut letters = reason.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Zone {
    type Err = String;

    fn from_str(text: &str) -> Result<Zone, String> {
        let names = || TZ_VARIANTS.iter().map(|zone| zone.name());
        // Half of a name is enough to be understood: `Berlin`.
        let city = |name: &&str| name.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(text));
        text.parse().map(Zone).map_err(|_| match names().find(city).or_else(|| nearest(text, names())) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => "write a name of the IANA database, as `Europe/Berlin`".to_owned(),
        })
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

#[cfg(test)]
mod tests;
