//! One tenant with 60 callers of long texts, another with 4 of short ones: fair order against first come first served.

use std::time::Duration;

use crate::load::{Answers, Callers, Work, ask, inference, median};

const ROUNDS: usize = 5;
const TIME: Duration = Duration::from_secs(6);

pub(crate) fn compare() {
    println!("60 callers of 128 tokens flood, 4 callers of 16 tokens are the small tenant; {ROUNDS} rounds that take turns");
    let served = inference(true);
    let run = |flood: &'static str, small: &'static str| {
        let kinds = [
            Callers { count: 60, tenant: flood, work: Work::Embed(128, 128) },
            Callers { count: 4, tenant: small, work: Work::Embed(16, 16) },
        ];
        ask(&served, &kinds, TIME)
    };
    run("flood", "small");
    let (mut first_come, mut fair) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        // Of one tenant's requests the first comes first.
        first_come.push(run("one", "one"));
        fair.push(run("flood", "small"));
    }
    let ms = |answers: &[Vec<Answers>], time: fn(&Answers) -> Duration| {
        median(answers.iter().map(|round| time(&round[1]).as_secs_f64() * 1e3).collect())
    };
    let rate = |answers: &[Vec<Answers>]| {
        let units = |round: &Vec<Answers>| round.iter().map(|kind| kind.units).sum::<u64>() as f64 / TIME.as_secs_f64();
        median(answers.iter().map(units).collect())
    };
    let count = |answers: &[Vec<Answers>]| median(answers.iter().map(|round| round[1].count as f64).collect());
    let (before, after) = (ms(&first_come, |kind| kind.p50), ms(&fair, |kind| kind.p50));
    println!(
        "small tenant: first come p50 {before:.0} ms, p99 {:.0} ms, {:.0} answers; fair p50 {after:.0} ms, p99 {:.0} ms, {:.0} answers",
        ms(&first_come, |kind| kind.p99),
        count(&first_come),
        ms(&fair, |kind| kind.p99),
        count(&fair),
    );
    println!("p50 is {:.1} times better, at {:.2} of the tokens per second", before / after, rate(&fair) / rate(&first_come));
}
