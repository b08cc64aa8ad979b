//! `hansa workflow show --tree`: the steps within each other.

use hansa_economy::Digest;

use super::super::step::{Kind, Outcome, StepState};
use super::super::{Node, Report, Step};
use super::said::chose;
use super::words::counted;
use super::{Page, head};

/// The steps within each other, with what each cost.
pub fn tree(report: &Report) -> String {
    tree_with(report, &mut |_| Vec::new())
}

/// The same; below each step that has a receipt stand the lines that `provenance` has for it, whole.
pub fn tree_with(report: &Report, provenance: &mut dyn FnMut(Digest) -> Vec<String>) -> String {
    let mut page = Page::default();
    head(report, report.facts.last_ms, &mut page);
    nodes(&report.tree(), "", provenance, &mut page);
    page.0
}

fn nodes(nodes: &[Node<'_>], front: &str, provenance: &mut dyn FnMut(Digest) -> Vec<String>, page: &mut Page) {
    for (nth, node) in nodes.iter().enumerate() {
        let (elbow, bar) = if nth + 1 == nodes.len() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let words = node.step.map_or_else(Vec::new, described);
        let cost = (node.cost.0 > 0).then(|| node.cost.to_string());
        let all: Vec<String> = cost.into_iter().chain(words).collect();
        page.line(&format!("{front}{elbow}{}  {}", node.name, all.join(" · ")));
        let inner = format!("{front}{bar}");
        if let Some(receipt) = node.step.and_then(|step| step.receipt) {
            let bar = if node.children.is_empty() { "   " } else { "│  " };
            provenance(receipt).iter().for_each(|line| page.whole_line(&format!("{inner}{bar}{line}")));
        }
        self::nodes(&node.children, &inner, provenance, page);
    }
}

fn described(step: &Step) -> Vec<String> {
    let mut words = Vec::new();
    words.extend(kind(step));
    words.extend(state(step));
    let asked = step.attempts.iter().filter(|attempt| attempt.seller.is_some()).count() as u64;
    if asked > 1 {
        words.push(counted(asked, "attempt"));
    }
    if let Some(attempt) = step.attempts.last().filter(|attempt| attempt.outcome == Outcome::Answered)
        && let Some(seller) = attempt.seller
    {
        words.push(format!("by {} {}", seller.short(), attempt.package.as_deref().unwrap_or_default()));
    }
    words.extend(step.receipt.map(|receipt| format!("receipt {}", receipt.short())));
    words.extend(step.decided.as_ref().map(|decided| {
        let verb = if decided.approved { "approved" } else { "rejected" };
        format!("{verb} by {}", decided.by)
    }));
    words
}

/// What it is, where its name and its money do not say it.
fn kind(step: &Step) -> Option<String> {
    let failed = |items: super::super::Items| if items.failed > 0 { format!(", {} failed", items.failed) } else { String::new() };
    match step.kind? {
        Kind::Call => None,
        Kind::Map => Some(match step.items {
            Some(items) => format!("map of {}{}", counted(items.count.into(), "item"), failed(items)),
            None => "map".to_owned(),
        }),
        Kind::Parallel => Some("parallel".to_owned()),
        Kind::Switch => Some(step.chosen.map_or_else(|| "switch".to_owned(), chose)),
        Kind::Loop => Some(format!("loop, {}", counted(step.rounds.unwrap_or(0).into(), "round"))),
        Kind::Wait => Some("wait".to_owned()),
        Kind::Approve => Some("approve".to_owned()),
        Kind::Run => Some(format!("runs {}", step.runs.as_deref().unwrap_or("another workflow"))),
        Kind::Set => Some("set".to_owned()),
    }
}

fn state(step: &Step) -> Option<String> {
    let why = step.why.as_deref().unwrap_or_default();
    match step.state {
        StepState::Done => None,
        StepState::Running => Some("under way".to_owned()),
        StepState::Waiting => Some("waits".to_owned()),
        StepState::Paused => Some(format!("stands still: {why}")),
        StepState::Failed => Some(format!("failed: {why}")),
        StepState::Left => Some("left".to_owned()),
    }
}
