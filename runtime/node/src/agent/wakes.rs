//! Waking an agent up: by the clock, by topics, by its balance. One waking at a time; after failures it waits longer and longer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use hansa_bus::Bus;
use hansa_catalogue::runs::{Runs, covers, is_topic};
use hansa_economy::Amount;
use hansa_economy::channel::AccountId;
use hansa_host::Trigger;
use hansa_host::topics::Topics;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::logs::{Ring, WAKE};
use super::serve::AgentServe;
use crate::ambient;
use crate::ledger::LinkPort;

/// Before a topic on the bus.
const SUBJECT: &str = "hansa.topic.";
/// Triggers that wait; more are let go, with a line in the log.
const QUEUE: usize = 64;
/// How long one waking may take where `[runs]` says nothing.
const DEADLINE: Duration = Duration::from_secs(60);
/// How often the account is looked at.
const LOOK: Duration = Duration::from_secs(15);
/// The longest pause after failures in a row.
const PAUSE_MAX: Duration = Duration::from_secs(600);

/// What it takes to wake an agent.
pub(crate) struct Sleeper {
    pub(crate) serve: Arc<AgentServe>,
    pub(crate) bus: Bus,
    pub(crate) ledger: LinkPort,
    pub(crate) account: AccountId,
    pub(crate) runs: Runs,
}

/// Wakes an agent as long as it is kept.
pub(crate) struct Wakes {
    _tasks: JoinSet<()>,
}

impl Sleeper {
    /// Begins. Error: the bus does not let us listen.
    pub(crate) async fn begin(self) -> Result<Wakes, String> {
        let mut tasks = JoinSet::new();
        let (wake, woken) = mpsc::channel(QUEUE);
        for topic in &self.runs.topics {
            let heard = self.bus.subscribe(&format!("{SUBJECT}{topic}")).await.map_err(|error| error.to_string())?;
            tasks.spawn(listen(heard, wake.clone(), self.serve.logs.clone()));
        }
        if !self.runs.topics.is_empty() {
            // What is published from now on must be heard: the server knows of us when this returns.
            self.bus.flush().await.map_err(|error| error.to_string())?;
        }
        if let Some(below) = self.runs.balance_below {
            tasks.spawn(watch_balance(self.ledger.clone(), self.account, below, wake.clone()));
        }
        if self.runs.on_start {
            // The queue is empty, and so has room.
            let _ = wake.try_send(Trigger::Start);
        }
        tasks.spawn(run(self, wake, woken));
        Ok(Wakes { _tasks: tasks })
    }
}

/// `keep` holds the queue open where nothing but the clock wakes the agent.
async fn run(sleeper: Sleeper, keep: mpsc::Sender<Trigger>, mut woken: mpsc::Receiver<Trigger>) {
    let _keep = keep;
    let (runs, serve) = (&sleeper.runs, &sleeper.serve);
    let mut every = runs.every.map(|every| Instant::now() + every.0);
    let mut failures = 0u32;
    loop {
        let why = tokio::select! {
            Some(trigger) = woken.recv() => trigger,
            what = due(runs, every) => Trigger::Time(what),
        };
        match serve.wake(&why, runs.deadline.map_or(DEADLINE, |deadline| deadline.0)).await {
            Ok(()) => failures = 0,
            Err(()) => {
                failures += 1;
                if let Some(pause) = pause(failures) {
                    serve
                        .logs
                        .write("warn", format!("{failures} wakings failed in a row; the next one waits {} s", pause.as_secs()));
                    sleep(pause).await;
                }
            }
        }
        every = runs.every.map(|every| Instant::now() + every.0);
    }
}

/// None after the first failures; then twice as long each time.
fn pause(failures: u32) -> Option<Duration> {
    let doublings = failures.checked_sub(3)?;
    Some(Duration::from_secs(2u64.saturating_pow(doublings.min(20) + 1)).min(PAUSE_MAX))
}

