//! The economy of the story: a nats-server, two nodes as processes of their own, and the business.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use hansa_bus::{ManagedServer, ServerOptions};
use hansa_economy::Amount;
use hansa_node::admin::{self, Ask, Reply};
use hansa_node::agent::AgentStatus;
use hansa_node::{Client, tools};
use tokio::process::{Child, Command};

/// How long a node may take to come up.
const UP: Duration = Duration::from_secs(60);
/// What operators and the business start with, credits.
pub(crate) const CAPITAL: Amount = Amount::credits(10);

/// Everything that runs.
pub(crate) struct Economy {
    pub(crate) server: ManagedServer,
    pub(crate) south: NodeProcess,
    pub(crate) north: NodeProcess,
    pub(crate) business: Client,
    pub(crate) home: PathBuf,
}

/// A node in a process of its own.
pub(crate) struct NodeProcess {
    pub(crate) name: &'static str,
    folder: PathBuf,
    child: Mutex<Option<Child>>,
}

/// An agent to deploy: folder, another manifest, working capital.
struct Wanted {
    folder: &'static str,
    manifest: Option<&'static str>,
    fund: Option<Amount>,
}

const fn agent(folder: &'static str) -> Wanted {
    Wanted { folder, manifest: None, fund: None }
}

const NORTH: [Wanted; 2] = [agent("agents/embedder"), agent("agents/filetype")];
const SOUTH: [Wanted; 4] = [
    Wanted { folder: "agents/embedder", manifest: Some("samples/reading-room/south/embedder.toml"), fund: None },
    agent("agents/reader"),
    Wanted { folder: "agents/summariser", manifest: None, fund: Some(Amount::credits(1)) },
    Wanted { folder: "agents/librarian", manifest: None, fund: Some(Amount::credits(4)) },
];

/// Working capital of the agent called `name`.
pub(crate) fn lent_to(name: &str) -> Amount {
    let wanted = NORTH.iter().chain(&SOUTH).find(|agent| agent.folder.ends_with(name));
    wanted.and_then(|agent| agent.fund).unwrap_or_default()
}

/// What the operator of a node lent to its agents.
pub(crate) fn lent_on(node: &str) -> Amount {
    let agents = if node == "north" { NORTH.as_slice() } else { SOUTH.as_slice() };
    agents.iter().filter_map(|agent| agent.fund).fold(Amount::ZERO, Amount::saturating_add)
}

impl Economy {
    /// Start everything in `data`, which is emptied first. `say` is told what happens.
    pub(crate) async fn start(root: &Path, data: &Path, port: Option<u16>, say: impl Fn(&str)) -> Result<Economy> {
        empty(data)?;
        say("starting the nats-server");
        let binary = ManagedServer::find_binary(tools::nats_servers(None))?;
        let server = ManagedServer::start(ServerOptions {
            port,
            name: "reading-room".into(),
            ..ServerOptions::new(binary, data.join("bus"))
        })
        .await?;
        say("starting node south, which keeps the ledger");
        let south = NodeProcess::start(root, data, "south", &server.url()).await?;
        say("starting node north");
        let north = NodeProcess::start(root, data, "north", &server.url()).await?;
        say("funding the operators and the business");
        for node in [&south, &north] {
            let account = node.operator_account().await?;
            south.issue(&account, "working capital of an operator").await?;
        }
        let home = data.join("business");
        let business = Client::connect(&server.url(), &home).await?;
        south.issue(&business.account().to_string(), "balance of the business").await?;
        let economy = Economy { server, south, north, business, home };
        for (node, wanted) in [(&economy.north, NORTH.as_slice()), (&economy.south, SOUTH.as_slice())] {
            for agent in wanted {
                say(&format!("deploying {} on {}", agent.folder, node.name));
                node.deploy(root, agent).await?;
            }
        }
        Ok(economy)
    }

    /// Stop everything in order.
    pub(crate) async fn stop(self) {
        self.north.stop().await;
        self.south.stop().await;
        drop(self.business);
        self.server.shutdown().await;
    }
}

impl NodeProcess {
    async fn start(root: &Path, data: &Path, name: &'static str, bus: &str) -> Result<NodeProcess> {
        let folder = data.join(name);
        std::fs::create_dir_all(&folder)?;
        let template = root.join("samples/reading-room").join(name).join("node.toml");
        let text = std::fs::read_to_string(&template)
            .with_context(|| format!("cannot read {}; start this in the project's folder", template.display()))?;
        std::fs::write(folder.join("node.toml"), format!("{text}\n[bus]\nurl = \"{bus}\"\n"))?;
        let node = NodeProcess { name, folder, child: Mutex::new(None) };
        node.restart().await?;
        Ok(node)
    }

