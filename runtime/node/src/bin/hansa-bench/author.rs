//! `hansa-bench author`: from an idea to the first paid call, typed as an author types it, and what comes after.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use hansa_economy::Amount;
use hansa_node::Client;
use hansa_node::admin::{Ask, Reply, ask};
use hansa_node::agent::Wanted;
use serde::Serialize;
use tokio::process::{Child, Command};

use crate::load::quantile_us;
use crate::report;

/// Deployments of what is compiled already.
const DEPLOYMENTS: usize = 15;
/// Calls of the agent in Python, after as many that are not counted.
const CALLS: usize = 400;
/// A change of the agent in Rust.
const CHANGE: &str = "\n/// Another constant.\npub const ANOTHER: u32 = 7;\n";
/// Another, that makes its component 3 MiB longer.
const LARGE: &str = "\n#[used]\nstatic TABLE: [u8; 3 << 20] = [7; 3 << 20];\n";
/// What the node prints when it can be used, and how long that may take.
const READY: &str = "is up";
const READY_MAX: Duration = Duration::from_secs(30);

/// What was measured, seconds where nothing else is said.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Hour {
    /// `hansa new`, `build`, `agent deploy`, `service call`: each command with its start and end.
    pub(crate) first_paid_call_s: f64,
    /// Of that, the build.
    pub(crate) first_build_s: f64,
    /// `hansa dev --once` after a change of the source.
    pub(crate) rebuild_s: f64,
    /// Components that were compiled before, deployed: MiB, and the median time in milliseconds.
    pub(crate) deployments: Vec<(f64, f64)>,
    /// A paid call of an agent in Python, from another process over the bus: the median, milliseconds.
    pub(crate) python_p50_ms: f64,
    /// 99 of 100 of the same.
    pub(crate) python_p99_ms: f64,
}

/// A folder, a node in it, and whoever types there.
struct Desk {
    folder: tempfile::TempDir,
    program: PathBuf,
    path: std::ffi::OsString,
    node: Option<Child>,
}

/// Measure and print.
pub(crate) async fn run(json: bool) -> anyhow::Result<()> {
    let mut desk = Desk::new()?;
    desk.up().await?;
    desk.hansa("", &["account", "fund", "10"]).await?;
    report::progress("an agent in Rust: new, build, deploy, call");
    let (first_paid_call_s, first_build_s) = desk.first_paid_call().await?;
    report::progress("a change, and `hansa dev --once`");
    let rebuild_s = desk.rebuild(CHANGE).await?;
    desk.rebuild(LARGE).await?;
    let large = desk.deployments("word-count").await?;
    report::progress("an agent in Python");
    desk.hansa("", &["new", "acme/letters", "--lang", "python"]).await?;
    desk.hansa("", &["build", "letters"]).await?;
    let deployments = vec![large, desk.deployments("letters").await?];
    let mut took = desk.python_calls().await?;
    took.sort_unstable();
    let (python_p50_ms, python_p99_ms) = (quantile_us(&took, 50) / 1000.0, quantile_us(&took, 99) / 1000.0);
    desk.down().await?;
    let hour = Hour { first_paid_call_s, first_build_s, rebuild_s, deployments, python_p50_ms, python_p99_ms };
    report::hour(&hour, json)
}

impl Desk {
    fn new() -> anyhow::Result<Desk> {
        let program = std::env::current_exe()?.with_file_name("hansa");
        ensure!(program.is_file(), "no {}; `./justw bench author` builds it", program.display());
        let here = std::env::current_dir()?;
        let tools = here.ancestors().map(|folder| folder.join(".tools/bin")).find(|folder| folder.is_dir());
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(tools.into_iter().chain(std::env::split_paths(&path)))?;
        Ok(Desk { folder: tempfile::tempdir()?, program, path, node: None })
    }

