//! `hansa new`: begin an agent.

use std::path::PathBuf;

use clap::Args;
use hansa_workshop::Language;
use hansa_workshop::scaffold::{AgentName, NewProject, Template};

use super::super::output::{json, line, note};
use super::super::{Context, Failure};
use super::{NOBODY, shown};

/// Begin an agent: a project that builds at once.
#[derive(Args)]
#[command(after_help = "\
Templates:
  service     sells a service and keeps state
  buyer       sells a service that is made of a bought one
  inference   sells what a model of the node makes
  pure        sells a computation that needs nothing
  autonomous  wakes up by itself and spends its own money

Examples:
  hansa new acme/word-count
  hansa new acme/likeness --template buyer --lang rust")]
pub(crate) struct New {
    /// Its name, `publisher/name`; without a publisher it is `me`.
    name: String,
    /// The language: rust, python or js.
    #[arg(long, default_value = "rust", value_name = "LANGUAGE")]
    lang: String,
    /// What it shows: service, buyer, autonomous, inference or pure.
    #[arg(long, default_value = "service")]
    template: String,
    /// Its folder, which must not be there yet. Default: its name.
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
}

pub(crate) fn run(context: &Context, new: New) -> Result<(), Failure> {
    let language: Language = new.lang.parse().map_err(|error| format!("{error}"))?;
    let template: Template = new.template.parse().map_err(|error| format!("{error}"))?;
    let name = AgentName::parse(&new.name, NOBODY).map_err(|error| error.to_string())?;
    let folder = new.into.unwrap_or_else(|| PathBuf::from(&name.name));
    let folder = std::path::absolute(&folder).unwrap_or(folder);
    let project = NewProject { name, language, template, folder };
    let files = project.write().map_err(|error| error.to_string())?;
    if context.json {
        json(&serde_json::json!({ "folder": project.folder, "files": files }));
        return Ok(());
    }
    let folder = shown(&project.folder);
    line(format!("{folder}: a {language} agent of template `{template}`"));
    if project.name.publisher == NOBODY {
        note(format!(
            "its publisher is `{NOBODY}`, which is for trying out; to publish, begin with `hansa new YOU/{}`",
            project.name.name
        ));
    }
    files.iter().for_each(|file| line(format!("  {file}")));
    line(format!("next: cd {folder} && hansa build && hansa test, then `hansa up` in another terminal and `hansa dev` here"));
    Ok(())
}
