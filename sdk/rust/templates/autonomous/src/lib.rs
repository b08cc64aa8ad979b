//! Wakes up by itself, buys on its own account within its daily limit, publishes what it made, and sells the last report.

hansa_sdk::agent! {
    world: "my-publisher:my-agent/agent",
    // Contracts in the order in which they need each other; that of a bought service comes before ours.
    wit: ["vendor/hansa/wit/hansa-service", "vendor/hansa/wit/hansa-agent", "vendor/hansa/wit/commons-embedding", "wit"],
    agent: MyAgent,
}

use bindings::commons::embedding::embedder;
use bindings::exports::hansa::agent::autonomy::{self, Trigger};
use bindings::exports::my_publisher::my_agent::my_agent::Guest;
use hansa_sdk::{Bought, Fault, log, store::Bucket, topics, wallet};

struct MyAgent;

const TOPIC: &str = "my-agent.reports";
const REPORT: &str = "report";
const THEMES: [&str; 2] = ["the price of bread", "the price of wheat"];

impl autonomy::Guest for MyAgent {
    async fn wake(why: Trigger) -> Result<(), String> {
        report(why).await.map_err(|fault| fault.to_string())
    }
}

async fn report(why: Trigger) -> Result<(), Fault> {
    // Nobody pays for this call: what it buys comes from its own account.
    let funds = wallet::look()?;
    log::info!("woken by {why:?}; {} of today's limit left", funds.left_today);
    let themes = THEMES.map(str::to_owned).to_vec();
    let vectors = embedder::embed(themes).await.bought("vectors of the themes")?;
    let (one, other) = vectors.data.split_at_checked(vectors.dims as usize).unwrap_or_default();
    let report = sentence(cosine(one, other));
    Bucket::open()?.set_text(REPORT, &report)?;
    topics::publish(TOPIC, report.as_bytes())
}

impl Guest for MyAgent {
    async fn latest() -> Result<String, Fault> {
        Bucket::open()?.get_text(REPORT)?.ok_or_else(|| Fault::failed("there is no report yet; ask again in ten minutes"))
    }
}

/// The pure part, which `cargo test` can test without any host.
fn sentence(likeness: f32) -> String {
    format!("{} and {} are {:.0} % alike", THEMES[0], THEMES[1], likeness * 100.0)
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt().max(f32::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_a_sentence() {
        assert_eq!(sentence(cosine(&[1.0, 0.0], &[0.6, 0.8])), "the price of bread and the price of wheat are 60 % alike");
    }
}
