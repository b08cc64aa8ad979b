//! `hansa-model.toml`: parsed once into types in which an invalid manifest cannot be built.

use serde::Deserialize;

use super::ListedFile;
use super::golden::{Golden, GoldenKind, GoldenText};
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
    pub(crate) rates: Rates,
    pub(crate) golden: Vec<Golden>,
}

/// How requests become tensors and back.
#[derive(Clone, Debug)]
pub(crate) enum Pipeline {
    Raw,
    Embed(TextSettings),
    Classify(BytesSettings, Vec<String>),
}

/// `[text]`: these settings replace what `tokenizer.json` says on padding and truncation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TextSettings {
    /// Path of the `tokenizer.json`.
    pub(crate) tokenizer: String,
    /// Tokens kept of each text, special ones included.
    pub(crate) max_tokens: u32,
    /// The output that becomes the embedding.
    pub(crate) output: String,
    #[serde(default)]
    pub(crate) pooling: Pooling,
    /// Scale to length 1 after pooling.
    #[serde(default)]
    pub(crate) normalise: bool,
    /// Put before each text.
    #[serde(default)]
    pub(crate) prefix: String,
    /// Token that fills short rows of a batch; the mask hides it.
    #[serde(default)]
    pub(crate) pad_token: u32,
}

/// How token vectors become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
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

