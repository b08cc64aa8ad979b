//! `hansa workflow …`: files are checked, priced and drawn; runs begin, are shown, and are steered.

mod before;
mod inputs;
mod runs;
mod statement;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use hansa_economy::Amount;
use hansa_node::admin::{Ask, Reply};
use hansa_node::workflow::{Order, Steer};
use hansa_workflow::run::Entry;
use serde_json::Value;

use super::output::{json, line, note, table};
use super::{Context, Failure};
use inputs::Given;

#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  hansa workflow check intake.yaml                               is the file right, and are there sellers for it?
  hansa workflow quote intake.yaml --input document=@bill.pdf    what would it cost now?
  hansa workflow draw intake.yaml --out intake.svg               the graph
  hansa workflow start intake.yaml --input document=@bill.pdf --label customer=acme --watch
  hansa workflow approve intake-1f2e3d4c5b --note 'seen by Kim'
  hansa workflow show intake-1f2e3d4c5b --tree")]
pub(crate) enum Command {
    /// Look for mistakes in a file, for services that nobody sells, and for budgets that cannot suffice. Nothing is bought.
    Check {
        /// The workflow's file.
        file: PathBuf,
    },
    /// What a run would cost now, step by step, with the offers that it would choose. Nothing is bought.
    Quote {
        /// The workflow's file.
        file: PathBuf,
        #[command(flatten)]
        given: Given,
    },
    /// Draw the graph as SVG.
    Draw {
        /// The workflow's file.
        file: PathBuf,
        /// Where to write. Default: standard output.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Begin a run. Its budget is set aside on the ledger first; what is left of it returns at the end.
    Start {
        /// The workflow's file, or the name of a deployed one, as `acme/intake`.
        file: String,
        #[command(flatten)]
        given: Given,
        /// A label of the run, as `customer=acme`; any number of them.
        #[arg(long = "label", value_name = "NAME=TEXT")]
        labels: Vec<String>,
        /// The most that it may cost, where that is less than the file's budget; credits.
        #[arg(long, value_name = "CREDITS")]
        budget: Option<Amount>,
        /// Stay and show how it goes on; the exit code is 0 where it completes.
        #[arg(long)]
        watch: bool,
        /// Begin although `check` finds something wrong, as where a seller is still to come.
        #[arg(long)]
        unchecked: bool,
    },
    /// All runs, those that began last first.
    List {
        /// Only runs of this workflow.
        #[arg(long, value_name = "NAME")]
        workflow: Option<String>,
        /// Only runs that are not over.
        #[arg(long)]
        going: bool,
        /// Only runs with this label, as `customer=acme`.
        #[arg(long = "label", value_name = "NAME=TEXT")]
        labels: Vec<String>,
        /// The most lines.
        #[arg(long, default_value_t = 50, value_name = "LINES")]
        limit: usize,
    },
    /// The paper trail of a run: what happened when, who was paid how much for what.
    Show {
        /// The run, or the beginning of its name.
        run: String,
        /// Its steps within each other, and the receipts below theirs, down to models.
        #[arg(long)]
        tree: bool,
        /// What it cost, by step, seller and label.
        #[arg(long)]
        costs: bool,
        /// What it gave, JSON and nothing else.
        #[arg(long)]
        output: bool,
    },
    /// What runs paid within a time: sums by workflow, seller or customer, or call by call for accountants.
    Statement(statement::Statement),
    /// Follow a run: where it is, what it has spent, what it waits for.
    Watch {
        /// The run.
        run: String,
    },
    /// Tell a run that something happened; a step that waits for it goes on.
    Signal {
        /// The run.
        run: String,
        /// The signal's name.
        name: String,
        /// What it brings, JSON.
        #[arg(default_value = "null")]
        payload: String,
    },
    /// Say yes to a step that asks for it, or no.
    Approve {
        /// The run.
        run: String,
        /// The step; it may be left out where only one asks.
        step: Option<String>,
        /// Say no.
        #[arg(long)]
        reject: bool,
        /// Why, for the paper trail.
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
    /// Buy nothing new until the run is resumed.
    Pause {
        /// The run.
        run: String,
        /// Why, for the paper trail.
        #[arg(long, default_value = "somebody wanted it", value_name = "TEXT")]
        why: String,
    },
    /// Go on: a run that was paused, or steps of it whose attempts are used up.
    Resume {
        /// The run.
        run: String,
    },
    /// End a run: what was done is undone, as the file says.
    Cancel {
        /// The run.
        run: String,
        /// Why, for the paper trail.
        #[arg(long, default_value = "somebody wanted it", value_name = "TEXT")]
        why: String,
        /// End it at once, and undo nothing.
        #[arg(long)]
        at_once: bool,
    },
    /// Begin a run that goes on from a step of one that is over; what came before that step is taken over and not paid again.
    Restart {
        /// The run that is over.
        run: String,
        /// The first step that is done anew: one of the outermost.
        #[arg(long, value_name = "STEP")]
        from: String,
    },
    /// Keep a file on the bus, for its schedules, for topics and for other workflows to start.
    Deploy {
        /// The workflow's file.
        file: PathBuf,
        /// Keep it although `check` finds something wrong, as where a seller is still to come.
        #[arg(long)]
        unchecked: bool,
    },
    /// What is deployed, and when it starts next.
    Deployed,
    /// Take a deployed workflow out; its runs go on.
    Remove {
        /// Its name, as `acme/intake`.
        name: String,
    },
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<ExitCode, Failure> {
    let done = match command {
        Command::Check { file } => return before::check(context, &file).await,
        Command::Quote { file, given } => before::quote(context, &file, &given).await,
        Command::Draw { file, out } => before::draw(&file, out.as_deref()),
        Command::Start { file, given, labels, budget, watch, unchecked } => {
            return runs::start(context, &file, &given, (&labels, budget), (watch, unchecked)).await;
        }
        Command::List { workflow, going, labels, limit } => runs::list(context, workflow, going, &labels, limit).await,
        Command::Show { run, output: true, .. } => runs::output(context, run).await,
        Command::Show { run, tree, costs, .. } => runs::show(context, run, tree, costs).await,
        Command::Statement(wanted) => statement::statement(context, wanted).await,
        Command::Watch { run } => return watch::watch(context, run).await,
        Command::Signal { run, name, payload } => signal(context, run, name, &payload).await,
        Command::Approve { run, step, reject, note } => approve(context, run, step, !reject, note).await,
        Command::Pause { run, why } => steer(context, Steer::Pause { run, why }, "it buys nothing new").await,
        Command::Resume { run } => steer(context, Steer::Resume { run, by: by() }, "it goes on").await,
        Command::Cancel { run, why, at_once } => {
            let done = if at_once { "it ends now" } else { "it ends, and what was done is undone" };
            steer(context, Steer::Cancel { run, by: by(), why, at_once }, done).await
        }
        Command::Restart { run, from } => restart(context, run, from).await,
        Command::Deploy { file, unchecked } => deploy(context, &file, unchecked).await,
        Command::Deployed => deployed(context).await,
        Command::Remove { name } => remove(context, name).await,
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// Ask the engine of the node.
async fn order(context: &Context, order: Order) -> Result<Value, Failure> {
    match context.ask(&Ask::Workflow { order }).await? {
        Reply::Workflow { value } => Ok(value),
        _ => Err("the node answered something else than asked for; is it of another version?".into()),
    }
}

/// Who gives this order, for the paper trail.
fn by() -> String {
    std::env::var("USER").ok().filter(|user| !user.is_empty()).unwrap_or_else(|| "the command line".to_owned())
}

async fn steer(context: &Context, steer: Steer, done: &str) -> Result<(), Failure> {
    let value = order(context, Order::Steer(steer)).await?;
    match context.json {
        true => json(&value),
        false => note(done),
    }
    Ok(())
}

async fn signal(context: &Context, run: String, name: String, payload: &str) -> Result<(), Failure> {
    let payload = serde_json::from_str(payload)
        .map_err(|error| format!("what the signal brings is no JSON: {error}; write texts as '\"text\"'"))?;
    steer(context, Steer::Signal { run, name, payload, by: by() }, "it was told").await
}

async fn approve(
    context: &Context,
    run: String,
    step: Option<String>,
    approved: bool,
    why: Option<String>,
) -> Result<(), Failure> {
    let value = order(context, Order::Steer(Steer::Decide { run, step, approved, by: by(), note: why })).await?;
    match context.json {
        true => json(&value),
        false => note(format!("`{}` is {}", text(&value, "step"), if approved { "approved" } else { "rejected" })),
    }
    Ok(())
}

async fn restart(context: &Context, run: String, step: String) -> Result<(), Failure> {
    let value = order(context, Order::Restart { run, step, by: by() }).await?;
    runs::begun(context, &value);
    Ok(())
}

async fn deploy(context: &Context, path: &std::path::Path, unchecked: bool) -> Result<(), Failure> {
    let file = inputs::file(path)?;
    if !unchecked {
        before::must_be_right(context, &path.display().to_string(), &file).await?;
    }
    let value = order(context, Order::Deploy { file }).await?;
    match context.json {
        true => json(&value),
        false => line(format!("{} {} is deployed", text(&value, "workflow"), text(&value, "version"))),
    }
    Ok(())
}

async fn remove(context: &Context, name: String) -> Result<(), Failure> {
    let done = format!("{name} is taken out; its runs go on");
    let value = order(context, Order::Remove { name }).await?;
    match context.json {
        true => json(&value),
        false => note(done),
    }
    Ok(())
}

async fn deployed(context: &Context) -> Result<(), Failure> {
    let value = order(context, Order::Deployed).await?;
    if context.json {
        json(&value);
        return Ok(());
    }
    let found = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let rows: Vec<Vec<String>> = found
        .iter()
        .map(|workflow| {
            let next = workflow.get("next-ms").and_then(Value::as_u64).map_or_else(|| "-".to_owned(), runs::clock);
            let topics = workflow.get("topics").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let topics: Vec<&str> = topics.iter().filter_map(Value::as_str).collect();
            let cells =
                [text(workflow, "workflow"), text(workflow, "version"), &next, &topics.join(" "), text(workflow, "description")];
            cells.map(str::to_owned).to_vec()
        })
        .collect();
    match rows.is_empty() {
        true => note("nothing is deployed; `hansa workflow deploy FILE` does that"),
        false => table(&["WORKFLOW", "VERSION", "NEXT START", "TOPICS", "DESCRIPTION"], &rows),
    }
    Ok(())
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A run's whole journal after a position.
async fn journal(context: &Context, run: &str, after: u64) -> Result<(hansa_node::workflow::Summary, Vec<Entry>, u64), Failure> {
    let (mut after, mut entries) = (after, Vec::new());
    loop {
        let value = order(context, Order::Journal { run: run.to_owned(), after }).await?;
        let part: hansa_node::workflow::JournalPart =
            serde_json::from_value(value).map_err(|error| format!("the run's journal cannot be read: {error}"))?;
        entries.extend(part.entries);
        after = part.position;
        if !part.more {
            return Ok((part.summary, entries, after));
        }
    }
}
