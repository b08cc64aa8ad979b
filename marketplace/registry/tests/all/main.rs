//! Releases to and from registries over loopback: a registry in this process that keeps to the distribution specification, and
//! in `real.rs` any other that is named.
#![expect(clippy::unwrap_used, reason = "tests")]

mod hostile;
mod logins;
mod real;
mod release;
mod server;
mod tls;
mod wire;
