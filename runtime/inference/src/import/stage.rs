//! A package being put together: files copied and hashed, a manifest that grows.

use std::fs::File;
use std::path::Path;

use super::config::{self, Config};
use super::{ImportOptions, cannot, decoder, encoder, genai, license};
use crate::backend::Session;
use crate::info::Task;
use crate::package::{GoldenText, Graph, LabelsText, ListedFile, MANIFEST_FILE, ManifestText, PortText};
use crate::package::{external_files, read_files};

/// Whose layout a folder has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    HuggingFace,
    Genai,
}

/// Files beside graph and tokenizer that come along where they are there: what the model's maker wants to be read with it.
const COMPANIONS: [&str; 4] = ["LICENSE", "LICENSE.txt", "LICENSE.md", "NOTICE"];

/// A package whose files are in place and whose manifest is not finished.
pub(super) struct Staged<'a> {
    pub(super) notes: Vec<String>,
    pub(super) config: Config,
    pub(super) folder: &'a Path,
    target: &'a Path,
    options: &'a ImportOptions,
    layout: Layout,
    pub(super) manifest: ManifestText,
}

impl<'a> Staged<'a> {
    /// Settles what does not need the graph: name, licence, resale, source.
    pub(super) fn new(folder: &'a Path, target: &'a Path, options: &'a ImportOptions, layout: Layout) -> Result<Self, String> {
        let config = Config::read(folder)?;
        let said = options.license.clone().or_else(|| license::said(folder, &config.model));
        let said = said.ok_or(
            "nothing says which licence the model has; look it up where it comes from and give it with `--license SPDX`",
        )?;
        let license = license::expression(&said).map_err(|error| format!("{error}; give the right one with `--license SPDX`"))?;
        let resale = options.resale.unwrap_or_else(|| license::permits_resale(&license));
        let origin = config::text(&config.model["_name_or_path"])
            .filter(|name| name.split('/').count() == 2 && !name.starts_with(['/', '.']));
        let named = folder.file_name().or(options.from.file_stem()).map(|name| name.to_string_lossy().into_owned());
        let base = options.from.file_stem().filter(|_| options.from.is_file()).map(|name| name.to_string_lossy().into_owned());
        let called = origin.as_ref().and_then(|origin| origin.split('/').next_back()).map(str::to_owned).or(base).or(named);
        let name = options.name.clone().unwrap_or_else(|| plain_name(&called.unwrap_or_default()));
        let source = options.source.clone().or_else(|| origin.map(|origin| format!("https://huggingface.co/{origin}")));
        let source = source.unwrap_or_else(|| format!("an ONNX export named {name}"));
        let notes = vec![
            format!("licence {license}, {}", if options.license.is_some() { "as given" } else { "as the export says" }),
            format!("{} be sold to others", if resale { "may" } else { "may not" }),
        ];
        let graph = graph_path(folder, options, &config)?;
        let manifest = ManifestText::new(name, license, resale, source, graph);
        Ok(Self { notes, config, folder, target, options, layout, manifest })
    }

    /// Copies the graph and what it needs, and gives its bytes.
    pub(super) fn graph(&mut self) -> Result<Graph, String> {
        let path = self.manifest.graph.clone();
        self.take(&path)?;
        let external = external_files(self.target, &path).map_err(|error| error.to_string())?;
        for file in &external {
            self.take(file)?;
        }
        if !external.is_empty() {
            self.notes.push(format!("weights in {} more files", external.len()));
        }
        for name in COMPANIONS {
            if self.folder.join(name).is_file() {
                self.take(name)?;
            }
        }
        self.manifest.version = self.manifest.file[0].sha256[..12].to_owned();
        read_files(self.target, &path, &self.manifest.file).map_err(|error| error.to_string())
    }

    /// Copies a file of the export and lists it.
    pub(super) fn take(&mut self, path: &str) -> Result<(), String> {
        if self.manifest.file.iter().any(|file| file.path == path) {
            return Ok(());
        }
        copy(self.folder, self.target, path)?;
        self.list(path)
    }

    /// Writes a file that the export holds inside another one, and lists it.
    pub(super) fn put(&mut self, path: &str, content: &str) -> Result<(), String> {
        let target = self.target.join(path);
        std::fs::write(&target, content).map_err(|cause| cannot("write", &target, &cause))?;
        self.list(path)
    }

