//! Files and inputs from the command line.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use hansa_workflow::Workflow;
use hansa_workflow::definition::{Input, Sort};
use serde_json::{Map, Value};

use super::super::Failure;

/// Bytes of a workflow's file or of one input from a file.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What a run is given.
#[derive(Args)]
pub(crate) struct Given {
    /// An input, as `title=Report`, `count=3`, `pages='["a", "b"]'`; `document=@bill.pdf` takes it from a file; any number of them.
    #[arg(long = "input", short = 'i', value_name = "NAME=VALUE")]
    inputs: Vec<String>,
    /// A JSON file with a map of inputs; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    inputs_file: Option<PathBuf>,
}

impl Given {
    /// The inputs, in the types of the workflow.
    pub(super) fn read(&self, workflow: &Workflow) -> Result<Map<String, Value>, Failure> {
        let mut inputs = match &self.inputs_file {
            Some(path) => from_file(path)?,
            None => Map::new(),
        };
        for given in &self.inputs {
            let (name, text) = given.split_once('=').ok_or_else(|| format!("`{given}` is no input; write `NAME=VALUE`"))?;
            let input = workflow.inputs.iter().find(|input| input.name == name);
            inputs.insert(name.to_owned(), value(input, name, text)?);
        }
        Ok(inputs)
    }
}

fn from_file(path: &Path) -> Result<Map<String, Value>, Failure> {
    let text = match path == Path::new("-") {
        true => std::io::read_to_string(std::io::stdin()).map_err(|error| error.to_string())?,
        false => String::from_utf8(bytes(path)?).map_err(|_| format!("{} is no text", path.display()))?,
    };
    serde_json::from_str(&text).map_err(|error| format!("{} holds no JSON map of inputs: {error}", path.display()))
}

/// One input: by its type, or as JSON where the type is not known here.
fn value(input: Option<&Input>, name: &str, text: &str) -> Result<Value, Failure> {
    let sort = input.map_or(Sort::Any, |input| input.sort);
    if let Some(path) = text.strip_prefix('@') {
        let bytes = bytes(Path::new(path))?;
        return match sort {
            Sort::Bytes => Ok(Value::String(STANDARD.encode(&bytes))),
            Sort::Text => String::from_utf8(bytes).map(Value::String).map_err(|_| format!("{path} is no text")),
            _ => serde_json::from_slice(&bytes)
                .map_err(|error| format!("{path} is no JSON, which the input `{name}` wants: {error}")),
        };
    }
    match sort {
        Sort::Text | Sort::Bytes => Ok(Value::String(text.to_owned())),
        Sort::Any => Ok(serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))),
        sort => serde_json::from_str(text).map_err(|error| format!("the input `{name}` is no {sort}: {error}")),
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let cannot = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    let length = std::fs::metadata(path).map_err(cannot)?.len();
    if length > FILE_BYTES_MAX {
        return Err(format!("{} has {length} bytes; at most {FILE_BYTES_MAX} are possible", path.display()));
    }
    std::fs::read(path).map_err(cannot)
}

/// The text of a workflow's file.
pub(super) fn file(path: &Path) -> Result<String, Failure> {
    String::from_utf8(bytes(path)?).map_err(|_| format!("{} is no text in UTF-8", path.display()))
}
