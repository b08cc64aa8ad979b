//! The node: all parts assembled in one place, as fields of one struct.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hansa_bus::{Bucket, BucketEvent, BucketOptions, BucketStorage, Bus, BusOptions, ManagedServer, ServerOptions, Service};
use hansa_catalogue::package::PackageError;
use hansa_catalogue::strict_toml::nearest;
use hansa_catalogue::{Blobs, Package};
use hansa_economy::channel::AccountId;
use hansa_economy::ledger::{AssetCreate, Command, CommandId, Genesis};
use hansa_economy::{Amount, Digest, Keypair, PublicKey};
use hansa_host::{Compiler, Host, HostOptions};
use hansa_inference::{EngineStatus, Inference, Relisted};
use hansa_ledger::{Ledger, LedgerOptions};
use hansa_state::OpenStates;
use hansa_trade::limits::OFFER_LIFE;
use hansa_trade::{Books, Exchange};
use tokio::sync::Mutex;

use crate::agent::{DeployError, Deployed, Deployment, Surroundings, Wanted};
use crate::catalogue::Keeper;
use crate::codes::Coded;
use crate::config::NodeConfig;
use crate::ledger::{self, CREDITS, LedgerLink, LinkPort};
use crate::meter::Meter;
use crate::workflow::http::Door;
use crate::workflow::{self, Engine};
use crate::{agent, ambient, catalogue, folder, keys, models, tools};

/// Bucket of signed offers.
pub const OFFERS_BUCKET: &str = "hansa-offers";
/// Label of an operator's account.
const OPERATOR_LABEL: &str = "operator";
/// Label of the account that a key given for workflows pays from: that of a buyer.
const BUSINESS_LABEL: &str = "main";
/// What an agent may owe for inference while its account is empty, where the operator says nothing.
const INFERENCE_CREDIT: Amount = Amount(100_000);
/// Subject on which receipts are asked for by digest.
pub const RECEIPT_SUBJECT: &str = "hansa.receipt.get";
/// Subject on which components are asked for by digest.
pub const COMPONENT_SUBJECT: &str = "hansa.component.get";

/// A running node.
pub struct Node {
    config: NodeConfig,
    key: Arc<Keypair>,
    /// The bus server, where this node started it.
    server: Option<ManagedServer>,
    bus: Bus,
    /// The ledger, where this node keeps it.
    ledger: Option<Ledger>,
    port: LinkPort,
    _door: Option<Service>,
    catalogue: Keeper,
    inference: Inference,
    exchange: Exchange,
    blobs: Blobs,
    around: Surroundings,
    /// Runs workflows, where the operator wants that.
    engine: Option<Engine>,
    agents: Mutex<BTreeMap<String, Deployed>>,
    operator: AccountId,
    watch: tokio::task::JoinHandle<()>,
    /// Work behind the calls: receipts and components for whoever names their digest, the end of channels.
    behind: Vec<tokio::task::JoinHandle<()>>,
    /// Held for as long as the node runs, so that no second one uses the folder.
    /// Held while models are looked for.
    relisting: Mutex<()>,
    _lock: File,
}

/// Why a node does not start. Each text says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NodeError(pub String);

fn failed(error: impl std::fmt::Display) -> NodeError {
    NodeError(error.to_string())
}

fn coded(error: impl Coded) -> NodeError {
    NodeError(error.coded())
}

