//! Golden vectors: inputs whose outputs are known, run whenever a model is loaded.

use crate::tensor::{Dtype, Elements, Port, Tensor};

/// One `[[golden]]` of a manifest, as written.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GoldenText {
    /// Input of a text or bytes pipeline.
    text: Option<String>,
    /// Inputs of a raw model.
    #[serde(default)]
    input: Vec<GoldenInput>,
    /// Output of a raw model.
    output: Option<String>,
    /// For classifiers: the labels whose scores `expect` lists, the best first.
    #[serde(default)]
    labels: Vec<String>,
    /// The first numbers of the output, or the scores of `labels`.
    expect: Vec<f64>,
    /// Largest absolute difference that is still right.
    tolerance: f64,
}

#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct GoldenInput {
    name: String,
    shape: Vec<u32>,
    values: Vec<f64>,
}

/// A golden vector that can be run.
#[derive(Clone, Debug)]
pub(crate) struct Golden {
    pub(crate) case: GoldenCase,
    pub(crate) expect: Vec<f64>,
    pub(crate) tolerance: f64,
}

/// What a golden vector runs and looks at.
#[derive(Clone, Debug)]
pub(crate) enum GoldenCase {
    /// A text embedded; the row's first numbers.
    Embed(String),
    /// A text's bytes classified; the scores of these label indices, the first being the best of all.
    Classify(String, Vec<usize>),
    /// Tensors in; the first numbers of the output of this name.
    Raw(Vec<(String, Tensor)>, String),
}

/// Which kind of case a model's task asks for.
pub(crate) enum GoldenKind<'a> {
    Embed,
    Classify(&'a [String]),
    Raw { inputs: &'a [Port], outputs: &'a [Port] },
}

impl GoldenText {
    /// Checks the case against the model that it belongs to.
    pub(crate) fn validate(self, kind: &GoldenKind<'_>) -> Result<Golden, String> {
        if self.expect.is_empty() || self.expect.iter().any(|n| !n.is_finite()) {
            return Err("`expect` of a [[golden]] needs at least one finite number".to_owned());
        }
        if !(self.tolerance.is_finite() && self.tolerance > 0.0) {
            return Err(format!("`tolerance` of a [[golden]] is `{}`; it must be above 0", self.tolerance));
        }
        let (expect, tolerance) = (self.expect.clone(), self.tolerance);
        let case = match kind {
            GoldenKind::Embed => GoldenCase::Embed(self.into_text()?),
            GoldenKind::Classify(names) => self.into_classify(names)?,
            GoldenKind::Raw { inputs, outputs } => self.into_raw(inputs, outputs)?,
        };
        Ok(Golden { case, expect, tolerance })
    }

    fn into_text(self) -> Result<String, String> {
        self.text.ok_or_else(|| "a [[golden]] of this task needs `text`".to_owned())
    }

    fn into_classify(self, names: &[String]) -> Result<GoldenCase, String> {
        if self.labels.len() != self.expect.len() {
            return Err("a [[golden]] of a classifier needs as many `labels` as numbers in `expect`".to_owned());
        }
        let index = |label: &String| {
            names.iter().position(|name| name == label).ok_or_else(|| format!("golden label `{label}` is not in [labels] names"))
        };
        let indices = self.labels.iter().map(index).collect::<Result<_, _>>()?;
        Ok(GoldenCase::Classify(self.into_text()?, indices))
    }

    fn into_raw(self, inputs: &[Port], outputs: &[Port]) -> Result<GoldenCase, String> {
        let output = self.output.ok_or("a [[golden]] of a raw model needs `output`")?;
        if !outputs.iter().any(|port| port.name == output) {
            return Err(format!("golden output `{output}` is no [[output]] of the model"));
        }
        let tensor = |input: GoldenInput| {
            let port = inputs
                .iter()
                .find(|port| port.name == input.name)
                .ok_or_else(|| format!("golden input `{}` is no [[input]] of the model", input.name))?;
            Ok((input.name, golden_tensor(port.dtype, &input.shape, &input.values)?))
        };
        Ok(GoldenCase::Raw(self.input.into_iter().map(tensor).collect::<Result<_, String>>()?, output))
    }
}

fn golden_tensor(dtype: Dtype, shape: &[u32], values: &[f64]) -> Result<Tensor, String> {
    let elements = Elements::from_numbers(dtype, values).map_err(|error| error.to_string())?;
    Tensor::new(shape, elements).map_err(|error| error.to_string())
}

impl Golden {
    /// Compares the first numbers of an output with those expected.
    pub(crate) fn compare(&self, found: &[f64]) -> Result<(), String> {
        if found.len() < self.expect.len() {
            return Err(format!("gave {} numbers where at least {} were expected", found.len(), self.expect.len()));
        }
        for (place, (found, want)) in found.iter().zip(&self.expect).enumerate() {
            if found.is_nan() || (found - want).abs() > self.tolerance {
                return Err(format!("number {place} is `{found}`, but {want} ± {} was expected", self.tolerance));
            }
        }
        Ok(())
    }
}
