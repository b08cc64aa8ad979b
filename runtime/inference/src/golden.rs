//! Runs a package's golden vectors on the session that will serve: a model that loads but is wrong is refused.

use crate::backend::Session;
use crate::error::{Error, Result};
use crate::package::{Golden, GoldenCase, Manifest, Pipeline};
use crate::pipeline::text::TextTokens;
use crate::pipeline::{Row, RowOutput, bytes, raw, run_rows};
use crate::requests::relevance;

/// Whether rows of strangers may run together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    /// They give what they give alone, or never run together anyway.
    Together,
    /// They do not, so that each must run alone.
    Alone,
}

/// Runs them all; the first that is wrong refuses the model.
pub(crate) fn check(manifest: &Manifest, tokens: Option<&TextTokens>, session: &mut dyn Session) -> Result<Rows> {
    for (count, golden) in manifest.golden.iter().enumerate() {
        let rows = rows(manifest, tokens, &golden.case)?;
        let found = numbers(&golden.case, run_alone(manifest, session, &rows)?)?;
        golden.compare(&found).map_err(|wrong| {
            Error::Backend(format!(
                "golden vector {} of `{}` {wrong}; the model is not what its manifest says",
                count + 1,
                manifest.name
            ))
        })?;
        if !is_right_together(manifest, session, golden, &rows) {
            return Ok(Rows::Alone);
        }
    }
    Ok(Rows::Together)
}

/// The numbers that a golden vector's case gives: the output's, the scores of its labels, or as many tokens as it expects.
pub(crate) fn run(
    manifest: &Manifest,
    tokens: Option<&TextTokens>,
    session: &mut dyn Session,
    golden: &Golden,
) -> Result<Vec<f64>> {
    let rows = rows(manifest, tokens, &golden.case)?;
    numbers(&golden.case, run_alone(manifest, session, &rows)?)
}

fn run_alone(manifest: &Manifest, session: &mut dyn Session, rows: &[Row]) -> Result<Vec<RowOutput>> {
    let mut outputs = Vec::with_capacity(rows.len());
    for row in rows {
        outputs.extend(run_rows(manifest, session, &[row])?);
    }
    outputs.into_iter().collect()
}

/// Runs each row twice in one run; both must be right.
fn is_right_together(manifest: &Manifest, session: &mut dyn Session, golden: &Golden, rows: &[Row]) -> bool {
    if let [Row::Raw(inputs, outputs)] = rows
        && raw::group(manifest, inputs, outputs).is_none()
    {
        return true;
    }
    let twice: Vec<&Row> = rows.iter().chain(rows).collect();
    let Ok(Ok(mut first)) = run_rows(manifest, session, &twice).map(|outputs| outputs.into_iter().collect::<Result<Vec<_>>>())
    else {
        return false;
    };
    let second = first.split_off(rows.len());
    [first, second].into_iter().all(|outputs| numbers(&golden.case, outputs).is_ok_and(|found| golden.compare(&found).is_ok()))
}

fn numbers(case: &GoldenCase, mut outputs: Vec<RowOutput>) -> Result<Vec<f64>> {
    if let GoldenCase::Rerank { .. } = case {
        let vector = |output| if let RowOutput::Vector(values) = output { values } else { Vec::new() };
        let scores = relevance(&outputs.into_iter().map(vector).collect::<Vec<_>>());
        return Ok(scores.into_iter().map(f64::from).collect());
    }
    match (outputs.pop(), case) {
        (Some(RowOutput::Vector(scores)), GoldenCase::Classify(_, labels)) => classified(&scores, labels),
        (Some(RowOutput::Vector(values)), _) => Ok(values.into_iter().map(f64::from).collect()),
        (Some(RowOutput::Tensors(tensors)), _) => {
            Ok(tensors.first().map_or_else(Vec::new, |(_, tensor)| tensor.elements().to_numbers()))
        }
        (None, _) => Err(Error::Backend("a golden vector had no output".to_owned())),
    }
}

fn rows(manifest: &Manifest, tokens: Option<&TextTokens>, case: &GoldenCase) -> Result<Vec<Row>> {
    match (case, &manifest.pipeline, tokens) {
        (GoldenCase::Classify(text, _), Pipeline::Classify(settings, _), _) => {
            Ok(vec![Row::Bytes(bytes::features(settings, text.as_bytes())?)])
        }
        (GoldenCase::Embed(text) | GoldenCase::Classify(text, _), _, Some(tokens)) => Ok(vec![Row::Tokens(tokens.encode(text)?)]),
        (GoldenCase::Rerank { query, documents }, _, Some(tokens)) => {
            documents.iter().map(|document| Ok(Row::Tokens(tokens.encode_pair(query, document)?))).collect()
        }
        (GoldenCase::Raw(inputs, output), ..) => {
            let outputs = raw::check(manifest, inputs, vec![output.clone()])?;
            Ok(vec![Row::Raw(inputs.clone(), outputs)])
        }
        _ => Err(Error::Backend(format!("this version runs no golden vectors of task `{}`", manifest.task.name()))),
    }
}

/// The scores of the golden labels, the first of which must be the best of all; without labels, all scores.
fn classified(scores: &[f32], labels: &[usize]) -> Result<Vec<f64>> {
    if labels.is_empty() {
        return Ok(scores.iter().copied().map(f64::from).collect());
    }
    let best = (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    if best != labels.first().copied() {
        return Err(Error::Backend(format!("a golden vector got label number {best:?} as the best, not {:?}", labels.first())));
    }
    Ok(labels.iter().map(|label| scores.get(*label).copied().map_or(f64::NAN, f64::from)).collect())
}