impl Node {
    /// Start everything that `config` names; agents deployed earlier come up again.
    pub async fn start(config: NodeConfig) -> Result<Node, NodeError> {
        let lock = folder::claim(&config.data, &config.name).map_err(coded)?;
        let key = Arc::new(keys::load_or_make(&config.data.join("operator.key")).map_err(failed)?);
        let server = start_server(&config).await?;
        let bus = connect(&config, server.as_ref()).await?;
        let ledger = if config.ledger.host { Some(open_ledger(&config, &key).await?) } else { None };
        let link = match &ledger {
            Some(ledger) => LedgerLink::Here(ledger.clone()),
            None => LedgerLink::find(&bus).await.map_err(coded)?,
        };
        check_ledger(&config, &link)?;
        let door = match &ledger {
            Some(ledger) => Some(ledger::serve(&bus, ledger.clone()).await.map_err(failed)?),
            None => None,
        };
        let port = LinkPort::new(link);
        let operator = port.open_account(CREDITS, OPERATOR_LABEL, &key).await.map_err(failed)?;
        let inference = start_inference(&config);
        let host = start_host(&config)?;
        let books = Books::open(&config.data.join("trade.redb")).map_err(failed)?;
        let exchange = Exchange::new(bus.clone(), books, Arc::new(port.clone()), ambient::ambient());
        let offers = offers_bucket(&bus).await?;
        let watch = tokio::spawn(watch_offers(offers.clone(), exchange.clone()));
        let blobs = Blobs::open(&config.data.join("blobs")).map_err(failed)?;
        let mut behind = work_behind(&bus, &exchange, &blobs, ledger.as_ref(), &key, config.ledger.checkpoint.clone());
        let (keeper, reader) = Keeper::open(&bus, blobs.clone()).await?;
        behind.extend([reader, catalogue::serve(&bus, keeper.clone()).await]);
        let around = Surroundings {
            host,
            inference: inference.clone(),
            exchange: exchange.clone(),
            ledger: port.clone(),
            offers,
            node: key.public(),
            node_name: config.name.clone(),
            operator,
            meter: Meter::open(&config.data.join("meter")).map_err(failed)?,
            credit: config.inference.credit.unwrap_or(INFERENCE_CREDIT),
            asset: CREDITS,
            policy: Arc::new(config.grant.clone()),
            states: OpenStates::default(),
        };
        let engine = Box::pin(start_engine(&config, &around, &blobs, &key)).await?;
        let node = Node {
            engine,
            config,
            key,
            server,
            bus,
            ledger,
            port,
            _door: door,
            catalogue: keeper,
            inference,
            exchange,
            blobs,
            around,
            operator,
            watch,
            behind,
            agents: Mutex::default(),
            relisting: Mutex::default(),
            _lock: lock,
        };
        node.restart_agents().await;
        Ok(node)
    }

    /// The node's name.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// The operator's key, public half.
    pub fn key(&self) -> PublicKey {
        self.key.public()
    }

    /// The operator's account.
    pub fn operator(&self) -> AccountId {
        self.operator
    }

    /// Address of the bus.
    pub fn bus_url(&self) -> String {
        self.bus.url().to_owned()
    }

    /// The market.
    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// The ledger, here or elsewhere.
    pub fn ledger_port(&self) -> &LinkPort {
        &self.port
    }

    /// The ledger itself, where this node keeps it.
    pub fn ledger(&self) -> Option<&Ledger> {
        self.ledger.as_ref()
    }

    /// The models.
    pub fn inference(&self) -> &Inference {
        &self.inference
    }

    /// Look for model packages anew: those that came are lent from now on, those that are gone are not any more.
    pub async fn relist_models(&self) -> Relisted {
        // One look after the other: an older one must not take back what a newer one found.
        let _one = self.relisting.lock().await;
        let (inference, config) = (self.inference.clone(), self.config.clone());
        let relisted = tokio::task::spawn_blocking(move || inference.relist(models::options(&config).model_folders)).await;
        relisted.unwrap_or_else(|error| {
            tracing::error!(%error, "looking for models failed");
            Relisted::default()
        })
    }

    /// The engine of workflows, where this node runs them.
    pub fn engine(&self) -> Option<&Engine> {
        self.engine.as_ref()
    }

    /// The folder of everything.
    pub fn data(&self) -> &Path {
        &self.config.data
    }

    pub(crate) fn operator_key(&self) -> &Keypair {
        &self.key
    }

    /// Deploy what the operator has: sign it, check it, start it.
    pub async fn deploy(&self, manifest: &str, component: Vec<u8>) -> Result<String, DeployError> {
        self.deploy_as(manifest, component, Wanted::default()).await
    }

