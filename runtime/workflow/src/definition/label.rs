//! Labels: what a run is marked with when it starts, such as the customer it is for, and what runs with the same mark may spend.

use hansa_economy::Amount;

use super::fields::{Fields, Problems};
use super::policy::choice;
use super::step::check_id;
use crate::limits::LABELS_MAX;
use crate::place::Place;
use crate::yaml::{Entry, Node};

/// A label that runs can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Its name.
    pub name: String,
    /// No run starts without it.
    pub required: bool,
    /// What runs with the same value of it may spend.
    pub cap: Option<Cap>,
    /// Where it stands.
    pub place: Place,
}

/// How much may be spent in each period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cap {
    /// At most.
    pub amount: Amount,
    /// In each of these.
    pub per: Period,
}

/// Periods that spending is counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// A day.
    Day,
    /// A week.
    Week,
    /// A month.
    Month,
    /// All time.
    Ever,
}

impl Period {
    /// As the file writes them.
    pub(crate) const ALL: [(&str, Period); 4] =
        [("day", Period::Day), ("week", Period::Week), ("month", Period::Month), ("ever", Period::Ever)];

    /// As the file writes it.
    pub fn name(self) -> &'static str {
        Period::ALL.into_iter().find(|(_, period)| *period == self).map_or("", |(name, _)| name)
    }

    /// When the period began that `unix_ms` lies in, UTC, milliseconds since 1970; weeks begin on Monday.
    pub fn since(self, unix_ms: u64) -> u64 {
        use chrono::{DateTime, Datelike, Days, NaiveTime, Utc};
        let Some(now) = i64::try_from(unix_ms).ok().and_then(DateTime::<Utc>::from_timestamp_millis) else { return 0 };
        let day = now.date_naive();
        let first = match self {
            Period::Day => Some(day),
            Period::Week => day.checked_sub_days(Days::new(u64::from(day.weekday().num_days_from_monday()))),
            Period::Month => day.with_day(1),
            Period::Ever => None,
        };
        let begin = first.map_or(0, |day| day.and_time(NaiveTime::MIN).and_utc().timestamp_millis());
        u64::try_from(begin).unwrap_or(0)
    }
}

pub(super) fn read(node: &Node, problems: &mut Problems) -> Vec<Label> {
    let entries = problems.map(node, "labels, a map of names to maps, as `{ customer: { required: true } }`");
    if let Some(beyond) = entries.get(LABELS_MAX) {
        problems.add(beyond.place, format!("more than {LABELS_MAX} labels; take fewer"));
    }
    entries.iter().map(|entry| label(entry, problems)).collect()
}

fn label(entry: &Entry, problems: &mut Problems) -> Label {
    check_id(&entry.key, entry.place, problems);
    let mut fields = Fields::of(&entry.value, "a label, a map with `required` and `cap`", problems);
    let required = fields.get("required");
    let required = problems.flag(required);
    let cap = fields.get("cap").and_then(|node| cap(node, problems));
    fields.done(problems);
    Label { name: entry.key.clone(), required, cap, place: entry.place }
}

fn cap(node: &Node, problems: &mut Problems) -> Option<Cap> {
    let mut fields = Fields::of(node, "a cap, a map with `amount` and `per`", problems);
    let amount_node = fields.need("amount", "what may be spent, as `\"20.00\"`", problems);
    let amount = amount_node.and_then(|node| problems.parsed::<Amount>(node, "amount"));
    let per = fields.need("per", "in which time: `day`, `week`, `month` or `ever`", problems);
    let per = per.and_then(|node| choice(node, &Period::ALL, problems));
    fields.done(problems);
    if let (Some(node), Some(Amount::ZERO)) = (amount_node, amount) {
        problems.add(node.place, "a cap of 0 lets nothing be bought; give an amount above it");
    }
    Some(Cap { amount: amount?, per: per? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_begin_at_midnight_utc() {
        // Tuesday, 24 November 2026, 13:37.
        let now_ms = 1_795_527_420_000;
        assert_eq!(Period::Day.since(now_ms), 1_795_478_400_000);
        assert_eq!(Period::Week.since(now_ms), 1_795_392_000_000, "Monday, the 23rd");
        assert_eq!(Period::Month.since(now_ms), 1_793_491_200_000, "Sunday, the 1st");
        assert_eq!(Period::Ever.since(now_ms), 0);
    }
}
