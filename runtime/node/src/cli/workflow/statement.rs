//! `hansa workflow statement`: what runs paid within a time, summed, or call by call for accountants.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use clap::Args;
use hansa_ledger::Day;
use hansa_ledger::export::ExportFormat;
use hansa_ledger::export::escape::{account_part, beancount_text, csv_cell, hledger_text};
use hansa_ledger::statement::Period;
use hansa_workflow::report::Report;
use hansa_workflow::statement::{By, Paid, Sum, paid, sums};
use serde_json::json;

use super::super::output::{self, note, table};
use super::super::{Context, Failure};
use super::{journal, runs};

const HELP: &str = "\
Examples:
  hansa workflow statement --month 2026-11 --by label:customer
  hansa workflow statement --month 2026-11 --label customer=acme --by workflow
  hansa workflow statement --month 2026-11 --format csv > november.csv
  hansa workflow statement --since 2026-11-01 --until 2026-11-15 --format beancount > runs.beancount && bean-check runs.beancount

Each paid call counts on the day on which it was answered. `hansa ledger statement` has the same money as the ledger saw it.";

/// Nanoseconds in a millisecond.
const NS_PER_MS: u64 = 1_000_000;
/// Where the money comes from in accounting files.
const ASSETS: &str = "Assets:Hansa:Business";
/// Its unit there.
const UNIT: &str = "CRED";

/// `hansa workflow statement`.
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct Statement {
    /// A whole month, UTC, such as 2026-11. Default: all the time there is.
    #[arg(long, value_name = "MONTH", conflicts_with_all = ["since", "until"])]
    month: Option<String>,
    /// The first day, UTC, such as 2026-11-01. Default: from the beginning.
    #[arg(long, value_name = "DAY")]
    since: Option<Day>,
    /// The last day, UTC, wholly included. Default: until now.
    #[arg(long, value_name = "DAY")]
    until: Option<Day>,
    /// Only runs of this workflow.
    #[arg(long, value_name = "NAME")]
    workflow: Option<String>,
    /// Only runs with this label, as `customer=acme`.
    #[arg(long = "label", value_name = "NAME=TEXT")]
    labels: Vec<String>,
    /// Sum by `workflow`, `run`, `step`, `seller`, `package`, or a label: `label:customer`.
    #[arg(long, default_value = "workflow", value_name = "WHAT")]
    by: By,
    /// Call by call: csv, jsonl, beancount or hledger.
    #[arg(long)]
    format: Option<ExportFormat>,
}

pub(super) async fn statement(context: &Context, wanted: Statement) -> Result<(), Failure> {
    let Statement { month, since, until, workflow, labels, by, format } = wanted;
    let period = match month {
        Some(month) => Period::month(&month),
        None => Period::days(since, until),
    };
    let period = period.map_err(|error| error.to_string())?;
    let lines = lines(context, period, workflow.as_deref(), &labels).await?;
    match (format, context.json) {
        (Some(format), _) => output::raw(&written(&lines, format)),
        (None, true) => output::json(&json!({ "sums": sums(&lines, &by), "lines": lines })),
        (None, false) => shown(&sums(&lines, &by)),
    }
    Ok(())
}

/// Every paid call of the period, in the order of time.
async fn lines(context: &Context, period: Period, workflow: Option<&str>, labels: &[String]) -> Result<Vec<Paid>, Failure> {
    let mut lines = Vec::new();
    for summary in runs::found(context, workflow, labels).await? {
        if !summary.spent.is_zero() || !summary.state.is_over() {
            let (summary, entries, _) = journal(context, &summary.run, 0).await?;
            let mut report = Report::new(&summary.run);
            entries.iter().for_each(|entry| report.add(entry));
            lines.extend(paid(&report, |at_ms| period.contains(at_ms.saturating_mul(NS_PER_MS))));
        }
    }
    lines.sort_by(|one, other| (one.at_ms, &one.run).cmp(&(other.at_ms, &other.run)));
    Ok(lines)
}

