//! `hansa model verify`.

use hansa_inference::verify_package;
use hansa_node::counted;
use serde_json::json;

use super::super::output::{self, line};
use super::super::{Context, Failure};
use super::{Named, alone, blocking};

pub(crate) async fn run(context: &Context, named: &Named) -> Result<(), Failure> {
    let (config, folder) = named.find(context)?;
    let package = folder.clone();
    let package = blocking(move || verify_package(&package)).await?.map_err(|error| error.to_string())?;
    let inference = alone(&config, folder);
    let loaded = inference.load(&package.name).await.map_err(|error| error.to_string());
    let provider = loaded.and_then(|()| inference.info(&package.name).map_err(|error| error.to_string()));
    inference.stop().await;
    let provider = provider?.provider.ok_or("the model left memory before it could be asked where it runs; try again")?;
    if context.json {
        let passed =
            provider.passed_over.iter().map(|passed| json!({ "provider": passed.provider.name(), "reason": passed.reason }));
        output::json(&json!({
            "model": package.name, "files": package.files.len(), "golden": package.golden, "provider": provider.name,
            "share": provider.share, "passed-over": passed.collect::<Vec<_>>(),
        }));
        return Ok(());
    }
    line(format!("{}: size and sha256 as listed", counted(package.files.len(), "file")));
    for passed in &provider.passed_over {
        line(format!("{} was passed over: {}", passed.provider.name(), passed.reason));
    }
    let share = provider.share * 100.0;
    line(format!(
        "{}: right on {}, which has {share:.1} % of the graph's nodes",
        counted(package.golden, "golden vector"),
        provider.name
    ));
    Ok(())
}
