//! Encoders: sentence embedding, classifiers and cross-encoders, as Optimum and sentence-transformers describe them.

use std::path::Path;

use serde_json::Value;

use super::config::{Config, json, number, text};
use super::stage::Staged;
use crate::backend::Session;
use crate::info::Task;
use crate::limits;
use crate::package::{Activation, Pooling, TextSettings};
use crate::tensor::{Dim, Dtype, Port};

/// Tokens of a text where nothing says more: BERT's.
const MAX_TOKENS: u32 = 512;

/// What an export does, by its architecture and its ports.
pub(super) fn task_of(config: &Config, inputs: &[Port], outputs: &[Port], folder: &Path) -> Result<Task, String> {
    let architecture = config.model["architectures"][0].as_str().unwrap_or_default();
    let has_cache = inputs.iter().any(|port| port.name.starts_with("past"));
    if has_cache || architecture.ends_with("ForCausalLM") || architecture.ends_with("LMHeadModel") {
        if has_cache {
            return Ok(Task::Generate);
        }
        return Err(format!(
            "`{architecture}` was exported without its key-value cache; export it with `--task text-generation-with-past`"
        ));
    }
    if architecture.ends_with("ForSequenceClassification") {
        let single = outputs.iter().any(|port| port.name == "logits" && port.shape.get(1) == Some(&Dim::Fixed(1)));
        let labels = config.model["id2label"].as_object().map_or(0, serde_json::Map::len);
        return Ok(if single || labels == 1 { Task::Rerank } else { Task::Classify });
    }
    let embeds = folder.join("modules.json").is_file() || pooled(outputs).is_some() || hidden(outputs).is_some();
    let takes_text = inputs.iter().any(|port| port.name == "input_ids") && folder.join("tokenizer.json").is_file();
    Ok(if embeds && takes_text { Task::Embed } else { Task::Raw })
}

pub(super) fn describe(staged: &mut Staged<'_>, session: &dyn Session) -> Result<(), String> {
    staged.take("tokenizer.json").map_err(|error| {
        format!("{error}; a text model needs its fast tokenizer: save it with `tokenizer.save_pretrained(folder)`")
    })?;
    let (inputs, outputs) = (session.inputs(), session.outputs());
    if let Some(port) = inputs.iter().find(|port| port.name == "position_ids") {
        return Err(format!("the graph takes {port}, which encoders here do not get; export it without"));
    }
    let mut settings = TextSettings {
        tokenizer: "tokenizer.json".to_owned(),
        max_tokens: max_tokens(staged)?,
        pad_token: staged.config.number(&["pad_token_id"]).unwrap_or(0),
        ..TextSettings::default()
    };
    match staged.manifest.task {
        Task::Embed => embed(staged, outputs, &mut settings)?,
        _ => score(staged, outputs, &mut settings)?,
    }
    staged.notes.push(format!("tokens of each text, at most: {}", settings.max_tokens));
    staged.manifest.text = Some(settings);
    Ok(())
}

/// The least of what the tokenizer, sentence-transformers and the position embeddings allow.
fn max_tokens(staged: &Staged<'_>) -> Result<u32, String> {
    let config = &staged.config;
    let sentences = json(staged.folder, "sentence_bert_config.json")?;
    let model_type = config.model["model_type"].as_str().unwrap_or_default();
    // RoBERTa and its kin count positions from two on
    let reserved = if model_type.contains("roberta") || model_type == "camembert" { 2 } else { 0 };
    let positions =
        config.number(&["max_position_embeddings", "n_positions"]).map(|positions| positions.saturating_sub(reserved));
    let all = [number(&sentences["max_seq_length"]), number(&config.tokenizer["model_max_length"]), positions];
    Ok(all.into_iter().flatten().filter(|tokens| *tokens >= 2).min().unwrap_or(MAX_TOKENS).min(limits::TOKENS_MAX))
}

fn pooled(outputs: &[Port]) -> Option<&Port> {
    outputs.iter().find(|port| port.name == "sentence_embedding" && port.shape.len() == 2 && port.dtype == Dtype::Fp32)
}

fn hidden(outputs: &[Port]) -> Option<&Port> {
    let named = |name: &str| outputs.iter().find(|port| port.name == name && port.shape.len() == 3 && port.dtype == Dtype::Fp32);
    named("last_hidden_state").or_else(|| named("token_embeddings"))
}

