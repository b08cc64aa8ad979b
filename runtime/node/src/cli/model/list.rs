//! `hansa model list`.

use hansa_inference::read_package;
use hansa_node::models;
use serde_json::json;

use super::super::output::{self, line, table};
use super::super::{Context, Failure, NodeFile};
use super::megabytes;

pub(crate) fn run(context: &Context, node: &NodeFile) -> Result<(), Failure> {
    let folders = models::options(&node.load(context)?).model_folders;
    let (mut rows, mut refused, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for folder in &folders {
        match read_package(folder) {
            Ok(package) => {
                let bytes: u64 = package.files.iter().map(|file| file.size).sum();
                let resale = if package.resale { "yes" } else { "no" };
                values.push(json!({
                    "model": package.name, "version": package.version, "task": package.task.name(), "license": package.license,
                    "resale": package.resale, "bytes": bytes, "folder": folder,
                }));
                let task = package.task.name().to_owned();
                rows.push(vec![package.name, package.version, task, package.license, resale.to_owned(), megabytes(bytes)]);
            }
            Err(error) => {
                let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let reason = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
                values.push(json!({ "model": name, "folder": folder, "refused": reason }));
                refused.push(format!("refused {name}: {reason}"));
            }
        }
    }
    if context.json {
        output::json(&values);
        return Ok(());
    }
    match rows.is_empty() {
        true => line("no models; add one with `hansa model add`"),
        false => table(&["MODEL", "VERSION", "TASK", "LICENCE", "RESALE", "SIZE"], &rows),
    }
    refused.iter().for_each(line);
    Ok(())
}