    /// The same with wishes.
    pub async fn deploy_as(&self, manifest: &str, component: Vec<u8>, wanted: Wanted) -> Result<String, DeployError> {
        let package = Package::sign(manifest, component, &self.key).map_err(|error| DeployError(package_text(&error)))?;
        self.deploy_package(package, wanted).await
    }

    /// Deploy a package of the catalogue under its publisher's signature, by a wish such as `acme/translator@1`.
    pub async fn deploy_published(&self, wish: &str, wanted: Wanted) -> Result<String, DeployError> {
        let package = self.catalogue.release(wish).await.map_err(|error| DeployError(format!("HA0024: {error}")))?;
        self.deploy_package(package, wanted).await
    }

    /// Deploy a package: keep it, check it, start it. A running agent of the same name is replaced once the new one is
    /// known to be good; where it does not start all the same, the old one comes back.
    async fn deploy_package(&self, package: Package, wanted: Wanted) -> Result<String, DeployError> {
        let name = wanted.name.unwrap_or_else(|| package.manifest.short_name().to_owned());
        agent::rehearse(&self.around, &package).await?;
        agent::belongs(&self.agent_folder(&name), &name, &package.manifest.agent.name)?;
        if let Some(amount) = wanted.fund {
            self.fund(&name, amount).await?;
        }
        let mut agents = self.agents.lock().await;
        let old = agents.remove(&name);
        let replaces = old.is_some();
        if let Some(old) = old {
            old.stop().await;
        }
        let deployment = Deployment { name: name.clone(), package: package.clone(), folder: self.agent_folder(&name) };
        let deployed = match Box::pin(Deployed::start(self.around.clone(), deployment)).await {
            Ok(deployed) => deployed,
            Err(error) if replaces => return Err(self.bring_back(&mut agents, &name, error).await),
            Err(error) => return Err(error),
        };
        self.remember(&name, &package)
            .await
            .map_err(|error| DeployError(format!("the agent runs, but will not come up again after a restart: {error}")))?;
        agents.insert(name.clone(), deployed);
        Ok(name)
    }

    /// Working capital: from the operator's account; where that is short and the ledger is this node's own, newly issued.
    async fn fund(&self, name: &str, amount: Amount) -> Result<(), DeployError> {
        let agent = agent::open_account(&self.around, &self.agent_folder(name)).await?;
        let paid = match self.port.pay(CREDITS, self.operator, agent, amount, &self.key).await {
            Err(error) if error.is_short && self.ledger.is_some() => {
                self.port.issue(CREDITS, agent, amount, "working capital", &self.key).await
            }
            paid => paid,
        };
        paid.map_err(|error| DeployError(format!("`{name}` cannot be funded, and was not deployed: {error}")))
    }

    /// The new version did not start: the one before, whose package is still the remembered one, runs again.
    async fn bring_back(&self, agents: &mut BTreeMap<String, Deployed>, name: &str, error: DeployError) -> DeployError {
        match self.restart_agent(name).await {
            Ok(Some(old)) => {
                agents.insert(name.to_owned(), old);
                DeployError(format!("{error}; the version before runs on"))
            }
            Ok(None) => error,
            Err(second) => DeployError(format!("{error}; the version before does not start any more either: {second}")),
        }
    }

    /// Stop an agent; its state, key and account stay. Error: no such agent.
    pub async fn stop_agent(&self, name: &str) -> Result<(), DeployError> {
        let mut agents = self.agents.lock().await;
        let Some(agent) = agents.remove(name) else {
            return Err(DeployError(no_agent(name, &agents)));
        };
        agent.stop().await;
        std::fs::remove_file(self.agent_folder(name).join("package")).map_err(|error| DeployError(error.to_string()))
    }

