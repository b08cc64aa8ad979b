//! What stands around the steps: the workflow's name, its inputs and its output.

use super::face::{Chip, Face, Row, Shape, Tone, few};
use super::icon::Icon;
use super::layout::terminal;
use super::measure::Font;
use super::palette::Accent;
use super::scene::{Block, Role, at};
use super::{steps, words};
use crate::Workflow;
use crate::definition::{Input, Template};
use crate::limits::DRAWN_DESCRIPTION_LINES_MAX;

/// The name, the version, the description, and the terms of all calls; as wide as it needs, about `room` at most.
pub(super) fn title(workflow: &Workflow, room: i32) -> Block {
    let name = Font::Heading.cut(workflow.name.as_str(), 600);
    let mut title = Block::new(Role::Label, 0, 0);
    title.text(at(0, 20), Font::Heading, "", &*name);
    title.width = Font::Heading.width(&name);
    let mut y = 44;
    for line in Font::Text.wrap(&workflow.description, room.clamp(420, 720), DRAWN_DESCRIPTION_LINES_MAX) {
        title.width = title.width.max(Font::Text.width(&line));
        title.text(at(0, y), Font::Text, "muted", line);
        y += 18;
    }
    terms(workflow, &mut title, y - 6);
    title
}

/// In one row, or in several where they are many.
fn terms(workflow: &Workflow, title: &mut Block, from: i32) {
    let version = Chip { icon: Icon::Tag, tone: Tone::Term, text: format!("version {}", workflow.version) };
    let mut chips = vec![version, steps::money("budget", workflow.budget)];
    chips.extend(steps::terms(&workflow.terms));
    let (mut x, mut y) = (0, from);
    for chip in few(&chips) {
        let text = Font::Chip.cut(&chip.text, 300);
        let width = Font::Chip.width(&text) + 27;
        if x > 0 && x + width > title.width.max(420) {
            (x, y) = (0, y + 24);
        }
        chip.draw(title, at(x, y), width, &text);
        title.width = title.width.max(x + width);
        x += width + 6;
    }
    let said = [workflow.name.as_str(), &*workflow.description].into_iter().chain(chips.iter().map(|chip| &*chip.text));
    title.tip = steps::cut_tip(&said.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n"));
    title.height = y + 20;
    title.axis = title.width / 2;
}

/// What a run is given.
pub(super) fn inputs(workflow: &Workflow) -> Block {
    if workflow.inputs.is_empty() {
        return terminal("start", Icon::Inputs);
    }
    let mut face = Face::new(Shape::Card, Accent::Ends, Icon::Inputs, "inputs", "");
    face.rows = workflow.inputs.iter().map(input).collect();
    face.tip = workflow.inputs.iter().filter(|input| !input.description.is_empty()).map(described).collect();
    let mut block = face.block();
    block.tip = steps::cut_tip(&block.tip);
    block
}

fn input(input: &Input) -> Row {
    let default = input.default.as_ref().map(|value| format!(" = {value}")).unwrap_or_default();
    Row { name: input.name.clone(), value: format!("{}{default}", words::sort(input.sort)) }
}

fn described(input: &Input) -> String {
    format!("{}: {}", input.name, input.description)
}

/// What a run gives.
pub(super) fn output(workflow: &Workflow) -> Block {
    let Some(output) = &workflow.output else { return terminal("end", Icon::Output) };
    let mut face = Face::new(Shape::Card, Accent::Ends, Icon::Output, "output", "");
    match output {
        Template::Map(entries) if !entries.is_empty() => {
            let row = |(name, value): &(String, Template)| Row { name: name.clone(), value: words::template(value) };
            face.rows = entries.iter().map(row).collect();
        }
        value => (face.line, face.code) = (words::template(value), true),
    }
    let mut block = face.block();
    block.tip = steps::cut_tip(&block.tip);
    block
}
