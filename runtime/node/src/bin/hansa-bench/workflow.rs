//! `hansa-bench workflow`: what the engine adds to a paid call, a thousand runs at once, ten thousand items, and an engine that is killed.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use futures::{StreamExt, TryStreamExt};
use hansa_bus::ManagedServer;
use hansa_economy::Amount;
use hansa_economy::ledger::account_id;
use hansa_node::admin::{self, Ask, Reply};
use hansa_node::ambient::now_ms;
use hansa_node::keys;
use hansa_node::ledger::CREDITS;
use hansa_node::workflow::{JournalPart, Order, Start, State, Summary};
use hansa_workflow::run::{Change, Entry};
use serde::Serialize;
use serde_json::{Value, json};

use crate::child::Child;
use crate::goals::median;
use crate::protocol::Road;
use crate::{agents, process, report};

/// Rounds of plain calls and of runs, one after the other.
const ROUNDS: usize = 7;
/// Steps of the run whose steps are measured.
const STEPS: usize = 200;
/// Bytes of each call's argument.
const BYTES: usize = 64;
/// How long plain calls are made in each round.
const PLAIN: Duration = Duration::from_millis(500);
/// Runs at the same time.
const RUNS: usize = 1_000;
/// Starts that are asked for at the same time.
const STARTS: usize = 32;
/// Items of the large map.
const ITEMS: usize = 10_000;
/// Kills of an engine.
const KILLS: usize = 5;
/// Runs in the hands of the engine that is killed.
const RUNS_OF_KILLED: usize = 20;
/// The longest that anything here may take.
const PATIENCE: Duration = Duration::from_secs(240);
/// How often is looked whether something is over.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long a node rests before its memory is read.
const REST: Duration = Duration::from_secs(3);
/// What the business can spend.
const FUNDS: Amount = Amount::credits(10_000);

/// What was measured.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Works {
    /// A paid call from one node to the other without a workflow, median of the rounds' medians, milliseconds.
    pub(crate) plain_ms: f64,
    /// The same as a step of a run with a durable journal, median of the rounds' means.
    pub(crate) step_ms: f64,
    /// What the engine adds, median of the rounds.
    pub(crate) overhead_ms: f64,
    /// Runs of five steps that were in flight at the same time.
    pub(crate) runs: usize,
    /// Of these, runs that did not end as their file says.
    pub(crate) lost: usize,
    /// From the first start to the last, seconds.
    pub(crate) begun_s: f64,
    /// From the moment that they all waited for until the last one was over, seconds.
    pub(crate) ended_s: f64,
    /// Memory of the engine's node while all of them were in flight, over idle, MiB.
    pub(crate) runs_mib: f64,
    /// A run with so many mapped items.
    pub(crate) items: usize,
    /// How long it took, seconds.
    pub(crate) items_s: f64,
    /// Memory of the engine's node at most, over idle, MiB.
    pub(crate) items_mib: f64,
    /// From the kill of an engine until another one has each of its runs, seconds: each kill's slowest.
    pub(crate) taken_s: Vec<f64>,
}

/// Measure and print.
pub(crate) async fn run(json: bool) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = crate::call::serve(folder.path()).await?;
    let mut stage = Stage::set(folder.path(), &server).await?;
    let mut works = Works::default();
    report::progress("ten thousand items");
    stage.items(&mut works).await?;
    report::progress("steps of a run, and the same calls without one");
    stage.steps(&mut works).await?;
    report::progress("a thousand runs at once");
    stage.runs(&mut works).await?;
    report::progress("engines that are killed");
    stage.kills(&mut works).await?;
    stage.strike().await?;
    server.shutdown().await;
    report::works(&works, json)
}

/// A business with an engine, and a node that sells.
struct Stage {
    folder: PathBuf,
    url: String,
    key: PathBuf,
    /// Runs workflows, and keeps the ledger.
    office: Child,
    /// Sells.
    shop: Child,
    driver: Road,
}

impl Stage {
    async fn set(folder: &Path, server: &ManagedServer) -> anyhow::Result<Stage> {
        let (url, key) = (server.url(), folder.join("business.key"));
        let business = keys::load_or_make(&key)?.public();
        let office = Child::of_business("office", folder, &url, true, &key).await?;
        let shop = Child::start("shop", folder, &url, false).await?;
        office.issue_to(account_id(business, CREDITS, "main"), FUNDS).await?;
        office.issue(FUNDS).await?;
        let echo = shop.deploy("echo", &agents::echo("echo"), &agents::component("greeter")?, None).await?;
        let driver = agents::component("caller")?;
        let driver = office.deploy("driver", &agents::driver("driver", &echo), &driver, Some(Amount::credits(1_000))).await?;
        Ok(Stage { folder: folder.to_owned(), url, key, office, shop, driver: Road::Agent(driver) })
    }

