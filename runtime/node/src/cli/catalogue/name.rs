//! `hansa name …`: publishers' names and the keys that own them.

use clap::Subcommand;
use hansa_catalogue::names::NameChange;
use hansa_economy::PublicKey;
use hansa_node::catalogue::NameView;

use super::super::output::{json, line};
use super::super::{Context, Failure};
use super::{key, link};

#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  hansa name claim acme
  hansa name show acme
  hansa name recovery acme --key did:key:…      a key kept elsewhere, that can take the name back
  hansa name transfer acme --to did:key:…
  hansa --home ~/safe name recover acme --owner did:key:…      with that key, where the owner's is lost")]
pub(crate) enum Command {
    /// Claim a name for the key of `--home`; the first claim holds.
    Claim {
        /// Lower-case letters, digits and dashes.
        name: String,
    },
    /// Whose a name is.
    Show {
        /// The name.
        name: String,
    },
    /// Pass a name of yours on.
    Transfer {
        /// The name.
        name: String,
        /// The new owner's key, `did:key:…`.
        #[arg(long, value_name = "KEY")]
        to: PublicKey,
    },
    /// Name the second key, which can recover the name; without one there is none.
    Recovery {
        /// The name.
        name: String,
        /// A key that is kept elsewhere, `did:key:…`.
        #[arg(long, value_name = "KEY")]
        key: Option<PublicKey>,
    },
    /// Give a name whose owner's key is lost to another key; signed by its second key, in `--home`.
    Recover {
        /// The name.
        name: String,
        /// The new owner's key, `did:key:…`.
        #[arg(long, value_name = "KEY")]
        owner: PublicKey,
    },
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let (key, link) = (key(context)?, link(context).await?);
    let (name, change) = match command {
        Command::Show { name } => return show(context, &name, link.name(&name).await.map_err(|error| error.to_string())?),
        Command::Claim { name } => (name, NameChange::Claim { owner: key.public(), recovery: None }),
        Command::Transfer { name, to } => (name, NameChange::Transfer { owner: to }),
        Command::Recovery { name, key } => (name, NameChange::SetRecovery { recovery: key }),
        Command::Recover { name, owner } => (name, NameChange::Recover { owner }),
    };
    link.change_name(&name, change, &key).await.map_err(|error| error.to_string())?;
    show(context, &name, link.name(&name).await.map_err(|error| error.to_string())?)
}

fn show(context: &Context, name: &str, view: Option<NameView>) -> Result<(), Failure> {
    if context.json {
        json(&view);
        return Ok(());
    }
    let view = view.ok_or_else(|| format!("nobody has claimed `{name}`; `hansa name claim {name}` does"))?;
    line(format!("{:<10} {}", "name", view.name));
    line(format!("{:<10} {}", "owner", view.owner));
    line(match view.recovery {
        Some(key) => format!("{:<10} {key}", "second key"),
        None => format!(
            "{:<10} none: if the owner's key is lost, so is the name (`hansa name recovery {name} --key KEY`)",
            "second key"
        ),
    });
    line(format!("{:<10} {}", "records", view.seq + 1));
    Ok(())
}
