//! The operator's door to a running node: a Unix socket in its data folder, one JSON request and one JSON reply a line.
//! Whoever may write to the folder may administer the node.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hansa_economy::Amount;
use hansa_economy::channel::AccountId;
use hansa_economy::digest::hex;
use hansa_ledger::export::ExportFormat;
use hansa_ledger::statement::Period;
use hansa_ledger::{CheckReport, Ledger};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::agent::{AgentStatus, LogLine, Wanted, read_component};
use crate::ledger::{CREDITS, export_parts};
use crate::node::{Node, no_agent};
use crate::workflow::Order;

/// Name of the socket in the data folder.
pub const SOCKET: &str = "node.sock";

/// Receipts in which a shortened digest is looked for, the newest.
const RECEIPTS_SEARCHED: usize = 10_000;

/// What an operator asks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "ask")]
pub enum Ask {
    /// What is this node?
    Status,
    /// Deploy the agent in a folder.
    Deploy {
        /// The agent's folder.
        folder: PathBuf,
        /// Another manifest than `agent.toml` there.
        manifest: Option<PathBuf>,
        /// Another component than the usual one.
        component: Option<PathBuf>,
        /// How.
        #[serde(flatten)]
        wanted: Wanted,
    },
    /// Deploy a package of the catalogue.
    DeployPublished {
        /// For example `acme/translator@1`.
        package: String,
        /// How.
        #[serde(flatten)]
        wanted: Wanted,
    },
    /// Running agents.
    Agents,
    /// Stop an agent.
    Stop {
        /// Its name.
        name: String,
    },
    /// Last lines of an agent.
    Logs {
        /// Its name.
        name: String,
        /// How many.
        lines: usize,
        /// Only lines after this number.
        #[serde(default)]
        after: u64,
    },
    /// Issue new credits to an account; only on the node that keeps the ledger.
    Issue {
        /// The account.
        to: AccountId,
        /// How much.
        amount: Amount,
        /// Why, for the books.
        reference: String,
    },
    /// Bring everything earned and owed to the ledger.
    Settle {
        /// Also close the agents' channels, so that what is left of their deposits returns.
        close: bool,
    },
    /// Check the ledger; only on the node that keeps it.
    Check,
    /// What the models did, as OpenMetrics text.
    Metrics,
    /// Look for model packages anew, and lend what is there now.
    Relist,
    /// Sign where the ledger stands; only on the node that keeps it.
    Checkpoint,
    /// What happened to an account, newest first; only on the node that keeps the ledger.
    History {
        /// The account.
        account: AccountId,
        /// When.
        period: Period,
        /// The most lines.
        limit: usize,
    },
    /// The statement of an account; only on the node that keeps the ledger.
    Statement {
        /// The account.
        account: AccountId,
        /// When.
        period: Period,
    },
    /// The whole log for accounting tools; only on the node that keeps the ledger. Any number of [`Reply::Part`] and then
    /// [`Reply::Exported`]; see [`export`].
    Export {
        /// For which.
        format: ExportFormat,
    },
    /// Which of the node's receipts begin with these digits?
    Receipts {
        /// Digits of a digest.
        begins: String,
    },
    /// Something about workflows.
    Workflow {
        /// What.
        order: Order,
    },
    /// Stop the node.
    Shutdown,
}

/// What a node answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "reply")]
pub enum Reply {
    /// To [`Ask::Status`].
    Status(NodeStatus),
    /// An agent runs.
    Deployed {
        /// Its name.
        name: String,
    },
    /// To [`Ask::Agents`].
    Agents {
        /// One for each.
        agents: Vec<AgentStatus>,
    },
    /// To [`Ask::Logs`].
    Logs {
        /// Oldest first.
        lines: Vec<LogLine>,
    },
    /// To [`Ask::Check`].
    Check {
        /// What was found.
        report: serde_json::Value,
        /// The first problem, if there is one.
        problem: Option<String>,
    },
    /// To [`Ask::Metrics`].
    Metrics {
        /// OpenMetrics text.
        text: String,
    },
    /// To [`Ask::Relist`].
    Relisted {
        /// The manifests' SHA-256 of what is lent now, in hexadecimal digits.
        lent: Vec<String>,
        /// Folders that are not lent, and why.
        refused: Vec<String>,
    },
    /// To [`Ask::Checkpoint`].
    Checkpoint {
        /// The signed statement's bytes, in hexadecimal digits.
        statement: String,
    },
    /// To [`Ask::History`] and [`Ask::Statement`].
    Account {
        /// For people.
        text: String,
        /// For programs.
        value: serde_json::Value,
    },
    /// To [`Ask::Receipts`]: digests, the newest first.
    Receipts {
        /// They.
        digests: Vec<hansa_economy::Digest>,
    },
    /// To [`Ask::Workflow`].
    Workflow {
        /// What it holds depends on the order.
        value: serde_json::Value,
    },
    /// Whole lines of an export; more follow.
    Part {
        /// The lines.
        text: String,
    },
    /// The export is whole.
    Exported {
        /// What it holds.
        report: serde_json::Value,
    },
    /// Done.
    Done,
    /// Not done, and why.
    Refused {
        /// In words that say what to do.
        message: String,
    },
}

