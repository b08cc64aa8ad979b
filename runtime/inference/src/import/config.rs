//! The JSON files of an export, read leniently: what is not there is not known.

use std::path::Path;

use serde_json::Value;

use super::cannot;
use crate::limits;

/// The JSON objects of a folder.
pub(super) struct Config {
    pub(super) model: Value,
    pub(super) generation: Value,
    pub(super) tokenizer: Value,
    pub(super) genai: Value,
}

impl Config {
    /// Reads the files that there are.
    pub(super) fn read(folder: &Path) -> Result<Self, String> {
        Ok(Self {
            model: json(folder, "config.json")?,
            generation: json(folder, "generation_config.json")?,
            tokenizer: json(folder, "tokenizer_config.json")?,
            genai: json(folder, "genai_config.json")?,
        })
    }

    /// The first of these numbers that `config.json` has.
    pub(super) fn number(&self, names: &[&str]) -> Option<u32> {
        names.iter().find_map(|name| number(&self.model[*name]))
    }
}

/// A file of the folder as JSON; `null` where there is none.
pub(super) fn json(folder: &Path, name: &str) -> Result<Value, String> {
    let path = folder.join(name);
    let size = match std::fs::metadata(&path) {
        Ok(metadata) => metadata.len(),
        Err(_) => return Ok(Value::Null),
    };
    if size > limits::CONFIG_BYTES_MAX {
        return Err(format!("`{name}` has `{size}` bytes; the limit is {}", limits::CONFIG_BYTES_MAX));
    }
    let bytes = std::fs::read(&path).map_err(|cause| cannot("read", &path, &cause))?;
    serde_json::from_slice(&bytes).map_err(|cause| format!("`{name}` is no JSON: {cause}"))
}

/// A whole number that fits.
pub(super) fn number(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok())
}

/// One number or a list of them.
pub(super) fn numbers(value: &Value) -> Vec<u32> {
    match value {
        Value::Array(list) => list.iter().filter_map(number).collect(),
        one => number(one).into_iter().collect(),
    }
}

/// A text.
pub(super) fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}
