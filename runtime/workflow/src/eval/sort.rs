//! Sorting, and what follows from it: groups, the smallest, the largest.
//!
//! Our own merge sort: that of the standard library may panic where comparisons contradict each other, and those of an evaluation that has run out of steps would.

use std::cmp::Ordering;

use super::order::{compare, paid};
use super::value::{List, Value};
use super::{Fail, ValR, ended, list, made, wrong};

/// Items of a list with the keys that they are compared by.
struct Keyed {
    items: List,
    keys: List,
}

impl Keyed {
    fn new(value: Value, keys: Value) -> Result<Keyed, Fail> {
        match (value, keys) {
            (Value::List(items), Value::List(keys)) if items.items().len() == keys.items().len() => Ok(Keyed { items, keys }),
            (other, _) => Err(wrong(format!("a list is wanted to be sorted, not {other}"))),
        }
    }

    fn compare(&self, one: usize, other: usize) -> Result<Ordering, Fail> {
        let (one, other) = (&self.keys.items()[one], &self.keys.items()[other]);
        if paid(one, other) { Ok(compare(one, other)) } else { Err(ended()) }
    }

    /// Places of the items in the order of their keys; equal ones stay as they stood.
    fn order(&self) -> Result<Vec<usize>, Fail> {
        let len = self.items.items().len();
        list::room(len * 2)?;
        let mut order: Vec<usize> = (0..len).collect();
        let mut other = Vec::with_capacity(len);
        let mut width = 1;
        while width < len {
            for pair in order.chunks(2 * width) {
                let (left, right) = pair.split_at(width.min(pair.len()));
                self.merge(left, right, &mut other)?;
            }
            std::mem::swap(&mut order, &mut other);
            other.clear();
            width *= 2;
        }
        Ok(order)
    }

    fn merge(&self, mut left: &[usize], mut right: &[usize], out: &mut Vec<usize>) -> Result<(), Fail> {
        while let (Some(one), Some(other)) = (left.first(), right.first()) {
            if self.compare(*one, *other)?.is_le() {
                out.push(*one);
                left = &left[1..];
            } else {
                out.push(*other);
                right = &right[1..];
            }
        }
        out.extend_from_slice(left);
        out.extend_from_slice(right);
        Ok(())
    }

    fn listed(&self, places: impl Iterator<Item = usize>) -> ValR {
        let items: Vec<Value> = places.map(|at| self.items.items()[at].clone()).collect();
        list::room(items.len())?;
        made(List::new(items))
    }

    /// Places of items with equal keys, groups in the order of their keys.
    fn groups(&self) -> Result<Vec<Vec<usize>>, Fail> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for at in self.order()? {
            match groups.last_mut() {
                Some(group) if self.compare(group[0], at)?.is_eq() => group.push(at),
                _ => groups.push(vec![at]),
            }
        }
        Ok(groups)
    }

    fn best(&self, better: fn(Ordering) -> bool) -> ValR {
        let mut best = None;
        for at in 0..self.items.items().len() {
            best = match best {
                Some(best) if !better(self.compare(at, best)?) => Some(best),
                _ => Some(at),
            };
        }
        Ok(best.map_or(Value::Null, |at| self.items.items()[at].clone()))
    }
}

/// `sort`, `sort_by`.
pub(super) fn sorted(value: Value, keys: Value) -> ValR {
    let keyed = Keyed::new(value, keys)?;
    keyed.listed(keyed.order()?.into_iter())
}

/// `group_by`.
pub(super) fn grouped(value: Value, keys: Value) -> ValR {
    let keyed = Keyed::new(value, keys)?;
    let groups = keyed.groups()?.into_iter().map(|group| keyed.listed(group.into_iter())).collect::<Result<Vec<_>, _>>()?;
    list::room(groups.len())?;
    made(List::new(groups))
}

/// `unique`, `unique_by`: the first of each group.
pub(super) fn unique(value: Value, keys: Value) -> ValR {
    let keyed = Keyed::new(value, keys)?;
    keyed.listed(keyed.groups()?.into_iter().map(|group| group[0]))
}

/// `min`, `min_by`: the first of the smallest.
pub(super) fn smallest(value: Value, keys: Value) -> ValR {
    Keyed::new(value, keys)?.best(Ordering::is_lt)
}

/// `max`, `max_by`: the last of the largest.
pub(super) fn largest(value: Value, keys: Value) -> ValR {
    Keyed::new(value, keys)?.best(Ordering::is_ge)
}
