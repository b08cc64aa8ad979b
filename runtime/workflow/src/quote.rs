//! What a run would cost now: exact where that can be, bounds where not. Nothing is bought, and no seller is asked.
//!
//! The steps are gone through as a run would, with what is known of its data: inputs where they are given, and what expressions make of them. Where a list, a condition or a
//! number of rounds is not known, everything that the file allows is counted. Sellers are chosen by the rule that runs choose by ([`crate::run`]), among the offers of now.

mod cost;
mod data;
mod part;
mod purchase;
mod text;
mod walk;

use hansa_economy::{Amount, PublicKey};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::limits::RUNNERS_UP_MAX;
use crate::market::{Listing, Market};
use crate::place::Place;
use crate::run::Plan;
pub use cost::{Cost, Count};
pub use text::text;

/// What a run would cost.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Quote {
    /// The workflow.
    pub workflow: String,
    /// Its version.
    pub version: String,
    /// The most that a run may cost: no run does.
    pub budget: Amount,
    /// What a run costs that comes to its end without a failure.
    pub total: Cost,
    /// Does the budget suffice?
    pub verdict: Verdict,
    /// Steps that buy, in the file's order, those of other workflows within included.
    pub steps: Vec<Line>,
    /// What undoes them, where a run fails.
    pub undo: Vec<Line>,
    /// The most that undoing costs beyond what was spent before; within the budget too.
    pub undo_most: Amount,
    /// What the numbers of calls depend on, and is not known before the run.
    pub unknown: Vec<Unknown>,
    /// Budgets that cannot suffice.
    pub shortfalls: Vec<Shortfall>,
    /// The workflow is too large to be gone through whole: much is bounded by budgets alone.
    pub is_rough: bool,
}

/// Does a budget suffice?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Whatever happens, at the offers of now.
    Suffices,
    /// It depends on the run.
    MayNotSuffice,
    /// No run comes to its end within it, or within the budgets of its steps.
    CannotSuffice,
}

/// A step that buys.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Line {
    /// Its place in the run without numbers of items, as `pages/summary`.
    pub path: String,
    /// Where it stands; of steps of another workflow, where that one is run.
    pub place: Place,
    /// The interface.
    pub service: String,
    /// The function.
    pub function: String,
    /// Calls that are answered: only they cost.
    pub calls: Count,
    /// All of them together.
    pub cost: Cost,
    /// Whom it would be bought from: one seller, or as many as are asked. Empty where nothing is known, or nobody meets the terms.
    pub chosen: Vec<Choice>,
    /// Others that meet the terms, best first.
    pub runners_up: Vec<Choice>,
    /// How many meet the terms, the chosen ones included; none where the market is not known.
    pub offers: Option<usize>,
}

/// An offer that a step would or could take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Choice {
    /// Its seller.
    pub seller: PublicKey,
    /// What that runs.
    pub package: String,
    /// On which node.
    pub node: String,
    /// The least that one answered call costs.
    pub price_min: Amount,
    /// The most that one call costs.
    pub price_max: Amount,
    /// The price is named when the call is made.
    pub is_quoted: bool,
    /// So many calls may be free.
    pub free_calls: u32,
}

impl Choice {
    fn of(listing: &Listing, wanted: &crate::run::Wanted) -> Choice {
        let price_max = listing.most(wanted);
        Choice {
            seller: listing.seller,
            package: listing.package.clone(),
            node: listing.node_name.clone(),
            price_min: listing.price_min.min(price_max),
            price_max,
            is_quoted: listing.is_quoted,
            free_calls: listing.free_calls,
        }
    }
}

/// What is not known before the run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Unknown {
    /// The step that it is of.
    pub path: String,
    /// Where it stands.
    pub place: Place,
    /// What.
    pub what: Missing,
    /// What each item or round costs; of a workflow or a call nothing is known.
    pub each: Option<Cost>,
}

/// What can be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// How long the list of a `map` is.
    Items,
    /// How many rounds a `loop` takes.
    Rounds,
    /// Which way an `if` or a `switch` goes.
    Way,
    /// What another workflow does.
    Workflow,
    /// Who sells.
    Sellers,
}

/// A budget that cannot suffice, at the offers of now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Shortfall {
    /// Whose budget it is.
    pub owner: Owner,
    /// The path of the step; empty for the run.
    pub path: String,
    /// The step's place; of the run the file's beginning.
    pub place: Place,
    /// The budget.
    pub budget: Amount,
    /// The least that it would have to be.
    pub needed: Amount,
    /// A failure there does not end the run.
    pub is_spared: bool,
}

/// What has a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// The whole run.
    Run,
    /// A step.
    Step,
    /// An item of a `map`.
    Item,
    /// The workflow that a step runs.
    Workflow,
}

/// What a run of `plan` would cost, with these inputs ([`crate::Workflow::inputs_of`] makes them); none: with any.
pub fn quote(plan: &Plan, market: &dyn Market, inputs: Option<&Map<String, Value>>) -> Quote {
    let outcome = walk::whole(plan, market, inputs);
    let workflow = &plan.workflow;
    let (mut steps, mut undo) = (Vec::new(), Vec::new());
    let (budget, undo_most) = (workflow.budget, outcome.part.undo.min(workflow.budget));
    let mut entries = outcome.part.entries;
    // Those of another workflow stand where it is run, in their own order.
    entries.sort_by_key(|entry| entry.place);
    for entry in entries {
        if entry.desk.undoes { &mut undo } else { &mut steps }.push(entry.line());
    }
    let verdict = match (outcome.part.fails, outcome.part.is_bound) {
        (true, _) => Verdict::CannotSuffice,
        (false, true) => Verdict::MayNotSuffice,
        (false, false) => Verdict::Suffices,
    };
    Quote {
        workflow: workflow.name.to_string(),
        version: workflow.version.to_string(),
        budget,
        total: outcome.part.cost,
        verdict,
        steps,
        undo,
        undo_most,
        unknown: outcome.unknown,
        shortfalls: outcome.shortfalls,
        is_rough: outcome.is_rough,
    }
}

impl part::Entry {
    fn line(self) -> Line {
        let desk = &self.desk;
        let choice = |nth: &usize| Choice::of(&self.offers[*nth], &desk.wanted);
        let others = (0..desk.fitting.len()).filter(|nth| !self.chosen.contains(nth)).take(RUNNERS_UP_MAX);
        Line {
            path: self.path,
            place: self.place,
            service: desk.wanted.service.clone(),
            function: desk.wanted.function.clone(),
            calls: self.calls,
            cost: self.cost,
            chosen: self.chosen.iter().map(choice).collect(),
            runners_up: others.map(|nth| choice(&nth)).collect(),
            offers: desk.is_known.then_some(desk.fitting.len()),
        }
    }
}

#[cfg(test)]
mod tests;
