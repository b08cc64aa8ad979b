//! Reports as text: plain lines of a bounded width, without colours. Every line goes through [`Page::line`], so that no stranger's word moves a cursor or makes a line of
//! its own.

mod costs;
mod live;
mod said;
mod timeline;
mod tree;
mod words;

pub use costs::costs;
pub use live::live;
pub use timeline::{news, standing, timeline};
pub use tree::{tree, tree_with};
pub use words::moment;

pub(super) use words::clock;

use super::{Facts, Report};
use crate::limits::{TEXT_COLUMNS_MAX, WORDS_LINES_MAX};
use crate::terminal::shown;
use words::{cut, span, width, wrapped};

/// Lines.
#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, text: &str) {
        self.0.push_str(cut(text, TEXT_COLUMNS_MAX).trim_end());
        self.0.push('\n');
    }

    /// Words behind `front`, in as many lines as they need, up to a bound.
    fn wrapped(&mut self, front: &str, words: &str) {
        let columns = width(front);
        for (nth, line) in wrapped(words, TEXT_COLUMNS_MAX.saturating_sub(columns), WORDS_LINES_MAX).iter().enumerate() {
            match nth {
                0 => self.line(&format!("{front}{line}")),
                _ => self.line(&format!("{}{line}", " ".repeat(columns))),
            }
        }
    }

    /// One that is shown whole.
    fn whole_line(&mut self, text: &str) {
        self.0.push_str(shown(text).trim_end());
        self.0.push('\n');
    }
}

/// What stands above: which run it is, where it stands, what it has spent.
fn head(report: &Report, now_ms: u64, page: &mut Page) {
    let Facts { run, workflow, version, state, budget, spent, set_aside, started_ms, ended_ms, .. } = &report.facts;
    let name = if workflow.is_empty() { String::new() } else { format!(" · {workflow} {version}") };
    let age = started_ms.map(|started_ms| span(ended_ms.unwrap_or(now_ms).saturating_sub(started_ms)));
    let age = match (age, ended_ms) {
        (None, _) => String::new(),
        (Some(age), Some(_)) => format!(" after {age}"),
        (Some(age), None) => format!(" · started {age} ago"),
    };
    page.line(&format!("{run}{name} · {state}{age}"));
    if let Some(why) = &report.facts.why {
        page.wrapped("since ", why);
    }
    if started_ms.is_none() {
        return;
    }
    let aside = if set_aside.0 > 0 { format!(", {set_aside} set aside for calls under way") } else { String::new() };
    page.line(&format!("{spent} of {budget} spent{aside}"));
}