    /// Start the process (again) and wait until it answers.
    pub(crate) async fn restart(&self) -> Result<()> {
        let log = std::fs::File::options().create(true).append(true).open(self.folder.join("log"))?;
        let mut child = Command::new(program()?)
            .args(["node", "--config"])
            .arg(self.folder.join("node.toml"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let started = tokio::time::Instant::now();
        while self.ask(&Ask::Status).await.is_err() {
            if let Some(status) = child.try_wait()? {
                bail!("node {} ended ({status}): {}", self.name, self.log_tail());
            }
            if started.elapsed() > UP {
                bail!("node {} did not come up in {} s: {}", self.name, UP.as_secs(), self.log_tail());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        *self.child() = Some(child);
        Ok(())
    }

    fn log_tail(&self) -> String {
        let text = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(5)..].join("\n")
    }

    /// Kill it hard: no word to anybody, no last write.
    pub(crate) fn kill(&self) -> Result<()> {
        if let Some(child) = self.child().as_mut() {
            child.start_kill()?;
        }
        Ok(())
    }

    /// Ask it to stop, and wait.
    pub(crate) async fn stop(&self) {
        let asked = self.ask(&Ask::Shutdown).await;
        let child = self.child().take();
        if let (Some(mut child), Ok(_)) = (child, asked) {
            let _ = tokio::time::timeout(Duration::from_secs(20), child.wait()).await;
        }
    }

    fn child(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.child.lock().expect("no panic while the process is locked")
    }

    /// Ask over its socket.
    pub(crate) async fn ask(&self, ask: &Ask) -> Result<Reply> {
        admin::ask(&self.folder.join("data"), ask).await.map_err(|error| anyhow!("{error}"))
    }

    /// Its operator's account.
    pub(crate) async fn operator_account(&self) -> Result<String> {
        match self.ask(&Ask::Status).await? {
            Reply::Status(status) => Ok(status.account),
            _ => bail!("node {} gave another answer than asked for", self.name),
        }
    }

    /// Its agents.
    pub(crate) async fn agents(&self) -> Result<Vec<AgentStatus>> {
        match self.ask(&Ask::Agents).await? {
            Reply::Agents { agents } => Ok(agents),
            _ => bail!("node {} gave another answer than asked for", self.name),
        }
    }

    async fn issue(&self, account: &str, reference: &str) -> Result<()> {
        let ask = Ask::Issue { to: account.parse()?, amount: CAPITAL, reference: reference.into() };
        self.ask(&ask).await.map(drop)
    }

    async fn deploy(&self, root: &Path, wanted: &Wanted) -> Result<()> {
        let absolute = |path: &str| std::path::absolute(root.join(path));
        let manifest = wanted.manifest.map(absolute).transpose()?;
        let how = hansa_node::agent::Wanted { fund: wanted.fund, ..Default::default() };
        let ask = Ask::Deploy { folder: absolute(wanted.folder)?, manifest, component: None, wanted: how };
        self.ask(&ask).await.with_context(|| format!("cannot deploy {} on {}", wanted.folder, self.name)).map(drop)
    }
}

/// The program `hansa`, beside this one.
fn program() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.parent().ok_or_else(|| anyhow!("this program has no folder"))?;
    // A test's program lies one folder deeper.
    let places = [folder.join("hansa"), folder.join("../hansa")];
    places
        .into_iter()
        .find(|path| path.is_file())
        .ok_or_else(|| anyhow!("the program `hansa` is not beside {}; build it with `./justw build`", own.display()))
}

/// Empty a folder that an earlier story left. Anything else is left alone.
fn empty(data: &Path) -> Result<()> {
    let mark = data.join("reading-room");
    if data.exists() && !mark.exists() && std::fs::read_dir(data)?.next().is_some() {
        bail!("{} is not empty and no earlier story's; give another folder with --data", data.display());
    }
    if data.exists() {
        std::fs::remove_dir_all(data)?;
    }
    std::fs::create_dir_all(data)?;
    std::fs::write(mark, "made by hansa-reading-room; emptied at its next start\n")?;
    Ok(())
}