    fn command(&self, within: &str, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--home").arg(self.home()).args(args).current_dir(self.folder.path().join(within));
        command.env("PATH", &self.path).env_remove("CARGO_TARGET_DIR").stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    async fn hansa(&self, within: &str, args: &[&str]) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        let output = self.command(within, args).output().await?;
        let took = begun.elapsed();
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        ensure!(output.status.success(), "hansa {}: {}{}", args.join(" "), said(&output.stdout), said(&output.stderr));
        Ok(took)
    }

    async fn up(&mut self) -> anyhow::Result<()> {
        let log = self.folder.path().join("up.log");
        let output = std::fs::File::create(&log)?;
        let mut command = self.command("", &["up", "--port", "0"]);
        self.node = Some(command.stdout(output.try_clone()?).stderr(output).spawn()?);
        let until = Instant::now() + READY_MAX;
        while !std::fs::read_to_string(&log)?.contains(READY) {
            ensure!(Instant::now() < until, "the node does not start: {}", std::fs::read_to_string(&log)?);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    async fn down(&mut self) -> anyhow::Result<()> {
        self.hansa("", &["down"]).await?;
        if let Some(mut node) = self.node.take() {
            node.wait().await?;
        }
        Ok(())
    }

    async fn first_paid_call(&self) -> anyhow::Result<(f64, f64)> {
        let begun = Instant::now();
        self.hansa("", &["new", "acme/word-count"]).await?;
        let build = self.hansa("", &["build", "word-count"]).await?;
        self.hansa("", &["agent", "deploy", "word-count"]).await?;
        self.hansa("", &["service", "call", "acme:word-count/word-count", "count", "[\"one two\"]"]).await?;
        Ok((begun.elapsed().as_secs_f64(), build.as_secs_f64()))
    }

    /// With `change` at the end of the source.
    async fn rebuild(&self, change: &str) -> anyhow::Result<f64> {
        let source = self.folder.path().join("word-count/src/lib.rs");
        let changed = std::fs::read_to_string(&source)? + change;
        std::fs::write(&source, changed)?;
        Ok(self.hansa("", &["dev", "word-count", "--once"]).await?.as_secs_f64())
    }

    /// An agent deployed again and again: it has been compiled the first time.
    async fn deployments(&self, name: &str) -> anyhow::Result<(f64, f64)> {
        let folder = self.folder.path().join(name);
        let bytes = std::fs::metadata(folder.join("component.wasm"))?.len();
        let deploy = Ask::Deploy { folder, manifest: None, component: None, wanted: Wanted::default() };
        let mut took = Vec::new();
        for nth in 0..=DEPLOYMENTS {
            let begun = Instant::now();
            self.ask(&deploy).await?;
            // The first one compiles.
            if nth > 0 {
                took.push(u64::try_from(begun.elapsed().as_nanos())?);
                self.ask(&Ask::Stop { name: name.to_owned() }).await?;
            }
        }
        self.ask(&deploy).await?;
        took.sort_unstable();
        Ok((bytes as f64 / f64::from(1 << 20), quantile_us(&took, 50) / 1000.0))
    }

    async fn python_calls(&self) -> anyhow::Result<Vec<u64>> {
        let Reply::Status(status) = self.ask(&Ask::Status).await? else { bail!("the node does not tell its status") };
        let client = Client::connect(&status.bus, &self.home()).await?;
        let service = client.offers("letters").await;
        let service =
            service.first().map(|listed| listed.offer.service.clone()).context("the agent in Python is not on offer")?;
        let mut args = minicbor::Encoder::new(Vec::new());
        args.array(2)?.str("one two three one two one")?.u32(3)?;
        let args = args.into_writer();
        let mut took = Vec::new();
        for nth in 0..2 * CALLS {
            let begun = Instant::now();
            let called = client.call(&service, "count", args.clone(), Amount::credits(1), 10_000).await;
            called.map_err(|fault| anyhow::anyhow!("{fault}"))?;
            if nth >= CALLS {
                took.push(u64::try_from(begun.elapsed().as_nanos())?);
            }
        }
        client.close().await;
        Ok(took)
    }

    async fn ask(&self, question: &Ask) -> anyhow::Result<Reply> {
        Ok(ask(Path::new(&self.home().join("node")), question).await?)
    }
}
