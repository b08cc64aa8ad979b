//! One run in the hands of an engine, from its beginning or from where another left it, until its money is settled.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use hansa_economy::Amount;
use hansa_workflow::run::{Change, Ending, Entry, History, Lost, Run};
use tokio::sync::{Notify, OnceCell, oneshot};

use super::engine::{Engine, Live};
use super::journal::Recorder;
use super::summary::{Changed, Course, Summary};
use super::till::NotHeld;
use super::world::RunWorld;

/// How long a run waits before it looks again whether it is its turn.
const TURN: Duration = Duration::from_millis(200);
/// How long is waited before what is left of a budget is given back again.
const RETURN_PAUSE: Duration = Duration::from_secs(1);
/// The same where the ledger refused.
const REFUSED_PAUSE: Duration = Duration::from_secs(60);

/// How much later others may hear what a run has spent.
const SPENT_AFTER: Duration = Duration::from_secs(2);

/// Hears whether a run's budget could be set aside.
pub(super) type Told = oneshot::Sender<Result<(), String>>;

/// Go on with a run.
///
/// # Errors
/// This program cannot read it.
pub(super) fn begin(
    engine: &Engine,
    (summary, course): (Summary, Course),
    history: History,
    position: u64,
    told: Option<Told>,
) -> Result<(), String> {
    let name = summary.run.clone();
    let standing = Arc::new(Standing { known: Mutex::new((summary, course)), changed: Notify::new(), spent: Notify::new() });
    let seen = standing.clone();
    let journals = engine.inner.journals.clone();
    let (recorder, write) = Recorder::begin(journals, &name, &engine.inner.node, position, move |entry| seen.see(entry));
    let money = Money::of(&history);
    let world = RunWorld {
        run: name.clone(),
        recorder: recorder.clone(),
        sellers: engine.inner.sellers.clone(),
        till: engine.inner.till.clone(),
        files: engine.inner.files.clone(),
        budget: money.budget,
        drawn: money.drawn.clone(),
    };
    let cannot = |problems: Vec<hansa_workflow::Problem>| {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        format!("its file cannot be read here: {}", problems.join("; "))
    };
    let file = history.started.as_ref().map(|started| started.file.as_str()).unwrap_or_default();
    let plan = engine.inner.plans.of(file).map_err(cannot)?;
    let run = Run::with(plan, &name, history, world).map_err(cannot)?;
    let run = Arc::new(run);
    let driver = Driver { engine: engine.clone(), run: run.clone(), recorder, money, standing };
    // Locked while the task is made, so that it cannot end before it stands in the table.
    let mut state = engine.state();
    let task = tokio::spawn(driver.work(name.clone(), write, told));
    state.mine.insert(name, Live { run, task: task.abort_handle() });
    Ok(())
}

/// How the run stands, for all to see.
struct Standing {
    known: Mutex<(Summary, Course)>,
    changed: Notify,
    spent: Notify,
}

impl Standing {
    fn lock(&self) -> MutexGuard<'_, (Summary, Course)> {
        self.known.lock().expect("no panic while a summary is locked")
    }

    fn see(&self, entry: &Entry) {
        let mut known = self.lock();
        let (summary, course) = &mut *known;
        match course.see(summary, entry) {
            Changed::Nothing => {}
            Changed::Spent => self.spent.notify_one(),
            Changed::State => self.changed.notify_one(),
        }
    }

    fn now(&self) -> Summary {
        self.lock().0.clone()
    }

    /// At once how it stands, and what it has spent soon after.
    async fn announce(&self, engine: &Engine) -> std::convert::Infallible {
        loop {
            engine.announce(&self.now()).await;
            tokio::select! {
                () = self.changed.notified() => {}
                () = self.spent.notified() => drop(tokio::time::timeout(SPENT_AFTER, self.changed.notified()).await),
            }
        }
    }
}

/// What is known of the money of a run.
struct Money {
    budget: Amount,
    is_held: bool,
    /// Has the budget moved into the till?
    drawn: Arc<OnceCell<()>>,
    is_settled: bool,
    /// What it cost, where it is over.
    spent: Option<Amount>,
}

