//! What an evaluation may still spend, counted for each thread: steps, and bytes of values made.
//!
//! Work is paid for before it is done, and the price depends on the data alone, never on what is shared or cached: an expression that has enough on one node has enough on all.
//! The first thing that goes wrong here stays, and ends the evaluation whatever the expression catches. Outside an evaluation nothing is counted.

use std::cell::Cell;

use crate::limits::{EVAL_BYTES_MAX, EVAL_STEPS_MAX, VALUE_NESTING_MAX};

/// Why an evaluation was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// No steps are left.
    Steps,
    /// Too many bytes were made.
    Bytes,
    /// A value is too deep.
    Nesting,
}

impl Fault {
    pub(super) fn what(self) -> String {
        match self {
            Fault::Steps => format!("more than {EVAL_STEPS_MAX} steps are taken; work on fewer items at once, with a `map` step"),
            Fault::Bytes => format!("more than {} MiB of values are made; work on less at once", EVAL_BYTES_MAX >> 20),
            Fault::Nesting => format!("lists and maps are made more than {VALUE_NESTING_MAX} deep; make a flatter value"),
        }
    }
}

struct Meter {
    steps: Cell<u64>,
    bytes: Cell<u64>,
    fault: Cell<Option<Fault>>,
    /// How many evaluations began.
    begun: Cell<u64>,
    /// Steps of all evaluations that are over.
    taken: Cell<u64>,
}

thread_local! {
    static METER: Meter = const { Meter { steps: Cell::new(u64::MAX), bytes: Cell::new(u64::MAX), fault: Cell::new(None), begun: Cell::new(0), taken: Cell::new(0) } };
}

/// An evaluation that is counted until this is dropped.
pub(super) struct Counted(());

impl Counted {
    pub(super) fn begin() -> Counted {
        set(EVAL_STEPS_MAX, EVAL_BYTES_MAX);
        METER.with(|meter| meter.begun.set(meter.begun.get() + 1));
        Counted(())
    }

    /// What ended it, so far.
    pub(super) fn fault(&self) -> Option<Fault> {
        METER.with(|meter| meter.fault.get())
    }

    /// Steps taken so far.
    #[cfg(test)]
    pub(super) fn steps(&self) -> u64 {
        METER.with(|meter| EVAL_STEPS_MAX - meter.steps.get())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        METER.with(|meter| meter.taken.set(meter.taken.get().wrapping_add(EVAL_STEPS_MAX.saturating_sub(meter.steps.get()))));
        set(u64::MAX, u64::MAX);
    }
}

fn set(steps: u64, bytes: u64) {
    METER.with(|meter| {
        meter.steps.set(steps);
        meter.bytes.set(bytes);
        meter.fault.set(None);
    });
}

/// Takes `steps`; false: the evaluation has ended.
pub(super) fn step(steps: u64) -> bool {
    METER.with(|meter| {
        if meter.fault.get().is_some() {
            return false;
        }
        match meter.steps.get() {
            // Outside an evaluation.
            u64::MAX => true,
            left => match left.checked_sub(steps) {
                Some(left) => {
                    meter.steps.set(left);
                    true
                }
                None => {
                    meter.steps.set(0);
                    meter.fault.set(Some(Fault::Steps));
                    false
                }
            },
        }
    })
}

/// Takes room for `bytes` of a value, and the steps to write them; false: the evaluation has ended.
pub(super) fn room(bytes: u64) -> bool {
    let left = METER.with(|meter| match meter.bytes.get() {
        u64::MAX => true,
        left => {
            meter.bytes.set(left.saturating_sub(bytes));
            bytes <= left
        }
    });
    if !left {
        fail(Fault::Bytes);
    }
    step(bytes / BYTES_PER_STEP) && left
}

/// The evaluation of this thread that goes on, by its number.
pub(super) fn evaluation() -> u64 {
    METER.with(|meter| meter.begun.get())
}

/// Steps that all evaluations of this thread have taken so far; wraps.
pub(crate) fn taken() -> u64 {
    METER.with(|meter| meter.taken.get())
}

/// Bytes that are read or written in about the time of one step.
pub(super) const BYTES_PER_STEP: u64 = 128;

/// Ends the evaluation; outside of one nothing happens.
pub(super) fn fail(fault: Fault) {
    METER.with(|meter| {
        if meter.steps.get() != u64::MAX && meter.fault.get().is_none() {
            meter.fault.set(Some(fault));
        }
    });
}
