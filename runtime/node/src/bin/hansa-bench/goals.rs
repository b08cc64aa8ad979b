//! What was measured, and what it is held to.

use serde::Serialize;

use crate::parts::Parts;
use crate::protocol::Measured;

/// The measurements of a round, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Point {
    /// 64 bytes, plain NATS, one in flight.
    Raw,
    /// 64 bytes, a paid call from one node to another, one in flight.
    Paid,
    /// 64 bytes, a paid call within one node, one in flight.
    Near,
    /// The bytes of a paid call's envelope through our bus alone, one in flight.
    Bus,
    /// 64 KiB, plain NATS, one in flight.
    RawLarge,
    /// 64 KiB, a paid call from one node to another, one in flight.
    PaidLarge,
    /// As `Raw`, 64 in flight.
    RawMany,
    /// As `Paid`, 64 in flight.
    PaidMany,
    /// As `Near`, 64 in flight.
    NearMany,
}

impl Point {
    /// All of them.
    pub(crate) const ALL: [Point; 9] = [
        Point::Raw,
        Point::Paid,
        Point::Near,
        Point::Bus,
        Point::RawLarge,
        Point::PaidLarge,
        Point::RawMany,
        Point::PaidMany,
        Point::NearMany,
    ];

    /// For people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Point::Raw => "raw NATS, 64 B, 1 in flight",
            Point::Paid => "paid call across two nodes, 64 B, 1",
            Point::Near => "paid call on one node, 64 B, 1",
            Point::Bus => "our bus alone, envelope's bytes, 1",
            Point::RawLarge => "raw NATS, 64 KiB, 1",
            Point::PaidLarge => "paid call across two nodes, 64 KiB, 1",
            Point::RawMany => "raw NATS, 64 B, 64 in flight",
            Point::PaidMany => "paid call across two nodes, 64 B, 64",
            Point::NearMany => "paid call on one node, 64 B, 64",
        }
    }

    /// Callers at the same time.
    pub(crate) fn in_flight(self) -> usize {
        match self {
            Point::RawMany | Point::PaidMany | Point::NearMany => 64,
            _ => 1,
        }
    }
}

/// Processor time of one call, microseconds, by process.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Cpu {
    /// The buying node, which also keeps the ledger and makes the calls.
    pub(crate) buyer_us: f64,
    /// The selling node.
    pub(crate) seller_us: f64,
    /// nats-server.
    pub(crate) server_us: f64,
}

/// All rounds of one point: medians over them.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Row {
    pub(crate) point: Point,
    #[serde(flatten)]
    pub(crate) median: Measured,
    pub(crate) cpu: Cpu,
    /// Each round by itself.
    pub(crate) rounds: Vec<Measured>,
}

/// Memory of a node that does nothing, MiB.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Memory {
    pub(crate) agents: usize,
    /// Resident.
    pub(crate) resident_mib: f64,
    /// The part of it that is not mapped from files.
    pub(crate) own_mib: f64,
}

/// Everything.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Measurements {
    pub(crate) cores: usize,
    pub(crate) rows: Vec<Row>,
    pub(crate) parts: Parts,
    pub(crate) memory: Vec<Memory>,
    pub(crate) goals: Vec<Goal>,
}

/// One goal and where it stands.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Goal {
    pub(crate) goal: &'static str,
    /// What `figure` is held to.
    pub(crate) limit: f64,
    pub(crate) figure: f64,
    /// The two figures behind a ratio, or the figure with its unit.
    pub(crate) from: String,
    pub(crate) met: bool,
}

impl Goal {
    fn at_most(goal: &'static str, limit: f64, figure: f64, from: String) -> Goal {
        Goal { goal, limit, figure, from, met: figure <= limit }
    }

    fn at_least(goal: &'static str, limit: f64, figure: f64, from: String) -> Goal {
        Goal { goal, limit, figure, from, met: figure >= limit }
    }
}

/// Hold the measurements to the goals. Ratios are medians of the ratios of each round, whose points were measured within
/// seconds of each other.
pub(crate) fn goals(rows: &[Row], parts: &Parts, memory: &[Memory]) -> Vec<Goal> {
    let p50 = |a, b| ratio(rows, a, b, |measured| measured.p50_us, "us");
    let rate = |a, b| ratio(rows, a, b, |measured| measured.per_second, "/s");
    let mut goals = Vec::new();
    let (figure, from) = p50(Point::Paid, Point::Raw);
    goals.push(Goal::at_most("paid call across two nodes, 1 in flight: p50 at most 5x raw", 5.0, figure, from));
    let (figure, from) = rate(Point::PaidMany, Point::RawMany);
    goals.push(Goal::at_least("the same, 64 in flight: calls a second at least 0.08x raw", 0.08, figure, from));
    let (figure, from) = p50(Point::Paid, Point::Near);
    goals.push(Goal::at_least("same-node call at least 2x faster than across NATS", 2.0, figure, from));
    let fresh = parts.fresh_call_us;
    goals.push(Goal::at_most("fresh instance + call + drop: p50 at most 25 us", 25.0, fresh, format!("{fresh:.1} us")));
    let (figure, from) = p50(Point::PaidLarge, Point::RawLarge);
    goals.push(Goal::at_most("64 KiB across two nodes: p50 at most 3x raw", 3.0, figure, from));
    let limits = [("idle node with 10 agents: at most 80 MiB", 80.0), ("idle node with 100 agents: at most 120 MiB", 120.0)];
    for ((goal, limit), memory) in limits.into_iter().zip(memory) {
        let figure = memory.resident_mib;
        goals.push(Goal::at_most(goal, limit, figure, format!("{figure:.0} MiB resident, {:.0} of them own", memory.own_mib)));
    }
    goals
}

fn ratio(rows: &[Row], a: Point, b: Point, of: fn(&Measured) -> f64, unit: &str) -> (f64, String) {
    let rounds = |point| rows.iter().find(|row| row.point == point).map(|row| row.rounds.as_slice()).unwrap_or_default();
    let ratios = rounds(a).iter().zip(rounds(b)).map(|(a, b)| of(a) / of(b));
    let each = |point| median(rounds(point).iter().map(of));
    (median(ratios), format!("{:.0} / {:.0} {unit}", each(a), each(b)))
}

/// The middle value; 0 of none.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_taken_round_by_round() {
        let row = |point, p50s: [f64; 3]| Row {
            point,
            median: Measured::default(),
            cpu: Cpu::default(),
            rounds: p50s.map(|p50_us| Measured { p50_us, ..Measured::default() }).to_vec(),
        };
        let rows = [row(Point::Paid, [10.0, 20.0, 90.0]), row(Point::Raw, [5.0, 10.0, 30.0])];
        assert_eq!(ratio(&rows, Point::Paid, Point::Raw, |measured| measured.p50_us, "us"), (2.0, "20 / 10 us".into()));
    }
}
