//! Services: answers, refusals, discovery, draining.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::future::join_all;
use hansa_bus::{EndpointSpec, RequestError, ServiceFailure, ServiceRequest, ServiceSpec, testing};
use tokio::sync::Semaphore;

use crate::{LONG, soon};

pub(crate) fn spec(concurrency_max: usize) -> ServiceSpec {
    ServiceSpec {
        name: "greeter".into(),
        version: "1.2.3".into(),
        description: "greets".into(),
        metadata: BTreeMap::from([("node".into(), "n1".into())]),
        endpoints: vec![EndpointSpec::new("hello", "greet.hello")],
        concurrency_max,
    }
}

pub(crate) async fn greet(request: ServiceRequest) -> Result<Bytes, ServiceFailure> {
    match &request.payload[..] {
        b"bad" => Err(ServiceFailure { code: 400, message: "no\r\nname".into() }),
        b"panic" => panic!("the test asked for it"),
        b"large" => Ok(Bytes::from(vec![0; (8 << 20) + 1])),
        name => Ok(Bytes::from(format!("hello {}", String::from_utf8_lossy(name)))),
    }
}

#[tokio::test]
async fn answers_and_errors() {
    let server = testing::server().await;
    let (host, asker) = (server.bus().await, server.bus().await);
    let service = host.serve(spec(16), Arc::new(greet)).await.unwrap();
    let ask = async |text: &'static str| asker.request("greet.hello", Bytes::from_static(text.as_bytes()), LONG).await;
    assert_eq!(ask("ann").await.unwrap(), "hello ann");
    let expect = |code, message: &str| Err(RequestError::ServiceError { code, message: message.into() });
    assert_eq!(ask("bad").await, expect(400, "no  name"));
    assert_eq!(ask("panic").await, expect(500, "the service's handler panicked"));
    assert_eq!(ask("large").await, expect(500, "answer of `8388609` bytes exceeds the server's 8388608"));
    let stats = service.stats();
    let endpoint = &stats.endpoints[0];
    assert_eq!((endpoint.requests, endpoint.errors, endpoint.refused), (4, 3, 0));
    assert_eq!(endpoint.last_error.as_deref(), Some("500:answer of `8388609` bytes exceeds the server's 8388608"));
    drop(service);
    let gone = soon(async {
        loop {
            if let Err(error) = ask("ann").await {
                break error;
            }
        }
    })
    .await;
    assert!(matches!(gone, RequestError::NoResponders { .. }), "{gone}");
}

#[tokio::test]
async fn overload_is_refused_at_once() {
    let server = testing::server().await;
    let (host, asker) = (server.bus().await, server.bus().await);
    let gate = Arc::new(Semaphore::new(0));
    let handler = {
        let gate = Arc::clone(&gate);
        move |_: ServiceRequest| {
            let gate = Arc::clone(&gate);
            async move {
                gate.acquire().await.unwrap().forget();
                Ok(Bytes::new())
            }
        }
    };
    let service = host.serve(spec(2), Arc::new(handler)).await.unwrap();
    let ask = || {
        tokio::spawn({
            let asker = asker.clone();
            async move { asker.request("greet.hello", Bytes::new(), LONG).await }
        })
    };
    let held = [ask(), ask()];
    soon(async {
        while service.stats().running < 2 {
            tokio::task::yield_now().await
        }
    })
    .await;
    let begun = Instant::now();
    for answer in join_all((0..100).map(|_| ask())).await {
        let error = answer.unwrap().unwrap_err();
        assert!(matches!(error, RequestError::ServiceError { code: 503, .. }), "{error}");
        assert!(!error.may_have_taken_effect() && error.retry_is_sensible());
    }
    assert!(begun.elapsed() < Duration::from_secs(5));
    gate.add_permits(2);
    for answer in join_all(held).await {
        answer.unwrap().unwrap();
    }
    assert_eq!(service.stats().endpoints[0].refused, 100);
}

/// The story: a node that stops while requests pour in must answer each of them, or the requester gets "nobody
/// serves", which promises that nothing happened. A timeout or silence would mean a payment in doubt.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn draining_loses_nothing() {
    let server = testing::server().await;
    let asker = server.bus().await;
    for round in 0..6 {
        let host = server.bus().await;
        let handled = Arc::new(AtomicUsize::new(0));
        let service = host.serve(spec(10_000), Arc::new(counting(&handled))).await.unwrap();
        let askers: Vec<_> = (0..256).map(|_| tokio::spawn(ask_until_refused(asker.clone()))).collect();
        soon(async {
            while handled.load(Ordering::SeqCst) < 2000 {
                tokio::time::sleep(Duration::from_millis(1)).await
            }
        })
        .await;
        // A drop drains as well, though nobody waits for it.
        if round % 2 == 0 {
            soon(service.drain(LONG)).await.unwrap()
        } else {
            drop(service)
        }
        let mut answered = 0;
        for asker in askers {
            let (count, error) = soon(asker).await.unwrap();
            assert!(matches!(error, RequestError::NoResponders { .. }), "round {round}: {error}");
            answered += count;
        }
        assert_eq!(answered, handled.load(Ordering::SeqCst));
    }
}

fn counting(handled: &Arc<AtomicUsize>) -> impl Fn(ServiceRequest) -> std::future::Ready<Result<Bytes, ServiceFailure>> + use<> {
    let handled = Arc::clone(handled);
    move |_| {
        handled.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Ok(Bytes::new()))
    }
}

async fn ask_until_refused(asker: hansa_bus::Bus) -> (usize, RequestError) {
    let mut answered = 0;
    loop {
        match asker.request("greet.hello", Bytes::new(), LONG / 2).await {
            Ok(_) => answered += 1,
            Err(error) => return (answered, error),
        }
    }
}

#[tokio::test]
async fn draining_is_bounded() {
    let server = testing::server().await;
    let (host, asker) = (server.bus().await, server.bus().await);
    let endless = |_: ServiceRequest| std::future::pending();
    let service = host.serve(spec(4), Arc::new(endless)).await.unwrap();
    let asked = tokio::spawn(async move { asker.request("greet.hello", Bytes::new(), LONG).await });
    soon(async {
        while service.stats().running < 1 {
            tokio::task::yield_now().await
        }
    })
    .await;
    let after = Duration::from_millis(200);
    let error = soon(service.drain(after)).await.unwrap_err();
    assert_eq!((error.running, error.after), (1, after));
    asked.abort();
}

#[tokio::test]
async fn instances_share_the_work() {
    let server = testing::server().await;
    let (one, two, asker) = (server.bus().await, server.bus().await, server.bus().await);
    let services = [one.serve(spec(64), Arc::new(greet)).await.unwrap(), two.serve(spec(64), Arc::new(greet)).await.unwrap()];
    for _ in 0..200 {
        asker.request("greet.hello", Bytes::new(), LONG).await.unwrap();
    }
    let counts = services.map(|service| service.stats().endpoints[0].requests);
    assert_eq!(counts[0] + counts[1], 200);
    assert!(counts.iter().all(|count| *count > 20), "{counts:?}");
}

#[tokio::test]
async fn services_come_back_with_the_server() {
    let server = testing::server().await;
    let (host, asker) = (server.bus().await, server.bus().await);
    let _service = host.serve(spec(4), Arc::new(greet)).await.unwrap();
    crate::servers::restart(server.managed(), &[&host, &asker]).await;
    assert_eq!(asker.request("greet.hello", Bytes::from_static(b"bo"), LONG).await.unwrap(), "hello bo");
}
