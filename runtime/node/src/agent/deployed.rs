//! A deployed agent: checked, prepared, with its own key, account and state; offers out until it drains.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hansa_bus::{Bucket, EndpointSpec, Service, ServiceFailure, ServiceRequest, ServiceSpec};
use hansa_catalogue::{Manifest, Package};
use hansa_economy::channel::AccountId;
use hansa_economy::offer::Offer;
use hansa_economy::{Amount, Digest, Keypair, PublicKey};
use hansa_host::store::AgentStore;
use hansa_host::{Absent, AgentIdentity, AgentSpec, Host, Prepared, Program};
use hansa_inference::Inference;
use hansa_state::OpenStates;
use hansa_trade::limits::OFFER_RENEWAL;
use hansa_trade::{Buyer, Exchange, Payer, Seller, Serve, call_subject, pay_subject, subject_token};
use serde::{Deserialize, Serialize};

use super::allowance::Allowance;
use super::logs::{LogLine, Ring};
use super::offers::{self, Place};
use super::purse::Purse;
use super::serve::AgentServe;
use super::store::Shelf;
use super::wakes::{self, Sleeper, Wakes};
use crate::codes::Coded;
use crate::config::Grant;
use crate::keys;
use crate::ledger::LinkPort;
use crate::meter::{Meter, Tab, TabOptions};
use crate::policy::{self, Granted};

/// How long calls may go on after the offers are withdrawn.
const DRAIN: Duration = Duration::from_secs(10);
/// How long `lifecycle.start` and `stop` may take.
const LIFECYCLE: Duration = Duration::from_secs(10);
/// Label of an agent's account.
const ACCOUNT_LABEL: &str = "agent";

/// What agents of one node share.
#[derive(Clone)]
pub struct Surroundings {
    /// wasmtime.
    pub host: Host,
    /// Models.
    pub inference: Inference,
    /// The market.
    pub exchange: Exchange,
    /// The ledger.
    pub ledger: LinkPort,
    /// Where offers are published.
    pub offers: Bucket,
    /// The node's key.
    pub node: PublicKey,
    /// The node's name.
    pub node_name: String,
    /// The operator's account, which inference is paid to.
    pub operator: AccountId,
    /// What was charged for inference.
    pub meter: Meter,
    /// What an agent may owe for inference while its account is empty.
    pub credit: Amount,
    /// The asset of everything.
    pub asset: u32,
    /// What the operator grants.
    pub policy: Arc<Vec<Grant>>,
    /// Agents' state files that are open.
    pub states: OpenStates,
}

/// What is deployed, and where its things are.
pub struct Deployment {
    /// What it is called on this node.
    pub name: String,
    /// The package.
    pub package: Package,
    /// The agent's folder: key and state.
    pub folder: PathBuf,
}

/// How to deploy, beyond what.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Wanted {
    /// What the agent is called on this node; the package's short name where none is given.
    pub name: Option<String>,
    /// Working capital from the operator's account, which is there before the agent first wakes up.
    pub fund: Option<Amount>,
}

/// Why an agent does not run. Each text says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct DeployError(pub String);

/// A running agent.
pub struct Deployed {
    name: String,
    package: String,
    component: Digest,
    key: Arc<Keypair>,
    account: AccountId,
    offers: Vec<Offer>,
    serve: Arc<AgentServe>,
    seller: Seller,
    service: Option<Service>,
    renewal: tokio::task::JoinHandle<()>,
    wakes: Option<Wakes>,
    around: Surroundings,
}

/// An agent in a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AgentStatus {
    /// Name on this node.
    pub name: String,
    /// `publisher/name@version`.
    pub package: String,
    /// The agent's key.
    pub agent: String,
    /// Its account.
    pub account: String,
    /// What the account can spend; none where the ledger cannot be asked.
    pub balance: Option<String>,
    /// Interfaces it sells.
    pub sells: Vec<String>,
    /// SHA-256 of the component.
    pub component: String,
    /// Calls run since the node started.
    pub calls: u64,
}

fn failed(error: impl std::fmt::Display) -> DeployError {
    DeployError(error.to_string())
}

/// What a component and a manifest give before anything is started.
struct Checked {
    granted: Granted,
    program: Arc<Program>,
}

async fn check(around: &Surroundings, package: &Package) -> Result<Checked, DeployError> {
    let installed = lendable(around, &package.manifest);
    let granted =
        policy::grant(&package.manifest, &around.policy, &installed).map_err(|text| DeployError(format!("HA0008: {text}")))?;
    let (host, bytes) = (around.host.clone(), package.component.clone());
    check_licences(around, package)?;
    let compiled = tokio::task::spawn_blocking(move || host.compile(&bytes)).await.map_err(failed)?;
    Ok(Checked { granted, program: compiled.map_err(|error| DeployError(error.coded()))? })
}

