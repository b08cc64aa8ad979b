//! Sells how alike two texts are, made of vectors that it buys on the market.

hansa_sdk::agent! {
    world: "my-publisher:my-agent/agent",
    // Contracts in the order in which they need each other; that of a bought service comes before ours.
    wit: ["vendor/hansa/wit/hansa-service", "vendor/hansa/wit/commons-embedding", "wit"],
    agent: MyAgent,
}

use bindings::commons::embedding::embedder;
use bindings::exports::my_publisher::my_agent::my_agent::Guest;
use hansa_sdk::{Bought, Fault};

struct MyAgent;

impl Guest for MyAgent {
    async fn likeness(one: String, other: String) -> Result<f32, Fault> {
        // A purchase: a call like any other, whose type says that it may fail and that it costs something. `bought` tells our own
        // customer of a supplier's trouble in our name. Several purchases at once: `hansa_sdk::join_all`.
        let vectors = embedder::embed(vec![one, other]).await.bought("vectors of the two texts")?;
        let (one, other) = vectors.data.split_at_checked(vectors.dims as usize).unwrap_or_default();
        if one.is_empty() || one.len() != other.len() {
            return Err(Fault::failed("the seller of vectors gave another number of them than asked for"));
        }
        Ok(cosine(one, other))
    }
}

/// The pure part, which `cargo test` can test without any host.
fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt().max(f32::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::cosine;

    #[test]
    fn the_same_is_one_and_the_opposite_minus_one() {
        assert!((cosine(&[3.0, 4.0], &[6.0, 8.0]) - 1.0).abs() < 1e-6);
        assert!((cosine(&[3.0, 4.0], &[-3.0, -4.0]) + 1.0).abs() < 1e-6);
        assert_eq!(cosine(&[0.0], &[0.0]), 0.0);
    }
}
