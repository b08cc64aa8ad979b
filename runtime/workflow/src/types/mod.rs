//! Do values fit where they go? Types of mappings, looked at before anything is bought.
//!
//! Shapes ([`Shape`]) come from contracts, inputs and literals, flow through the expressions, and are held against what functions take. What is not known is never complained of.

mod arithmetic;
mod fit;
mod functions;
mod infer;
mod schema;
mod scope;
mod shape;
mod walk;
mod words;

pub use schema::{Contracts, Parameter, Signature, of_schema};
pub use shape::{Alternatives, Key, Keys, NOT_NUMBERS, Numbers, Shape, Texts};

use crate::definition::Workflow;
use crate::place::Problem;

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// It cannot work, or cannot be meant.
    Wrong,
    /// It fails or is null with some values; the finding says what helps.
    Doubtful,
}

/// Something that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How sure that is.
    pub level: Level,
    /// Where, and what.
    pub problem: Problem,
}

/// What was found out about a workflow.
#[derive(Clone, Debug, PartialEq)]
pub struct Findings {
    /// In the file's order.
    pub found: Vec<Finding>,
    /// What a run gives; null where the workflow has no output.
    pub output: Shape,
}

/// Follows the types of `workflow`'s values from its inputs to its output. Unknown names are told by [`crate::names::check`], not here.
pub fn check(workflow: &Workflow, contracts: &dyn Contracts) -> Findings {
    walk::check(workflow, contracts)
}

#[cfg(test)]
mod soundness;
#[cfg(test)]
mod tests;
