//! From requests to rows, and from a session's outputs back to what callers asked for.
//!
//! A row is the unit of the queue: one text, one example, one raw run. `run_rows` takes several rows of one kind, which
//! is the seam for batching.

pub(crate) mod bytes;
pub(crate) mod raw;
pub(crate) mod text;

use crate::backend::Session;
use crate::error::{Error, Result};
use crate::package::{Manifest, Pipeline};
use crate::tensor::Tensor;

/// One row of work, ready to run.
#[derive(Clone, Debug)]
pub(crate) enum Row {
    /// Token ids.
    Tokens(Vec<u32>),
    /// Features of one example.
    Bytes(Vec<i32>),
    /// Checked tensors, and the outputs wanted.
    Raw(Vec<(String, Tensor)>, Vec<String>),
}

/// What became of a row.
#[derive(Clone, Debug)]
pub(crate) enum RowOutput {
    /// An embedding or scores.
    Vector(Vec<f32>),
    /// The outputs that were wanted, in their order.
    Tensors(Vec<(String, Tensor)>),
}

/// Runs rows of one kind in one session run and takes the outputs apart.
pub(crate) fn run_rows(manifest: &Manifest, session: &mut dyn Session, rows: &[Row]) -> Result<Vec<RowOutput>> {
    if let [Row::Raw(inputs, outputs)] = rows {
        return Ok(vec![raw::run(session, inputs, outputs)?]);
    }
    let vectors = match &manifest.pipeline {
        Pipeline::Embed(settings) => text::run(settings, &manifest.inputs, session, &token_rows(rows)?)?,
        Pipeline::Classify(settings, _) => bytes::run(settings, session, &byte_rows(rows)?)?,
        Pipeline::Raw | Pipeline::ClassifyText(..) | Pipeline::Rerank(_) | Pipeline::Generate(_) => return Err(mixed()),
    };
    Ok(vectors.into_iter().map(RowOutput::Vector).collect())
}

fn token_rows(rows: &[Row]) -> Result<Vec<&[u32]>> {
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let Row::Tokens(ids) = row else { return Err(mixed()) };
        found.push(ids.as_slice());
    }
    Ok(found)
}

fn byte_rows(rows: &[Row]) -> Result<Vec<&[i32]>> {
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let Row::Bytes(features) = row else { return Err(mixed()) };
        found.push(features.as_slice());
    }
    Ok(found)
}

fn mixed() -> Error {
    Error::Backend("rows of different kinds stand in one run".to_owned())
}

/// Splits a `[rows, width]` output into its rows.
fn split_rows(output: &str, tensor: &Tensor, rows: usize) -> Result<Vec<Vec<f32>>> {
    tensor.require_finite(output)?;
    match (tensor.as_fp32(), tensor.shape()) {
        (Some(values), [first, width]) if *first as usize == rows => {
            Ok(values.chunks(*width as usize).map(<[f32]>::to_vec).collect())
        }
        (_, shape) => Err(Error::Backend(format!("output `{output}` has the shape {shape:?}, not [{rows}, …] of fp32"))),
    }
}
