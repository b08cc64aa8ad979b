//! `hansa dev`: build, deploy to the local node, again on every change; the agent's lines and its trade stream by.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use hansa_economy::Amount;
use hansa_node::admin::{Ask, Reply};
use hansa_node::agent::Wanted;
use hansa_workshop::Project;
use hansa_workshop::project::MANIFEST;
use hansa_workshop::watch::Watch;

use super::super::agent::log_line;
use super::super::output::{json, line, note};
use super::super::{Context, Failure};
use super::{built, open, say_built, shown};

/// How often the node is asked for new lines.
const LOOK: Duration = Duration::from_millis(250);
/// Lines asked for at a time.
const LINES: usize = 500;

/// Build an agent, run it on the local node, and again on every change; what it writes, sells and buys streams by. A build
/// that fails leaves the old version running.
#[derive(Args)]
#[command(after_help = "Examples:\n  hansa dev\n  hansa dev agents/librarian --fund 1")]
pub(crate) struct Dev {
    /// Folder of the agent, with its `agent.toml`.
    #[arg(default_value = ".", value_name = "FOLDER")]
    folder: PathBuf,
    /// Working capital from the operator's account at the start, credits; an agent that buys needs some.
    #[arg(long, value_name = "CREDITS")]
    fund: Option<Amount>,
    /// Build and deploy once, and end.
    #[arg(long)]
    once: bool,
}

pub(crate) async fn run(context: &Context, dev: &Dev) -> Result<(), Failure> {
    let project = open(&dev.folder)?;
    // No node is said before a long build, not after it.
    context.ask(&Ask::Status).await?;
    let watch = Watch::start(&project.folder).map_err(|error| error.to_string())?;
    let first = renewed(context, &project, dev.fund).await;
    if dev.once {
        return first.map(drop);
    }
    let mut name = match first {
        Ok(name) => Some(name),
        Err(error) => {
            note(format!("{error}\nwaiting for a change"));
            None
        }
    };
    let (mut seen, mut silent) = (0, false);
    loop {
        let changed = tokio::task::block_in_place(|| watch.next(LOOK));
        if let Some(name) = &name {
            match show(context, name, seen).await {
                Ok(last) => (seen, silent) = (last, false),
                Err(error) if !silent => {
                    note(format!("no lines of `{name}` for now: {error}"));
                    silent = true;
                }
                Err(_) => {}
            }
        }
        let Some(path) = changed else { continue };
        note(format!("{} changed", shown(&path)));
        match again(context, &project, dev).await {
            Ok(new) => (name, seen) = (Some(new), 0),
            Err(error) => note(format!("{error}\n{}", left(name.as_deref()))),
        }
    }
}

/// The project may have changed in all its parts, its manifest too.
async fn again(context: &Context, project: &Project, dev: &Dev) -> Result<String, Failure> {
    let project = open(&project.folder)?;
    // What was given at the start was given; a version that could not be deployed got nothing.
    renewed(context, &project, None).await.map_err(|error| match dev.fund {
        Some(_) if error.contains("fund") => format!("{error}; end `hansa dev` and begin it again"),
        _ => error,
    })
}

fn left(name: Option<&str>) -> String {
    match name {
        Some(name) => format!("the old version of `{name}` goes on; waiting for a change"),
        None => "waiting for a change".into(),
    }
}

async fn renewed(context: &Context, project: &Project, fund: Option<Amount>) -> Result<String, Failure> {
    let built = built(project).await?;
    say_built(&built);
    let begun = Instant::now();
    let ask = Ask::Deploy {
        folder: project.folder.clone(),
        manifest: Some(project.folder.join(MANIFEST)),
        component: Some(built.component),
        wanted: Wanted { fund, ..Wanted::default() },
    };
    let Reply::Deployed { name } = context.ask(&ask).await? else {
        return Err("the node gave another answer than asked for".into());
    };
    note(format!("`{name}` runs and is on offer, deployed in {:.1} s", begun.elapsed().as_secs_f64()));
    Ok(name)
}

/// Shows lines after number `seen`; gives the last number.
async fn show(context: &Context, name: &str, seen: u64) -> Result<u64, Failure> {
    let reply = context.ask(&Ask::Logs { name: name.to_owned(), lines: LINES, after: seen }).await?;
    let Reply::Logs { lines } = reply else {
        return Err("the node gave another answer than asked for".into());
    };
    for entry in &lines {
        match context.json {
            true => json(entry),
            false => line(log_line(entry)),
        }
    }
    Ok(lines.last().map_or(seen, |last| last.number))
}
