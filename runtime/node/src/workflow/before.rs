//! What can be known before a run: the types and offers of what is on sale now, for checks and quotes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use hansa_catalogue::strict_toml::nearest;
use hansa_economy::Amount;
use hansa_trade::{Candidate, Exchange, Listed};
use hansa_workflow::Workflow;
use hansa_workflow::check::check;
use hansa_workflow::definition::{Call, Work};
use hansa_workflow::limits::NESTED_RUNS_MAX;
use hansa_workflow::market::{Known, Listing, Market};
use hansa_workflow::quote::{self, quote};
use hansa_workflow::run::{Plan, Wanted};
use hansa_workflow::types::Signature;
use serde_json::{Map, Value, json};

use super::contracts::Function;
use super::engine::Engine;
use super::sellers::terms;
use super::starting::listed;
use crate::ambient;

/// What is on sale, and the workflows that others run.
struct Sale {
    exchange: Exchange,
    /// Functions that are called, by interface and name, as one seller has them.
    functions: BTreeMap<(String, String), Function>,
    files: HashMap<String, Option<String>>,
}

impl Market for Sale {
    fn offers(&self, wanted: &Wanted) -> Known<Vec<Listing>> {
        Known::Yes(self.listings(wanted, None))
    }

    fn priced(&self, wanted: &Wanted, args: &Value) -> Option<Vec<Listing>> {
        let function = self.functions.get(&(wanted.service.clone(), wanted.function.clone()))?;
        Some(self.listings(wanted, Some(function.args(args).ok()?.len())))
    }

    fn workflow(&self, name: &str) -> Known<Option<String>> {
        self.files.get(name).map_or(Known::No, |file| Known::Yes(file.clone()))
    }
}

impl Sale {
    /// Who sells it, for arguments of so many bytes where that is known.
    fn listings(&self, wanted: &Wanted, bytes: Option<usize>) -> Vec<Listing> {
        // Terms exclude nothing here: what they exclude is told.
        let mut all = terms(wanted, Amount::MAX, None);
        (all.max_price, all.sellers, all.nodes) = (Amount::MAX, None, None);
        all.labels.clear();
        let found = self.exchange.index().candidates(&wanted.service, &wanted.function, 0, &all, ambient::now_ms());
        found.unwrap_or_default().iter().map(|candidate| listing(candidate, &wanted.function, bytes)).collect()
    }
}

fn listing(candidate: &Candidate, function: &str, bytes: Option<usize>) -> Listing {
    let offer = &candidate.listed.offer;
    let price = offer.functions.get(function);
    let (least, most) = (bytes.unwrap_or(1), bytes.unwrap_or(usize::MAX));
    Listing {
        seller: offer.agent,
        package: offer.package.clone(),
        node: offer.node,
        node_name: offer.node_name.clone(),
        labels: offer.labels.clone(),
        price_min: price.map_or(candidate.price_min, |price| price.floor(least)),
        price_needed: price
            .map_or(candidate.price_max, |price| if price.quoted { price.floor(least) } else { price.ceiling(least) }),
        price_max: price.map_or(candidate.price_max, |price| price.ceiling(most)),
        is_quoted: candidate.quoted,
        free_calls: offer.free_calls,
    }
}

impl Engine {
    /// Everything that is wrong with a file, by what is on sale now.
    pub(super) async fn check(&self, name: &str, file: &str) -> Value {
        let sale = match Workflow::read(file) {
            Ok(workflow) => self.sale(&workflow).await,
            Err(_) => Sale { exchange: self.exchange(), functions: BTreeMap::new(), files: HashMap::new() },
        };
        let contracts: BTreeMap<(String, String), Signature> =
            sale.functions.iter().filter_map(|(key, function)| Some((key.clone(), function.signature()?))).collect();
        let checked = check(file, &contracts, &sale);
        let text = match checked.findings.is_empty() {
            true => format!("{name}: nothing is wrong"),
            false => checked.text(name, file),
        };
        json!({ "good": checked.is_good(), "text": text, "checked": checked })
    }

