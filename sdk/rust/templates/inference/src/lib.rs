//! Sells search by meaning, with a model that the node lends.

hansa_sdk::agent! {
    world: "my-publisher:my-agent/agent",
    wit: ["vendor/hansa/wit/hansa-service", "wit"],     // contracts in the order in which they need each other
    agent: MyAgent,
}

use bindings::exports::my_publisher::my_agent::my_agent::{Guest, Hit};
use hansa_sdk::{Fault, inference};

struct MyAgent;

/// As `inference.models` of `agent.toml` names it.
const MODEL: &str = "minilm";
/// Texts of one call.
const TEXTS_MAX: usize = 100;

impl Guest for MyAgent {
    async fn nearest(question: String, texts: Vec<String>) -> Result<Hit, Fault> {
        check(texts.len())?;
        // One request for all: the node batches its rows, with those of other agents too.
        let all: Vec<String> = std::iter::once(question).chain(texts).collect();
        let embedded = inference::embed(MODEL, &all, &inference::Options::default())?;
        let mut rows = embedded.data.chunks_exact(embedded.dims as usize);
        let question = rows.next().ok_or_else(|| Fault::failed("the model gave no vector"))?;
        let hits = rows.enumerate().map(|(index, row)| Hit { index: index as u32, likeness: cosine(question, row) });
        hits.max_by(|a, b| a.likeness.total_cmp(&b.likeness)).ok_or_else(|| Fault::failed("the model gave too few vectors"))
    }
}

/// A price with a ceiling needs work with one: what the model takes is paid by the agent.
fn check(texts: usize) -> Result<(), Fault> {
    match texts {
        0 => Err(Fault::invalid_input("`texts` is empty; send at least one text to search in")),
        1..=TEXTS_MAX => Ok(()),
        _ => Err(Fault::invalid_input(format!("`texts` has `{texts}` texts; send at most {TEXTS_MAX}"))),
    }
}

/// The pure part, which `cargo test` can test without any host.
fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt().max(f32::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::{TEXTS_MAX, check, cosine};

    #[test]
    fn the_same_is_one_and_the_opposite_minus_one() {
        assert!((cosine(&[3.0, 4.0], &[6.0, 8.0]) - 1.0).abs() < 1e-6);
        assert!((cosine(&[3.0, 4.0], &[-3.0, -4.0]) + 1.0).abs() < 1e-6);
        assert_eq!(cosine(&[0.0], &[0.0]), 0.0);
    }

    #[test]
    fn nothing_and_too_much_are_refused() {
        assert!(check(1).is_ok() && check(TEXTS_MAX).is_ok());
        assert!(check(0).is_err() && check(TEXTS_MAX + 1).is_err());
    }
}
