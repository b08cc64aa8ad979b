//! A publisher's commands: `hansa publish`, `yank`, `deprecate`, `restore`, `name`, `package`; and `inspect` for whoever looks before
//! using.

pub(crate) mod inspect;
pub(crate) mod name;
pub(crate) mod notice;
pub(crate) mod package;
pub(crate) mod publish;

use hansa_economy::Keypair;
use hansa_node::catalogue::CatalogueLink;
use hansa_node::keys;

use super::{Context, Failure};

/// The catalogue of the bus.
pub(super) async fn link(context: &Context) -> Result<CatalogueLink, Failure> {
    CatalogueLink::new(&context.bus().await?).map_err(|error| error.to_string())
}

/// The key of `--home`, which owns the publisher's names.
fn key(context: &Context) -> Result<Keypair, Failure> {
    keys::load_or_make(&context.home.join("account.key")).map_err(|error| error.to_string())
}
