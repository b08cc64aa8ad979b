//! Published packages: the author's manifest (`agent.toml`), the publisher's signature, storage by digest, and the catalogue
//! that follows from all statements: who owns which name, what may be published after what, what can be found.

pub mod blobs;
pub mod catalogue;
pub mod limits;
pub mod manifest;
pub mod names;
pub mod package;
mod price_tag;
pub mod releases;
pub mod runs;
pub mod schema;
pub mod search;
pub mod semver;
pub mod strict_toml;
pub mod units;
pub mod version;

pub use blobs::Blobs;
pub use catalogue::Catalogue;
pub use manifest::Manifest;
pub use package::{Package, Release};
pub use search::Search;
