//! What a box says: an icon, a name, a line below it, its terms on chips, and what is noted about it.

use super::icon::Icon;
use super::measure::Font;
use super::palette::Accent;
use super::scene::{Block, Point, Role, at, rect};
use super::{Note, State};
use crate::limits::{DRAWN_BOX_WIDTH_MAX, DRAWN_CAPTION_WIDTH_MAX, DRAWN_CHIPS_MAX, DRAWN_ROWS_MAX};

/// From the left of a box to its texts.
const INDENT: i32 = 48;
/// At the right of texts.
const MARGIN: i32 = 14;
/// Boxes are so wide at least, and otherwise a multiple of this: boxes above each other look alike then.
const WIDTH_MIN: i32 = 200;
const WIDTH_STEP: i32 = 20;
const CHIP_HEIGHT: i32 = 19;
const ROW_HEIGHT: i32 = 20;
const NOTE_HEIGHT: i32 = 24;
/// For the mark of a state, at the right of the name.
const BADGE: i32 = 24;

/// What a chip is about, by its colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Term,
    Money,
    Fault,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Tone::Term => "term",
            Tone::Money => "money",
            Tone::Fault => "fault",
        }
    }
}

/// A term on a chip.
#[derive(Clone, Debug)]
pub(super) struct Chip {
    pub(super) icon: Icon,
    pub(super) tone: Tone,
    pub(super) text: String,
}

impl Chip {
    /// Draws it with `text`, which is its own or a cut of it.
    pub(super) fn draw(&self, block: &mut Block, from: Point, width: i32, text: &str) {
        let class = self.tone.class();
        block.rect(rect(from.x, from.y, width, CHIP_HEIGHT), 5, format!("chip {class}"));
        block.icon(at(from.x + 6, from.y + 4), 11, self.icon, format!("icon {class}"));
        block.text(at(from.x + 21, from.y + 14), Font::Chip, class, text);
    }
}

/// A row of a table: a name and what it has.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) value: String,
}

/// How a box is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A rectangle.
    Card,
    /// With round ends: something that takes its time.
    Round,
    /// With a second line at both sides: something that is a workflow itself.
    Lined,
    /// Beside another box, dashed.
    Side,
    /// Nothing around it: the head of a frame.
    Bare,
}

/// What a box says.
#[derive(Clone, Debug)]
pub(super) struct Face {
    pub(super) shape: Shape,
    pub(super) accent: Accent,
    pub(super) icon: Icon,
    pub(super) name: String,
    pub(super) line: String,
    /// The line stands in the file so.
    pub(super) code: bool,
    pub(super) chips: Vec<Chip>,
    pub(super) rows: Vec<Row>,
    pub(super) note: Note,
    /// What is said beyond all this to somebody who points at it.
    pub(super) tip: Vec<String>,
}

impl Face {
    pub(super) fn new(shape: Shape, accent: Accent, icon: Icon, name: impl Into<String>, line: impl Into<String>) -> Face {
        Face {
            shape,
            accent,
            icon,
            name: name.into(),
            line: line.into(),
            code: false,
            chips: Vec::new(),
            rows: Vec::new(),
            note: Note::default(),
            tip: Vec::new(),
        }
    }

    /// The box.
    pub(super) fn block(&self) -> Block {
        let chips = self.chip_widths();
        let width = self.width(&chips);
        let role = if self.shape == Shape::Bare { Role::Label } else { Role::Box };
        let mut block = Block::new(role, width, 0);
        let chip_rows = chip_rows(&chips, width - INDENT - MARGIN);
        let rows = self.rows.len().min(DRAWN_ROWS_MAX + 1);
        let chips_at = 48 - if self.line.is_empty() { 8 } else { 0 };
        let rows_at = chips_at + height(chip_rows.len(), CHIP_HEIGHT + 4);
        let note_at = rows_at + height(rows, ROW_HEIGHT) + 2;
        block.height = note_at + if self.note.line.is_empty() { 0 } else { NOTE_HEIGHT };
        self.outline(&mut block);
        self.title(&mut block);
        self.place_chips(&mut block, &chip_rows, chips_at);
        self.place_rows(&mut block, rows_at);
        self.place_note(&mut block, note_at);
        block.tip = self.tip();
        block
    }

    fn tip(&self) -> String {
        let rows = self.rows.iter().map(|row| format!("{}: {}", row.name, row.value));
        let first = [self.name.clone(), self.line.clone()].into_iter();
        let chips = self.chips.iter().map(|chip| chip.text.clone());
        let state = self.note.state.map(|state| format!("state: {}", state.class()));
        let all = first.chain(self.tip.iter().cloned()).chain(rows).chain(chips).chain([self.note.line.clone()]).chain(state);
        all.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    }

    fn line_font(&self) -> Font {
        if self.code { Font::Code } else { Font::Text }
    }

    /// The text of each chip that is shown, cut, with the width of its chip.
    fn chip_widths(&self) -> Vec<(Chip, i32)> {
        let sized = few(&self.chips).into_iter().map(|chip| {
            let text = Font::Chip.cut(&chip.text, DRAWN_BOX_WIDTH_MAX - INDENT - MARGIN - 27);
            let width = Font::Chip.width(&text) + 27;
            (Chip { text, ..chip }, width)
        });
        sized.collect()
    }

    fn width(&self, chips: &[(Chip, i32)]) -> i32 {
        let badge = if self.note.state.is_some() { BADGE } else { 0 };
        let name = Font::Name.width(&self.name) + badge;
        let line = self.line_font().width(&self.line);
        let chips: i32 = chips.iter().map(|(_, width)| width + 5).sum();
        let rows = self.name_column() + self.rows.iter().map(|row| Font::Code.width(&row.value)).max().unwrap_or(0);
        let note = Font::Code.width(&self.note.line);
        let widest = [name, line, chips - 5, rows, note].into_iter().max().unwrap_or(0);
        let wanted = (widest + INDENT + MARGIN).clamp(WIDTH_MIN, self.width_max());
        (wanted + WIDTH_STEP - 1) / WIDTH_STEP * WIDTH_STEP
    }

