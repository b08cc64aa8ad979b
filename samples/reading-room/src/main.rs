//! The reading room: two operators' nodes, a business, and questions about a folder of real documents.
//!
//! Starts a nats-server and two nodes as processes of their own, has the business buy answers, kills the node of the
//! cheaper embedder in the middle, and shows at the end who did what, who earned what, and that every unit is accounted for.

mod documents;
mod economy;
mod screen;
mod story;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Two nodes, a business, and three questions about a folder.
#[derive(Parser)]
#[command(
    name = "hansa-reading-room",
    version,
    after_help = "Examples:\n  ./justw demo\n  ./justw demo --folder ~/notes --ask \"What did we decide about the roof?\"\n  ./justw up"
)]
pub(crate) struct Options {
    /// Folder (or file) to read; may be given several times. Default: the project's own documents and sources.
    #[arg(long, value_name = "FOLDER")]
    folder: Vec<PathBuf>,
    /// A question; may be given several times. Default: three about the project.
    #[arg(long, value_name = "QUESTION")]
    ask: Vec<String>,
    /// Print the story as one JSON object instead of screens.
    #[arg(long)]
    json: bool,
    /// Start the economy, shelve nothing, and stay until Ctrl-C.
    #[arg(long)]
    stay: bool,
    /// Let both nodes live.
    #[arg(long)]
    no_kill: bool,
    /// Folder for keys, ledger and logs; emptied first. Default: `.hansa/reading-room` in the current folder.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Port of the nats-server. Default: any free one; with `--stay` 4222.
    #[arg(long)]
    port: Option<u16>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return screen::fail(&format!("cannot start: {error}")),
    };
    let told = runtime.block_on(async {
        match options.stay {
            true => story::stay(&options).await,
            false => story::tell(&options).await,
        }
    });
    runtime.shutdown_background();
    match told {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => screen::fail(&format!("{error:#}")),
    }
}
