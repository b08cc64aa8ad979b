//! Golden vectors: inputs whose outputs are known, run whenever a model is loaded.

use super::settings::{GenerateSettings, Pipeline};
use crate::limits;
use crate::tensor::{Dtype, Elements, Port, Tensor};

/// One `[[golden]]` of a manifest, as written.
#[derive(Clone, Debug, Default, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GoldenText {
    /// Input of a text or bytes pipeline, or the prompt of a decoder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    /// Prompt of a decoder, in place of `text`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tokens: Vec<u32>,
    /// What the documents are ranked by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) query: Option<String>,
    /// Documents to rank.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) documents: Vec<String>,
    /// Inputs of a raw model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) input: Vec<GoldenInput>,
    /// Output of a raw model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) output: Option<String>,
    /// For classifiers: the labels whose scores `expect` lists, the best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) labels: Vec<String>,
    /// The first numbers of the output, the scores of `labels` or `documents`, or the first tokens of the answer.
    pub(crate) expect: Vec<f64>,
    /// Largest absolute difference that is still right. Tokens are the same or wrong, so that decoders need none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tolerance: Option<f64>,
}

/// An input tensor of a raw model's golden vector.
#[derive(Clone, Debug, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GoldenInput {
    pub(crate) name: String,
    pub(crate) shape: Vec<u32>,
    pub(crate) values: Vec<f64>,
}

/// A golden vector that can be run.
#[derive(Clone, Debug)]
pub(crate) struct Golden {
    pub(crate) case: GoldenCase,
    pub(crate) expect: Vec<f64>,
    pub(crate) tolerance: f64,
}

/// What a golden vector runs and looks at.
#[derive(Clone, Debug)]
pub(crate) enum GoldenCase {
    /// A text embedded; the row's first numbers.
    Embed(String),
    /// A text's bytes classified; the scores of these label indices, the first being the best of all.
    Classify(String, Vec<usize>),
    /// Documents ranked by a query; their scores, in the order of the documents.
    Rerank {
        /// The query.
        query: String,
        /// The documents.
        documents: Vec<String>,
    },
    /// An answer begun with the likeliest token each time; its first tokens, as many as are expected.
    Generate(GoldenPrompt),
    /// Tensors in; the first numbers of the output of this name.
    Raw(Vec<(String, Tensor)>, String),
}

/// What a decoder is to go on from.
#[derive(Clone, Debug)]
pub(crate) enum GoldenPrompt {
    /// A text, tokenised as a plain prompt is.
    Text(String),
    /// Tokens as they are.
    Tokens(Vec<u32>),
}

impl GoldenText {
    /// Checks the case against the model that it belongs to.
    pub(super) fn validate(self, pipeline: &Pipeline, inputs: &[Port], outputs: &[Port]) -> Result<Golden, String> {
        if self.expect.is_empty() || self.expect.iter().any(|n| !n.is_finite()) {
            return Err("`expect` of a [[golden]] needs at least one finite number".to_owned());
        }
        let tolerance = self.tolerance_for(pipeline)?;
        let expect = self.expect.clone();
        let case = match pipeline {
            Pipeline::Embed(_) => GoldenCase::Embed(self.into_text()?),
            Pipeline::Classify(_, names) | Pipeline::ClassifyText(_, names) => self.into_classify(names)?,
            Pipeline::Rerank(_) => self.into_rerank()?,
            Pipeline::Generate(settings) => self.into_generate(settings)?,
            Pipeline::Raw => self.into_raw(inputs, outputs)?,
        };
        Ok(Golden { case, expect, tolerance })
    }

    fn tolerance_for(&self, pipeline: &Pipeline) -> Result<f64, String> {
        match (self.tolerance, pipeline) {
            (None, Pipeline::Generate(_)) => Ok(0.0),
            (Some(_), Pipeline::Generate(_)) => {
                Err("a [[golden]] of task `generate` takes no `tolerance`: tokens are the same or wrong; remove it".to_owned())
            }
            (Some(tolerance), _) if tolerance.is_finite() && tolerance > 0.0 => Ok(tolerance),
            (Some(tolerance), _) => Err(format!("`tolerance` of a [[golden]] is `{tolerance}`; it must be above 0")),
            (None, _) => Err("a [[golden]] needs `tolerance`, the largest difference that is still right".to_owned()),
        }
    }

