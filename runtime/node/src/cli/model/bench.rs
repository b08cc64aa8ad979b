//! `hansa model bench`: rows and lengths against time, on this machine and with the node's settings.

mod generate;

use std::time::{Duration, Instant};

use hansa_inference::{Example, Inference, PackageSummary, Request, Task};
use serde_json::json;

use super::super::output::{self, note, table};
use super::super::{Context, Failure};
use super::{Named, alone};

const ROWS: [usize; 4] = [1, 4, 16, 64];
/// Tokens of a text, or bytes of an example, before the model's own limit.
const LENGTHS: [usize; 3] = [16, 64, 256];
/// Runs of one size at least, after one that warms up.
const RUNS_MIN: usize = 3;
/// A size is measured until it took so long.
const TIME: Duration = Duration::from_millis(300);

/// One line of the table.
struct Measured {
    rows: usize,
    length: u64,
    milliseconds: f64,
}

pub(crate) async fn run(context: &Context, named: &Named) -> Result<(), Failure> {
    let (config, folder) = named.find(context)?;
    let package = hansa_inference::read_package(&folder).map_err(|error| error.to_string())?;
    let unit = match package.task {
        Task::Raw => {
            return Err(format!(
                "bench makes up texts and bytes; `{}` takes tensors, whose sizes only its users know",
                package.name
            ));
        }
        _ if package.max_tokens.is_some() => "TOKENS",
        _ => "BYTES",
    };
    let inference = alone(&config, folder);
    inference.load(&package.name).await.map_err(|error| error.to_string())?;
    if let Some(provider) = inference.info(&package.name).ok().and_then(|info| info.provider) {
        note(format!(
            "{}, {:.1} % of the graph's nodes; median of at least {RUNS_MIN} runs",
            provider.name,
            provider.share * 100.0
        ));
    }
    if package.task == Task::Generate {
        let found = generate::measure(&inference, &package.name, package.max_tokens.unwrap_or(u32::MAX)).await;
        inference.stop().await;
        generate::show(context, &found?);
        return Ok(());
    }
    let mut found = Vec::new();
    for length in LENGTHS {
        for rows in ROWS {
            found.push(measure(&inference, &package, rows, length).await?);
        }
    }
    inference.stop().await;
    show(context, unit, &found);
    Ok(())
}

async fn measure(inference: &Inference, package: &PackageSummary, rows: usize, length: usize) -> Result<Measured, Failure> {
    let mut times = Vec::new();
    let began = Instant::now();
    let mut counted = call(inference, package, rows, length).await?;
    while times.len() < RUNS_MIN || began.elapsed() < TIME {
        let began = Instant::now();
        counted = call(inference, package, rows, length).await?;
        times.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    Ok(Measured { rows, length: counted, milliseconds: times[times.len() / 2] })
}

/// One call; the length of a row as the model saw it.
async fn call(inference: &Inference, package: &PackageSummary, rows: usize, length: usize) -> Result<u64, Failure> {
    let (request, model) = (Request::new("bench"), package.name.as_str());
    let text = text(length);
    let usage = match package.task {
        Task::Classify if package.max_tokens.is_none() => {
            let examples = vec![Example::Bytes(vec![b'a'; length]); rows];
            inference.classify(&request, model, examples, 1).await.map_err(|error| error.to_string())?;
            return Ok(length as u64);
        }
        Task::Classify => inference.classify(&request, model, vec![Example::Text(text); rows], 1).await.map(|done| done.usage),
        Task::Rerank => inference.rerank(&request, model, "a".to_owned(), vec![text; rows], 1).await.map(|done| done.usage),
        _ => inference.embed(&request, model, vec![text; rows]).await.map(|done| done.usage),
    };
    Ok(usage.map_err(|error| error.to_string())?.input_units / rows as u64)
}

/// A text of about so many tokens: most tokenizers have a word for `a`, and two tokens around the text.
fn text(length: usize) -> String {
    "a ".repeat(length.saturating_sub(2))
}

fn show(context: &Context, unit: &str, found: &[Measured]) {
    let rate = |measured: &Measured| measured.rows as f64 * 1000.0 / measured.milliseconds;
    if context.json {
        let value = |measured: &Measured| json!({ "rows": measured.rows, "length": measured.length, "ms": measured.milliseconds, "rows-per-second": rate(measured) });
        return output::json(&found.iter().map(value).collect::<Vec<_>>());
    }
    let row = |measured: &Measured| {
        vec![
            measured.rows.to_string(),
            measured.length.to_string(),
            format!("{:.2}", measured.milliseconds),
            format!("{:.0}", rate(measured)),
        ]
    };
    table(&["ROWS", unit, "MS", "ROWS/S"], &found.iter().map(row).collect::<Vec<_>>());
}
