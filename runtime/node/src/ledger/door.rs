//! The ledger on the bus: any node and any buyer may submit signed commands and ask.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use hansa_bus::{Bus, EndpointSpec, ServeError, Service, ServiceFailure, ServiceRequest, ServiceSpec};
use hansa_ledger::{Ledger, SubmitError};

use super::link::answer;
use super::wire::{Query, Receipted};
use super::{QUERY_SUBJECT, SUBMIT_SUBJECT};

/// Requests served at the same time; more are refused with a retry.
const CONCURRENCY: usize = 1024;

/// Serve `ledger` on the bus until the returned service is dropped.
pub async fn serve(bus: &Bus, ledger: Ledger) -> Result<Service, ServeError> {
    let spec = ServiceSpec {
        name: "hansa-ledger".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        description: "The ledger: submit signed commands, ask for accounts and channels".into(),
        metadata: BTreeMap::from([("ledger".to_owned(), ledger.id().to_string())]),
        endpoints: vec![EndpointSpec::new("submit", SUBMIT_SUBJECT), EndpointSpec::new("query", QUERY_SUBJECT)],
        concurrency_max: CONCURRENCY,
    };
    let handler = move |request: ServiceRequest| {
        let ledger = ledger.clone();
        async move {
            match request.subject.as_str() {
                SUBMIT_SUBJECT => submit(&ledger, request.payload).await,
                _ => query(&ledger, &request.payload),
            }
        }
    };
    bus.serve(spec, Arc::new(handler)).await
}

async fn submit(ledger: &Ledger, command: Bytes) -> Result<Bytes, ServiceFailure> {
    let outcome = ledger.submit(command.to_vec()).await.map_err(|error| submit_failure(&error))?;
    let reply = Receipted { seq: outcome.seq, result: outcome.result };
    Ok(minicbor::to_vec(reply).expect("writing to memory cannot fail").into())
}

/// 400 and 503: it had no effect. 500: it may have.
fn submit_failure(error: &SubmitError) -> ServiceFailure {
    let code = match error {
        SubmitError::Statement(_) => 400,
        SubmitError::Overloaded { .. } | SubmitError::Full { .. } => 503,
        _ => 500,
    };
    ServiceFailure { code, message: error.to_string() }
}

fn query(ledger: &Ledger, payload: &[u8]) -> Result<Bytes, ServiceFailure> {
    let query: Query =
        minicbor::decode(payload).map_err(|error| ServiceFailure { code: 400, message: format!("not a question: {error}") })?;
    let found = answer(ledger, &query).map_err(|error| ServiceFailure { code: 500, message: error.to_string() })?;
    Ok(minicbor::to_vec(found).expect("writing to memory cannot fail").into())
}
