//! How many rows step together: learned from the time that steps take, because for some models and machines more rows give
//! fewer tokens per second.
//!
//! Row counts are tried by doubling, while more sequences wait than run. Where twice the rows make a token dearer, the count
//! falls back, and the larger one is tried again only after many steps.

use std::time::Duration;

use crate::limits::ROWS_MAX;

/// Full steps of a row count before it is judged.
const ENOUGH: u32 = 4;
/// Steps after which a count that lost is tried again.
const AGAIN: u32 = 4096;
/// Weight of a new sample.
const NEW: f64 = 0.25;

#[derive(Clone, Copy, Debug, Default)]
struct Learned {
    /// Microseconds per row.
    row_us: f64,
    samples: u32,
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
}

impl Rows {
    /// `batching` off: one row at a time, whatever is measured.
    pub(crate) fn new(batching: bool) -> Self {
        Self { most: if batching { ROWS_MAX } else { 1 }, allowed: 1, learned: Default::default(), rest: 0 }
    }

    /// Rows that may step together now.
    pub(crate) fn allowed(&self) -> usize {
        self.allowed
    }

    /// A step of so many rows took so long; `waiting`: more would run if they might.
    pub(crate) fn learn(&mut self, rows: usize, time: Duration, waiting: bool) {
        self.rest = self.rest.saturating_sub(1);
        let Some(learned) = self.learned.get_mut(level(rows)) else { return };
        let row_us = time.as_secs_f64() * 1e6 / rows.max(1) as f64;
        learned.row_us = if learned.samples == 0 { row_us } else { learned.row_us + NEW * (row_us - learned.row_us) };
        learned.samples = learned.samples.saturating_add(1);
        if rows == self.allowed && learned.samples >= ENOUGH {
            self.judge(waiting);
        }
    }

    fn judge(&mut self, waiting: bool) {
        let level = level(self.allowed);
        let below = level.checked_sub(1).map(|below| self.learned[below]).filter(|below| below.samples > 0);
        if below.is_some_and(|below| self.learned[level].row_us > below.row_us) {
            self.learned[level].samples = 0;
            self.allowed /= 2;
            self.rest = AGAIN;
        } else if waiting && self.rest == 0 {
            self.allowed = (self.allowed * 2).min(self.most);
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
        assert_eq!(settle(&mut Rows::new(true), 100, |rows| 1000 + 10 * rows as u64), ROWS_MAX);
        assert_eq!(settle(&mut Rows::new(true), 100, |rows| 100 + 10 * (rows * rows) as u64), 4);
    }

    #[test]
    fn where_batching_loses_it_is_off_and_tried_again() {
        let mut rows = Rows::new(true);
        assert_eq!(settle(&mut rows, 100, |rows| 110 * rows as u64 - 10), 1);
        assert_eq!(settle(&mut rows, 5000, |rows| 1000 + rows as u64), ROWS_MAX);
        assert_eq!(settle(&mut Rows::new(false), 100, |rows| 1000 + rows as u64), 1);
    }

    #[test]
    fn nothing_grows_without_need() {
        let mut rows = Rows::new(true);
        (0..100).for_each(|_| rows.learn(1, Duration::from_micros(100), false));
        assert_eq!(rows.allowed(), 1);
    }
}
