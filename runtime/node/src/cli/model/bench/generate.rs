//! `hansa model bench` of a model that generates: how long a prompt takes, and how fast answers come, one and many at once.

use std::time::{Duration, Instant};

use hansa_inference::{Event, Inference, Prompt, Request, Sampling};
use serde_json::json;

use super::super::super::output::{self, table};
use super::super::super::{Context, Failure};
use super::text;

const ANSWERS: [usize; 4] = [1, 4, 16, 64];
/// Tokens of a prompt, as far as the model's context goes.
const PROMPTS: [usize; 2] = [16, 256];
/// Tokens of an answer at most.
const TOKENS: u32 = 64;

/// One line of the table.
pub(super) struct Measured {
    answers: usize,
    prompt: u64,
    first: Duration,
    tokens_per_second: f64,
}

/// What one answer had.
struct Answer {
    prompt: u64,
    first: Duration,
    tokens: usize,
}

pub(super) async fn measure(inference: &Inference, model: &str, context: u32) -> Result<Vec<Measured>, Failure> {
    let mut found = Vec::new();
    for prompt in PROMPTS.into_iter().filter(|prompt| prompt + (TOKENS as usize) < context as usize) {
        for answers in ANSWERS {
            // how many rows step together is learned while they do
            for round in 0..3 {
                let measured = together(inference, model, answers, prompt).await?;
                if round == 2 {
                    found.push(measured);
                }
            }
        }
    }
    Ok(found)
}

async fn together(inference: &Inference, model: &str, answers: usize, prompt: usize) -> Result<Measured, Failure> {
    let began = Instant::now();
    let tasks: Vec<_> =
        (0..answers).map(|number| tokio::spawn(answer(inference.clone(), model.to_owned(), number, text(prompt)))).collect();
    let mut found = Vec::new();
    for task in tasks {
        found.push(task.await.map_err(|error| format!("it ended early: {error}"))??);
    }
    let tokens: usize = found.iter().map(|answer| answer.tokens).sum();
    let first = found.iter().map(|answer| answer.first).max().unwrap_or_default();
    let prompt = found.iter().map(|answer| answer.prompt).max().unwrap_or(0);
    Ok(Measured { answers, prompt, first, tokens_per_second: tokens as f64 / began.elapsed().as_secs_f64() })
}

async fn answer(inference: Inference, model: String, number: usize, prompt: String) -> Result<Answer, Failure> {
    let sampling = Sampling { max_tokens: TOKENS, ..Sampling::default() };
    let request = Request::new(format!("bench {number}"));
    let began = Instant::now();
    let begun = inference.generate(&request, &model, Prompt::Text(prompt), sampling).await;
    let mut generation = begun.map_err(|error| error.to_string())?;
    let mut answer = Answer { prompt: 0, first: Duration::ZERO, tokens: 0 };
    while let Some(event) = generation.next().await {
        match event {
            Event::Chunk { tokens, .. } => {
                if answer.tokens == 0 {
                    answer.first = began.elapsed();
                }
                answer.tokens += tokens.len();
            }
            Event::Done { usage, .. } => answer.prompt = usage.input_units,
            Event::Failed(error) => return Err(error.to_string()),
        }
    }
    Ok(answer)
}

pub(super) fn show(context: &Context, found: &[Measured]) {
    let first_ms = |measured: &Measured| measured.first.as_secs_f64() * 1e3;
    if context.json {
        let value = |measured: &Measured| {
            json!({
                "answers": measured.answers, "prompt": measured.prompt, "first-ms": first_ms(measured),
                "tokens-per-second": measured.tokens_per_second,
            })
        };
        return output::json(&found.iter().map(value).collect::<Vec<_>>());
    }
    let row = |measured: &Measured| {
        vec![
            measured.answers.to_string(),
            measured.prompt.to_string(),
            format!("{:.1}", first_ms(measured)),
            format!("{:.0}", measured.tokens_per_second),
        ]
    };
    table(&["ANSWERS", "PROMPT", "LAST BEGAN MS", "TOKENS/S"], &found.iter().map(row).collect::<Vec<_>>());
}
