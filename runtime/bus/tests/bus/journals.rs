//! Journals: one order for everybody, nothing twice, nothing lost; and objects too long for a message.

use bytes::Bytes;
use hansa_bus::{BucketError, JournalError, JournalEvent, JournalReader, testing};

use crate::servers::kill;
use crate::soon;

async fn entry(reader: &mut JournalReader) -> (u64, Bytes) {
    loop {
        match soon(reader.next()).await {
            JournalEvent::Entry { seq, entry } => return (seq, entry),
            JournalEvent::Begin | JournalEvent::CaughtUp => {}
        }
    }
}

#[tokio::test]
async fn an_entry_stands_once_and_where_it_came_first() {
    let server = testing::server().await;
    let journal = server.bus().await.journal("facts").await.unwrap();
    assert_eq!(journal.append("a", "one".into()).await, Ok(1));
    assert_eq!(journal.append("b", "two".into()).await, Ok(2));
    assert_eq!(journal.append("a", "another".into()).await, Ok(1), "the first one stays");
    assert_eq!(journal.append("c", "three".into()).await, Ok(3));
    let mut reader = server.bus().await.journal("facts").await.unwrap().follow();
    assert_eq!(soon(reader.next()).await, JournalEvent::Begin);
    for (seq, text) in [(1, "one"), (2, "two"), (3, "three")] {
        assert_eq!(entry(&mut reader).await, (seq, text.into()));
    }
    assert_eq!(soon(reader.next()).await, JournalEvent::CaughtUp);
    journal.append("d", "four".into()).await.unwrap();
    assert_eq!(entry(&mut reader).await, (4, "four".into()));
}

#[tokio::test]
async fn reading_goes_on_after_the_server_died() {
    let server = testing::server().await;
    let journal = server.bus().await.journal("facts").await.unwrap();
    journal.append("a", "one".into()).await.unwrap();
    let mut reader = journal.follow();
    assert_eq!(entry(&mut reader).await, (1, "one".into()));
    kill(server.managed());
    let written = loop {
        match journal.append("b", "two".into()).await {
            Ok(seq) => break seq,
            Err(JournalError::BadName(error)) => panic!("{error}"),
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
        }
    };
    assert_eq!(written, 2);
    let mut begun = false;
    let next = loop {
        match soon(reader.next()).await {
            JournalEvent::Begin => begun = true,
            JournalEvent::CaughtUp => {}
            JournalEvent::Entry { seq, entry } => break (seq, entry),
        }
    };
    assert_eq!(next, (2, "two".into()), "nothing comes twice");
    assert!(!begun, "it is the same journal");
}

#[tokio::test]
async fn names_and_sizes_are_checked() {
    let server = testing::server().await;
    let bus = server.bus().await;
    assert!(matches!(bus.journal("a b").await, Err(JournalError::BadName(_))));
    let journal = bus.journal("facts").await.unwrap();
    assert!(matches!(journal.append("a b", Bytes::new()).await, Err(JournalError::BadName(_))));
    let big = Bytes::from(vec![0; (8 << 20) + 1]);
    assert_eq!(journal.append("a", big).await, Err(JournalError::TooLarge { size: (8 << 20) + 1, max: 8 << 20 }));
}

#[tokio::test]
async fn objects_may_be_longer_than_a_message() {
    let server = testing::server().await;
    let objects = server.bus().await.objects("things").unwrap();
    assert_eq!(objects.get("a", 100).await, Ok(None));
    let bytes: Vec<u8> = (0..20_000_000_u32).map(|i| (i % 251) as u8).collect();
    objects.put("a", &bytes).await.unwrap();
    objects.put("empty", &[]).await.unwrap();
    let other = server.bus().await.objects("things").unwrap();
    assert!(other.get("a", bytes.len()).await.unwrap().as_ref() == Some(&bytes));
    assert_eq!(other.get("empty", 0).await, Ok(Some(Vec::new())));
    assert_eq!(other.get("a", 1000).await, Err(BucketError::TooLarge { size: bytes.len(), max: 1000 }));
    assert_eq!(other.get("missing", 1000).await, Ok(None));
    assert!(matches!(other.get("a b", 1000).await, Err(BucketError::BadName(_))));
}

/// Where others may write too, what is there need not be what was put there.
#[tokio::test]
async fn an_object_that_is_something_else_is_replaced() {
    let server = testing::server().await;
    let bus = server.bus().await;
    let objects = bus.objects("things").unwrap();
    let right = b"right".as_slice();
    assert_eq!(objects.keep("a", right).await, Ok(true));
    assert_eq!(objects.keep("a", right).await, Ok(false), "it is there");
    for wrong in [b"wrong".as_slice(), b"", b"right and more"] {
        objects.put("a", wrong).await.unwrap();
        assert_eq!(objects.keep("a", right).await, Ok(true));
        assert_eq!(objects.get("a", right.len()).await, Ok(Some(right.to_vec())));
    }
    // Notes (NATS ADR-20) that do not fit to the bytes.
    let notes = r#"{"name":"a","bucket":"things","nuid":"odd","size":5,"chunks":1,"digest":"SHA-256=AAAA"}"#;
    bus.publish("$O.things.C.odd", Bytes::from_static(right)).await.unwrap();
    bus.publish("$O.things.M.YQ==", Bytes::from_static(notes.as_bytes())).await.unwrap();
    bus.flush().await.unwrap();
    let damaged = BucketError::Damaged { bucket: "things".into(), key: "a".into() };
    soon(async { while objects.get("a", right.len()).await != Err(damaged.clone()) {} }).await;
    assert_eq!(objects.keep("a", right).await, Ok(true));
    assert_eq!(objects.get("a", right.len()).await, Ok(Some(right.to_vec())));
    assert!(matches!(objects.keep("a b", right).await, Err(BucketError::BadName(_))));
}
