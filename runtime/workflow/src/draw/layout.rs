//! Where blocks go. Steps are nested in series and side by side, so that each arrangement is made of smaller ones: a column of blocks, a
//! fork with branches, a frame around a column.

use super::icon::Icon;
use super::measure::Font;
use super::palette::Accent;
use super::scene::{Block, Edge, Point, Role, at, rect};
use crate::limits::DRAWN_LABEL_WIDTH_MAX;

/// Between one block and the next below it, the head of the edge included.
const BELOW: i32 = 34;
/// Between branches.
const BESIDE: i32 = 28;
/// From a fork to where its edges turn, and from where they turn back to the end of it.
const TURN: i32 = 18;
/// Of labels.
const LABEL_HEIGHT: i32 = 22;
/// Radius of the small circles where ways come together.
const GATE: i32 = 5;
/// Within frames and lanes.
const PADDING: i32 = 18;

/// Blocks one below the other, joined by edges.
pub(super) fn column(blocks: Vec<Block>) -> Block {
    let axis = blocks.iter().map(|block| block.axis).max().unwrap_or(0);
    let right = blocks.iter().map(|block| block.width - block.axis).max().unwrap_or(0);
    let height: i32 = blocks.iter().map(|block| block.height + BELOW).sum();
    let mut column = Block::new(Role::Group, axis + right, (height - BELOW).max(0));
    column.axis = axis;
    let mut y = 0;
    for block in blocks {
        if y > 0 {
            column.edge(&[at(axis, y - BELOW), at(axis, y)], true);
        }
        let below = y + block.height + BELOW;
        column.put(axis - block.axis, y, block);
        y = below;
    }
    column
}

/// One way of a fork.
pub(super) struct Way {
    /// What its label says, and the whole of it.
    pub(super) label: String,
    pub(super) tip: String,
    pub(super) font: Font,
    /// What is done; nothing goes straight on.
    pub(super) steps: Option<Block>,
}

/// How the ways of a fork look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ways {
    /// One of them is taken.
    One,
    /// All of them are, each in a lane.
    All { depth: usize },
}

/// A box whose ways go apart below it and come together again.
pub(super) fn fork(head: Block, ways: Vec<Way>, sort: Ways) -> Block {
    let bypass = ways.len() == 2 && ways[1].steps.is_none();
    let branches: Vec<Branch> = ways.into_iter().map(|way| Branch::new(way, sort)).collect();
    let tallest = branches.iter().map(|branch| branch.block.height).max().unwrap_or(0);
    let mut axes = Vec::new();
    let mut right = 0;
    for branch in &branches {
        axes.push(right + branch.block.axis);
        right += branch.block.width + BESIDE;
    }
    let middle = (axes.len().saturating_sub(1) / 2, axes.len() / 2);
    let axis = if bypass { axes[0] } else { (axes[middle.0] + axes[middle.1]) / 2 };
    let left = (head.axis - axis).max(0);
    let axis = axis + left;
    let width = (left + right - BESIDE).max(axis + head.width - head.axis);
    let top = head.height + TURN + TURN;
    let join = top + tallest + TURN;
    let mut fork = Block::new(Role::Group, width, join + GATE);
    fork.axis = axis;
    for (branch, x) in branches.into_iter().zip(axes) {
        branch.place(&mut fork, at(x + left, top), head.height, (tallest, join));
    }
    fork.edge(&[at(axis, join), at(axis, join + GATE)], false);
    match sort {
        Ways::One => put_gate(&mut fork, at(axis, join)),
        Ways::All { .. } => {
            let mut bar = Block::new(Role::Group, 36, 6);
            bar.rect(rect(0, 0, 36, 6), 3, "bar");
            fork.put(axis - 18, join - 3, bar);
        }
    }
    fork.put(axis - head.axis, 0, head);
    fork
}

/// A small circle, over the edges that meet there.
fn put_gate(block: &mut Block, centre: Point) {
    let mut gate = Block::new(Role::Group, 2 * GATE, 2 * GATE);
    gate.circle(at(GATE, GATE), GATE, "gate");
    block.put(centre.x - GATE, centre.y - GATE, gate);
}

/// A way with its label, laid out.
struct Branch {
    block: Block,
    /// Where its last edge begins; in the label where nothing is done.
    exit: i32,
    /// The class of the lane behind it.
    lane: Option<String>,
}

impl Branch {
    fn new(way: Way, sort: Ways) -> Branch {
        let label = label(&way.label, way.font, way.tip);
        let (padding, role, lane) = match sort {
            Ways::One => (0, Role::Group, None),
            Ways::All { depth } => (PADDING, Role::Lane, Some(format!("lane {} {}", Accent::Parallel.class(), parity(depth)))),
        };
        let Some(steps) = way.steps else {
            return Branch { exit: label.height, block: label, lane: None };
        };
        let axis = steps.axis.max(label.axis) + padding;
        let right = (steps.width - steps.axis).max(label.width - label.axis) + padding;
        let first = label.height + TURN + 6;
        let exit = first + steps.height;
        let mut block = Block::new(role, axis + right, exit + padding);
        block.axis = axis;
        block.edge(&[at(axis, label.height), at(axis, first)], true);
        block.put(axis - steps.axis, first, steps);
        block.put(axis - label.axis, 0, label);
        Branch { block, exit, lane }
    }

