//! Which files are read, and in which portions they are shelved.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use walkdir::{DirEntry, WalkDir};

/// Files and folders of the project that are read when none is named; chosen so that the demo takes a minute.
const OWN: [&str; 8] = [
    "README.md",
    "ARCHITECTURE.md",
    "docs",
    "wit",
    "samples/reading-room/documents",
    "marketplace/economy/src",
    "runtime/trade/src",
    "runtime/ledger/FORMAT.md",
];
/// Larger files are left out; so the librarian says too.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Files that are read in all.
const FILES_MAX: usize = 2000;
/// Files and bytes of one portion.
const PORTION_FILES: usize = 12;
const PORTION_BYTES: usize = 256 << 10;

/// A file with the name it is cited by.
pub(crate) struct Document {
    pub(crate) name: String,
    pub(crate) content: Vec<u8>,
}

/// The documents in `folders`, or the project's own.
pub(crate) fn collect(folders: &[PathBuf]) -> Result<Vec<Document>> {
    let roots: Vec<PathBuf> = match folders {
        [] => OWN.iter().map(PathBuf::from).filter(|path| path.exists()).collect(),
        given => given.to_vec(),
    };
    let mut documents = Vec::new();
    for root in &roots {
        if !root.exists() {
            bail!("`{}` does not exist; give an existing folder with --folder", root.display());
        }
        collect_below(root, &mut documents)?;
    }
    match documents.is_empty() {
        true => bail!(
            "no files to read in {}; give a folder with documents",
            roots.iter().map(|root| root.display().to_string()).collect::<Vec<_>>().join(", ")
        ),
        false => Ok(documents),
    }
}

fn collect_below(root: &Path, documents: &mut Vec<Document>) -> Result<()> {
    let visible = |entry: &DirEntry| {
        entry.depth() == 0
            || !entry.file_name().to_string_lossy().starts_with('.')
                && entry.file_name() != "target"
                && entry.file_name() != "node_modules"
    };
    for entry in WalkDir::new(root).sort_by_file_name().into_iter().filter_entry(visible) {
        let entry = entry?;
        let size = entry.metadata().map(|metadata| metadata.len()).unwrap_or(0);
        if !entry.file_type().is_file() || size == 0 || size > FILE_BYTES_MAX {
            continue;
        }
        if documents.len() == FILES_MAX {
            bail!("more than {FILES_MAX} files below {}; name a smaller folder", root.display());
        }
        let content = std::fs::read(entry.path()).with_context(|| format!("cannot read {}", entry.path().display()))?;
        documents.push(Document { name: entry.path().display().to_string().trim_start_matches("./").to_owned(), content });
    }
    Ok(())
}

/// Portions for one call each.
pub(crate) fn portions(documents: &[Document]) -> Vec<&[Document]> {
    let mut portions = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (at, document) in documents.iter().enumerate() {
        let full = at > start && (at - start == PORTION_FILES || bytes + document.content.len() > PORTION_BYTES);
        if full {
            portions.push(&documents[start..at]);
            (start, bytes) = (at, 0);
        }
        bytes += document.content.len();
    }
    portions.push(&documents[start..]);
    portions
}
