//! The engine of a node: it has some of the business's runs in its hands, and takes over those whose engine is gone.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use hansa_bus::{Bucket, BucketEvent, BucketOptions, BucketStorage, Bus};
use hansa_catalogue::Blobs;
use hansa_economy::{Keypair, PublicKey};
use hansa_host::Host;
use hansa_trade::{Buyer, Exchange, Payer, subject_token};
use hansa_workflow::run::{Change, Entry, EntryError, History, Run, VERSION};
use tokio::task::JoinHandle;

use super::contracts::Components;
use super::files::Files;
use super::http::Door;
use super::journal::{JournalFault, Journals};
use super::plans::Plans;
use super::sellers::Sellers;
use super::summary::{Course, Summary};
use super::till::Till;
use super::world::RunWorld;
use super::{clock, deposits, drive, orders};
use crate::ambient;
use crate::ledger::{CREDITS, LinkPort};

/// An engine of which nothing was heard for so long is gone.
const LEASE: Duration = Duration::from_secs(3);
/// How often an engine says that it is there.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How often is looked for runs that nobody has.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a run whose journal this program cannot read is left to others before it is looked at again.
const LEFT_ALONE: Duration = Duration::from_secs(60);
/// How long sellers have to close their channels when the engine stops.
const CLOSING: Duration = Duration::from_secs(5);
/// A run that was announced and has no journal after so long was never begun, milliseconds.
const UNBEGUN_MS: u64 = 60_000;

/// The engine. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) bus: Bus,
    /// The token of this node's key, which names the engine.
    pub(super) name: String,
    pub(super) node: String,
    /// The token of the key whose money the runs spend.
    pub(super) business: String,
    pub(super) journals: Journals,
    pub(super) runs: Bucket,
    engines: Bucket,
    pub(super) files: Files,
    pub(super) till: Till,
    pub(super) sellers: Sellers,
    pub(super) plans: Plans,
    pub(super) state: Mutex<State>,
    /// One run begins at a time, so that no two pass a cap together.
    pub(super) starting: tokio::sync::Mutex<()>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Default)]
pub(super) struct State {
    /// Runs in this engine's hands.
    pub(super) mine: HashMap<String, Live>,
    /// Runs that begin here, or are being taken over.
    pub(super) taking: HashSet<String>,
    /// Runs left to others, and until when.
    left: HashMap<String, tokio::time::Instant>,
    /// All runs of the business.
    pub(super) known: BTreeMap<String, Summary>,
    /// Engines that are there.
    pub(super) alive: HashSet<String>,
    /// Are the two above as the bus has them?
    caught_up: [bool; 2],
}

/// A run in this engine's hands.
pub(super) struct Live {
    pub(super) run: Arc<Run<RunWorld>>,
    pub(super) task: tokio::task::AbortHandle,
}

/// What an engine is made of.
pub struct Parts {
    /// The market.
    pub exchange: Exchange,
    /// Compiles components whose types are wanted.
    pub host: Host,
    /// Components that are here already.
    pub blobs: Blobs,
    /// The ledger.
    pub ledger: LinkPort,
    /// This node.
    pub node: PublicKey,
    /// Its name.
    pub node_name: String,
    /// Whose money the runs spend.
    pub key: Arc<Keypair>,
    /// The label of that key's account that budgets come from.
    pub label: &'static str,
}

