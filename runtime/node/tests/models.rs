//! `hansa model …` and `hansa node doctor` at the terminal, with and without a node running.
#![expect(clippy::unwrap_used, reason = "tests")]

mod shared;

use std::path::Path;
use std::process::{Command, Output};

use hansa_node::admin::{Ask, Reply};
use serde_json::Value;
use shared::process::Process;
use tempfile::TempDir;

/// A folder with a `node.toml`, in which the program runs.
struct Place(TempDir);

impl Place {
    fn new(inference: &str) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let library = shared::tools().join("lib/libonnxruntime.so");
        let text = format!("name = \"north\"\n[inference]\nmodels = \"models\"\nlibrary = {library:?}\n{inference}");
        std::fs::write(place.path().join("node.toml"), text).unwrap();
        place
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hansa"));
        command
            .args(arguments)
            .args(["--config", "node.toml"])
            .current_dir(self.path())
            .env_remove("HANSA_HOME")
            .output()
            .unwrap()
    }

    /// What the program says when it does its work, as JSON.
    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What the program says when it does its work.
    fn text(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Why the program does not do its work.
    fn failure(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

#[test]
fn a_model_is_added_shown_verified_and_removed_without_a_node() {
    let place = Place::new("");
    assert!(place.text(&["model", "list"]).contains("no models; add one"));
    let magika = shared::tools().join("models/magika");
    let magika = magika.to_str().unwrap();
    assert_eq!(place.json(&["model", "add", magika])["model"], "magika");
    assert!(place.failure(&["model", "add", magika]).contains("is there already"));
    assert!(place.text(&["model", "list"]).contains("magika"));
    let shown = place.json(&["model", "show", "magika"]);
    assert_eq!(
        (&shown["task"], &shown["labels"], &shown["inputs"][0]["name"]),
        (&"classify".into(), &214.into(), &"bytes".into())
    );
    let verified = place.json(&["model", "verify", "magika"]);
    assert_eq!((&verified["provider"], &verified["share"]), (&"CPUExecutionProvider".into(), &1.0.into()));

    std::fs::write(place.path().join("models/magika/model.onnx"), "altered").unwrap();
    assert!(place.failure(&["model", "verify", "magika"]).contains("has size"));
    assert_eq!(place.json(&["model", "remove", "magika"])["model"], "magika");
    assert_eq!(std::fs::read_dir(place.path().join("models")).unwrap().count(), 0);
    assert!(place.failure(&["model", "show", "magika"]).contains("there is no model `magika`"));
    assert!(place.failure(&["model", "add", "nowhere"]).contains("is no folder and no .tar"));
}

#[tokio::test]
async fn a_running_node_lends_what_is_added_and_no_more_what_is_removed() {
    let (town, tools) = (shared::town().await, shared::tools());
    let library = tools.join("lib/libonnxruntime.so");
    let inference = format!("[inference]\nlibrary = {library:?}\nmodels = \"models\"\n");
    let mut node = Process::with("south", town.folder.path(), &town.server.url(), false, &inference);
    node.start().await;
    let hansa = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hansa"));
        let folder = node.data().parent().unwrap().to_owned();
        let output = command.args(arguments).args(["--config", "node.toml"]).current_dir(folder).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap())
    };
    let lent = || async {
        let Reply::Status(status) = node.ask(Ask::Status).await else { panic!("no status") };
        status.models
    };
    assert!(lent().await.is_empty());
    let (added, said) = hansa(&["model", "add", tools.join("models/magika").to_str().unwrap()]);
    assert!(added && said.contains("the running node lends it from now on"), "{said}");
    assert_eq!(lent().await, ["magika: listed; its first request loads it"]);
    let Reply::Metrics { text } = node.ask(Ask::Metrics).await else { panic!("no metrics") };
    let ends = text.lines().filter(|line| line.starts_with("hansa_inference_batch_rows_bucket{le=\"+Inf\""));
    assert_eq!(ends.count(), 1, "{text}");

    // By hand: what is gone and comes again is lent again, and what is broken is named.
    let models = node.data().parent().unwrap().join("models");
    std::fs::remove_dir_all(models.join("magika")).unwrap();
    std::fs::create_dir(models.join("broken")).unwrap();
    std::fs::write(models.join("broken/hansa-model.toml"), "format = 1\n").unwrap();
    let (added, said) = hansa(&["model", "add", tools.join("models/magika").to_str().unwrap()]);
    assert!(added && said.contains("the running node lends it from now on"), "{said}");
    let Reply::Status(status) = node.ask(Ask::Status).await else { panic!("no status") };
    assert!(status.refused.len() == 1 && status.refused[0].contains("broken: "), "{:?}", status.refused);

    let (removed, said) = hansa(&["model", "remove", "magika"]);
    assert!(!removed && said.contains("agents may be using it"), "{said}");
    let (removed, said) = hansa(&["model", "remove", "magika", "--force"]);
    assert!(removed, "{said}");
    assert!(lent().await.is_empty());
    node.shut_down().await;
}

#[test]
fn a_provider_that_is_not_there_is_told_by_verify_and_by_the_doctor() {
    let place = Place::new("providers = [\"cuda\", \"cpu\"]\n");
    let magika = shared::tools().join("models/magika");
    place.json(&["model", "add", magika.to_str().unwrap()]);
    let verified = place.text(&["model", "verify", "magika"]);
    assert!(verified.contains("cuda was passed over") && verified.contains("right on CPUExecutionProvider"), "{verified}");
    let found = place.json(&["node", "doctor"]);
    let providers = found["providers"].as_array().unwrap();
    assert_eq!(
        (&providers[0]["provider"], &providers[0]["asked"], &providers[0]["usable"]),
        (&"cuda".into(), &true.into(), &false.into())
    );
    assert_eq!((&providers[1]["provider"], &providers[1]["usable"]), (&"cpu".into(), &true.into()));
    assert_eq!(found["models"][0]["model"], "magika");
    let text = place.text(&["node", "doctor"]);
    assert!(text.contains("NOT USABLE, although node.toml asks for it") && text.contains("next: "), "{text}");
}

#[test]
fn a_node_without_its_configuration_says_what_is_missing() {
    let output = Command::new(env!("CARGO_BIN_EXE_hansa")).arg("node").output().unwrap();
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("--config <FILE>"), "{output:?}");
}
