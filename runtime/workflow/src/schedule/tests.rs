//! Starts of schedules in real zones, over days on which clocks are put forward or back.

use proptest::prelude::*;

use super::*;
use crate::Workflow;

fn schedule(cron: &str, zone: &str) -> Schedule {
    let text = format!(
        "workflow: a/b\nversion: 1.0.0\nbudget: 0\nschedules: [{{ id: s, cron: '{cron}', time-zone: '{zone}' }}]\nsteps: [{{ id: s, set: 1 }}]\n"
    );
    Workflow::read(&text).unwrap_or_else(|problems| panic!("{problems:?}")).schedules.remove(0)
}

fn ms(utc: &str) -> u64 {
    let time = NaiveDateTime::parse_from_str(utc, "%Y-%m-%dT%H:%M").unwrap();
    u64::try_from(time.and_utc().timestamp_millis()).unwrap()
}

/// Starts from a time in UTC on, that time included, as UTC.
fn starts(cron: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
    let starts = between(&schedule(cron, zone), ms(from) - 1, u64::MAX / 2, count);
    let utc = |ms: &u64| DateTime::from_timestamp_millis(i64::try_from(*ms).unwrap()).unwrap();
    // As `2026-03-29T01:00:00`.
    starts.iter().map(|start| format!("{:?}", utc(start).naive_utc())[..16].to_owned()).collect()
}

#[test]
fn starts_follow_the_wall_clock_over_its_jumps() {
    for (cron, zone, from, wanted) in [
        // Berlin, 2026-03-29: 2:00 becomes 3:00, at 1:00 UTC; 2026-10-25: 3:00 becomes 2:00, at 1:00 UTC.
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00", &["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"][..]),
        ("0 2 * * *", "Europe/Berlin", "2026-03-29T00:00", &["2026-03-29T01:00", "2026-03-30T00:00"]),
        ("0 3 * * *", "Europe/Berlin", "2026-03-29T00:00", &["2026-03-29T01:00", "2026-03-30T01:00"]),
        ("*/20 * * * *", "Europe/Berlin", "2026-03-29T00:30", &["2026-03-29T00:40", "2026-03-29T01:00", "2026-03-29T01:20"]),
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T00:00", &["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30"]),
        ("30 * * * *", "Europe/Berlin", "2026-10-25T00:00", &["2026-10-25T00:30", "2026-10-25T02:30"]),
        ("0 3 * * *", "Europe/Berlin", "2026-10-25T00:00", &["2026-10-25T02:00", "2026-10-26T02:00"]),
        // New York, 2026-03-08 and 2026-11-01, both at 2:00.
        ("15 2 * * *", "America/New_York", "2026-03-07T12:00", &["2026-03-08T07:00", "2026-03-09T06:15"]),
        ("15 1 * * *", "America/New_York", "2026-11-01T00:00", &["2026-11-01T05:15", "2026-11-02T06:15"]),
        // Lord Howe, 2026-10-04: 2:00 becomes 2:30; 2026-04-05: 2:00 becomes 1:30.
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-02T12:00", &["2026-10-02T15:45", "2026-10-03T15:30", "2026-10-04T15:15"]),
        ("45 1 * * *", "Australia/Lord_Howe", "2026-04-03T12:00", &["2026-04-03T14:45", "2026-04-04T14:45", "2026-04-05T15:15"]),
        // Kathmandu is 5:45 before UTC, always.
        ("0 0 * * *", "Asia/Kathmandu", "2026-03-28T00:00", &["2026-03-28T18:15", "2026-03-29T18:15"]),
        // Samoa left out 2011-12-30.
        ("0 12 * * *", "Pacific/Apia", "2011-12-29T00:00", &["2011-12-29T22:00", "2011-12-30T10:00", "2011-12-30T22:00"]),
        ("0 12 * * *", "UTC", "2026-03-29T00:00", &["2026-03-29T12:00", "2026-03-30T12:00"]),
    ] {
        assert_eq!(starts(cron, zone, from, wanted.len()), wanted, "{cron} in {zone}");
    }
}

#[test]
fn cron_texts_mean_what_the_header_says() {
    for (cron, wanted) in [
        ("@hourly", ["2026-01-01T00:00", "2026-01-01T01:00"]),
        ("@daily", ["2026-01-01T00:00", "2026-01-02T00:00"]),
        ("@weekly", ["2026-01-04T00:00", "2026-01-11T00:00"]),
        ("@monthly", ["2026-01-01T00:00", "2026-02-01T00:00"]),
        ("@yearly", ["2026-01-01T00:00", "2027-01-01T00:00"]),
        ("@annually", ["2026-01-01T00:00", "2027-01-01T00:00"]),
        ("0 9 * * mon-fri", ["2026-01-01T09:00", "2026-01-02T09:00"]),
        ("0 0 L * *", ["2026-01-31T00:00", "2026-02-28T00:00"]),
        ("0 0 * * 1#2", ["2026-01-12T00:00", "2026-02-09T00:00"]),
        ("0 0 * * 5L", ["2026-01-30T00:00", "2026-02-27T00:00"]),
        ("0 0 10W * *", ["2026-01-09T00:00", "2026-02-10T00:00"]),
        ("0 0 1 * MON", ["2026-01-01T00:00", "2026-01-05T00:00"]),
        ("0 0 29 2 *", ["2028-02-29T00:00", "2032-02-29T00:00"]),
    ] {
        assert_eq!(starts(cron, "UTC", "2026-01-01T00:00", 2), wanted, "{cron}");
    }
}

