//! What is proven of a decoder when it is loaded: its golden answers, and whether rows of different length may share a step.
//!
//! Graphs differ in how they read a mask with filling on the left: some take the number of its ones for a length. Such a
//! model gives other tokens in a batch than alone, so that it is tried out and, where it fails, runs one row at a time.

use crate::error::{Error, Result};
use crate::package::{Golden, GoldenCase, GoldenPrompt};

use super::cache::Place;
use super::decoder::Decoder;
use super::request::Prompt;
use super::sampler::best;
use super::text::Speech;

/// Steps that are compared.
const STEPS: usize = 6;
/// A share of the spread of the logits below which two tokens count as equally likely: sums of floats in another order.
const TIE: f32 = 0.005;

/// Runs the golden vectors; the first that is wrong refuses the model.
pub(crate) fn golden(decoder: &mut Decoder<'_>, speech: &Speech, golden: &[Golden]) -> Result<()> {
    for (count, golden) in golden.iter().enumerate() {
        let GoldenCase::Generate(prompt) = &golden.case else {
            return Err(Error::Backend("a golden vector does not fit the model's task".to_owned()));
        };
        let found = answer(decoder, speech, prompt, golden.expect.len())?;
        let found: Vec<f64> = found.into_iter().map(f64::from).collect();
        golden.compare(&found).map_err(|wrong| {
            Error::Backend(format!("golden vector {} {wrong}; the model is not what its manifest says", count + 1))
        })?;
    }
    Ok(())
}

/// The likeliest tokens after a prompt.
pub(crate) fn answer(decoder: &mut Decoder<'_>, speech: &Speech, prompt: &GoldenPrompt, count: usize) -> Result<Vec<u32>> {
    let tokens = match prompt {
        GoldenPrompt::Text(text) => speech.encode(&Prompt::Text(text.clone()))?,
        GoldenPrompt::Tokens(tokens) => tokens.clone(),
    };
    Ok(likeliest(decoder, &tokens, count)?.iter().map(|logits| likeliest_of(logits)).collect())
}

/// Whether a batch filled up on the left gives what single rows give.
pub(crate) fn batches(decoder: &mut Decoder<'_>) -> Result<bool> {
    let vocab = decoder.names.vocab() as u32;
    let prompt = |length: u32, stride: u32| -> Vec<u32> { (1..=length).map(|n| (n * stride + n * n) % vocab).collect() };
    let prompts = [prompt(7, 31), prompt(2, 17), prompt(4, 53)];
    let single = prompts.iter().map(|prompt| likeliest(decoder, prompt, STEPS)).collect::<Result<Vec<_>>>()?;
    let mut places = prompts.iter().map(|prompt| read_all(decoder, prompt)).collect::<Result<Vec<_>>>()?;
    let mut tokens: Vec<u32> = prompts.iter().map(|prompt| prompt[prompt.len() - 1]).collect();
    for step in 0..STEPS {
        let stepped = match decoder.step_together(&places, &tokens) {
            Ok(stepped) => stepped,
            Err(error) => {
                tracing::info!(%error, "the decoder takes no batch");
                return Ok(false);
            }
        };
        if stepped.iter().zip(&single).any(|(stepped, single)| !agree(&single[step], &stepped.logits)) {
            return Ok(false);
        }
        // the tokens of the single runs go in, so that one difference is not the cause of the next
        tokens = single.iter().map(|single| likeliest_of(&single[step])).collect();
        places = stepped.into_iter().map(|stepped| stepped.place).collect();
    }
    Ok(true)
}

/// Whether the token that is likeliest in the batch is the likeliest alone, or as good as that.
fn agree(single: &[f32], batch: &[f32]) -> bool {
    let (own, other) = (likeliest_of(single), likeliest_of(batch));
    let least = single.iter().copied().filter(|logit| logit.is_finite()).fold(f32::INFINITY, f32::min);
    let largest = single[own as usize];
    largest - single[other as usize] <= TIE * (largest - least)
}

fn likeliest_of(logits: &[f32]) -> u32 {
    best(logits).unwrap_or(0) as u32
}

/// The logits of each step when the likeliest token goes in each time.
fn likeliest(decoder: &mut Decoder<'_>, prompt: &[u32], count: usize) -> Result<Vec<Vec<f32>>> {
    let mut place = read_all(decoder, prompt)?;
    let mut token = prompt.last().copied().unwrap_or(0);
    let mut rows = Vec::with_capacity(count);
    for _ in 0..count {
        let stepped = decoder.step(&[place], &[token]).pop();
        let stepped = stepped.unwrap_or_else(|| Err(Error::Backend("the decoder gave no row".to_owned())))?;
        if stepped.logits.iter().any(|logit| logit.is_nan()) {
            return Err(Error::NonFinite(decoder.names.logits().to_owned()));
        }
        (token, place) = (likeliest_of(&stepped.logits), stepped.place);
        rows.push(stepped.logits);
    }
    Ok(rows)
}

/// Reads a prompt but for its last token.
fn read_all(decoder: &mut Decoder<'_>, prompt: &[u32]) -> Result<Place> {
    let mut place = decoder.begin()?;
    let end = prompt.len().saturating_sub(1);
    while place.tokens() < end {
        place = decoder.read(&place, &prompt[place.tokens()..end])?;
    }
    Ok(place)
}
