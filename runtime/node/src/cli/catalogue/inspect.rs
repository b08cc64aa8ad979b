//! `hansa inspect`: what an agent sells, buys and wants, before it is used. For a folder, a `.wasm`, or a package of the catalogue.

use std::path::{Path, PathBuf};

use clap::Args;
use hansa_catalogue::Manifest;
use hansa_catalogue::package::{Contract, Interface, InterfaceKind, describe};
use hansa_economy::Digest;
use hansa_node::agent::read_component;
use hansa_node::catalogue::PackageView;
use serde_json::{Value, json};

use super::super::output::{self, line};
use super::super::service::priced;
use super::super::{Context, Failure};
use super::link;

/// Look at an agent before using it: what it sells, buys and wants, and who signed it.
#[derive(Args)]
#[command(after_help = "\
Examples:
  hansa inspect .                           a project
  hansa inspect component.wasm              any component
  hansa inspect acme/translator@1           a package of the catalogue")]
pub(crate) struct Inspect {
    /// A folder with `agent.toml`, a `.wasm`, or `publisher/name[@version]`.
    target: String,
    /// Also print the whole contract in WIT.
    #[arg(long)]
    wit: bool,
}

/// What is known of an agent.
struct Found {
    manifest: Option<Manifest>,
    component: Vec<u8>,
    contract: Contract,
    wit: String,
    published: Option<PackageView>,
}

pub(crate) async fn run(context: &Context, inspect: &Inspect) -> Result<(), Failure> {
    let path = PathBuf::from(&inspect.target);
    let found = match (path.is_dir(), path.is_file()) {
        (true, _) => in_folder(&path)?,
        (_, true) => described(None, read(&path)?, None)?,
        _ => in_catalogue(context, &inspect.target).await?,
    };
    if context.json {
        output::json(&as_json(&found));
        return Ok(());
    }
    print(&found);
    if inspect.wit {
        line(format!("\n{}", found.wit));
    }
    Ok(())
}

