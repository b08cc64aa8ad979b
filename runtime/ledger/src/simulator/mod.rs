//! The ledger under simulation: virtual people and a virtual disk around the real store and writer, all decided by a seed.
//!
//! The same seed gives the same bytes: [`run`] comes to a digest over everything that happened. What is looked for, what is
//! played, and how to run it: `docs/simulation.md`.

mod accountant;
mod cast;
mod disk;
mod holds;
mod machine;
mod mandates;
mod owners;
mod parties;
mod promises;
mod random;
mod remedies;
mod repayments;
mod shadow;
mod shares;
#[cfg(test)]
mod tests;
mod till;
mod trace;
mod world;

use std::fmt;

use hansa_economy::Digest;

use world::World;
pub use world::{Counts, Stage};

/// A run that went well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Over everything that happened.
    pub digest: Digest,
    /// What was counted.
    pub counts: Counts,
}

/// A run in which an auditor objected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What decides the run.
    pub seed: u64,
    /// The step, from 0.
    pub step: u64,
    /// What is wrong.
    pub objection: String,
    /// What happened before, newest last.
    pub before: Vec<String>,
}

/// Play `steps` steps that `seed` decides, from the state that `stage` has, to a good end.
pub fn run(stage: &Stage, seed: u64, steps: u64) -> Result<Run, Box<Failure>> {
    let fail = |step, objection, before| Box::new(Failure { seed, step, objection, before });
    let mut world = World::on(stage, seed).map_err(|objection| fail(0, objection, Vec::new()))?;
    for step in 0..=steps {
        let done = if step == steps { world.end() } else { world.step() };
        done.map_err(|objection| fail(step, objection, world.trace.newest()))?;
    }
    Ok(Run { digest: world.trace.digest(), counts: world.counts })
}

/// A log as a run without failures of the disk writes it: the entries' stored bytes, each of one group. For a corpus.
pub fn log(stage: &Stage, seed: u64, steps: u64) -> Result<Vec<Vec<u8>>, Box<Failure>> {
    let fail = |objection| Box::new(Failure { seed, step: 0, objection, before: Vec::new() });
    let mut world = World::on(stage, seed).map_err(fail)?;
    for _ in 0..steps {
        world.peaceful_step().map_err(fail)?;
    }
    world.end().map_err(fail)?;
    Ok(world.shadow.entries().map(|entry| entry.seal().0).collect())
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.before {
            writeln!(f, "  {line}")?;
        }
        write!(f, "seed {}, step {}: {}", self.seed, self.step, self.objection)
    }
}
