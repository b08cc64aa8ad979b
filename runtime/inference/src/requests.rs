//! The requests: embed, classify, count tokens, run tensors.

use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::funds::Charge;
use crate::generate::Prompt;
use crate::inference::{Inference, Request};
use crate::limits;
use crate::model::Model;
use crate::package::Pipeline;
use crate::pipeline::text::{TextTokens, Tokens};
use crate::pipeline::{Row, RowOutput, bytes, raw};
use crate::tensor::Tensor;
use crate::usage::Usage;
use crate::worker::Finished;

/// Vectors of texts, in the order of the texts.
#[derive(Clone, Debug, PartialEq)]
pub struct Embeddings {
    /// Numbers per text.
    pub dims: u32,
    /// `dims` numbers of each text after another.
    pub data: Vec<f32>,
    /// Whether a text was cut at the model's token limit.
    pub truncated: Vec<bool>,
    /// What it took.
    pub usage: Usage,
}

/// One thing to classify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Example {
    /// Text; a model of bytes sees its UTF-8.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Example {
    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// A label with the model's score.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// Its name in the manifest.
    pub name: String,
    /// The model's score, as the model scales it; Magika's sum to 1.
    pub score: f32,
}

/// The best labels of each example, the best first.
#[derive(Clone, Debug, PartialEq)]
pub struct Labels {
    /// One list per example.
    pub rows: Vec<Vec<Label>>,
    /// What it took.
    pub usage: Usage,
}

/// The outputs of a raw run.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Name and tensor, in the order asked for.
    pub outputs: Vec<(String, Tensor)>,
    /// What it took.
    pub usage: Usage,
}

impl Inference {
    /// Embeds 1 to 256 texts.
    ///
    /// The price follows from the texts alone: tokens after truncation, without padding.
    ///
    /// # Errors
    /// `not-found`; `bad-input` for no text, or a model that does not embed; `too-large`; `budget` over the request's
    /// cap; `overloaded` at once when the queue is full; `deadline`; `cancelled`; `non-finite`; `backend`.
    pub async fn embed(&self, request: &Request, model: &str, texts: Vec<String>) -> Result<Embeddings> {
        let model = self.model(model)?;
        if !matches!(model.package.manifest.pipeline, Pipeline::Embed(_)) {
            return Err(wrong_task(model, "embed"));
        }
        check_items(model, texts.len())?;
        let tokens = encode_all(model.tokens().await?, texts).await?;
        let truncated = tokens.iter().map(|tokens| tokens.truncated).collect();
        let units = tokens.iter().map(|tokens| tokens.ids.len() as u64).sum();
        let rows = tokens.into_iter().map(|tokens| (tokens.ids.len() as u64, Row::Tokens(tokens.ids))).collect();
        let (outputs, usage) = run(model, request, units, rows).await?;
        let vectors = vectors(outputs)?;
        let dims = vectors.first().map_or(0, Vec::len) as u32;
        Ok(Embeddings { dims, data: vectors.concat(), truncated, usage })
    }

    /// Classifies 1 to 256 examples; `top_k` labels of each, 0 for all.
    ///
    /// # Errors
    /// As [`Inference::embed`]; `bad-input` also for an example with too few bytes to look at.
    pub async fn classify(&self, request: &Request, model: &str, examples: Vec<Example>, top_k: u32) -> Result<Labels> {
        let model = self.model(model)?;
        let Pipeline::Classify(settings, names) = &model.package.manifest.pipeline else {
            return Err(wrong_task(model, "classify"));
        };
        check_items(model, examples.len())?;
        let row = |example: &Example| Ok((1, Row::Bytes(bytes::features(settings, example.as_bytes())?)));
        let rows = examples.iter().map(row).collect::<Result<Vec<_>>>()?;
        let (outputs, usage) = run(model, request, examples.len() as u64, rows).await?;
        let rows = vectors(outputs)?.iter().map(|scores| best(names, scores, top_k)).collect();
        Ok(Labels { rows, usage })
    }

    /// Runs the graph on tensors. No `outputs` named means all of them.
    ///
    /// # Errors
    /// As [`Inference::embed`]; `shape` for a tensor that does not fit its port.
    pub async fn run(
        &self,
        request: &Request,
        model: &str,
        inputs: Vec<(String, Tensor)>,
        outputs: Vec<String>,
    ) -> Result<Outcome> {
        let model = self.model(model)?;
        if matches!(model.package.manifest.pipeline, Pipeline::Generate(_)) {
            return Err(wrong_task(model, "run tensors"));
        }
        let outputs = raw::check(&model.package.manifest, &inputs, outputs)?;
        let units = raw::units(&inputs);
        let (mut found, usage) = run(model, request, units, vec![(units, Row::Raw(inputs, outputs))]).await?;
        match found.pop() {
            Some(RowOutput::Tensors(outputs)) => Ok(Outcome { outputs, usage }),
            _ => Err(unexpected()),
        }
    }

