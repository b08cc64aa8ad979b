//! Test support: a real `nats-server` on a free port, in a temporary folder, with one call.

use std::path::{Path, PathBuf};

use crate::{Bus, BusOptions, ManagedServer, ServerOptions};

/// A server that lives as long as this value.
#[derive(Debug)]
pub struct TestServer {
    // Before the folder, so that the server is gone when the folder goes.
    server: ManagedServer,
    folder: tempfile::TempDir,
}

/// Starts a server. Use it in tests of any room: `let server = hansa_bus::testing::server().await;`
///
/// # Panics
/// When it does not start; the message says what to do.
pub async fn server() -> TestServer {
    let folder = tempfile::tempdir().expect("the system has a writable temporary folder");
    match ManagedServer::start(ServerOptions::new(binary(), folder.path())).await {
        Ok(server) => TestServer { server, folder },
        Err(error) => panic!("no nats-server for this test: {error}"),
    }
}

/// The `nats-server` binary for tests: what the environment variable `HANSA_NATS_SERVER` names, else
/// `.tools/bin/nats-server` in the workspace.
///
/// # Panics
/// When there is none; the message says how to get one.
#[must_use]
pub fn binary() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let chosen = std::env::var_os("HANSA_NATS_SERVER").map(PathBuf::from);
    let candidate = chosen.unwrap_or_else(|| workspace.join(".tools/bin/nats-server"));
    match ManagedServer::find_binary([candidate]) {
        Ok(binary) => binary,
        Err(error) => panic!("tests need a nats-server, run ./justw setup: {error}"),
    }
}

impl TestServer {
    /// The address for clients.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The supervised server, to stop or kill it.
    #[must_use]
    pub fn managed(&self) -> &ManagedServer {
        &self.server
    }

    /// The server's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A new connection to it.
    ///
    /// # Panics
    /// When it does not come about.
    pub async fn bus(&self) -> Bus {
        match Bus::connect(BusOptions::at(self.url())).await {
            Ok(bus) => bus,
            Err(error) => panic!("no connection to the test server: {error}"),
        }
    }
}
