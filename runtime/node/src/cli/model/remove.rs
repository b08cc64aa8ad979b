//! `hansa model remove`.

use clap::Args;
use hansa_inference::REMOVING;
use hansa_node::admin::{self, Ask, Reply};
use hansa_node::models;
use serde_json::json;

use super::super::output::{self, line};
use super::super::{Context, Failure};
use super::Named;

#[derive(Args)]
pub(crate) struct Remove {
    #[command(flatten)]
    named: Named,
    /// Remove it although a running node lends it.
    #[arg(long)]
    force: bool,
}

pub(crate) async fn run(context: &Context, remove: &Remove) -> Result<(), Failure> {
    let name = &remove.named.name;
    let (config, folder) = remove.named.find(context)?;
    if !models::is_own(&config, &folder) {
        return Err(format!(
            "`{name}` in {} was not added here; what set-up installed stays until `.tools` is cleared",
            folder.display()
        ));
    }
    if !remove.force
        && let Ok(Reply::Status(status)) = admin::ask(&config.data, &Ask::Status).await
        && status.models.iter().any(|model| model.split(':').next() == Some(name))
    {
        return Err(format!(
            "the running node lends `{name}`, and agents may be using it; remove it with `--force` all the same"
        ));
    }
    let hidden = folder.with_file_name(format!("{REMOVING}{name}"));
    let failed = |cause: std::io::Error| format!("cannot remove `{}`: {cause}", folder.display());
    std::fs::rename(&folder, &hidden).map_err(failed)?;
    // A node that runs lends it no more; one that does not has nothing to forget.
    let _ = admin::ask(&config.data, &Ask::Relist).await;
    std::fs::remove_dir_all(&hidden).map_err(failed)?;
    match context.json {
        true => output::json(&json!({ "model": name, "removed": folder })),
        false => line(format!("removed {name} from {}", folder.display())),
    }
    Ok(())
}
