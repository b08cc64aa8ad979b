//! What a run costs, learned from the runs: device time over rows and length, per model and device.
//!
//! Whether rows run faster together depends on the model, the machine and the lengths; on a processor it often does not
//! pay. So the table measures: each cell keeps a moving average of the time per row and unit of length, padding included,
//! for so many rows of such a length. The number of rows with the least time per unit is used. What has not been measured
//! is tried as soon as enough rows wait; the neighbours of the best, and rows alone, are looked at again now and then. A run never gets
//! longer than [`RUN_TARGET`], because whoever comes next waits for its end.

use std::time::Duration;

use super::queue::Plan;
use crate::limits::BATCH_ROWS_MAX;

/// How long one run should take at most, where it has more than one row.
const RUN_TARGET: Duration = Duration::from_millis(100);
/// Rows of the columns: 1, 2, 4, … [`BATCH_ROWS_MAX`].
const ROW_STEPS: usize = BATCH_ROWS_MAX.ilog2() as usize + 1;
/// Lengths of the lines: 1, 2, 4, … 2^23, enough for tokens and for tensor elements / 1,024.
const LENGTH_STEPS: usize = 24;
/// Runs after which a cell is believed.
const RUNS_MIN: u32 = 3;
/// By how much together must beat alone: less is noise, and delays the first of the rows.
const GAIN_MIN: f64 = 0.95;
/// So many decisions about a length lie between two looks at a neighbour of the best.
const LOOK_AGAIN: u32 = 256;
/// So many lie between two looks at a row alone, which is what all else is compared with and costs least to look at.
const LOOK_ALONE: u32 = 32;
/// Share of a new measurement in the average.
const NEWS: f64 = 0.2;

#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    /// Nanoseconds per row and unit of length.
    unit_ns: f64,
    runs: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Line {
    cells: [Cell; ROW_STEPS],
    decisions: u32,
    /// Rows that have run out of memory; 0: none did.
    too_many: u32,
}

/// How many rows of one request a device should run at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AtOnce {
    All,
    Most(u32),
    Unknown,
}

/// The table of one model on one device.
#[derive(Clone, Debug)]
pub(crate) struct CostTable {
    lines: [Line; LENGTH_STEPS],
    /// The operator's switch.
    batching: bool,
}

/// A measured cell, for people who want to know why rows run together or do not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunCost {
    /// Rows of the runs, rounded to a power of two.
    pub rows: u32,
    /// Length of the rows, rounded to a power of two: tokens, or 1 where the length is fixed.
    pub length: u32,
    /// Moving average of the device time of such a run, in microseconds.
    pub run_us: f64,
    /// Runs measured.
    pub runs: u32,
}

impl CostTable {
    /// Nothing known. `batching` off: every row runs alone.
    pub(crate) fn new(batching: bool) -> Self {
        Self { lines: [Line::default(); LENGTH_STEPS], batching }
    }

    /// Every row runs alone from now on.
    pub(crate) fn run_alone(&mut self) {
        self.batching = false;
    }

    /// Notes how long a run took.
    pub(crate) fn learn(&mut self, rows: u32, length: u32, took: Duration) {
        let units = f64::from(rows.max(1)) * f64::from(length.max(1));
        let cell = &mut self.lines[length_step(length)].cells[row_step(rows)];
        let unit_ns = took.as_nanos() as f64 / units;
        cell.unit_ns = match cell.runs {
            0 => unit_ns,
            // the machine hiccups; an outlier counts as four times the average at most
            _ => cell.unit_ns + NEWS * (unit_ns.min(4.0 * cell.unit_ns) - cell.unit_ns),
        };
        cell.runs = cell.runs.saturating_add(1);
    }

    /// So many rows of this length did not fit into memory: fewer from now on.
    pub(crate) fn was_too_much(&mut self, rows: u32, length: u32) {
        for line in &mut self.lines[length_step(length)..] {
            line.too_many = if line.too_many == 0 { rows } else { line.too_many.min(rows) };
        }
    }

    /// How many of so many rows of this length to run at once: as many as a run's time allows; none as long as nothing is
    /// known. All where rows do not run together at all, because then they may not be parted either.
    pub(crate) fn at_once(&self, rows: u32, length: u32) -> AtOnce {
        if !self.batching {
            return AtOnce::All;
        }
        let fit = match self.lines[length_step(length)].too_many {
            0 => rows,
            too_many => too_many / 2,
        };
        let share = |ns: f64| (f64::from(rows) * RUN_TARGET.as_nanos() as f64 / ns) as u32;
        self.expected_ns(rows, length).map_or(AtOnce::Unknown, |ns| AtOnce::Most(share(ns).min(fit).clamp(1, rows.max(1))))
    }

