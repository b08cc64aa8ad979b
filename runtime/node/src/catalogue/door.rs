//! The catalogue on the bus: hand in statements, ask. Every node answers; one of them gets each question.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hansa_bus::{Bus, EndpointSpec, ServeError, Service, ServiceFailure, ServiceRequest, ServiceSpec};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::keeper::Keeper;
use super::wire::{Question, Submission};
use super::{ASK_SUBJECT, SUBMIT_SUBJECT};

/// Requests served at the same time; more are refused with a retry.
const CONCURRENCY: usize = 256;

/// How long a starting node waits for its catalogue; a long one is read on beside its work.
const START: Duration = Duration::from_secs(5);

/// Serve `keeper` on the bus from the moment at which it has read everything, until the returned task is aborted.
pub(crate) async fn serve(bus: &Bus, keeper: Keeper) -> JoinHandle<()> {
    let (bus, (open, opened)) = (bus.clone(), oneshot::channel());
    let door = tokio::spawn(async move {
        keeper.caught_up().await;
        let served = listen(&bus, keeper).await;
        if let Err(error) = &served {
            tracing::error!(%error, "this node does not answer for the catalogue");
        }
        // Nobody waits any more where reading took long.
        let _ = open.send(());
        std::future::pending::<()>().await;
        drop(served);
    });
    let _ = tokio::time::timeout(START, opened).await;
    door
}

async fn listen(bus: &Bus, keeper: Keeper) -> Result<Service, ServeError> {
    let spec = ServiceSpec {
        name: "hansa-catalogue".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        description: "The catalogue: hand in signed statements, search packages".into(),
        metadata: BTreeMap::new(),
        endpoints: vec![EndpointSpec::new("submit", SUBMIT_SUBJECT), EndpointSpec::new("ask", ASK_SUBJECT)],
        concurrency_max: CONCURRENCY,
    };
    let handler = move |request: ServiceRequest| {
        let keeper = keeper.clone();
        async move {
            match request.subject.as_str() {
                SUBMIT_SUBJECT => submit(&keeper, &request.payload).await,
                _ => ask(keeper, &request.payload).await,
            }
        }
    };
    bus.serve(spec, Arc::new(handler)).await
}

async fn submit(keeper: &Keeper, payload: &[u8]) -> Result<Bytes, ServiceFailure> {
    let submission: Submission = minicbor::decode(payload).map_err(|error| refused(400, format!("not a statement: {error}")))?;
    let seq = keeper.submit(submission).await.map_err(|message| refused(409, message))?;
    Ok(seq.to_string().into())
}

async fn ask(keeper: Keeper, payload: &[u8]) -> Result<Bytes, ServiceFailure> {
    let question: Question = serde_json::from_slice(payload).map_err(|error| refused(400, format!("not a question: {error}")))?;
    let answered = tokio::task::spawn_blocking(move || keeper.answer(question)).await;
    let answer = answered.map_err(|error| refused(500, error.to_string()))?;
    serde_json::to_vec(&answer).map(Bytes::from).map_err(|error| refused(500, error.to_string()))
}

fn refused(code: u16, message: String) -> ServiceFailure {
    ServiceFailure { code, message }
}
