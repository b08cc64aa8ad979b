//! Buckets, and watches that an index can trust.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use hansa_bus::{Bucket, BucketError, BucketEvent, BucketOptions, BucketStorage, BucketWatch, HistoryError, testing};

use crate::soon;

fn options(storage: BucketStorage) -> BucketOptions {
    BucketOptions { name: "offers".into(), max_age: None, history: 1, storage }
}

fn text(value: &str) -> Bytes {
    Bytes::copy_from_slice(value.as_bytes())
}

/// Reads up to the marker and returns the contents, as an index would build them.
async fn contents(watch: &mut BucketWatch) -> BTreeMap<String, Bytes> {
    let mut index = BTreeMap::new();
    loop {
        match soon(watch.next()).await {
            BucketEvent::Begin => index.clear(),
            BucketEvent::Put { key, value, .. } => drop(index.insert(key, value)),
            BucketEvent::Delete { key } => drop(index.remove(&key)),
            BucketEvent::CaughtUp => return index,
        }
    }
}

async fn is_empty_at_first(bucket: &Bucket) -> BucketWatch {
    let mut watch = bucket.watch_all();
    assert_eq!(soon(watch.next()).await, BucketEvent::Begin);
    assert_eq!(soon(watch.next()).await, BucketEvent::CaughtUp);
    watch
}

#[tokio::test]
async fn put_get_delete_keys() {
    let server = testing::server().await;
    let bucket = server.bus().await.bucket(options(BucketStorage::File)).await.unwrap();
    assert_eq!(bucket.get("a.b").await.unwrap(), None);
    assert_eq!(bucket.keys().await.unwrap(), Vec::<String>::new());
    let first = bucket.put("a.b", text("1")).await.unwrap();
    let second = bucket.put("a.b", text("2")).await.unwrap();
    assert!(second > first);
    let entry = bucket.get("a.b").await.unwrap().unwrap();
    assert_eq!((entry.value, entry.revision), (text("2"), second));
    bucket.put("c", Bytes::new()).await.unwrap();
    assert_eq!(bucket.keys().await.unwrap(), ["a.b", "c"]);
    bucket.delete("a.b").await.unwrap();
    bucket.delete("missing").await.unwrap();
    assert_eq!(bucket.get("a.b").await.unwrap(), None);
    assert_eq!(bucket.keys().await.unwrap(), ["c"]);
    assert!(matches!(bucket.put("a b", text("1")).await, Err(BucketError::BadName(_))));
    let big = Bytes::from(vec![0; (8 << 20) + 1]);
    assert_eq!(bucket.put("a", big).await, Err(BucketError::TooLarge { size: (8 << 20) + 1, max: 8 << 20 }));
}

#[tokio::test]
async fn opening_again() {
    let server = testing::server().await;
    let bus = server.bus().await;
    bus.bucket(options(BucketStorage::File)).await.unwrap().put("a", text("1")).await.unwrap();
    // Age and history follow the newest wish, the contents stay.
    let aged = BucketOptions { max_age: Some(Duration::from_secs(60)), history: 3, ..options(BucketStorage::File) };
    for options in [aged.clone(), aged, options(BucketStorage::File)] {
        let bucket = bus.bucket(options).await.unwrap();
        assert_eq!(bucket.get("a").await.unwrap().unwrap().value, "1");
    }
    let error = bus.bucket(options(BucketStorage::Memory)).await.unwrap_err().to_string();
    assert!(error.starts_with("bucket `offers` exists with another storage than Memory"), "{error}");
    for bad in [
        BucketOptions { name: "a.b".into(), ..options(BucketStorage::File) },
        BucketOptions { history: 0, ..options(BucketStorage::File) },
        BucketOptions { history: 65, ..options(BucketStorage::File) },
        BucketOptions { max_age: Some(Duration::from_millis(1)), ..options(BucketStorage::File) },
    ] {
        bus.bucket(bad).await.unwrap_err();
    }
}

