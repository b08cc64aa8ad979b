//! The measuring process' hold on a measured one.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use hansa_economy::Amount;
use hansa_economy::channel::AccountId;
use hansa_node::admin::{self, Ask, Reply};
use hansa_node::agent::Wanted;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child as Process, ChildStdin, ChildStdout, Command};

use crate::parts::Parts;
use crate::protocol::{Answer, BUSINESS, Measured, Order, Road};

/// The longest that a measured process may think about an order, beyond the time that the order names.
const PATIENCE: Duration = Duration::from_secs(30);

/// A node in a process of its own. It ends with this value.
pub(crate) struct Child {
    process: Process,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    data: PathBuf,
}

impl Child {
    /// Start a node with its data in `folder`/`name`.
    pub(crate) async fn start(name: &str, folder: &Path, url: &str, ledger: bool) -> anyhow::Result<Child> {
        let plain = Command::new(std::env::current_exe()?);
        Child::spawn(plain, name, folder, url, ledger).await
    }

    /// The same, which runs the workflows of the business with this key.
    pub(crate) async fn of_business(name: &str, folder: &Path, url: &str, ledger: bool, key: &Path) -> anyhow::Result<Child> {
        let mut command = Command::new(std::env::current_exe()?);
        command.env(BUSINESS, key);
        Child::spawn(command, name, folder, url, ledger).await
    }

    async fn spawn(mut command: Command, name: &str, folder: &Path, url: &str, ledger: bool) -> anyhow::Result<Child> {
        let data = folder.join(name);
        command.args(["serve", "--name", name, "--url", url, "--data"]).arg(&data).args(ledger.then_some("--ledger"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        // wasmtime makes an error value at each drop of a store, which walks the stack where traces are switched on.
        command.env("RUST_LIB_BACKTRACE", "0");
        let mut process = command.spawn().context("cannot start a measured process")?;
        let orders = process.stdin.take().context("no standard input")?;
        let answers = BufReader::new(process.stdout.take().context("no standard output")?).lines();
        let mut child = Child { process, orders, answers, data };
        match child.answer(PATIENCE).await.with_context(|| format!("node `{name}` did not start"))? {
            Answer::Ready => Ok(child),
            other => bail!("node `{name}` did not start: {other:?}"),
        }
    }

    /// Its data folder.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// End it without warning.
    pub(crate) async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.process.kill().await?)
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> anyhow::Result<u32> {
        self.process.id().context("a measured process has ended")
    }

    /// Begin to answer plain and bus requests.
    pub(crate) async fn echo(&mut self) -> anyhow::Result<()> {
        self.order(&Order::Echo, PATIENCE).await.map(drop)
    }

    /// Measure the parts of a call.
    pub(crate) async fn parts(&mut self, component: &Path, bytes: usize) -> anyhow::Result<Parts> {
        match self.order(&Order::Parts { component: component.to_owned(), bytes }, PATIENCE).await? {
            Answer::Parts(parts) => Ok(parts),
            other => bail!("an answer to another order: {other:?}"),
        }
    }

    /// Make calls.
    pub(crate) async fn load(&mut self, road: &Road, in_flight: usize, bytes: usize, time: Duration) -> anyhow::Result<Measured> {
        let millis = u64::try_from(time.as_millis())?;
        let order = Order::Load { road: road.clone(), in_flight, bytes, millis };
        match self.order(&order, time + PATIENCE).await? {
            Answer::Loaded(measured) => Ok(measured),
            other => bail!("an answer to another order: {other:?}"),
        }
    }

    /// Deploy an agent and give its key.
    pub(crate) async fn deploy(
        &self,
        name: &str,
        manifest: &str,
        component: &Path,
        fund: Option<hansa_economy::Amount>,
    ) -> anyhow::Result<String> {
        let path = self.data.join(format!("{name}.toml"));
        std::fs::write(&path, manifest)?;
        let wanted = Wanted { fund, ..Wanted::default() };
        let deploy =
            Ask::Deploy { folder: self.data.clone(), manifest: Some(path), component: Some(component.to_owned()), wanted };
        admin::ask(&self.data, &deploy).await.with_context(|| format!("cannot deploy `{name}`"))?;
        let Reply::Agents { agents } = admin::ask(&self.data, &Ask::Agents).await? else {
            bail!("an answer to another question");
        };
        let found = agents.into_iter().find(|agent| agent.name == name);
        found.map(|agent| agent.agent).with_context(|| format!("`{name}` is not among the agents"))
    }

    /// Issue credits to the node's operator.
    pub(crate) async fn issue(&self, amount: Amount) -> anyhow::Result<()> {
        let Reply::Status(status) = admin::ask(&self.data, &Ask::Status).await? else {
            bail!("an answer to another question");
        };
        let to = status.account.parse().map_err(|_| anyhow::anyhow!("`{}` is no account", status.account))?;
        self.issue_to(to, amount).await
    }

    /// Issue credits to an account.
    pub(crate) async fn issue_to(&self, to: AccountId, amount: Amount) -> anyhow::Result<()> {
        admin::ask(&self.data, &Ask::Issue { to, amount, reference: "bench".into() }).await?;
        Ok(())
    }

    /// Let it end in order.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.tell(&Order::Stop).await?;
        tokio::time::timeout(PATIENCE, self.process.wait()).await.context("a measured process does not end")??;
        Ok(())
    }

    async fn order(&mut self, order: &Order, patience: Duration) -> anyhow::Result<Answer> {
        self.tell(order).await?;
        match self.answer(patience).await? {
            Answer::Failed { message } => bail!("{message}"),
            answer => Ok(answer),
        }
    }

    async fn tell(&mut self, order: &Order) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(order)?;
        line.push(b'\n');
        self.orders.write_all(&line).await.context("a measured process has ended")
    }

    async fn answer(&mut self, patience: Duration) -> anyhow::Result<Answer> {
        let line = tokio::time::timeout(patience, self.answers.next_line()).await.context("a measured process is silent")??;
        Ok(serde_json::from_str(&line.context("a measured process has ended; its last words stand above")?)?)
    }
}
