//! Nodes as processes of their own, which can be killed without warning.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hansa_economy::Amount;
use hansa_economy::channel::AccountId;
use hansa_node::admin::{self, Ask, Reply};
use hansa_node::agent::Wanted;

use super::component;

/// A node as its own process.
pub struct Process {
    name: &'static str,
    folder: PathBuf,
    child: Option<Child>,
}

impl Process {
    /// A node without models.
    pub fn new(name: &'static str, folder: &Path, url: &str, keeps_ledger: bool) -> Process {
        Process::with(name, folder, url, keeps_ledger, "[inference]\nlibrary = \"none\"\nmodels = \"none\"\n")
    }

    /// A node with this `[inference]`.
    pub fn with(name: &'static str, folder: &Path, url: &str, keeps_ledger: bool, inference: &str) -> Process {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let grant = "[[grant]]\npackage = \"*\"\nbuys = [\"*\"]\ninference = [\"*\"]\n";
        let rest = format!("{inference}[host]\ninstances = 32\n");
        let text = format!("name = \"{name}\"\n[bus]\nurl = \"{url}\"\n[ledger]\nhost = {keeps_ledger}\n{rest}{grant}");
        std::fs::write(folder.join("node.toml"), text).unwrap();
        Process { name, folder, child: None }
    }

    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub async fn start(&mut self) {
        let log = File::options().create(true).append(true).open(self.folder.join("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_hansa"));
        command.arg("node").arg("--config").arg(self.folder.join("node.toml")).current_dir(&self.folder);
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.child = Some(command.spawn().unwrap());
        let deadline = Instant::now() + Duration::from_secs(20);
        while admin::ask(&self.data(), &Ask::Status).await.is_err() {
            let ended = self.child.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "{} did not start ({ended:?}):\n{}", self.name, self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// SIGKILL: no destructor, no last write.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub async fn shut_down(&mut self) {
        self.ask(Ask::Shutdown).await;
        let mut child = self.child.take().unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        while child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "{} does not stop:\n{}", self.name, self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn ask(&self, ask: Ask) -> Reply {
        match admin::ask(&self.data(), &ask).await {
            Ok(reply) => reply,
            Err(error) => panic!("{} on {ask:?}: {error}\n{}", self.name, self.log()),
        }
    }

    pub async fn deploy(&self, name: &str, manifest: &str) {
        self.deploy_component(name, manifest, component(&format!("fixture-{name}"))).await;
    }

    pub async fn deploy_component(&self, name: &str, manifest: &str, component: Vec<u8>) {
        let folder = self.folder.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("agent.toml"), manifest).unwrap();
        std::fs::write(folder.join("component.wasm"), component).unwrap();
        self.ask(Ask::Deploy { folder, manifest: None, component: None, wanted: Wanted::default() }).await;
    }

    pub async fn account_of(&self, agent: &str) -> AccountId {
        let Reply::Agents { agents } = self.ask(Ask::Agents).await else { panic!("not a list of agents") };
        agents.iter().find(|status| status.name == agent).unwrap().account.parse().unwrap()
    }

    pub async fn issue(&self, to: AccountId, amount: Amount) {
        self.ask(Ask::Issue { to, amount, reference: "for a test".into() }).await;
    }

    /// The ledger's replay finds no problem, and this supply.
    pub async fn check(&self, supply: Amount) {
        let Reply::Check { report, problem } = self.ask(Ask::Check).await else { panic!("not a report") };
        assert_eq!(problem, None);
        assert_eq!(report["assets"][0]["supply"], supply.to_string(), "{report}");
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Numbers by seed (xorshift64), so that a run can be repeated as far as timing allows.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}
