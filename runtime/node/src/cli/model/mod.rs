//! `hansa model …`: the models that a node lends. Works whether or not the node runs.

mod add;
mod bench;
mod list;
mod remove;
mod show;
mod verify;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hansa_inference::{Inference, InferenceOptions};
use hansa_node::{NodeConfig, models};

use super::{Context, Failure, NodeFile};

#[derive(Subcommand)]
#[command(after_help = "Examples:
  hansa model add exports/all-MiniLM-L6-v2
  hansa model add llama-3.2-1b --license LicenseRef-llama3.2 --resale no
  hansa model list
  hansa model verify minilm
  hansa model bench minilm")]
pub(crate) enum Command {
    /// Add a model: a package, an ONNX export of Hugging Face's Optimum, or one for onnxruntime-genai.
    Add(add::Add),
    /// The models that there are.
    List(NodeFile),
    /// What a model is: ports, files, licence, price.
    Show(Named),
    /// Compare every file with the manifest, and run the golden vectors on the provider that the node uses.
    Verify(Named),
    /// Measure a model on this machine: rows and lengths, or answers and prompts, against time.
    Bench(Named),
    /// Remove a model's package.
    Remove(remove::Remove),
}

/// One model.
#[derive(Args)]
pub(crate) struct Named {
    /// The model's name.
    name: String,
    #[command(flatten)]
    node: NodeFile,
}

impl Named {
    /// The configuration, and the folder of the model's package.
    fn find(&self, context: &Context) -> Result<(NodeConfig, PathBuf), Failure> {
        let config = self.node.load(context)?;
        let folder = models::find(&config, &self.name)?;
        Ok((config, folder))
    }
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Add(add) => add::run(context, add).await,
        Command::List(node) => list::run(context, &node),
        Command::Show(named) => show::run(context, &named),
        Command::Verify(named) => verify::run(context, &named).await,
        Command::Bench(named) => bench::run(context, &named).await,
        Command::Remove(remove) => remove::run(context, &remove).await,
    }
}

/// Inference with this one model, as the node would run it.
fn alone(config: &NodeConfig, folder: PathBuf) -> Inference {
    Inference::start(InferenceOptions { model_folders: vec![folder], ..models::options(config) })
}

/// Work that reads and hashes files, away from the async worker.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|error| format!("it ended early: {error}"))
}

/// `12.3 MB`, for people.
fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