#[tokio::test]
async fn a_server_without_jetstream() {
    let port = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let mut server = tokio::process::Command::new(testing::binary());
    server.args(["-a", "127.0.0.1", "-p", &port.to_string()]);
    let _server = server.kill_on_drop(true).stderr(std::process::Stdio::null()).spawn().unwrap();
    let bus = soon(async {
        loop {
            match hansa_bus::Bus::connect(hansa_bus::BusOptions::at(format!("127.0.0.1:{port}"))).await {
                Ok(bus) => break bus,
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    })
    .await;
    let error = bus.bucket(options(BucketStorage::File)).await.unwrap_err();
    let url = format!("nats://127.0.0.1:{port}");
    assert_eq!(error, BucketError::NoJetStream { url: url.clone() });
    assert_eq!(bus.histories("runs").await.unwrap_err(), HistoryError::NoJetStream { url });
}

#[tokio::test]
async fn a_watch_delivers_contents_then_changes() {
    let server = testing::server().await;
    let bucket = server.bus().await.bucket(options(BucketStorage::File)).await.unwrap();
    drop(is_empty_at_first(&bucket).await);
    for i in 0..3000 {
        bucket.put(&format!("k.{i}"), text("old")).await.unwrap();
    }
    bucket.delete("k.7").await.unwrap();
    bucket.put("k.8", text("new")).await.unwrap();
    let mut watch = bucket.watch_all();
    let index = contents(&mut watch).await;
    assert_eq!(index.len(), 2999);
    assert_eq!(index["k.8"], "new");
    assert!(!index.contains_key("k.7"));
    let revision = bucket.put("k.7", text("back")).await.unwrap();
    let put = BucketEvent::Put { key: "k.7".into(), value: text("back"), revision };
    assert_eq!(soon(watch.next()).await, put);
    bucket.delete("k.8").await.unwrap();
    assert_eq!(soon(watch.next()).await, BucketEvent::Delete { key: "k.8".into() });
}

#[tokio::test]
async fn expiry_is_a_deletion() {
    let server = testing::server().await;
    let options = BucketOptions { max_age: Some(Duration::from_secs(1)), ..options(BucketStorage::Memory) };
    let bucket = server.bus().await.bucket(options).await.unwrap();
    let mut watch = is_empty_at_first(&bucket).await;
    bucket.put("a", text("1")).await.unwrap();
    assert!(matches!(soon(watch.next()).await, BucketEvent::Put { key, .. } if key == "a"));
    assert_eq!(soon(watch.next()).await, BucketEvent::Delete { key: "a".into() });
    assert_eq!(bucket.get("a").await.unwrap(), None);
    assert_eq!(bucket.keys().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_watch_begins_again_after_a_restart() {
    let server = testing::server().await;
    let (writer, reader) = (server.bus().await, server.bus().await);
    let bucket = writer.bucket(options(BucketStorage::File)).await.unwrap();
    bucket.put("a", text("1")).await.unwrap();
    bucket.put("b", text("2")).await.unwrap();
    let mut watch = reader.bucket(options(BucketStorage::File)).await.unwrap().watch_all();
    assert_eq!(contents(&mut watch).await.len(), 2);
    crate::servers::restart(server.managed(), &[&writer, &reader]).await;
    bucket.delete("a").await.unwrap();
    bucket.put("c", text("3")).await.unwrap();
    // Until the second pass is over, events of the first may still come.
    let mut index = contents(&mut watch).await;
    while index.keys().ne(["b", "c"].iter()) {
        match soon(watch.next()).await {
            BucketEvent::Put { key, value, .. } => drop(index.insert(key, value)),
            BucketEvent::Delete { key } => drop(index.remove(&key)),
            BucketEvent::Begin => index.clear(),
            BucketEvent::CaughtUp => {}
        }
    }
}

#[tokio::test]
async fn a_bucket_in_memory_is_made_again_after_a_restart() {
    let server = testing::server().await;
    let bus = server.bus().await;
    let bucket = bus.bucket(options(BucketStorage::Memory)).await.unwrap();
    let mut watch = is_empty_at_first(&bucket).await;
    bucket.put("a", text("1")).await.unwrap();
    assert!(matches!(soon(watch.next()).await, BucketEvent::Put { .. }));
    crate::servers::restart(server.managed(), &[&bus]).await;
    assert_eq!(contents(&mut watch).await, BTreeMap::new());
    bucket.put("b", text("2")).await.unwrap();
    assert!(matches!(soon(watch.next()).await, BucketEvent::Put { key, .. } if key == "b"));
    assert_eq!(bucket.keys().await.unwrap(), ["b"]);
}