    /// The running agents.
    pub async fn agents(&self) -> tokio::sync::MutexGuard<'_, BTreeMap<String, Deployed>> {
        self.agents.lock().await
    }

    /// Bring everything that is earned and owed to the ledger.
    pub async fn settle(&self) {
        for agent in self.agents.lock().await.values() {
            agent.settle().await;
        }
        if let Some(engine) = &self.engine {
            engine.settle(false).await;
        }
        self.exchange.books().flush().await;
    }

    /// Close the channels that agents pay from, so that what is left of their deposits returns.
    pub async fn close_channels(&self) {
        for agent in self.agents.lock().await.values() {
            agent.close_channels().await;
        }
        if let Some(engine) = &self.engine {
            engine.settle(true).await;
        }
        self.exchange.books().flush().await;
    }

    /// Withdraw all offers, let calls end, settle, stop the bus server if this node started it.
    pub async fn stop(self) {
        if let Some(engine) = &self.engine {
            engine.stop().await;
        }
        for (_, agent) in std::mem::take(&mut *self.agents.lock().await) {
            agent.stop().await;
        }
        self.exchange.books().flush().await;
        self.watch.abort();
        self.behind.iter().for_each(tokio::task::JoinHandle::abort);
        if let (Some(ledger), Some(path)) = (&self.ledger, &self.config.ledger.checkpoint)
            && let Err(error) = ledger::checkpoint::write(ledger, &self.key, path)
        {
            tracing::warn!(%error, "no last checkpoint");
        }
        self.inference.stop().await;
        drop(self._door);
        self.bus.leave().await;
        if let Some(server) = self.server {
            server.shutdown().await;
        }
    }

    fn agent_folder(&self, name: &str) -> PathBuf {
        self.config.data.join("agents").join(name)
    }

    async fn remember(&self, name: &str, package: &Package) -> Result<(), std::io::Error> {
        self.blobs.put(&package.component).map_err(std::io::Error::other)?;
        if package.component.len() > self.bus.max_payload() {
            self.lend_to_buyers(package).await;
        }
        std::fs::write(self.agent_folder(name).join("package"), package.statement.bytes())
    }

    /// A component that no message can carry: whoever wants to see its types fetches it from the store.
    async fn lend_to_buyers(&self, package: &Package) {
        let (key, objects) = (package.statement.body.component.to_string(), self.catalogue.objects());
        if let Err(error) = objects.keep(&key, &package.component).await {
            tracing::warn!(%error, "`hansa service call` cannot fetch this component; agents can buy from it all the same");
        }
    }

    async fn restart_agents(&self) {
        let Ok(folders) = std::fs::read_dir(self.config.data.join("agents")) else {
            return;
        };
        for folder in folders.flatten() {
            let name = folder.file_name().to_string_lossy().into_owned();
            match self.restart_agent(&name).await {
                Ok(Some(agent)) => drop(self.agents.lock().await.insert(name, agent)),
                Ok(None) => {}
                Err(error) => tracing::error!(agent = name, %error, "the agent could not be started again"),
            }
        }
    }

    async fn restart_agent(&self, name: &str) -> Result<Option<Deployed>, DeployError> {
        let text = |error: &dyn std::fmt::Display| DeployError(error.to_string());
        let Ok(statement) = std::fs::read(self.agent_folder(name).join("package")) else {
            return Ok(None);
        };
        let body = hansa_economy::Signed::<hansa_catalogue::package::PackageStatement>::open(&statement)
            .map_err(|error| text(&error))?
            .body;
        let component = self.blobs.get(body.component).map_err(|error| text(&error))?;
        let package = Package::open(&statement, component).map_err(|error| text(&error))?;
        agent::belongs(&self.agent_folder(name), name, &package.manifest.agent.name)?;
        let deployment = Deployment { name: name.to_owned(), package, folder: self.agent_folder(name) };
        Box::pin(Deployed::start(self.around.clone(), deployment)).await.map(Some)
    }
}

/// No agent of this name runs: what does.
pub(crate) fn no_agent<T>(name: &str, agents: &BTreeMap<String, T>) -> String {
    let known: Vec<&str> = agents.keys().map(String::as_str).collect();
    match (nearest(name, known.iter().copied()), known.is_empty()) {
        (Some(near), _) => format!("no agent `{name}` runs here; did you mean `{near}`? Running: {}", known.join(", ")),
        (None, false) => format!("no agent `{name}` runs here; running: {}", known.join(", ")),
        (None, true) => format!("no agent `{name}` runs here, and no other; deploy one: `hansa agent deploy FOLDER`"),
    }
}

