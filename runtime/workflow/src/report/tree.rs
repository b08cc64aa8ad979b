//! The steps within each other.

use std::collections::HashMap;

use hansa_economy::Amount;
use serde::Serialize;

use super::{Report, Step, path};

/// A step, or an item, a round or a branch, with those within it.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Node<'a> {
    /// What it is called where it stands: `read`, of an item or a round `#2`, of a branch `.left`, of one of several sellers `~1`, of what undoes a step `undo`.
    pub name: &'a str,
    /// Its place: that of its step, or of the item, round or branch.
    pub path: &'a str,
    /// The step; none of an item, a round or a branch.
    pub step: Option<&'a Step>,
    /// What it cost, with all within it and with what undid it.
    pub cost: Amount,
    /// Those within it: items, rounds and sellers by number, others in the order in which they were first heard of.
    pub children: Vec<Node<'a>>,
}

/// The nodes by their places, as they are put together.
#[derive(Default)]
struct Nodes<'a> {
    nodes: Vec<Node<'a>>,
    children: Vec<Vec<usize>>,
    roots: Vec<usize>,
    index: HashMap<&'a str, usize>,
}

impl Report {
    /// The steps within each other. What undoes a step stands below it.
    pub fn tree(&self) -> Vec<Node<'_>> {
        let mut nodes = Nodes::default();
        for step in &self.steps {
            match &step.undoes {
                Some(undone) => {
                    let around = nodes.reach(undone);
                    let nth = nodes.add(Node { name: "undo", path: &step.path, ..Node::default() }, Some(around));
                    nodes.nodes[nth].step = Some(step);
                }
                None => {
                    let nth = nodes.reach(&step.path);
                    nodes.nodes[nth].step = Some(step);
                }
            }
        }
        let Nodes { nodes, children, roots, .. } = nodes;
        let mut nodes: Vec<Option<Node<'_>>> = nodes.into_iter().map(Some).collect();
        roots.into_iter().filter_map(|root| assembled(root, &mut nodes, &children)).collect()
    }
}

impl<'a> Nodes<'a> {
    fn reach(&mut self, path: &'a str) -> usize {
        if let Some(nth) = self.index.get(path) {
            return *nth;
        }
        let mut around = None;
        for part in path::parts(path) {
            let known = self.index.get(part).copied();
            around = Some(known.unwrap_or_else(|| {
                let nth = self.add(Node { name: path::name(part), path: part, ..Node::default() }, around);
                self.index.insert(part, nth);
                nth
            }));
        }
        around.expect("every place has a part")
    }

    fn add(&mut self, node: Node<'a>, around: Option<usize>) -> usize {
        let nth = self.nodes.len();
        self.nodes.push(node);
        self.children.push(Vec::new());
        match around {
            Some(around) => self.children[around].push(nth),
            None => self.roots.push(nth),
        }
        nth
    }
}

/// Each node is taken out once. As deep as places are: within `REPORT_DEPTH_MAX`.
fn assembled<'a>(nth: usize, nodes: &mut [Option<Node<'a>>], children: &[Vec<usize>]) -> Option<Node<'a>> {
    let mut node = nodes[nth].take()?;
    node.children = children[nth].iter().filter_map(|child| assembled(*child, nodes, children)).collect();
    node.children.sort_by_key(|child| (child.step.is_some_and(|step| step.undoes.is_some()), path::number(child.path)));
    let own = node.step.map_or(Amount::ZERO, |step| step.charged.saturating_add(step.at_risk));
    node.cost = node.children.iter().fold(own, |sum, child| sum.saturating_add(child.cost));
    Some(node)
}
