//! Discovery as the stock tools read it: the JSON that `nats micro` expects, by NATS ADR-32's schemas.

use std::sync::Arc;

use bytes::Bytes;
use hansa_bus::{Bus, testing};
use serde_json::{Value, json};

use crate::LONG;
use crate::services::{greet, spec};

async fn ask(bus: &Bus, subject: &str) -> Value {
    serde_json::from_slice(&bus.request(subject, Bytes::new(), LONG).await.unwrap()).unwrap()
}

#[tokio::test]
async fn discovery() {
    let server = testing::server().await;
    let (host, asker) = (server.bus().await, server.bus().await);
    let service = host.serve(spec(16), Arc::new(greet)).await.unwrap();
    asker.request("greet.hello", Bytes::new(), LONG).await.unwrap();
    asker.request("greet.hello", Bytes::from_static(b"bad"), LONG).await.unwrap_err();
    let id = service.id();
    let head = |kind: &str| {
        json!({"type": format!("io.nats.micro.v1.{kind}_response"), "name": "greeter", "id": id, "version": "1.2.3",
               "metadata": {"node": "n1"}})
    };
    for suffix in [String::new(), ".greeter".into(), format!(".greeter.{id}")] {
        assert_eq!(ask(&asker, &format!("$SRV.PING{suffix}")).await, head("ping"));
        let mut info = head("info");
        info["description"] = "greets".into();
        info["endpoints"] = json!([{"name": "hello", "subject": "greet.hello", "queue_group": "q", "metadata": {}}]);
        assert_eq!(ask(&asker, &format!("$SRV.INFO{suffix}")).await, info);
        check_stats(ask(&asker, &format!("$SRV.STATS{suffix}")).await, &head("stats"));
    }
}

fn check_stats(mut stats: Value, head: &Value) {
    let started = stats["started"].take();
    assert!(started.as_str().unwrap().ends_with('Z') && started.as_str().unwrap().contains('T'), "{started}");
    let endpoint = stats["endpoints"][0].take();
    let total = endpoint["processing_time"].as_u64().unwrap();
    assert_eq!(endpoint["average_processing_time"], total / 2);
    assert_eq!(endpoint["num_requests"], 2);
    assert_eq!(endpoint["num_errors"], 1);
    assert_eq!(endpoint["last_error"], "400:no  name");
    assert_eq!(endpoint["data"], json!({"refused": 0, "running": 0, "concurrency_max": 16}));
    for (key, value) in head.as_object().unwrap() {
        assert_eq!(&stats[key], value, "{key}");
    }
}
