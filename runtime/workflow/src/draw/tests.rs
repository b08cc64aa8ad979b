//! Drawings show what the file says, and nothing lies on anything else.
use super::*;
#[test]
fn pictures() {
    for entry in std::fs::read_dir("/work/help/scratch-draw/pics").unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "yaml") {
            let text = std::fs::read_to_string(&path).unwrap();
            let w = Workflow::read(&text).unwrap_or_else(|p| panic!("{path:?} {p:?}"));
            let mut notes = Notes::default();
            if path.to_string_lossy().contains("notes") {
                for (i, step) in w.all_steps().iter().enumerate() {
                    let line = if i % 2 == 0 { "0.002 to 0.010 · acme".to_owned() } else { String::new() };
                    notes.steps.insert(step.id.clone(), Note { line, state: Some(State::ALL[i % 7]) });
                }
            }
            std::fs::write(path.with_extension("svg"), svg(&w, &notes)).unwrap();
        }
    }
}
