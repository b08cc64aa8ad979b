//! `[text]`: what a text becomes before an encoder, and what its output becomes after.

use serde::{Deserialize, Serialize};

use super::require_fp32;
use crate::limits;
use crate::tensor::{Dim, Dtype, Port};

/// `[text]`: these settings replace what `tokenizer.json` says on padding and truncation.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TextSettings {
    /// Path of the `tokenizer.json`.
    pub(crate) tokenizer: String,
    /// Tokens kept of each row, special ones included.
    pub(crate) max_tokens: u32,
    /// The output that becomes the embedding, or the logits.
    pub(crate) output: String,
    /// How token vectors become one; only where a text is embedded.
    #[serde(default)]
    pub(crate) pooling: Pooling,
    /// Scale to length 1 after pooling.
    #[serde(default)]
    pub(crate) normalise: bool,
    /// How logits become scores; only where a text is classified or ranked.
    #[serde(default)]
    pub(crate) activation: Activation,
    /// Put before each text.
    #[serde(default)]
    pub(crate) prefix: String,
    /// Token that fills short rows of a batch; the mask hides it.
    #[serde(default)]
    pub(crate) pad_token: u32,
}

/// How token vectors become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Pooling {
    /// The output is one vector per row already.
    #[default]
    None,
    /// Mean of the tokens' vectors.
    Mean,
    /// The first token's vector.
    Cls,
}

/// How a row of logits becomes scores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Activation {
    /// The logits are the scores.
    #[default]
    None,
    /// Each from 0 to 1, together 1: one label of many.
    Softmax,
    /// Each from 0 to 1 by itself: any number of labels.
    Sigmoid,
}

impl TextSettings {
    /// For embedding: `[rows, dims]`, or `[rows, tokens, dims]` to be pooled.
    pub(super) fn check_embed(&self, inputs: &[Port], outputs: &[Port]) -> Result<(), String> {
        self.check_inputs(inputs)?;
        if self.activation != Activation::None {
            return Err("`activation` belongs to tasks classify and rerank; remove it".to_owned());
        }
        require_fp32(&self.output, outputs, if self.pooling == Pooling::None { 2 } else { 3 }).map(drop)
    }

    /// For classifying: `[rows, labels]`.
    pub(super) fn check_classify(&self, labels: &[String], inputs: &[Port], outputs: &[Port]) -> Result<(), String> {
        self.check_inputs(inputs)?;
        self.check_unpooled("classify")?;
        if labels.is_empty() || labels.len() > limits::LABELS_MAX {
            return Err(format!("[labels] has `{}` names; 1 to {} are needed", labels.len(), limits::LABELS_MAX));
        }
        let port = require_fp32(&self.output, outputs, 2)?;
        match port.shape[1] {
            Dim::Fixed(size) if size as usize != labels.len() => {
                Err(format!("[labels] has {} names, but [[output]] is {port}", labels.len()))
            }
            _ => Ok(()),
        }
    }

    /// For ranking: `[rows, 1]`, or `[rows, 2]` whose second column speaks for the document.
    pub(super) fn check_rerank(&self, inputs: &[Port], outputs: &[Port]) -> Result<(), String> {
        self.check_inputs(inputs)?;
        self.check_unpooled("rerank")?;
        if !self.prefix.is_empty() {
            return Err("task `rerank` takes no `prefix`: query and document are one row; remove it".to_owned());
        }
        let port = require_fp32(&self.output, outputs, 2)?;
        match (&port.shape[1], self.activation) {
            (Dim::Fixed(1), Activation::None | Activation::Sigmoid) | (Dim::Fixed(2), Activation::Softmax) => Ok(()),
            (Dim::Fixed(1), _) => Err("an output of one logit per row takes the activation `none` or `sigmoid`".to_owned()),
            (Dim::Fixed(2), _) => Err("an output of two logits per row takes the activation `softmax`".to_owned()),
            _ => Err(format!("[[output]] {port} must be fp32 [rows, 1] or [rows, 2] for task `rerank`")),
        }
    }

    fn check_unpooled(&self, task: &str) -> Result<(), String> {
        if self.pooling == Pooling::None && !self.normalise {
            return Ok(());
        }
        Err(format!("`pooling` and `normalise` belong to task embed, not `{task}`; remove them"))
    }

    fn check_inputs(&self, inputs: &[Port]) -> Result<(), String> {
        if !(2..=limits::TOKENS_MAX).contains(&self.max_tokens) {
            return Err(format!("max_tokens is `{}`; it must be 2 to {}", self.max_tokens, limits::TOKENS_MAX));
        }
        for port in inputs {
            let known = ["input_ids", "attention_mask", "token_type_ids"].contains(&port.name.as_str());
            if !known || port.dtype != Dtype::Int64 || port.shape.len() != 2 {
                return Err(format!(
                    "[[input]] {port}: a [text] model takes input_ids, attention_mask, token_type_ids as int64 [batch, seq]"
                ));
            }
        }
        if !inputs.iter().any(|port| port.name == "input_ids") {
            return Err("a [text] model needs the [[input]] `input_ids`".to_owned());
        }
        Ok(())
    }
}
