//! Golden vectors of a model that has none: what it answers on the processor, so that it can be told elsewhere whether it is right.

use std::path::Path;

use crate::backend::Session;
use crate::generate;
use crate::golden;
use crate::package::{Golden, GoldenCase, GoldenInput, GoldenPrompt, GoldenText, Package, Pipeline};
use crate::pipeline::text::TextTokens;
use crate::tensor::{Dim, Elements, Port, Tensor};

/// Texts of two lengths, one beyond ASCII.
const TEXTS: [&str; 2] = ["A cat sits on the warm windowsill.", "Ein Vertrag über 1.250,00 € — signed, sealed, delivered!"];
const QUERY: &str = "Where does the cat sit?";
const PROMPT: &str = "Once upon a time";
/// Numbers kept of an output.
const NUMBERS: usize = 12;
/// Tokens generated.
const TOKENS: usize = 8;
/// Difference that is right elsewhere, as a fraction of the largest expected number: room for half precision, none for another model.
const TOLERANCE: f64 = 0.01;
/// The tolerance of outputs near zero.
const TOLERANCE_MIN: f64 = 1e-4;

/// Runs a package's golden vectors.
pub(super) fn check(package: &Package, session: &mut dyn Session) -> Result<(), String> {
    if let Pipeline::Generate(settings) = &package.manifest.pipeline {
        return generate::check(package, settings, session).map_err(|error| error.to_string());
    }
    let tokens = tokens(package)?;
    golden::check(&package.manifest, tokens.as_ref(), session).map(drop).map_err(|error| error.to_string())
}

/// Makes golden vectors of a package without any.
pub(super) fn make(folder: &Path, session: &mut dyn Session) -> Result<Vec<GoldenText>, String> {
    let package = Package::open_draft(folder).map_err(|error| error.to_string())?;
    let tokens = tokens(&package)?;
    let manifest = &package.manifest;
    let made = cases(&manifest.pipeline, &manifest.inputs, &manifest.outputs)?.into_iter().map(|(case, text)| {
        let found = match (&manifest.pipeline, &case) {
            (Pipeline::Generate(settings), GoldenCase::Generate(prompt)) => {
                let answer = generate::golden_answer(&package, settings, session, prompt, TOKENS);
                answer.map(|tokens| tokens.into_iter().map(f64::from).collect())
            }
            _ => golden::run(manifest, tokens.as_ref(), session, &Golden { case, expect: vec![], tolerance: 0.0 }),
        };
        let found = found.map_err(|error| error.to_string())?;
        Ok(finish(text, found, &manifest.pipeline))
    });
    made.collect()
}

fn tokens(package: &Package) -> Result<Option<TextTokens>, String> {
    let Some(settings) = package.manifest.pipeline.text() else { return Ok(None) };
    let json = package.file(&settings.tokenizer).map_err(|error| error.to_string())?;
    TextTokens::new(settings, &json).map(Some).map_err(|error| error.to_string())
}

/// What to run, and how it will be written.
fn cases(pipeline: &Pipeline, inputs: &[Port], outputs: &[Port]) -> Result<Vec<(GoldenCase, GoldenText)>, String> {
    let of_text = |text: &str| GoldenText { text: Some(text.to_owned()), ..GoldenText::default() };
    Ok(match pipeline {
        Pipeline::Embed(_) => TEXTS.map(|text| (GoldenCase::Embed(text.to_owned()), of_text(text))).into(),
        Pipeline::ClassifyText(..) | Pipeline::Classify(..) => {
            TEXTS.map(|text| (GoldenCase::Classify(text.to_owned(), Vec::new()), of_text(text))).into()
        }
        Pipeline::Rerank(_) => {
            let (query, documents) = (QUERY.to_owned(), TEXTS.map(str::to_owned).to_vec());
            let text = GoldenText { query: Some(query.clone()), documents: documents.clone(), ..GoldenText::default() };
            vec![(GoldenCase::Rerank { query, documents }, text)]
        }
        Pipeline::Generate(_) => vec![(GoldenCase::Generate(GoldenPrompt::Text(PROMPT.to_owned())), of_text(PROMPT))],
        Pipeline::Raw => vec![raw(inputs, outputs)?],
    })
}

/// One row of ones: all that is known of a model of tensors is its ports.
fn raw(inputs: &[Port], outputs: &[Port]) -> Result<(GoldenCase, GoldenText), String> {
    let output = &outputs.first().ok_or("the graph has no output")?.name;
    let (mut tensors, mut texts) = (Vec::new(), Vec::new());
    for port in inputs {
        let size = |dim: &Dim| if let Dim::Fixed(size) = dim { *size } else { 1 };
        let shape: Vec<u32> = port.shape.iter().map(size).collect();
        let values = vec![1.0; shape.iter().map(|size| *size as usize).product()];
        let elements = Elements::from_numbers(port.dtype, &values).map_err(|error| error.to_string())?;
        tensors.push((port.name.clone(), Tensor::new(&shape, elements).map_err(|error| error.to_string())?));
        texts.push(GoldenInput { name: port.name.clone(), shape, values });
    }
    let text = GoldenText { input: texts, output: Some(output.clone()), ..GoldenText::default() };
    Ok((GoldenCase::Raw(tensors, output.clone()), text))
}

/// The case with what was found.
fn finish(text: GoldenText, found: Vec<f64>, pipeline: &Pipeline) -> GoldenText {
    match pipeline {
        Pipeline::Generate(_) => GoldenText { expect: found, ..text },
        Pipeline::ClassifyText(_, names) | Pipeline::Classify(_, names) => best_labels(text, &found, names),
        _ => with_tolerance(GoldenText { expect: found.iter().take(NUMBERS).map(|number| short(*number)).collect(), ..text }),
    }
}

/// The three best labels, the best first.
fn best_labels(text: GoldenText, scores: &[f64], names: &[String]) -> GoldenText {
    let mut order: Vec<usize> = (0..scores.len().min(names.len())).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    order.truncate(3);
    let labels = order.iter().map(|index| names[*index].clone()).collect();
    with_tolerance(GoldenText { labels, expect: order.iter().map(|index| short(scores[*index])).collect(), ..text })
}

fn with_tolerance(text: GoldenText) -> GoldenText {
    let largest = text.expect.iter().fold(0.0_f64, |largest, number| largest.max(number.abs()));
    GoldenText { tolerance: Some((largest * TOLERANCE).max(TOLERANCE_MIN)), ..text }
}

/// Six decimals: far below the tolerance, and readable.
fn short(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}
