//! `hansa model show`.

use hansa_inference::{PackageSummary, Port, ProviderKind, read_package};
use hansa_node::counted;
use serde_json::{Value, json};

use super::super::output::{self, line};
use super::super::{Context, Failure};
use super::{Named, megabytes};

pub(crate) fn run(context: &Context, named: &Named) -> Result<(), Failure> {
    let (_, folder) = named.find(context)?;
    let package = read_package(&folder).map_err(|error| error.to_string())?;
    if context.json {
        let mut value = as_json(&package);
        value["folder"] = json!(folder);
        output::json(&value);
        return Ok(());
    }
    line(format!("model     {} {}", package.name, package.version));
    line(format!("identity  {}", hex(&package.manifest)));
    line(format!("task      {}", package.task.name()));
    line(format!("licence   {} ({} be sold to others)", package.license, if package.resale { "may" } else { "may not" }));
    line(format!("source    {}", package.source));
    line(format!("folder    {}", folder.display()));
    details(&package);
    package.inputs.iter().for_each(|port| line(format!("input     {port}")));
    package.outputs.iter().for_each(|port| line(format!("output    {port}")));
    for file in &package.files {
        line(format!("file      {} {} sha256 {}", file.path, megabytes(file.size), file.sha256));
    }
    Ok(())
}

/// What only some models have.
fn details(package: &PackageSummary) {
    if let Some(tokens) = package.max_tokens {
        line(format!("tokens    {tokens} at most"));
    }
    if package.labels > 0 {
        line(format!("labels    {}", package.labels));
    }
    if !package.providers.is_empty() || package.require_provider.is_some() {
        let required = package.require_provider.map_or_else(String::new, |kind| format!(" (requires {})", kind.name()));
        line(format!("runs on   {}{required}", names(&package.providers).join(", ")));
    }
    if let Some(bytes) = package.resident_bytes.or(package.peak_bytes) {
        line(format!("memory    {} loaded, {} at most", megabytes(bytes), megabytes(package.peak_bytes.unwrap_or(bytes))));
    }
    let rates = package.rates;
    line(format!(
        "price     {} per call, {} per 1,000 input units, {} per 1,000 output units, in micro-units",
        rates.per_request, rates.per_1k_input, rates.per_1k_output
    ));
    line(format!("golden    {}", counted(package.golden, "vector")));
}

fn names(kinds: &[ProviderKind]) -> Vec<&'static str> {
    kinds.iter().map(|kind| kind.name()).collect()
}

fn as_json(package: &PackageSummary) -> Value {
    let ports = |ports: &[Port]| {
        let port = |port: &Port| {
            let shape: Vec<String> = port.shape.iter().map(ToString::to_string).collect();
            json!({ "name": port.name, "type": port.dtype.name(), "shape": shape })
        };
        ports.iter().map(port).collect::<Vec<_>>()
    };
    let files = package.files.iter().map(|file| json!({ "path": file.path, "sha256": file.sha256, "size": file.size }));
    json!({
        "model": package.name, "version": package.version, "identity": hex(&package.manifest), "task": package.task.name(),
        "license": package.license, "resale": package.resale, "source": package.source, "max-tokens": package.max_tokens,
        "labels": package.labels, "providers": names(&package.providers), "require-provider": package.require_provider.map(ProviderKind::name),
        "resident-bytes": package.resident_bytes, "peak-bytes": package.peak_bytes, "golden": package.golden,
        "price": { "per-request": package.rates.per_request, "per-1k-input": package.rates.per_1k_input, "per-1k-output": package.rates.per_1k_output },
        "inputs": ports(&package.inputs), "outputs": ports(&package.outputs), "files": files.collect::<Vec<_>>(),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
