//! The supervised server: starting, clear refusals, restarts, stopping.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hansa_bus::{BucketOptions, BucketStorage, Bus, BusOptions, ManagedServer, ServerOptions, ServerState, StartError, testing};

use crate::soon;

/// Kills the server without warning, as the system might.
pub(crate) fn kill(server: &ManagedServer) {
    signal(server, "KILL");
}

/// Sends a signal to the server behind its supervisor's back.
pub(crate) fn signal(server: &ManagedServer, name: &str) {
    let ServerState::Running { pid } = server.state() else { panic!("it does not run") };
    assert!(Command::new("kill").args(["-s", name, &pid.to_string()]).status().unwrap().success());
}

/// Kills the server and waits until it and each bus are back.
pub(crate) async fn restart(server: &ManagedServer, buses: &[&Bus]) {
    restart_by(server, "KILL", buses).await;
}

/// The same by another signal that ends it.
pub(crate) async fn restart_by(server: &ManagedServer, name: &str, buses: &[&Bus]) {
    let before = pid(server);
    signal(server, name);
    let again = |state: &ServerState| matches!(state, ServerState::Running { pid } if *pid != before);
    soon(server.states().wait_for(again)).await.unwrap();
    for bus in buses {
        soon(async {
            while bus.flush().await.is_err() {
                bus.connected().await;
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

fn is_alive(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

fn pid(server: &ManagedServer) -> u32 {
    match server.state() {
        ServerState::Running { pid } => pid,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn it_keeps_its_store_over_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    let options = ServerOptions::new(testing::binary(), folder.path().join("a \"b\" \\c"));
    let bucket = BucketOptions { name: "b".into(), max_age: None, history: 1, storage: BucketStorage::File };
    let server = ManagedServer::start(options.clone()).await.unwrap();
    let first = pid(&server);
    let bus = Bus::connect(BusOptions::at(server.url())).await.unwrap();
    bus.bucket(bucket.clone()).await.unwrap().put("k", Bytes::from_static(b"v")).await.unwrap();
    soon(server.shutdown()).await;
    assert!(!is_alive(first));
    let server = ManagedServer::start(options).await.unwrap();
    let bus = Bus::connect(BusOptions::at(server.url())).await.unwrap();
    assert_eq!(bus.bucket(bucket).await.unwrap().get("k").await.unwrap().unwrap().value, "v");
    let second = pid(&server);
    drop(server);
    assert!(!is_alive(second));
}

#[tokio::test]
async fn it_is_started_again_on_the_same_port() {
    let server = testing::server().await;
    let bus = server.bus().await;
    let port = server.managed().port();
    for _ in 0..3 {
        restart(server.managed(), &[&bus]).await;
    }
    assert_eq!(server.managed().port(), port);
}

#[tokio::test]
async fn a_port_in_use_is_told_before() {
    let server = testing::server().await;
    let folder = tempfile::tempdir().unwrap();
    let port = server.managed().port();
    let options = ServerOptions { port: Some(port), ..ServerOptions::new(testing::binary(), folder.path()) };
    let begun = Instant::now();
    let error = ManagedServer::start(options).await.unwrap_err().to_string();
    let start = format!("port {port} of 127.0.0.1 is in use by nats-server `hansa` 2.");
    assert!(error.starts_with(&start), "{error}");
    let pid = pid(server.managed());
    assert!(error.contains(&format!("(process {pid} `nats-server`): if that is your node, it runs already")), "{error}");
    assert!(error.contains("`hansa up --port PORT`") && !error.contains("--nats"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_folder_in_use_is_told() {
    let server = testing::server().await;
    let error = ManagedServer::start(ServerOptions::new(testing::binary(), server.folder())).await.unwrap_err();
    assert!(matches!(error, StartError::StoreInUse { .. }), "{error}");
}

#[tokio::test]
async fn bad_options_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let good = ServerOptions::new(testing::binary(), folder.path());
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let cases = [
        (ServerOptions { name: "a b".into(), ..good.clone() }, "server name `a b` is not valid"),
        (ServerOptions { max_payload: 0, ..good.clone() }, "max_payload is `0` bytes"),
        (ServerOptions { binary: "/nowhere/x".into(), ..good.clone() }, "`/nowhere/x` cannot be run"),
        (ServerOptions { store_dir: file, ..good.clone() }, "`"),
        (ServerOptions { host: [203, 0, 113, 7].into(), ..good.clone() }, "`203.0.113.7:0` cannot be listened on"),
        (ServerOptions { binary: "/bin/false".into(), ..good }, "nats-server ended at once (exit status: 1)"),
    ];
    for (options, expected) in cases {
        let error = soon(ManagedServer::start(options)).await.unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[tokio::test]
async fn the_last_words_of_a_server_that_fails_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    // JetStream's folder is a file.
    std::fs::write(folder.path().join("jetstream"), "").unwrap();
    let error = ManagedServer::start(ServerOptions::new(testing::binary(), folder.path())).await.unwrap_err().to_string();
    assert!(error.starts_with("nats-server ended at once (exit status: 1), its last words: `"), "{error}");
    assert!(error.contains("jetstream") || error.contains("storage directory"), "{error}");
}

/// The story: a node is killed by the system (out of memory); its server must not stay behind and hold the port.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn it_dies_with_a_parent_that_dies_hard() {
    const INNER: &str = "HANSA_TEST_SERVER_FOLDER";
    if let Some(folder) = std::env::var_os(INNER) {
        let server = ManagedServer::start(ServerOptions::new(testing::binary(), &folder)).await.unwrap();
        std::fs::write(Path::new(&folder).join("pid.new"), pid(&server).to_string()).unwrap();
        std::fs::rename(Path::new(&folder).join("pid.new"), Path::new(&folder).join("pid")).unwrap();
        return std::future::pending().await;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "servers::it_dies_with_a_parent_that_dies_hard"])
        .env(INNER, folder.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let server = soon(async {
        loop {
            match std::fs::read_to_string(folder.path().join("pid")) {
                Ok(pid) => break pid.parse::<u32>().unwrap(),
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    })
    .await;
    assert!(is_alive(server));
    parent.kill().unwrap();
    parent.wait().unwrap();
    let gone = |pid| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        status.is_empty() || status.contains(") Z ")
    };
    soon(async {
        while !gone(server) {
            tokio::time::sleep(Duration::from_millis(5)).await
        }
    })
    .await;
}
