//! `hansa yank`, `deprecate`, `restore`: what a publisher says about what is published.

use clap::Args;
use hansa_catalogue::releases::Says;

use super::super::output::{json, line};
use super::super::{Context, Failure};
use super::{key, link};

/// Take a version out of use: nothing new resolves to it. Whoever named exactly this version can still run it.
#[derive(Args)]
#[command(after_help = "Examples:\n  hansa yank acme/translator@1.2.0 --reason 'drops the last word'")]
pub(crate) struct Yank {
    /// `publisher/name@version`, or `publisher/name` for all versions.
    package: String,
    /// Why, for whoever uses it.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Advise against a version, or a whole package: it still resolves, and whoever looks is told.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  hansa deprecate acme/translator --message 'no longer kept up' --instead acme/translator-next"
)]
pub(crate) struct Deprecate {
    /// `publisher/name@version`, or `publisher/name` for all versions.
    package: String,
    /// What users should know.
    #[arg(long, value_name = "TEXT")]
    message: String,
    /// The package to use instead.
    #[arg(long, value_name = "PACKAGE")]
    instead: Option<String>,
}

/// Take a yank or a deprecation back.
#[derive(Args)]
#[command(after_help = "Examples:\n  hansa restore acme/translator@1.2.0")]
pub(crate) struct Restore {
    /// As it was yanked or deprecated.
    package: String,
}

pub(crate) async fn yank(context: &Context, yank: Yank) -> Result<(), Failure> {
    let says = Says::Yanked { reason: yank.reason };
    say(context, &yank.package, says, "is yanked; whoever named exactly this version can still run it").await
}

pub(crate) async fn deprecate(context: &Context, deprecate: Deprecate) -> Result<(), Failure> {
    let says = Says::Deprecated { message: deprecate.message, successor: deprecate.instead };
    say(context, &deprecate.package, says, "is deprecated; it still resolves, and whoever looks is told").await
}

pub(crate) async fn restore(context: &Context, restore: Restore) -> Result<(), Failure> {
    say(context, &restore.package, Says::Restored, "is restored").await
}

async fn say(context: &Context, about: &str, says: Says, done: &str) -> Result<(), Failure> {
    let (key, link) = (key(context)?, link(context).await?);
    link.say(about, says, &key).await.map_err(|error| error.to_string())?;
    if context.json {
        json(&serde_json::json!({ "package": about, "done": done }));
    } else {
        line(format!("{about} {done}"));
    }
    Ok(())
}