    /// One step after the other, against the same calls without an engine.
    async fn steps(&mut self, works: &mut Works) -> anyhow::Result<()> {
        let file = chain(STEPS);
        let (mut plain, mut step) = (Vec::new(), Vec::new());
        for round in 0..=ROUNDS {
            let calls = self.office.load(&self.driver, 1, BYTES, PLAIN).await?;
            let run = start(self.office.data(), &file, json!({ "first": argument() })).await?;
            over(self.office.data(), |summary| summary.run == run).await?;
            let entries = journal(self.office.data(), &run).await?;
            let answered: Vec<u64> = entries.iter().filter(|entry| answers(entry)).map(|entry| entry.at_ms).collect();
            ensure!(answered.len() == STEPS, "{} of {STEPS} steps were answered", answered.len());
            // The first round opens channels and fills caches.
            if round > 0 {
                plain.push(calls.p50_us / 1000.0);
                step.push((answered[STEPS - 1] - answered[0]) as f64 / (STEPS - 1) as f64);
            }
        }
        works.overhead_ms = median(step.iter().zip(&plain).map(|(step, plain)| step - plain));
        (works.plain_ms, works.step_ms) = (median(plain.into_iter()), median(step.into_iter()));
        Ok(())
    }

    async fn items(&mut self, works: &mut Works) -> anyhow::Result<()> {
        let file = r#"
workflow: bench/items
version: 1.0.0
budget: "1"
inputs: { list: list, bytes: text }
steps:
  - id: items
    map: "${ .input.list }"
    concurrency: 16
    do: [{ id: echo, call: 'fixture:parts/greeter@0.1.0 echo-bytes', with: { bytes: "${ .input.bytes }" } }]
output: "${ .steps.items | length }"
"#;
        let idle = self.office_mib().await?;
        let begun = Instant::now();
        let run = start(self.office.data(), file, json!({ "list": (0..ITEMS).collect::<Vec<_>>(), "bytes": argument() })).await?;
        let (mut most, mut ended) = (idle, None);
        while ended.is_none() {
            ensure!(begun.elapsed() < PATIENCE, "the map does not end");
            most = most.max(process::resident_mib(self.office.pid()?)?.0);
            tokio::time::sleep(LOOK_EVERY).await;
            ended = list(self.office.data()).await?.into_iter().find(|summary| summary.run == run && summary.state.is_over());
        }
        works.items_s = begun.elapsed().as_secs_f64();
        ensure!(ended.is_some_and(|summary| summary.state == State::Completed), "the map did not complete");
        (works.items, works.items_mib) = (ITEMS, most - idle);
        Ok(())
    }

    /// All of them are in flight when the moment comes that they wait for.
    async fn runs(&mut self, works: &mut Works) -> anyhow::Result<()> {
        let idle = self.office_mib().await?;
        let gate = now_ms() + 30_000;
        let begun = Instant::now();
        let file = five("wait: { until: \"${ .input.gate }\" }");
        let data = self.office.data().to_owned();
        let at = moment(gate);
        let starts = futures::stream::iter(0..RUNS).map(|_| start(&data, &file, json!({ "first": argument(), "gate": at })));
        let runs: Vec<String> = starts.buffer_unordered(STARTS).try_collect().await?;
        works.begun_s = begun.elapsed().as_secs_f64();
        ensure!(now_ms() < gate, "it took {:.1} s to begin {RUNS} runs, so that not all were in flight at once", works.begun_s);
        tokio::time::sleep(Duration::from_millis(gate.saturating_sub(now_ms() + 500))).await;
        works.runs_mib = process::resident_mib(self.office.pid()?)?.0 - idle;
        let in_flight = list(&data).await?.into_iter().filter(|summary| !summary.state.is_over()).count();
        ensure!(in_flight >= RUNS, "only {in_flight} runs are in flight");
        let ended = over(&data, |summary| runs.contains(&summary.run)).await?;
        works.ended_s = (now_ms().saturating_sub(gate)) as f64 / 1000.0;
        works.runs = RUNS;
        works.lost = RUNS - ended.iter().filter(|summary| summary.state == State::Completed).count();
        Ok(())
    }

    async fn kills(&mut self, works: &mut Works) -> anyhow::Result<()> {
        let file = five("loop: { while: '${ .round < 300 }', max: 300, do: [{ id: tick, wait: { for: 100ms } }] }");
        for nth in 0..KILLS {
            let name = format!("victim-{nth}");
            let victim = Child::of_business(&name, &self.folder, &self.url, false, &self.key).await?;
            let mut runs = Vec::new();
            for _ in 0..RUNS_OF_KILLED {
                runs.push(start(victim.data(), &file, json!({ "first": argument(), "gate": "" })).await?);
            }
            tokio::time::sleep(Duration::from_millis(700 + 300 * nth as u64)).await;
            let killed_ms = now_ms();
            victim.kill().await?;
            let slowest = self.taken(&runs).await?.saturating_sub(killed_ms);
            works.taken_s.push(slowest as f64 / 1000.0);
            for run in runs {
                self.cancel(run).await?;
            }
        }
        works.taken_s.sort_by(f64::total_cmp);
        Ok(())
    }