/// What a node is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct NodeStatus {
    /// Name.
    pub name: String,
    /// Key.
    pub node: String,
    /// Operator's account.
    pub account: String,
    /// Bus.
    pub bus: String,
    /// Ledger id.
    pub ledger: String,
    /// Does it keep the ledger?
    pub keeps_ledger: bool,
    /// Can it run models? The library, or why not.
    pub inference: String,
    /// Models and where they stand.
    pub models: Vec<String>,
    /// Folders of models that are not lent, and why.
    #[serde(default)]
    pub refused: Vec<String>,
}

/// Why an operator's request was not carried to the node.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// No node there.
    #[error("HA0017: no node runs in {} ({error}); start one with `hansa up` or `hansa node --config FILE`", folder.display())]
    Nobody {
        /// The data folder.
        folder: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The conversation broke.
    #[error("the node ended the conversation: {0}")]
    Broken(String),
    /// A part of an export could not be written.
    #[error("cannot write the export: {0}")]
    Part(std::io::Error),
    /// The node's word.
    #[error("{0}")]
    Refused(String),
}

/// Ask the node whose data folder this is.
pub async fn ask(folder: &Path, ask: &Ask) -> Result<Reply, AdminError> {
    let (mut replies, _write) = send(folder, ask).await?;
    next_reply(&mut replies).await
}

/// Export the ledger of the node whose data folder this is: give its parts, in order, to `take`; then what was exported. Without
/// this last word, what was taken is not whole.
pub async fn export(
    folder: &Path,
    format: ExportFormat,
    mut take: impl FnMut(&str) -> std::io::Result<()>,
) -> Result<serde_json::Value, AdminError> {
    let (mut replies, _write) = send(folder, &Ask::Export { format }).await?;
    loop {
        match next_reply(&mut replies).await? {
            Reply::Part { text } => take(&text).map_err(AdminError::Part)?,
            Reply::Exported { report } => return Ok(report),
            _ => return Err(AdminError::Broken("another answer than asked for".into())),
        }
    }
}

type Replies = Lines<BufReader<OwnedReadHalf>>;

/// Send a request. The conversation goes on as long as its two halves are kept.
async fn send(folder: &Path, ask: &Ask) -> Result<(Replies, OwnedWriteHalf), AdminError> {
    let stream = UnixStream::connect(folder.join(SOCKET))
        .await
        .map_err(|error| AdminError::Nobody { folder: folder.to_owned(), error })?;
    let (read, mut write) = stream.into_split();
    let mut line = serde_json::to_vec(ask).expect("a request is plain data");
    line.push(b'\n');
    write.write_all(&line).await.map_err(|error| AdminError::Broken(error.to_string()))?;
    Ok((BufReader::new(read).lines(), write))
}

async fn next_reply(replies: &mut Replies) -> Result<Reply, AdminError> {
    let reply = replies.next_line().await.map_err(|error| AdminError::Broken(error.to_string()))?;
    let reply = reply.ok_or_else(|| AdminError::Broken("no answer; look at the node's log".into()))?;
    match serde_json::from_str(&reply).map_err(|error| AdminError::Broken(error.to_string()))? {
        Reply::Refused { message } => Err(AdminError::Refused(message)),
        reply => Ok(reply),
    }
}

/// Serve `node` until it is told to shut down; then return.
pub async fn serve(node: &Arc<Node>) -> std::io::Result<()> {
    let path = node.data().join(SOCKET);
    drop(std::fs::remove_file(&path));
    let listener = UnixListener::bind(&path)?;
    let (stop, mut stopped) = watch::channel(false);
    // Conversations end with this function: whoever leaves one open does not hold the node.
    let mut conversations = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            Some(_) = conversations.join_next() => {}
            connection = listener.accept() => {
                let (stream, _) = connection?;
                conversations.spawn(converse(node.clone(), stream, stop.clone()));
            }
        }
    }
    drop(std::fs::remove_file(&path));
    Ok(())
}

