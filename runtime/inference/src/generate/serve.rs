//! The life of a decoder's thread: proven when it is loaded, then turns while there is work, sleep while there is none.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crate::backend::Session;
use crate::error::{Error, Result};
use crate::metrics::Metrics;
use crate::model::Model;
use crate::package::{GenerateSettings, GoldenPrompt, Package, Pipeline};

use super::decoder::Decoder;
use super::engine::{Engine, EngineOptions};
use super::line::Line;
use super::proof;
use super::text::Speech;

/// A decoder as its thread serves it.
pub(crate) struct Decoding {
    settings: GenerateSettings,
    speech: Arc<Speech>,
    /// Whether rows of different length may share a step: what the trial at load found.
    batching: bool,
    cache_bytes_max: u64,
    metrics: Arc<Metrics>,
}

impl Model {
    /// What a model that generates is served with, once its golden answers were right; `None` for other models.
    ///
    /// # Errors
    /// `backend` where an answer is wrong, or a file cannot be used.
    pub(crate) fn decoding(&self, session: &mut dyn Session) -> Result<Option<Decoding>> {
        let Pipeline::Generate(settings) = &self.package.manifest.pipeline else { return Ok(None) };
        let speech = self.speech_blocking(settings)?;
        let mut decoder = Decoder::new(session, settings);
        proof::golden(&mut decoder, &speech, &self.package.manifest.golden)?;
        let together = proof::batches(&mut decoder)?;
        if !together {
            tracing::warn!(model = self.package.manifest.name, "its answers change in a batch; it generates one row at a time");
        }
        let batching = together && self.settings().batching;
        let (cache_bytes_max, metrics) = (self.settings().cache_bytes_max, Arc::clone(&self.metrics));
        Ok(Some(Decoding { settings: settings.clone(), speech, batching, cache_bytes_max, metrics }))
    }

    /// The tokenizer and template of a model that generates, read on first use.
    fn speech_blocking(&self, settings: &GenerateSettings) -> Result<Arc<Speech>> {
        let mut speech = self.speech.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(speech) = &*speech {
            return Ok(Arc::clone(speech));
        }
        let made = Arc::new(Speech::open(&self.package, settings)?);
        Ok(Arc::clone(speech.insert(made)))
    }

    /// The same without blocking the async worker.
    pub(crate) async fn speech(self: &Arc<Self>, settings: &GenerateSettings) -> Result<Arc<Speech>> {
        let ready = self.speech.try_lock().ok().and_then(|speech| speech.clone());
        if let Some(speech) = ready {
            return Ok(speech);
        }
        let (model, settings) = (Arc::clone(self), settings.clone());
        let made = tokio::task::spawn_blocking(move || model.speech_blocking(&settings)).await;
        made.map_err(|cause| Error::Backend(format!("the tokenizer failed: {cause}")))?
    }
}

/// The likeliest answer to a golden prompt, for a package that is being made.
///
/// # Errors
/// `backend` where a file or the session cannot be used.
pub(crate) fn golden_answer(
    package: &Package,
    settings: &GenerateSettings,
    session: &mut dyn Session,
    prompt: &GoldenPrompt,
    count: usize,
) -> Result<Vec<u32>> {
    let speech = Speech::open(package, settings)?;
    proof::answer(&mut Decoder::new(session, settings), &speech, prompt, count)
}

/// Runs the golden vectors of a package that is being made.
///
/// # Errors
/// `backend` where an answer is wrong, or a file cannot be used.
pub(crate) fn check(package: &Package, settings: &GenerateSettings, session: &mut dyn Session) -> Result<()> {
    let speech = Speech::open(package, settings)?;
    proof::golden(&mut Decoder::new(session, settings), &speech, &package.manifest.golden)
}

/// Serves the line until it is closed, or nothing came for `idle`.
pub(crate) fn serve(line: &Arc<Line>, decoding: &Decoding, session: &mut dyn Session, idle: Option<Duration>) {
    let options = EngineOptions {
        batching: decoding.batching,
        cache_bytes_max: decoding.cache_bytes_max,
        eos: decoding.settings.eos.clone(),
        metrics: Arc::clone(&decoding.metrics),
    };
    let clock = Instant::now;
    let mut engine = Engine::new(Decoder::new(session, &decoding.settings), &decoding.speech, options, &clock);
    let mut last_left = Instant::now();
    while let Some(arrived) = line.arrived() {
        arrived.into_iter().for_each(|submitted| engine.admit(submitted));
        let before = engine.len();
        let worked = engine.turn();
        if let Some(left) = u32::try_from(before - engine.len()).ok().filter(|left| *left > 0) {
            line.learn(last_left.elapsed() / left);
            last_left = Instant::now();
        }
        if worked {
            continue;
        }
        if engine.len() == 0 {
            if line.is_done() || !line.wait(idle) && line.close_if_idle() {
                return;
            }
            last_left = Instant::now();
        } else {
            // all wait for their readers
            line.wait(engine.next_deadline().map(|deadline| deadline.saturating_duration_since(Instant::now())));
        }
    }
    engine.close();
}