    /// When the last of these runs was taken over, Unix milliseconds.
    async fn taken(&self, runs: &[String]) -> anyhow::Result<u64> {
        let begun = Instant::now();
        let mut last = 0;
        for run in runs {
            loop {
                let entries = journal(self.office.data(), run).await?;
                let taken =
                    entries.iter().find(|entry| entry.changes.iter().any(|change| matches!(change, Change::Taken { .. })));
                if let Some(taken) = taken {
                    last = last.max(taken.at_ms);
                    break;
                }
                ensure!(begun.elapsed() < PATIENCE, "`{run}` is not taken over");
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
        Ok(last)
    }

    async fn cancel(&self, run: String) -> anyhow::Result<()> {
        let why = "measured".to_owned();
        let steer = hansa_node::workflow::Steer::Cancel { run, by: "bench".to_owned(), why, at_once: true };
        order(self.office.data(), Order::Steer(steer)).await.map(drop)
    }

    /// Resident memory of the engine's node at rest.
    async fn office_mib(&self) -> anyhow::Result<f64> {
        tokio::time::sleep(REST).await;
        Ok(process::resident_mib(self.office.pid()?)?.0)
    }

    async fn strike(self) -> anyhow::Result<()> {
        self.shop.stop().await?;
        self.office.stop().await
    }
}

/// So many calls, each of the answer of the one before.
fn chain(steps: usize) -> String {
    let step = |nth: usize| {
        let before = if nth == 0 { ".input.first".to_owned() } else { format!(".steps.s{}", nth - 1) };
        format!("  - {{ id: s{nth}, call: 'fixture:parts/greeter@0.1.0 echo-bytes', with: {{ bytes: \"${{ {before} }}\" }} }}\n")
    };
    let steps: String = (0..steps).map(step).collect();
    format!("workflow: bench/chain\nversion: 1.0.0\nbudget: \"1\"\ninputs: {{ first: text }}\nsteps:\n{steps}")
}

/// Four calls, and between them what `between` says.
fn five(between: &str) -> String {
    let call = |id: &str, from: &str| {
        format!("  - {{ id: {id}, call: 'fixture:parts/greeter@0.1.0 echo-bytes', with: {{ bytes: \"${{ {from} }}\" }} }}\n")
    };
    let (a, b) = (call("a", ".input.first"), call("b", ".steps.a"));
    let (c, d) = (call("c", ".steps.b"), call("d", ".steps.c"));
    let head = "workflow: bench/five\nversion: 1.0.0\nbudget: \"0.001\"\ninputs: { first: text, gate: text }\nsteps:\n";
    format!("{head}{a}{b}  - {{ id: rest, {between} }}\n{c}{d}output: \"${{ .steps.d == .input.first }}\"\n")
}

/// 64 bytes in base64.
fn argument() -> String {
    "qrvM".repeat(21) + "qg=="
}

fn answers(entry: &Entry) -> bool {
    entry.changes.iter().any(|change| matches!(change, Change::Answered(_)))
}

/// RFC 3339, in seconds.
fn moment(unix_ms: u64) -> String {
    hansa_workflow::report::moment(unix_ms).replace(' ', "T").replace("TUTC", "Z")
}

async fn order(data: &Path, order: Order) -> anyhow::Result<Value> {
    match admin::ask(data, &Ask::Workflow { order }).await? {
        Reply::Workflow { value } => Ok(value),
        other => bail!("an answer to another question: {other:?}"),
    }
}

async fn start(data: &Path, file: &str, input: Value) -> anyhow::Result<String> {
    let Value::Object(input) = input else { bail!("inputs are a map") };
    let start = Start { file: file.to_owned(), input, labels: Default::default(), budget: None, by: "bench".to_owned() };
    let value = order(data, Order::Start(Box::new(start))).await?;
    value["run"].as_str().map(str::to_owned).context("a run without a name")
}

async fn list(data: &Path) -> anyhow::Result<Vec<Summary>> {
    Ok(serde_json::from_value(order(data, Order::List).await?)?)
}

/// The runs that are meant, once all of them are over.
async fn over(data: &Path, meant: impl Fn(&Summary) -> bool) -> anyhow::Result<Vec<Summary>> {
    let begun = Instant::now();
    loop {
        let runs: Vec<Summary> = list(data).await?.into_iter().filter(|summary| meant(summary)).collect();
        if !runs.is_empty() && runs.iter().all(|summary| summary.state.is_over()) {
            return Ok(runs);
        }
        let going = runs.iter().find(|summary| !summary.state.is_over());
        ensure!(begun.elapsed() < PATIENCE, "a run does not end: {going:?}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn journal(data: &Path, run: &str) -> anyhow::Result<Vec<Entry>> {
    let (mut after, mut entries) = (0, Vec::new());
    loop {
        let part: JournalPart = serde_json::from_value(order(data, Order::Journal { run: run.to_owned(), after }).await?)?;
        entries.extend(part.entries);
        after = part.position;
        if !part.more {
            return Ok(entries);
        }
    }
}
