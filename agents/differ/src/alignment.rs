//! Which lines of two texts belong together. Lines that stand once in each text and in the same order are held fast, what lies
//! between them is looked at in the same way, and short rests get the longest run of equal lines that they have.

use std::collections::HashMap;
use std::ops::Range;

use crate::limits::{DEPTH_MAX, PAIRS_MAX};

/// Positions of lines that are equal and stay, rising in both texts.
#[must_use]
pub fn kept(before: &[&str], after: &[&str]) -> Vec<(usize, usize)> {
    let mut alignment = Alignment { before, after, kept: Vec::new() };
    alignment.align(0..before.len(), 0..after.len(), 0);
    alignment.kept
}

struct Alignment<'a> {
    before: &'a [&'a str],
    after: &'a [&'a str],
    kept: Vec<(usize, usize)>,
}

impl Alignment<'_> {
    fn align(&mut self, before: Range<usize>, after: Range<usize>, depth: usize) {
        let shorter = before.len().min(after.len());
        let same_start = (0..shorter).take_while(|at| self.same(before.start + at, after.start + at)).count();
        let rest = shorter - same_start;
        let same_end = (1..=rest).take_while(|back| self.same(before.end - back, after.end - back)).count();
        self.kept.extend((0..same_start).map(|at| (before.start + at, after.start + at)));
        let inner = (before.start + same_start..before.end - same_end, after.start + same_start..after.end - same_end);
        self.align_inner(inner.0, inner.1, depth);
        self.kept.extend((1..=same_end).rev().map(|back| (before.end - back, after.end - back)));
    }

    fn align_inner(&mut self, before: Range<usize>, after: Range<usize>, depth: usize) {
        if before.is_empty() || after.is_empty() {
            return;
        }
        let fast = if depth < DEPTH_MAX { rising(&self.once_in_both(&before, &after)) } else { Vec::new() };
        if fast.is_empty() {
            if before.len().saturating_mul(after.len()) <= PAIRS_MAX {
                self.longest_run(&before, &after);
            }
            return;
        }
        let mut start = (before.start, after.start);
        for (left, right) in fast {
            self.align(start.0..left, start.1..right, depth + 1);
            self.kept.push((left, right));
            start = (left + 1, right + 1);
        }
        self.align(start.0..before.end, start.1..after.end, depth + 1);
    }

    fn same(&self, before: usize, after: usize) -> bool {
        self.before[before] == self.after[after]
    }

    /// Lines that stand once in each stretch, by their position in the first.
    fn once_in_both(&self, before: &Range<usize>, after: &Range<usize>) -> Vec<(usize, usize)> {
        let mut places: HashMap<&str, Places> = HashMap::new();
        for at in before.clone() {
            places.entry(self.before[at]).or_default().before.note(at);
        }
        for at in after.clone() {
            places.entry(self.after[at]).or_default().after.note(at);
        }
        let mut once: Vec<_> = places.values().filter_map(|places| places.before.only().zip(places.after.only())).collect();
        once.sort_unstable();
        once
    }

    /// The longest common subsequence, by the table of its lengths.
    fn longest_run(&mut self, before: &Range<usize>, after: &Range<usize>) {
        let width = after.len() + 1;
        let mut lengths = vec![0_u32; (before.len() + 1) * width];
        for row in (0..before.len()).rev() {
            for column in (0..after.len()).rev() {
                lengths[row * width + column] = match self.same(before.start + row, after.start + column) {
                    true => lengths[(row + 1) * width + column + 1] + 1,
                    false => lengths[(row + 1) * width + column].max(lengths[row * width + column + 1]),
                };
            }
        }
        let (mut row, mut column) = (0, 0);
        while row < before.len() && column < after.len() {
            if self.same(before.start + row, after.start + column) {
                self.kept.push((before.start + row, after.start + column));
                (row, column) = (row + 1, column + 1);
            } else if lengths[(row + 1) * width + column] >= lengths[row * width + column + 1] {
                row += 1;
            } else {
                column += 1;
            }
        }
    }
}

/// Where a line stands in each text.
#[derive(Default)]
struct Places {
    before: Place,
    after: Place,
}

#[derive(Default)]
enum Place {
    #[default]
    Nowhere,
    Once(usize),
    Often,
}

impl Place {
    fn note(&mut self, at: usize) {
        *self = if matches!(self, Place::Nowhere) { Place::Once(at) } else { Place::Often };
    }

    fn only(&self) -> Option<usize> {
        if let Place::Once(at) = self { Some(*at) } else { None }
    }
}

/// The longest choice of `pairs`, which rise on the left, that rises on the right too (patience sorting).
fn rising(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // For each length: the pair with the smallest right end that a choice of this length can have; and each pair's predecessor.
    let mut ends: Vec<usize> = Vec::new();
    let mut previous: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    for (index, (_, right)) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| pairs[*end].1 < *right);
        previous.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        ends.truncate(ends.len().max(length));
        match ends.get_mut(length) {
            Some(end) => *end = index,
            None => ends.push(index),
        }
    }
    let mut chosen: Vec<_> =
        std::iter::successors(ends.last().copied(), |index| previous[*index]).map(|index| pairs[index]).collect();
    chosen.reverse();
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(before: &str, after: &str) -> usize {
        let (before, after): (Vec<_>, Vec<_>) = (before.split(' ').collect(), after.split(' ').collect());
        kept(&before, &after).len()
    }

    #[test]
    fn lines_that_stand_once_are_held_fast() {
        assert_eq!(rising(&[(0, 3), (1, 0), (2, 1), (3, 2)]), [(1, 0), (2, 1), (3, 2)]);
        assert_eq!(rising(&[]), []);
        assert_eq!(count("a b c d e", "a x c y e"), 3);
    }

    #[test]
    fn rests_without_such_lines_get_their_longest_run() {
        assert_eq!(count("a b c a b b a", "c b a b a c"), 4);
        assert_eq!(count("x y x y", "z z z"), 0);
    }

    #[test]
    fn long_rests_without_a_line_that_stands_once_are_left() {
        let before = ["x", "y"].repeat(PAIRS_MAX);
        let after = ["y", "z"].repeat(PAIRS_MAX);
        assert_eq!(kept(&before, &after), []);
        assert_eq!(kept(&before, &before).len(), before.len());
    }
}