/// A mistake in `agent.toml` has a page; the others say all.
fn package_text(error: &PackageError) -> String {
    match error {
        PackageError::Manifest(error) => format!("HA0012: {error}"),
        error => error.to_string(),
    }
}

/// Start what runs behind the calls.
fn work_behind(
    bus: &Bus,
    exchange: &Exchange,
    blobs: &Blobs,
    ledger: Option<&Ledger>,
    key: &Arc<Keypair>,
    checkpoint: Option<PathBuf>,
) -> Vec<tokio::task::JoinHandle<()>> {
    let (books, components) = (exchange.books().clone(), blobs.clone());
    let receipt = move |digest| books.receipt(digest).ok().flatten();
    let bytes_max = bus.max_payload();
    // What fits into no message is in the store: nothing says so.
    let component =
        move |digest| components.get(digest).ok().map(|bytes| if bytes.len() > bytes_max { Vec::new() } else { bytes });
    let mut behind = vec![
        tokio::spawn(answer_by_digest(bus.clone(), RECEIPT_SUBJECT, receipt)),
        tokio::spawn(answer_by_digest(bus.clone(), COMPONENT_SUBJECT, component)),
    ];
    if let Some(ledger) = ledger {
        behind.push(tokio::spawn(ledger::finalize_due(ledger.clone(), key.clone())));
        if let Some(path) = checkpoint {
            behind.push(tokio::spawn(ledger::checkpoint::keep(ledger.clone(), key.clone(), path)));
        }
    }
    behind
}

async fn start_server(config: &NodeConfig) -> Result<Option<ManagedServer>, NodeError> {
    if config.bus.url.is_some() {
        return Ok(None);
    }
    let binary = ManagedServer::find_binary(tools::nats_servers(config.bus.server.as_deref())).map_err(failed)?;
    let port = Some(config.bus.port.unwrap_or(4222));
    let options =
        ServerOptions { port, name: format!("hansa-{}", config.name), ..ServerOptions::new(binary, config.data.join("bus")) };
    ManagedServer::start(options).await.map(Some).map_err(coded)
}

async fn connect(config: &NodeConfig, server: Option<&ManagedServer>) -> Result<Bus, NodeError> {
    let url = config.bus.url.clone().or_else(|| server.map(ManagedServer::url)).unwrap_or_default();
    let (name, credentials_file) = (format!("hansa {}", config.name), config.bus.credentials.clone());
    Bus::connect(BusOptions { name, credentials_file, ..BusOptions::at(url) }).await.map_err(coded)
}

async fn open_ledger(config: &NodeConfig, key: &Keypair) -> Result<Ledger, NodeError> {
    let folder = config.data.join("ledger");
    let options = LedgerOptions::new(Arc::new(ambient::now_ns));
    if Ledger::exists(&folder) {
        let ledger = Ledger::open(&folder, options).map_err(failed)?;
        if let Some(path) = &config.ledger.checkpoint {
            ledger::checkpoint::compare(&ledger, path).map_err(coded)?;
        }
        return Ok(ledger);
    }
    if let Some(path) = &config.ledger.checkpoint {
        ledger::checkpoint::unseen(&folder, path).map_err(coded)?;
    }
    let id = || CommandId::from_time(ambient::now_ms(), u128::from_le_bytes(ambient::random()));
    let genesis = Genesis::sign(&config.name, id(), key);
    let ledger = Ledger::create(&folder, genesis.bytes(), options).map_err(failed)?;
    let credits = Command::AssetCreate(AssetCreate { asset: CREDITS, code: "CRED".into(), scale: 6, issuer: key.public() });
    LinkPort::new(LedgerLink::Here(ledger.clone())).submit(credits, key).await.map_err(failed)?;
    Ok(ledger)
}