fn in_folder(folder: &Path) -> Result<Found, Failure> {
    let path = folder.join("agent.toml");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let manifest = Manifest::parse(&text).map_err(|error| format!("HA0012: {error}"))?;
    let component = read_component(folder, None).map_err(|error| error.to_string())?;
    described(Some(manifest), component, None)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

async fn in_catalogue(context: &Context, wish: &str) -> Result<Found, Failure> {
    if !wish.contains('/') || wish.starts_with(['.', '/']) {
        return Err(format!("there is no `{wish}`; give a folder, a .wasm file, or a package such as acme/translator@1"));
    }
    let link = link(context).await?;
    let package = link.package(wish).await.map_err(|error| error.to_string())?;
    let fetched = link.fetch(&package).await.map_err(|error| error.to_string())?;
    described(Some(fetched.release.manifest), fetched.component, Some(package))
}

fn described(manifest: Option<Manifest>, component: Vec<u8>, published: Option<PackageView>) -> Result<Found, Failure> {
    let described = describe(&component).map_err(|error| format!("HA0007: {error}"))?;
    Ok(Found { manifest, component, contract: described.contract, wit: described.wit, published })
}

fn as_json(found: &Found) -> Value {
    let interface = |interface: &Interface| {
        json!({
            "interface": interface.name,
            "functions": interface.functions.iter().map(|function| function.signature()).collect::<Vec<_>>(),
            "tradable": interface.tradable.as_ref().err().map(ToString::to_string),
        })
    };
    let manifest = found.manifest.as_ref();
    json!({
        "package": manifest.map(Manifest::package),
        "component": Digest::of(&found.component),
        "bytes": found.component.len(),
        "exports": found.contract.exports.iter().map(interface).collect::<Vec<_>>(),
        "imports": found.contract.imports.iter().map(interface).collect::<Vec<_>>(),
        "wants": manifest.map(wants),
        "published": found.published,
    })
}

fn print(found: &Found) {
    if let Some(manifest) = &found.manifest {
        let about = &manifest.agent;
        line(format!("{}  {}", manifest.package(), about.description));
    }
    if let Some(package) = &found.published {
        print_standing(package);
    }
    field("component", &format!("{} bytes, sha256 {}", found.component.len(), Digest::of(&found.component)));
    print_sold(found);
    print_bought(found);
    match &found.manifest {
        Some(manifest) => print_wants(manifest),
        None => print_capabilities(&found.contract),
    }
}

fn print_standing(package: &PackageView) {
    let owner = package.name.as_ref().map_or_else(String::new, |name| match name.owner == package.signer {
        true => format!(", the owner of `{}`", name.name),
        false => format!(", who has passed `{}` on since", name.name),
    });
    field("signed by", &format!("{}{owner}", package.signer));
    field("licence", &package.license);
    if let Some(reason) = &package.state.yanked {
        field("YANKED", reason);
    }
    if let Some(message) = &package.state.deprecated {
        let instead = package.state.successor.as_ref().map_or_else(String::new, |name| format!(" (use {name})"));
        field("DEPRECATED", &format!("{message}{instead}"));
    }
    let versions: Vec<String> = package
        .versions
        .iter()
        .map(|version| match version.yanked {
            Some(_) => format!("{} (yanked)", version.version),
            None => version.version.clone(),
        })
        .collect();
    field("versions", &versions.join(", "));
}

fn print_sold(found: &Found) {
    let services: Vec<&Interface> = found.contract.services().collect();
    if services.is_empty() {
        field("sells", "nothing");
    }
    for service in services {
        field("sells", &service.name);
        if let Err(problem) = &service.tradable {
            field("", &format!("cannot be sold: {problem}"));
        }
        let sale = found.manifest.as_ref().and_then(|manifest| manifest.sells.get(&service.name));
        for function in &service.functions {
            let price = sale.and_then(|sale| sale.price.get(&function.name)).map(|tag| priced(&tag.0));
            field("", &format!("{}{}", function.signature(), price.map_or_else(String::new, |price| format!("   [{price}]"))));
        }
        if let Some(sale) = sale.filter(|sale| sale.free_calls > 0) {
            field("", &format!("{} free for each customer", hansa_node::counted(sale.free_calls, "call")));
        }
    }
}

fn print_bought(found: &Found) {
    let is_service = |import: &&Interface| import.kind() == InterfaceKind::Service && !import.functions.is_empty();
    let imports: Vec<&Interface> = found.contract.imports.iter().filter(is_service).collect();
    if imports.is_empty() {
        field("buys", "nothing");
    }
    for import in imports {
        let limit = found.manifest.as_ref().map(|manifest| match manifest.buys.get(&import.name) {
            Some(purchase) => purchase.max_price,
            None => hansa_catalogue::manifest::Purchase::default().max_price,
        });
        let limit = limit.map_or_else(String::new, |limit| format!(" for at most {limit} a call"));
        field("buys", &format!("{}{limit}", import.name));
    }
}

fn print_wants(manifest: &Manifest) {
    let wants = wants(manifest);
    if wants.is_empty() {
        field("wants", "nothing of the host");
    }
    wants.iter().for_each(|want| field("wants", want));
    let limits = &manifest.limits;
    let ms = limits.cpu_per_call.0.as_millis();
    field("limits", &format!("{} MiB of memory, {ms} ms of computing time a call", limits.memory.0 >> 20));
    field(
        "instances",
        &match manifest.instance.serial() {
            None => "one for each call".to_owned(),
            Some((calls, age)) => {
                format!(
                    "kept from call to call, for {} or {} s: what is in its memory stays",
                    hansa_node::counted(calls, "call"),
                    age.as_secs()
                )
            }
        },
    );
}

/// What a manifest asks of the host, and what that lets the agent do.
fn wants(manifest: &Manifest) -> Vec<String> {
    let asked = &manifest.capabilities;
    let mut wants = Vec::new();
    for model in &asked.inference.models {
        wants.push(format!("the model {model}: to run it, at its account's expense"));
    }
    for model in &asked.inference.models_optional {
        wants.push(format!("the model {model}, where there is one: to run it, at its account's expense"));
    }
    if let Some(keyvalue) = &asked.keyvalue {
        wants.push(format!("{} KiB of state: to remember things between calls", keyvalue.bytes_max.0.div_ceil(1024)));
    }
    if let Some(wallet) = &asked.wallet {
        wants.push(format!("its wallet: to spend at most {} a day by itself", wallet.spend_per_day));
    }
    if !asked.topics.publish.is_empty() {
        wants.push(format!("to publish on the topics {}", asked.topics.publish.join(", ")));
    }
    let runs = &manifest.runs;
    let wakings = [
        runs.on_start.then(|| "when it starts".to_owned()),
        runs.every.map(|every| format!("every {} s", every.0.as_secs())),
        runs.cron.as_ref().map(|cron| format!("at `{cron}`")),
        (!runs.topics.is_empty()).then(|| format!("on messages to {}", runs.topics.join(", "))),
        runs.balance_below.map(|below| format!("when its balance falls below {below}")),
    ];
    let wakings: Vec<String> = wakings.into_iter().flatten().collect();
    if !wakings.is_empty() {
        wants.push(format!("to wake up by itself {}", wakings.join(", ")));
    }
    wants
}

/// Of a component alone only its imports tell.
fn print_capabilities(contract: &Contract) {
    let asked =
        contract.imports.iter().filter(|import| import.kind() == InterfaceKind::Capability && !import.functions.is_empty());
    asked.for_each(|import| field("wants", &import.name));
    contract.bare_imports.iter().for_each(|import| field("imports", import));
}

fn field(name: &str, value: &str) {
    line(format!("  {name:<10} {value}"));
}