    /// What was measured.
    pub(crate) fn measured(&self) -> Vec<RunCost> {
        let mut found = Vec::new();
        for (length, line) in self.lines.iter().enumerate() {
            for (rows, cell) in line.cells.iter().enumerate().filter(|(_, cell)| cell.runs > 0) {
                let (rows, length) = (1 << rows, 1 << length);
                let run_us = cell.unit_ns * f64::from(rows) * f64::from(length) / 1e3;
                found.push(RunCost { rows, length, run_us, runs: cell.runs });
            }
        }
        found
    }

    /// Expected time of a run in nanoseconds; none as long as nothing is known of any length.
    fn expected_ns(&self, rows: u32, length: u32) -> Option<f64> {
        Some(self.unit_ns(rows, length)? * f64::from(rows) * f64::from(length.max(1)))
    }

    /// Time per row and unit, between the measured cells of the nearest line that has any.
    fn unit_ns(&self, rows: u32, length: u32) -> Option<f64> {
        let at = length_step(length);
        let near = (0..LENGTH_STEPS).min_by_key(|step| (!self.lines[*step].is_known(), step.abs_diff(at)))?;
        self.lines[near].unit_ns(rows)
    }
}

impl Line {
    fn is_known(&self) -> bool {
        self.cells.iter().any(|cell| cell.runs > 0)
    }

    /// Between the two nearest measured cells; beyond them, what the last says.
    fn unit_ns(&self, rows: u32) -> Option<f64> {
        let known = |step: &usize| self.cells[*step].runs > 0;
        let place = f64::from(rows.max(1)).log2();
        let below = (0..ROW_STEPS).rev().filter(|step| *step as f64 <= place).find(known);
        let above = (0..ROW_STEPS).filter(|step| *step as f64 >= place).find(known);
        match (below, above) {
            (Some(below), Some(above)) if below < above => {
                let share = (place - below as f64) / (above - below) as f64;
                Some(self.cells[below].unit_ns * (1.0 - share) + self.cells[above].unit_ns * share)
            }
            (Some(step), _) | (None, Some(step)) => Some(self.cells[step].unit_ns),
            (None, None) => None,
        }
    }

    /// The rows with the least time per unit, if together beats alone.
    fn best(&self, most: u32) -> u32 {
        let alone = self.cells[0].unit_ns * GAIN_MIN;
        let measured = (1..ROW_STEPS).filter(|step| 1 << step <= most && self.cells[*step].runs >= RUNS_MIN);
        let least = |a: &usize, b: &usize| self.cells[*a].unit_ns.total_cmp(&self.cells[*b].unit_ns);
        match measured.min_by(least) {
            Some(step) if self.cells[step].unit_ns < alone => 1 << step,
            _ => 1,
        }
    }

    /// A number of rows that was not measured often enough, the smallest first.
    fn unmeasured(&self, most: u32) -> Option<u32> {
        (0..ROW_STEPS).find(|step| self.cells[*step].runs < RUNS_MIN).map(|step| 1 << step).filter(|rows| *rows <= most)
    }
}

impl Plan for CostTable {
    fn rows(&mut self, length: u32, waiting: u32) -> u32 {
        if !self.batching {
            return 1;
        }
        let step = length_step(length);
        let mut most = waiting.clamp(1, BATCH_ROWS_MAX);
        if self.lines[step].too_many > 0 {
            most = most.min((self.lines[step].too_many / 2).max(1));
        }
        // Not longer than a run should take; a single row takes what it takes.
        let target_ns = RUN_TARGET.as_nanos() as f64;
        while most > 1 && self.expected_ns(most, length).is_some_and(|ns| ns > target_ns) {
            most /= 2;
        }
        let line = &mut self.lines[step];
        line.decisions = line.decisions.wrapping_add(1);
        if let Some(rows) = line.unmeasured(most) {
            return rows;
        }
        let best = line.best(most);
        match line.decisions % LOOK_AGAIN {
            0 => (best * 2).min(most),
            turn if turn == LOOK_AGAIN / 2 => (best / 2).max(1),
            turn if turn % LOOK_ALONE == 0 => 1,
            // Between two powers of two all that wait run together, rather than leave a few behind.
            _ if best > 1 && best * 2 > most => most,
            _ => best,
        }
    }

    fn saves(&self, rows: u32, longest: u32, more: u32, length: u32) -> bool {
        let together = longest.max(length);
        if together == longest && length == longest {
            return true;
        }
        let known = || {
            let before = self.expected_ns(rows, longest)?;
            let after = self.expected_ns(rows + more, together)?;
            Some(after - before < self.expected_ns(more, length)?)
        };
        known().unwrap_or(true)
    }
}

