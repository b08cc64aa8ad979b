//! 64 callers of mixed lengths: rows that run together where that was learned to be faster, against one run per request.

use std::time::Duration;

use crate::grid;
use crate::load::{Callers, Work, ask, inference, median};

const ROUNDS: usize = 5;
const TIME: Duration = Duration::from_secs(4);
const CALLERS: usize = 64;

pub(crate) fn compare() {
    println!("units per second of {CALLERS} callers, each its own tenant; medians of {ROUNDS} rounds that take turns");
    for (what, model, work) in [
        ("MiniLM, 8 to 32 tokens", "minilm", Work::Embed(8, 32)),
        ("MiniLM, 8 to 64 tokens", "minilm", Work::Embed(8, 64)),
        ("MiniLM, 8 to 256 tokens", "minilm", Work::Embed(8, 256)),
        ("MiniLM, 16 tokens", "minilm", Work::Embed(16, 16)),
        ("MiniLM, 128 tokens", "minilm", Work::Embed(128, 128)),
        ("Magika, 4 KiB", "magika", Work::Classify),
    ] {
        let (single, learned) = (inference(false), inference(true));
        let callers = || [Callers { count: CALLERS, tenant: "tenant {}", work }];
        // The first seconds teach.
        ask(&learned, &callers(), TIME);
        let (mut alone, mut together) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let rate = |inference| ask(inference, &callers(), TIME)[0].units as f64 / TIME.as_secs_f64();
            alone.push(rate(&single));
            together.push(rate(&learned));
        }
        let ratios = alone.iter().zip(&together).map(|(alone, together)| together / alone).collect();
        let metrics = learned.metrics().remove(model).unwrap();
        let ceiling = match work {
            Work::Embed(least, most) => format!("; a bare session's best {:.2}", grid::ceiling(least, most)),
            Work::Classify => String::new(),
        };
        println!(
            "{what}: one run each {:.0}/s, learned {:.0}/s, ratio {:.2}; {:.1} rows a run, {:.1} % padding{ceiling}",
            median(alone),
            median(together),
            median(ratios),
            metrics.batch_rows.sum as f64 / metrics.runs as f64,
            100.0 * metrics.padded_share()
        );
    }
}