fn shown(sums: &[Sum]) {
    if sums.is_empty() {
        return note("no run paid for anything in that time");
    }
    let at_risk = sums.iter().any(|sum| !sum.at_risk.is_zero());
    let all = |of: fn(&Sum) -> hansa_economy::Amount| {
        sums.iter().map(of).fold(hansa_economy::Amount::ZERO, hansa_economy::Amount::saturating_add)
    };
    let mut rows: Vec<Vec<String>> = sums
        .iter()
        .map(|sum| {
            let cells = [sum.name.clone(), sum.runs.to_string(), sum.calls.to_string(), sum.charged.to_string()];
            cells.into_iter().chain(at_risk.then(|| sum.at_risk.to_string())).collect()
        })
        .collect();
    let calls: usize = sums.iter().map(|sum| sum.calls).sum();
    let total = ["total".to_owned(), String::new(), calls.to_string(), all(|sum| sum.charged).to_string()];
    rows.push(total.into_iter().chain(at_risk.then(|| all(|sum| sum.at_risk).to_string())).collect());
    let head = ["", "RUNS", "CALLS", "CHARGED", "AT RISK"];
    table(&head[..if at_risk { 5 } else { 4 }], &rows);
}

/// The lines as a file for accountants.
fn written(lines: &[Paid], format: ExportFormat) -> String {
    let mut text = String::new();
    let done = match format {
        ExportFormat::Csv => csv(lines, &mut text),
        ExportFormat::Jsonl => jsonl(lines, &mut text),
        ExportFormat::Beancount => beancount(lines, &mut text),
        ExportFormat::Hledger => hledger(lines, &mut text),
    };
    done.expect("writing to memory cannot fail");
    text
}

fn jsonl(lines: &[Paid], text: &mut String) -> fmt::Result {
    lines.iter().try_for_each(|paid| writeln!(text, "{}", json!(paid)))
}

/// RFC 4180 with LF at the end of lines. Columns are only ever added at the right.
fn csv(lines: &[Paid], text: &mut String) -> fmt::Result {
    writeln!(text, "time,run,workflow,version,step,place,seller,package,charged,at_risk,receipt,labels")?;
    for paid in lines {
        let labels: Vec<String> = paid.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cells = [
            time(paid),
            paid.run.clone(),
            paid.workflow.clone(),
            paid.version.clone(),
            paid.step.clone(),
            csv_cell(&paid.place),
            paid.seller.map(|seller| seller.to_string()).unwrap_or_default(),
            csv_cell(&paid.package),
            paid.charged.to_string(),
            paid.at_risk.to_string(),
            paid.receipt.map(|receipt| receipt.to_string()).unwrap_or_default(),
            csv_cell(&labels.join(" ")),
        ];
        writeln!(text, "{}", cells.join(","))?;
    }
    Ok(())
}

/// What a call is booked on: one account for each package, whatever its version.
fn expenses(paid: &Paid) -> String {
    let package = paid.package.split('@').next().unwrap_or_default();
    format!("Expenses:Agents:{}", account_part(package))
}

/// Each account of the lines.
fn accounts(lines: &[Paid]) -> BTreeSet<String> {
    lines.iter().map(expenses).chain([ASSETS.to_owned()]).collect()
}

fn beancount(lines: &[Paid], text: &mut String) -> fmt::Result {
    writeln!(text, ";; What runs of workflows paid. Made from their journals: do not edit, export again.")?;
    let Some(first) = lines.first().map(day) else { return Ok(()) };
    writeln!(text, "{first} commodity {UNIT}")?;
    for account in accounts(lines) {
        writeln!(text, "{first} open {account} {UNIT}")?;
    }
    for paid in lines {
        writeln!(text, "\n{} * {} {}", day(paid), beancount_text(&paid.workflow), beancount_text(&paid.place))?;
        writeln!(text, "  run: {}\n  time: \"{}\"", beancount_text(&paid.run), time(paid))?;
        writeln!(text, "  package: {}", beancount_text(&paid.package))?;
        if let Some(receipt) = paid.receipt {
            writeln!(text, "  receipt: \"{receipt}\"")?;
        }
        for (name, value) in &paid.labels {
            writeln!(text, "  label-{name}: {}", beancount_text(value))?;
        }
        postings(paid, "  ", text)?;
    }
    Ok(())
}

