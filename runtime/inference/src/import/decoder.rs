//! Decoders with a key-value cache, as Optimum exports the Llama family and its kin.

use super::config::{Config, json, numbers, text};
use super::stage::Staged;
use crate::backend::Session;
use crate::limits;
use crate::package::GenerateSettings;
use crate::tensor::{Dim, Port};

/// Names that exporters give the keys and values of a layer: past key and value, present key and value.
const PATTERNS: [[&str; 4]; 3] = [
    ["past_key_values.%d.key", "past_key_values.%d.value", "present.%d.key", "present.%d.value"],
    ["past_key_values.%d.key", "past_key_values.%d.value", "present_key_values.%d.key", "present_key_values.%d.value"],
    ["past_key_%d", "past_value_%d", "present_key_%d", "present_value_%d"],
];

pub(super) fn describe(staged: &mut Staged<'_>, session: &dyn Session) -> Result<(), String> {
    let patterns = patterns(session)?.map(str::to_owned);
    let eos = match numbers(&staged.config.generation["eos_token_id"]) {
        eos if eos.is_empty() => numbers(&staged.config.model["eos_token_id"]),
        eos => eos,
    };
    let context = staged.config.number(&["max_position_embeddings", "n_positions", "n_ctx"]);
    let context = context.ok_or("config.json does not say how many tokens fit (max_position_embeddings); add it")?;
    settle(staged, session, patterns, context, eos)
}

/// Settles all that ports and files say, for either layout.
pub(super) fn settle(
    staged: &mut Staged<'_>,
    session: &dyn Session,
    [past_key, past_value, present_key, present_value]: [String; 4],
    context: u32,
    eos: Vec<u32>,
) -> Result<(), String> {
    staged.take("tokenizer.json").map_err(|error| {
        format!("{error}; a decoder needs its fast tokenizer: save it with `tokenizer.save_pretrained(folder)`")
    })?;
    if eos.is_empty() {
        return Err(
            "neither generation_config.json nor config.json says which token ends an answer (eos_token_id); add it".to_owned()
        );
    }
    let layers = (0..).take_while(|layer| port_of(session.inputs(), &past_key, *layer).is_some()).count();
    let first =
        port_of(session.inputs(), &past_key, 0).ok_or_else(|| format!("the graph has no input `{past_key}` for layer 0"))?;
    let logits = session.outputs().iter().find(|port| port.name == "logits" && port.shape.len() == 3);
    let logits = logits.ok_or("the graph has no output `logits` [batch, seq, vocab]")?;
    let config = &staged.config;
    let heads = |config: &Config| config.number(&["num_key_value_heads", "num_attention_heads", "n_head"]);
    let size = |config: &Config| {
        let width = config.number(&["hidden_size", "n_embd"])?;
        config.number(&["head_dim"]).or_else(|| width.checked_div(config.number(&["num_attention_heads", "n_head"])?))
    };
    let missing = |what: &str| format!("neither the graph nor the configuration says `{what}`; export the model anew");
    let settings = GenerateSettings {
        kv_heads: fixed(first, 1).or_else(|| heads(config)).ok_or_else(|| missing("num_key_value_heads"))?,
        head_size: fixed(first, 3).or_else(|| size(config)).ok_or_else(|| missing("head_dim"))?,
        vocab: fixed(logits, 2).or_else(|| config.number(&["vocab_size"])).ok_or_else(|| missing("vocab_size"))?,
        context: context.min(limits::TOKENS_MAX),
        layers: u32::try_from(layers).unwrap_or(u32::MAX),
        logits: logits.name.clone(),
        tokenizer: "tokenizer.json".to_owned(),
        max_new_tokens: None,
        bos: None,
        cache: first.dtype,
        position_ids: false,
        chat_template: chat_template(staged)?,
        past_key,
        past_value,
        present_key,
        present_value,
        eos,
    };
    let chat = if settings.chat_template.is_some() { "with" } else { "without" };
    staged.notes.push(format!("layers: {layers}, tokens in all: {}, {chat} a chat template", settings.context));
    staged.manifest.generate = Some(settings);
    Ok(())
}

/// The patterns that the graph's ports have.
fn patterns(session: &dyn Session) -> Result<[&'static str; 4], String> {
    let fits = |patterns: &&[&str; 4]| {
        let [key, value, present_key, present_value] = patterns;
        [key, value].iter().all(|pattern| port_of(session.inputs(), pattern, 0).is_some())
            && [present_key, present_value].iter().all(|pattern| port_of(session.outputs(), pattern, 0).is_some())
    };
    PATTERNS.iter().find(fits).copied().ok_or_else(|| {
        let names: Vec<&str> = session.inputs().iter().map(|port| port.name.as_str()).take(8).collect();
        format!(
            "the names of keys and values are not known here; the graph takes {}; write a hansa-model.toml for it",
            names.join(", ")
        )
    })
}

fn port_of<'a>(ports: &'a [Port], pattern: &str, layer: u32) -> Option<&'a Port> {
    let name = GenerateSettings::port_name(pattern, layer);
    ports.iter().find(|port| port.name == name)
}

fn fixed(port: &Port, dimension: usize) -> Option<u32> {
    match port.shape.get(dimension) {
        Some(Dim::Fixed(size)) => Some(*size),
        _ => None,
    }
}

/// The template that makes a prompt of messages: a file of its own, or one that the tokenizer's configuration holds.
fn chat_template(staged: &mut Staged<'_>) -> Result<Option<String>, String> {
    const FILE: &str = "chat_template.jinja";
    if staged.folder.join(FILE).is_file() {
        staged.take(FILE)?;
        return Ok(Some(FILE.to_owned()));
    }
    let separate = json(staged.folder, "chat_template.json")?;
    let held = &staged.config.tokenizer["chat_template"];
    let default = held.as_array().into_iter().flatten().find(|named| named["name"] == "default");
    let template = text(held).or_else(|| text(&default?["template"])).or_else(|| text(&separate["chat_template"]));
    let Some(template) = template else { return Ok(None) };
    staged.put(FILE, &template)?;
    Ok(Some(FILE.to_owned()))
}
