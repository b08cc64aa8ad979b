//! Beginning and showing runs.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use hansa_economy::Amount;
use hansa_node::ambient;
use hansa_node::workflow::{Order, Start, Summary};
use hansa_workflow::Workflow;
use hansa_workflow::report::{self, Report};
use hansa_workflow::run::{Change, Ending};
use serde_json::Value;

use super::super::output::{json, line, note, table};
use super::super::{Context, Failure};
use super::inputs::{self, Given};
use super::{by, journal, order, text, watch};

/// Letters of why a run stands as it does, in a list.
const WHY_LETTERS: usize = 60;

pub(super) async fn start(
    context: &Context,
    file: &str,
    given: &Given,
    (labels, budget): (&[String], Option<Amount>),
    (stay, unchecked): (bool, bool),
) -> Result<ExitCode, Failure> {
    let text = file_of(context, file).await?;
    let workflow = Workflow::read(&text).map_err(|problems| super::before::told(file, &problems))?;
    let input = given.read(&workflow)?;
    if !unchecked {
        super::before::must_be_right(context, file, &text).await?;
        super::before::must_suffice(context, &text, &input, budget).await?;
    }
    let start = Start { input, labels: pairs(labels)?, budget, by: by(), file: text };
    let value = order(context, Order::Start(Box::new(start))).await?;
    begun(context, &value);
    match stay {
        true => watch::watch(context, super::text(&value, "run").to_owned()).await,
        false => Ok(ExitCode::SUCCESS),
    }
}

/// A file, or what is deployed under a name.
async fn file_of(context: &Context, file: &str) -> Result<String, Failure> {
    if Path::new(file).exists() || file.ends_with(".yaml") || file.ends_with(".yml") {
        return inputs::file(Path::new(file));
    }
    order(context, Order::File { name: file.to_owned() }).await.map(|value| text(&value, "file").to_owned())
}

/// A run has begun.
pub(super) fn begun(context: &Context, value: &Value) {
    match context.json {
        true => json(value),
        false => line(text(value, "run")),
    }
}

/// `NAME=TEXT` each.
pub(super) fn pairs(labels: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let pair = |label: &String| match label.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("`{label}` is no label; write `NAME=TEXT`, as `customer=acme`")),
    };
    labels.iter().map(pair).collect()
}

/// Runs of a workflow, or of all of them, that have all of these labels; those that began last first.
pub(super) async fn found(context: &Context, workflow: Option<&str>, labels: &[String]) -> Result<Vec<Summary>, Failure> {
    let labels = pairs(labels)?;
    let value = order(context, Order::List).await?;
    let mut runs: Vec<Summary> = serde_json::from_value(value).map_err(|error| error.to_string())?;
    runs.retain(|run| workflow.is_none_or(|name| run.workflow == *name));
    runs.retain(|run| labels.iter().all(|(name, value)| run.labels.get(name) == Some(value)));
    Ok(runs)
}

pub(super) async fn list(
    context: &Context,
    workflow: Option<String>,
    going: bool,
    labels: &[String],
    limit: usize,
) -> Result<(), Failure> {
    let mut runs = found(context, workflow.as_deref(), labels).await?;
    runs.retain(|run| !(going && run.state.is_over()));
    let count = runs.len();
    runs.truncate(limit);
    if context.json {
        json(&runs);
        return Ok(());
    }
    if runs.is_empty() {
        note("no runs; `hansa workflow start FILE` begins one");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = runs.iter().map(row).collect();
    table(&["RUN", "VERSION", "STATE", "BEGAN (UTC)", "SPENT", "BUDGET", "LABELS", "WHY"], &rows);
    if count > runs.len() {
        note(format!("{} more; `--limit {count}` shows all", count - runs.len()));
    }
    Ok(())
}

fn row(run: &Summary) -> Vec<String> {
    let labels: Vec<String> = run.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let why = run.why.as_deref().unwrap_or_default();
    let mut short: String = why.chars().take(WHY_LETTERS).collect();
    if short.len() < why.len() {
        short.push('…');
    }
    vec![
        run.run.clone(),
        run.version.clone(),
        run.state.name().to_owned(),
        clock(run.started_ms),
        run.spent.to_string(),
        run.budget.to_string(),
        labels.join(" "),
        short,
    ]
}

/// `2026-11-24 13:37:00`, UTC.
pub(super) fn clock(unix_ms: u64) -> String {
    report::moment(unix_ms)
}

pub(super) async fn show(context: &Context, run: String, tree: bool, costs: bool) -> Result<(), Failure> {
    let (summary, entries, _) = journal(context, &run, 0).await?;
    let mut report = Report::new(&summary.run);
    entries.iter().for_each(|entry| report.add(entry));
    if context.json {
        match costs {
            true => json(&report.costs),
            false => json(&report),
        }
        return Ok(());
    }
    if tree {
        line(with_receipts(context, &report).await?.trim_end());
    } else if costs {
        line(report::costs(&report).trim_end());
    } else {
        line(report::timeline(&report, ambient::now_ms()).trim_end());
        line(report::costs(&report).trim_end());
    }
    Ok(())
}

/// What the run gave.
pub(super) async fn output(context: &Context, run: String) -> Result<(), Failure> {
    let (summary, entries, _) = journal(context, &run, 0).await?;
    let ended = entries.into_iter().flat_map(|entry| entry.changes).find_map(|change| match change {
        Change::Ended { how, output, .. } => Some((how, output)),
        _ => None,
    });
    match ended {
        Some((Ending::Completed, output)) => {
            json(&output);
            Ok(())
        }
        _ => Err(format!("`{}` is {} and has no output; `hansa workflow show` says why", summary.run, summary.state.name())),
    }
}

/// The steps within each other, and below each the receipts of what its seller bought, down to models.
async fn with_receipts(context: &Context, report: &Report) -> Result<String, Failure> {
    let client = context.client().await?;
    let mut below = BTreeMap::new();
    for receipt in report.steps.iter().filter_map(|step| step.receipt) {
        let branch = hansa_node::tree::fetch(&client, receipt).await.map_err(|error| error.to_string())?;
        // The first two lines say what the step's own line says already, unless nobody has the receipt.
        let lines = branch.lines();
        let known = if branch.receipt.is_some() { 2 } else { 0 };
        below.insert(receipt, lines.into_iter().skip(known).collect::<Vec<String>>());
    }
    Ok(report::tree_with(report, &mut |receipt| below.get(&receipt).cloned().unwrap_or_default()))
}
