//! One call of an agent: capabilities for this call alone, a fresh instance, and what came of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use futures::FutureExt;
use futures::future::BoxFuture;
use hansa_economy::Amount;
use hansa_host::log::Log;
use hansa_host::store::AgentStore;
use hansa_host::topics::Topics;
use hansa_host::wallet::Wallet;
use hansa_host::{CallInfo, Capabilities, Invocation, Prepared};
use hansa_inference::Inference;
use hansa_trade::{Asked, Buyer, Done, Ended, Invited, Job, Serve, Terms, Told};

use super::allowance::Allowance;
use super::infer::CallInference;
use super::logs::{CALL, Ring};
use super::market::CallMarket;
use crate::meter::Tab;

/// What the calls of one agent share.
pub(crate) struct AgentServe {
    pub(crate) prepared: Arc<Prepared>,
    pub(crate) buyer: Buyer,
    pub(crate) terms: Arc<BTreeMap<String, Terms>>,
    pub(crate) inference: Inference,
    pub(crate) tenant: Arc<str>,
    pub(crate) store: Arc<dyn AgentStore>,
    pub(crate) logs: Ring,
    /// What pays for inference.
    pub(crate) tab: Tab,
    /// What it may spend by itself; none where `agent.toml` sets no limit.
    pub(crate) allowance: Option<Allowance>,
    pub(crate) wallet: Arc<dyn Wallet>,
    pub(crate) topics: Arc<dyn Topics>,
    /// Whether the agent sells anything.
    pub(crate) sells: bool,
    /// Calls that were run.
    pub(crate) calls: AtomicU64,
}

impl AgentServe {
    /// Capabilities for one call, with the two parts that are read when it is over.
    pub(crate) fn capabilities(
        &self,
        call: Option<CallInfo>,
        deadline: Instant,
        deadline_ms: Option<u64>,
    ) -> (Capabilities, Arc<CallMarket>, Arc<CallInference>) {
        let (buyer, terms, allowance) = (self.buyer.clone(), self.terms.clone(), self.allowance.clone());
        let market = Arc::new(CallMarket::new(buyer, terms, deadline_ms, self.logs.clone(), allowance));
        let (engine, tenant, tab) = (self.inference.clone(), self.tenant.clone(), self.tab.clone());
        let inference = Arc::new(CallInference::new(engine, tenant, Arc::new(tab), deadline, self.sells));
        let log: Arc<dyn Log> = Arc::new(self.logs.clone());
        let capabilities = Capabilities {
            market: market.clone(),
            inference: inference.clone(),
            store: self.store.clone(),
            log,
            wallet: self.wallet.clone(),
            topics: self.topics.clone(),
            call,
        };
        (capabilities, market, inference)
    }

    async fn run(&self, job: Job) -> Done {
        let buyer = job.buyer.map(|key| key.to_string()).unwrap_or_default();
        let call = CallInfo { id: job.call.0, buyer, deadline: job.deadline };
        let (capabilities, market, inference) = self.capabilities(Some(call), job.deadline, Some(job.deadline_ms));
        let invocation =
            Invocation { interface: job.service, function: job.function, args: job.args, deadline: job.deadline, capabilities };
        let outcome = self.prepared.call(invocation).await;
        let used = inference.used();
        self.calls.fetch_add(1, Ordering::Relaxed);
        let (answer, failure) = match outcome.result {
            Ok(answer) => (Some(answer), String::new()),
            Err(failure) => {
                self.logs.write("error", format!("a call failed: {}", failure.for_author()));
                (None, failure.to_string())
            }
        };
        let (run_ms, items) = (outcome.timings.run_ns / 1_000_000, outcome.items);
        Done { answer, failure, children: market.receipts(), models: used.models, run_ms, items }
    }
}

impl Serve for AgentServe {
    fn check(&self, service: &str, function: &str, args: &[u8]) -> Result<(), String> {
        let schema =
            self.prepared.schema(service, function).ok_or_else(|| format!("`{service}` has no function `{function}`"))?;
        schema.validate_args(args).map_err(|error| format!("the arguments do not fit `{}`: {error}", schema.signature()))
    }

    fn serve(&self, job: Job) -> BoxFuture<'_, Done> {
        self.run(job).boxed()
    }

    fn price(&self, asked: Asked) -> BoxFuture<'_, Result<Amount, String>> {
        super::pricing::price(self, asked).boxed()
    }

    fn bid(&self, invited: Invited) -> BoxFuture<'_, Result<Option<Amount>, String>> {
        super::pricing::bid(self, invited).boxed()
    }

    fn told(&self, told: &Told<'_>) {
        super::pricing::told(self, told);
    }

    fn ended(&self, call: &Ended<'_>) {
        let buyer = call.buyer.map_or_else(|| "nobody in particular".to_owned(), |key| key.short());
        let end = match &call.fault {
            Some(fault) => format!("{fault}; "),
            None => String::new(),
        };
        self.logs.write(CALL, format!("{} for {buyer}: {end}charged {}, {} ms", call.function, call.charged, call.took_ms));
    }
}
