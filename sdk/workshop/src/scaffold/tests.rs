//! Names that are taken and refused, and projects that are written whole or not at all.

use super::*;

fn new(folder: PathBuf, template: Template) -> NewProject {
    let name = AgentName::parse("acme/word-count", "me").unwrap();
    NewProject { name, language: Language::Rust, template, folder }
}

#[test]
fn names_must_be_names_in_every_language() {
    for good in ["translator", "acme/translator", "a1/b2-c3"] {
        assert!(AgentName::parse(good, "me").is_ok(), "{good}");
    }
    for bad in ["", "/", "a/", "Word", "1st", "a--b", "a-1", "import", "a_b", "a/b/c", "ä", &"x".repeat(41)] {
        assert!(matches!(AgentName::parse(bad, "me"), Err(ScaffoldError::Name { .. })), "{bad}");
    }
    assert_eq!(AgentName::parse("translator", "me").unwrap().publisher, "me");
}

#[test]
fn a_project_is_written_in_its_own_name() {
    let parent = tempfile::tempdir().unwrap();
    for language in Language::ALL {
        assert_eq!(Template::of(language), Template::ALL, "{language}");
        for template in Template::of(language) {
            let folder = parent.path().join(format!("{}-{template}", language.name()));
            let paths = NewProject { language, ..new(folder.clone(), template) }.write().unwrap();
            let always = ["agent.toml", "README.md", "wit/world.wit", "tests/cases.toml", ".gitignore"];
            for needed in always.into_iter().chain([language.mark()]) {
                assert!(paths.iter().any(|path| path == needed), "{language} {template}: {needed} is not in {paths:?}");
            }
            for path in &paths {
                let text = std::fs::read_to_string(folder.join(path)).unwrap();
                for word in ["my-publisher", "my-agent", "my_agent", "MyAgent", "myAgent"] {
                    assert!(!text.contains(word), "{language} {template}: {path} still says {word}");
                }
            }
            let project = crate::Project::open(&folder).unwrap();
            assert_eq!(project.manifest.package(), "acme/word-count@0.1.0");
            assert_eq!(project.language, language);
        }
    }
}

#[test]
fn nothing_is_written_over_and_nothing_is_left_behind() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("there");
    std::fs::create_dir(&folder).unwrap();
    assert!(matches!(new(folder, Template::Pure).write(), Err(ScaffoldError::Exists(_))));
    let file = parent.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert!(matches!(new(file.join("below"), Template::Pure).write(), Err(ScaffoldError::Io { .. })));
    assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), 2);
}
