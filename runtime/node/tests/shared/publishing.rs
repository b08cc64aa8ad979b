//! People who type, with homes of their own; packages that they publish; what they read.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use hansa_bus::{Bus, BusOptions};
use hansa_catalogue::package::fixture;
use hansa_node::Node;
use hansa_node::agent::Wanted;
use hansa_node::catalogue::CatalogueLink;

use super::Town;

pub const TRANSLATOR: &str = "acme:translate/translator@1.0.0";
pub const TRANSLATE: &str = "translate: async func(text: string) -> result<string, fault>;";

/// A folder with a package that sells `service` with these WIT lines.
pub fn project(folder: &Path, package: &str, service: &str, lines: &str) -> PathBuf {
    let component = fixture::seller(service, lines);
    let contract = hansa_catalogue::package::describe(&component).unwrap().contract;
    let functions = &contract.export(service).unwrap().functions;
    let prices: String = functions.iter().map(|function| format!("price.{} = \"0.001\"\n", function.name)).collect();
    let sale = format!("[sells.\"{service}\"]\n{prices}labels = {{ region = [\"eu\"] }}\n");
    let project = folder.join(package.replace(['/', '@', '.'], "-"));
    std::fs::create_dir_all(&project).unwrap();
    std::fs::write(project.join("agent.toml"), fixture::manifest(package, &sale)).unwrap();
    std::fs::write(project.join("component.wasm"), component).unwrap();
    std::fs::write(project.join("README.md"), format!("# {package}\nTranslates whales and ships.\n")).unwrap();
    std::fs::write(project.join("LICENSE"), "Apache License 2.0\n").unwrap();
    project
}

/// What somebody types, with a home of their own.
pub struct Person {
    pub home: PathBuf,
    pub url: String,
}

impl Person {
    pub fn new(town: &Town, name: &str) -> Person {
        Person { home: town.folder.path().join(name), url: town.server.url() }
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hansa"));
        command.arg("--home").arg(&self.home).arg("--nats").arg(&self.url).args(args).stdin(Stdio::null());
        command
    }

    pub async fn types(&self, args: &[&str]) -> Output {
        let mut command = self.command(args);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    pub async fn succeeds(&self, args: &[&str]) -> String {
        let output = self.types(args).await;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{args:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    /// The error that it prints.
    pub async fn fails(&self, args: &[&str]) -> String {
        let output = self.types(args).await;
        assert!(!output.status.success(), "{args:?} succeeded: {}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stderr).unwrap()
    }
}

pub fn said(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
}

pub async fn link(url: &str) -> CatalogueLink {
    CatalogueLink::new(&Bus::connect(BusOptions::at(url)).await.unwrap()).unwrap()
}

/// A node has read what the others have once it answers alike; the bus chooses who answers.
pub async fn until_known(node: &Node, wish: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while let Err(error) = node.deploy_published(wish, Wanted::default()).await {
        assert!(Instant::now() < deadline, "{error}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
