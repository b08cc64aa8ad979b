//! Releases to and from registries over loopback: a registry in this process that keeps to the distribution specification, and
//! in `real.rs` any other that is named.
#![expect(clippy::unwrap_used, reason = "tests")]

// The catalogue's own components for tests, built from WIT text; a feature for them would build the catalogue twice.
#[expect(dead_code, reason = "its own releases are too small to be stopped midway; `release.rs` makes others of its parts")]
#[path = "../../../catalogue/src/package/fixture.rs"]
mod fixture;
mod hostile;
mod logins;
mod real;
mod release;
mod server;
mod tls;
mod wire;

use hansa_catalogue::package::{Release, ReleaseParts, describe};
