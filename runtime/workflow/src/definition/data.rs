//! Classes of data: which nodes may see what, and which class holds for each step.

use std::collections::BTreeMap;

use hansa_economy::PublicKey;

use super::fields::{Fields, Problems};
use super::step::{Call, Step, Work};
use super::{Workflow, policy, step};
use crate::limits::DATA_CLASSES_MAX;
use crate::place::Place;
use crate::yaml::{Entry, Node};

/// A class of data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataClass {
    /// Where data of it may go.
    pub nodes: Vec<PublicKey>,
    /// Where it stands.
    pub place: Place,
}

pub(super) fn read(node: &Node, problems: &mut Problems) -> BTreeMap<String, DataClass> {
    let entries = problems.map(node, "classes of data, a map of names to `{ nodes: [did:key:…] }`");
    if let Some(beyond) = entries.get(DATA_CLASSES_MAX) {
        problems.add(beyond.place, format!("more than {DATA_CLASSES_MAX} classes of data; take fewer"));
    }
    entries.iter().filter_map(|entry| class(entry, problems)).collect()
}

fn class(entry: &Entry, problems: &mut Problems) -> Option<(String, DataClass)> {
    step::check_id(&entry.key, entry.place, problems);
    let mut fields = Fields::of(&entry.value, "a class of data, a map with `nodes`", problems);
    let nodes = fields.need("nodes", "where data of this class may go, keys of nodes", problems);
    let nodes = nodes.map(|node| policy::nodes(node, problems));
    fields.done(problems);
    Some((entry.key.clone(), DataClass { nodes: nodes?, place: entry.place }))
}

impl Workflow {
    /// The class of data that holds for each step that has one, by the step's id: its own, else that of the innermost step around it.
    pub fn data_classes(&self) -> BTreeMap<&str, &str> {
        let mut classes = BTreeMap::new();
        self.steps.iter().for_each(|step| hold(step, None, &mut classes));
        classes
    }

    /// The only nodes that `call` may go to, in a step that `class` holds for; none: any.
    /// Those of the class, and of them those that the call's terms name, or else the workflow's.
    pub fn nodes_of(&self, call: &Call, class: Option<&str>) -> Option<Vec<PublicKey>> {
        let named = call.terms.nodes.as_ref().or(self.terms.nodes.as_ref());
        let class = class.and_then(|class| self.data.get(class)).map(|class| &class.nodes);
        match (class, named) {
            (Some(class), Some(named)) => Some(class.iter().filter(|node| named.contains(node)).copied().collect()),
            (one, other) => one.or(other).cloned(),
        }
    }
}

impl Step {
    /// The steps right within this one, in the file's order.
    pub fn within(&self) -> Vec<&Step> {
        match &self.work {
            Work::Map(fan) => fan.steps.iter().collect(),
            Work::Parallel(branches) => branches.iter().flat_map(|branch| &branch.steps).collect(),
            Work::Switch { cases, otherwise } => cases.iter().flat_map(|case| &case.steps).chain(otherwise).collect(),
            Work::Loop { steps, .. } => steps.iter().collect(),
            _ => Vec::new(),
        }
    }
}

fn hold<'a>(step: &'a Step, outer: Option<&'a str>, classes: &mut BTreeMap<&'a str, &'a str>) {
    let class = step.data.as_deref().or(outer);
    classes.extend(class.map(|class| (step.id.as_str(), class)));
    step.within().into_iter().for_each(|inner| hold(inner, class, classes));
}