fn embed(staged: &mut Staged<'_>, outputs: &[Port], settings: &mut TextSettings) -> Result<(), String> {
    let modules = json(staged.folder, "modules.json")?;
    let kinds: Vec<&str> = modules.as_array().into_iter().flatten().filter_map(|module| module["type"].as_str()).collect();
    settings.normalise = kinds.iter().any(|kind| kind.ends_with("Normalize"));
    settings.prefix = default_prompt(staged)?;
    if let Some(port) = pooled(outputs) {
        settings.output.clone_from(&port.name);
        staged.notes.push("the graph pools by itself".to_owned());
    } else {
        let port = hidden(outputs)
            .ok_or("the graph has neither `sentence_embedding` nor `last_hidden_state` in fp32; give another `--task`")?;
        if let Some(kind) =
            kinds.iter().find(|kind| !["Transformer", "Pooling", "Normalize"].iter().any(|known| kind.ends_with(known)))
        {
            return Err(format!(
                "modules.json names `{kind}`, which is not part of the graph; export the whole sentence-transformers model"
            ));
        }
        settings.output.clone_from(&port.name);
        settings.pooling = pooling(staged)?;
    }
    let normalised = if settings.normalise { ", scaled to length 1" } else { "" };
    staged.notes.push(format!("output {}{normalised}", settings.output));
    Ok(())
}

fn pooling(staged: &mut Staged<'_>) -> Result<Pooling, String> {
    let pooling = json(staged.folder, "1_Pooling/config.json")?;
    let on = |mode: &str| pooling[mode].as_bool() == Some(true);
    if pooling.is_null() {
        staged.notes.push("pooling by the mean of the tokens: the export does not say".to_owned());
        return Ok(Pooling::Mean);
    }
    let (mean, cls) = (on("pooling_mode_mean_tokens"), on("pooling_mode_cls_token"));
    let others = [
        "pooling_mode_max_tokens",
        "pooling_mode_mean_sqrt_len_tokens",
        "pooling_mode_weightedmean_tokens",
        "pooling_mode_lasttoken",
    ];
    match (mean, cls, others.iter().find(|mode| on(mode))) {
        (true, false, None) => Ok(Pooling::Mean),
        (false, true, None) => Ok(Pooling::Cls),
        (_, _, Some(mode)) => {
            Err(format!("1_Pooling/config.json asks for `{mode}`; only the mean and the first token are known here"))
        }
        _ => {
            Err("1_Pooling/config.json asks for several poolings or none; only the mean or the first token is known here"
                .to_owned())
        }
    }
}

/// What sentence-transformers puts before each text where the caller names no prompt.
fn default_prompt(staged: &mut Staged<'_>) -> Result<String, String> {
    let prompts = json(staged.folder, "config_sentence_transformers.json")?;
    let Some(name) = text(&prompts["default_prompt_name"]) else { return Ok(String::new()) };
    staged.notes.push(format!("each text begins with the prompt `{name}`"));
    Ok(text(&prompts["prompts"][&name]).unwrap_or_default())
}

fn score(staged: &mut Staged<'_>, outputs: &[Port], settings: &mut TextSettings) -> Result<(), String> {
    let port = outputs
        .iter()
        .find(|port| port.shape.len() == 2)
        .ok_or("the graph has no output [rows, labels]; give another `--task`")?;
    settings.output.clone_from(&port.name);
    let width = match port.shape[1] {
        Dim::Fixed(width) => width as usize,
        Dim::Free(_) => staged.config.model["id2label"].as_object().map_or(0, serde_json::Map::len),
    };
    let several = staged.config.model["problem_type"] == "multi_label_classification";
    settings.activation = match (staged.manifest.task, width) {
        (Task::Rerank, 1) => Activation::Sigmoid,
        (Task::Rerank, _) => Activation::Softmax,
        _ if several => Activation::Sigmoid,
        _ => Activation::Softmax,
    };
    if staged.manifest.task == Task::Classify {
        let names = labels(&staged.config.model["id2label"], width)?;
        staged.notes.push(format!("labels: {}", names.len()));
        staged.set_labels(names);
    }
    Ok(())
}

/// `id2label`: the names by number.
fn labels(id2label: &Value, width: usize) -> Result<Vec<String>, String> {
    let name = |index: usize| text(&id2label[index.to_string()]);
    let names: Option<Vec<String>> = (0..width.min(limits::LABELS_MAX)).map(name).collect();
    names
        .filter(|names| !names.is_empty())
        .ok_or_else(|| format!("`id2label` of config.json does not name all {width} labels; add them"))
}