    /// Puts it into `fork` with its axis at `top.x`, from the fork's box, which ends at `from`, to where the ways come together.
    fn place(self, fork: &mut Block, top: Point, from: i32, (tallest, join): (i32, i32)) {
        let (axis, turn) = (fork.axis, top.y - TURN);
        fork.edge(&[at(axis, from), at(axis, turn), at(top.x, turn), top], false);
        let mut block = self.block;
        let mut exit = self.exit;
        if let Some(class) = self.lane {
            block.height = tallest;
            block.rect(rect(0, LABEL_HEIGHT / 2, block.width, tallest - LABEL_HEIGHT / 2), 10, class);
            block.edge(&[at(block.axis, exit), at(block.axis, tallest)], false);
            exit = tallest;
        }
        fork.edge(&[at(top.x, top.y + exit), at(top.x, join), at(axis, join)], false);
        fork.put(top.x - block.axis, top.y, block);
    }
}

/// Panels within each other take turns.
fn parity(depth: usize) -> &'static str {
    if depth.is_multiple_of(2) { "even" } else { "odd" }
}

/// A text on an edge.
fn label(text: &str, font: Font, tip: String) -> Block {
    let text = font.cut(text, DRAWN_LABEL_WIDTH_MAX);
    let mut label = Block::new(Role::Label, font.width(&text) + 22, LABEL_HEIGHT);
    label.rect(rect(0, 0, label.width, LABEL_HEIGHT), LABEL_HEIGHT / 2, "label");
    label.centred(at(label.axis, 15), font, "", text);
    label.tip = tip;
    label
}

/// How a frame looks.
pub(super) struct Frame {
    pub(super) accent: Accent,
    /// Of its border, where its step has a state.
    pub(super) state: Option<&'static str>,
    /// Frames around it.
    pub(super) depth: usize,
    /// Its steps are done again and again.
    pub(super) again: bool,
}

/// A frame around `steps`, with `head` at its upper left. What runs for many items has further frames behind it.
pub(super) fn frame(head: Block, steps: Block, frame: &Frame) -> Block {
    // The way back of a loop is at the right of its steps.
    let back = if frame.again { PADDING } else { 0 };
    let (left, right) = (steps.axis + PADDING, steps.width - steps.axis + PADDING + back);
    let extra = (head.width - left - right).max(0);
    let (axis, right) = (left + extra / 2, right + extra - extra / 2);
    let start = head.height + 10;
    let first = start + BELOW;
    let end = first + steps.height + TURN + 4;
    let mut inner = Block::new(Role::Frame, axis + right, end + PADDING);
    inner.axis = axis;
    (inner.step, inner.tip) = (head.step.clone(), head.tip.clone());
    let state = frame.state.unwrap_or_default();
    let class = format!("frame {} {} {state}", frame.accent.class(), parity(frame.depth));
    inner.rect(rect(0, 0, inner.width, inner.height), 12, class.trim_end());
    inner.edge(&[at(axis, start + GATE), at(axis, first)], true);
    inner.edge(&[at(axis, first + steps.height), at(axis, end - GATE)], false);
    if frame.again {
        let beside = axis - steps.axis + steps.width + PADDING;
        inner.edge(&[at(axis + GATE, end), at(beside, end), at(beside, start), at(axis + GATE, start)], true);
    }
    for y in [start, end] {
        put_gate(&mut inner, at(axis, y));
    }
    inner.put(axis - steps.axis, first, steps);
    inner.put(0, 0, Block { step: None, tip: String::new(), ..head });
    if frame.again { inner } else { stacked(inner, frame) }
}

/// Two more frames behind it.
fn stacked(front: Block, frame: &Frame) -> Block {
    let mut stack = Block::new(Role::Group, front.width + 8, front.height + 8);
    stack.axis = front.axis;
    for behind in [8, 4] {
        let class = format!("frame {} {}", frame.accent.class(), parity(frame.depth));
        stack.rect(rect(behind, behind, front.width, front.height), 12, class);
    }
    stack.put(0, 0, front);
    stack
}

/// `side` at the right of `main`, joined by a dashed edge.
pub(super) fn beside(main: Block, side: Block) -> Block {
    let from = main.height / 2;
    let top = (from - side.height / 2).max(0);
    let mut both = Block::new(Role::Group, main.width + BESIDE + side.width, main.height.max(top + side.height));
    both.axis = main.axis;
    if both.height > main.height {
        both.edge(&[at(both.axis, main.height), at(both.axis, both.height)], false);
    }
    let points = vec![at(main.width, from), at(main.width + BESIDE, from)];
    both.edges.push(Edge { points, arrow: true, dashed: true });
    both.put(main.width + BESIDE, top, side);
    both.put(0, 0, main);
    both
}

/// Where a drawing without inputs begins, and where one without output ends.
pub(super) fn terminal(text: &str, icon: Icon) -> Block {
    let mut terminal = Block::new(Role::Box, Font::Name.width(text) + 50, 32);
    terminal.rect(rect(0, 0, terminal.width, 32), 16, "card");
    terminal.icon(at(14, 9), 14, icon, format!("icon {}", Accent::Ends.class()));
    terminal.text(at(34, 20), Font::Name, "", text);
    terminal
}
