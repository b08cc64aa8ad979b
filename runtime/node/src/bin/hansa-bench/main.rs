//! `hansa-bench`: how fast a paid call is, against plain NATS on the same server in the same run, how soon an author earns, and
//! what a workflow adds. See docs/performance.md.

mod agents;
mod author;
mod call;
mod child;
mod goals;
mod load;
mod parts;
mod process;
mod protocol;
mod report;
mod serve;
mod workflow;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// As in `hansa`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measure Hansa in release mode.
#[derive(Parser)]
#[command(name = "hansa-bench")]
struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// The whole road of a paid call: latency, throughput, where the time goes, processor time, memory.
    Call {
        /// Seconds for each of the nine measurements, spread over three alternating rounds. Default 3, at most 10.
        #[arg(long, default_value_t = 3.0, value_parser = seconds)]
        seconds: f64,
        /// Print one JSON object instead of tables.
        #[arg(long)]
        json: bool,
        /// Make the calls of this point alone and print its row, as for a profiler that is attached meanwhile.
        #[arg(long)]
        point: Option<goals::Point>,
    },
    /// From an idea to the first paid call, a change, deployments, calls of an agent in Python.
    Author {
        /// Print one JSON object instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// What the engine of workflows adds to a call, a thousand runs at once, ten thousand items, engines that are killed.
    Workflow {
        /// Print one JSON object instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// One of the processes under measurement; started by `call`.
    #[command(hide = true)]
    Serve {
        /// Name of the node.
        #[arg(long)]
        name: String,
        /// Its data folder.
        #[arg(long)]
        data: PathBuf,
        /// Address of the bus.
        #[arg(long)]
        url: String,
        /// Keep the ledger.
        #[arg(long)]
        ledger: bool,
    },
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.3..=10.0).contains(&seconds) => Ok(seconds),
        _ => Err(format!("`{text}` is not a number from 0.3 to 10")),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let done = match Options::parse().what {
        What::Call { seconds, json, point: None } => Box::pin(call::run(seconds, json)).await,
        What::Call { seconds, point: Some(point), .. } => Box::pin(call::run_one(seconds, point)).await,
        What::Author { json } => Box::pin(author::run(json)).await,
        What::Workflow { json } => Box::pin(workflow::run(json)).await,
        What::Serve { name, data, url, ledger } => Box::pin(serve::run(&name, &data, &url, ledger)).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}