    /// What a run would cost now.
    pub(super) async fn quote(&self, file: &str, input: Map<String, Value>) -> Result<Value, String> {
        let plan = Plan::new(file).map_err(|problems| listed(&problems))?;
        let sale = self.sale(&plan.workflow).await;
        // Without all inputs, for any.
        let inputs = match input.is_empty() {
            true => plan.workflow.inputs_of(input).ok(),
            false => Some(plan.workflow.inputs_of(input)?),
        };
        let quoted = quote(&plan, &sale, inputs.as_ref());
        Ok(json!({ "text": quote::text(&quoted), "quote": quoted }))
    }

    fn exchange(&self) -> Exchange {
        self.inner.sellers.components.exchange().clone()
    }

    /// All functions that the file calls, where somebody sells them.
    async fn functions(&self, workflow: &Workflow) -> BTreeMap<(String, String), Function> {
        let offers = self.exchange().index().all(ambient::now_ms());
        let mut functions = BTreeMap::new();
        for call in calls(workflow) {
            let key = (call.service.clone(), call.function.clone());
            if functions.contains_key(&key) {
                continue;
            }
            let sellers = offers.iter().filter(|listed| listed.offer.satisfies(&call.service));
            for listed in sellers.filter(|listed| listed.offer.functions.contains_key(&call.function)) {
                if let Ok(function) = self.inner.sellers.components.function(listed, &call.function).await {
                    functions.insert(key.clone(), function);
                    break;
                }
            }
            if !functions.contains_key(&key) {
                self.add_near(call, &offers, &mut functions).await;
            }
        }
        functions
    }

    /// Of a function that nobody sells: the others of its interface, or those of the interface with the nearest name, so that it can be said what was meant.
    async fn add_near(&self, call: &Call, offers: &[Arc<Listed>], functions: &mut BTreeMap<(String, String), Function>) {
        let own = offers.iter().find(|listed| listed.offer.satisfies(&call.service));
        let names = || offers.iter().map(|listed| listed.offer.service.as_str());
        let (listed, service) = match own {
            Some(listed) => (listed, call.service.clone()),
            None => {
                match nearest(&call.service, names()).and_then(|near| offers.iter().find(|listed| listed.offer.service == near)) {
                    Some(listed) => (listed, listed.offer.service.clone()),
                    None => return,
                }
            }
        };
        for name in listed.offer.functions.keys() {
            if let Ok(function) = self.inner.sellers.components.function(listed, name).await {
                functions.insert((service.clone(), name.clone()), function);
            }
        }
    }

    /// With the workflows that it runs, and those that they run.
    async fn sale(&self, workflow: &Workflow) -> Sale {
        let mut files = HashMap::new();
        let mut wanted: HashSet<String> = runs(workflow);
        for _ in 0..=NESTED_RUNS_MAX {
            let mut next = HashSet::new();
            for name in wanted.into_iter().filter(|name| !files.contains_key(name)).collect::<Vec<_>>() {
                let file = self.inner.files.newest(&name).await.ok();
                next.extend(file.as_deref().and_then(|file| Workflow::read(file).ok()).iter().flat_map(runs));
                files.insert(name, file);
            }
            wanted = next;
        }
        Sale { exchange: self.exchange(), functions: self.functions(workflow).await, files }
    }
}

fn runs(workflow: &Workflow) -> HashSet<String> {
    let run = |work: &Work| match work {
        Work::Run { workflow, .. } => Some(workflow.clone()),
        _ => None,
    };
    workflow.all_steps().into_iter().filter_map(|step| run(&step.work)).collect()
}

fn calls(workflow: &Workflow) -> Vec<&Call> {
    let mut calls = Vec::new();
    for step in workflow.all_steps() {
        if let Work::Call(call) = &step.work {
            calls.push(&**call);
            calls.extend(call.compensate.as_deref());
        }
    }
    calls
}
