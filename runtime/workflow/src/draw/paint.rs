//! Blocks written down as SVG.

use std::fmt::Write;

use super::scene::{Block, Edge, Ink, Point, at};
use super::xml::escape;

/// Of corners of edges.
const RADIUS: i32 = 8;
/// Length of the head of an edge, and half its width.
const HEAD: (i32, i32) = (7, 4);

/// Writes `block`, whose upper left corner is at `from`, to `svg`.
pub(super) fn block(svg: &mut String, block: &Block, from: Point) {
    let group = block.step.is_some() || !block.tip.is_empty();
    if group {
        open(svg, block);
    }
    block.inks.iter().for_each(|ink| write_ink(svg, ink, from));
    block.edges.iter().for_each(|edge| write_edge(svg, edge, from));
    for (place, part) in &block.parts {
        self::block(svg, part, moved(*place, from));
    }
    if group {
        svg.push_str("</g>\n");
    }
}

fn open(svg: &mut String, block: &Block) {
    put(svg, format_args!("<g class=\"{}\"", block.role.class()));
    if let Some(step) = &block.step {
        put(svg, format_args!(" data-step=\"{}\"", escape(step)));
    }
    svg.push('>');
    if !block.tip.is_empty() {
        put(svg, format_args!("<title>{}</title>", escape(&block.tip)));
    }
    svg.push('\n');
}

/// Writing to a text cannot fail.
fn put(svg: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = svg.write_fmt(text);
}

fn moved(point: Point, by: Point) -> Point {
    at(point.x + by.x, point.y + by.y)
}

fn write_ink(svg: &mut String, ink: &Ink, by: Point) {
    match ink {
        Ink::Rect { rect, radius, class } => {
            let Point { x, y } = moved(at(rect.x, rect.y), by);
            let (width, height) = (rect.width, rect.height);
            put(
                svg,
                format_args!(
                    "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{radius}\"/>\n"
                ),
            );
        }
        Ink::Circle { centre, radius, class } => {
            let Point { x, y } = moved(*centre, by);
            put(svg, format_args!("<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"/>\n"));
        }
        Ink::Text { from, font, class, centred, text } => {
            let Point { x, y } = moved(*from, by);
            let font = font.style().0;
            let anchor = if *centred { " text-anchor=\"middle\"" } else { "" };
            let class = format!("{font} {class}");
            put(svg, format_args!("<text class=\"{}\" x=\"{x}\" y=\"{y}\"{anchor}>{}</text>\n", class.trim_end(), escape(text)));
        }
        Ink::Icon { from, size, icon, class } => {
            let Point { x, y } = moved(*from, by);
            let scale = if *size == 16 { String::new() } else { format!(" scale({}.{:04})", size / 16, size % 16 * 10_000 / 16) };
            let path = icon.path();
            put(svg, format_args!("<path class=\"{class}\" transform=\"translate({x} {y}){scale}\" d=\"{path}\"/>\n"));
        }
        Ink::Line { from, to, class } => {
            let (from, to) = (moved(*from, by), moved(*to, by));
            put(svg, format_args!("<path class=\"{class}\" d=\"M{} {}L{} {}\"/>\n", from.x, from.y, to.x, to.y));
        }
    }
}

fn write_edge(svg: &mut String, edge: &Edge, by: Point) {
    let mut points: Vec<Point> = edge.points.iter().map(|point| moved(*point, by)).collect();
    let [.., before, end] = points[..] else { return };
    let way = at((end.x - before.x).signum(), (end.y - before.y).signum());
    if edge.arrow {
        // The line ends within the head, so that its end does not show beside the tip.
        let last = points.len() - 1;
        points[last] = at(end.x - way.x * (HEAD.0 - 2), end.y - way.y * (HEAD.0 - 2));
    }
    let dashed = if edge.dashed { " dashed" } else { "" };
    put(svg, format_args!("<path class=\"edge{dashed}\" d=\"{}\"/>\n", rounded(&points)));
    if edge.arrow {
        let back = at(end.x - way.x * HEAD.0, end.y - way.y * HEAD.0);
        let (one, other) =
            (at(back.x - way.y * HEAD.1, back.y + way.x * HEAD.1), at(back.x + way.y * HEAD.1, back.y - way.x * HEAD.1));
        put(
            svg,
            format_args!("<path class=\"head\" d=\"M{} {}L{} {}L{} {}z\"/>\n", end.x, end.y, one.x, one.y, other.x, other.y),
        );
    }
}

/// The data of a path through `points` with round corners.
fn rounded(points: &[Point]) -> String {
    let mut path = format!("M{} {}", points[0].x, points[0].y);
    for corner in points.windows(3) {
        let [before, turn, after] = [corner[0], corner[1], corner[2]];
        let radius = RADIUS.min(length(before, turn) / 2).min(length(turn, after) / 2);
        let (enter, leave) = (towards(turn, before, radius), towards(turn, after, radius));
        put(&mut path, format_args!("L{} {}Q{} {} {} {}", enter.x, enter.y, turn.x, turn.y, leave.x, leave.y));
    }
    if let Some(end) = points.last() {
        put(&mut path, format_args!("L{} {}", end.x, end.y));
    }
    path
}

/// Of a line along one axis.
fn length(from: Point, to: Point) -> i32 {
    (to.x - from.x).abs() + (to.y - from.y).abs()
}

fn towards(from: Point, to: Point, far: i32) -> Point {
    at(from.x + (to.x - from.x).signum() * far, from.y + (to.y - from.y).signum() * far)
}
