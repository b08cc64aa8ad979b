//! Beginning a run: what is checked before, and what is written down first.

use std::collections::BTreeMap;

use hansa_catalogue::strict_toml::nearest;
use hansa_economy::digest::hex;
use hansa_economy::{Amount, Digest};
use hansa_workflow::Workflow;
use hansa_workflow::run::{Change, Entry, History, Restart, Started, VERSION};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::oneshot;

use super::drive;
use super::engine::Engine;
use super::summary::{Course, State, Summary};
use crate::ambient;

/// A run to begin.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Start {
    /// The workflow's file.
    pub file: String,
    /// Inputs by name.
    #[serde(default)]
    pub input: Map<String, Value>,
    /// Labels by name.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The most that it may cost, where that is less than the file's budget.
    #[serde(default)]
    pub budget: Option<Amount>,
    /// Who or what starts it, in words.
    pub by: String,
}

/// What has a name that follows from something else starts once.
pub(super) enum Name {
    /// Made up.
    New,
    /// Given.
    Given(String),
}

/// A run that begins here: this engine does not take it for one that nobody has.
struct Beginning<'a> {
    engine: &'a Engine,
    run: String,
}

impl Beginning<'_> {
    fn of<'a>(engine: &'a Engine, run: &str) -> Beginning<'a> {
        engine.state().taking.insert(run.to_owned());
        Beginning { engine, run: run.to_owned() }
    }
}

impl Drop for Beginning<'_> {
    fn drop(&mut self) {
        self.engine.state().taking.remove(&self.run);
    }
}

impl Engine {
    /// Begin a run. Returns its name once its budget is set aside.
    ///
    /// # Errors
    /// What is wrong with the file, the inputs, the labels or the money.
    pub async fn begin(&self, start: Start) -> Result<String, String> {
        let begun = self.begin_named(start, Name::New, None, Vec::new()).await?;
        begun.ok_or_else(|| "the name made up for this run was taken; start it again".to_owned())
    }

    /// The same once for each `key`. False: the run that began with it before.
    ///
    /// # Errors
    /// As for [`Engine::begin`].
    pub(super) async fn begin_once(&self, start: Start, key: &str) -> Result<(String, bool), String> {
        let plan = self.inner.plans.of(&start.file).map_err(|problems| listed(&problems))?;
        let name = plan.workflow.name.to_string();
        let digest = Digest::of_parts("hansa run once", &[name.as_bytes(), key.as_bytes()]);
        let run = format!("{}-{}", short_name(&plan.workflow), hex(&digest.0[..10]));
        let begun = self.begin_named(start, Name::Given(run.clone()), None, Vec::new()).await?;
        Ok((run, begun.is_some()))
    }

    /// The same under a given name, or going on from another run. None: a run of this name has begun before.
    pub(super) async fn begin_named(
        &self,
        start: Start,
        name: Name,
        from: Option<Restart>,
        carried: Vec<Change>,
    ) -> Result<Option<String>, String> {
        let plan = self.inner.plans.of(&start.file).map_err(|problems| listed(&problems))?;
        let workflow = &plan.workflow;
        let input = workflow.inputs_of(start.input)?;
        let budget = budget(workflow, start.budget)?;
        let now_ms = ambient::now_ms();
        let run = match &name {
            Name::Given(name) if self.state().known.contains_key(name) => return Ok(None),
            Name::Given(name) => name.clone(),
            Name::New => format!("{}-{}", short_name(workflow), hex(&ambient::random::<5>())),
        };
        let _beginning = Beginning::of(self, &run);
        let summary = self.summary(&run, workflow, &start.labels, &start.by, (budget, now_ms));
        {
            let _one = self.inner.starting.lock().await;
            self.check_labels(workflow, &start.labels, budget, now_ms)?;
            // Whoever finds a name without a journal waits for it; a journal without a name would be found by nobody.
            self.announce(&summary).await;
        }
        let started = Started {
            file: start.file,
            input,
            labels: start.labels,
            budget,
            secret: hex(&ambient::random::<32>()),
            by: start.by,
            from,
        };
        let changes = std::iter::once(Change::Started(Box::new(started))).chain(carried).collect();
        let id = hex(&ambient::random::<16>());
        let entry = Entry { version: VERSION, id, at_ms: now_ms, engine: self.inner.node.clone(), changes };
        // Whoever writes first has the name.
        let Ok(position) = self.inner.journals.append(&run, 0, &entry).await else { return Ok(None) };
        let mut history = History::default();
        history.add(entry);
        let (told, held) = oneshot::channel();
        drive::begin(self, (summary, Course::default()), history, position, Some(told))?;
        held.await.unwrap_or_else(|_| Err("another engine goes on with this run".to_owned()))?;
        Ok(Some(run))
    }

