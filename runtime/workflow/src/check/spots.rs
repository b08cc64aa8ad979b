//! Where in a workflow's file the values of keys stand.

use std::collections::HashMap;

use crate::definition::Call;
use crate::place::Place;
use crate::yaml::{self, Kind, Node};

/// The places of a file.
pub(super) struct Spots {
    root: Option<Node>,
    /// For each map, how it is reached: by its own place, and by that of its `call`.
    maps: HashMap<Place, Vec<usize>>,
}

impl Spots {
    pub(super) fn of(text: &str) -> Spots {
        let root = yaml::read(text).ok();
        let mut maps = HashMap::new();
        if let Some(root) = &root {
            index(root, &mut Vec::new(), &mut maps);
        }
        Spots { root, maps }
    }

    /// The value of a key of the workflow, and of a key within that, and so on.
    pub(super) fn top(&self, keys: &[&str]) -> Option<Place> {
        value(self.root.as_ref()?, keys)
    }

    /// The same within the map that stands at `place`.
    pub(super) fn within(&self, place: Place, keys: &[&str]) -> Option<Place> {
        value(self.maps.get(&place).and_then(|way| self.node(way))?, keys)
    }

    /// A term of a call, or else of the workflow.
    pub(super) fn term(&self, call: &Call, keys: &[&str]) -> Option<Place> {
        let keys: Vec<&str> = std::iter::once("terms").chain(keys.iter().copied()).collect();
        self.within(call.place, &keys).or_else(|| self.top(&keys))
    }

    fn node(&self, way: &[usize]) -> Option<&Node> {
        way.iter().try_fold(self.root.as_ref()?, |node, nth| match &node.kind {
            Kind::List(items) => items.get(*nth),
            Kind::Map(entries) => entries.get(*nth).map(|entry| &entry.value),
            Kind::Scalar(_) => None,
        })
    }
}

fn index(node: &Node, way: &mut Vec<usize>, maps: &mut HashMap<Place, Vec<usize>>) {
    if let Kind::Map(entries) = &node.kind {
        let call = entries.iter().find(|entry| entry.key == "call").map(|entry| entry.value.place);
        for place in call.into_iter().chain([node.place]) {
            maps.entry(place).or_insert_with(|| way.clone());
        }
    }
    let within: Vec<&Node> = match &node.kind {
        Kind::List(items) => items.iter().collect(),
        Kind::Map(entries) => entries.iter().map(|entry| &entry.value).collect(),
        Kind::Scalar(_) => Vec::new(),
    };
    for (nth, inner) in within.into_iter().enumerate() {
        way.push(nth);
        index(inner, way, maps);
        way.pop();
    }
}

fn value(node: &Node, keys: &[&str]) -> Option<Place> {
    let found = keys.iter().try_fold(node, |node, key| match &node.kind {
        Kind::Map(entries) => entries.iter().find(|entry| entry.key == *key).map(|entry| &entry.value),
        _ => None,
    });
    found.map(|node| node.place)
}