    fn into_rerank(self) -> Result<GoldenCase, String> {
        if self.documents.len() != self.expect.len() || self.documents.len() > limits::ITEMS_MAX {
            return Err("a [[golden]] of task `rerank` needs as many `documents` as numbers in `expect`".to_owned());
        }
        let query = self.query.ok_or("a [[golden]] of task `rerank` needs `query`")?;
        Ok(GoldenCase::Rerank { query, documents: self.documents })
    }

    fn into_generate(self, settings: &GenerateSettings) -> Result<GoldenCase, String> {
        let vocab = f64::from(settings.vocab);
        if let Some(wrong) = self.expect.iter().find(|n| n.fract() != 0.0 || !(0.0..vocab).contains(*n)) {
            return Err(format!("`expect` of a [[golden]] of task `generate` holds `{wrong}`, which is no token below {vocab}"));
        }
        if self.tokens.len() + self.expect.len() > settings.context as usize {
            return Err(format!("a [[golden]] is longer than `context`, {} tokens; shorten it", settings.context));
        }
        match (self.text, self.tokens.is_empty()) {
            (Some(text), true) => Ok(GoldenCase::Generate(GoldenPrompt::Text(text))),
            (None, false) if self.tokens.iter().all(|token| *token < settings.vocab) => {
                Ok(GoldenCase::Generate(GoldenPrompt::Tokens(self.tokens)))
            }
            (None, false) => Err(format!("`tokens` of a [[golden]] must be below {vocab}")),
            _ => Err("a [[golden]] of task `generate` needs either `text` or `tokens`".to_owned()),
        }
    }

    fn into_text(self) -> Result<String, String> {
        self.text.ok_or_else(|| "a [[golden]] of this task needs `text`".to_owned())
    }

    fn into_classify(self, names: &[String]) -> Result<GoldenCase, String> {
        if self.labels.len() != self.expect.len() {
            return Err("a [[golden]] of a classifier needs as many `labels` as numbers in `expect`".to_owned());
        }
        let index = |label: &String| {
            names.iter().position(|name| name == label).ok_or_else(|| format!("golden label `{label}` is not in [labels] names"))
        };
        let indices = self.labels.iter().map(index).collect::<Result<_, _>>()?;
        Ok(GoldenCase::Classify(self.into_text()?, indices))
    }

    fn into_raw(self, inputs: &[Port], outputs: &[Port]) -> Result<GoldenCase, String> {
        let output = self.output.ok_or("a [[golden]] of a raw model needs `output`")?;
        if !outputs.iter().any(|port| port.name == output) {
            return Err(format!("golden output `{output}` is no [[output]] of the model"));
        }
        let tensor = |input: GoldenInput| {
            let port = inputs
                .iter()
                .find(|port| port.name == input.name)
                .ok_or_else(|| format!("golden input `{}` is no [[input]] of the model", input.name))?;
            Ok((input.name, golden_tensor(port.dtype, &input.shape, &input.values)?))
        };
        Ok(GoldenCase::Raw(self.input.into_iter().map(tensor).collect::<Result<_, String>>()?, output))
    }
}

fn golden_tensor(dtype: Dtype, shape: &[u32], values: &[f64]) -> Result<Tensor, String> {
    let elements = Elements::from_numbers(dtype, values).map_err(|error| error.to_string())?;
    Tensor::new(shape, elements).map_err(|error| error.to_string())
}

impl Golden {
    /// Compares the first numbers of an output with those expected.
    pub(crate) fn compare(&self, found: &[f64]) -> Result<(), String> {
        if found.len() < self.expect.len() {
            return Err(format!("gave {} numbers where at least {} were expected", found.len(), self.expect.len()));
        }
        for (place, (found, want)) in found.iter().zip(&self.expect).enumerate() {
            if found.is_nan() || (found - want).abs() > self.tolerance {
                return Err(format!("number {place} is `{found}`, but {want} ± {} was expected", self.tolerance));
            }
        }
        Ok(())
    }
}
