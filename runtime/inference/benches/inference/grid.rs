//! What a bare session takes per row and token, over rows and length, and so how much any scheduler can gain from running
//! rows together on this machine.

use std::time::{Duration, Instant};

use ort::session::Session;
use ort::value::Tensor;

use crate::host_path::child;
use crate::load::{bare_session, median, tools};

const LENGTHS: [usize; 7] = [8, 16, 32, 64, 128, 192, 256];
const ROWS: [usize; 6] = [1, 2, 4, 8, 16, 32];
/// Lengths that stand for all between two.
const STEPS: usize = 6;
/// For each cell, and three runs at least.
const TIME: Duration = Duration::from_millis(400);

/// The table, from a process of its own, because one can hold one ONNX Runtime environment.
pub(crate) fn show() {
    println!("MiniLM on a bare session, one thread: microseconds per row and token, medians");
    println!("{:>8}{}", "tokens", ROWS.map(|rows| format!("{:>9}", format!("{rows} rows"))).concat());
    for length in LENGTHS {
        let cells = ROWS.map(|rows| format!("{:>9.1}", child(&format!("raw-cell {rows} {length}"))));
        println!("{length:>8}{}", cells.concat());
    }
}

/// How many times faster texts of so many to so many tokens could be with the best number of rows, no filling and no host,
/// than one run each.
pub(crate) fn ceiling(least: u64, most: u64) -> f64 {
    child(&format!("raw-ceiling {least} {most}"))
}

/// In the child: `cell ROWS TOKENS` or `ceiling LEAST MOST`.
pub(crate) fn measured(what: &str) -> f64 {
    let mut session = bare_session(&tools().join("models/minilm/model.onnx"));
    let numbers: Vec<usize> = what.split(' ').skip(1).map(|number| number.parse().unwrap()).collect();
    let (first, second) = (numbers[0], numbers[1]);
    if what.starts_with("cell") {
        return cell(&mut session, first, second);
    }
    let (mut alone, mut best) = (0.0, 0.0);
    for step in 0..STEPS {
        let length = first + (second - first) * (2 * step + 1) / (2 * STEPS);
        let times = ROWS.map(|rows| cell(&mut session, rows, length) * length as f64);
        alone += times[0];
        best += times.into_iter().fold(f64::INFINITY, f64::min);
    }
    alone / best
}

fn cell(session: &mut Session, rows: usize, length: usize) -> f64 {
    let (began, mut times) = (Instant::now(), Vec::new());
    while times.len() < 3 || began.elapsed() < TIME {
        let port = |value: i64| Tensor::from_array(([rows, length], vec![value; rows * length])).unwrap();
        let inputs = ort::inputs!["input_ids" => port(1037), "attention_mask" => port(1), "token_type_ids" => port(0)];
        let run = Instant::now();
        session.run(inputs).unwrap();
        times.push(run.elapsed().as_secs_f64() * 1e6 / (rows * length) as f64);
    }
    median(times)
}
