//! Running a workflow: its file is gone through, step by step, and everything that cannot be had again is written into a journal before the next thing follows from it.
//!
//! A run that is taken up again, by another engine or after a crash, goes through its file anew: what the journal knows is not done again, a call whose end is not known is
//! repeated under its own id, and from there on it goes on. So the walk must be the same each time: it depends on the file, the inputs and what was recorded, and on no clock
//! and no order of events.

mod budget;
mod control;
mod entry;
mod history;
mod plan;
mod purchase;
mod restart;
mod several;
mod undo;
mod walk;
mod works;
mod world;

pub use entry::{Answered, Attempted, Awaited, Change, Ending, Entry, EntryError, Restart, Started, VERSION};
pub use history::History;
pub use plan::{Plan, Wanted};
pub(crate) use plan::{PlanCall, PlanStep, PlanWork};
pub(crate) use purchase::best;
pub use restart::carried;
pub use walk::{Over, Refused, Run};
pub(crate) use works::DIVERGED;
pub use world::{Bought, Certainty, Lost, Missed, Offered, Purchase, World};

#[cfg(test)]
pub(crate) mod tests;
