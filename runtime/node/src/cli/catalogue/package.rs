//! `hansa package …`: published packages to and from OCI registries.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use hansa_economy::PublicKey;
use hansa_registry::{Client, Login, Parcel, Progress, Pulled, Reference, Settings, Watcher};
use serde_json::json as value;

use super::super::output::{json, line, note};
use super::super::{Context, Failure};
use super::link;

#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  hansa package push acme/translator@1 ghcr.io/acme/translator      the tag is the version
  hansa package pull ghcr.io/acme/translator:1.0.0                  into the catalogue of your bus
  hansa package pull ghcr.io/acme/translator:1.0.0 --to translator  only its files

Logins are those of `docker login`, or --user and --password-file. Other tools see a WebAssembly component.")]
pub(crate) enum Command {
    /// Push a published package to a registry, as a WebAssembly artifact that other tools can pull too.
    Push {
        /// The package in the catalogue: `publisher/name[@version]`.
        package: String,
        /// Where to: `host/name[:tag]`; the tag is the version where none is given.
        reference: Reference,
        #[command(flatten)]
        registry: Registry,
    },
    /// Pull a package from a registry, check its signature and all digests, and publish it on your bus for its publisher.
    Pull {
        /// Where from: `host/name:tag`, or `host/name@sha256:…`.
        reference: Reference,
        /// The key that owns the publisher's name, `did:key:…`, as you know it from the publisher. Needed the first time.
        #[arg(long, value_name = "KEY", conflicts_with = "to")]
        owner: Option<PublicKey>,
        /// Only write its files into this new folder.
        #[arg(long, value_name = "FOLDER")]
        to: Option<PathBuf>,
        #[command(flatten)]
        registry: Registry,
    },
}

/// How to speak with a registry.
#[derive(Args)]
pub(crate) struct Registry {
    /// Log in under this name. Default: the login of `docker login`, else none.
    #[arg(long, value_name = "NAME", requires = "password_file")]
    user: Option<String>,
    /// A file with the password or token, `-` for standard input.
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,
    /// Speak plain HTTP with registries on other machines too; passwords can be read on the way.
    #[arg(long)]
    plain_http: bool,
    /// A proxy for registries on other machines.
    #[arg(long, value_name = "URL", env = "HTTPS_PROXY")]
    proxy: Option<String>,
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Push { package, reference, registry } => push(context, &package, &reference, &registry).await,
        Command::Pull { reference, owner, to, registry } => {
            let pulled = pull(context, &reference, &registry).await?;
            match to {
                Some(folder) => keep(context, &pulled, &folder),
                None => take(context, &pulled, owner).await,
            }
        }
    }
}

async fn push(context: &Context, package: &str, reference: &Reference, registry: &Registry) -> Result<(), Failure> {
    let (client, login) = (registry.client(reference)?, registry.login(reference)?);
    let parcel = link(context).await?.parcel(package).await.map_err(|error| error.to_string())?;
    let pushed = client.push(reference, &parcel, &login, &watcher(context)).await.map_err(coded)?;
    if context.json {
        json(&value!({
            "package": parcel.release.package(), "reference": pushed.reference.to_string(), "sent-bytes": pushed.sent_bytes,
            "replaced": pushed.replaced,
        }));
        return Ok(());
    }
    line(format!("{} is at {}", parcel.release.package(), pushed.reference));
    if let Some(before) = pushed.replaced {
        note(format!("the tag named another artifact before: sha256:{before}"));
    }
    note(format!("its publisher's key, for those who pull it the first time: {}", owner(&parcel)));
    Ok(())
}

async fn pull(context: &Context, reference: &Reference, registry: &Registry) -> Result<Pulled, Failure> {
    let (client, login) = (registry.client(reference)?, registry.login(reference)?);
    client.pull(reference, &login, &watcher(context)).await.map_err(coded)
}

