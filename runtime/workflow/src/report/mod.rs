//! What a run's journal says, for people and for programs that read JSON: each step with its attempts and receipts, what it cost and for whom, what it waits for.
//!
//! A report is made of a journal's entries and of nothing else. It takes them one by one, so that whoever watches a run goes on adding. Steps that the journal has
//! no entry for (a `parallel`, a `loop`, a call that asks several sellers) are begun with the first one within them, and end as the file says.

mod calls;
mod cost;
mod ends;
mod event;
mod facts;
mod fold;
mod outline;
mod path;
mod progress;
mod step;
mod text;
mod tree;
mod wait;

use std::collections::{BTreeSet, HashMap, VecDeque};

use serde::{Serialize, Serializer};

pub use cost::{Cost, Costs, LabelCost, SellerCost, StepCost};
pub use facts::{Engine, Facts, Happened, Happening, State};
pub use progress::Progress;
pub use step::{Answer, Attempt, Chosen, Decided, Fault, Items, Kind, Outcome, Step, StepState};
pub use text::{costs, live, moment, news, standing, timeline, tree, tree_with};
pub use tree::Node;
pub use wait::{Waiting, WaitsFor};

use crate::run::Ending;
use event::Event;
use outline::{Def, Outline};

/// All that can be told of a run. As JSON it is one object: the [`Facts`], then `progress`, `waits-for`, `costs`, `happened`, `steps`.
#[derive(Debug)]
pub struct Report {
    /// The run as a whole.
    pub facts: Facts,
    /// Its steps, in the order in which they were first heard of; those within another one after it.
    pub steps: Vec<Step>,
    /// What it cost.
    pub costs: Costs,
    /// What happened to it as a whole, and what people did.
    pub happened: Vec<Happening>,
    keeps_values: bool,
    /// Of each step, where it stands in its file.
    spots: Vec<Spot>,
    index: HashMap<String, usize>,
    /// Steps that are begun and not over.
    open: BTreeSet<usize>,
    /// The run's file first, then those of workflows within it. None: this program cannot read it.
    outlines: Vec<(String, Option<Outline>)>,
    /// The step of each list that was begun last, by what their places begin with.
    lists: HashMap<String, usize>,
    events: Vec<Event>,
    /// Signals that no step has taken, by name: their places in `happened`.
    signals: HashMap<String, VecDeque<usize>>,
    /// Steps that ended with the entry that is being added: what they stand in may end with them.
    ended: Vec<usize>,
    told: Told,
}

/// Where a step stands in its file.
#[derive(Clone, Copy, Debug, Default)]
struct Spot {
    /// The step that it is within.
    parent: Option<usize>,
    /// The file that it is of.
    outline: usize,
    /// The file that it runs.
    runs: Option<usize>,
    /// How many of its branches, or of those that ask for it, are over.
    ended: u32,
    /// How many of those within it are begun and not over.
    open: u32,
    /// What it stands in knows that it ended.
    is_counted: bool,
}

/// What the run's state follows from.
#[derive(Debug, Default)]
struct Told {
    /// Why, and since when.
    paused: Option<(String, u64)>,
    cancelled: Option<String>,
    undoing: Option<String>,
    ended: Option<(Ending, Option<String>)>,
}

impl Report {
    /// The report of the run `run`, as long as its journal says nothing.
    pub fn new(run: &str) -> Report {
        Report {
            facts: Facts { run: run.to_owned(), ..Facts::default() },
            steps: Vec::new(),
            costs: Costs::default(),
            happened: Vec::new(),
            keeps_values: true,
            spots: Vec::new(),
            index: HashMap::new(),
            open: BTreeSet::new(),
            outlines: Vec::new(),
            lists: HashMap::new(),
            events: Vec::new(),
            signals: HashMap::new(),
            ended: Vec::new(),
            told: Told::default(),
        }
    }

    /// The same, for runs with thousands of items: of inputs, answers and what signals bring it keeps the size only.
    pub fn without_values(run: &str) -> Report {
        Report { keeps_values: false, ..Report::new(run) }
    }

    /// The step at that place.
    pub fn step(&self, path: &str) -> Option<&Step> {
        self.index.get(path).map(|nth| &self.steps[*nth])
    }

    /// What a step's file says of it.
    fn def(&self, nth: usize) -> Option<&Def> {
        let (_, outline) = self.outlines.get(self.spots[nth].outline)?;
        outline.as_ref()?.step(path::id(&self.steps[nth].path))
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "kebab-case")]
        struct Whole<'a> {
            #[serde(flatten)]
            facts: &'a Facts,
            progress: Progress,
            waits_for: Vec<Waiting>,
            costs: &'a Costs,
            happened: &'a [Happening],
            steps: &'a [Step],
        }
        let Report { facts, costs, happened, steps, .. } = self;
        let (progress, waits_for) = (self.progress(), self.waits_for());
        Whole { facts, progress, waits_for, costs, happened, steps }.serialize(serializer)
    }
}

#[cfg(test)]
mod tests;
