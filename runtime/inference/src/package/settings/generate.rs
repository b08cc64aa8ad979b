//! `[generate]`: a decoder with a key-value cache, as Optimum and onnxruntime-genai export the Llama family and its kin.

use serde::{Deserialize, Serialize};

use super::require;
use crate::limits;
use crate::tensor::{Dim, Dtype, Port};

/// `[generate]`: how a decoder is run, one token after another.
///
/// The graph takes `input_ids` and `attention_mask`, perhaps `position_ids`, and for each layer the keys and values of
/// the tokens before; it gives logits, and for each layer the keys and values of all tokens so far. The four patterns name
/// the ports of a layer, counted from 0, with `%d` in its place.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GenerateSettings {
    /// Path of the `tokenizer.json`, a listed file.
    pub(crate) tokenizer: String,
    /// Tokens of prompt and answer together.
    pub(crate) context: u32,
    /// Tokens of an answer, at most; at least 1 and below `context`. `None`: what `context` leaves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_new_tokens: Option<u32>,
    /// Name of the output `[batch, seq, vocab]`, or `[batch, 1, vocab]` for the last token alone; fp32 or fp16.
    pub(crate) logits: String,
    /// Inputs that take the keys so far, such as `past_key_values.%d.key`: `[batch, kv_heads, past, head_size]`.
    pub(crate) past_key: String,
    /// Inputs that take the values so far, such as `past_key_values.%d.value`; as `past_key`.
    pub(crate) past_value: String,
    /// Outputs that give the keys so far and of these tokens, such as `present.%d.key`.
    pub(crate) present_key: String,
    /// Outputs that give the values so far and of these tokens, such as `present.%d.value`.
    pub(crate) present_value: String,
    /// Layers, each with its key and its value.
    pub(crate) layers: u32,
    /// Heads of keys and values; fewer than the attention's heads where these share them.
    pub(crate) kv_heads: u32,
    /// Numbers of one head.
    pub(crate) head_size: u32,
    /// Tokens that the model knows: the width of the logits.
    pub(crate) vocab: u32,
    /// Tokens that end an answer; at least one, each below `vocab`.
    pub(crate) eos: Vec<u32>,
    /// Token that begins a prompt, where the tokenizer does not set it by itself; below `vocab`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bos: Option<u32>,
    /// Path of a Jinja template that makes a prompt of messages, a listed file. `None`: the model takes only plain prompts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) chat_template: Option<String>,
    /// Whether the graph takes `position_ids`. Read from the ports, not written.
    #[serde(skip)]
    pub(crate) position_ids: bool,
    /// Element type of keys and values, fp32 or fp16. Read from the ports, not written.
    #[serde(skip, default = "single")]
    pub(crate) cache: Dtype,
}

fn single() -> Dtype {
    Dtype::Fp32
}

impl GenerateSettings {
    /// The paths that must be listed files.
    pub(in crate::package) fn paths(&self) -> impl Iterator<Item = &String> {
        [&self.tokenizer].into_iter().chain(&self.chat_template)
    }

    /// The name of a pattern's port of one layer.
    pub(crate) fn port_name(pattern: &str, layer: u32) -> String {
        pattern.replacen("%d", &layer.to_string(), 1)
    }

    /// Refuses what the ports or the limits do not bear, and reads from the ports what they say.
    pub(super) fn check(mut self, inputs: &[Port], outputs: &[Port]) -> Result<Self, String> {
        self.check_numbers()?;
        self.check_logits(outputs)?;
        let cache = self.layer_ports("input", inputs, &self.past_key, &self.past_value)?;
        self.layer_ports("output", outputs, &self.present_key, &self.present_value)?;
        if cache.iter().any(|port| port.dtype != cache[0].dtype) {
            return Err("the keys and values of a [generate] model must be all fp32 or all fp16".to_owned());
        }
        let rest: Vec<&Port> = inputs.iter().filter(|port| !cache.contains(port)).collect();
        check_token_ports(&rest)?;
        (self.position_ids, self.cache) = (rest.iter().any(|port| port.name == "position_ids"), cache[0].dtype);
        Ok(self)
    }

