//! Discovery: the answers to `$SRV.PING`, `$SRV.INFO` and `$SRV.STATS`, whose JSON NATS ADR-32 fixes
//! (<https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-32.md>).

use std::collections::BTreeMap;
use std::sync::Arc;

use async_nats::Message;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{BoxStream, SelectAll};
use serde::Serialize;
use time::OffsetDateTime;

use super::dispatch::{Core, Endpoint};

/// A question of discovery.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Verb {
    Ping,
    Info,
    Stats,
}

impl Verb {
    fn word(self) -> &'static str {
        match self {
            Self::Ping => "PING",
            Self::Info => "INFO",
            Self::Stats => "STATS",
        }
    }
}

/// Questions as they arrive.
pub(crate) type Questions = SelectAll<BoxStream<'static, (Verb, Message)>>;

/// The head that all answers share.
#[derive(Debug, Serialize)]
struct Head<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'a str,
    id: &'a str,
    version: &'a str,
    metadata: &'a BTreeMap<String, String>,
}

#[derive(Debug, Serialize)]
struct InfoAnswer<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    description: &'a str,
    endpoints: Vec<EndpointInfo<'a>>,
}

#[derive(Debug, Serialize)]
struct EndpointInfo<'a> {
    name: &'a str,
    subject: &'a str,
    queue_group: &'a str,
    metadata: &'a BTreeMap<String, String>,
}

#[derive(Debug, Serialize)]
struct StatsAnswer<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    started: String,
    endpoints: Vec<EndpointNumbers<'a>>,
}

/// Times are nanoseconds, as ADR-32 has them.
#[derive(Debug, Serialize)]
struct EndpointNumbers<'a> {
    name: &'a str,
    subject: &'a str,
    queue_group: &'a str,
    num_requests: u64,
    num_errors: u64,
    last_error: String,
    processing_time: u64,
    average_processing_time: u64,
    data: Extra,
}

/// What ADR-32 leaves to the service.
#[derive(Debug, Serialize)]
struct Extra {
    refused: u64,
    running: usize,
    concurrency_max: usize,
}

/// Subscribes to each verb for all services, for this name, and for this instance.
pub(crate) async fn listen(core: &Core) -> Result<Questions, async_nats::SubscribeError> {
    let mut questions = Questions::new();
    for verb in [Verb::Ping, Verb::Info, Verb::Stats] {
        let all = format!("$SRV.{}", verb.word());
        let kind = format!("{all}.{}", core.spec.name);
        let instance = format!("{kind}.{}", core.id);
        for subject in [all, kind, instance] {
            let asked = core.bus.client().subscribe(subject).await?;
            questions.push(asked.map(move |message| (verb, message)).boxed());
        }
    }
    Ok(questions)
}

/// The subject on which exactly this instance answers a ping.
pub(crate) fn own_ping(core: &Core) -> String {
    format!("$SRV.PING.{}.{}", core.spec.name, core.id)
}

/// Answers until the connection is closed for good.
pub(crate) async fn answer(core: Arc<Core>, mut questions: Questions) {
    while let Some((verb, message)) = questions.next().await {
        let Some(reply) = message.reply else { continue };
        let json = match verb {
            Verb::Ping => serde_json::to_vec(&head(&core, "io.nats.micro.v1.ping_response")),
            Verb::Info => serde_json::to_vec(&info(&core)),
            Verb::Stats => serde_json::to_vec(&numbers(&core)),
        };
        let json = json.expect("strings, numbers and maps with string keys always have a JSON form");
        if core.bus.client().publish(reply, Bytes::from(json)).await.is_err() {
            tracing::warn!(service = core.spec.name, verb = verb.word(), "answer to discovery not sent");
        }
    }
}

fn head<'a>(core: &'a Core, kind: &'static str) -> Head<'a> {
    let spec = &core.spec;
    Head { kind, name: &spec.name, id: &core.id, version: &spec.version, metadata: &spec.metadata }
}

fn info(core: &Core) -> InfoAnswer<'_> {
    let endpoints = core.spec.endpoints.iter().map(|spec| EndpointInfo {
        name: &spec.name,
        subject: &spec.subject,
        queue_group: &spec.queue_group,
        metadata: &spec.metadata,
    });
    InfoAnswer {
        head: head(core, "io.nats.micro.v1.info_response"),
        description: &core.spec.description,
        endpoints: endpoints.collect(),
    }
}

fn numbers(core: &Core) -> StatsAnswer<'_> {
    let running = core.concurrency_max - core.permits.available_permits();
    StatsAnswer {
        head: head(core, "io.nats.micro.v1.stats_response"),
        started: timestamp(core.started),
        endpoints: core.endpoints.iter().map(|endpoint| endpoint_numbers(endpoint, running, core)).collect(),
    }
}

/// RFC 3339 with exactly six digits of a second: the stock client for Python reads no other number of them.
fn timestamp(at: OffsetDateTime) -> String {
    let (date, time) = (at.date(), at.time());
    let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
    let (hour, minute, second, micros) = time.as_hms_micro();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

fn endpoint_numbers<'a>(endpoint: &'a Endpoint, running: usize, core: &Core) -> EndpointNumbers<'a> {
    let stats = endpoint.counters.read(&endpoint.name);
    let processing_time = u64::try_from(stats.processing_time.as_nanos()).unwrap_or(u64::MAX);
    let worked = stats.requests - stats.refused.min(stats.requests);
    EndpointNumbers {
        name: &endpoint.spec.name,
        subject: &endpoint.spec.subject,
        queue_group: &endpoint.spec.queue_group,
        num_requests: stats.requests,
        num_errors: stats.errors,
        last_error: stats.last_error.unwrap_or_default(),
        processing_time,
        average_processing_time: processing_time.checked_div(worked).unwrap_or(0),
        data: Extra { refused: stats.refused, running, concurrency_max: core.concurrency_max },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps() {
        let at = OffsetDateTime::from_unix_timestamp_nanos(1_700_000_000_000_042_999).unwrap();
        assert_eq!(timestamp(at), "2023-11-14T22:13:20.000042Z");
    }
}
