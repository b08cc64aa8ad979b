//! An author's commands: `hansa new`, `build`, `test`, `dev`.

pub(crate) mod build;
pub(crate) mod dev;
pub(crate) mod new;
pub(crate) mod test;

use std::path::{Path, PathBuf};

use clap::Args;
use hansa_workshop::Project;
use hansa_workshop::build::{Built, Words};

use super::Failure;
use super::output::note;

/// The publisher of an agent that was given none: for trying out.
pub(crate) const NOBODY: &str = "me";

/// Which project.
#[derive(Args)]
pub(crate) struct ProjectFolder {
    /// Folder of the agent, with its `agent.toml`.
    #[arg(default_value = ".", value_name = "FOLDER")]
    folder: PathBuf,
}

impl ProjectFolder {
    fn open(&self) -> Result<Project, Failure> {
        open(&self.folder)
    }
}

fn open(folder: &Path) -> Result<Project, Failure> {
    Project::open(folder).map_err(|error| error.to_string())
}

/// Builds beside the async threads; the tool's words go to standard error as they come.
async fn built(project: &Project) -> Result<Built, Failure> {
    let project = project.clone();
    let built = tokio::task::spawn_blocking(move || hansa_workshop::build::build(&project, Words::Shown)).await;
    built.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
}

fn say_built(built: &Built) {
    let kib = built.bytes.div_ceil(1024);
    note(format!("built {} ({kib} KiB) in {:.1} s", shown(&built.component), built.took.as_secs_f64()));
}

/// A path as the person would type it here.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let below = here.as_deref().and_then(|here| path.strip_prefix(here).ok());
    below.unwrap_or(path).display().to_string()
}
