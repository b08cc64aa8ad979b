//! Sells statistics of texts, and remembers how many it made.

hansa_sdk::agent! {
    world: "my-publisher:my-agent/agent",
    wit: ["vendor/hansa/wit/hansa-service", "wit"],     // contracts in the order in which they need each other
    agent: MyAgent,
}

use bindings::exports::my_publisher::my_agent::my_agent::{Counts, Guest};
use hansa_sdk::{Fault, context, log, store::Bucket};

struct MyAgent;

/// Where the number of texts is kept.
const SERVED: &str = "served";

impl Guest for MyAgent {
    async fn count(text: String) -> Result<Counts, Fault> {
        let counts = count(&text).ok_or_else(|| {
            // Say what was wrong and what to send instead. A fault costs the buyer nothing.
            Fault::invalid_input("`text` is empty; send a text with at least one word")
        })?;
        // Each call has a fresh instance: what shall last goes to the store.
        let store = Bucket::open()?;
        store.set_number(SERVED, store.get_number(SERVED)?.unwrap_or(0) + 1)?;
        log::info!("counted {} words for {}", counts.words, context::current_call()?.buyer);
        Ok(counts)
    }

    async fn served() -> Result<u64, Fault> {
        Ok(Bucket::open()?.get_number(SERVED)?.unwrap_or(0))
    }
}

/// The pure part, which `cargo test` can test without any host.
fn count(text: &str) -> Option<Counts> {
    let words = u32::try_from(text.split_whitespace().count()).ok().filter(|words| *words > 0)?;
    let lines = u32::try_from(text.lines().count()).ok()?;
    Some(Counts { words, lines, reading_seconds: (words * 60).div_ceil(200) })
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn words_and_lines() {
        let counts = count("one two\nthree").unwrap();
        assert_eq!((counts.words, counts.lines, counts.reading_seconds), (3, 2, 1));
        assert!(count(" \n").is_none());
    }
}
