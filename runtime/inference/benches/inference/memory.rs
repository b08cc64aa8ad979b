//! Random loads of more models than fit under the cap: does what they take together stay below it?

use std::time::Duration;

use hansa_inference::{Example, Inference, InferenceOptions, Request};

use crate::load::{Dice, runtime, tools};

/// Loads at least, one after the other and at random.
const LOADS: u64 = 1000;
/// Two of the five models that are asked for fit.
const CAP: u64 = 260 << 20;

pub(crate) fn compare() {
    let copies = tempfile::tempdir().unwrap();
    let mut folders = Vec::new();
    for (name, of) in
        [("minilm-a", "minilm"), ("minilm-b", "minilm"), ("minilm-c", "minilm"), ("magika-a", "magika"), ("magika-b", "magika")]
    {
        let (from, to) = (tools().join("models").join(of), copies.path().join(name));
        std::fs::create_dir(&to).unwrap();
        for file in std::fs::read_dir(&from).unwrap().flatten() {
            if file.file_name() == "hansa-model.toml" {
                let text = std::fs::read_to_string(file.path()).unwrap();
                std::fs::write(
                    to.join(file.file_name()),
                    text.replace(&format!("name = \"{of}\""), &format!("name = \"{name}\"")),
                )
                .unwrap();
            } else {
                std::fs::hard_link(file.path(), to.join(file.file_name()))
                    .or_else(|_| std::fs::copy(file.path(), to.join(file.file_name())).map(drop))
                    .unwrap();
            }
        }
        folders.push(to);
    }
    let before = resident();
    let options = InferenceOptions { model_folders: folders, memory_bytes: Some(CAP), ..InferenceOptions::from_tools(&tools()) };
    let inference = Inference::start(options);
    let names: Vec<String> = inference.models().into_iter().map(|model| model.name).collect();
    let (mut dice, mut most, mut most_counted) = (Dice(7), 0, 0);
    let runtime = runtime();
    // What the library and its thread pools take stays, whatever the models do.
    runtime.block_on(one(&inference, &names[0]));
    inference.unload(&names[0]).unwrap();
    while inference.memory_used().iter().sum::<u64>() > 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
    let base = resident();
    let loads = || inference.metrics().values().map(|model| model.loads).sum::<u64>();
    let mut requests = 0;
    while loads() < LOADS {
        requests += 1;
        let name = &names[dice.roll(names.len() as u64) as usize];
        runtime.block_on(one(&inference, name));
        most = most.max(resident().saturating_sub(base));
        most_counted = most_counted.max(inference.memory_used().iter().sum::<u64>());
    }
    println!(
        "{requests} requests, {} loads; without models the process takes {} MiB more than at its start; cap {} MiB: with models at most {} MiB more than that ({:.2} of the cap), counted as {} MiB",
        loads(),
        base.saturating_sub(before) >> 20,
        CAP >> 20,
        most >> 20,
        most as f64 / CAP as f64,
        most_counted >> 20
    );
}

async fn one(inference: &Inference, name: &str) {
    let request = Request { deadline: Some(std::time::Instant::now() + Duration::from_secs(60)), ..Request::new("bench") };
    if name.starts_with("minilm") {
        inference.embed(&request, name, vec!["a ".repeat(30)]).await.unwrap();
    } else {
        inference.classify(&request, name, vec![Example::Bytes(crate::host_path::example())], 1).await.unwrap();
    }
}

/// Bytes of this process in memory.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 4096
}