fn hledger(lines: &[Paid], text: &mut String) -> fmt::Result {
    writeln!(text, "; What runs of workflows paid. Made from their journals: do not edit, export again.")?;
    writeln!(text, "decimal-mark .\ncommodity 1000.000000 {UNIT}")?;
    for account in accounts(lines) {
        writeln!(text, "account {account}")?;
    }
    for paid in lines {
        writeln!(text, "\n{} * {} | {}", day(paid), hledger_text(&paid.workflow), hledger_text(&paid.place))?;
        writeln!(text, "    ; run:{}\n    ; time:{}", hledger_text(&paid.run), time(paid))?;
        writeln!(text, "    ; package:{}", hledger_text(&paid.package))?;
        if let Some(receipt) = paid.receipt {
            writeln!(text, "    ; receipt:{receipt}")?;
        }
        for (name, value) in &paid.labels {
            writeln!(text, "    ; label-{name}:{}", hledger_text(value))?;
        }
        postings(paid, "    ", text)?;
    }
    Ok(())
}

/// As both forms have them.
fn postings(paid: &Paid, indent: &str, text: &mut String) -> fmt::Result {
    let amount = paid.charged.saturating_add(paid.at_risk);
    writeln!(text, "{indent}{}  {amount} {UNIT}\n{indent}{ASSETS}  -{amount} {UNIT}", expenses(paid))
}

fn day(paid: &Paid) -> Day {
    Day::of(paid.at_ms.saturating_mul(NS_PER_MS))
}

/// `2026-11-24T13:37:00.005Z`.
fn time(paid: &Paid) -> String {
    hansa_ledger::moment(paid.at_ms.saturating_mul(NS_PER_MS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hansa_economy::{Amount, PublicKey};

    #[test]
    fn each_form_has_the_call_and_keeps_words_of_others_as_text() {
        let paid = Paid {
            at_ms: 1_796_000_000_123,
            run: "intake-1".into(),
            workflow: "acme/intake".into(),
            version: "1.0.0".into(),
            labels: [("customer".to_owned(), "=a \"b\"\n2026-01-01 open X".to_owned())].into(),
            step: "rows/read".into(),
            place: "rows#2/read".into(),
            seller: Some(PublicKey([7; 32])),
            package: "commons/reader@0.1.0".into(),
            charged: Amount(1_500),
            at_risk: Amount(500),
            receipt: None,
        };
        for (format, wanted) in [
            (ExportFormat::Csv, "2026-11-30T00:53:20.123000000Z,intake-1,acme/intake,1.0.0,rows/read,\"rows#2/read\","),
            (ExportFormat::Csv, ",\"commons/reader@0.1.0\",0.001500,0.000500,,\"customer==a \"\"b\"\"\n2026-01-01 open X\"\n"),
            (ExportFormat::Jsonl, "\"charged\":\"0.001500\""),
            (ExportFormat::Beancount, "2026-11-30 open Expenses:Agents:Commons-reader CRED\n"),
            (
                ExportFormat::Beancount,
                "  label-customer: \"=a \\\"b\\\"\\n2026-01-01 open X\"\n  Expenses:Agents:Commons-reader  0.002000 CRED\n",
            ),
            (ExportFormat::Hledger, "\n2026-11-30 * acme/intake | rows#2/read\n    ; run:intake-1\n"),
            (ExportFormat::Hledger, "    ; label-customer:%3Da %22b%22%0A2026-01-01 open X\n"),
        ] {
            let text = written(std::slice::from_ref(&paid), format);
            assert!(text.contains(wanted), "{format}: {text}");
        }
        assert_eq!(written(&[], ExportFormat::Beancount).lines().count(), 1);
    }
}
