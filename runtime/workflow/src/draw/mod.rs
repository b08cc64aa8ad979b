//! A workflow as a picture: one SVG that stands alone, looks right in light and in dark, and has the same bytes for the same workflow.

mod ends;
mod face;
mod icon;
mod layout;
mod measure;
mod paint;
mod palette;
mod scene;
mod steps;
mod words;
mod xml;

use std::collections::BTreeMap;

use crate::Workflow;
use scene::{Block, Role, at, rect};

/// Around everything.
const MARGIN: i32 = 28;
/// Between the title and the first box.
const BELOW_TITLE: i32 = 28;

/// What is to be said about steps beyond what the workflow's file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// By the id of the step; ids that the workflow does not have are left out of the drawing.
    pub steps: BTreeMap<String, Note>,
}

/// What is said about one step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// A line at the bottom of its box, such as a price or a chosen seller; empty for none.
    pub line: String,
    /// Where a run is with it; colours the box.
    pub state: Option<State>,
}

/// Where a run is with a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It has not begun.
    Waiting,
    /// It has begun.
    Running,
    /// It has its value.
    Done,
    /// It has failed.
    Failed,
    /// The run took another way.
    Skipped,
    /// It goes on when somebody lets it.
    Paused,
    /// It was undone.
    Compensated,
}

/// `workflow` as an SVG, with `notes` on its steps. Needs no font, script or file beside it.
pub fn svg(workflow: &Workflow, notes: &Notes) -> String {
    let drawing = scene(workflow, notes);
    // Half a pixel aside, lines of one pixel lie on pixels.
    let (width, height) = (drawing.width + 1, drawing.height + 1);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"hansa-workflow\" role=\"img\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"-0.5 -0.5 {width} {height}\">\n<title>{}</title>\n<desc>{}</desc>\n<style>\n{}</style>\n",
        xml::escape(&format!("{} {}", workflow.name, workflow.version)),
        xml::escape(&steps::cut_tip(&described(workflow))),
        palette::style_sheet(),
    );
    paint::block(&mut svg, &drawing, at(0, 0));
    svg.push_str("</svg>\n");
    svg
}

/// Everything in its place.
fn scene(workflow: &Workflow, notes: &Notes) -> Block {
    let mut blocks = vec![ends::inputs(workflow)];
    blocks.extend(steps::blocks(&workflow.steps, notes, 0));
    blocks.push(ends::output(workflow));
    let steps = layout::column(blocks);
    let title = ends::title(workflow, steps.width);
    let inner = steps.width.max(title.width);
    let top = MARGIN + title.height + BELOW_TITLE;
    let mut drawing = Block::new(Role::Group, inner + 2 * MARGIN, top + steps.height + MARGIN);
    drawing.rect(rect(0, 0, drawing.width, drawing.height), 14, "page");
    drawing.put(MARGIN, MARGIN, title);
    drawing.put(MARGIN + (inner - steps.width) / 2, top, steps);
    drawing
}

/// For people who do not see the drawing.
fn described(workflow: &Workflow) -> String {
    let inputs: Vec<&str> = workflow.inputs.iter().map(|input| input.name.as_str()).collect();
    let inputs = if inputs.is_empty() { "none".to_owned() } else { inputs.join(", ") };
    let steps: Vec<&str> = workflow.all_steps().iter().map(|step| step.id.as_str()).collect();
    let description = measure::one_line(&workflow.description);
    format!("{description} Inputs: {inputs}. Steps in order: {}.", steps.join(", ")).trim_start().to_owned()
}

#[cfg(test)]
mod tests;
