//! Connecting: each failure names its cause and the next step, within the bound.

use std::time::{Duration, Instant};

use hansa_bus::{Bus, BusOptions, BusState, ConnectError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

async fn failure(url: &str) -> String {
    failure_of(BusOptions { connect_timeout: Duration::from_secs(2), ..BusOptions::at(url) }).await
}

async fn failure_of(options: BusOptions) -> String {
    let bound = options.connect_timeout + Duration::from_secs(4);
    let begun = Instant::now();
    let error = Bus::connect(options).await.unwrap_err();
    assert!(begun.elapsed() < bound, "{:?} for {error}", begun.elapsed());
    error.to_string()
}

#[tokio::test]
async fn nothing_listens() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let expected = format!(
        "nothing listens at `nats://127.0.0.1:{port}`: start a server with `hansa up`, or give another address with `--nats URL`"
    );
    assert_eq!(failure(&format!("127.0.0.1:{port}")).await, expected);
}

#[tokio::test]
async fn a_mute_port() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("nats://{}", listener.local_addr().unwrap());
    let error = failure(&url).await;
    assert!(error.starts_with(&format!("something that says nothing answers at `{url}`, which is no nats-server")), "{error}");
}

#[tokio::test]
async fn an_http_server() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("nats://{}", listener.local_addr().unwrap());
    let serve = async {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut question = [0; 256];
                if stream.read(&mut question).await.is_ok_and(|n| n > 0) {
                    stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n").await.unwrap();
                }
            });
        }
    };
    let error = tokio::select! {
        error = failure(&url) => error,
        () = serve => unreachable!("it serves for ever"),
    };
    assert!(error.starts_with(&format!("an HTTP server answers at `{url}`, which is no nats-server")), "{error}");
}

#[tokio::test]
async fn another_protocol() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("nats://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await.unwrap();
        }
    });
    let error = failure(&url).await;
    assert!(error.starts_with("something that says `SSH-2.0-OpenSSH_9.2` answers at"), "{error}");
}

#[tokio::test]
async fn no_such_host() {
    let options = BusOptions { connect_timeout: Duration::from_secs(10), ..BusOptions::at("nats://no-such-host.invalid:4222") };
    let error = Bus::connect(options).await.unwrap_err();
    // A resolver that cannot be reached says nothing instead of no.
    assert!(matches!(error, ConnectError::Dns { .. } | ConnectError::TimedOut { .. }), "{error}");
}

#[tokio::test]
async fn no_credentials_file() {
    let options = BusOptions { credentials_file: Some("/nowhere/a.creds".into()), ..BusOptions::at("127.0.0.1:1") };
    let error = failure_of(options).await;
    assert!(error.starts_with("credentials file `/nowhere/a.creds` cannot be used"), "{error}");
}

#[tokio::test]
async fn user_and_password() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("auth.conf");
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    std::fs::write(&config, format!("listen: \"127.0.0.1:{port}\"\nauthorization {{ user: ann, password: secret }}\n")).unwrap();
    let mut server = tokio::process::Command::new(hansa_bus::testing::binary());
    let _server = server.arg("-c").arg(&config).kill_on_drop(true).stderr(std::process::Stdio::null()).spawn().unwrap();
    let good = format!("nats://ann:secret@127.0.0.1:{port}");
    let bus = crate::soon(async {
        loop {
            match Bus::connect(BusOptions::at(&good)).await {
                Ok(bus) => break bus,
                Err(ConnectError::Refused { .. }) => tokio::time::sleep(Duration::from_millis(10)).await,
                Err(error) => panic!("{error}"),
            }
        }
    })
    .await;
    assert_eq!(bus.state(), BusState::Connected);
    assert!(!bus.url().contains("secret"));
    let error = failure(&format!("nats://ann:wrong@127.0.0.1:{port}")).await;
    assert!(error.starts_with(&format!("`nats://127.0.0.1:{port}` refuses these credentials")), "{error}");
    assert!(!error.contains("wrong"), "{error}");
}
