//! Generating with the decoder of random weights that set-up writes: the host against a bare loop over a session, and tokens
//! per second of many answers at once. The model is tiny, so that the host's own share is as large as it gets.

use std::borrow::Cow;
use std::time::Instant;

use hansa_inference::{Event, Inference, Prompt, Request, Sampling};
use ort::session::{Session, SessionInputValue};
use ort::value::{DynValue, Tensor};

use crate::host_path::child;
use crate::load::{bare_session, inference, runtime, tools};

const MODEL: &str = "tinyllama";
const ROUNDS: usize = 5;
const TOKENS: u32 = 400;
const PROMPT: [u32; 9] = [256, 61, 119, 108, 68, 77, 83, 90, 66];
/// Of the fixture: layers, heads of keys and values, their size, and the width of the logits.
const LAYERS: usize = 2;
const HEADS: usize = 2;
const HEAD_SIZE: usize = 16;
const VOCAB: usize = 272;

pub(crate) fn compare() {
    println!("{TOKENS} tokens at most after a prompt of {}, one thread; best of {ROUNDS} rounds", PROMPT.len());
    let (mut host, mut raw) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..ROUNDS {
        host = host.min(child("host-generate"));
        raw = raw.min(child("raw-generate"));
    }
    println!("one answer: host {host:.1} us a token, bare loop {raw:.1}, ratio {:.2}", host / raw);
    let inference = inference(true);
    for rows in [1, 2, 4, 8, 16, 32] {
        let best = (0..ROUNDS).map(|_| tokens_per_second(&inference, rows)).fold(0.0, f64::max);
        println!("{rows} answers at once: {best:.0} tokens/s");
    }
}

/// Microseconds per token of one answer through the host.
pub(crate) fn host() -> f64 {
    let inference = inference(true);
    tokens_per_second(&inference, 1);
    1e6 / (0..3).map(|_| tokens_per_second(&inference, 1)).fold(0.0, f64::max)
}

fn tokens_per_second(inference: &Inference, rows: u32) -> f64 {
    runtime().block_on(async {
        inference.load(MODEL).await.unwrap();
        let began = Instant::now();
        let answers: Vec<_> = (0..rows).map(|row| tokio::spawn(answer(inference.clone(), row))).collect();
        let mut tokens = 0;
        for answer in answers {
            tokens += answer.await.unwrap();
        }
        tokens as f64 / began.elapsed().as_secs_f64()
    })
}

async fn answer(inference: Inference, row: u32) -> usize {
    let mut prompt = PROMPT.to_vec();
    prompt[3] = 40 + row % 64;
    let sampling = Sampling { max_tokens: TOKENS, ..Sampling::default() };
    let request = Request::new(format!("tenant {row}"));
    let mut generation = inference.generate(&request, MODEL, Prompt::Tokens(prompt), sampling).await.unwrap();
    let mut count = 0;
    while let Some(event) = generation.next().await {
        match event {
            Event::Chunk { tokens, .. } => count += tokens.len(),
            Event::Failed(error) => panic!("{error}"),
            Event::Done { .. } => {}
        }
    }
    count
}

/// Microseconds per token of a loop that does nothing but run the session and take the likeliest token.
pub(crate) fn raw() -> f64 {
    let mut session = bare_session(&tools().join("fixtures/tinyllama/model.onnx"));
    raw_answer(&mut session);
    (0..3).map(|_| raw_answer(&mut session)).fold(f64::INFINITY, f64::min)
}

fn raw_answer(session: &mut Session) -> f64 {
    let empty = || Tensor::<f32>::new(session.allocator(), [1, HEADS, 0, HEAD_SIZE]).unwrap().into_dyn();
    let mut past: Vec<DynValue> = (0..2 * LAYERS).map(|_| empty()).collect();
    let (mut tokens, mut before): (Vec<i64>, usize) = (PROMPT.iter().map(|token| i64::from(*token)).collect(), 0);
    let began = Instant::now();
    for _ in 0..TOKENS {
        let (new, all) = (tokens.len(), before + tokens.len());
        let ints =
            |values: Vec<i64>| -> SessionInputValue<'_> { Tensor::from_array(([1, values.len()], values)).unwrap().into() };
        let mut inputs: Vec<(Cow<'_, str>, SessionInputValue<'_>)> = vec![
            ("input_ids".into(), ints(std::mem::take(&mut tokens))),
            ("attention_mask".into(), ints(vec![1; all])),
            ("position_ids".into(), ints((before..before + new).map(|place| place as i64).collect())),
        ];
        inputs.extend(past.drain(..).enumerate().map(|(port, value)| (port_name("past_key_values", port).into(), value.into())));
        let mut found = session.run(inputs).unwrap();
        let likeliest = {
            let (_, logits) = found["logits"].try_extract_tensor::<f32>().unwrap();
            let last = &logits[logits.len() - VOCAB..];
            (0..VOCAB).max_by(|a, b| last[*a].total_cmp(&last[*b])).unwrap()
        };
        past.extend((0..2 * LAYERS).map(|port| found.remove(port_name("present", port)).unwrap()));
        (tokens, before) = (vec![likeliest as i64], all);
    }
    began.elapsed().as_secs_f64() * 1e6 / f64::from(TOKENS)
}

fn port_name(kind: &str, port: usize) -> String {
    format!("{kind}.{}.{}", port / 2, if port.is_multiple_of(2) { "key" } else { "value" })
}