/// The node's models whose licences let them serve this agent.
fn lendable(around: &Surroundings, manifest: &Manifest) -> Vec<String> {
    let models = around.inference.models().into_iter();
    models.filter(|model| model.resale || manifest.sells.is_empty()).map(|model| model.name).collect()
}

/// A model whose licence forbids resale serves no agent that sells.
fn check_licences(around: &Surroundings, package: &Package) -> Result<(), DeployError> {
    let manifest = &package.manifest;
    if manifest.sells.is_empty() {
        return Ok(());
    }
    for model in &manifest.capabilities.inference.models {
        if let Ok(info) = around.inference.info(model)
            && !info.resale
        {
            return Err(DeployError(format!(
                "`{}` sells what it makes with the model `{model}`, whose licence ({}) does not allow resale here; use another model, or \
                 set `resale = true` in its package where you have the right",
                manifest.agent.name, info.license
            )));
        }
    }
    Ok(())
}

/// Would this package start? Nothing is started, so that what runs can go on where it would not.
pub(crate) async fn rehearse(around: &Surroundings, package: &Package) -> Result<(), DeployError> {
    let checked = check(around, package).await?;
    prepare(around, package, &checked, around.node)?;
    let place = place(around, around.node, around.operator);
    offers::offers(&package.manifest, &checked.program, &place).map(drop).map_err(DeployError)
}

/// The account of the agent whose folder this is; made with its key where it is new.
pub(crate) async fn open_account(around: &Surroundings, folder: &std::path::Path) -> Result<AccountId, DeployError> {
    let key = keys::load_or_make(&folder.join("agent.key")).map_err(failed)?;
    around.ledger.open_account(around.asset, ACCOUNT_LABEL, &key).await.map_err(failed)
}

impl Deployed {
    /// Check, prepare and start an agent; when this returns, buyers can call it.
    pub async fn start(around: Surroundings, deployment: Deployment) -> Result<Deployed, DeployError> {
        let Deployment { name, package, folder } = deployment;
        let checked = check(&around, &package).await?;
        let key = Arc::new(keys::load_or_make(&folder.join("agent.key")).map_err(failed)?);
        let prepared = prepare(&around, &package, &checked, key.public())?;
        let account = open_account(&around, &folder).await?;
        let place = place(&around, key.public(), account);
        let offers = offers::offers(&package.manifest, &checked.program, &place).map_err(DeployError)?;
        let payer = Payer { account, key: key.clone(), asset: around.asset };
        let wallet = package.manifest.capabilities.wallet.as_ref();
        let allowance = wallet.map(|wallet| Allowance::open(wallet.spend_per_day, folder.join("spending.json")));
        let serve = Arc::new(AgentServe {
            prepared,
            buyer: Buyer::new(around.exchange.clone(), payer).map_err(failed)?,
            terms: Arc::new(offers::terms(&package.manifest)),
            inference: around.inference.clone(),
            tenant: key.public().to_string().into(),
            store: store(&around.states, &checked.granted, &folder)?,
            logs: Ring::default(),
            tab: tab(&around, account, &key),
            wallet: match &allowance {
                Some(allowance) => Arc::new(purse(&around, account, &key, allowance)),
                None => Arc::new(Absent),
            },
            allowance,
            topics: Arc::new(wakes::Granted {
                bus: around.exchange.bus().clone(),
                publish: package.manifest.capabilities.topics.publish.clone(),
            }),
            sells: !package.manifest.sells.is_empty(),
            calls: AtomicU64::new(0),
        });
        begin(&serve).await?;
        let seller = Seller::new(around.exchange.clone(), key.clone(), &offers, serve.clone()).map_err(failed)?;
        let service = Some(listen(&around, &package, &offers, &seller).await?);
        publish(&around, &seller, &offers).await?;
        let wakes = begin_waking(&around, &package.manifest, account, &serve).await?;
        let renewal = tokio::spawn(renew(around.clone(), seller.clone(), offers.clone(), serve.clone()));
        let manifest = &package.manifest;
        let component = package.statement.body.component;
        Ok(Deployed {
            name,
            package: manifest.package(),
            component,
            key,
            account,
            offers,
            serve,
            seller,
            service,
            renewal,
            wakes,
            around,
        })
    }

    /// Its name on this node.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its account.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// Its key.
    pub fn agent(&self) -> PublicKey {
        self.key.public()
    }

    /// What runs its calls: for the operator's own use, outside of the market, without price or receipt.
    pub fn serve(&self) -> Arc<dyn Serve> {
        self.serve.clone()
    }

    /// The last lines it wrote and the last of its trade, after line `after`.
    pub fn logs(&self, count: usize, after: u64) -> Vec<LogLine> {
        self.serve.logs.last(count, after)
    }

