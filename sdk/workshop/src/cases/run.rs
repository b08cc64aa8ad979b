//! Running cases: the component on the real host, with the case's market, a store in memory and the caller's models.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hansa_catalogue::Manifest;
use hansa_economy::Amount;
use hansa_economy::price::{Measure, Price};
use hansa_host::inference::Infer;
use hansa_host::log::{Log, LogLine};
use hansa_host::{
    AgentIdentity, AgentSpec, CallInfo, CallLimits, Capabilities, CompileError, FunctionSchema, Grants, Host, InterfaceKind,
    Invocation, LifecycleError, Outcome, PrepareError, Prepared, Program, Reuse, Trigger, is_fault,
};
use serde_json::Value;

use super::Verdict;
use super::expect::compare;
use super::file::{Action, Case, Expected};
use super::market::{Bought, CaseMarket};
use super::outside::{CaseTopics, CaseWallet};
use super::store::MemoryStore;

/// Gives an agent its models for one call that ends at the deadline.
pub type Models = Arc<dyn Fn(Instant) -> Arc<dyn Infer> + Send + Sync>;

/// An agent that is ready for cases.
pub struct TestBench {
    manifest: Manifest,
    prepared: Arc<Prepared>,
    models: Models,
    store: MemoryStore,
}

/// Why an agent cannot be tested.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The component is none.
    #[error("HA0007: {0}")]
    Compile(#[from] CompileError),
    /// It needs what `agent.toml` does not ask for, or what cannot be had.
    #[error("HA0008: {0}")]
    Prepare(#[from] PrepareError),
}

/// The outside of one call, with the parts that are read when it is over.
struct Outside {
    capabilities: Capabilities,
    market: Arc<CaseMarket>,
    topics: Arc<CaseTopics>,
}

/// Where one function is.
struct Function {
    service: String,
    name: String,
    schema: Arc<FunctionSchema>,
}

impl TestBench {
    /// Makes an agent of `manifest` and its component, with all that it asks for granted.
    ///
    /// # Errors
    /// See [`BenchError`].
    pub fn new(host: &Host, manifest: Manifest, component: &[u8], models: Models) -> Result<TestBench, BenchError> {
        let program = host.compile(component)?;
        let identity = AgentIdentity {
            agent: "did:key:the-agent".into(),
            name: manifest.agent.name.clone(),
            version: manifest.agent.version.clone(),
            node: "did:key:the-node".into(),
        };
        let reuse = manifest.instance.serial().map(|(calls_max, age_max)| Reuse { calls_max, age_max });
        let spec = AgentSpec { identity, grants: asked(&manifest), limits: limits(&manifest), reuse };
        let prepared = host.prepare(&program, spec)?;
        let store = empty_store(&manifest);
        Ok(TestBench { manifest, prepared, models, store })
    }

    /// Runs one case.
    pub async fn run(&mut self, file: &Path, case: &Case) -> Verdict {
        let lines = Arc::new(Lines::default());
        let (wrong, took) = self.tried(case, &lines).await;
        let logs = std::mem::take(&mut *lines.0.lock().unwrap_or_else(PoisonError::into_inner));
        Verdict { file: file.to_owned(), case: case.name.clone(), wrong, logs, took }
    }

    async fn tried(&mut self, case: &Case, lines: &Arc<Lines>) -> (Vec<String>, Duration) {
        if !case.continues {
            self.store = empty_store(&self.manifest);
            self.prepared.forget_instances();
            let deadline = Instant::now() + case.deadline;
            let outside = self.outside(case, deadline, lines, None);
            if let Err(error) = self.prepared.start(outside.capabilities, deadline).await {
                return (vec![format!("lifecycle.start: {error}")], Duration::ZERO);
            }
        }
        match &case.action {
            Action::Call { function, arguments } => self.called(case, function, arguments, lines).await,
            Action::Wake(trigger) => self.woken(case, trigger, lines).await,
        }
    }

    async fn called(&self, case: &Case, function: &str, arguments: &Value, lines: &Arc<Lines>) -> (Vec<String>, Duration) {
        let function = match self.function(function) {
            Ok(function) => function,
            Err(wrong) => return (vec![wrong], Duration::ZERO),
        };
        let args = match function.schema.args_from_json(arguments) {
            Ok(args) => args,
            Err(error) => {
                return (vec![format!("the arguments do not fit `{}`: {error}", function.schema.signature())], Duration::ZERO);
            }
        };
        let deadline = Instant::now() + case.deadline;
        let info = CallInfo { id: [7; 32], buyer: case.buyer.clone(), deadline };
        let price = self.price(&function, &args, lines, deadline).await;
        let Outside { capabilities, market, topics } = self.outside(case, deadline, lines, Some(info));
        let request_bytes = args.len();
        let (interface, name) = (function.service.clone(), function.name.clone());
        let call = Invocation { interface, function: name, args: args.into(), deadline, capabilities };
        let Outcome { result, timings, items } = self.prepared.call(call).await;
        let took = Duration::from_nanos(timings.run_ns);
        let mut wrong = match result {
            Ok(result) => {
                let run_ms = timings.run_ns / 1_000_000;
                let measure = Measure { request_bytes, response_bytes: result.len(), run_ms, items, ..Measure::default() };
                self.judge(case, &function, price, measure, &result)
            }
            Err(failure) => vec![format!("the call broke: {}", failure.for_author())],
        };
        wrong.extend(traded(case, &market.bought(), &topics.published()));
        (wrong, took)
    }

    async fn woken(&self, case: &Case, trigger: &Trigger, lines: &Arc<Lines>) -> (Vec<String>, Duration) {
        if !self.prepared.wakes() {
            return (vec!["the component cannot be woken; it exports no `hansa:agent/autonomy@0.1.0`".into()], Duration::ZERO);
        }
        let begun = Instant::now();
        let deadline = begun + case.deadline;
        let Outside { capabilities, market, topics } = self.outside(case, deadline, lines, None);
        let woken = self.prepared.wake(trigger, capabilities, deadline).await;
        let took = begun.elapsed();
        let mut wrong = Vec::new();
        match (woken, &case.expected) {
            (Ok(()), None) => {}
            (Ok(()), Some(expected)) => wrong.extend(compare(expected, &serde_json::json!({ "ok": null }))),
            (Err(LifecycleError::Refused(text)), Some(expected)) => {
                wrong.extend(compare(expected, &serde_json::json!({ "err": text })))
            }
            (Err(error), _) => wrong.push(format!("the waking failed: {error}")),
        }
        wrong.extend(traded(case, &market.bought(), &topics.published()));
        (wrong, took)
    }

    fn outside(&self, case: &Case, deadline: Instant, lines: &Arc<Lines>, call: Option<CallInfo>) -> Outside {
        let market = Arc::new(CaseMarket::new(case.market.clone(), self.manifest.buys.clone()));
        let asked = &self.manifest.capabilities;
        let topics = Arc::new(CaseTopics::new(asked.topics.publish.clone()));
        let spend_per_day = asked.wallet.as_ref().map(|wallet| wallet.spend_per_day).unwrap_or_default();
        let capabilities = Capabilities {
            market: market.clone(),
            inference: (self.models)(deadline),
            store: Arc::new(self.store.clone()),
            log: lines.clone(),
            wallet: Arc::new(CaseWallet { funds: case.funds, spend_per_day, market: market.clone() }),
            topics: topics.clone(),
            call,
        };
        Outside { capabilities, market, topics }
    }

    fn judge(
        &self,
        case: &Case,
        function: &Function,
        price: Result<Price, String>,
        measure: Measure,
        result: &[u8],
    ) -> Vec<String> {
        let mut wrong = Vec::new();
        match function.schema.result_to_json(result) {
            Ok(found) => wrong.extend(case.expected.as_ref().and_then(|wanted| compare(&in_wire_form(wanted, function), &found))),
            Err(error) => wrong.push(format!("the answer is not of its declared type: {error}")),
        }
        let charged = match price {
            Ok(_) if is_fault(result) => Amount::ZERO,
            Ok(price) => price.due(&measure, 1),
            Err(none) => {
                wrong.push(none);
                return wrong;
            }
        };
        wrong.extend(
            case.charge.filter(|wanted| *wanted != charged).map(|wanted| format!("charge: expected {wanted}, got {charged}")),
        );
        wrong
    }

    /// The price of a call by `agent.toml`, for a customer that has no free calls left; the agent's own where it is quoted.
    async fn price(&self, function: &Function, args: &[u8], lines: &Arc<Lines>, deadline: Instant) -> Result<Price, String> {
        let tag = self.manifest.sells.get(&function.service).and_then(|sale| sale.price.get(&function.name));
        let price = tag.map_or(Price::FREE, |tag| tag.0.clone());
        if !price.quoted {
            return Ok(price);
        }
        let with = Capabilities { store: Arc::new(self.store.clone()), log: lines.clone(), ..Capabilities::absent() };
        let named = self.prepared.price(&function.service, &function.name, args, with, deadline).await;
        let named = named.map(|units| Amount(units.into())).map_err(|error| format!("no price was named: {error}"))?;
        match named <= price.max {
            true => Ok(Price::per_call(named)),
            false => Err(format!("the agent named a price of {named}, above the `max` of {} in agent.toml", price.max)),
        }
    }

    /// The function that a case calls: by its name alone where only one interface has it.
    fn function(&self, call: &str) -> Result<Function, String> {
        let (interface, name) = match call.rsplit_once('.').filter(|(_, name)| !name.contains('/')) {
            Some((interface, name)) => (Some(interface), name),
            None => (None, call),
        };
        let program = self.prepared.program();
        let mut found = sold(program)
            .filter(|function| function.name == name && interface.is_none_or(|wanted| is_named(&function.service, wanted)));
        match (found.next(), found.next()) {
            (Some(function), None) => Ok(function),
            (Some(_), Some(_)) => Err(format!("several interfaces have `{name}`; write `interface.{name}`")),
            (None, _) => {
                let known: Vec<String> = sold(program).map(|function| format!("`{}`", function.name)).collect();
                Err(format!("no function `{call}` is sold; the component sells {}", known.join(", ")))
            }
        }
    }
}

/// What is wrong about what the agent bought and published.
fn traded(case: &Case, bought: &Bought, published: &BTreeMap<String, u32>) -> Vec<String> {
    let mut wrong = Vec::new();
    let spent = bought.spent;
    wrong.extend(case.spends.filter(|wanted| *wanted != spent).map(|wanted| format!("spends: expected {wanted}, got {spent}")));
    for (what, wanted, found) in [("buys", &case.buys, &bought.counts), ("publishes", &case.publishes, published)] {
        if let Some(wanted) = wanted.as_ref().filter(|wanted| *wanted != found) {
            wrong.push(format!("{what}\n  expected {}\n  got      {}", counted(wanted), counted(found)));
        }
    }
    wrong
}

/// Functions of everything that the component sells.
fn sold(program: &Program) -> impl Iterator<Item = Function> {
    let services = program.exports().iter().filter(|interface| interface.kind == InterfaceKind::Service);
    services.flat_map(|interface| {
        interface.functions.iter().map(|function| Function {
            service: interface.name.to_string(),
            name: function.name.to_string(),
            schema: function.schema.clone(),
        })
    })
}

/// Is this interface meant by `wanted`: its whole name, the name without version, or its last part?
fn is_named(service: &str, wanted: &str) -> bool {
    let without = service.split('@').next().unwrap_or(service);
    service == wanted || without == wanted || without.rsplit('/').next() == Some(wanted)
}

/// The expected answer as the wire would give it: numbers in their width, left-out options as null. Where it does not fit the type,
/// the comparison shows both.
fn in_wire_form(expected: &Expected, function: &Function) -> Expected {
    let Expected::Answer(answer) = expected else { return expected.clone() };
    let written = function.schema.result_from_json(&serde_json::json!({ "ok": answer })).ok();
    let read = written.and_then(|bytes| function.schema.result_to_json(&bytes).ok());
    match read.as_ref().and_then(|read| read.get("ok")) {
        Some(answer) => Expected::Answer(answer.clone()),
        None => expected.clone(),
    }
}

fn counted(counts: &BTreeMap<String, u32>) -> Value {
    serde_json::json!(counts)
}

fn empty_store(manifest: &Manifest) -> MemoryStore {
    MemoryStore::new(manifest.capabilities.keyvalue.as_ref().map_or(0, |keyvalue| keyvalue.bytes_max.0))
}

/// Everything that the manifest asks for.
fn asked(manifest: &Manifest) -> Grants {
    let inference = &manifest.capabilities.inference;
    Grants {
        inference_models: inference.models.iter().chain(&inference.models_optional).cloned().collect(),
        inference_optional: !inference.models_optional.is_empty(),
        keyvalue: manifest.capabilities.keyvalue.is_some(),
        wallet: manifest.capabilities.wallet.is_some(),
        topics: !manifest.capabilities.topics.publish.is_empty(),
        market_imports: manifest.buys.keys().cloned().collect(),
        closed_sockets: true,
    }
}

fn limits(manifest: &Manifest) -> CallLimits {
    CallLimits {
        memory_bytes_max: usize::try_from(manifest.limits.memory.0).unwrap_or(usize::MAX),
        cpu_ms_max: u64::try_from(manifest.limits.cpu_per_call.0.as_millis()).unwrap_or(u64::MAX),
        ..CallLimits::default()
    }
}

/// What the agent wrote.
#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Log for Lines {
    fn line(&self, line: LogLine) {
        let level = format!("{:?}", line.level).to_lowercase();
        let text = format!("{level}: {}", line.text);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }
}