/// `[bytes]`: features of a byte classifier such as Magika.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BytesSettings {
    pub(crate) input: String,
    pub(crate) output: String,
    /// Bytes kept from the beginning.
    pub(crate) begin: usize,
    /// Bytes kept from the end.
    pub(crate) end: usize,
    /// Bytes looked at on each side.
    pub(crate) block: usize,
    /// The number that fills up.
    pub(crate) pad: i32,
    /// Fewer meaningful bytes than this are refused.
    #[serde(default)]
    pub(crate) min_bytes: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestText {
    format: u32,
    name: String,
    version: String,
    task: Task,
    license: String,
    source: String,
    #[serde(default = "yes")]
    resale: bool,
    graph: String,
    file: Vec<ListedFile>,
    input: Vec<PortText>,
    output: Vec<PortText>,
    text: Option<TextSettings>,
    bytes: Option<BytesSettings>,
    labels: Option<LabelsText>,
    #[serde(default)]
    price: Rates,
    golden: Vec<GoldenText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PortText {
    name: String,
    r#type: Dtype,
    shape: Vec<Dim>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelsText {
    names: Vec<String>,
}

fn yes() -> bool {
    true
}

impl Manifest {
    /// Parses the text; `id` is the sha256 of its bytes.
    pub(crate) fn parse(text: &str, id: [u8; 32]) -> Result<Self, String> {
        let raw: ManifestText = toml::from_str(text).map_err(|error| with_nearest_key(&error))?;
        check_identity(&raw)?;
        check_files(&raw)?;
        let (inputs, outputs) = (ports("input", raw.input)?, ports("output", raw.output)?);
        let labels = raw.labels.map_or_else(Vec::new, |labels| labels.names);
        let pipeline = pipeline(raw.task, raw.text, raw.bytes, labels, &inputs, &outputs)?;
        let kind = match &pipeline {
            Pipeline::Embed(_) => GoldenKind::Embed,
            Pipeline::Classify(_, names) => GoldenKind::Classify(names),
            Pipeline::Raw => GoldenKind::Raw { inputs: &inputs, outputs: &outputs },
        };
        let golden = raw.golden.into_iter().map(|case| case.validate(&kind)).collect::<Result<Vec<_>, _>>()?;
        if golden.is_empty() {
            return Err("there is no [[golden]]; without one a wrong model could not be told from a right one".to_owned());
        }
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
        file.validate()?;
    }
    let tokenizer = raw.text.as_ref().map(|text| &text.tokenizer);
    for path in tokenizer.into_iter().chain([&raw.graph]) {
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

fn pipeline(
    task: Task,
    text: Option<TextSettings>,
    bytes: Option<BytesSettings>,
    labels: Vec<String>,
    inputs: &[Port],
    outputs: &[Port],
) -> Result<Pipeline, String> {
    match (task, text, bytes) {
        (Task::Raw, None, None) => Ok(Pipeline::Raw),
        (Task::Embed, Some(text), None) => check_text(text, inputs, outputs).map(Pipeline::Embed),
        (Task::Classify, None, Some(bytes)) => {
            check_bytes(&bytes, &labels, inputs, outputs)?;
            Ok(Pipeline::Classify(bytes, labels))
        }
        (Task::Raw, ..) => Err("task `raw` takes neither [text] nor [bytes]; remove them".to_owned()),
        (Task::Embed, ..) => Err("task `embed` needs [text] and no [bytes]".to_owned()),
        (Task::Classify, ..) => Err("task `classify` needs [bytes] with [labels] and no [text]".to_owned()),
        (other, ..) => Err(format!("task `{}` is not supported yet; use raw, embed or classify", other.name())),
    }
}

fn check_text(text: TextSettings, inputs: &[Port], outputs: &[Port]) -> Result<TextSettings, String> {
    if !(2..=limits::TOKENS_MAX).contains(&text.max_tokens) {
        return Err(format!("max_tokens is `{}`; it must be 2 to {}", text.max_tokens, limits::TOKENS_MAX));
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
    let rank = if text.pooling == Pooling::None { 2 } else { 3 };
    require_fp32(&text.output, outputs, rank)?;
    Ok(text)
}

fn check_bytes(bytes: &BytesSettings, labels: &[String], inputs: &[Port], outputs: &[Port]) -> Result<(), String> {
    let width = bytes.begin + bytes.end;
    if width == 0 || bytes.begin > bytes.block || bytes.end > bytes.block || bytes.block > limits::EXAMPLE_BYTES_MAX {
        return Err("[bytes] needs `begin` + `end` above 0, and each at most `block`".to_owned());
    }
    let fits = |port: &Port| {
        port.name == bytes.input
            && port.dtype == Dtype::Int32
            && matches!(port.shape.as_slice(), [_, Dim::Fixed(size)] if *size as usize == width)
    };
    if inputs.len() != 1 || !fits(&inputs[0]) {
        return Err(format!("a [bytes] model takes one [[input]], `{}` int32 [batch, {width}]", bytes.input));
    }
    let port = require_fp32(&bytes.output, outputs, 2)?;
    match port.shape[1] {
        Dim::Fixed(size) if size as usize == labels.len() => Ok(()),
        _ => Err(format!("[labels] has {} names, but [[output]] is {port}", labels.len())),
    }
}

fn require_fp32<'a>(name: &str, outputs: &'a [Port], rank: usize) -> Result<&'a Port, String> {
    let port =
        outputs.iter().find(|port| port.name == name).ok_or_else(|| format!("output `{name}` is no [[output]] of the model"))?;
    if port.dtype == Dtype::Fp32 && port.shape.len() == rank {
        return Ok(port);
    }
    Err(format!("[[output]] {port} must be fp32 with {rank} dimensions here"))
}

/// TOML's own message, with the nearest known key where a key is unknown.
///
/// serde writes ``unknown field `a`, expected one of `b`, `c` ``: names stand between backticks, the unknown one first.
fn with_nearest_key(error: &toml::de::Error) -> String {
    let text = error.to_string();
    let message = error.message();
    let mut names = message.split('`').skip(1).step_by(2);
    let unknown = names.next().filter(|_| message.starts_with("unknown field"));
    let nearest = unknown.and_then(|unknown| names.min_by_key(|name| strsim::damerau_levenshtein(unknown, name)));
    match (unknown, nearest) {
        (Some(unknown), Some(nearest)) => format!("unknown key `{unknown}`; did you mean `{nearest}`?\n{}", text.trim_end()),
        _ => text.trim_end().to_owned(),
    }
}
