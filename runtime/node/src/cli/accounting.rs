//! What accountants and account holders ask of the ledger: exports, histories, statements.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use hansa_economy::channel::AccountId;
use hansa_ledger::Day;
use hansa_ledger::export::{ExportError, ExportFormat, export_folder};
use hansa_ledger::statement::{Period, history_folder, statement_folder};
use hansa_node::admin::{self, AdminError, Ask, Reply};
use hansa_node::counted;
use serde::Serialize;
use serde_json::Value;

use super::output::{json, line, note};
use super::{Context, Failure};

const EXPORT_HELP: &str = "\
Examples:
  hansa ledger export --format beancount --out books.beancount && bean-check books.beancount
  hansa ledger export --format hledger --folder .hansa/node/ledger | hledger -f - check --strict
  hansa ledger export --format csv --out movements.csv
  hansa ledger export --format jsonl | jq 'select(.kind == \"issue\")'

The node replays its whole log for it, about 40 µs of processor time for each signature in it.
docs/guides/accounting.md says what the accounts mean and how to import them.";

const HISTORY_HELP: &str = "\
Examples:
  hansa ledger history 5f01fea6be07defb781317df6bfae9f6
  hansa ledger history 5f01fea6be07defb781317df6bfae9f6 --since 2026-11-01 --until 2026-11-30 --limit 500
  hansa ledger history 5f01fea6be07defb781317df6bfae9f6 --folder .hansa/node/ledger --json

`hansa ledger balance` names your accounts.";

const STATEMENT_HELP: &str = "\
Examples:
  hansa ledger statement 5f01fea6be07defb781317df6bfae9f6 --month 2026-11
  hansa ledger statement 5f01fea6be07defb781317df6bfae9f6 --since 2026-01-01 --until 2026-03-31 --json

`hansa ledger balance` names your accounts.";

