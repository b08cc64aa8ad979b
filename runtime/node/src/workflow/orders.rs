//! What people and programs ask of the engines: to begin, show and steer runs. A run is steered by the engine that has it; another one passes the
//! order on to it over the bus, signed with the business's key.

use std::collections::HashMap;
use std::time::Duration;

use hansa_economy::{Signed, Statement};
use hansa_workflow::Workflow;
use hansa_workflow::run::{Entry, Refused, Restart, carried};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::engine::Engine;
use super::starting::{Name, Start, listed};
use super::summary::Summary;
use crate::ambient;

/// How long another engine may take to do as it is asked.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How old an order may be, milliseconds: clocks of nodes differ.
const AGE_MAX_MS: u64 = 60_000;
/// Tries to reach the engine that has a run, while it changes hands.
const TRIES: u32 = 12;
/// Pause between two of them.
const PAUSE: Duration = Duration::from_millis(500);
/// Bytes of journal entries in one reply.
const REPLY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// An order.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Order {
    /// Begin a run.
    Start(Box<Start>),
    /// All runs of the business, those that began last first.
    List,
    /// The journal of a run, after a position.
    Journal {
        /// The run.
        run: String,
        /// Positions up to this one are known.
        after: u64,
    },
    /// Tell a run something.
    Steer(Steer),
    /// Begin a run that goes on from a step of another one, which is over.
    Restart {
        /// The run.
        run: String,
        /// The step.
        step: String,
        /// Who wants it.
        by: String,
    },
    /// What is wrong with a file, seen beside what is on offer.
    Check {
        /// The file's name, for messages.
        name: String,
        /// The file.
        file: String,
    },
    /// What a run would cost now.
    Quote {
        /// The file.
        file: String,
        /// Inputs, as far as they are known.
        input: serde_json::Map<String, Value>,
    },
    /// Deploy a file, for schedules, topics and other workflows to start.
    Deploy {
        /// The file.
        file: String,
    },
    /// What is deployed.
    Deployed,
    /// The file that is deployed under a name.
    File {
        /// The name.
        name: String,
    },
    /// Take a workflow out.
    Remove {
        /// Its name.
        name: String,
    },
}

/// What a run is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "steer", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Steer {
    /// A signal came.
    Signal {
        /// The run.
        run: String,
        /// Its name.
        name: String,
        /// What it brings.
        payload: Value,
        /// From whom.
        by: String,
    },
    /// Somebody approves or rejects.
    Decide {
        /// The run.
        run: String,
        /// The step; it may be left out where only one asks.
        step: Option<String>,
        /// Yes or no.
        approved: bool,
        /// Who.
        by: String,
        /// Why.
        note: Option<String>,
    },
    /// Buy nothing new.
    Pause {
        /// The run.
        run: String,
        /// Why.
        why: String,
    },
    /// Go on.
    Resume {
        /// The run.
        run: String,
        /// Who wants it.
        by: String,
    },
    /// End, and undo what was done.
    Cancel {
        /// The run.
        run: String,
        /// Who wants it.
        by: String,
        /// Why.
        why: String,
        /// Without undoing anything.
        at_once: bool,
    },
}

impl Steer {
    pub(super) fn run(&self) -> &str {
        match self {
            Steer::Signal { run, .. }
            | Steer::Decide { run, .. }
            | Steer::Pause { run, .. }
            | Steer::Resume { run, .. }
            | Steer::Cancel { run, .. } => run,
        }
    }
}

/// A part of a run's journal.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct JournalPart {
    /// The run in one line.
    pub summary: Summary,
    /// Entries in their order.
    pub entries: Vec<Entry>,
    /// Ask on after this position.
    pub position: u64,
    /// Is there more?
    pub more: bool,
}

/// An order on its way to another engine.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(map)]
struct Passed {
    /// For this engine.
    #[n(0)]
    engine: String,
    /// The order, as JSON.
    #[n(1)]
    order: String,
    /// Unix milliseconds.
    #[n(2)]
    at_ms: u64,
    /// Each order is done once.
    #[n(3)]
    nonce: u64,
}

impl Statement for Passed {
    const CONTENT_TYPE: &'static str = "hansa/workflow-order.1";
}

/// What became of it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    Done(Value),
    Refused(String),
    /// The run is in other hands.
    Elsewhere,
}

