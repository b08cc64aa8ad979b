//! `hansa publish`: a release for strangers.

use std::path::{Path, PathBuf};

use clap::Args;
use hansa_catalogue::names::{NameChange, NameRecord};
use hansa_catalogue::package::ReleaseParts;
use hansa_catalogue::{Manifest, Release};
use hansa_economy::{Digest, Keypair, Signed};
use hansa_node::agent::read_component;
use hansa_node::ambient;
use hansa_node::catalogue::{CatalogueLink, PackageView};

use super::super::author::NOBODY;
use super::super::output::{json, line, note};
use super::super::{Context, Failure};
use super::{key, link};

/// File names under which a licence's text may stand.
const LICENSES: [&str; 4] = ["LICENSE", "LICENSE.md", "LICENSE.txt", "COPYING"];

/// Publish an agent: component, `agent.toml`, README, licence and contract under your signature. A version never changes.
#[derive(Args)]
#[command(after_help = "\
Examples:
  hansa publish                             the agent in this folder
  hansa publish agents/reader

The publisher's name, the part before the slash in `agent.name`, belongs to the key that first claims it: publishing claims it for
the key of `--home` where nobody has. `hansa name recovery` names a second key that can recover it.")]
pub(crate) struct Publish {
    /// Folder of the agent, with `agent.toml`, `README.md` and the component.
    #[arg(default_value = ".", value_name = "FOLDER")]
    folder: PathBuf,
    /// Another manifest than `agent.toml` in the folder.
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// Another component than the one that `hansa build` leaves.
    #[arg(long, value_name = "FILE")]
    component: Option<PathBuf>,
}

pub(crate) async fn run(context: &Context, publish: &Publish) -> Result<(), Failure> {
    let mut parts = read(publish)?;
    let manifest = Manifest::parse(&parts.manifest).map_err(|error| format!("HA0012: {error}"))?;
    let (key, link) = (key(context)?, link(context).await?);
    let publisher = manifest.agent.name.split('/').next().unwrap_or_default().to_owned();
    if publisher == NOBODY {
        return Err(format!(
            "HA0024: `{NOBODY}` is the publisher of agents that were given none; begin one under a name of your own: `hansa new YOU/NAME`"
        ));
    }
    let (head, claim) = owned(&link, &publisher, &key).await?;
    parts.name_record = Some(head);
    // Before the claim is handed in: what makes no release claims no name.
    let signed = Release::sign(parts, ambient::now_ms(), &key);
    let (release, component) = signed.map_err(|error| format!("HA0024: {error}"))?;
    if let Some(claim) = claim {
        link.hand_in_name(&claim).await.map_err(|error| error.to_string())?;
        note(format!("`{publisher}` is yours now: it belongs to the key in {}", context.home.join("account.key").display()));
    }
    link.publish(&release, &component).await.map_err(|error| error.to_string())?;
    // The same content may have been published before, under an older signature.
    let known = link.package(release.package()).await.map_err(|error| error.to_string())?;
    said(context, &release, &known);
    Ok(())
}

/// What the folder holds.
fn read(publish: &Publish) -> Result<ReleaseParts, Failure> {
    let folder = &publish.folder;
    let path = publish.manifest.clone().unwrap_or_else(|| folder.join("agent.toml"));
    let manifest = text(&path, "give the folder of an agent, or begin one with `hansa new NAME`")?;
    let component = read_component(folder, publish.component.as_deref()).map_err(|error| error.to_string())?;
    if publish.component.is_none() {
        check_fresh(folder)?;
    }
    let readme = text(&folder.join("README.md"), "write what the agent does, for whom, and what it cannot do; buyers read it")?;
    let license = license(folder, &manifest)?;
    Ok(ReleaseParts { manifest, component, readme, license, name_record: None })
}

/// A version never changes, so it should not hold yesterday's code. Only what `hansa build` wrote can be told by its time.
fn check_fresh(folder: &Path) -> Result<(), Failure> {
    let changed = |path: &Path| path.metadata().and_then(|found| found.modified()).ok();
    let Some(built) = changed(&folder.join("component.wasm")) else { return Ok(()) };
    let mut open = vec![folder.join("src"), folder.join("wit")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let within = std::fs::read_dir(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            open.extend(within.flatten().map(|entry| entry.path()));
        } else if changed(&path).is_some_and(|changed| changed > built) {
            return Err(format!(
                "HA0024: {} is newer than component.wasm, and a published version never changes; `hansa build` first, or say \
                 `--component` to publish what is there",
                path.display()
            ));
        }
    }
    Ok(())
}

fn text(path: &Path, advice: &str) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}; {advice}", path.display()))
}

/// The licence's text; without a file, the licence that `agent.toml` names, by its SPDX expression.
fn license(folder: &Path, manifest: &str) -> Result<String, Failure> {
    if let Some(path) = LICENSES.iter().map(|name| folder.join(name)).find(|path| path.is_file()) {
        return text(&path, "it should hold the licence's text");
    }
    let expression = Manifest::parse(manifest).map(|manifest| manifest.agent.license).unwrap_or_default();
    if expression.trim().is_empty() {
        return Err(
            "HA0024: there is no LICENSE, and agent.toml names none; add `license = \"MIT\"` or another SPDX expression".into()
        );
    }
    note(format!("no LICENSE file: buyers are told that the licence is {expression}"));
    Ok(format!("SPDX-License-Identifier: {expression}\n\nThe licence's text: https://spdx.org/licenses/\n"))
}

/// The record of the publisher's name under which to sign; where nobody has the name, that is a claim yet to be handed in.
async fn owned(link: &CatalogueLink, publisher: &str, key: &Keypair) -> Result<(Digest, Option<Signed<NameRecord>>), Failure> {
    match link.name(publisher).await.map_err(|error| error.to_string())? {
        None => {
            let claim = claim(publisher, key);
            Ok((claim.digest(), Some(claim)))
        }
        Some(name) if name.owner == key.public() => Ok((name.head, None)),
        Some(name) => Err(format!(
            "HA0024: `{publisher}` belongs to {}, your key is {}; publish with the owner's key (`--home`), or under a name of your own: \
             change `agent.name`",
            name.owner,
            key.public()
        )),
    }
}

fn claim(publisher: &str, key: &Keypair) -> Signed<NameRecord> {
    let change = NameChange::Claim { owner: key.public(), recovery: None };
    let record = NameRecord { name: publisher.to_owned(), seq: 0, previous: None, change, signed_ms: ambient::now_ms() };
    Signed::new(record, key)
}

fn said(context: &Context, release: &Release, known: &PackageView) {
    let body = &release.statement.body;
    if context.json {
        return json(&serde_json::json!({
            "package": body.package, "statement": known.statement, "component": body.component,
            "bytes": body.component_bytes, "signer": known.signer, "new": known.statement == release.statement.digest(),
        }));
    }
    let when = if known.statement == release.statement.digest() { "published" } else { "published already, with this content" };
    line(format!("{} is {when}", body.package));
    release.manifest.sells.keys().for_each(|service| line(format!("  sells {service}")));
    line(format!("  package {}", known.statement));
    note(format!("next: `hansa inspect {0}` shows what others see, `hansa agent deploy {0}` runs it on your node", body.package));
}
