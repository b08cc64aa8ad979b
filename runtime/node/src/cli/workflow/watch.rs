//! Following a run as it goes on.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use hansa_node::ambient;
use hansa_workflow::report::{self, Report, State};

use super::super::output::{json, line};
use super::super::{Context, Failure};
use super::journal;

/// How often is looked for news.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Until it is over: on a terminal one screen that changes, elsewhere a line for each thing that happens; with `--json` the journal's entries.
pub(super) async fn watch(context: &Context, run: String) -> Result<ExitCode, Failure> {
    let (mut report, mut after, mut lines, mut shown) = (None::<Report>, 0, 0, 0);
    let on_screen = std::io::stdout().is_terminal() && !context.json;
    loop {
        let (summary, entries, position) = journal(context, &run, after).await?;
        after = position;
        let report = report.get_or_insert_with(|| Report::new(&summary.run));
        for entry in &entries {
            report.add(entry);
            if context.json {
                json(entry);
            }
        }
        if on_screen {
            lines = redraw(&report::live(report, ambient::now_ms()), lines);
        } else if !context.json && !entries.is_empty() {
            if shown == 0 {
                line(report::standing(report, ambient::now_ms()).trim_end());
            }
            let (news, count) = report::news(report, shown);
            news.lines().for_each(line);
            shown = count;
        }
        if summary.state.is_over() && report.facts.state.is_over() {
            return Ok(if report.facts.state == State::Completed { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Draw over what was drawn before; how many lines there are now.
fn redraw(text: &str, before: usize) -> usize {
    let mut out = std::io::stdout().lock();
    if before > 0 {
        let _ = write!(out, "\u{1b}[{before}A\u{1b}[J");
    }
    drop(out);
    let text = text.trim_end();
    line(text);
    text.lines().count()
}
