//! Requests and messages: replies, and what each failure means.

use std::time::{Duration, Instant};

use bytes::Bytes;
use hansa_bus::{BusState, PublishError, RequestError, testing};

use crate::{LONG, soon};

#[tokio::test]
async fn a_reply() {
    let server = testing::server().await;
    let (asker, answerer) = (server.bus().await, server.bus().await);
    let mut questions = answerer.subscribe("q.*").await.unwrap();
    answerer.flush().await.unwrap();
    let answering = tokio::spawn(async move {
        let question = questions.next().await.unwrap();
        assert!(question.wants_reply());
        question.respond(Bytes::from(format!("{} {:?}", question.subject, question.payload))).await.unwrap();
    });
    let reply = asker.request("q.one", Bytes::from_static(b"hello"), LONG).await.unwrap();
    assert_eq!(reply, "q.one b\"hello\"");
    answering.await.unwrap();
}

#[tokio::test]
async fn publications_arrive_in_order() {
    let server = testing::server().await;
    let (from, to) = (server.bus().await, server.bus().await);
    let mut messages = to.subscribe("n.>").await.unwrap();
    to.flush().await.unwrap();
    for i in 0..1000_u32 {
        from.publish("n.x", Bytes::copy_from_slice(&i.to_be_bytes())).await.unwrap();
    }
    for i in 0..1000_u32 {
        assert_eq!(soon(messages.next()).await.unwrap().payload, i.to_be_bytes()[..]);
    }
}

#[tokio::test]
async fn failures_before_sending() {
    let server = testing::server().await;
    let bus = server.bus().await;
    assert_eq!(bus.max_payload(), 8 << 20);
    let error = bus.request("nobody", Bytes::new(), LONG).await.unwrap_err();
    assert_eq!(error, RequestError::NoResponders { subject: "nobody".into() });
    let big = Bytes::from(vec![0; (8 << 20) + 1]);
    let error = bus.request("nobody", big.clone(), LONG).await.unwrap_err();
    assert_eq!(error, RequestError::TooLarge { size: big.len(), max: 8 << 20 });
    assert_eq!(bus.publish("nobody", big.clone()).await, Err(PublishError::TooLarge { size: big.len(), max: 8 << 20 }));
    let error = bus.request("a b", Bytes::new(), LONG).await.unwrap_err();
    assert!(matches!(error, RequestError::BadSubject(_)), "{error}");
    // The largest allowed does pass.
    let mut messages = bus.subscribe("big").await.unwrap();
    bus.publish("big", big.slice(1..)).await.unwrap();
    assert_eq!(soon(messages.next()).await.unwrap().payload.len(), 8 << 20);
}

#[tokio::test]
async fn a_timeout() {
    let server = testing::server().await;
    let bus = server.bus().await;
    let _mute = bus.subscribe("mute").await.unwrap();
    let begun = Instant::now();
    let after = Duration::from_millis(100);
    let error = bus.request("mute", Bytes::new(), after).await.unwrap_err();
    assert_eq!(error, RequestError::Timeout { subject: "mute".into(), after });
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_lost_connection_ends_requests_early_and_heals() {
    let server = testing::server().await;
    let bus = server.bus().await;
    let mut questions = bus.subscribe("q").await.unwrap();
    bus.flush().await.unwrap();
    let asked = tokio::spawn({
        let bus = bus.clone();
        async move { bus.request("q", Bytes::new(), LONG).await }
    });
    soon(questions.next()).await.unwrap();
    crate::servers::restart(server.managed(), &[]).await;
    let error = soon(asked).await.unwrap().unwrap_err();
    assert_eq!(error, RequestError::Disconnected { sent: true });
    // The bus and its subscription come back.
    soon(async {
        while bus.flush().await.is_err() {
            bus.connected().await
        }
    })
    .await;
    assert_eq!(bus.state(), BusState::Connected);
    bus.publish("q", Bytes::from_static(b"again")).await.unwrap();
    assert_eq!(soon(questions.next()).await.unwrap().payload, "again");
}

#[tokio::test]
async fn without_connection_nothing_is_sent() {
    let server = testing::server().await;
    let bus = server.bus().await;
    drop(server);
    soon(bus.disconnected()).await;
    let begun = Instant::now();
    let error = bus.request("q", Bytes::new(), LONG).await.unwrap_err();
    assert_eq!(error, RequestError::Disconnected { sent: false });
    assert_eq!(bus.publish("q", Bytes::new()).await, Err(PublishError::Disconnected));
    assert!(begun.elapsed() < Duration::from_secs(1));
}
