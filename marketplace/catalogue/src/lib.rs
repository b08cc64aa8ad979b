//! Published packages: the author's manifest (`agent.toml`), the publisher's signature, storage by digest.

pub mod blobs;
pub mod limits;
pub mod manifest;
pub mod package;
pub mod runs;
pub mod strict_toml;
pub mod units;

pub use blobs::Blobs;
pub use manifest::Manifest;
pub use package::Package;
