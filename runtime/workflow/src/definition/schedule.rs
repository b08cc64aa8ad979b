//! Schedules in the file: when runs start by the clock, and with what. The times themselves are computed by [`crate::schedule`].

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde_json::{Map, Value};

use super::fields::{Fields, Problems};
use super::policy::{choice, labels, span};
use super::step::check_id;
use super::template::Template;
use crate::limits::{SCHEDULES_MAX, TIME_MAX};
use crate::place::Place;
use crate::schedule::{Cron, Zone};
use crate::yaml::Node;

/// A late start is made up for within a minute, where nothing else is said.
pub(crate) const CATCH_UP: Duration = Duration::from_secs(60);

/// When runs start by the clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// Its name; no two of a workflow are alike.
    pub id: String,
    /// The minutes at which runs start.
    pub cron: Cron,
    /// Whose wall clock that is; UTC where nothing is said.
    pub zone: Zone,
    /// What happens while the run before is still going.
    pub overlap: Overlap,
    /// How late a missed start may still be made up for.
    pub catch_up: Duration,
    /// Inputs of each run.
    pub with: Map<String, Value>,
    /// Labels of each run.
    pub labels: BTreeMap<String, String>,
    /// Starts nothing until somebody lets it go on.
    pub paused: bool,
    /// Where it stands.
    pub place: Place,
}

/// What happens when a run is due while the one before is still going.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlap {
    /// Nothing: this start is left out.
    #[default]
    Skip,
    /// One start waits until the other run ends; further ones are left out.
    BufferOne,
    /// Both run.
    Allow,
    /// The other run is cancelled, then this one starts.
    CancelOther,
}

impl Overlap {
    /// As the file writes them.
    pub(crate) const ALL: [(&str, Overlap); 4] = [
        ("skip", Overlap::Skip),
        ("buffer-one", Overlap::BufferOne),
        ("allow", Overlap::Allow),
        ("cancel-other", Overlap::CancelOther),
    ];
}

pub(super) fn read(node: &Node, problems: &mut Problems) -> Vec<Schedule> {
    let items = problems.list(node, "a list of schedules");
    if let Some(beyond) = items.get(SCHEDULES_MAX) {
        problems.add(beyond.place, format!("more than {SCHEDULES_MAX} schedules; take fewer"));
    }
    let schedules: Vec<Schedule> = items.iter().filter_map(|item| schedule(item, problems)).collect();
    let mut seen: HashMap<&str, Place> = HashMap::new();
    for schedule in &schedules {
        match seen.get(&*schedule.id) {
            Some(first) => problems.add(schedule.place, format!("the schedule `{}` stands twice; first at {first}", schedule.id)),
            None => drop(seen.insert(&schedule.id, schedule.place)),
        }
    }
    schedules
}

fn schedule(node: &Node, problems: &mut Problems) -> Option<Schedule> {
    let mut fields = Fields::of(node, "a schedule, a map with `id` and `cron`", problems);
    let id = fields.need("id", "every schedule has one, as `nightly`", problems).and_then(|node| {
        let id = problems.text(node, "an id, as `nightly`")?;
        check_id(id, node.place, problems);
        Some(id.to_owned())
    });
    let cron = fields.need("cron", "minute, hour, day, month and weekday, as `\"0 2 * * *\"`", problems);
    let cron = cron.and_then(|node| problems.parsed::<Cron>(node, "cron schedule"));
    let zone = fields.get("time-zone").map(|node| problems.parsed::<Zone>(node, "time zone"));
    let overlap = fields.get("overlap").and_then(|node| choice(node, &Overlap::ALL, problems)).unwrap_or_default();
    let catch_up = fields.get("catch-up").and_then(|node| span(node, TIME_MAX, problems)).unwrap_or(CATCH_UP);
    let with = fields.get("with").map(|node| inputs(node, problems)).unwrap_or_default();
    let labels = fields.get("labels").map(|node| labels(node, problems)).unwrap_or_default();
    let paused = fields.get("paused");
    let paused = problems.flag(paused);
    fields.done(problems);
    let zone = zone.unwrap_or(Some(Zone::UTC))?;
    Some(Schedule { id: id?, cron: cron?, zone, overlap, catch_up, with, labels, paused, place: node.place })
}

/// A schedule's run has no data to read from when it starts.
fn inputs(node: &Node, problems: &mut Problems) -> Map<String, Value> {
    let entries = problems.map(node, "inputs, a map");
    for entry in entries {
        let template = Template::read(&entry.value, problems);
        if let Some(expression) = template.iter().flat_map(Template::expressions).next() {
            problems.add(expression.place(), "a schedule has nothing to read from; write the value itself");
        }
    }
    entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect()
}
