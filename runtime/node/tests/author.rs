//! An author's first hour, typed at the terminal: every template of every language is begun, built and tested; mistakes are explained.
#![expect(clippy::unwrap_used, reason = "tests")]

mod shared;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use shared::{tools, workspace};

/// Every language has all of them.
const TEMPLATES: [&str; 5] = ["pure", "service", "buyer", "inference", "autonomous"];

/// A folder to work in, with the tools that set-up fetched.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Desk {
        Desk { folder: tempfile::tempdir().unwrap() }
    }

    fn command(&self, within: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hansa"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let paths = std::iter::once(tools().join("bin")).chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(paths).unwrap());
        // One target folder for all templates: what they stand on is built once.
        command.env("CARGO_TARGET_DIR", workspace().join("target/templates"));
        command.current_dir(self.folder.path().join(within)).arg("--home").arg(self.folder.path().join("home")).args(args);
        command
    }

    fn hansa(&self, within: &str, args: &[&str]) -> Output {
        self.command(within, args).output().unwrap()
    }

    fn done(&self, within: &str, args: &[&str]) -> String {
        let output = self.hansa(within, args);
        assert!(output.status.success(), "hansa {args:?} in {within}:\n{}", text(&output));
        text(&output)
    }

    fn failed(&self, within: &str, args: &[&str], words: &[&str]) {
        let output = self.hansa(within, args);
        assert_eq!(output.status.code(), Some(1), "hansa {args:?}: {}", text(&output));
        for word in words {
            assert!(text(&output).contains(word), "hansa {args:?} does not say `{word}`:\n{}", text(&output));
        }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Begins, builds and tests each template.
fn each(language: &str) -> Desk {
    let desk = Desk::new();
    for template in TEMPLATES {
        let name = format!("acme/{template}-one");
        let folder = format!("{template}-one");
        desk.done("", &["new", &name, "--lang", language, "--template", template]);
        let built = desk.done(&folder, &["build"]);
        assert!(built.contains("component.wasm"), "{built}");
        let tested = desk.done(&folder, &["test", "--no-build"]);
        assert!(tested.contains("cases passed") && !tested.contains("FAIL"), "{tested}");
    }
    desk
}

#[test]
fn templates_in_rust_build_and_pass() {
    let desk = each("rust");
    // A case that fails says what was expected and what came.
    let cases = desk.path("pure-one/tests/cases.toml");
    let wrong = std::fs::read_to_string(&cases).unwrap().replace("answer = \"hello-market\"", "answer = \"hello_market\"");
    std::fs::write(&cases, wrong).unwrap();
    desk.failed(
        "pure-one",
        &["test"],
        &["FAIL  joins words", "expected \"hello_market\"", "got      \"hello-market\"", "HA0023"],
    );
    // A source that does not compile.
    std::fs::write(desk.path("pure-one/src/lib.rs"), "no rust").unwrap();
    desk.failed("pure-one", &["build"], &["HA0022", "error: expected"]);
}

#[test]
fn templates_in_javascript_build_and_pass() {
    each("js");
}

#[test]
fn templates_in_python_build_and_pass() {
    each("python");
}

/// Prices by counted items, prices that the agent names, and tenders, from languages other than Rust; `author/pricer` has the agent.
#[test]
fn agents_in_python_and_javascript_count_items_name_prices_and_let_sellers_bid() {
    for (language, component) in [("python", "component.py"), ("js", "component.js")] {
        let desk = Desk::new();
        desk.done("", &["new", "acme/pricer", "--lang", language]);
        let source = format!("src/{component}");
        let places = [
            ("agent.toml", "agent.toml"),
            ("world.wit", "wit/world.wit"),
            ("wood.wit", "wit/deps/acme-wood/wood.wit"),
            ("cases.toml", "tests/cases.toml"),
        ];
        std::fs::create_dir_all(desk.path("pricer/wit/deps/acme-wood")).unwrap();
        for (file, place) in places.into_iter().chain([(component, source.as_str())]) {
            let file = workspace().join("runtime/node/tests/author/pricer").join(file);
            std::fs::copy(file, desk.path("pricer").join(place)).unwrap();
        }
        let tested = desk.done("pricer", &["test"]);
        assert!(tested.contains("4 cases passed"), "{tested}");
        for (block, why) in [("granite", "granite is too hard"), ("marble", "refused: marble is kept for others")] {
            let case = format!("[[case]]\nname = \"it names none\"\ncall = \"carve\"\narguments = [\"{block}\"]\n");
            std::fs::write(desk.path("pricer/tests/cases.toml"), case).unwrap();
            desk.failed("pricer", &["test", "--no-build"], &["no price was named", why]);
        }
    }
}

#[test]
fn mistakes_are_explained() {
    let desk = Desk::new();
    desk.failed("", &["new", "Word Count"], &["cannot be the name of an agent", "acme/word-count"]);
    desk.failed("", &["new", "a/b", "--lang", "cobol"], &["`cobol` is no language", "`rust`, `python` or `js`"]);
    desk.failed("", &["new", "a/b", "--template", "all"], &["`all` is no template", "`service`"]);
    desk.failed("", &["build"], &["HA0019", "has no agent.toml", "hansa new"]);
    desk.done("", &["new", "a/twice"]);
    desk.failed("", &["new", "a/twice"], &["HA0020", "nothing in it was changed"]);
    desk.failed("twice", &["dev"], &["HA0017", "hansa up"]);
    without_tools(&desk, "twice", "cargo", "https://rustup.rs");
    desk.done("", &["new", "a/snake", "--lang", "python"]);
    without_tools(&desk, "snake", "componentize-py", "pip install componentize-py");
    desk.done("", &["new", "a/coffee", "--lang", "js"]);
    without_tools(&desk, "coffee", "componentize-qjs", "npm install");
}

/// On a machine without any tools the build says which is missing and how to get it.
fn without_tools(desk: &Desk, within: &str, tool: &str, remedy: &str) {
    let output = desk.command(within, &["build"]).env("PATH", Path::new("")).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    for word in ["HA0021", tool, remedy] {
        assert!(text(&output).contains(word), "{word}: {}", text(&output));
    }
}