    fn summary(
        &self,
        run: &str,
        workflow: &Workflow,
        labels: &BTreeMap<String, String>,
        by: &str,
        (budget, now_ms): (Amount, u64),
    ) -> Summary {
        Summary {
            run: run.to_owned(),
            workflow: workflow.name.to_string(),
            version: workflow.version.to_string(),
            labels: labels.clone(),
            by: by.to_owned(),
            state: State::Running,
            why: None,
            engine: self.inner.name.clone(),
            node: self.inner.node.clone(),
            started_ms: now_ms,
            changed_ms: now_ms,
            budget,
            spent: Amount::ZERO,
            settled: false,
        }
    }

    /// Labels that the file knows, all that it requires, and none whose cap this run's budget would pass.
    fn check_labels(
        &self,
        workflow: &Workflow,
        labels: &BTreeMap<String, String>,
        budget: Amount,
        now_ms: u64,
    ) -> Result<(), String> {
        let known = || workflow.labels.iter().map(|label| label.name.as_str());
        if let Some(name) = labels.keys().find(|name| !known().any(|known| known == name.as_str())) {
            return Err(match nearest(name, known()) {
                Some(near) => format!("`{}` has no label `{name}`; did you mean `{near}`?", workflow.name),
                None => format!("`{}` has no label `{name}`; name it under `labels` in its file", workflow.name),
            });
        }
        for label in &workflow.labels {
            let Some(value) = labels.get(&label.name) else {
                if label.required {
                    return Err(format!("a run of `{}` needs the label `{1}`: `--label {1}=…`", workflow.name, label.name));
                }
                continue;
            };
            let Some(cap) = label.cap else { continue };
            let since_ms = cap.per.since(now_ms);
            let used = self.used(&workflow.name.to_string(), (&label.name, value), since_ms);
            if used.saturating_add(budget) > cap.amount {
                return Err(format!(
                    "runs with {}={value} may spend {} a {}, and {used} of it is spent or set aside; this run's budget is {budget}: take less \
                     with `--budget`, or raise the cap",
                    label.name,
                    cap.amount,
                    cap.per.name()
                ));
            }
        }
        Ok(())
    }

    /// What runs with this label spent since then, or may still spend.
    fn used(&self, workflow: &str, (name, value): (&str, &str), since_ms: u64) -> Amount {
        let state = self.state();
        let counts = |summary: &&Summary| {
            summary.workflow == workflow
                && summary.started_ms >= since_ms
                && summary.labels.get(name).is_some_and(|own| own == value)
        };
        let cost = |summary: &Summary| if summary.state.is_over() { summary.spent } else { summary.budget };
        state.known.values().filter(counts).fold(Amount::ZERO, |sum, summary| sum.saturating_add(cost(summary)))
    }
}

fn budget(workflow: &Workflow, wanted: Option<Amount>) -> Result<Amount, String> {
    match wanted {
        Some(wanted) if wanted > workflow.budget => {
            Err(format!("a budget of {wanted} is above the {} of the file; raise it there", workflow.budget))
        }
        Some(wanted) => Ok(wanted),
        None => Ok(workflow.budget),
    }
}

/// The name without its owner.
pub(super) fn short_name(workflow: &Workflow) -> String {
    let name = workflow.name.to_string();
    name.rsplit('/').next().unwrap_or(&name).to_owned()
}

/// One problem a line.
pub(super) fn listed(problems: &[hansa_workflow::Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
