//! `just bench inference`: the scheduler against one run per request, fair order against first come first served, the host's
//! path against a bare session and against Python's onnxruntime, memory against its cap. Ratios within one run count, because
//! the machine is noisy.
//!
//! Names choose parts: `path`, `grid`, `mixed`, `flood`, `generate`, `memory`; no name runs all.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark at the terminal")]

mod flood;
mod generate;
mod grid;
mod host_path;
mod load;
mod memory;
mod mixed;
mod python;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if let Some(("side", side)) = arguments.first().zip(arguments.get(1)).map(|(first, side)| (first.as_str(), side)) {
        println!("{}", host_path::side(side));
        return;
    }
    let wanted = |name: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == name);
    let parts: [(&str, fn()); 6] = [
        ("path", host_path::compare),
        ("grid", grid::show),
        ("mixed", mixed::compare),
        ("flood", flood::compare),
        ("generate", generate::compare),
        ("memory", memory::compare),
    ];
    for (name, part) in parts {
        if wanted(name) {
            println!("\n## {name}");
            part();
        }
    }
}
