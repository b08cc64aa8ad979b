//! Hosts, components and markets for the tests.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::future::BoxFuture;
use hansa_host::{
    Absent, AgentIdentity, AgentSpec, CallLimits, Capabilities, Crossing, Failure, Fault, Grants, Host, HostOptions, Invocation,
    Prepared, Program,
    log::{Log, LogLine},
    market::{Bid, Limits, Market, Offer, Purchase},
};
use serde_json::Value;

pub(crate) const GREETER: &str = "fixture:parts/greeter@0.1.0";
pub(crate) const BUYER: &str = "fixture:parts/buyer@0.1.0";
pub(crate) const HOG: &str = "fixture:parts/hog@0.1.0";
pub(crate) const KEEPER: &str = "fixture:parts/keeper@0.1.0";
pub(crate) const THINKER: &str = "fixture:parts/thinker@0.1.0";

/// The bytes of a fixture.
pub(crate) fn component(name: &str) -> Vec<u8> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let path = target.join("wasm32-wasip2/agent").join(format!("hansa_fixture_{name}.wasm"));
    std::fs::read(&path).unwrap_or_else(|_| panic!("`{}` is missing: run `./justw agents`", path.display()))
}

pub(crate) fn host() -> Host {
    host_with(HostOptions::default())
}

pub(crate) fn host_with(options: HostOptions) -> Host {
    Host::new(HostOptions { pool_instances: options.pool_instances.min(32), ..options }).unwrap()
}

pub(crate) fn host_of(crossing: Crossing) -> Host {
    host_with(HostOptions { crossing, ..HostOptions::default() })
}

pub(crate) fn program(host: &Host, name: &str) -> Arc<Program> {
    host.compile(&component(name)).unwrap()
}

pub(crate) fn spec(name: &str, grants: Grants) -> AgentSpec {
    let identity = AgentIdentity {
        agent: "did:key:z6MkAgent".into(),
        name: format!("fixture/{name}"),
        version: "0.1.0".into(),
        node: "did:key:z6MkNode".into(),
    };
    AgentSpec { identity, grants, limits: CallLimits::default(), reuse: None }
}

/// A fixture with everything that it wants.
pub(crate) fn agent(host: &Host, name: &str) -> Arc<Prepared> {
    agent_with(host, name, CallLimits::default())
}

pub(crate) fn agent_with(host: &Host, name: &str, limits: CallLimits) -> Arc<Prepared> {
    let grants = Grants {
        inference_optional: false,
        inference_models: vec!["minilm".into()],
        wallet: true,
        topics: true,
        keyvalue: true,
        market_imports: vec!["fixture:parts/greeter".into(), "fixture:pricing/pricer".into()],
        closed_sockets: false,
    };
    host.prepare(&program(host, name), AgentSpec { limits, ..spec(name, grants) }).unwrap()
}

/// Calls with JSON arguments and ten seconds of time; gives the result as JSON.
pub(crate) async fn call(agent: &Prepared, place: (&str, &str), args: Value, with: Capabilities) -> Result<Value, Failure> {
    call_within(agent, place, args, with, Duration::from_secs(10)).await
}

pub(crate) async fn call_within(
    agent: &Prepared,
    (interface, function): (&str, &str),
    args: Value,
    capabilities: Capabilities,
    time: Duration,
) -> Result<Value, Failure> {
    let schema = agent.schema(interface, function).unwrap();
    let args = schema.args_from_json(&args).unwrap().into();
    let result = call_bytes(agent, (interface, function), args, capabilities, time).await?;
    schema.validate_result(&result).unwrap();
    Ok(schema.result_to_json(&result).unwrap())
}

pub(crate) async fn call_bytes(
    agent: &Prepared,
    (interface, function): (&str, &str),
    args: Bytes,
    capabilities: Capabilities,
    time: Duration,
) -> Result<Bytes, Failure> {
    let (interface, function, deadline) = (interface.to_owned(), function.to_owned(), Instant::now() + time);
    agent.call(Invocation { interface, function, args, deadline, capabilities }).await.result
}

/// Nothing outside.
pub(crate) fn alone() -> Capabilities {
    Capabilities::absent()
}

pub(crate) fn trading(market: impl Market + 'static) -> Capabilities {
    Capabilities { market: Arc::new(market), ..Capabilities::absent() }
}

/// Keeps the lines that it gets.
#[derive(Default)]
pub(crate) struct Lines(pub(crate) Mutex<Vec<LogLine>>);

impl Log for Lines {
    fn line(&self, line: LogLine) {
        self.0.lock().unwrap().push(line);
    }
}

const ABSENT: Absent = Absent;

/// A market of one seller, which is called for every purchase.
pub(crate) struct Seller(pub(crate) Arc<Prepared>);

impl Market for Seller {
    fn buy(&self, purchase: Purchase) -> BoxFuture<'_, Result<Bytes, Fault>> {
        Box::pin(async move {
            let (args, place) = (purchase.args, (&*purchase.service, &*purchase.function));
            let sold = call_bytes(&self.0, place, args, Capabilities::absent(), Duration::from_secs(10)).await;
            sold.map_err(|failure| Fault::SellerFailed(failure.message))
        })
    }
    fn narrow(&self, _: &str, _: Limits) -> Result<(), String> {
        Ok(())
    }
    fn offers(&self, _: String, _: String) -> BoxFuture<'_, Result<Vec<Offer>, String>> {
        Box::pin(async { Ok(Vec::new()) })
    }
    fn tender(&self, purchase: Purchase, _: Duration) -> BoxFuture<'_, Result<Vec<Bid>, String>> {
        ABSENT.tender(purchase, Duration::ZERO)
    }
}
