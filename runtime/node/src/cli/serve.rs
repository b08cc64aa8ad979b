//! `hansa up`, `hansa node`, `hansa status`, `hansa down`.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use hansa_node::admin::{self, Ask, Reply};
use hansa_node::{Node, NodeConfig};
use tokio::signal::unix::{SignalKind, signal};

use super::output::{json, line, note};
use super::{Context, Failure};

/// How long the last answers may take to go out before the node stops all the same.
const LAST_ANSWERS_MAX: Duration = Duration::from_secs(5);

/// Start a node with its own bus and ledger.
#[derive(Args)]
#[command(after_help = "Examples:\n  hansa up\n  hansa up --port 4333 --agent agents/reader --agent agents/filetype")]
pub(crate) struct Up {
    /// Port of the nats-server that it starts on the loopback interface.
    #[arg(long, default_value_t = 4222)]
    port: u16,
    /// Begin and steer runs of workflows by HTTP at this address, as 127.0.0.1:7070; the token for it is in `.hansa/node/http.token`.
    #[arg(long, value_name = "ADDRESS")]
    http: Option<SocketAddr>,
    /// Agents to deploy at once: their folders.
    #[arg(long = "agent", value_name = "FOLDER")]
    agents: Vec<PathBuf>,
}

/// Start a node as its `node.toml` says, or look at what it would find.
#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:\n  hansa node --config north/node.toml\n  hansa node doctor --config north/node.toml"
)]
pub(crate) struct Run {
    /// The node's configuration.
    #[arg(long, value_name = "FILE", required = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<NodeCommand>,
}

#[derive(Subcommand)]
enum NodeCommand {
    /// Say what the node needs, what of it is there, and what to do about the rest.
    Doctor(super::NodeFile),
}

pub(crate) async fn up(context: &Context, up: Up) -> Result<(), Failure> {
    let mut config = NodeConfig::for_one_machine("home", &context.node, Some(up.port));
    // Runs are paid from the same account as what is bought by hand.
    config.workflow.key = Some(context.home.join("account.key"));
    config.workflow.http = up.http;
    serve(context, config, &up.agents).await
}

pub(crate) async fn node(context: &Context, run: Run) -> Result<(), Failure> {
    if let Some(NodeCommand::Doctor(file)) = &run.command {
        return super::doctor::run(context, &file.load(context)?);
    }
    let file = run.config.as_deref().ok_or("`--config FILE` is missing; name the node's configuration")?;
    let config = NodeConfig::load(file).map_err(|error| error.to_string())?;
    serve(context, config, &[]).await
}

async fn serve(context: &Context, mut config: NodeConfig, agents: &[PathBuf]) -> Result<(), Failure> {
    start_log(context.json);
    config.host.compiler = std::env::current_exe().ok();
    let node = Arc::new(Node::start(config).await.map_err(|error| error.to_string())?);
    for folder in agents {
        let manifest = std::fs::read_to_string(folder.join("agent.toml"))
            .map_err(|error| format!("cannot read {}: {error}", folder.join("agent.toml").display()))?;
        let component = hansa_node::agent::read_component(folder, None).map_err(|error| error.to_string())?;
        node.deploy(&manifest, component).await.map_err(|error| error.to_string())?;
    }
    ready(context, &node).await;
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let served = tokio::select! {
        served = admin::serve(&node) => served.map_err(|error| format!("the node's socket failed: {error}")),
        _ = tokio::signal::ctrl_c() => Ok(()),
        _ = terminate.recv() => Ok(()),
    };
    note("stopping: withdrawing offers, waiting for calls, settling");
    stop(node).await;
    served
}

/// Stops the node as soon as nobody else holds it: a question that came last may still be on its way out.
async fn stop(mut node: Arc<Node>) {
    let until = Instant::now() + LAST_ANSWERS_MAX;
    loop {
        node = match Arc::try_unwrap(node) {
            Ok(node) => return node.stop().await,
            Err(node) => node,
        };
        if Instant::now() > until {
            tracing::warn!("a question to the node does not end; stopping without withdrawing offers");
            return node.settle().await;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn ready(context: &Context, node: &Node) {
    let names: Vec<String> = node.agents().await.keys().cloned().collect();
    if context.json {
        return json(&serde_json::json!({ "node": node.name(), "bus": node.bus_url(), "data": node.data(), "agents": names }));
    }
    line(format!("node {} is up · bus {} · data {}", node.name(), node.bus_url(), node.data().display()));
    match names.is_empty() {
        true => line("no agents yet; deploy one: hansa agent deploy FOLDER|PACKAGE (`hansa new NAME` begins one)"),
        false => line(format!("agents: {}", names.join(", "))),
    }
}

fn start_log(as_json: bool) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("HANSA_LOG").unwrap_or_else(|_| "warn,hansa=info".into());
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colour).with_target(false);
    let _ = if as_json { log.json().try_init() } else { log.try_init() };
}

pub(crate) async fn status(context: &Context) -> Result<(), Failure> {
    let Reply::Status(status) = context.ask(&Ask::Status).await? else {
        return Err("the node gave another answer than asked for".into());
    };
    if context.json {
        json(&status);
        return Ok(());
    }
    line(format!("node       {} ({})", status.name, status.node));
    line(format!("account    {}", status.account));
    line(format!("bus        {}", status.bus));
    line(format!("ledger     {}{}", status.ledger, if status.keeps_ledger { " (kept here)" } else { "" }));
    line(format!("inference  {}", status.inference));
    line(format!("models     {}", if status.models.is_empty() { "none".into() } else { status.models.join("\n           ") }));
    status.refused.iter().for_each(|refused| line(format!("not lent   {refused}")));
    Ok(())
}

pub(crate) async fn metrics(context: &Context) -> Result<(), Failure> {
    let Reply::Metrics { text } = context.ask(&Ask::Metrics).await? else {
        return Err("the node gave another answer than asked for".into());
    };
    match context.json {
        true => json(&serde_json::json!({ "openmetrics": text })),
        false => line(text.trim_end()),
    }
    Ok(())
}

pub(crate) async fn down(context: &Context) -> Result<(), Failure> {
    context.ask(&Ask::Shutdown).await?;
    note("the node is stopping");
    Ok(())
}
