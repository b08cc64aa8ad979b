//! Typed at the terminal beside a node of `hansa up`: where `.hansa` is looked for, what faults and misspelt names say, short names of receipts.
#![expect(clippy::unwrap_used, reason = "a test")]

mod shared;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use shared::{GREETER, component, greeter, tools};

/// A folder with a `.hansa` whose node runs, and folders below it.
struct Machine {
    folder: tempfile::TempDir,
    node: Child,
}

impl Machine {
    /// With a greeter in `greeter`, whose every call costs 0.001, and a deep folder.
    fn new() -> Machine {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().join("agents/greeter");
        std::fs::create_dir_all(project.join("src")).unwrap();
        std::fs::write(project.join("agent.toml"), greeter("fixture/greeter", "0.001")).unwrap();
        std::fs::write(project.join("component.wasm"), component("fixture-greeter")).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let node = command(folder.path(), &["up", "--port", "0"]).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let machine = Machine { folder, node };
        let deadline = Instant::now() + Duration::from_secs(30);
        while !machine.types("", &["status"]).status.success() {
            assert!(Instant::now() < deadline, "the node does not start: {}", machine.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        machine
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    fn types(&self, within: &str, args: &[&str]) -> Output {
        command(&self.path(within), args).output().unwrap()
    }

    fn succeeds(&self, within: &str, args: &[&str]) -> String {
        let output = self.types(within, args);
        assert!(output.status.success(), "{args:?} in `{within}`: {}{}", out(&output), err(&output));
        out(&output)
    }

    /// What it prints to standard error.
    fn fails(&self, within: &str, args: &[&str]) -> String {
        let output = self.types(within, args);
        assert_eq!(output.status.code(), Some(1), "{args:?} in `{within}`: {}{}", out(&output), err(&output));
        assert_eq!(out(&output), "", "results alone go to standard output");
        err(&output)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        drop(self.node.kill());
        drop(self.node.wait());
    }
}

fn command(within: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hansa"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(tools().join("bin")).chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(paths).unwrap());
    for name in ["HANSA_HOME", "HANSA_NATS", "HANSA_LOG", "CARGO_TARGET_DIR"] {
        command.env_remove(name);
    }
    command.current_dir(within).args(args).stdin(Stdio::null());
    command
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn said(text: &str, parts: &[&str]) {
    parts.iter().for_each(|part| assert!(text.contains(part), "`{part}` is missing in:\n{text}"));
}

#[test]
fn a_new_users_first_mistakes() {
    let mut machine = Machine::new();
    let deep = "agents/greeter/src";
    said(&machine.fails(deep, &["agent", "logs", "greeter"]), &["no agent `greeter` runs here, and no other", "agent deploy"]);
    machine.succeeds(deep, &["agent", "deploy", ".."]);
    machine.succeeds("agents", &["account", "fund", "1"]);
    let listed = machine.types("", &["receipt", "list"]);
    assert!(listed.status.success() && out(&listed).is_empty());
    said(&err(&listed), &["no receipts yet", "hansa service search"]);
    said(&machine.fails("", &["receipt", "tree", "last"]), &["no receipts yet"]);

    faults_are_errors(&machine, deep);
    names_that_nobody_has(&machine, deep);
    receipts_by_short_names(&machine);
    schemas_of_functions(&machine);
    let below: Vec<String> = ["agents", "agents/greeter", deep].map(|folder| format!("{folder}/.hansa")).into();
    assert!(below.iter().all(|folder| !machine.path(folder).exists()), "everything went to the one `.hansa`");
    assert!(machine.succeeds(deep, &["account", "close"]).starts_with("closed 1 channel; "));

    // Whoever leaves a conversation with the node open does not hold it.
    let _open = std::os::unix::net::UnixStream::connect(machine.path(".hansa/node/node.sock")).unwrap();
    machine.succeeds(deep, &["down"]);
    assert!(machine.node.wait().unwrap().success());
    assert!(!machine.log().contains("without withdrawing offers"), "{}", machine.log());
    assert!(!machine.log().contains("connection to the bus lost"), "{}", machine.log());
    said(&machine.fails(deep, &["status"]), &["HA0017", "../../../.hansa/node"]);
}

fn faults_are_errors(machine: &Machine, within: &str) {
    let refuse = ["service", "call", "fixture:parts/greeter", "refuse", r#"["not today"]"#];
    let said_so = machine.fails(within, &refuse);
    said(&said_so, &["error: invalid input: not today", "charged 0.000000 CRED"]);
    let output = machine.types(within, &[&["--json"], &refuse[..]].concat());
    assert_eq!(output.status.code(), Some(1));
    let told: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!((told["error"].as_str(), told["charged"].as_str()), (Some("invalid input: not today"), Some("0.000000")));
    assert_eq!(told["answer"]["err"]["invalid-input"], "not today");
    assert!(told["receipt"].is_string() && told["code"].is_null(), "{told}");
    let good = machine.succeeds(within, &["service", "call", GREETER, "echo-bytes", r#"["AQID"]"#]);
    assert_eq!(serde_json::from_str::<Value>(&good).unwrap()["ok"], "AQID");
}

fn names_that_nobody_has(machine: &Machine, within: &str) {
    let fails = |args: &[&str]| machine.fails(within, args);
    said(&fails(&["service", "call", "fixture:parts/greter", "nothing"]), &["HA0009", "did you mean `fixture:parts/greeter`?"]);
    said(&fails(&["service", "show", "fixture:parts/greeter@9.0.0"]), &["HA0009", "on offer is `fixture:parts/greeter@0.1.0`"]);
    said(&fails(&["service", "call", "x:y/z", "nothing"]), &["HA0009", "hansa service search"]);
    said(&fails(&["service", "call", GREETER, "nothin"]), &["has no function `nothin`", "did you mean `nothing`?"]);
    said(&fails(&["service", "quote", GREETER, "xyz"]), &["has no function `xyz`", "greet-plain"]);
    said(&fails(&["agent", "logs", "greter"]), &["no agent `greter`", "did you mean `greeter`?"]);
    said(&fails(&["agent", "stop", "xyz"]), &["no agent `xyz`", "running: greeter"]);
}

fn receipts_by_short_names(machine: &Machine) {
    let list = machine.succeeds("", &["receipt", "list"]);
    let newest = list.lines().nth(1).unwrap().split(' ').next().unwrap().to_owned();
    let shown = machine.succeeds("", &["receipt", "show", "last"]);
    assert!(shown.starts_with(&format!("receipt    {newest}")), "{shown}");
    let digest = shown.split_whitespace().nth(1).unwrap();
    for name in [&digest[..6], &digest[..6].to_uppercase(), &format!("{newest}…"), digest] {
        assert_eq!(machine.succeeds("", &["receipt", "show", name]), shown, "{name}");
        said(&machine.succeeds("", &["receipt", "tree", name]), &[&newest]);
    }
    said(&machine.fails("", &["receipt", "show", &digest[..5]]), &["names no receipt", "at least 6 digits"]);
    said(&machine.fails("", &["receipt", "show", "first"]), &["names no receipt", "`last`"]);
}

fn schemas_of_functions(machine: &Machine) {
    let plain = machine.succeeds("", &["service", "show", GREETER]);
    assert!(plain.contains("echo-bytes: async func") && !plain.contains("JSON Schema"), "{plain}");
    let text = machine.succeeds("", &["service", "show", GREETER, "--schema"]);
    said(&text, &[&plain, "echo-bytes, JSON Schema of the arguments", r#""contentEncoding": "base64""#]);
    let told: Value = serde_json::from_str(&machine.succeeds("", &["service", "show", GREETER, "--json"])).unwrap();
    let functions = told["functions"].as_array().unwrap();
    let bytes = functions.iter().find(|function| function["name"] == "echo-bytes").unwrap();
    assert_eq!(bytes["result"]["properties"]["ok"]["contentEncoding"], "base64");
    assert!(functions.iter().all(|function| function["arguments"]["$schema"].is_string()), "{told}");
}