fn check_ledger(config: &NodeConfig, link: &LedgerLink) -> Result<(), NodeError> {
    let Some(text) = &config.ledger.id else {
        return Ok(());
    };
    let wanted: Digest = text.parse().map_err(|error| NodeError(format!("ledger.id: {error}")))?;
    match wanted == link.id() {
        true => Ok(()),
        false => Err(NodeError(format!(
            "the bus serves ledger {}, node.toml wants {wanted}; connect to the right bus or change ledger.id",
            link.id()
        ))),
    }
}

fn start_inference(config: &NodeConfig) -> Inference {
    let inference = Inference::start(models::options(config));
    let status = inference.status();
    if let EngineStatus::Unavailable { reason } = status.engine {
        tracing::warn!("no inference on this node (`hansa explain HA0015`): {reason}");
    }
    for refused in status.refused {
        tracing::warn!(folder = %refused.folder.display(), "a model is not lent: {}", refused.reason);
    }
    inference
}

fn start_host(config: &NodeConfig) -> Result<Host, NodeError> {
    let defaults = HostOptions::default();
    let pool_instances = config.host.instances.unwrap_or(defaults.pool_instances);
    let compiler = config.host.compiler.clone().map(Compiler::new);
    Host::new(HostOptions { pool_instances, cache_folder: Some(config.data.join("compiled")), compiler, ..defaults })
        .map_err(failed)
}

/// The engine of workflows, where the operator wants one.
async fn start_engine(
    config: &NodeConfig,
    around: &Surroundings,
    blobs: &Blobs,
    operator: &Arc<Keypair>,
) -> Result<Option<Engine>, NodeError> {
    if !config.workflow.runs() {
        return Ok(None);
    }
    let (key, label) = match &config.workflow.key {
        Some(path) => (Arc::new(keys::load_or_make(path).map_err(failed)?), BUSINESS_LABEL),
        None => (operator.clone(), OPERATOR_LABEL),
    };
    let parts = workflow::Parts {
        exchange: around.exchange.clone(),
        host: around.host.clone(),
        blobs: blobs.clone(),
        ledger: around.ledger.clone(),
        node: around.node,
        node_name: around.node_name.clone(),
        key,
        label,
    };
    let cannot = |error| NodeError(format!("workflows cannot be run here: {error}"));
    let engine = Engine::start(parts).await.map_err(cannot)?;
    if let Some(address) = config.workflow.http {
        engine.serve_http(Door::open(address, &config.data).await.map_err(cannot)?);
    }
    Ok(Some(engine))
}

/// The bucket of offers. It lives in memory: offers are renewed long before they expire.
pub(crate) async fn offers_bucket(bus: &Bus) -> Result<Bucket, NodeError> {
    let options =
        BucketOptions { name: OFFERS_BUCKET.into(), max_age: Some(OFFER_LIFE), history: 1, storage: BucketStorage::Memory };
    bus.bucket(options).await.map_err(failed)
}

/// Keep the index of offers as the bucket says.
pub(crate) async fn watch_offers(offers: Bucket, exchange: Exchange) {
    let mut watch = offers.watch_all();
    let mut listed = BTreeMap::new();
    loop {
        match watch.next().await {
            BucketEvent::Begin | BucketEvent::CaughtUp => {}
            BucketEvent::Put { key, value, .. } => match exchange.index().list(&value, exchange.now_ms()) {
                Ok(offer) => drop(listed.insert(key, (offer.offer.agent, offer.offer.service.clone()))),
                Err(error) => tracing::debug!(key, %error, "an offer was left out"),
            },
            BucketEvent::Delete { key } => {
                if let Some((agent, service)) = listed.remove(&key) {
                    exchange.index().remove(agent, &service);
                }
            }
        }
    }
}

/// Give what `find` has to whoever names its digest on `subject`. A node that does not have it stays silent.
async fn answer_by_digest(bus: Bus, subject: &'static str, find: impl Fn(Digest) -> Option<Vec<u8>>) {
    let Ok(mut questions) = bus.subscribe(subject).await else {
        return;
    };
    while let Some(question) = questions.next().await {
        let digest = <[u8; 32]>::try_from(&question.payload[..]).map(Digest);
        if let Some(bytes) = digest.ok().and_then(&find) {
            drop(question.respond(bytes.into()).await);
        }
    }
}
