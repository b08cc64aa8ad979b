//! What a drawing is made of before it is written down: blocks within blocks, each with what is drawn in it. Lengths are whole pixels.

use super::icon::Icon;
use super::measure::Font;

/// A point; within a block from its upper left corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) x: i32,
    pub(super) y: i32,
}

pub(super) fn at(x: i32, y: i32) -> Point {
    Point { x, y }
}

/// Where something is, and how large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) width: i32,
    pub(super) height: i32,
}

pub(super) fn rect(x: i32, y: i32, width: i32, height: i32) -> Rect {
    Rect { x, y, width, height }
}

/// What a block stands for; nothing may lie on a box or a label, and what a frame holds lies within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Only its parts, side by side.
    Group,
    /// A step, the inputs, the output.
    Box,
    /// A text on an edge, or at the head of a frame.
    Label,
    /// Around steps.
    Frame,
    /// Around a branch, whose edges go through its border.
    Lane,
}

/// Something with a place of its own. Edges come in at the top and leave at the bottom, both at `axis`.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) role: Role,
    pub(super) width: i32,
    pub(super) height: i32,
    /// How far from the left edges come in and leave.
    pub(super) axis: i32,
    /// The step that it is, for programs that look at the drawing.
    pub(super) step: Option<String>,
    /// Everything that was cut, to be shown when somebody points at it.
    pub(super) tip: String,
    pub(super) inks: Vec<Ink>,
    pub(super) edges: Vec<Edge>,
    pub(super) parts: Vec<(Point, Block)>,
}

/// One stroke of the pen. Classes give the colour.
#[derive(Clone, Debug)]
pub(super) enum Ink {
    Rect { rect: Rect, radius: i32, class: String },
    Circle { centre: Point, radius: i32, class: String },
    Text { from: Point, font: Font, class: &'static str, centred: bool, text: String },
    Icon { from: Point, size: i32, icon: Icon, class: String },
    Line { from: Point, to: Point, class: String },
}

/// A way from one block to another, by right angles.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    pub(super) points: Vec<Point>,
    /// With a head at its end.
    pub(super) arrow: bool,
    pub(super) dashed: bool,
}

impl Role {
    /// For programs that look at the drawing.
    pub(super) fn class(self) -> &'static str {
        match self {
            Role::Group => "group",
            Role::Box => "box",
            Role::Label => "caption",
            Role::Frame => "frame-group",
            Role::Lane => "branch",
        }
    }
}

impl Block {
    /// An empty one.
    pub(super) fn new(role: Role, width: i32, height: i32) -> Block {
        Block {
            role,
            width,
            height,
            axis: width / 2,
            step: None,
            tip: String::new(),
            inks: Vec::new(),
            edges: Vec::new(),
            parts: Vec::new(),
        }
    }

    pub(super) fn put(&mut self, x: i32, y: i32, part: Block) {
        self.parts.push((at(x, y), part));
    }

    /// An edge through `points`.
    pub(super) fn edge(&mut self, points: &[Point], arrow: bool) {
        // A point that the way before already reached would be a corner without an angle.
        let mut way: Vec<Point> = Vec::with_capacity(points.len());
        for point in points {
            if way.last() != Some(point) {
                way.push(*point);
            }
        }
        self.edges.push(Edge { points: way, arrow, dashed: false });
    }

    pub(super) fn rect(&mut self, rect: Rect, radius: i32, class: impl Into<String>) {
        self.inks.push(Ink::Rect { rect, radius, class: class.into() });
    }

    pub(super) fn circle(&mut self, centre: Point, radius: i32, class: impl Into<String>) {
        self.inks.push(Ink::Circle { centre, radius, class: class.into() });
    }

    pub(super) fn icon(&mut self, from: Point, size: i32, icon: Icon, class: impl Into<String>) {
        self.inks.push(Ink::Icon { from, size, icon, class: class.into() });
    }

    pub(super) fn line(&mut self, from: Point, to: Point, class: impl Into<String>) {
        self.inks.push(Ink::Line { from, to, class: class.into() });
    }

    pub(super) fn text(&mut self, from: Point, font: Font, class: &'static str, text: impl Into<String>) {
        self.inks.push(Ink::Text { from, font, class, centred: false, text: text.into() });
    }

    pub(super) fn centred(&mut self, middle: Point, font: Font, class: &'static str, text: impl Into<String>) {
        self.inks.push(Ink::Text { from: middle, font, class, centred: true, text: text.into() });
    }
}
