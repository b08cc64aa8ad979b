//! `hansa model add`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use hansa_economy::digest::hex;
use hansa_inference::{ImportOptions, Task, add_model};
use hansa_node::admin::{self, Ask, Reply};
use hansa_node::{counted, models};
use serde_json::json;

use super::super::output::{self, line, note};
use super::super::{Context, Failure, NodeFile};
use super::{blocking, megabytes};

#[derive(Args)]
pub(crate) struct Add {
    /// A folder with a `hansa-model.toml`, a `config.json` or a `genai_config.json`, or a .tar of one.
    path: PathBuf,
    /// The model's name here. Default: what the export calls itself, else the folder's name.
    #[arg(long)]
    name: Option<String>,
    /// The model's licence, an SPDX expression. Default: what the export says.
    #[arg(long, value_name = "SPDX")]
    license: Option<String>,
    /// Whether it may be sold to others. Default: yes where the licence plainly permits it, else no.
    #[arg(long, value_name = "yes|no")]
    resale: Option<YesNo>,
    /// Where it comes from. Default: what the export says.
    #[arg(long, value_name = "TEXT")]
    source: Option<String>,
    /// What it does. Default: what its architecture says.
    #[arg(long)]
    task: Option<TaskName>,
    /// The ONNX file, relative to the folder. Default: model.onnx, there or in `onnx`.
    #[arg(long, value_name = "FILE")]
    graph: Option<String>,
    #[command(flatten)]
    node: NodeFile,
}

#[derive(Clone, Copy, ValueEnum)]
enum YesNo {
    Yes,
    No,
}

#[derive(Clone, Copy, ValueEnum)]
enum TaskName {
    Raw,
    Embed,
    Classify,
    Rerank,
    Generate,
}

impl From<TaskName> for Task {
    fn from(name: TaskName) -> Self {
        match name {
            TaskName::Raw => Self::Raw,
            TaskName::Embed => Self::Embed,
            TaskName::Classify => Self::Classify,
            TaskName::Rerank => Self::Rerank,
            TaskName::Generate => Self::Generate,
        }
    }
}

pub(crate) async fn run(context: &Context, add: Add) -> Result<(), Failure> {
    let config = add.node.load(context)?;
    let options = ImportOptions {
        from: add.path,
        models: models::folder(&config),
        library: models::options(&config).library,
        name: add.name,
        license: add.license,
        resale: add.resale.map(|answer| matches!(answer, YesNo::Yes)),
        source: add.source,
        task: add.task.map(Task::from),
        graph: add.graph,
    };
    let added = blocking(move || add_model(&options)).await?.map_err(|error| error.to_string())?;
    let (package, folder) = (&added.package, added.folder.display().to_string());
    if context.json {
        output::json(&json!({
            "model": package.name, "folder": folder, "task": package.task.name(), "license": package.license,
            "resale": package.resale, "source": package.source, "notes": added.notes,
        }));
    } else {
        let bytes = package.files.iter().map(|file| file.size).sum();
        line(format!("added {} to {folder} ({}, {})", package.name, counted(package.files.len(), "file"), megabytes(bytes)));
        added.notes.iter().for_each(|decided| line(format!("  {decided}")));
    }
    if let Ok(Reply::Relisted { lent, refused }) = admin::ask(&config.data, &Ask::Relist).await {
        let name = format!("/{}: ", package.name);
        note(match (lent.contains(&hex(&package.manifest)), refused.iter().find(|refused| refused.contains(&name))) {
            (true, _) => "the running node lends it from now on".to_owned(),
            (false, Some(refused)) => format!("the running node does not lend it: {refused}"),
            (false, None) => {
                "the running node takes its models from another folder; name its configuration with `--config`".to_owned()
            }
        });
    }
    Ok(())
}
