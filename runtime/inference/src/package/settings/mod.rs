//! What the tables of a manifest settle about requests: one file per kind of pipeline.

mod bytes;
mod generate;
mod runtime;
mod text;

use crate::info::Task;
use crate::tensor::{Dtype, Port};

pub(crate) use bytes::BytesSettings;
pub(crate) use generate::GenerateSettings;
pub(crate) use runtime::{MemorySettings, RuntimeSettings};
pub(crate) use text::{Activation, Pooling, TextSettings};

/// How requests become tensors and back.
#[derive(Clone, Debug)]
pub(crate) enum Pipeline {
    /// Tensors as they come.
    Raw,
    /// A text becomes a vector.
    Embed(TextSettings),
    /// A file's bytes get scores, one for each of these labels.
    Classify(BytesSettings, Vec<String>),
    /// A text gets scores, one for each of these labels.
    ClassifyText(TextSettings, Vec<String>),
    /// A query and a document, read together, get a score.
    Rerank(TextSettings),
    /// A text gets more text.
    Generate(GenerateSettings),
}

/// The tables that only some tasks have.
pub(super) struct Tables {
    pub(super) text: Option<TextSettings>,
    pub(super) bytes: Option<BytesSettings>,
    pub(super) generate: Option<GenerateSettings>,
    pub(super) labels: Vec<String>,
}

impl Pipeline {
    /// The pipeline of a task, when its tables are there and fit the declared ports.
    pub(super) fn of(task: Task, tables: Tables, inputs: &[Port], outputs: &[Port]) -> Result<Self, String> {
        let Tables { text, bytes, generate, labels } = tables;
        match (task, text, bytes, generate) {
            (Task::Raw, None, None, None) => Ok(Self::Raw),
            (Task::Embed, Some(text), None, None) => text.check_embed(inputs, outputs).map(|()| Self::Embed(text)),
            (Task::Rerank, Some(text), None, None) => text.check_rerank(inputs, outputs).map(|()| Self::Rerank(text)),
            (Task::Classify, None, Some(bytes), None) => {
                bytes.check(&labels, inputs, outputs).map(|()| Self::Classify(bytes, labels))
            }
            (Task::Classify, Some(text), None, None) => {
                text.check_classify(&labels, inputs, outputs).map(|()| Self::ClassifyText(text, labels))
            }
            (Task::Generate, None, None, Some(generate)) => generate.check(inputs, outputs).map(Self::Generate),
            (Task::Raw, ..) => Err("task `raw` takes none of [text], [bytes], [generate]; remove them".to_owned()),
            (Task::Embed, ..) => Err("task `embed` needs [text], and neither [bytes] nor [generate]".to_owned()),
            (Task::Rerank, ..) => Err("task `rerank` needs [text], and neither [bytes] nor [generate]".to_owned()),
            (Task::Classify, ..) => Err("task `classify` needs [labels] with either [bytes] or [text]".to_owned()),
            (Task::Generate, ..) => Err("task `generate` needs [generate], and neither [text] nor [bytes]".to_owned()),
        }
    }

    /// The settings of a pipeline of rows of tokens.
    pub(crate) fn text(&self) -> Option<&TextSettings> {
        match self {
            Self::Embed(text) | Self::ClassifyText(text, _) | Self::Rerank(text) => Some(text),
            Self::Raw | Self::Classify(..) | Self::Generate(_) => None,
        }
    }
}

/// The output of this name, when it has this many dimensions of fp32.
fn require_fp32<'a>(name: &str, outputs: &'a [Port], rank: usize) -> Result<&'a Port, String> {
    let port = require(name, outputs)?;
    if port.dtype == Dtype::Fp32 && port.shape.len() == rank {
        return Ok(port);
    }
    Err(format!("[[output]] {port} must be fp32 with {rank} dimensions here"))
}

fn require<'a>(name: &str, outputs: &'a [Port]) -> Result<&'a Port, String> {
    outputs.iter().find(|port| port.name == name).ok_or_else(|| format!("output `{name}` is no [[output]] of the model"))
}
