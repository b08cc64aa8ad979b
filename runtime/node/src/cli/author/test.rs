//! `hansa test`: an agent's cases against the real host, in memory.

use std::path::PathBuf;

use clap::Args;
use hansa_host::{Host, HostOptions};
use hansa_node::counted;
use hansa_node::models::for_cases;
use hansa_workshop::Project;
use hansa_workshop::cases::{self, TestBench, Verdict};

use super::super::output::{json, line, note};
use super::super::{Context, Failure, NodeFile};
use super::{built, open, say_built};

/// Build an agent and run its cases, `tests/*.toml`, on the real host in memory. No node is needed and no money moves.
#[derive(Args)]
#[command(after_help = "Examples:\n  hansa test\n  hansa test agents/filetype --only pdf --no-build")]
pub(crate) struct Test {
    /// Folder of the agent, with its `agent.toml`.
    #[arg(default_value = ".", value_name = "FOLDER")]
    folder: PathBuf,
    /// Only cases whose name contains this.
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    /// Test the component that is there.
    #[arg(long)]
    no_build: bool,
    /// Show what the agent writes, also where a case passes.
    #[arg(long)]
    logs: bool,
    #[command(flatten)]
    models: NodeFile,
}

pub(crate) async fn run(context: &Context, test: &Test) -> Result<(), Failure> {
    let project = open(&test.folder)?;
    let cases = cases::read(&project.folder).map_err(|error| error.to_string())?;
    if cases.iter().all(|(_, cases)| cases.is_empty()) {
        return Err(format!(
            "{} has no cases; write some in tests/cases.toml, see `hansa explain HA0023`",
            project.folder.display()
        ));
    }
    let component = component(test, &project).await?;
    let host = Host::new(HostOptions { cache_folder: Some(context.home.join("compiled")), ..HostOptions::default() });
    let host = host.map_err(|error| error.to_string())?;
    let models = for_cases(&test.models.load(context)?, &project.manifest);
    let bench = tokio::task::block_in_place(|| TestBench::new(&host, project.manifest.clone(), &component, models));
    let mut bench = bench.map_err(|error| error.to_string())?;
    let (mut passed, mut failed) = (0_u64, 0_u64);
    for (file, cases) in &cases {
        for case in cases.iter().filter(|case| case.name.contains(&test.only)) {
            let verdict = bench.run(file, case).await;
            *if verdict.passed() { &mut passed } else { &mut failed } += 1;
            report(context, test, &verdict);
        }
    }
    match (passed, failed) {
        (0, 0) => Err(format!("no case has `{}` in its name", test.only)),
        (passed, 0) => {
            note(format!("{} passed", counted(passed, "case")));
            Ok(())
        }
        (passed, failed) => Err(format!("HA0023: {failed} of {} failed", counted(passed + failed, "case"))),
    }
}

async fn component(test: &Test, project: &Project) -> Result<Vec<u8>, Failure> {
    if !test.no_build {
        let built = built(project).await?;
        say_built(&built);
    }
    hansa_node::agent::read_component(&project.folder, None).map_err(|error| error.to_string())
}

fn report(context: &Context, test: &Test, verdict: &Verdict) {
    let took_us = verdict.took.as_micros() as u64;
    if context.json {
        json(&serde_json::json!({
            "file": verdict.file, "case": verdict.case, "passed": verdict.passed(), "wrong": verdict.wrong, "took-us": took_us,
            "logs": verdict.logs,
        }));
        return;
    }
    let word = if verdict.passed() { "pass" } else { "FAIL" };
    line(format!("{word}  {}  ({:.1} ms)", verdict.case, took_us as f64 / 1000.0));
    for wrong in &verdict.wrong {
        wrong.lines().for_each(|text| line(format!("      {text}")));
    }
    if test.logs || !verdict.passed() {
        verdict.logs.iter().for_each(|text| line(format!("      log {text}")));
    }
}
