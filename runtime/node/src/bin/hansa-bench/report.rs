//! The tables for people and the JSON for programs.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the report is what this program is for")]

use crate::author::Hour;
use crate::goals::{Goal, Measurements, Point, Row, median};
use crate::parts::Parts;
use crate::workflow::Works;

/// Progress, on standard error.
pub(crate) fn progress(text: &str) {
    eprintln!("bench: {text}");
}

/// Why there is no report.
pub(crate) fn complain(text: &str) {
    eprintln!("hansa-bench: {text}");
}

/// One JSON object.
pub(crate) fn json(measurements: &Measurements) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(measurements)?);
    Ok(())
}

/// Tables.
pub(crate) fn tables(measurements: &Measurements) {
    println!(
        "{} cores; medians of {} alternating rounds\n",
        measurements.cores,
        measurements.rows.first().map_or(0, |row| row.rounds.len())
    );
    rows(&measurements.rows);
    if let Some(paid) = measurements.rows.iter().find(|row| row.point == Point::Paid) {
        let bus = measurements.rows.iter().find(|row| row.point == Point::Bus).map_or(0.0, |row| row.median.p50_us);
        shares(&measurements.parts, bus, paid.median.p50_us);
    }
    goals(&measurements.goals);
}

/// What an author waits for, against its goals.
pub(crate) fn hour(hour: &Hour, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(hour)?);
        return Ok(());
    }
    let deployed = |mib: f64| format!("deployment of {mib:.1} MiB compiled before, p50");
    let mut lines = vec![
        ("new, build, deploy, first paid call, in Rust".to_owned(), hour.first_paid_call_s, "s", Some(60.0)),
        ("  of that, the build".to_owned(), hour.first_build_s, "s", None),
        ("a change in Rust, until it is on offer again".to_owned(), hour.rebuild_s, "s", Some(20.0)),
    ];
    // The goal is for 3 MiB.
    let goal = |mib: f64| (mib < 4.0).then_some(50.0);
    lines.extend(hour.deployments.iter().map(|(mib, ms)| (deployed(*mib), *ms, "ms", goal(*mib))));
    lines.push(("paid call of an agent in Python, p50".to_owned(), hour.python_p50_ms, "ms", Some(1.5)));
    lines.push(("  p99".to_owned(), hour.python_p99_ms, "ms", None));
    for (what, figure, unit, goal) in lines {
        let met = goal.map(|goal| format!("goal {goal} {unit}: {}", if figure <= goal { "yes" } else { "NO" }));
        println!("{what:<50} {figure:>8.2} {unit:<2}   {}", met.unwrap_or_default());
    }
    Ok(())
}

/// What workflows cost, against their goals.
pub(crate) fn works(works: &Works, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(works)?);
        return Ok(());
    }
    let Works { runs, items, .. } = works;
    let slowest = works.taken_s.last().copied().unwrap_or(0.0);
    let lines = [
        ("a paid call without a workflow, p50".to_owned(), works.plain_ms, "ms", None),
        ("the same as a step of a run".to_owned(), works.step_ms, "ms", None),
        ("what the engine adds to a step".to_owned(), works.overhead_ms, "ms", Some(5.0)),
        (format!("{runs} runs of five steps in flight: lost"), works.lost as f64, "", Some(0.0)),
        ("  begun within".to_owned(), works.begun_s, "s", None),
        ("  all of them ended after the gate opened, within".to_owned(), works.ended_s, "s", None),
        ("  memory over idle".to_owned(), works.runs_mib, "MiB", None),
        (format!("a run with {items} mapped items: memory over idle"), works.items_mib, "MiB", Some(64.0)),
        ("  done within".to_owned(), works.items_s, "s", None),
        (format!("take-over after a kill, slowest of {}", works.taken_s.len()), slowest, "s", Some(5.0)),
        ("  median".to_owned(), median(works.taken_s.iter().copied()), "s", None),
    ];
    for (what, figure, unit, goal) in lines {
        let met = goal.map(|goal| format!("goal {goal} {unit}: {}", if figure <= goal { "yes" } else { "NO" }));
        println!("{what:<56} {figure:>8.2} {unit:<3}   {}", met.unwrap_or_default());
    }
    Ok(())
}

/// One line for each point.
pub(crate) fn rows(rows: &[Row]) {
    println!(
        "{:<40} {:>9} {:>9} {:>9}   CPU us a call: {:>6} {:>6} {:>6}",
        "", "p50 us", "p99 us", "calls/s", "buyer", "seller", "server"
    );
    for Row { point, median, cpu, .. } in rows {
        let name = point.name();
        println!(
            "{name:<40} {:>9.1} {:>9.1} {:>9.0} {:>24.0} {:>6.0} {:>6.0}",
            median.p50_us, median.p99_us, median.per_second, cpu.buyer_us, cpu.seller_us, cpu.server_us
        );
    }
}

/// Where the time of a paid call across two nodes goes. The parts were measured by themselves, so the rest is what is
/// left: books, index, lanes, tasks, wake-ups between threads and processes, copies.
fn shares(parts: &Parts, bus_us: f64, whole_us: f64) {
    let shares = [
        ("instances: two fresh calls with drop", 2.0 * parts.fresh_call_us),
        ("  of that, making the two instances", 2.0 * parts.instantiate_us),
        ("encode and decode request and reply", parts.encode_us + parts.decode_us),
        ("sign voucher and receipt", parts.sign_us),
        ("verify voucher and receipt", parts.verify_us),
        ("bus, there and back", bus_us),
    ];
    let known: f64 = shares.iter().filter(|(name, _)| !name.starts_with(' ')).map(|(_, us)| us).sum();
    println!(
        "\nwhere the time of a paid call across two nodes goes (request {} B, reply {} B)",
        parts.request_bytes, parts.reply_bytes
    );
    for (name, us) in shares.into_iter().chain([("the rest", whole_us - known), ("whole", whole_us)]) {
        println!("{name:<40} {us:>9.1} us {:>4.0} %", us / whole_us * 100.0);
    }
}

fn goals(goals: &[Goal]) {
    println!("\n{:<66} {:>8}   {:<32} met", "goal", "figure", "from");
    for Goal { goal, figure, from, met, .. } in goals {
        println!("{goal:<66} {figure:>8.2}   {from:<32} {}", if *met { "yes" } else { "NO" });
    }
}