/// Waits for the next time by the clock; says which it was.
async fn due(runs: &Runs, every: Option<Instant>) -> String {
    let now_ms = ambient::now_ms();
    let cron = runs.cron_next_ms(now_ms).map(|at_ms| Instant::now() + Duration::from_millis(at_ms.saturating_sub(now_ms)));
    let text = |every: Option<Instant>| match (every, runs.every, &runs.cron) {
        (Some(_), Some(span), _) => format!("every {}", span.0.as_secs()),
        (_, _, cron) => format!("cron {}", cron.as_deref().unwrap_or_default()),
    };
    match (every, cron) {
        (Some(every), Some(cron)) if cron < every => {
            sleep_until(cron).await;
            text(None)
        }
        (Some(every), _) => {
            sleep_until(every).await;
            text(Some(every)) + " s"
        }
        (None, Some(cron)) => {
            sleep_until(cron).await;
            text(None)
        }
        (None, None) => std::future::pending().await,
    }
}

async fn listen(mut heard: hansa_bus::Subscription, wake: mpsc::Sender<Trigger>, logs: Ring) {
    while let Some(message) = heard.next().await {
        let topic = message.subject.strip_prefix(SUBJECT).unwrap_or(&message.subject).to_owned();
        let trigger = Trigger::Topic { topic: topic.clone(), payload: message.payload.clone() };
        if wake.try_send(trigger).is_err() {
            logs.write("warn", format!("{QUEUE} wakings are waiting; a message on `{topic}` was let go"));
        }
    }
}

/// Tells once that the balance has fallen below; again only after it has been above.
async fn watch_balance(ledger: LinkPort, account: AccountId, below: Amount, wake: mpsc::Sender<Trigger>) {
    let mut told = false;
    loop {
        if let Ok(found) = ledger.link().account(account).await {
            let available = found.map(|account| account.available()).unwrap_or_default();
            if available < below && !told {
                let units = u64::try_from(available.0).unwrap_or(u64::MAX);
                told = wake.try_send(Trigger::Balance(units)).is_ok();
            }
            told = told && available < below;
        }
        sleep(LOOK).await;
    }
}

impl AgentServe {
    /// Wakes the agent; a line says how it went.
    async fn wake(&self, why: &Trigger, within: Duration) -> Result<(), ()> {
        let begun = std::time::Instant::now();
        let deadline = begun + within;
        let deadline_ms = ambient::now_ms().saturating_add(u64::try_from(within.as_millis()).unwrap_or(u64::MAX));
        let (capabilities, ..) = self.capabilities(None, deadline, Some(deadline_ms));
        let woken = self.prepared.wake(why, capabilities, deadline).await;
        let took = begun.elapsed().as_millis();
        match &woken {
            Ok(()) => self.logs.write(WAKE, format!("{}: {took} ms", cause(why))),
            Err(error) => self.logs.write("error", format!("woken by {}: {error}", cause(why))),
        }
        woken.map_err(drop)
    }
}

fn cause(why: &Trigger) -> String {
    match why {
        Trigger::Start => "start".into(),
        Trigger::Time(what) => what.clone(),
        Trigger::Topic { topic, .. } => format!("topic {topic}"),
        Trigger::Balance(units) => format!("balance {}", Amount((*units).into())),
    }
}

/// An agent's topics capability.
pub(crate) struct Granted {
    pub(crate) bus: Bus,
    /// Topics that it may publish, as patterns.
    pub(crate) publish: Vec<String>,
}

impl Topics for Granted {
    fn publish(&self, topic: String, payload: Vec<u8>) -> BoxFuture<'_, Result<(), String>> {
        async move {
            if !is_topic(&topic) || topic.contains(['*', '>']) {
                return Err(format!("`{topic}` is no topic; write words joined by dots, for example `news.shipping`"));
            }
            if !self.publish.iter().any(|granted| covers(granted, &topic)) {
                return Err(format!(
                    "`{topic}` is not granted; agent.toml asks with topics.publish for {}",
                    self.publish.join(", ")
                ));
            }
            self.bus.publish(&format!("{SUBJECT}{topic}"), Bytes::from(payload)).await.map_err(|error| error.to_string())
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_make_it_wait_longer() {
        let seconds: Vec<Option<u64>> =
            [1, 2, 3, 4, 5, 11, 1000].into_iter().map(|n| pause(n).map(|pause| pause.as_secs())).collect();
        assert_eq!(seconds, [None, None, Some(2), Some(4), Some(8), Some(512), Some(600)]);
    }
}
