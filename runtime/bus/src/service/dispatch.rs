//! The way of a request through a service: taken or refused at once, run as a task, answered, counted.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use async_nats::{HeaderMap, HeaderValue, PublishErrorKind, Subject};
use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::spec::{EndpointSpec, Handler, ServiceFailure, ServiceRequest, ServiceSpec};
use super::stats::{Counters, ServiceStats};
use crate::connection::Bus;
use crate::limits::SERVICE_ERROR_BYTES_MAX;
use crate::request::{ERROR_CODE_HEADER, ERROR_HEADER};

/// What all tasks of a service share.
pub(crate) struct Core {
    pub(crate) bus: Bus,
    pub(crate) spec: ServiceSpec,
    pub(crate) handler: Arc<dyn Handler>,
    pub(crate) id: String,
    pub(crate) started: time::OffsetDateTime,
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) concurrency_max: usize,
    pub(crate) endpoints: Vec<Arc<Endpoint>>,
}

/// One endpoint at work.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) name: Arc<str>,
    pub(crate) spec: EndpointSpec,
    pub(crate) counters: Counters,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core").field("id", &self.id).field("spec", &self.spec).finish_non_exhaustive()
    }
}

impl Core {
    pub(crate) fn stats(&self) -> ServiceStats {
        ServiceStats {
            running: self.concurrency_max - self.permits.available_permits(),
            endpoints: self.endpoints.iter().map(|endpoint| endpoint.counters.read(&endpoint.name)).collect(),
        }
    }
}

/// An `UNSUB` with this count ends the subscription at the server but not in the client, which is what draining needs:
/// requests that are already on their way still arrive. `Subscriber::drain` of async-nats 0.51 does not wait for them
/// (256 in flight: about 40 lost per drain), and neither does its `service` module.
///
/// The server reads at most nine digits of a count and takes a longer one as "now" (`parseSize` and `processUnsub` in
/// nats-server's `parser.go` and `client.go`). Should that change, draining is as good as the client's own.
const NOW_AT_THE_SERVER: u64 = u64::MAX;

/// Takes the requests of one endpoint until told to stop (or the sender of that word is gone), then those that the
/// server had already sent.
pub(crate) async fn run(
    core: Arc<Core>,
    endpoint: Arc<Endpoint>,
    mut requests: async_nats::Subscriber,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        tokio::select! {
            // The order to stop first: under a flood the requests would never let it through.
            biased;
            () = async { drop(stop.wait_for(|stop| *stop).await) } => break,
            request = requests.next() => match request {
                Some(request) => take(&core, &endpoint, request).await,
                None => return,
            },
        }
    }
    if requests.unsubscribe_after(NOW_AT_THE_SERVER).await.is_err() {
        return;
    }
    // What the server sent before its answer to this lies in the subscription when the answer is here. Without
    // connection there is no answer, but no request either.
    let answered = core.bus.flush();
    tokio::pin!(answered);
    loop {
        tokio::select! {
            biased;
            Some(request) = requests.next() => take(&core, &endpoint, request).await,
            _answer = &mut answered => break,
        }
    }
    while let Some(Some(request)) = requests.next().now_or_never() {
        take(&core, &endpoint, request).await;
    }
}

async fn take(core: &Arc<Core>, endpoint: &Arc<Endpoint>, message: async_nats::Message) {
    endpoint.counters.arrived();
    match Arc::clone(&core.permits).try_acquire_owned() {
        Ok(permit) => {
            tokio::spawn(work(Arc::clone(core), Arc::clone(endpoint), message, permit));
        }
        Err(_) => {
            endpoint.counters.refused();
            let message_text = format!("overloaded: `{}` requests run, ask another or later", core.concurrency_max);
            let failure = ServiceFailure { code: 503, message: message_text };
            reply_failure(core, endpoint, message.reply, failure).await;
        }
    }
}

/// Runs one request; holds its permit until the reply waits in the send queue, so that draining includes it.
async fn work(core: Arc<Core>, endpoint: Arc<Endpoint>, message: async_nats::Message, permit: OwnedSemaphorePermit) {
    let request =
        ServiceRequest { endpoint: Arc::clone(&endpoint.name), subject: message.subject.to_string(), payload: message.payload };
    let handler = Arc::clone(&core.handler);
    let begun = Instant::now();
    let outcome = AssertUnwindSafe(async move { handler.handle(request).await }).catch_unwind().await;
    endpoint.counters.worked(begun.elapsed());
    match outcome {
        Ok(Ok(payload)) => reply(&core, &endpoint, message.reply, payload).await,
        Ok(Err(failure)) => reply_failure(&core, &endpoint, message.reply, failure).await,
        Err(_) => {
            tracing::error!(service = core.spec.name, endpoint = %endpoint.name, "handler panicked");
            let failure = ServiceFailure { code: 500, message: "the service's handler panicked".to_owned() };
            reply_failure(&core, &endpoint, message.reply, failure).await;
        }
    }
    drop(permit);
}

async fn reply(core: &Core, endpoint: &Endpoint, to: Option<Subject>, payload: Bytes) {
    let Some(to) = to else { return };
    let size = payload.len();
    let Err(error) = core.bus.client().publish(to.clone(), payload).await else { return };
    if error.kind() == PublishErrorKind::MaxPayloadExceeded {
        let max = core.bus.max_payload();
        let message = format!("answer of `{size}` bytes exceeds the server's {max}");
        reply_failure(core, endpoint, Some(to), ServiceFailure { code: 500, message }).await;
    }
}

async fn reply_failure(core: &Core, endpoint: &Endpoint, to: Option<Subject>, failure: ServiceFailure) {
    let text = header_text(&failure.message);
    endpoint.counters.failed(failure.code, &text);
    let Some(to) = to else { return };
    let mut headers = HeaderMap::new();
    headers.insert(ERROR_CODE_HEADER, HeaderValue::from(u64::from(failure.code)));
    headers.insert(ERROR_HEADER, HeaderValue::from(text));
    // Fails only when the connection is closed for good: nobody is left to tell.
    let _closed = core.bus.client().publish_with_headers(to, headers, Bytes::new()).await;
}

/// A header holds one line.
fn header_text(message: &str) -> String {
    let mut text: String = message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.len() > SERVICE_ERROR_BYTES_MAX {
        text.truncate(text.floor_char_boundary(SERVICE_ERROR_BYTES_MAX));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_texts() {
        assert_eq!(header_text("a\r\nb"), "a  b");
        let long = header_text(&"ä".repeat(SERVICE_ERROR_BYTES_MAX));
        assert!(long.len() <= SERVICE_ERROR_BYTES_MAX && long.chars().all(|c| c == 'ä'));
    }
}