impl Engine {
    /// Do as ordered. The answer is JSON: what it holds depends on the order.
    ///
    /// # Errors
    /// Why it is not done, in words that say what to do.
    pub async fn order(&self, order: Order) -> Result<Value, String> {
        match order {
            Order::Start(start) => self.begin(*start).await.map(|run| json!({ "run": run })),
            Order::List => {
                let mut runs: Vec<Summary> = self.state().known.values().cloned().collect();
                runs.sort_by_key(|summary| std::cmp::Reverse((summary.started_ms, summary.run.clone())));
                Ok(json!(runs))
            }
            Order::Journal { run, after } => self.journal(&run, after).await,
            Order::Steer(steer) => self.steer(steer).await,
            Order::Restart { run, step, by } => self.restart(&run, &step, by).await.map(|run| json!({ "run": run })),
            Order::Check { name, file } => Ok(self.check(&name, &file).await),
            Order::Quote { file, input } => self.quote(&file, input).await,
            Order::Deploy { file } => {
                let workflow = Workflow::read(&file).map_err(|problems| listed(&problems))?;
                self.inner.files.deploy(&file, &workflow).await?;
                Ok(json!({ "workflow": workflow.name.to_string(), "version": workflow.version.to_string() }))
            }
            Order::Deployed => self.deployed().await,
            Order::File { name } => self.inner.files.newest(&name).await.map(|file| json!({ "file": file })),
            Order::Remove { name } => self.inner.files.remove(&name).await.map(|()| Value::Null),
        }
    }

    async fn deployed(&self) -> Result<Value, String> {
        let mut found = Vec::new();
        for name in self.inner.files.names().await? {
            let Ok(file) = self.inner.files.newest(&name).await else { continue };
            let Ok(workflow) = Workflow::read(&file) else { continue };
            let next = workflow.schedules.iter().filter(|schedule| !schedule.paused);
            let next = next.filter_map(|schedule| hansa_workflow::schedule::next_after(schedule, ambient::now_ms())).min();
            found.push(json!({
                "workflow": name,
                "version": workflow.version.to_string(),
                "description": workflow.description,
                "schedules": workflow.schedules.len(),
                "topics": workflow.start.iter().map(|trigger| trigger.topic.clone()).collect::<Vec<_>>(),
                "next-ms": next,
            }));
        }
        Ok(json!(found))
    }

    /// The run with this name, or the only one whose name begins so.
    pub(super) fn summary_of(&self, run: &str) -> Result<Summary, String> {
        let state = self.state();
        if let Some(summary) = state.known.get(run) {
            return Ok(summary.clone());
        }
        let mut begins = state.known.values().filter(|summary| !run.is_empty() && summary.run.starts_with(run));
        match (begins.next(), begins.next()) {
            (Some(summary), None) => Ok(summary.clone()),
            (Some(_), Some(_)) => Err(format!("several runs begin with `{run}`; write more of its name")),
            _ => Err(format!("there is no run `{run}`; `hansa workflow list` shows all")),
        }
    }

    async fn journal(&self, run: &str, after: u64) -> Result<Value, String> {
        let summary = self.summary_of(run)?;
        let placed = self.inner.journals.read(&summary.run, after).await.map_err(|error| error.to_string())?;
        let (mut entries, mut position, mut bytes, count) = (Vec::new(), after, 0, placed.len());
        for placed in placed {
            bytes += placed.entry.bytes().len();
            if bytes > REPLY_BYTES_MAX && !entries.is_empty() {
                break;
            }
            position = placed.position;
            entries.push(placed.entry);
        }
        let more = entries.len() < count;
        serde_json::to_value(JournalPart { summary, entries, position, more }).map_err(|error| error.to_string())
    }

    async fn restart(&self, run: &str, step: &str, by: String) -> Result<String, String> {
        let summary = self.summary_of(run)?;
        if !summary.state.is_over() {
            return Err(format!("`{}` is {}; cancel it first, or wait for its end", summary.run, summary.state.name()));
        }
        let placed = self.inner.journals.read(&summary.run, 0).await.map_err(|error| error.to_string())?;
        let entries: Vec<Entry> = placed.into_iter().map(|placed| placed.entry).collect();
        let (started, changes) = carried(&entries, step)?;
        let from = Restart { run: summary.run.clone(), step: step.to_owned() };
        let start = Start { file: started.file, input: started.input, labels: started.labels, budget: Some(started.budget), by };
        let begun = self.begin_named(start, Name::New, Some(from), changes).await?;
        begun.ok_or_else(|| "the name made up for this run was taken; try again".to_owned())
    }

    /// Tell a run something, wherever it is.
    async fn steer(&self, steer: Steer) -> Result<Value, String> {
        let run = self.summary_of(steer.run())?.run;
        let steer = renamed(steer, &run);
        for _ in 0..TRIES {
            let summary = self.summary_of(&run)?;
            if summary.state.is_over() {
                return Err(format!("`{run}` is over: {}", summary.state.name()));
            }
            let outcome = match self.here(&steer).await {
                Outcome::Elsewhere if summary.engine != self.inner.name => self.pass(&summary.engine, &steer).await,
                outcome => outcome,
            };
            match outcome {
                Outcome::Done(value) => return Ok(value),
                Outcome::Refused(why) => return Err(why),
                Outcome::Elsewhere => tokio::time::sleep(PAUSE).await,
            }
        }
        Err(format!("no engine has `{run}` in its hands now; try again in a moment"))
    }

