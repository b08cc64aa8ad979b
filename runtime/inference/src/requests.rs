//! The requests: embed, classify, rerank, count tokens, run tensors.

use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::funds::Charge;
use crate::inference::{Inference, Request};
use crate::limits;
use crate::model::{Model, before};
use crate::package::{Manifest, Pipeline};
use crate::pipeline::text::{TextTokens, Tokens};
use crate::pipeline::{Row, RowOutput, bytes, raw};
use crate::scheduler::call::Finished;
use crate::scheduler::queue::Ticket;
use crate::tensor::Tensor;
use crate::usage::Usage;

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

    fn into_text(self) -> Result<String> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Bytes(bytes) => String::from_utf8(bytes)
                .map_err(|_| Error::BadInput("the model reads text, and the bytes are not UTF-8; send text".to_owned())),
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

/// A document's place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranked {
    /// Its index among the documents sent.
    pub index: u32,
    /// How much it bears on the query: as the model scales it, or the cosine where vectors are compared.
    pub score: f32,
}

/// Documents, the best first.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking {
    /// The best, in their order.
    pub rows: Vec<Ranked>,
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
    /// cap; `not-permitted` where nobody pays; `overloaded` at once when the queue is full; `deadline`; `cancelled`;
    /// `non-finite`; `backend`.
    pub async fn embed(&self, request: &Request, model: &str, texts: Vec<String>) -> Result<Embeddings> {
        let model = &self.model(model)?;
        if !matches!(model.package.manifest.pipeline, Pipeline::Embed(_)) {
            return Err(wrong_task(model, "embed"));
        }
        check_items(model, texts.len())?;
        let tokens: Vec<Tokens> = tokenise(model.tokens().await?, texts, encode_each).await?;
        let truncated = tokens.iter().map(|tokens| tokens.truncated).collect();
        let (outputs, usage) = run_tokens(model, request, tokens).await?;
        let vectors = vectors(outputs)?;
        let dims = vectors.first().map_or(0, Vec::len) as u32;
        Ok(Embeddings { dims, data: vectors.concat(), truncated, usage })
    }

    /// Classifies 1 to 256 examples; `top_k` labels of each, 0 for all.
    ///
    /// # Errors
    /// As [`Inference::embed`]; `bad-input` also for an example with too few bytes to look at, or bytes that are no text
    /// where the model reads text.
    pub async fn classify(&self, request: &Request, model: &str, examples: Vec<Example>, top_k: u32) -> Result<Labels> {
        let model = &self.model(model)?;
        check_items(model, examples.len())?;
        let (names, (outputs, usage)) = match &model.package.manifest.pipeline {
            Pipeline::Classify(settings, names) => {
                let row = |example: &Example| Ok(Row::Bytes(bytes::features(settings, example.as_bytes())?));
                let rows = examples.iter().map(row).collect::<Result<Vec<_>>>()?;
                let rows = rows.into_iter().map(|row| Metered { units: 1, length: 1, row }).collect();
                (names, run(model, request, examples.len() as u64, rows).await?)
            }
            Pipeline::ClassifyText(_, names) => {
                let texts = examples.into_iter().map(Example::into_text).collect::<Result<Vec<_>>>()?;
                let tokens = tokenise(model.tokens().await?, texts, encode_each).await?;
                (names, run_tokens(model, request, tokens).await?)
            }
            _ => return Err(wrong_task(model, "classify")),
        };
        let rows = vectors(outputs)?.iter().map(|scores| best(names, scores, top_k)).collect();
        Ok(Labels { rows, usage })
    }

    /// Orders 1 to 255 documents by how much they bear on a query; the best `top_k`, 0 for all.
    ///
    /// A model of task `rerank` reads query and document together. One of task `embed` embeds both, and the cosine of the
    /// vectors is the score: cheaper, and coarser.
    ///
    /// # Errors
    /// As [`Inference::embed`].
    pub async fn rerank(
        &self,
        request: &Request,
        model: &str,
        query: String,
        documents: Vec<String>,
        top_k: u32,
    ) -> Result<Ranking> {
        let model = &self.model(model)?;
        let pairs = match model.package.manifest.pipeline {
            Pipeline::Rerank(_) => true,
            Pipeline::Embed(_) => false,
            _ => return Err(wrong_task(model, "rerank")),
        };
        check_items(model, documents.len())?;
        check_items(model, documents.len() + usize::from(!pairs))?;
        let texts = [vec![query], documents].concat();
        let encode = move |tokens: &TextTokens, texts: &[String]| match texts {
            [query, documents @ ..] if pairs => documents.iter().map(|document| tokens.encode_pair(query, document)).collect(),
            texts => encode_each(tokens, texts),
        };
        let tokens = tokenise(model.tokens().await?, texts, encode).await?;
        let (outputs, usage) = run_tokens(model, request, tokens).await?;
        let scores = if pairs { relevance(&vectors(outputs)?) } else { cosines(&vectors(outputs)?) };
        Ok(Ranking { rows: ranked(&scores, top_k), usage })
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
        let model = &self.model(model)?;
        if matches!(model.package.manifest.pipeline, Pipeline::Generate(_)) {
            return Err(wrong_task(model, "run tensors"));
        }
        let outputs = raw::check(&model.package.manifest, &inputs, outputs)?;
        let row = tensors(&model.package.manifest, inputs, outputs);
        let units = row.units;
        let (mut found, usage) = run(model, request, units, vec![row]).await?;
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
        let model = &self.model(model)?;
        check_items(model, texts.len())?;
        if let Pipeline::Generate(settings) = &model.package.manifest.pipeline {
            let speech = model.speech(settings).await?;
            return tokenise(speech, texts, |speech, texts| texts.iter().map(|text| speech.count(text)).collect()).await;
        }
        tokenise(model.tokens().await?, texts, |tokens, texts| texts.iter().map(|text| tokens.count(text)).collect()).await
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

/// Much text is worked on beside the async workers, little at once.
async fn tokenise<K: Send + Sync + 'static, T: Send + 'static>(
    tokens: Arc<K>,
    texts: Vec<String>,
    work: impl FnOnce(&K, &[String]) -> Result<T> + Send + 'static,
) -> Result<T> {
    if texts.iter().map(String::len).sum::<usize>() <= limits::INLINE_TEXT_BYTES_MAX {
        return work(&tokens, &texts);
    }
    let done = tokio::task::spawn_blocking(move || work(&tokens, &texts)).await;
    done.map_err(|cause| Error::Backend(format!("the tokenizer failed: {cause}")))?
}

fn encode_each(tokens: &TextTokens, texts: &[String]) -> Result<Vec<Tokens>> {
    texts.iter().map(|text| tokens.encode(text)).collect()
}

/// A row with its measure.
struct Metered {
    units: u64,
    /// As [`Ticket::length`].
    length: u32,
    row: Row,
}

/// Tensors of a model that reads tokens are metered by their tokens, as its texts are: in the price, in the fair order and in
/// what was learned of lengths.
fn tensors(manifest: &Manifest, inputs: Vec<(String, Tensor)>, outputs: Vec<String>) -> Metered {
    let units = raw::units(&inputs);
    let tokens = || inputs.iter().map(|(_, tensor)| tensor.element_count() as u64).max().unwrap_or(0);
    let units = if manifest.pipeline.text().is_some() { units.max(tokens()) } else { units };
    Metered { units, length: u32::try_from(units).unwrap_or(u32::MAX), row: Row::Raw(inputs, outputs) }
}

/// A request of many rows would hold the device until its end, whoever waits. Where its rows may run with others they may
/// run one after the other too, so that it is cut into runs of the usual length.
async fn in_pieces(model: &Arc<Model>, request: &Request, rows: Vec<Metered>) -> Result<Vec<Metered>> {
    let manifest = &model.package.manifest;
    let [Metered { row: Row::Raw(inputs, outputs), length, .. }] = rows.as_slice() else { return Ok(rows) };
    let group = raw::group(manifest, inputs, outputs).filter(|(_, count)| *count > 1 && !request.exclusive);
    let Some((_, count)) = group else { return Ok(rows) };
    // Only a loaded model is known to give the same for rows that run together.
    before(request.deadline, model.worker()).await??;
    let pieces_max = limits::PIECES_MAX.min(model.items_max() as u32).max(1);
    let most = model.rows_at_once(count, length.div_ceil(count)).max(count.div_ceil(pieces_max));
    let Some(pieces) = raw::cut(inputs, count, most) else { return Ok(rows) };
    Ok(pieces.into_iter().map(|inputs| tensors(manifest, inputs, outputs.clone())).collect())
}

async fn run_tokens(model: &Arc<Model>, request: &Request, tokens: Vec<Tokens>) -> Result<(Vec<RowOutput>, Usage)> {
    let units = tokens.iter().map(|tokens| tokens.ids.len() as u64).sum();
    let row = |tokens: Tokens| {
        let length = tokens.ids.len() as u32;
        Metered { units: length.into(), length, row: Row::Tokens(tokens) }
    };
    run(model, request, units, tokens.into_iter().map(row).collect()).await
}

/// Quotes, holds, runs, charges. The quote is exact, and what is charged is the quote.
async fn run(model: &Arc<Model>, request: &Request, input_units: u64, rows: Vec<Metered>) -> Result<(Vec<RowOutput>, Usage)> {
    let manifest = &model.package.manifest;
    let cost = manifest.rates.at(request.priority).cost(input_units, 0);
    if request.max_cost.is_some_and(|most| cost > most) {
        return Err(Error::Budget(cost));
    }
    let hold = before(request.deadline, request.funds.hold(cost)).await??;
    let rows = in_pieces(model, request, rows).await?;
    let rows = rows.into_iter().map(|metered| (ticket(model, request, &metered), metered.row)).collect();
    let Finished { outputs, device, queued, batch_rows } = model.run(&request.tenant, request.deadline, rows).await?;
    // Before it is charged: what cannot be put together again was no answer.
    let outputs = match outputs.first() {
        Some(RowOutput::Tensors(_)) => vec![RowOutput::Tensors(raw::mend(outputs).ok_or_else(unexpected)?)],
        _ => outputs,
    };
    hold.charge(&Charge { model: manifest.id, input_units, output_units: 0, cost })?;
    let usage = Usage {
        requests: 1,
        input_units,
        output_units: 0,
        device_us: micros(device),
        queue_us: micros(queued),
        batch_rows,
        cost,
    };
    model.metrics.answered(&request.tenant, &usage);
    Ok((outputs, usage))
}

fn ticket(model: &Model, request: &Request, metered: &Metered) -> Ticket {
    let manifest = &model.package.manifest;
    let (group, rows) = match &metered.row {
        Row::Tokens(_) | Row::Bytes(_) => (Some(0), 1),
        Row::Raw(inputs, outputs) => raw::group(manifest, inputs, outputs).map_or((None, 1), |(group, rows)| (Some(group), rows)),
    };
    Ticket {
        weight: manifest.rates.weight(request.priority, metered.units.max(metered.length.into())),
        priority: request.priority,
        group: group.filter(|_| !request.exclusive),
        rows,
        length: metered.length.div_ceil(rows.max(1)),
        bytes: metered.row.bytes(),
    }
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
    let label = |Ranked { index, score }| Label { name: names[index as usize].clone(), score };
    ranked(&scores[..scores.len().min(names.len())], top_k).into_iter().map(label).collect()
}

/// The best `top_k` scores, 0 for all; of equals the first.
fn ranked(scores: &[f32], top_k: u32) -> Vec<Ranked> {
    let mut rows: Vec<Ranked> = (0..).zip(scores).map(|(index, score)| Ranked { index, score: *score }).collect();
    rows.sort_by(|a, b| b.score.total_cmp(&a.score));
    rows.truncate(if top_k == 0 { rows.len() } else { top_k as usize });
    rows
}

/// A cross-encoder's scores: its one number, or the second of two.
pub(crate) fn relevance(vectors: &[Vec<f32>]) -> Vec<f32> {
    vectors.iter().map(|vector| vector.last().copied().unwrap_or(f32::NAN)).collect()
}

/// Cosine of the first vector with each of the others.
fn cosines(vectors: &[Vec<f32>]) -> Vec<f32> {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let length = |vector: &[f32]| dot(vector, vector).sqrt().max(1e-12);
    let Some((query, documents)) = vectors.split_first() else { return Vec::new() };
    documents.iter().map(|document| dot(query, document) / (length(query) * length(document))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_come_first_and_equals_in_their_order() {
        let order = |scores: &[f32], top_k| ranked(scores, top_k).iter().map(|row| row.index).collect::<Vec<_>>();
        assert_eq!(order(&[0.1, 0.5, 0.5, 0.9], 0), [3, 1, 2, 0]);
        assert_eq!(order(&[0.1, 0.5, 0.5, 0.9], 2), [3, 1]);
    }

    #[test]
    fn raw_tokens_are_as_long_as_those_of_texts() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models/minilm/hansa-model.toml");
        let manifest = Manifest::parse(&std::fs::read_to_string(folder).unwrap(), [0; 32]).unwrap();
        let tensor = || Tensor::from_bytes(crate::Dtype::Int64, &[2, 256], &[0; 4096]).unwrap();
        let inputs = manifest.inputs.iter().map(|port| (port.name.clone(), tensor())).collect();
        let row = tensors(&manifest, inputs, vec![]);
        assert_eq!((row.units, row.length, row.row.bytes()), (512, 512, 3 * 4096));
    }

    #[test]
    fn cosines_do_not_depend_on_length() {
        let vectors = [vec![2.0, 0.0], vec![5.0, 0.0], vec![0.0, 3.0], vec![-1.0, 0.0], vec![0.0, 0.0]];
        assert_eq!(cosines(&vectors), [1.0, 0.0, -1.0, 0.0]);
    }
}
