//! `hansa build`: the component, with the language's own tools.

use clap::Args;

use super::super::output::{json, line};
use super::super::{Context, Failure};
use super::{ProjectFolder, built, say_built, shown};

/// Build an agent's component with its language's own tools.
#[derive(Args)]
#[command(after_help = "Examples:\n  hansa build\n  hansa build agents/embedder")]
pub(crate) struct Build {
    #[command(flatten)]
    project: ProjectFolder,
}

pub(crate) async fn run(context: &Context, build: &Build) -> Result<(), Failure> {
    let project = build.project.open()?;
    let built = built(&project).await?;
    if context.json {
        json(
            &serde_json::json!({ "component": built.component, "bytes": built.bytes, "took-ms": built.took.as_millis() as u64 }),
        );
    } else {
        say_built(&built);
        line(shown(&built.component));
    }
    Ok(())
}
