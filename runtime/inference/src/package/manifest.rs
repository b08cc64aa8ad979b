//! `hansa-model.toml`: parsed once into types in which an invalid manifest cannot be built.

use serde::{Deserialize, Serialize};

use super::ListedFile;
use super::golden::{Golden, GoldenText};
use super::settings::{BytesSettings, GenerateSettings, MemorySettings, Pipeline, RuntimeSettings, Tables, TextSettings};
use crate::info::Task;
use crate::limits;
use crate::tensor::{Dim, Dtype, Port};
use crate::usage::Rates;

/// The one format that is understood.
const FORMAT: u32 = 1;

/// A validated manifest.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    /// SHA-256 of the manifest's bytes: the model's identity in offers and receipts.
    pub(crate) id: [u8; 32],
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) task: Task,
    pub(crate) license: String,
    pub(crate) source: String,
    pub(crate) resale: bool,
    pub(crate) graph: String,
    pub(crate) files: Vec<ListedFile>,
    pub(crate) inputs: Vec<Port>,
    pub(crate) outputs: Vec<Port>,
    pub(crate) pipeline: Pipeline,
    /// Where it wants to run.
    pub(crate) runtime: RuntimeSettings,
    /// What it takes there.
    pub(crate) memory: MemorySettings,
    pub(crate) rates: Rates,
    pub(crate) golden: Vec<Golden>,
}

/// A manifest as it is written: read from an operator's file, or made by an import.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ManifestText {
    pub(crate) format: u32,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) task: Task,
    pub(crate) license: String,
    pub(crate) source: String,
    #[serde(default = "yes")]
    pub(crate) resale: bool,
    pub(crate) graph: String,
    pub(crate) file: Vec<ListedFile>,
    pub(crate) input: Vec<PortText>,
    pub(crate) output: Vec<PortText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<TextSettings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bytes: Option<BytesSettings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) generate: Option<GenerateSettings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) labels: Option<LabelsText>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) runtime: RuntimeSettings,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) memory: MemorySettings,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) price: Rates,
    #[serde(default)]
    pub(crate) golden: Vec<GoldenText>,
}

/// One `[[input]]` or `[[output]]`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PortText {
    pub(crate) name: String,
    pub(crate) r#type: Dtype,
    pub(crate) shape: Vec<Dim>,
}

/// `[labels]`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LabelsText {
    pub(crate) names: Vec<String>,
}

impl ManifestText {
    /// A manifest that does not say yet what the model does.
    pub(crate) fn new(name: String, license: String, resale: bool, source: String, graph: String) -> Self {
        Self {
            format: FORMAT,
            name,
            version: String::new(),
            task: Task::Raw,
            license,
            source,
            resale,
            graph,
            file: Vec::new(),
            input: Vec::new(),
            output: Vec::new(),
            text: None,
            bytes: None,
            generate: None,
            labels: None,
            runtime: RuntimeSettings::default(),
            memory: MemorySettings::default(),
            price: Rates::default(),
            golden: Vec::new(),
        }
    }
}

impl PortText {
    /// A port as it is written.
    pub(crate) fn of(port: &Port) -> Self {
        let dim = |(place, dim): (usize, &Dim)| match dim {
            Dim::Free(name) if name.is_empty() => Dim::Free(format!("dim{place}")),
            dim => dim.clone(),
        };
        Self { name: port.name.clone(), r#type: port.dtype, shape: port.shape.iter().enumerate().map(dim).collect() }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn yes() -> bool {
    true
}

impl Manifest {
    /// Parses the text; `id` is the sha256 of its bytes. There may be no golden vectors yet.
    pub(crate) fn parse(text: &str, id: [u8; 32]) -> Result<Self, String> {
        let raw: ManifestText = toml::from_str(text).map_err(|error| in_one_line(text, &error))?;
        check_identity(&raw)?;
        check_files(&raw)?;
        let (inputs, outputs) = (ports("input", raw.input)?, ports("output", raw.output)?);
        raw.runtime.check()?;
        raw.memory.check()?;
        raw.price.check()?;
        let labels = raw.labels.map_or_else(Vec::new, |labels| labels.names);
        let tables = Tables { text: raw.text, bytes: raw.bytes, generate: raw.generate, labels };
        let pipeline = Pipeline::of(raw.task, tables, &inputs, &outputs)?;
        let case = |case: GoldenText| case.validate(&pipeline, &inputs, &outputs);
        let golden = raw.golden.into_iter().map(case).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            id,
            name: raw.name,
            version: raw.version,
            task: raw.task,
            license: raw.license,
            source: raw.source,
            resale: raw.resale,
            graph: raw.graph,
            files: raw.file,
            inputs,
            outputs,
            pipeline,
            runtime: raw.runtime,
            memory: raw.memory,
            rates: raw.price,
            golden,
        })
    }
}

