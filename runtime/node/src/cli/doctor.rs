//! `hansa node doctor`: what the node needs, what of it is there, and the next step. Starts no node.

use std::path::Path;
use std::process::Command;

use hansa_inference::{EngineStatus, Examination, ProviderExamination, examine, read_package};
use hansa_node::{NodeConfig, models, tools};
use serde_json::{Value, json};

use super::output::{self, line};
use super::{Context, Failure};

pub(crate) fn run(context: &Context, config: &NodeConfig) -> Result<(), Failure> {
    let options = models::options(config);
    let found = examine(options.library.as_deref(), &options.providers);
    let server = nats_server(config);
    let packages: Vec<(String, Result<String, String>)> = options.model_folders.iter().map(|folder| package(folder)).collect();
    if context.json {
        output::json(&as_json(&found, &server, &packages));
        return Ok(());
    }
    show("nats-server", &server);
    show("inference", &engine(&found));
    found.providers.iter().for_each(show_provider);
    if packages.is_empty() {
        line("models         none; add one with `hansa model add`");
    }
    for (name, state) in &packages {
        show(&format!("model {name}"), state);
    }
    Ok(())
}

fn show(what: &str, state: &Result<String, String>) {
    match state {
        Ok(found) => line(format!("{what:<14} {found}")),
        Err(reason) => line(format!("{what:<14} NOT USABLE: {reason}")),
    }
}

fn engine(found: &Examination) -> Result<String, String> {
    match &found.engine {
        EngineStatus::Ready { version, library } => {
            let library = library.as_ref().map(|library| format!(" ({})", library.display()));
            Ok(format!("{version}{}", library.unwrap_or_default()))
        }
        EngineStatus::Unavailable { reason } => Err(reason.clone()),
    }
}

fn show_provider(provider: &ProviderExamination) {
    let state = match (provider.usable, provider.asked) {
        (true, true) => "usable",
        (true, false) => "usable, but not in `providers` under [inference] of node.toml",
        (false, true) => "NOT USABLE, although node.toml asks for it",
        (false, false) => "not usable, and not asked for",
    };
    line(format!("{:<14} {state}", provider.provider.name()));
    for finding in &provider.findings {
        line(format!("    {}: {}", finding.what, finding.found));
        if let Some(next) = &finding.next {
            line(format!("      next: {next}"));
        }
    }
}

/// The first program that says its version.
fn nats_server(config: &NodeConfig) -> Result<String, String> {
    if let Some(url) = &config.bus.url {
        return Ok(format!("not needed: the bus is {url}"));
    }
    let version = |program: &Path| {
        let output = Command::new(program).arg("--version").output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        (output.status.success() && text.contains("nats-server")).then(|| format!("{text} ({})", program.display()))
    };
    let found = tools::nats_servers(config.bus.server.as_deref()).iter().find_map(|program| version(program));
    found.ok_or_else(|| "none found; run `./justw setup`, or name it as `server` under [bus] of node.toml".to_owned())
}

/// A package's name and what its manifest says, or why it is refused. `hansa model verify` looks at the files too.
fn package(folder: &Path) -> (String, Result<String, String>) {
    match read_package(folder) {
        Ok(package) => {
            let state = format!("{}, {}, {}", package.task.name(), package.license, folder.display());
            (package.name, Ok(state))
        }
        Err(error) => (folder.display().to_string(), Err(error.to_string())),
    }
}

fn as_json(found: &Examination, server: &Result<String, String>, packages: &[(String, Result<String, String>)]) -> Value {
    let state = |state: &Result<String, String>| match state {
        Ok(found) => json!({ "usable": true, "found": found }),
        Err(reason) => json!({ "usable": false, "reason": reason }),
    };
    let provider = |provider: &ProviderExamination| {
        let findings =
            provider.findings.iter().map(|finding| json!({ "what": finding.what, "found": finding.found, "next": finding.next }));
        json!({
            "provider": provider.provider.name(), "asked": provider.asked, "usable": provider.usable,
            "findings": findings.collect::<Vec<_>>(),
        })
    };
    json!({
        "nats-server": state(server),
        "inference": state(&engine(found)),
        "providers": found.providers.iter().map(provider).collect::<Vec<_>>(),
        "models": packages.iter().map(|(name, found)| json!({ "model": name, "state": state(found) })).collect::<Vec<_>>(),
    })
}
