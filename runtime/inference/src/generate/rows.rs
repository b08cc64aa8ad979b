//! How many rows step together: learned from the time that steps take, because for some models and machines more rows give
//! fewer tokens per second.
//!
//! Row counts are tried by doubling, while more sequences wait than run. Where twice the rows make a token dearer, the count
//! falls back, and the larger one is tried again only after many steps.

use std::time::Duration;

use crate::limits::ROWS_MAX;

/// Full steps of a row count before it is judged, and steps that are remembered of it.
const ENOUGH: usize = 8;
/// Twice the rows lose when a token takes so much longer: less is noise.
const DEARER: f64 = 1.05;
/// Steps after which a count that lost is tried again; doubled each time.
const AGAIN: u32 = 256;
const AGAIN_MAX: u32 = 8192;

/// Microseconds per row of the last steps of one row count.
#[derive(Clone, Copy, Debug)]
struct Learned {
    recent: [f64; ENOUGH],
    samples: usize,
}

impl Learned {
    const NOTHING: Self = Self { recent: [f64::INFINITY; ENOUGH], samples: 0 };

    fn add(&mut self, row_us: f64) {
        self.recent[self.samples % ENOUGH] = row_us;
        self.samples += 1;
    }

    /// The best of the last steps: what else runs on the machine only ever makes a step longer.
    fn row_us(&self) -> f64 {
        self.recent.iter().copied().fold(f64::INFINITY, f64::min)
    }
}

/// The learned row count of one decoder.
#[derive(Debug)]
pub(crate) struct Rows {
    most: usize,
    allowed: usize,
    /// By the logarithm of the row count.
    learned: [Learned; 16],
    /// Steps until a larger count is tried again.
    rest: u32,
    /// What `rest` becomes when a larger count loses again.
    again: u32,
}

impl Rows {
    /// `batching` off: one row at a time, whatever is measured.
    pub(crate) fn new(batching: bool) -> Self {
        let most = if batching { ROWS_MAX } else { 1 };
        Self { most, allowed: 1, learned: [Learned::NOTHING; 16], rest: 0, again: AGAIN }
    }

    /// Rows that may step together now.
    pub(crate) fn allowed(&self) -> usize {
        self.allowed
    }

    /// A step of so many rows took so long; `waiting`: more would run if they might.
    pub(crate) fn learn(&mut self, rows: usize, time: Duration, waiting: bool) {
        self.rest = self.rest.saturating_sub(1);
        let Some(learned) = self.learned.get_mut(level(rows)) else { return };
        learned.add(time.as_secs_f64() * 1e6 / rows.max(1) as f64);
        if rows == self.allowed && learned.samples >= ENOUGH {
            self.judge(waiting);
        }
    }

    fn judge(&mut self, waiting: bool) {
        let level = level(self.allowed);
        // against the best of all below, so that small losses do not add up
        let below = self.learned[..level].iter().map(Learned::row_us).fold(f64::INFINITY, f64::min);
        if self.learned[level].row_us() > below * DEARER {
            self.learned[level] = Learned::NOTHING;
            self.allowed /= 2;
            self.rest = self.again;
            self.again = (self.again * 2).min(AGAIN_MAX);
        } else if waiting && self.rest == 0 && self.allowed < self.most {
            self.allowed *= 2;
        }
    }
}

fn level(rows: usize) -> usize {
    rows.max(1).next_power_of_two().trailing_zeros() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps always as many rows as are allowed, at this time for so many rows.
    fn settle(rows: &mut Rows, steps: usize, time_us: impl Fn(usize) -> u64) -> usize {
        for _ in 0..steps {
            let count = rows.allowed();
            rows.learn(count, Duration::from_micros(time_us(count)), true);
        }
        rows.allowed()
    }

    #[test]
    fn rows_grow_while_tokens_get_cheaper() {
        assert_eq!(settle(&mut Rows::new(true), 120, |rows| 1000 + 10 * rows as u64), ROWS_MAX);
        assert_eq!(settle(&mut Rows::new(true), 120, |rows| 100 + 10 * (rows * rows) as u64), 4);
    }

    #[test]
    fn where_batching_loses_it_is_off_and_tried_again() {
        let mut rows = Rows::new(true);
        assert_eq!(settle(&mut rows, 120, |rows| 130 * rows as u64 - 30), 1);
        assert_eq!(settle(&mut rows, 5000, |rows| 1000 + rows as u64), ROWS_MAX);
        assert_eq!(settle(&mut Rows::new(false), 100, |rows| 1000 + rows as u64), 1);
    }

    #[test]
    fn a_busy_machine_is_no_reason() {
        let mut count = 0;
        let mut rows = Rows::new(true);
        for _ in 0..200 {
            count += 1;
            let noise = if count % 3 == 0 { 1 } else { 5 };
            let allowed = rows.allowed();
            rows.learn(allowed, Duration::from_micros((1000 + 10 * allowed as u64) * noise), true);
        }
        assert_eq!(rows.allowed(), ROWS_MAX);
    }

    #[test]
    fn nothing_grows_without_need() {
        let mut rows = Rows::new(true);
        (0..100).for_each(|_| rows.learn(1, Duration::from_micros(100), false));
        assert_eq!(rows.allowed(), 1);
    }
}
