//! The types of functions, from the very components that are on offer. A component is fetched and compiled once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hansa_bus::Bus;
use hansa_catalogue::Blobs;
use hansa_economy::Digest;
use hansa_host::{FunctionSchema, Host, Program};
use hansa_trade::{Exchange, Listed};
use hansa_workflow::types::Signature;
use tokio::sync::OnceCell;

use crate::catalogue::CatalogueLink;
use crate::node::COMPONENT_SUBJECT;

/// How long a component may take to come from its node.
const COMPONENT_TIMEOUT: Duration = Duration::from_secs(10);
/// Components whose types are kept; all are forgotten when there are more.
const COMPONENTS_MAX: usize = 1_000;

/// A function as one seller has it.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) schema: Arc<FunctionSchema>,
    /// Does it return a `result`, so that its value is what `ok` carries?
    pub(crate) is_result: bool,
}

/// A component, once it is compiled.
type Compiled = Arc<OnceCell<Arc<Program>>>;

/// What is known of components. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Components {
    exchange: Exchange,
    host: Host,
    blobs: Blobs,
    known: Arc<Mutex<HashMap<Digest, Compiled>>>,
}

impl Components {
    pub(crate) fn new(exchange: Exchange, host: Host, blobs: Blobs) -> Components {
        Components { exchange, host, blobs, known: Arc::default() }
    }

    pub(crate) fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// The function that `listed` sells. Error: why its types cannot be had.
    pub(crate) async fn function(&self, listed: &Listed, function: &str) -> Result<Function, String> {
        let program = self.program(listed.offer.component).await?;
        let interface = program
            .export(&listed.offer.service)
            .ok_or_else(|| format!("{} does not export what it offers", listed.offer.package))?;
        let found = interface.functions.iter().find(|known| &*known.name == function);
        let schema = found.map(|found| found.schema.clone());
        let schema = schema.ok_or_else(|| format!("`{}` has no function `{function}`", listed.offer.service))?;
        let is_result = is_result(&schema.result_json_schema());
        Ok(Function { schema, is_result })
    }

    /// Whoever wants it first compiles it, and the others wait.
    async fn program(&self, component: Digest) -> Result<Arc<Program>, String> {
        let cell = {
            let mut known = self.lock();
            if known.len() >= COMPONENTS_MAX && !known.contains_key(&component) {
                known.clear();
            }
            known.entry(component).or_default().clone()
        };
        cell.get_or_try_init(|| self.compiled(component)).await.cloned()
    }

    async fn compiled(&self, component: Digest) -> Result<Arc<Program>, String> {
        let bytes = match self.blobs.get(component) {
            Ok(bytes) => bytes,
            Err(_) => fetched(self.exchange.bus(), component).await?,
        };
        let host = self.host.clone();
        let program = tokio::task::spawn_blocking(move || host.compile(&bytes)).await.map_err(|error| error.to_string())?;
        program.map_err(|error| error.to_string())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Digest, Compiled>> {
        self.known.lock().expect("no panic while components are locked")
    }
}

impl Function {
    /// As workflows are checked against.
    pub(crate) fn signature(&self) -> Option<Signature> {
        Signature::of_schemas(&self.schema.arguments_json_schema(), &self.schema.result_json_schema())
    }

    /// A workflow's arguments, null or none for a function without parameters, as the seller reads them.
    ///
    /// # Errors
    /// Where they do not fit.
    pub(crate) fn args(&self, args: &serde_json::Value) -> Result<Vec<u8>, String> {
        let none = serde_json::json!([]);
        let args = if args.is_null() { &none } else { args };
        self.schema
            .args_from_json(args)
            .map_err(|error| format!("the arguments do not fit `{}`: {error}", self.schema.signature()))
    }

    /// The value of an answer that is no fault.
    ///
    /// # Errors
    /// It cannot be read, or is an error of the function's own.
    pub(crate) fn value(&self, answer: &[u8]) -> Result<serde_json::Value, String> {
        let value = self.schema.result_to_json(answer).map_err(|error| format!("the answer cannot be read: {error}"))?;
        match value {
            serde_json::Value::Object(mut sides) if self.is_result => match sides.remove("ok") {
                Some(ok) => Ok(ok),
                None => Err(format!("it answered with an error: {}", serde_json::Value::Object(sides))),
            },
            value => Ok(value),
        }
    }
}

/// A `result`'s schema knows the members `ok` and `err`, and exactly one of them.
fn is_result(schema: &serde_json::Value) -> bool {
    let members = schema.get("properties").and_then(serde_json::Value::as_object);
    members.is_some_and(|members| members.len() == 2 && members.contains_key("ok") && members.contains_key("err"))
        && schema.get("maxProperties").is_some()
}

/// The component named by `digest`, from whoever on the bus has it; what comes is checked against the name.
pub(crate) async fn fetched(bus: &Bus, digest: Digest) -> Result<Vec<u8>, String> {
    let asked = bus.request(COMPONENT_SUBJECT, digest.0.to_vec().into(), COMPONENT_TIMEOUT).await;
    let bytes = asked.map_err(|error| format!("the component {} cannot be had from its node: {error}", digest.short()))?;
    if bytes.is_empty() {
        let link = CatalogueLink::new(bus).map_err(|error| error.to_string())?;
        let stored = link.component(digest).await;
        return stored.map_err(|error| format!("the component {} cannot be had from the bus's store: {error}", digest.short()));
    }
    match Digest::of(&bytes) == digest {
        true => Ok(bytes.to_vec()),
        false => Err(format!("a node answered with another component than {digest}")),
    }
}