    fn width_max(&self) -> i32 {
        if self.shape == Shape::Bare { DRAWN_CAPTION_WIDTH_MAX } else { DRAWN_BOX_WIDTH_MAX }
    }

    fn outline(&self, block: &mut Block) {
        let state = self.note.state.map(State::class).unwrap_or_default();
        let whole = rect(0, 0, block.width, block.height);
        match self.shape {
            Shape::Card => block.rect(whole, 8, format!("card {state}").trim_end()),
            Shape::Round => block.rect(whole, 24, format!("card {state}").trim_end()),
            Shape::Side => block.rect(whole, 8, format!("side {state}").trim_end()),
            Shape::Lined => {
                block.rect(whole, 8, format!("card {state}").trim_end());
                for x in [4, block.width - 4] {
                    block.line(at(x, 8), at(x, block.height - 8), format!("mark {}", self.accent.class()));
                }
            }
            Shape::Bare => {}
        }
    }

    fn title(&self, block: &mut Block) {
        let room = block.width - INDENT - MARGIN;
        let accent = self.accent.class();
        block.rect(rect(11, 11, 28, 28), 7, format!("tile {accent}"));
        block.icon(at(17, 17), 16, self.icon, format!("icon {accent}"));
        let badge = if self.note.state.is_some() { BADGE } else { 0 };
        let middle = if self.line.is_empty() { 30 } else { 22 };
        block.text(at(INDENT, middle), Font::Name, "", Font::Name.cut(&self.name, room - badge));
        let font = self.line_font();
        if !self.line.is_empty() {
            block.text(at(INDENT, 38), font, "muted", font.cut(&self.line, room));
        }
        if let Some(state) = self.note.state {
            let x = block.width - MARGIN - 16;
            block.circle(at(x + 8, 18), 8, format!("badge {}", state.class()));
            block.icon(at(x + 1, 11), 14, glyph(state), "glyph");
        }
    }

    fn place_chips(&self, block: &mut Block, rows: &[Vec<(Chip, i32)>], from: i32) {
        let mut y = from;
        for row in rows {
            let mut x = INDENT;
            for (chip, width) in row {
                chip.draw(block, at(x, y), *width, &chip.text);
                x += width + 5;
            }
            y += CHIP_HEIGHT + 4;
        }
    }

    fn name_column(&self) -> i32 {
        let widest = self.rows.iter().map(|row| Font::Text.width(&row.name)).max().unwrap_or(0);
        if widest == 0 { 0 } else { widest.min(DRAWN_BOX_WIDTH_MAX / 3) + 14 }
    }

    fn place_rows(&self, block: &mut Block, from: i32) {
        let column = self.name_column();
        let room = block.width - INDENT - MARGIN - column;
        let mut y = from + 12;
        for row in self.rows.iter().take(DRAWN_ROWS_MAX) {
            block.text(at(INDENT, y), Font::Text, "", Font::Text.cut(&row.name, column - 14));
            block.text(at(INDENT + column, y), Font::Code, "muted", Font::Code.cut(&row.value, room));
            y += ROW_HEIGHT;
        }
        if let more @ 1.. = self.rows.len().saturating_sub(DRAWN_ROWS_MAX) {
            block.text(at(INDENT, y), Font::Text, "muted", format!("… {more} more"));
        }
    }

    fn place_note(&self, block: &mut Block, from: i32) {
        if self.note.line.is_empty() {
            return;
        }
        if self.shape != Shape::Bare {
            block.line(at(12, from - 1), at(block.width - 12, from - 1), "rule");
        }
        let room = block.width - INDENT - MARGIN;
        block.text(at(INDENT, from + 15), Font::Code, "", Font::Code.cut(&self.note.line, room));
    }
}

/// Those of `chips` that are shown, and how many are not.
pub(super) fn few(chips: &[Chip]) -> Vec<Chip> {
    let mut shown: Vec<Chip> = chips.iter().take(DRAWN_CHIPS_MAX).cloned().collect();
    if let more @ 1.. = chips.len() - shown.len() {
        shown.push(Chip { icon: Icon::Dots, tone: Tone::Term, text: format!("{more} more") });
    }
    shown
}

/// Of `count` rows of `each`, with a little room below them.
fn height(count: usize, each: i32) -> i32 {
    let rows = i32::try_from(count).unwrap_or(i32::MAX);
    if rows == 0 { 0 } else { rows.saturating_mul(each) + 4 }
}

/// Chips in rows of at most `width`.
fn chip_rows(chips: &[(Chip, i32)], width: i32) -> Vec<Vec<(Chip, i32)>> {
    let mut rows: Vec<Vec<(Chip, i32)>> = Vec::new();
    let mut used = width;
    for (chip, own) in chips {
        if used + 5 + own > width || rows.is_empty() {
            rows.push(Vec::new());
            used = -5;
        }
        used += 5 + own;
        if let Some(row) = rows.last_mut() {
            row.push((chip.clone(), *own));
        }
    }
    rows
}

/// States are told apart by more than their colour.
fn glyph(state: State) -> Icon {
    match state {
        State::Waiting => Icon::Dots,
        State::Running => Icon::Play,
        State::Done => Icon::Check,
        State::Failed => Icon::Cross,
        State::Skipped => Icon::Skip,
        State::Paused => Icon::Bars,
        State::Compensated => Icon::Back,
    }
}