/// `hansa ledger export`.
#[derive(Args)]
#[command(after_help = EXPORT_HELP)]
pub(crate) struct Export {
    /// beancount, hledger, csv or jsonl.
    #[arg(long)]
    format: ExportFormat,
    /// The folder of a ledger that no process has open. Default: ask the node.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Where to write; there when it is whole, in place of an older one. Default: standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// `hansa ledger history`.
#[derive(Args)]
#[command(after_help = HISTORY_HELP)]
pub(crate) struct History {
    /// The account.
    account: AccountId,
    /// The first day, UTC, such as 2026-11-01. Default: from the beginning.
    #[arg(long, value_name = "DAY")]
    since: Option<Day>,
    /// The last day, UTC, wholly included. Default: until now.
    #[arg(long, value_name = "DAY")]
    until: Option<Day>,
    /// The most lines; the newest are shown.
    #[arg(long, default_value_t = 50, value_name = "LINES")]
    limit: usize,
    /// The folder of a ledger that no process has open. Default: ask the node.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

/// `hansa ledger statement`.
#[derive(Args)]
#[command(after_help = STATEMENT_HELP)]
pub(crate) struct Statement {
    /// The account.
    account: AccountId,
    /// A whole month, UTC, such as 2026-11.
    #[arg(long, value_name = "MONTH", required_unless_present_any = ["since", "until"], conflicts_with_all = ["since", "until"])]
    month: Option<String>,
    /// The first day, UTC, such as 2026-11-01. Default: from the beginning.
    #[arg(long, value_name = "DAY")]
    since: Option<Day>,
    /// The last day, UTC, wholly included. Default: until now.
    #[arg(long, value_name = "DAY")]
    until: Option<Day>,
    /// The folder of a ledger that no process has open. Default: ask the node.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

pub(crate) async fn history(context: &Context, history: History) -> Result<(), Failure> {
    let History { account, since, until, limit, folder } = history;
    let period = Period::days(since, until).map_err(|error| error.to_string())?;
    match folder {
        Some(folder) => show(context, &in_background(move || history_folder(&folder, account, period, limit)).await?),
        None => ask(context, &Ask::History { account, period, limit }).await,
    }
}

pub(crate) async fn statement(context: &Context, statement: Statement) -> Result<(), Failure> {
    let Statement { account, month, since, until, folder } = statement;
    let period = match month {
        Some(month) => Period::month(&month),
        None => Period::days(since, until),
    };
    let period = period.map_err(|error| error.to_string())?;
    match folder {
        Some(folder) => show(context, &in_background(move || statement_folder(&folder, account, period)).await?),
        None => ask(context, &Ask::Statement { account, period }).await,
    }
}

/// A replay takes its time; the runtime goes on meanwhile.
async fn in_background<T: Send + 'static, E: std::fmt::Display + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())?;
    done.map_err(|error| error.to_string())
}

fn show(context: &Context, found: &(impl Serialize + std::fmt::Display)) -> Result<(), Failure> {
    if context.json {
        json(found)
    } else {
        line(found.to_string())
    }
    Ok(())
}

async fn ask(context: &Context, ask: &Ask) -> Result<(), Failure> {
    match context.ask(ask).await? {
        Reply::Account { value, .. } if context.json => json(&value),
        Reply::Account { text, .. } => line(text),
        _ => return Err("the node gave another answer than asked for".into()),
    }
    Ok(())
}

pub(crate) async fn export(context: &Context, export: Export) -> Result<(), Failure> {
    let Export { format, folder, out } = export;
    let mut target = Target::open(out)?;
    let done = match folder {
        Some(folder) => {
            let (done, returned) = tokio::task::spawn_blocking(move || (from_folder(&folder, format, &mut target), target))
                .await
                .map_err(|error| error.to_string())?;
            target = returned;
            done
        }
        None => from_node(context, format, &mut target).await,
    };
    match done {
        Ok(report) => {
            if target.finish()? {
                report_file(context, &report);
            }
            Ok(())
        }
        Err(NotDone::PipeClosed) => Ok(()),
        Err(NotDone::Because(reason)) => {
            target.abandon();
            Err(reason)
        }
    }
}

/// Why an export ended early.
enum NotDone {
    /// Whoever read it has enough.
    PipeClosed,
    Because(Failure),
}

impl NotDone {
    fn writing(error: &io::Error) -> NotDone {
        match error.kind() {
            ErrorKind::BrokenPipe => NotDone::PipeClosed,
            _ => NotDone::Because(format!("cannot write the export: {error}; make room, or choose another `--out`")),
        }
    }
}

fn from_folder(folder: &Path, format: ExportFormat, target: &mut Target) -> Result<Value, NotDone> {
    let report = export_folder(folder, format, target).map_err(|error| match error {
        ExportError::Write(error) => NotDone::writing(&error),
        error => NotDone::Because(error.to_string()),
    })?;
    serde_json::to_value(&report).map_err(|error| NotDone::Because(error.to_string()))
}

async fn from_node(context: &Context, format: ExportFormat, target: &mut Target) -> Result<Value, NotDone> {
    let exported = admin::export(&context.node, format, |part| target.write_all(part.as_bytes())).await;
    exported.map_err(|error| match error {
        AdminError::Part(error) => NotDone::writing(&error),
        error => NotDone::Because(error.to_string()),
    })
}

/// What was written, for people beside it, for programs as the result.
fn report_file(context: &Context, report: &Value) {
    if context.json {
        return json(report);
    }
    let count = |name: &str, noun: &str| counted(report.get(name).and_then(Value::as_u64).unwrap_or_default(), noun);
    note(format!(
        "{} of {}, {}, {} asserted",
        count("movements", "movement"),
        count("entries", "entry"),
        count("accounts", "account"),
        count("assertions", "balance")
    ));
}

/// Where an export goes. A file gets its name when it is whole.
enum Target {
    Stdout(BufWriter<io::Stdout>),
    File { path: PathBuf, part: PathBuf, file: BufWriter<File> },
}

impl Target {
    fn open(out: Option<PathBuf>) -> Result<Target, Failure> {
        let Some(path) = out else { return Ok(Target::Stdout(BufWriter::new(io::stdout()))) };
        let mut part = path.clone().into_os_string();
        part.push(".part");
        let part = PathBuf::from(part);
        match File::create(&part) {
            Ok(file) => Ok(Target::File { path, part, file: BufWriter::new(file) }),
            Err(error) => Err(format!("cannot write `{}`: {error}; choose another `--out`", part.display())),
        }
    }

    /// Everything was written. Was it a file?
    fn finish(self) -> Result<bool, Failure> {
        match self {
            Target::Stdout(mut stdout) => match stdout.flush() {
                Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(format!("cannot write the export: {error}")),
                _ => Ok(false),
            },
            Target::File { path, part, file } => {
                let synced = file.into_inner().map_err(io::IntoInnerError::into_error).and_then(|file| file.sync_all());
                let named = synced.and_then(|()| std::fs::rename(&part, &path));
                named.map(|()| true).map_err(|error| format!("cannot finish `{}`: {error}", path.display()))
            }
        }
    }

    /// What was written is not to be used.
    fn abandon(self) {
        if let Target::File { part, .. } = self {
            drop(std::fs::remove_file(part));
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Target::Stdout(stdout) => stdout.write(bytes),
            Target::File { file, .. } => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Target::Stdout(stdout) => stdout.flush(),
            Target::File { file, .. } => file.flush(),
        }
    }
}
