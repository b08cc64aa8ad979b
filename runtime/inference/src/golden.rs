//! Runs a package's golden vectors on the session that will serve: a model that loads but is wrong is refused.

use crate::backend::Session;
use crate::error::{Error, Result};
use crate::package::{Golden, GoldenCase, Manifest, Pipeline};
use crate::pipeline::text::TextTokens;
use crate::pipeline::{Row, RowOutput, bytes, raw, run_rows};

/// Runs them all; the first that is wrong refuses the model.
pub(crate) fn check(manifest: &Manifest, tokens: Option<&TextTokens>, session: &mut dyn Session) -> Result<()> {
    for (count, golden) in manifest.golden.iter().enumerate() {
        let found = run(manifest, tokens, session, golden)?;
        golden.compare(&found).map_err(|wrong| {
            Error::Backend(format!(
                "golden vector {} of `{}` {wrong}; the model is not what its manifest says",
                count + 1,
                manifest.name
            ))
        })?;
    }
    Ok(())
}

fn run(manifest: &Manifest, tokens: Option<&TextTokens>, session: &mut dyn Session, golden: &Golden) -> Result<Vec<f64>> {
    let row = row(manifest, tokens, &golden.case)?;
    let output = run_rows(manifest, session, &[row])?.pop();
    match (output, &golden.case) {
        (Some(RowOutput::Vector(scores)), GoldenCase::Classify(_, labels)) => classified(&scores, labels),
        (Some(RowOutput::Vector(values)), _) => Ok(values.into_iter().map(f64::from).collect()),
        (Some(RowOutput::Tensors(tensors)), _) => {
            Ok(tensors.first().map_or_else(Vec::new, |(_, tensor)| tensor.elements().to_numbers()))
        }
        (None, _) => Err(Error::Backend("a golden vector had no output".to_owned())),
    }
}

fn row(manifest: &Manifest, tokens: Option<&TextTokens>, case: &GoldenCase) -> Result<Row> {
    match (case, &manifest.pipeline, tokens) {
        (GoldenCase::Embed(text), _, Some(tokens)) => Ok(Row::Tokens(tokens.encode(text)?.ids)),
        (GoldenCase::Classify(text, _), Pipeline::Classify(settings, _), _) => {
            Ok(Row::Bytes(bytes::features(settings, text.as_bytes())?))
        }
        (GoldenCase::Raw(inputs, output), ..) => {
            let outputs = raw::check(manifest, inputs, vec![output.clone()])?;
            Ok(Row::Raw(inputs.clone(), outputs))
        }
        _ => Err(Error::Backend(format!("this version runs no golden vectors of task `{}`", manifest.task.name()))),
    }
}

/// The scores of the golden labels, the first of which must be the best of all.
fn classified(scores: &[f32], labels: &[usize]) -> Result<Vec<f64>> {
    let best = (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    if best != labels.first().copied() {
        return Err(Error::Backend(format!("a golden vector got label number {best:?} as the best, not {:?}", labels.first())));
    }
    Ok(labels.iter().map(|label| scores.get(*label).copied().map_or(f64::NAN, f64::from)).collect())
}
