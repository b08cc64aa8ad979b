//! Every example of the guide to a workflow's file is read, and what it says of mistakes is said.
#![expect(clippy::unwrap_used, reason = "tests")]

use hansa_workflow::{Problem, Workflow, data_class, names};

/// What examples that are parts of a file leave out.
const REST: [(&str, &str); 5] = [
    ("workflow", "acme/example"),
    ("version", "1.0.0"),
    ("budget", "10"),
    ("inputs", "{ text: { type: text, default: '' }, pages: { type: list, default: [] } }"),
    ("steps", "[{ id: only, set: 1 }]"),
];

fn guide() -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/businesses/workflow-file.md");
    std::fs::read_to_string(path).unwrap()
}

/// Blocks of one language.
fn blocks<'a>(guide: &'a str, language: &str) -> Vec<&'a str> {
    let begin = format!("```{language}\n");
    guide.split(&begin).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// A whole file around an example.
fn whole(example: &str) -> String {
    let mut text = match example.starts_with("- ") {
        true => format!("steps:\n{example}"),
        false => example.to_owned(),
    };
    for (key, value) in REST {
        if !text.lines().any(|line| line.starts_with(&format!("{key}:"))) {
            text += &format!("{key}: {value}\n");
        }
    }
    text
}

fn problems(text: &str) -> Vec<Problem> {
    match Workflow::read(text) {
        Ok(workflow) => names::check(&workflow).into_iter().chain(data_class::check(&workflow)).collect(),
        Err(problems) => problems,
    }
}

#[test]
fn every_example_is_read_without_a_problem() {
    let guide = guide();
    let examples = blocks(&guide, "yaml");
    assert!(examples.len() >= 9, "only {} examples were found", examples.len());
    for example in examples {
        assert_eq!(problems(&whole(example)), [], "{example}");
    }
}

#[test]
fn what_the_guide_says_of_a_mistake_is_said() {
    let guide = guide();
    let example = blocks(&guide, "yaml").pop().unwrap();
    assert!(example.contains("    release: true\n"));
    let told = problems(&whole(&example.replace("    release: true\n", "")));
    assert_eq!(told.iter().map(|problem| &*problem.what).collect::<Vec<_>>(), [blocks(&guide, "text")[0].trim_end()]);
}