    /// For a list.
    pub async fn status(&self) -> AgentStatus {
        let account = self.around.ledger.link().account(self.account).await.ok().flatten();
        AgentStatus {
            name: self.name.clone(),
            package: self.package.clone(),
            agent: self.key.public().to_string(),
            account: self.account.to_string(),
            balance: account.map(|account| account.available().to_string()),
            sells: self.offers.iter().map(|offer| offer.service.clone()).collect(),
            component: self.component.to_string(),
            calls: self.serve.calls.load(Ordering::Relaxed),
        }
    }

    /// Acknowledge what it bought, redeem what it sold, pay the operator for inference: bring everything to the ledger.
    pub async fn settle(&self) {
        self.serve.buyer.acknowledge().await;
        self.seller.redeem().await;
        pay_operator(&self.serve).await;
    }

    /// Close the channels it pays from.
    pub(crate) async fn close_channels(&self) {
        self.serve.buyer.close_channels().await;
    }

    /// Withdraw the offers, let running calls end, settle. State and key stay.
    pub async fn stop(mut self) {
        self.renewal.abort();
        drop(self.wakes.take());
        for offer in &self.offers {
            if let Err(error) = self.around.offers.delete(&offer_key(offer)).await {
                tracing::warn!(%error, service = %offer.service, "the offer could not be withdrawn; it expires by itself");
            }
        }
        if let Some(service) = self.service.take()
            && let Err(error) = service.drain(DRAIN).await
        {
            tracing::warn!(%error, agent = %self.name, "calls were still running");
        }
        self.around.exchange.remove_seller(&self.key.public());
        let deadline = Instant::now() + LIFECYCLE;
        let (capabilities, ..) = self.serve.capabilities(None, deadline, None);
        if let Err(error) = self.serve.prepared.stop(capabilities, deadline).await {
            self.serve.logs.write("error", format!("lifecycle.stop failed: {error}"));
        }
        self.settle().await;
        if let Some(allowance) = &self.serve.allowance {
            allowance.close();
        }
    }
}

/// Key, account, channels and state of an agent are those of one package: no other one gets at them by being called the same.
/// `package`: `publisher/name`.
pub(crate) fn belongs(folder: &std::path::Path, name: &str, package: &str) -> Result<(), DeployError> {
    if !hansa_catalogue::version::is_name_part(name) {
        return Err(DeployError(format!("`{name}` is no name of an agent: lower-case letters, digits and dashes, at most 64")));
    }
    let file = folder.join("belongs-to");
    match std::fs::read_to_string(&file) {
        Ok(owner) if owner == package => Ok(()),
        Ok(owner) => Err(DeployError(format!(
            "HA0026: `{name}` on this node is `{owner}`, whose key, account and state are not for `{package}`; give that another name: \
             `hansa agent deploy … --as NAME`"
        ))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&file, package)).map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}

fn prepare(around: &Surroundings, package: &Package, checked: &Checked, agent: PublicKey) -> Result<Arc<Prepared>, DeployError> {
    let about = &package.manifest.agent;
    let identity = AgentIdentity {
        agent: agent.to_string(),
        name: about.name.clone(),
        version: about.version.clone(),
        node: around.node.to_string(),
    };
    let granted = &checked.granted;
    let spec = AgentSpec { identity, grants: granted.grants.clone(), limits: granted.limits, reuse: granted.reuse };
    let prepared = around.host.prepare(&checked.program, spec).map_err(|error| DeployError(error.coded()))?;
    check_waking(&package.manifest, &prepared)?;
    Ok(prepared)
}

fn place(around: &Surroundings, agent: PublicKey, account: AccountId) -> Place {
    let (node, node_name) = (around.node, around.node_name.clone());
    Place { agent, account, node, node_name, ledger: around.ledger.link().id(), asset: around.asset }
}

fn store(states: &OpenStates, granted: &Granted, folder: &std::path::Path) -> Result<Arc<dyn AgentStore>, DeployError> {
    match granted.keyvalue_bytes {
        Some(bytes_max) => {
            let state = states.open(&folder.join("state.redb"), bytes_max).map_err(failed)?;
            Ok(Arc::new(Shelf { state }))
        }
        None => Ok(Arc::new(Absent)),
    }
}

fn purse(around: &Surroundings, account: AccountId, key: &Arc<Keypair>, allowance: &Allowance) -> Purse {
    let (ledger, asset) = (around.ledger.clone(), around.asset);
    Purse { ledger, account, asset, key: key.clone(), allowance: allowance.clone() }
}