    /// Tokens that each text would be charged for: after truncation, special tokens included; as a prompt, where the model
    /// generates. Free, and does not load the model, only its tokenizer.
    ///
    /// # Errors
    /// `not-found`; `bad-input` for a model without text; `too-large`.
    pub async fn count_tokens(&self, model: &str, texts: Vec<String>) -> Result<Vec<u32>> {
        let model = self.model(model)?;
        check_items(model, texts.len())?;
        if let Pipeline::Generate(settings) = &model.package.manifest.pipeline {
            let speech = model.speech(settings).await?;
            let count = move |text| speech.encode(&Prompt::Text(text)).map(|tokens| tokens.len() as u32);
            return off_worker(byte_count(&texts), move || texts.into_iter().map(count).collect()).await;
        }
        let tokens = model.tokens().await?;
        off_worker(byte_count(&texts), move || texts.iter().map(|text| tokens.count(text)).collect()).await
    }
}

impl Model {
    /// Items that one call may carry.
    pub(crate) fn items_max(&self) -> usize {
        limits::ITEMS_MAX.min(self.bounds().per_tenant_max).min(self.bounds().total_max)
    }
}

fn check_items(model: &Model, count: usize) -> Result<()> {
    match count {
        0 => Err(Error::BadInput("there is nothing to do; send at least one item".to_owned())),
        count if count > model.items_max() => Err(Error::TooLarge(model.items_max() as u64)),
        _ => Ok(()),
    }
}

fn wrong_task(model: &Model, task: &str) -> Error {
    let manifest = &model.package.manifest;
    Error::BadInput(format!("`{}` does not {task}; its task is {}", manifest.name, manifest.task.name()))
}

async fn encode_all(tokens: Arc<TextTokens>, texts: Vec<String>) -> Result<Vec<Tokens>> {
    off_worker(byte_count(&texts), move || texts.iter().map(|text| tokens.encode(text)).collect()).await
}

fn byte_count(texts: &[String]) -> usize {
    texts.iter().map(String::len).sum()
}

/// Much text is worked on beside the async workers, little at once.
async fn off_worker<T: Send + 'static>(bytes: usize, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    if bytes <= limits::INLINE_TEXT_BYTES_MAX {
        return work();
    }
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|cause| Error::Backend(format!("the tokenizer failed: {cause}")))?
}

/// Quotes, runs and meters. The quote is exact, and what is charged is the quote.
async fn run(model: &Arc<Model>, request: &Request, input_units: u64, rows: Vec<(u64, Row)>) -> Result<(Vec<RowOutput>, Usage)> {
    let cost = model.package.manifest.rates.cost(input_units, 0);
    if request.max_cost.is_some_and(|most| cost > most) {
        return Err(Error::Budget(cost));
    }
    let hold = request.funds.hold(cost).await?;
    let Finished { outputs, device, queued, batch_rows } = model.run(&request.tenant, request.deadline, rows).await?;
    hold.charge(&Charge { model: model.package.manifest.id, input_units, output_units: 0, cost })?;
    let usage = Usage {
        requests: 1,
        input_units,
        output_units: 0,
        device_us: micros(device),
        queue_us: micros(queued),
        batch_rows,
        cost,
    };
    Ok((outputs, usage))
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn vectors(outputs: Vec<RowOutput>) -> Result<Vec<Vec<f32>>> {
    let vector = |output| match output {
        RowOutput::Vector(values) => Ok(values),
        RowOutput::Tensors(_) => Err(unexpected()),
    };
    outputs.into_iter().map(vector).collect()
}

fn unexpected() -> Error {
    Error::Backend("the model answered another kind of request".to_owned())
}

fn best(names: &[String], scores: &[f32], top_k: u32) -> Vec<Label> {
    let mut order: Vec<usize> = (0..names.len().min(scores.len())).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    let count = if top_k == 0 { order.len() } else { top_k as usize };
    order.into_iter().take(count).map(|index| Label { name: names[index].clone(), score: scores[index] }).collect()
}