/// Into the catalogue of the bus.
async fn take(context: &Context, pulled: &Pulled, trusted: Option<PublicKey>) -> Result<(), Failure> {
    let parcel = &pulled.parcel;
    let new = link(context).await?.take_over(parcel, trusted).await.map_err(|error| error.to_string())?;
    let (package, owner) = (parcel.release.package(), owner(parcel));
    if context.json {
        json(
            &value!({ "package": package, "signer": parcel.release.signer(), "owner": owner, "name-new": new, "manifest": pulled.manifest }),
        );
        return Ok(());
    }
    line(format!("{package} is published here, as its publisher signed it"));
    line(format!("  signed by {}", parcel.release.signer()));
    if new {
        line(format!("  `{}` belongs to {owner} on this bus from now on", parcel.release.name.publisher()));
    }
    note(format!("next: `hansa inspect {package}` shows what it wants, `hansa agent deploy {package}` runs it"));
    Ok(())
}

/// The files alone.
fn keep(context: &Context, pulled: &Pulled, folder: &Path) -> Result<(), Failure> {
    let release = &pulled.parcel.release;
    write(&pulled.parcel, folder).map_err(|error| format!("HA0025: cannot write {}: {error}", folder.display()))?;
    if context.json {
        json(
            &value!({ "package": release.package(), "signer": release.signer(), "folder": folder, "manifest": pulled.manifest }),
        );
        return Ok(());
    }
    line(format!("{} is in {}", release.package(), folder.display()));
    line(format!("  signed by {}, whoever that is: nobody has compared the key", release.signer()));
    Ok(())
}

/// A new folder with all files, or none.
fn write(parcel: &Parcel, folder: &Path) -> std::io::Result<()> {
    if folder.exists() {
        return Err(std::io::Error::other("it is there already; name a new folder"));
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent)?;
    let whole = tempfile::Builder::new().prefix(".pulling-").tempdir_in(parent)?;
    let files = &parcel.release.files;
    let named: [(&str, &[u8]); 5] = [
        ("agent.toml", parcel.release.statement.body.manifest.as_bytes()),
        ("component.wasm", &parcel.component),
        ("README.md", files.readme.as_bytes()),
        ("LICENSE", files.license.as_bytes()),
        ("package.wit", files.wit.as_bytes()),
    ];
    for (name, bytes) in named {
        std::fs::write(whole.path().join(name), bytes)?;
    }
    std::fs::rename(whole.path(), folder)
}

/// Whose the publisher's name is by the parcel; the signer's where it says nothing.
fn owner(parcel: &Parcel) -> PublicKey {
    parcel.name.as_ref().map_or(parcel.release.signer(), |chain| chain.state().owner)
}

impl Registry {
    fn client(&self, reference: &Reference) -> Result<Client, Failure> {
        let proxy = self.proxy.clone().filter(|proxy| !proxy.is_empty() && !reference.is_loopback());
        Client::new(Settings { plain_http: self.plain_http, proxy, ..Settings::default() }).map_err(coded)
    }

    fn login(&self, reference: &Reference) -> Result<Login, Failure> {
        if let (Some(user), Some(file)) = (&self.user, &self.password_file) {
            let password = read_password(file).map_err(|error| format!("HA0025: cannot read {}: {error}", file.display()))?;
            return Ok(Login::Password { user: user.clone(), password });
        }
        let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
        match folder.or_else(|| Some(std::env::home_dir()?.join(".docker"))) {
            Some(folder) => Login::from_docker_config(&folder.join("config.json"), reference).map_err(coded),
            None => Ok(Login::Anonymous),
        }
    }
}

/// The first line.
fn read_password(file: &Path) -> std::io::Result<String> {
    let text = match file == Path::new("-") {
        true => std::io::read_to_string(std::io::stdin())?,
        false => std::fs::read_to_string(file)?,
    };
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// Says when a part is through.
fn watcher(context: &Context) -> Watcher {
    let silent = context.json;
    std::sync::Arc::new(move |step: Progress| {
        if !silent && step.done_bytes == step.all_bytes {
            note(format!("  {} ({} bytes)", step.part, step.all_bytes));
        }
    })
}

fn coded(error: impl std::fmt::Display) -> Failure {
    format!("HA0025: {error}")
}