async fn converse(node: Arc<Node>, stream: UnixStream, stop: watch::Sender<bool>) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let (reply, last) = match serde_json::from_str(&line) {
            Ok(Ask::Shutdown) => (Reply::Done, true),
            Ok(Ask::Export { format }) => match send_export(&node, format, &mut write).await {
                Ok(reply) => (reply, false),
                Err(_) => return,
            },
            Ok(ask) => (answer(&node, ask).await.unwrap_or_else(|message| Reply::Refused { message }), false),
            Err(error) => (Reply::Refused { message: format!("not a request: {error}") }, false),
        };
        if say(&mut write, &reply).await.is_err() {
            return;
        }
        if last {
            // Nobody listens only if the node is stopping already.
            let _ = stop.send(true);
            return;
        }
    }
}

async fn say(write: &mut OwnedWriteHalf, reply: &Reply) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(reply).expect("a reply is plain data");
    line.push(b'\n');
    write.write_all(&line).await
}

/// Say the parts of an export as they are made; the last word is for the caller to say. If the asker is gone, the export ends.
async fn send_export(node: &Node, format: ExportFormat, write: &mut OwnedWriteHalf) -> std::io::Result<Reply> {
    let ledger = match kept(node) {
        Ok(ledger) => ledger,
        Err(message) => return Ok(Reply::Refused { message }),
    };
    let (mut parts, done) = export_parts(ledger, format);
    while let Some(text) = parts.recv().await {
        say(write, &Reply::Part { text }).await?;
    }
    let report = match done.await {
        Ok(Ok(report)) => serde_json::to_value(&report).map_err(|error| error.to_string()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    Ok(report.map_or_else(|message| Reply::Refused { message }, |report| Reply::Exported { report }))
}

async fn answer(node: &Node, ask: Ask) -> Result<Reply, String> {
    match ask {
        Ask::Metrics => Ok(Reply::Metrics { text: crate::metrics::open_metrics(node.inference()) }),
        Ask::Relist => {
            node.relist_models().await;
            let lent = node.inference().models().iter().map(|model| hex(&model.manifest)).collect();
            Ok(Reply::Relisted { lent, refused: refused(&node.inference().status()) })
        }
        Ask::Status => Ok(Reply::Status(status(node))),
        Ask::Deploy { folder, manifest, component, wanted } => deploy(node, folder, manifest, component, wanted).await,
        Ask::DeployPublished { package, wanted } => {
            let name = node.deploy_published(&package, wanted).await.map_err(|error| error.to_string())?;
            Ok(Reply::Deployed { name })
        }
        Ask::Agents => {
            let mut agents = Vec::new();
            for agent in node.agents().await.values() {
                agents.push(agent.status().await);
            }
            Ok(Reply::Agents { agents })
        }
        Ask::Stop { name } => node.stop_agent(&name).await.map(|()| Reply::Done).map_err(|error| error.to_string()),
        Ask::Logs { name, lines, after } => {
            let agents = node.agents().await;
            let agent = agents.get(&name).ok_or_else(|| no_agent(&name, &agents))?;
            Ok(Reply::Logs { lines: agent.logs(lines, after) })
        }
        Ask::Issue { to, amount, reference } => {
            let issued = node.ledger_port().issue(CREDITS, to, amount, &reference, node.operator_key()).await;
            issued.map(|()| Reply::Done).map_err(|error| error.to_string())
        }
        Ask::Settle { close } => {
            node.settle().await;
            if close {
                node.close_channels().await;
            }
            Ok(Reply::Done)
        }
        Ask::Check => check(node).await,
        Ask::Checkpoint => {
            let checkpoint = kept(node)?.checkpoint(node.operator_key()).map_err(|error| error.to_string())?;
            Ok(Reply::Checkpoint { statement: hex(checkpoint.bytes()) })
        }
        Ask::History { account, period, limit } => of_account(node, move |ledger| ledger.history(account, period, limit)).await,
        Ask::Statement { account, period } => of_account(node, move |ledger| ledger.statement(account, period)).await,
        Ask::Receipts { begins } => {
            let receipts = node.exchange().books().receipts(RECEIPTS_SEARCHED).map_err(|error| error.to_string())?;
            let digests = receipts.iter().map(|bytes| hansa_economy::Digest::of(bytes));
            Ok(Reply::Receipts { digests: digests.filter(|digest| digest.to_string().starts_with(&begins)).collect() })
        }
        Ask::Workflow { order } => {
            let engine =
                node.engine().ok_or("this node runs no workflows; set `run = true` under `[workflow]` in its node.toml")?;
            engine.order(order).await.map(|value| Reply::Workflow { value })
        }
        // `converse` handles these, as they are more than a question and an answer.
        Ask::Export { .. } | Ask::Shutdown => Ok(Reply::Done),
    }
}

async fn deploy(
    node: &Node,
    folder: PathBuf,
    manifest: Option<PathBuf>,
    component: Option<PathBuf>,
    wanted: Wanted,
) -> Result<Reply, String> {
    let path = manifest.unwrap_or_else(|| folder.join("agent.toml"));
    let manifest = std::fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let component = read_component(&folder, component.as_deref()).map_err(|error| error.to_string())?;
    let name = node.deploy_as(&manifest, component, wanted).await.map_err(|error| error.to_string())?;
    Ok(Reply::Deployed { name })
}

/// The ledger, if this node keeps it.
fn kept(node: &Node) -> Result<Ledger, String> {
    node.ledger().cloned().ok_or_else(|| "this node does not keep the ledger; ask the one that does".to_owned())
}

/// Replays take their time: on a thread of their own.
async fn of_account<T, E>(node: &Node, find: impl FnOnce(&Ledger) -> Result<T, E> + Send + 'static) -> Result<Reply, String>
where
    T: Serialize + std::fmt::Display + Send + 'static,
    E: std::fmt::Display + Send + 'static,
{
    let ledger = kept(node)?;
    let found = tokio::task::spawn_blocking(move || find(&ledger)).await.map_err(|error| error.to_string())?;
    let found = found.map_err(|error| error.to_string())?;
    let value = serde_json::to_value(&found).map_err(|error| error.to_string())?;
    Ok(Reply::Account { text: found.to_string(), value })
}

async fn check(node: &Node) -> Result<Reply, String> {
    let ledger = kept(node)?;
    let report: CheckReport = tokio::task::spawn_blocking(move || ledger.check())
        .await
        .map_err(|error| error.to_string())?
        .map_err(|error| error.to_string())?;
    let value = serde_json::to_value(&report).map_err(|error| error.to_string())?;
    Ok(Reply::Check { report: value, problem: report.problem })
}

fn status(node: &Node) -> NodeStatus {
    let inference = node.inference().status();
    let infos = node.inference().models();
    let models = infos.iter().filter_map(|info| Some(model_text(info, of_name(&inference, info)?))).collect();
    let refused = refused(&inference);
    NodeStatus {
        name: node.name().to_owned(),
        node: node.key().to_string(),
        account: node.operator().to_string(),
        bus: node.bus_url(),
        ledger: node.ledger_port().link().id().to_string(),
        keeps_ledger: node.ledger().is_some(),
        inference: match inference.engine {
            hansa_inference::EngineStatus::Ready { version, .. } => version,
            hansa_inference::EngineStatus::Unavailable { reason } => reason,
        },
        models,
        refused,
    }
}

fn refused(status: &hansa_inference::Status) -> Vec<String> {
    let reason = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    status.refused.iter().map(|package| format!("{}: {}", package.folder.display(), reason(&package.reason))).collect()
}

fn of_name<'a>(
    status: &'a hansa_inference::Status,
    info: &hansa_inference::ModelInfo,
) -> Option<&'a hansa_inference::ModelStatus> {
    status.models.iter().find(|model| model.name == info.name)
}

/// `minilm: ready on CPUExecutionProvider, 100 % of its nodes`
fn model_text(info: &hansa_inference::ModelInfo, model: &hansa_inference::ModelStatus) -> String {
    use hansa_inference::ModelState as S;
    let state = match (&model.state, &info.provider) {
        (S::Ready, Some(on)) => format!("ready on {}, {:.0} % of its nodes", on.name, on.share * 100.0),
        (S::Ready | S::Loading, _) => "loading".into(),
        (S::Listed, _) => "listed; its first request loads it".into(),
        (S::Failed(why), _) => format!("refused: {why}"),
    };
    format!("{}: {state}", info.name)
}
