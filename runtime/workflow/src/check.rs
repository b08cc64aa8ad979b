//! Everything that can be found out about a workflow before it runs, in one list: form, expressions, types, data that must not leave, sellers, budgets.

mod calls;
mod offers;
mod render;
mod runs;
mod spots;

use hansa_economy::Amount;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::definition::Workflow;
use crate::market::Market;
use crate::place::Problem;
use crate::quote::{Owner, Quote, Shortfall, quote};
use crate::run::Plan;
use crate::types::{Contracts, Finding, Level};
use crate::{data_class, names, types};
use spots::Spots;

/// What was found out about a workflow's file.
pub struct Checked {
    /// By place; errors before warnings.
    pub findings: Vec<Finding>,
    /// The workflow, ready to run; none where it cannot be read or compiled.
    pub plan: Option<Plan>,
    /// What it would cost with any inputs; none where there is no plan.
    pub quote: Option<Quote>,
}

impl Checked {
    /// Is nothing wrong? Warnings do not count.
    pub fn is_good(&self) -> bool {
        self.findings.iter().all(|finding| finding.level != Level::Wrong)
    }

    /// The workflow, where it can be read.
    pub fn workflow(&self) -> Option<&Workflow> {
        self.plan.as_ref().map(|plan| &plan.workflow)
    }

    /// The findings as a compiler writes them: `file:line:column: error: …`, each with its line of `source` and a mark below the place.
    pub fn text(&self, file: &str, source: &str) -> String {
        render::text(&self.findings, file, source)
    }
}

/// `good`, `findings` (each `level`, `line`, `column`, `what`), `quote`.
impl Serialize for Checked {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Found<'a> {
            level: &'a str,
            line: u32,
            column: u32,
            what: &'a str,
        }
        let found = |finding: &'_ Finding| {
            let (line, column) = (finding.problem.place.line, finding.problem.place.column);
            (render::word(finding.level), line, column, finding.problem.what.clone())
        };
        let found: Vec<_> = self.findings.iter().map(found).collect();
        let found: Vec<_> =
            found.iter().map(|(level, line, column, what)| Found { level, line: *line, column: *column, what }).collect();
        let mut members = serializer.serialize_struct("Checked", 3)?;
        members.serialize_field("good", &self.is_good())?;
        members.serialize_field("findings", &found)?;
        members.serialize_field("quote", &self.quote)?;
        members.end()
    }
}

/// Everything that is wrong with a workflow's file, or doubtful, by what is known of contracts and offers.
pub fn check(text: &str, contracts: &dyn Contracts, market: &dyn Market) -> Checked {
    let workflow = match Workflow::read(text) {
        Ok(workflow) => workflow,
        Err(problems) => return Checked { findings: sorted(problems.into_iter().map(wrong).collect()), plan: None, quote: None },
    };
    let mut findings: Vec<Finding> = names::check(&workflow).into_iter().map(wrong).collect();
    findings.extend(data_class::check(&workflow).into_iter().map(wrong));
    findings.extend(types::check(&workflow, contracts).found);
    let spots = Spots::of(text);
    findings.extend(calls::check(&workflow, contracts, market, &spots));
    findings.extend(runs::check(&workflow, market, &spots));
    let plan = Plan::new(text).map_err(|problems| findings.extend(problems.into_iter().map(wrong))).ok();
    let quote = plan.as_ref().map(|plan| quote(plan, market, None));
    for short in quote.iter().flat_map(|quote| &quote.shortfalls) {
        findings.push(shortfall(short, &workflow, &spots));
    }
    Checked { findings: sorted(findings), plan, quote }
}

fn wrong(problem: Problem) -> Finding {
    Finding { level: Level::Wrong, problem }
}

fn doubtful(problem: Problem) -> Finding {
    Finding { level: Level::Doubtful, problem }
}

/// By place; several rooms may find the same.
fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|one, other| {
        (one.problem.place, one.level, &one.problem.what).cmp(&(other.problem.place, other.level, &other.problem.what))
    });
    findings.dedup();
    findings
}

fn shortfall(short: &Shortfall, workflow: &Workflow, spots: &Spots) -> Finding {
    let Shortfall { owner, path, place, budget, needed, is_spared } = short;
    let step = workflow.all_steps().into_iter().find(|step| step.place == *place);
    // A step of another workflow has its budget in another file.
    let is_here = step.is_some_and(|step| path.rsplit('/').next() == Some(step.id.as_str()));
    let place = match owner {
        Owner::Run => spots.top(&["budget"]),
        Owner::Step if is_here => spots.within(*place, &["budget"]),
        Owner::Item if is_here => spots.within(*place, &["item-budget"]),
        _ => spots.within(*place, &["run"]),
    }
    .unwrap_or(*place);
    let (whose, what) = match owner {
        Owner::Run => ("the budget".to_owned(), "a run that comes to its end"),
        Owner::Step => (format!("the budget of `{path}`"), "the step"),
        Owner::Item => (format!("the budget of an item of `{path}`"), "an item"),
        Owner::Workflow => (format!("the budget of the workflow that `{path}` runs"), "it"),
    };
    let more = Amount(needed.0.saturating_sub(budget.0));
    let problem = Problem::new(
        place,
        format!("{whose}, `{budget}`, cannot suffice: at today's offers {what} needs {needed} at least, {more} more; raise it"),
    );
    if *is_spared { doubtful(problem) } else { wrong(problem) }
}

#[cfg(test)]
mod tests;