impl Money {
    fn of(history: &History) -> Money {
        Money {
            budget: history.started.as_ref().map_or(Amount::ZERO, |started| started.budget),
            is_held: history.held.is_some(),
            drawn: Arc::new(if history.drawn.0 > 0 { OnceCell::new_with(Some(())) } else { OnceCell::new() }),
            is_settled: history.settled.is_some(),
            spent: history.ended.as_ref().map(|(_, _, _, spent)| *spent),
        }
    }
}

struct Driver {
    engine: Engine,
    run: Arc<Run<RunWorld>>,
    recorder: Recorder,
    money: Money,
    standing: Arc<Standing>,
}

impl Driver {
    async fn work(self, name: String, write: impl Future<Output = Lost> + Send, told: Option<Told>) {
        let outcome = tokio::select! {
            outcome = self.drive(&name, told) => outcome,
            lost = write => Err(lost),
            never = self.standing.announce(&self.engine) => match never {},
        };
        match outcome {
            Ok(()) => self.engine.announce(&self.standing.now()).await,
            Err(Lost) => tracing::info!(run = name, "another engine goes on with this run"),
        }
        // Another driver may have it by now.
        let mut state = self.engine.state();
        if state.mine.get(&name).is_some_and(|live| Arc::ptr_eq(&live.run, &self.run)) {
            state.mine.remove(&name);
        }
    }

    async fn drive(&self, name: &str, told: Option<Told>) -> Result<(), Lost> {
        let spent = match self.money.spent {
            Some(spent) => spent,
            None => {
                if let Err(why) = self.hold(name).await? {
                    drop(told.map(|told| told.send(Err(why))));
                    return Ok(());
                }
                drop(told.map(|told| told.send(Ok(()))));
                self.turn(name).await;
                self.run.go().await?.spent
            }
        };
        match self.money.is_settled {
            true => Ok(()),
            false => self.settle(name, spent).await,
        }
    }

    /// Set the budget aside. Inner error: it cannot be, and the run is over.
    async fn hold(&self, name: &str) -> Result<Result<(), String>, Lost> {
        let amount = self.money.budget;
        if self.money.is_held || amount == Amount::ZERO {
            return Ok(Ok(()));
        }
        match self.engine.inner.till.hold(name, amount).await {
            Ok(()) => self.recorder.record(Change::Held { amount }).await.map(Ok),
            Err(NotHeld::Short(why) | NotHeld::Refused(why)) => {
                let ended = Change::Ended { how: Ending::Failed, output: None, what: Some(why.clone()), spent: Amount::ZERO };
                self.recorder.note(ended);
                self.recorder.record(Change::Settled { returned: Amount::ZERO }).await?;
                Ok(Err(why))
            }
        }
    }

    /// Where only so many runs of a workflow may go on at the same time: those that began earlier come first.
    async fn turn(&self, name: &str) {
        let Some(most) = self.run.plan().workflow.max_running else { return };
        let own = self.standing.now();
        loop {
            let earlier = {
                let state = self.engine.state();
                let before = |other: &&Summary| {
                    other.workflow == own.workflow
                        && !other.state.is_over()
                        && (other.started_ms, other.run.as_str()) < (own.started_ms, name)
                };
                state.known.values().filter(before).count()
            };
            if earlier < most as usize {
                return;
            }
            tokio::time::sleep(TURN).await;
        }
    }

    /// Give back what is left of the budget.
    async fn settle(&self, name: &str, spent: Amount) -> Result<(), Lost> {
        let till = &self.engine.inner.till;
        let budget = self.money.budget;
        if budget == Amount::ZERO {
            return self.recorder.record(Change::Settled { returned: Amount::ZERO }).await;
        }
        // Where it cannot be let go, an engine moved it into the till that died before it could say so.
        if self.money.drawn.get().is_none() && till.release(name).await.is_ok() {
            return self.recorder.record(Change::Settled { returned: budget }).await;
        }
        let returned = budget.saturating_sub(spent);
        if returned > Amount::ZERO {
            self.give_back(name, returned).await;
        }
        self.recorder.record(Change::Settled { returned }).await
    }

    async fn give_back(&self, name: &str, left: Amount) {
        loop {
            match self.engine.inner.till.give_back(name, left).await {
                Ok(true) => return,
                // Deposits come back meanwhile.
                Ok(false) => tokio::time::sleep(RETURN_PAUSE).await,
                Err(why) => {
                    tracing::error!(run = name, why, "what is left of a run's budget is not back yet");
                    tokio::time::sleep(REFUSED_PAUSE).await;
                }
            }
        }
    }
}