/// Nearest power of two.
fn row_step(rows: u32) -> usize {
    (f64::from(rows.max(1)).log2().round() as usize).min(ROW_STEPS - 1)
}

fn length_step(length: u32) -> usize {
    (f64::from(length.max(1)).log2().round() as usize).min(LENGTH_STEPS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a machine takes for a run, in microseconds.
    type Machine = fn(u32, u32) -> f64;

    /// Asks for a run of `waiting` rows again and again, and lets the machine run it; the last answer.
    fn settle(table: &mut CostTable, machine: Machine, length: u32, waiting: u32) -> u32 {
        let mut last = 0;
        for _ in 0..63 {
            last = table.rows(length, waiting);
            table.learn(last, length, Duration::from_nanos((machine(last, length) * 1e3) as u64));
        }
        last
    }

    /// Every run costs 50 µs and 1 µs per unit.
    fn overhead(rows: u32, length: u32) -> f64 {
        50.0 + f64::from(rows * length)
    }

    /// The more rows, the slower each: caches.
    fn slower_together(rows: u32, length: u32) -> f64 {
        f64::from(rows * length) * (1.0 + f64::from(rows) / 10.0)
    }

    /// Four rows fit into the cache.
    fn best_at_four(rows: u32, length: u32) -> f64 {
        f64::from(rows * length) * if rows == 4 { 0.7 } else { 1.0 }
    }

    #[test]
    fn it_finds_where_rows_run_fastest() {
        for (machine, waiting, best) in [
            (overhead as Machine, 64, 64),
            (overhead, 40, 40),
            (overhead, 1, 1),
            (slower_together, 64, 1),
            (best_at_four, 64, 4),
            (best_at_four, 3, 1),
        ] {
            assert_eq!(settle(&mut CostTable::new(true), machine, 16, waiting), best, "{waiting} waiting");
        }
    }

    #[test]
    fn a_run_is_not_longer_than_its_target() {
        let mut table = CostTable::new(true);
        // 64 rows of 16 tokens would take a second here; 100 ms are 6 rows.
        let slow: Machine = |rows, length| 4000.0 + 1000.0 * f64::from(rows * length);
        let rows = settle(&mut table, slow, 16, 64);
        assert!((2..=6).contains(&rows), "{rows}");
    }

    #[test]
    fn it_learns_anew_when_the_machine_changes() {
        let mut table = CostTable::new(true);
        assert_eq!(settle(&mut table, slower_together, 16, 8), 1);
        for _ in 0..200 {
            settle(&mut table, overhead, 16, 8);
        }
        assert_eq!(settle(&mut table, overhead, 16, 8), 8);
    }

    #[test]
    fn the_switch_turns_batching_off() {
        assert_eq!(settle(&mut CostTable::new(false), overhead, 16, 64), 1);
    }

    #[test]
    fn what_ran_out_of_memory_is_not_tried_again() {
        let mut table = CostTable::new(true);
        table.was_too_much(16, 100);
        assert!(settle(&mut table, overhead, 128, 64) <= 8);
        assert_eq!(settle(&mut table, overhead, 16, 64), 64);
    }

    #[test]
    fn a_request_of_many_rows_is_cut_by_what_a_run_may_take() {
        let mut table = CostTable::new(true);
        assert_eq!(table.at_once(1000, 16), AtOnce::Unknown);
        // 160 us a row: 625 rows take 100 ms
        (0..3).for_each(|_| table.learn(2, 16, Duration::from_micros(320)));
        assert_eq!(
            [(1000, 16), (600, 16), (1000, 160)].map(|(rows, length)| table.at_once(rows, length)),
            [625, 600, 62].map(AtOnce::Most)
        );
        table.was_too_much(32, 16);
        assert_eq!(table.at_once(1000, 16), AtOnce::Most(16));
        table.run_alone();
        assert_eq!(table.at_once(1000, 16), AtOnce::All);
    }

    #[test]
    fn padding_must_pay() {
        let mut table = CostTable::new(true);
        // One unit costs the same however it runs: a shorter row would only be padded.
        for rows in [1, 2, 4, 8] {
            for length in [64, 128] {
                (0..4).for_each(|_| table.learn(rows, length, Duration::from_micros(u64::from(rows * length))));
            }
        }
        assert!(!table.saves(2, 100, 1, 70));
        assert!(!table.saves(2, 70, 1, 100));
        assert!(table.saves(2, 100, 1, 100));
        // Together costs half.
        for _ in 0..64 {
            [2, 4, 8].into_iter().for_each(|rows| table.learn(rows, 128, Duration::from_micros(u64::from(rows * 64))));
        }
        assert!(table.saves(2, 100, 1, 70));
    }
}