/// What `agent.toml` says of waking up and what the component can do must fit together.
fn check_waking(manifest: &Manifest, prepared: &Prepared) -> Result<(), DeployError> {
    match (manifest.runs.any(), prepared.wakes()) {
        (true, false) => Err(DeployError(
            "HA0012: agent.toml has [runs], but the component cannot be woken; export `hansa:agent/autonomy@0.1.0`, or take [runs] out".into(),
        )),
        (false, true) => Err(DeployError(
            "HA0012: the component exports `hansa:agent/autonomy`, but nothing wakes it; add [runs], for example `every = \"10m\"`".into(),
        )),
        _ => Ok(()),
    }
}

async fn begin_waking(
    around: &Surroundings,
    manifest: &Manifest,
    account: AccountId,
    serve: &Arc<AgentServe>,
) -> Result<Option<Wakes>, DeployError> {
    if !manifest.runs.any() {
        return Ok(None);
    }
    let (bus, ledger) = (around.exchange.bus().clone(), around.ledger.clone());
    let sleeper = Sleeper { serve: serve.clone(), bus, ledger, account, runs: manifest.runs.clone() };
    sleeper.begin().await.map(Some).map_err(DeployError)
}

async fn begin(serve: &AgentServe) -> Result<(), DeployError> {
    let deadline = Instant::now() + LIFECYCLE;
    let (capabilities, ..) = serve.capabilities(None, deadline, None);
    serve.prepared.start(capabilities, deadline).await.map_err(|error| DeployError(format!("the agent did not start: {error}")))
}

/// Listen for calls and payments as a NATS service, so that stock tools see it.
async fn listen(around: &Surroundings, package: &Package, offers: &[Offer], seller: &Seller) -> Result<Service, DeployError> {
    let agent = seller.agent();
    let group = subject_token(&agent);
    let endpoint = |name: &str, subject: String| EndpointSpec { queue_group: group.clone(), ..EndpointSpec::new(name, subject) };
    let services: Vec<&str> = offers.iter().map(|offer| offer.service.as_str()).collect();
    let about = &package.manifest.agent;
    let metadata = [
        ("agent", agent.to_string()),
        ("node", around.node_name.clone()),
        ("package", package.manifest.package()),
        ("sells", services.join(" ")),
    ];
    let spec = ServiceSpec {
        name: about.name.replace('/', "-"),
        version: about.version.clone(),
        description: about.description.clone(),
        metadata: metadata.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        endpoints: vec![endpoint("call", call_subject(&agent)), endpoint("pay", pay_subject(&agent))],
        concurrency_max: offers.iter().map(|offer| offer.bounds.concurrency as usize).sum::<usize>() + 256,
    };
    let seller = seller.clone();
    let handler = move |request: ServiceRequest| {
        let seller = seller.clone();
        async move {
            let done = match &*request.endpoint {
                "pay" => seller.pay_bytes(&request.payload).await,
                _ => seller.call_bytes(&request.payload).await,
            };
            done.map_err(|message| ServiceFailure { code: 400, message })
        }
    };
    around.exchange.bus().serve(spec, Arc::new(handler)).await.map_err(failed)
}

fn offer_key(offer: &Offer) -> String {
    format!("{}.{}", subject_token(&offer.agent), Digest::of(offer.service.as_bytes()).short())
}

async fn publish(around: &Surroundings, seller: &Seller, offers: &[Offer]) -> Result<(), DeployError> {
    for offer in offers {
        let signed = seller.renew(offer);
        let bytes = bytes::Bytes::copy_from_slice(signed.bytes());
        let now = around.exchange.now_ms();
        around.exchange.index().list(&bytes, now).map_err(failed)?;
        around.offers.put(&offer_key(offer), bytes).await.map_err(failed)?;
    }
    Ok(())
}

fn tab(around: &Surroundings, account: AccountId, key: &Arc<Keypair>) -> Tab {
    let options = TabOptions {
        asset: around.asset,
        account,
        key: key.clone(),
        operator: around.operator,
        credit: u64::try_from(around.credit.0).unwrap_or(u64::MAX),
    };
    Tab::new(options, around.meter.clone(), around.ledger.clone())
}

/// Renew the offers before they expire, and pay the operator for inference, until the agent stops.
async fn renew(around: Surroundings, seller: Seller, offers: Vec<Offer>, serve: Arc<AgentServe>) {
    loop {
        // First what a killed process left unpaid.
        pay_operator(&serve).await;
        tokio::time::sleep(OFFER_RENEWAL).await;
        if let Err(error) = publish(&around, &seller, &offers).await {
            tracing::warn!(%error, "offers could not be renewed; will try again");
        }
    }
}

/// The price of inference goes from the agent's account to the operator's.
async fn pay_operator(serve: &AgentServe) {
    if let Err(problem) = serve.tab.settle().await {
        serve.logs.write("warn", problem);
    }
}
