//! `hansa test`: an agent's cases, run on the real host in memory. The market is what a case says, the state is empty, the models are
//! the caller's; money is counted and not moved.

mod expect;
mod file;
mod market;
mod outside;
mod run;
mod store;

use std::path::PathBuf;
use std::time::Duration;

pub use file::{Action, Case, CasesError, Expected, Supply, read};
pub use run::{BenchError, Models, TestBench};

/// What became of one case.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The file it stands in.
    pub file: PathBuf,
    /// Its name.
    pub case: String,
    /// What is not as expected; nothing where it passed.
    pub wrong: Vec<String>,
    /// What the agent wrote.
    pub logs: Vec<String>,
    /// How long the call took, without making the instance.
    pub took: Duration,
}

impl Verdict {
    /// Is all as expected?
    pub fn passed(&self) -> bool {
        self.wrong.is_empty()
    }
}