impl Engine {
    /// Start: runs that this node had go on, and those whose engine is gone.
    ///
    /// # Errors
    /// The bus or the ledger does not do its part.
    pub async fn start(parts: Parts) -> Result<Engine, String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let Parts { exchange, host, blobs, ledger, node, node_name, key, label } = parts;
        let bus = exchange.bus().clone();
        let business = subject_token(&key.public());
        let histories = bus.histories(&format!("hansa-journals-{business}")).await.map_err(|error| text(&error))?;
        let large = bus.objects(&format!("hansa-entries-{business}")).map_err(|error| text(&error))?;
        let till = Till::open(ledger, key.clone(), label).await.map_err(|error| text(&error))?;
        let payer = Payer { account: till.till, key, asset: CREDITS };
        let buyer = Buyer::new(exchange.clone(), payer).map_err(|error| text(&error))?;
        let inner = Inner {
            name: subject_token(&node),
            node: node_name,
            journals: Journals::new(histories, large, bus.max_payload()),
            runs: bucket(&bus, format!("hansa-runs-{business}"), None, BucketStorage::File).await?,
            engines: bucket(&bus, format!("hansa-engines-{business}"), Some(LEASE), BucketStorage::Memory).await?,
            files: Files::open(&bus, &business).await?,
            sellers: Sellers::new(buyer, Components::new(exchange, host, blobs)),
            plans: Plans::default(),
            till,
            bus,
            business,
            state: Mutex::default(),
            starting: tokio::sync::Mutex::default(),
            tasks: Mutex::default(),
        };
        let engine = Engine { inner: Arc::new(inner) };
        let tasks = [
            tokio::spawn(engine.clone().beat()),
            tokio::spawn(engine.clone().watch_runs()),
            tokio::spawn(engine.clone().watch_engines()),
            tokio::spawn(engine.clone().look_after()),
            tokio::spawn(deposits::bring_back(engine.clone())),
            tokio::spawn(orders::serve(engine.clone())),
            tokio::spawn(clock::schedules(engine.clone())),
            tokio::spawn(clock::topics(engine.clone())),
        ];
        engine.inner.tasks.lock().expect("no panic while tasks are locked").extend(tasks);
        Ok(engine)
    }

    /// Answer requests over HTTP until the engine stops.
    pub(crate) fn serve_http(&self, door: Door) {
        let task = tokio::spawn(door.serve(self.clone()));
        self.inner.tasks.lock().expect("no panic while tasks are locked").push(task);
    }

    /// Let go of everything: runs go on elsewhere, or here after the next start.
    pub async fn stop(&self) {
        let tasks = std::mem::take(&mut *self.inner.tasks.lock().expect("no panic while tasks are locked"));
        tasks.iter().for_each(JoinHandle::abort);
        let mine: Vec<Live> = self.state().mine.drain().map(|(_, live)| live).collect();
        mine.iter().for_each(|live| live.task.abort());
        // Whoever takes the runs over wants the money that lies in this engine's channels.
        if tokio::time::timeout(CLOSING, self.settle(true)).await.is_err() {
            tracing::warn!("not all channels of the till are closed; their deposits come back later");
        }
        if let Err(error) = self.inner.engines.delete(&self.inner.name).await {
            tracing::debug!(%error, "other engines wait until this one's lease is over");
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().expect("no panic while the engine is locked")
    }

    /// Acknowledge and, if asked, close channels, so that what is earned can be collected and what is left returns.
    pub async fn settle(&self, close: bool) {
        self.inner.sellers.buyer.acknowledge().await;
        if close {
            self.inner.sellers.buyer.close_channels().await;
        }
    }

    async fn beat(self) {
        loop {
            let node = self.inner.node.clone();
            if let Err(error) = self.inner.engines.put(&self.inner.name, node.into()).await {
                tracing::debug!(%error, "the engine's lease was not renewed");
            }
            tokio::time::sleep(HEARTBEAT).await;
        }
    }

    async fn watch_runs(self) {
        let mut watch = self.inner.runs.watch_all();
        loop {
            match watch.next().await {
                BucketEvent::Begin => {}
                BucketEvent::CaughtUp => self.state().caught_up[0] = true,
                BucketEvent::Put { key, value, .. } => match serde_json::from_slice::<Summary>(&value) {
                    Ok(summary) => drop(self.state().known.insert(key, summary)),
                    Err(error) => tracing::warn!(key, %error, "what is known of a run cannot be read"),
                },
                BucketEvent::Delete { key } => drop(self.state().known.remove(&key)),
            }
        }
    }

    async fn watch_engines(self) {
        let mut watch = self.inner.engines.watch_all();
        loop {
            match watch.next().await {
                BucketEvent::Begin => {}
                BucketEvent::CaughtUp => self.state().caught_up[1] = true,
                BucketEvent::Put { key, .. } => drop(self.state().alive.insert(key)),
                BucketEvent::Delete { key } => drop(self.state().alive.remove(&key)),
            }
        }
    }

    /// Take over what nobody has. A run is looked at twice, so that one short gap in a heartbeat moves nothing.
    async fn look_after(self) {
        let mut seen: HashSet<String> = HashSet::new();
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let alone = self.alone();
            let now: HashSet<String> = alone.iter().map(|summary| summary.run.clone()).collect();
            for summary in alone {
                let own = summary.engine == self.inner.name;
                if own || seen.contains(&summary.run) {
                    self.state().taking.insert(summary.run.clone());
                    tokio::spawn(self.clone().take_over(summary));
                }
            }
            seen = now;
        }
    }

    /// Runs that are not over and in nobody's hands.
    fn alone(&self) -> Vec<Summary> {
        let now = tokio::time::Instant::now();
        let mut state = self.state();
        state.left.retain(|_, until| *until > now);
        if state.caught_up != [true, true] {
            return Vec::new();
        }
        let free = |summary: &&Summary| {
            let here = state.mine.contains_key(&summary.run) || state.taking.contains(&summary.run);
            let elsewhere = summary.engine != self.inner.name && state.alive.contains(&summary.engine);
            !summary.settled && !here && !elsewhere && !state.left.contains_key(&summary.run)
        };
        state.known.values().filter(free).cloned().collect()
    }

    async fn take_over(self, summary: Summary) {
        let run = summary.run.clone();
        if let Err(why) = self.taken(summary).await {
            tracing::warn!(run, why, "a run is left to another engine");
            self.state().left.insert(run.clone(), tokio::time::Instant::now() + LEFT_ALONE);
        }
        self.state().taking.remove(&run);
    }

    async fn taken(&self, mut summary: Summary) -> Result<(), String> {
        let run = summary.run.clone();
        let placed = match self.inner.journals.read(&run, 0).await {
            Ok(placed) => placed,
            Err(JournalFault::Bus(why)) => {
                tracing::warn!(run, why, "a run cannot be taken over yet");
                return Ok(());
            }
            Err(error @ JournalFault::Entry(EntryError::Newer(_) | EntryError::Damaged(_))) => return Err(error.to_string()),
        };
        let Some(position) = placed.last().map(|placed| placed.position) else {
            if ambient::now_ms().saturating_sub(summary.started_ms) > UNBEGUN_MS {
                drop(self.inner.runs.delete(&run).await);
            }
            return Ok(());
        };
        let why = match summary.engine == self.inner.name {
            true => format!("node `{}` was started again", self.inner.node),
            false => format!("the engine of node `{}` is gone", summary.node),
        };
        let id = hansa_economy::digest::hex(&ambient::random::<16>());
        let engine = self.inner.node.clone();
        let taken = Entry { version: VERSION, id, at_ms: ambient::now_ms(), engine, changes: vec![Change::Taken { why }] };
        // Whoever writes first has it.
        let Ok(position) = self.inner.journals.append(&run, position, &taken).await else { return Ok(()) };
        let mut history = History::default();
        summary.spent = hansa_economy::Amount::ZERO;
        let mut course = Course::default();
        for placed in placed {
            course.see(&mut summary, &placed.entry);
            history.add(placed.entry);
        }
        history.add(taken);
        (summary.engine, summary.node) = (self.inner.name.clone(), self.inner.node.clone());
        drive::begin(self, (summary, course), history, position, None)
    }

    /// Tell the others how a run stands.
    pub(super) async fn announce(&self, summary: &Summary) {
        let bytes = serde_json::to_vec(summary).expect("plain data");
        self.state().known.insert(summary.run.clone(), summary.clone());
        if let Err(error) = self.inner.runs.put(&summary.run, bytes.into()).await {
            tracing::warn!(run = summary.run, %error, "how a run stands was not announced");
        }
    }
}

async fn bucket(bus: &Bus, name: String, max_age: Option<Duration>, storage: BucketStorage) -> Result<Bucket, String> {
    let options = BucketOptions { name, max_age, history: 1, storage };
    bus.bucket(options).await.map_err(|error| error.to_string())
}