    /// Tell a run that is in this engine's hands.
    async fn here(&self, steer: &Steer) -> Outcome {
        let live = self.state().mine.get(steer.run()).map(|live| live.run.clone());
        let Some(run) = live else { return Outcome::Elsewhere };
        let done = match steer.clone() {
            Steer::Signal { name, payload, by, .. } => run.signal(&name, payload, &by).await.map_err(Refused::Lost),
            Steer::Decide { step, approved, by, note, .. } => {
                let decided = run.decide(step.as_deref(), approved, &by, note).await;
                return match decided {
                    Ok(step) => Outcome::Done(json!({ "step": step })),
                    Err(Refused::NotAsked(why)) => Outcome::Refused(why),
                    Err(Refused::Lost(_)) => Outcome::Elsewhere,
                };
            }
            Steer::Pause { why, .. } => run.pause(&why).await.map_err(Refused::Lost),
            Steer::Resume { by, .. } => run.resume(&by).await.map_err(Refused::Lost),
            Steer::Cancel { by, why, at_once, .. } => run.cancel(&by, &why, at_once).await.map_err(Refused::Lost),
        };
        match done {
            Ok(()) => Outcome::Done(Value::Null),
            Err(Refused::NotAsked(why)) => Outcome::Refused(why),
            Err(Refused::Lost(_)) => Outcome::Elsewhere,
        }
    }

    async fn pass(&self, engine: &str, steer: &Steer) -> Outcome {
        let order = serde_json::to_string(steer).expect("plain data");
        let nonce = u64::from_le_bytes(ambient::random());
        let passed = Passed { engine: engine.to_owned(), order, at_ms: ambient::now_ms(), nonce };
        let signed = Signed::new(passed, self.inner.till.key());
        let asked = self.inner.bus.request(&self.subject(engine), signed.bytes().to_vec().into(), TIMEOUT).await;
        match asked {
            Ok(reply) => serde_json::from_slice(&reply).unwrap_or(Outcome::Elsewhere),
            Err(error) if error.may_have_taken_effect() => Outcome::Refused(format!(
                "the engine that has this run did not answer ({error}); look with `hansa workflow show` whether it was done"
            )),
            Err(_) => Outcome::Elsewhere,
        }
    }

    fn subject(&self, engine: &str) -> String {
        format!("hansa.workflow.{}.{engine}", self.inner.business)
    }
}

fn renamed(mut steer: Steer, name: &str) -> Steer {
    match &mut steer {
        Steer::Signal { run, .. }
        | Steer::Decide { run, .. }
        | Steer::Pause { run, .. }
        | Steer::Resume { run, .. }
        | Steer::Cancel { run, .. } => name.clone_into(run),
    }
    steer
}

/// Do what other engines pass on.
pub(super) async fn serve(engine: Engine) {
    let subject = engine.subject(&engine.inner.name);
    let mut seen: HashMap<u64, u64> = HashMap::new();
    let mut orders = loop {
        match engine.inner.bus.subscribe(&subject).await {
            Ok(orders) => break orders,
            Err(error) => tracing::warn!(%error, "no orders of other engines are heard yet"),
        }
        tokio::time::sleep(PAUSE).await;
    };
    while let Some(message) = orders.next().await {
        let Some(steer) = read(&engine, &message.payload, &mut seen) else { continue };
        let engine = engine.clone();
        tokio::spawn(async move {
            let outcome = engine.here(&steer).await;
            let reply = serde_json::to_vec(&outcome).expect("plain data");
            drop(message.respond(reply.into()).await);
        });
    }
}

/// An order of the business's own key, for this engine, fresh and not seen before.
fn read(engine: &Engine, bytes: &[u8], seen: &mut HashMap<u64, u64>) -> Option<Steer> {
    let signed = Signed::<Passed>::open(bytes).ok()?;
    let now_ms = ambient::now_ms();
    let Passed { engine: wanted, order, at_ms, nonce } = signed.body;
    let is_ours = signed.signer == engine.inner.till.key().public() && wanted == engine.inner.name;
    seen.retain(|_, at_ms| now_ms.saturating_sub(*at_ms) <= 2 * AGE_MAX_MS);
    if !is_ours || now_ms.abs_diff(at_ms) > AGE_MAX_MS || seen.insert(nonce, at_ms).is_some() {
        return None;
    }
    serde_json::from_str(&order).ok()
}
