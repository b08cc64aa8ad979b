//! From requests to rows, and from a session's outputs back to what callers asked for.
//!
//! A row is the unit of the queue: one text, one pair of texts, one example, one raw run. `run_rows` takes several rows
//! that can run together.

pub(crate) mod bytes;
pub(crate) mod raw;
pub(crate) mod text;

use crate::backend::Session;
use crate::error::{Error, Result};
use crate::package::{Manifest, Pipeline};
use crate::tensor::Tensor;
use text::Tokens;

/// One row of work, ready to run.
#[derive(Clone, Debug)]
pub(crate) enum Row {
    /// Tokens of a text, or of a pair of texts.
    Tokens(Tokens),
    /// Features of one example.
    Bytes(Vec<i32>),
    /// Checked tensors, and the outputs wanted.
    Raw(Vec<(String, Tensor)>, Vec<String>),
}

impl Row {
    /// Bytes of its numbers.
    pub(crate) fn bytes(&self) -> u64 {
        let bytes = match self {
            Self::Tokens(tokens) => size_of_val(tokens.ids.as_slice()),
            Self::Bytes(features) => size_of_val(features.as_slice()),
            Self::Raw(inputs, _) => inputs.iter().map(|(_, tensor)| tensor.byte_count()).sum(),
        };
        bytes as u64
    }
}

/// What became of a row.
#[derive(Clone, Debug)]
pub(crate) enum RowOutput {
    /// An embedding or scores.
    Vector(Vec<f32>),
    /// The outputs that were wanted, in their order.
    Tensors(Vec<(String, Tensor)>),
}

/// Runs rows in one session run and takes the outputs apart. What is wrong with one row's output is that row's alone.
pub(crate) fn run_rows(manifest: &Manifest, session: &mut dyn Session, rows: &[&Row]) -> Result<Vec<Result<RowOutput>>> {
    if let [Row::Raw(..), ..] = rows {
        return raw::run(session, &raw_rows(rows)?);
    }
    let vectors = match &manifest.pipeline {
        Pipeline::Embed(settings) | Pipeline::ClassifyText(settings, _) | Pipeline::Rerank(settings) => {
            text::run(settings, &manifest.inputs, session, &token_rows(rows)?)?
        }
        Pipeline::Classify(settings, _) => bytes::run(settings, session, &byte_rows(rows)?)?,
        Pipeline::Raw | Pipeline::Generate(_) => return Err(mixed()),
    };
    Ok(vectors.into_iter().map(|vector| vector.map(RowOutput::Vector)).collect())
}

fn token_rows<'a>(rows: &[&'a Row]) -> Result<Vec<&'a Tokens>> {
    let tokens = |row: &&'a Row| if let Row::Tokens(tokens) = row { Ok(tokens) } else { Err(mixed()) };
    rows.iter().map(tokens).collect()
}

fn byte_rows<'a>(rows: &[&'a Row]) -> Result<Vec<&'a [i32]>> {
    let features = |row: &&'a Row| if let Row::Bytes(features) = row { Ok(features.as_slice()) } else { Err(mixed()) };
    rows.iter().map(features).collect()
}

fn raw_rows<'a>(rows: &[&'a Row]) -> Result<Vec<raw::RawRow<'a>>> {
    let raw = |row: &&'a Row| {
        if let Row::Raw(inputs, outputs) = row { Ok(raw::RawRow { inputs, outputs }) } else { Err(mixed()) }
    };
    rows.iter().map(raw).collect()
}

fn mixed() -> Error {
    Error::Backend("rows of different kinds stand in one run".to_owned())
}

/// Splits a `[rows, width]` output into its rows; a row that is not finite is an error of its own.
fn split_rows(output: &str, tensor: &Tensor, rows: usize) -> Result<Vec<Result<Vec<f32>>>> {
    match (tensor.as_fp32(), tensor.shape()) {
        (Some(values), [first, width]) if *first as usize == rows => {
            Ok(values.chunks(*width as usize).map(|row| finite(output, row.to_vec())).collect())
        }
        (_, shape) => Err(Error::Backend(format!("output `{output}` has the shape {shape:?}, not [{rows}, …] of fp32"))),
    }
}

/// Refuses NaN and infinity.
fn finite(output: &str, values: Vec<f32>) -> Result<Vec<f32>> {
    if values.iter().all(|value| value.is_finite()) { Ok(values) } else { Err(Error::NonFinite(output.to_owned())) }
}