    fn list(&mut self, path: &str) -> Result<(), String> {
        let listed = ListedFile::of(self.target, path).map_err(|cause| cannot("read", &self.target.join(path), &cause))?;
        self.manifest.file.push(listed);
        Ok(())
    }

    /// Reads the ports and decides what the model does.
    pub(super) fn describe(&mut self, session: &dyn Session) -> Result<(), String> {
        self.manifest.input = session.inputs().iter().map(PortText::of).collect();
        self.manifest.output = session.outputs().iter().map(PortText::of).collect();
        let task = match self.options.task {
            Some(task) => task,
            None if self.layout == Layout::Genai => Task::Generate,
            None => encoder::task_of(&self.config, session.inputs(), session.outputs(), self.folder)?,
        };
        self.manifest.task = task;
        self.notes.push(format!(
            "task {}, {}",
            task.name(),
            if self.options.task.is_some() { "as given" } else { "by its architecture" }
        ));
        match task {
            Task::Raw => Ok(()),
            Task::Generate if self.layout == Layout::Genai => genai::describe(self, session),
            Task::Generate => decoder::describe(self, session),
            Task::Embed | Task::Classify | Task::Rerank => encoder::describe(self, session),
        }
    }

    pub(super) fn set_labels(&mut self, names: Vec<String>) {
        self.manifest.labels = Some(LabelsText { names });
    }

    /// Writes the manifest as it now stands, with these golden vectors.
    pub(super) fn write(&mut self, golden: &[GoldenText]) -> Result<(), String> {
        self.manifest.golden = golden.to_vec();
        let text = toml::to_string(&self.manifest).map_err(|cause| format!("the manifest cannot be written: {cause}"))?;
        let path = self.target.join(MANIFEST_FILE);
        let text = format!("# Written by `hansa model add`; docs/models.md explains every line.\n{text}");
        std::fs::write(&path, text).map_err(|cause| cannot("write", &path, &cause))
    }
}

/// Which ONNX file: the one that was named, that of the configuration, or `model.onnx`.
fn graph_path(folder: &Path, options: &ImportOptions, config: &Config) -> Result<String, String> {
    if let Some(graph) = &options.graph {
        return Ok(graph.clone());
    }
    let genai = config::text(&config.genai["model"]["decoder"]["filename"]);
    let candidates = genai.into_iter().chain(["model.onnx", "onnx/model.onnx"].map(str::to_owned));
    let found = candidates.into_iter().find(|path| folder.join(path).is_file());
    found.ok_or_else(|| {
        format!("`{}` holds neither model.onnx nor onnx/model.onnx; name the ONNX file with `--graph`", folder.display())
    })
}

/// Copies one file. It must lie inside the folder, or where Hugging Face's cache keeps what a snapshot links to.
pub(super) fn copy(folder: &Path, target: &Path, path: &str) -> Result<(), String> {
    let from = folder.join(path);
    let real = |path: &Path| path.canonicalize().map_err(|cause| cannot("read", path, &cause));
    if ListedFile::leaves(path) {
        return Err(format!("`{path}` lies outside the folder; put it inside"));
    }
    let (root, file) = (real(folder)?, real(&from)?);
    let snapshots = root.parent().filter(|parent| parent.file_name().is_some_and(|name| name == "snapshots"));
    let blobs = snapshots.and_then(Path::parent).map(|cache| cache.join("blobs"));
    if !file.starts_with(&root) && !blobs.is_some_and(|blobs| file.starts_with(blobs)) {
        return Err(format!("`{}` is a link to outside the folder; put the file itself there", from.display()));
    }
    let to = target.join(path);
    if let Some(parent) = to.parent() {
        std::fs::create_dir_all(parent).map_err(|cause| cannot("make the folder", parent, &cause))?;
    }
    let mut source = File::open(&file).map_err(|cause| cannot("read", &file, &cause))?;
    let mut copy = File::create_new(&to).map_err(|cause| cannot("write", &to, &cause))?;
    std::io::copy(&mut source, &mut copy).map_err(|cause| cannot("copy", &from, &cause))?;
    copy.sync_all().map_err(|cause| cannot("write", &to, &cause))
}

/// A name of the letters that a manifest allows.
fn plain_name(called: &str) -> String {
    let right = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    let name: String = called.to_lowercase().chars().map(|c| if right(c) { c } else { '-' }).collect();
    name.trim_matches(['-', '.']).chars().take(crate::limits::NAME_CHARS_MAX).collect()
}