    fn check_numbers(&self) -> Result<(), String> {
        let bounds = [
            ("context", self.context, 2, limits::TOKENS_MAX),
            ("max_new_tokens", self.max_new_tokens.unwrap_or(1), 1, self.context.saturating_sub(1)),
            ("layers", self.layers, 1, limits::LAYERS_MAX),
            ("kv_heads", self.kv_heads, 1, limits::HEADS_MAX),
            ("head_size", self.head_size, 1, limits::HEAD_SIZE_MAX),
            ("vocab", self.vocab, 1, limits::VOCAB_MAX),
        ];
        if let Some((key, value, least, most)) = bounds.iter().find(|(_, value, least, most)| !(least..=most).contains(&value)) {
            return Err(format!("`{key}` of [generate] is `{value}`; it must be {least} to {most}"));
        }
        if self.eos.is_empty() || self.eos.len() > limits::EOS_MAX {
            return Err(format!("`eos` of [generate] has `{}` tokens; 1 to {} are needed", self.eos.len(), limits::EOS_MAX));
        }
        match self.eos.iter().chain(&self.bos).find(|token| **token >= self.vocab) {
            Some(token) => Err(format!("token `{token}` of [generate] is not below `vocab`, {}", self.vocab)),
            None => Ok(()),
        }
    }

    fn check_logits(&self, outputs: &[Port]) -> Result<(), String> {
        let port = require(&self.logits, outputs)?;
        let half_or_single = [Dtype::Fp32, Dtype::Fp16].contains(&port.dtype);
        match port.shape.as_slice() {
            [_, _, width] if half_or_single && fits(width, self.vocab) => Ok(()),
            _ => Err(format!("[[output]] {port} must be fp32 or fp16 [batch, seq, {}] to be logits", self.vocab)),
        }
    }

    /// The keys' and values' ports of all layers, one pair after another.
    fn layer_ports<'a>(&self, side: &str, ports: &'a [Port], key: &str, value: &str) -> Result<Vec<&'a Port>, String> {
        for pattern in [key, value] {
            if pattern.matches("%d").count() != 1 {
                return Err(format!("`{pattern}` of [generate] must hold `%d` once, in the place of the layer's number"));
            }
        }
        let names = (0..self.layers).flat_map(|layer| [key, value].map(|pattern| Self::port_name(pattern, layer)));
        names.map(|name| self.layer_port(side, ports, &name)).collect()
    }

    fn layer_port<'a>(&self, side: &str, ports: &'a [Port], name: &str) -> Result<&'a Port, String> {
        let found = ports.iter().find(|port| port.name == name);
        let port = found.ok_or_else(|| format!("`{name}` of [generate] is no [[{side}]] of the model"))?;
        let half_or_single = [Dtype::Fp32, Dtype::Fp16].contains(&port.dtype);
        match port.shape.as_slice() {
            [_, heads, Dim::Free(_), size] if half_or_single && fits(heads, self.kv_heads) && fits(size, self.head_size) => {
                Ok(port)
            }
            _ => Err(format!(
                "[[{side}]] {port} must be fp32 or fp16 [batch, {}, tokens, {}] to keep keys or values",
                self.kv_heads, self.head_size
            )),
        }
    }
}

fn fits(dim: &Dim, want: u32) -> bool {
    matches!(dim, Dim::Free(_)) || *dim == Dim::Fixed(want)
}

/// The inputs beside keys and values.
fn check_token_ports(ports: &[&Port]) -> Result<(), String> {
    for port in ports {
        let known = ["input_ids", "attention_mask", "position_ids"].contains(&port.name.as_str());
        if !known || port.dtype != Dtype::Int64 || port.shape.len() != 2 {
            return Err(format!(
                "[[input]] {port}: a [generate] model takes input_ids, attention_mask, position_ids as int64 [batch, tokens], and keys and values"
            ));
        }
    }
    match ["input_ids", "attention_mask"].iter().find(|name| !ports.iter().any(|port| port.name == **name)) {
        Some(name) => Err(format!("a [generate] model needs the [[input]] `{name}`")),
        None => Ok(()),
    }
}
