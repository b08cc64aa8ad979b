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
fn names_of_what_comes_with_a_project_are_refused_with_another() {
    for (name, why, instead) in [
        ("acme/autonomy", "`hansa:agent/autonomy`", "`acme/autonomy-agent`"),
        ("acme/pricing", "`hansa:market/pricing`", "`acme/pricing-agent`"),
        ("lifecycle", "`hansa:agent/lifecycle`", "`me/lifecycle-agent`"),
        ("acme/wallet", "`hansa:wallet/wallet`", "`acme/wallet-agent`"),
        ("acme/market", "`hansa:market`", "`acme/market-agent`"),
        ("acme/context", "`hansa:agent/context`", "`acme/context-agent`"),
        ("acme/core", "the crate `core`", "`acme/core-agent`"),
        ("acme/hansa-sdk", "the crate `hansa-sdk`", "`acme/hansa-sdk-agent`"),
        ("hansa/reader", "namespace `hansa:`", "`my-hansa/reader`"),
        ("wasi/reader", "namespace `wasi:`", "`my-wasi/reader`"),
        ("commons/reader", "namespace `commons:`", "`my-commons/reader`"),
    ] {
        let error = AgentName::parse(name, "me").unwrap_err();
        assert!(matches!(error, ScaffoldError::Taken { .. }), "{error}");
        let error = error.to_string();
        assert!(error.contains(why) && error.contains(instead), "{error}");
        assert!(AgentName::parse(instead.trim_matches('`'), "me").is_ok(), "{instead}");
    }
    for free in ["acme/reader", "acme/embedder", "acme/store"] {
        assert!(AgentName::parse(free, "me").is_ok(), "{free}");
    }
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
            let agent = std::fs::read_to_string(folder.join("agent.toml")).unwrap();
            let schema = agent.lines().next().and_then(|line| line.strip_prefix("#:schema ")).unwrap();
            let schema: serde_json::Value = serde_json::from_slice(&std::fs::read(folder.join(schema)).unwrap()).unwrap();
            assert!(schema["properties"]["agent"].is_object(), "editors find the schema of agent.toml");
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
