//! Runs that start by themselves: by schedules and by messages on topics.

use std::collections::BTreeMap;
use std::time::Duration;

use hansa_bus::BucketEvent;
use hansa_workflow::Workflow;
use hansa_workflow::definition::{Overlap, Schedule, Trigger};
use hansa_workflow::eval::{CompiledTemplate, Map, Scope, Value};
use hansa_workflow::schedule;
use serde_json::Value as Json;

use super::engine::Engine;
use super::files::Deployed;
use super::orders::{Order, Steer};
use super::starting::{Name, Start, short_name};
use super::summary::Summary;
use crate::ambient;

/// How often is looked for starts that are due.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Starts of one schedule that are made up for at once.
const MISSED_MAX: usize = 100;
/// Bytes of a message that starts a run.
const MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// Start what is due by schedules. Every engine does it; a run's name follows from its time, so it starts once.
pub(super) async fn schedules(engine: Engine) {
    let mut done: BTreeMap<(String, String), u64> = BTreeMap::new();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let Ok(names) = engine.inner.files.names().await else { continue };
        for name in names {
            let Ok(deployed) = engine.inner.files.deployed(&name).await else { continue };
            let Ok(workflow) = Workflow::read(&deployed.file) else { continue };
            for schedule in workflow.schedules.iter().filter(|schedule| !schedule.paused) {
                due(&engine, &deployed, &workflow, schedule, &mut done).await;
            }
        }
    }
}

async fn due(
    engine: &Engine,
    deployed: &Deployed,
    workflow: &Workflow,
    schedule: &Schedule,
    done: &mut BTreeMap<(String, String), u64>,
) {
    let now_ms = ambient::now_ms();
    let key = (workflow.name.to_string(), schedule.id.clone());
    let catch_up_ms = now_ms.saturating_sub(schedule.catch_up.as_millis() as u64);
    // What was due before this engine began is made up for, as far back as the schedule says, and not from before it was deployed.
    let after_ms = (*done.entry(key.clone()).or_insert(catch_up_ms)).max(catch_up_ms).max(deployed.at_ms);
    for at_ms in schedule::between(schedule, after_ms, now_ms, MISSED_MAX) {
        match scheduled(engine, &deployed.file, workflow, schedule, at_ms).await {
            Begun::Done => drop(done.insert(key.clone(), at_ms)),
            Begun::Later => return,
        }
    }
}

enum Begun {
    Done,
    /// It waits for the run before.
    Later,
}

async fn scheduled(engine: &Engine, file: &str, workflow: &Workflow, schedule: &Schedule, at_ms: u64) -> Begun {
    let by = format!("schedule {}", schedule.id);
    let run = format!("{}-{}-{at_ms}", short_name(workflow), schedule.id);
    let others = going(engine, &workflow.name.to_string(), &by);
    match schedule.overlap {
        _ if others.iter().any(|other| other.run == run) => return Begun::Done,
        Overlap::Skip if !others.is_empty() => return Begun::Done,
        Overlap::BufferOne if !others.is_empty() => return Begun::Later,
        Overlap::CancelOther => {
            for other in others {
                let why = "the next one of its schedule begins".to_owned();
                let steer = Steer::Cancel { run: other.run, by: by.clone(), why, at_once: false };
                drop(engine.order(Order::Steer(steer)).await);
            }
        }
        _ => {}
    }
    let start = Start { file: file.to_owned(), input: schedule.with.clone(), labels: schedule.labels.clone(), budget: None, by };
    match engine.begin_named(start, Name::Given(run.clone()), None, Vec::new()).await {
        Ok(Some(_)) => tracing::info!(run, "a run began by its schedule"),
        Ok(None) => {}
        Err(why) => tracing::error!(run, why, "a run did not begin by its schedule"),
    }
    Begun::Done
}

fn going(engine: &Engine, workflow: &str, by: &str) -> Vec<Summary> {
    let state = engine.state();
    let going = |summary: &&Summary| summary.workflow == workflow && summary.by == by && !summary.state.is_over();
    state.known.values().filter(going).cloned().collect()
}

/// Start a run for each message on a topic that a deployed workflow names. One engine does it: the first by name of those that are there.
pub(super) async fn topics(engine: Engine) {
    let mut watch = engine.inner.files.watch();
    let mut listening: BTreeMap<String, Vec<tokio::task::JoinHandle<()>>> = BTreeMap::new();
    loop {
        let (key, file) = match watch.next().await {
            BucketEvent::Put { key, value, .. } => (key, Some(value)),
            BucketEvent::Delete { key } => (key, None),
            BucketEvent::Begin | BucketEvent::CaughtUp => continue,
        };
        listening.remove(&key).into_iter().flatten().for_each(|task| task.abort());
        let Some(Ok(Deployed { file, .. })) = file.map(|file| serde_json::from_slice(&file)) else { continue };
        let Ok(workflow) = Workflow::read(&file) else { continue };
        let tasks = workflow.start.iter().map(|trigger| tokio::spawn(listen(engine.clone(), file.clone(), trigger.clone())));
        listening.insert(key, tasks.collect());
    }
}

async fn listen(engine: Engine, file: String, trigger: Trigger) {
    let mut messages = match engine.inner.bus.subscribe(&trigger.topic).await {
        Ok(messages) => messages,
        Err(error) => return tracing::error!(topic = trigger.topic, %error, "messages on a topic start nothing"),
    };
    while let Some(message) = messages.next().await {
        let leads = engine.state().alive.iter().min().is_none_or(|first| *first == engine.inner.name);
        if !leads {
            continue;
        }
        let begun = match start_of(&file, &trigger, &message.payload) {
            Ok(start) => engine.begin(start).await,
            Err(why) => Err(why),
        };
        match begun {
            Ok(run) => tracing::info!(run, topic = trigger.topic, "a message began a run"),
            Err(why) => tracing::error!(topic = trigger.topic, why, "a message began no run"),
        }
    }
}

/// A run's inputs and labels, made from a message.
fn start_of(file: &str, trigger: &Trigger, payload: &[u8]) -> Result<Start, String> {
    if payload.len() > MESSAGE_BYTES_MAX {
        return Err(format!("a message of {} bytes; at most {MESSAGE_BYTES_MAX}", payload.len()));
    }
    let message: Json = serde_json::from_slice(payload).map_err(|error| format!("the message is no JSON: {error}"))?;
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let none = || Map::new(Vec::new()).map_err(|error| text(&error));
    let message = Value::try_from(message).map_err(|error| text(&error))?;
    let scope = Scope::new(none()?, none()?).and_then(|scope| scope.with("message", message)).map_err(|error| text(&error))?;
    let made = |template: &hansa_workflow::definition::Template| {
        let template = CompiledTemplate::new(template).map_err(|problems| super::starting::listed(&problems))?;
        template.make(&scope).map(|value| Json::from(&value)).map_err(|error| text(&error))
    };
    let Json::Object(input) = made(&trigger.with)? else { return Err("`with` makes no map".to_owned()) };
    let mut labels = BTreeMap::new();
    for (name, template) in &trigger.labels {
        let value = made(template)?;
        labels.insert(name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    Ok(Start { file: file.to_owned(), input, labels, budget: None, by: format!("topic {}", trigger.topic) })
}