fn check_identity(raw: &ManifestText) -> Result<(), String> {
    if raw.format != FORMAT {
        return Err(format!("format is `{}`; this version reads {FORMAT}", raw.format));
    }
    let right = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    if raw.name.is_empty() || raw.name.len() > limits::NAME_CHARS_MAX || !raw.name.chars().all(right) {
        return Err(format!("name `{}` must be 1 to {} of a-z, 0-9, `-`, `_`, `.`", raw.name, limits::NAME_CHARS_MAX));
    }
    for (key, value) in [("version", &raw.version), ("license", &raw.license), ("source", &raw.source)] {
        if value.trim().is_empty() {
            return Err(format!("`{key}` is empty; fill it in"));
        }
    }
    Ok(())
}

fn check_files(raw: &ManifestText) -> Result<(), String> {
    if raw.file.len() > limits::FILES_MAX {
        return Err(format!("there are `{}` files; the limit is {}", raw.file.len(), limits::FILES_MAX));
    }
    for file in &raw.file {
        file.validate(if file.path == raw.graph { limits::GRAPH_BYTES_MAX } else { limits::FILE_BYTES_MAX })?;
    }
    let tokenizer = raw.text.as_ref().map(|text| &text.tokenizer);
    let generate = raw.generate.iter().flat_map(GenerateSettings::paths);
    for path in tokenizer.into_iter().chain(generate).chain([&raw.graph]) {
        if !raw.file.iter().any(|file| file.path == *path) {
            return Err(format!("`{path}` is not listed as a [[file]]; list it with its sha256 and size"));
        }
    }
    Ok(())
}

fn ports(side: &str, raw: Vec<PortText>) -> Result<Vec<Port>, String> {
    if raw.is_empty() || raw.len() > limits::PORTS_MAX {
        return Err(format!("there are `{}` [[{side}]] tables; 1 to {} are needed", raw.len(), limits::PORTS_MAX));
    }
    if let Some(port) = raw.iter().find(|port| port.shape.len() > limits::RANK_MAX || port.shape.contains(&Dim::Fixed(0))) {
        return Err(format!("[[{side}]] `{}` needs at most {} dimensions, none of size 0", port.name, limits::RANK_MAX));
    }
    Ok(raw.into_iter().map(|port| Port { name: port.name, dtype: port.r#type, shape: port.shape }).collect())
}

/// What is wrong with the TOML in `text`, in one line, with the nearest known key where a key is unknown.
///
/// serde writes ``unknown field `a`, expected one of `b`, `c` ``: names stand between backticks, the unknown one first.
fn in_one_line(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().map(|span| 1 + text[..span.start.min(text.len())].matches('\n').count());
    let place = line.map_or_else(String::new, |line| format!("line {line}: "));
    let message = error.message();
    if let Some(key) = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        let example = if key == "license" { ", an SPDX expression such as `license = \"Apache-2.0\"`" } else { "" };
        return format!("{place}`{key}` is missing; add it{example}");
    }
    let mut names = message.split('`').skip(1).step_by(2);
    let unknown = names.next().filter(|_| message.starts_with("unknown field"));
    let nearest = unknown.and_then(|unknown| names.min_by_key(|name| strsim::damerau_levenshtein(unknown, name)));
    match (unknown, nearest) {
        (Some(unknown), Some(nearest)) => format!("{place}unknown key `{unknown}`; did you mean `{nearest}`?"),
        _ => format!("{place}{}", message.lines().collect::<Vec<_>>().join(" ")),
    }
}
