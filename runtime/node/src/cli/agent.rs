//! `hansa agent …`: agents on the node.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use hansa_catalogue::version::Wish;
use hansa_economy::Amount;
use hansa_node::admin::{Ask, Reply};
use hansa_node::agent::{LogLine, Wanted};

use super::output::{json, line, table};
use super::{Context, Failure};

#[derive(Subcommand)]
#[command(
    after_help = "Examples:\n  hansa agent deploy agents/librarian --fund 2\n  hansa agent deploy acme/translator@1.2\n  hansa agent list\n  hansa agent logs librarian"
)]
pub(crate) enum Command {
    /// Check, start and offer an agent; a running one of the same package is replaced, and its key, account and state go on.
    Deploy {
        /// Its folder, with `agent.toml` and the component; or a published package, `publisher/name[@version]`.
        #[arg(value_name = "FOLDER|PACKAGE")]
        agent: String,
        /// Another manifest than `agent.toml` in the folder.
        #[arg(long, value_name = "FILE")]
        manifest: Option<PathBuf>,
        /// Another component than `component.wasm` in the folder or what cargo built.
        #[arg(long, value_name = "FILE")]
        component: Option<PathBuf>,
        /// Working capital from the operator's account, credits; an agent that buys needs some. Where that account is short and the
        /// ledger is this node's own, it is issued.
        #[arg(long, value_name = "CREDITS")]
        fund: Option<Amount>,
        /// What it is called on this node. Default: the package's name without its publisher.
        #[arg(long = "as", value_name = "NAME")]
        name: Option<String>,
    },
    /// Running agents.
    List,
    /// Withdraw an agent's offers, let its calls end, settle; its key, account and state stay.
    Stop {
        /// Its name, as `hansa agent list` shows it.
        name: String,
    },
    /// The last lines an agent wrote, and the last calls that it served and made.
    Logs {
        /// Its name.
        name: String,
        /// How many lines.
        #[arg(long, default_value_t = 50)]
        lines: usize,
    },
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Deploy { agent, manifest: None, component: None, fund, name } if is_package(&agent) => {
            let wanted = Wanted { name, fund };
            deployed(context, context.ask(&Ask::DeployPublished { package: agent, wanted }).await?)
        }
        Command::Deploy { agent, manifest, component, fund, name } => {
            let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
            let ask = Ask::Deploy {
                folder: absolute(agent.into()),
                manifest: manifest.map(absolute),
                component: component.map(absolute),
                wanted: Wanted { name, fund },
            };
            deployed(context, context.ask(&ask).await?)
        }
        Command::List => list(context, context.ask(&Ask::Agents).await?),
        Command::Stop { name } => {
            context.ask(&Ask::Stop { name: name.clone() }).await?;
            if context.json {
                json(&serde_json::json!({ "stopped": name }))
            } else {
                line(format!("stopped {name}"))
            }
            Ok(())
        }
        Command::Logs { name, lines } => logs(context, context.ask(&Ask::Logs { name, lines, after: 0 }).await?),
    }
}

/// `publisher/name[@version]`, where no folder of this name is here.
fn is_package(agent: &str) -> bool {
    agent.parse::<Wish>().is_ok() && !Path::new(agent).exists()
}

fn deployed(context: &Context, reply: Reply) -> Result<(), Failure> {
    let Reply::Deployed { name } = reply else {
        return Err("the node gave another answer than asked for".into());
    };
    if context.json {
        json(&serde_json::json!({ "deployed": name }))
    } else {
        line(format!("{name} runs and is on offer"))
    }
    Ok(())
}

fn list(context: &Context, reply: Reply) -> Result<(), Failure> {
    let Reply::Agents { agents } = reply else {
        return Err("the node gave another answer than asked for".into());
    };
    if context.json {
        json(&agents);
        return Ok(());
    }
    if agents.is_empty() {
        line("no agents; deploy one: hansa agent deploy FOLDER|PACKAGE (`hansa new NAME` begins one)");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = agents
        .into_iter()
        .map(|agent| {
            vec![agent.name, agent.package, agent.balance.unwrap_or_default(), agent.calls.to_string(), agent.sells.join(" ")]
        })
        .collect();
    table(&["AGENT", "PACKAGE", "BALANCE", "CALLS", "SELLS"], &rows);
    Ok(())
}

fn logs(context: &Context, reply: Reply) -> Result<(), Failure> {
    let Reply::Logs { lines } = reply else {
        return Err("the node gave another answer than asked for".into());
    };
    for entry in &lines {
        if context.json {
            json(entry);
        } else {
            line(log_line(entry));
        }
    }
    Ok(())
}

/// `12:34:56Z info  text`
pub(super) fn log_line(entry: &LogLine) -> String {
    format!("{} {:<5} {}", clock(entry.at_ms), entry.level, entry.text)
}

/// Time of day, UTC.
fn clock(at_ms: u64) -> String {
    let seconds = at_ms / 1000 % 86_400;
    format!("{:02}:{:02}:{:02}Z", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