#[test]
fn cron_texts_that_are_refused_say_why() {
    for (cron, says) in [
        ("", "it has 0 fields, not 5"),
        ("* * * * * *", "it has 6 fields, not 5"),
        ("0 0 ? * *", "`?` is not used here"),
        ("0 0 1 * +MON", "`+` is not used here"),
        ("60 * * * *", "number out of bounds"),
        ("0 2 * * MOO", "it contains illegal character 'M'"),
        ("@reboot", "known are `@hourly`"),
        ("0 0 31 4 *", "no such day ever comes"),
    ] {
        let error = cron.parse::<Cron>().unwrap_err();
        assert!(error.contains(says), "{cron}: {error}");
    }
}

#[test]
fn starts_between_two_times_leave_out_the_first_and_hold_the_last() {
    let hourly = schedule("@hourly", "UTC");
    let (one, three) = (ms("2026-01-01T01:00"), ms("2026-01-01T03:00"));
    assert_eq!(between(&hourly, one, three, 10), [ms("2026-01-01T02:00"), three]);
    assert_eq!(between(&hourly, one, three, 1), [ms("2026-01-01T02:00")]);
    assert_eq!((between(&hourly, three, one, 10), between(&hourly, one, three, 0)), (vec![], vec![]));
    assert_eq!(next_after(&hourly, one + 1), Some(ms("2026-01-01T02:00")));
    assert_eq!(next_after(&hourly, one - 1), Some(one));
    assert_eq!((next_after(&hourly, u64::MAX), next_after(&hourly, 95_617_584_000_000)), (None, None), "beyond the year 5000");
}

/// All of a year's starts of `cron`, told in another way: minute by minute along the zone's own clock.
fn told_by_minutes(cron: &Cron, zone: Tz, year: i32) -> Vec<u64> {
    let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap().and_hms_opt(0, 0, 0).unwrap().and_utc();
    let mut starts: Vec<u64> = Vec::new();
    let mut shown: Option<NaiveDateTime> = None;
    for minute in 0..365 * 24 * 60 {
        let now = first + chrono::TimeDelta::minutes(minute);
        let wall = now.with_timezone(&zone).naive_local();
        // Minutes that the clock shows now for the first time, those that it jumped over included.
        let mut next = shown.map_or(wall, |shown| shown + chrono::TimeDelta::minutes(1));
        while next <= wall {
            let due = cron.pattern.is_time_matching(&next).unwrap();
            starts.extend(due.then(|| u64::try_from(now.timestamp_millis()).unwrap()));
            shown = Some(next);
            next += chrono::TimeDelta::minutes(1);
        }
    }
    starts.dedup();
    starts
}

#[test]
fn a_years_starts_are_those_that_a_clock_watched_by_the_minute_gives() {
    let zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca"];
    for (at, zone) in zones.into_iter().enumerate() {
        let year = 2023 + i32::try_from(at).unwrap();
        let schedule = schedule("*/7 0-3 * * *", zone);
        let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap().and_hms_opt(0, 0, 0).unwrap().and_utc();
        let last = first + chrono::TimeDelta::minutes(365 * 24 * 60 - 1);
        let [first, last] = [first, last].map(|time| u64::try_from(time.timestamp_millis()).unwrap());
        let told = told_by_minutes(&schedule.cron, schedule.zone.0, year);
        assert_eq!(between(&schedule, first - 1, last, usize::MAX), told, "{zone}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Starts grow, and no two of them stand in one minute of the wall clock.
    #[test]
    fn no_minute_of_a_wall_clock_starts_twice(
        minute in 0u32..60, step in 1u32..60, hour in 0u32..24, kind in 0usize..3,
        zone in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "Africa/Cairo"]),
        from in 1_262_304_000_000u64..1_893_456_000_000,
    ) {
        let cron = [format!("{minute} {hour} * * *"), format!("{minute} * * * *"), format!("*/{step} {hour} * * *")][kind].clone();
        let schedule = schedule(&cron, zone);
        let starts = between(&schedule, from, u64::MAX / 2, 400);
        prop_assert_eq!(starts.len(), 400);
        prop_assert!(starts[0] > from && starts.windows(2).all(|pair| pair[0] < pair[1]));
        let wall = |ms: &u64| DateTime::from_timestamp_millis(i64::try_from(*ms).unwrap()).unwrap().with_timezone(&schedule.zone.0).naive_local();
        let mut minutes: Vec<_> = starts.iter().map(wall).collect();
        minutes.sort();
        minutes.dedup();
        prop_assert_eq!(minutes.len(), 400);
        // From any time between two starts, the second is the next.
        prop_assert_eq!(next_after(&schedule, starts[7] - 1), Some(starts[7]));
        prop_assert_eq!(next_after(&schedule, starts[6]), Some(starts[7]));
    }
}
