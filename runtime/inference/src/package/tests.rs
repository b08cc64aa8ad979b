//! Packages that must be refused, each told from the next by its message.

use std::path::Path;

use super::{Package, PackageError};

/// Of the four bytes `test`.
const HASH: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

const MANIFEST: &str = r#"
format = 1
name = "sample"
version = "1"
task = "raw"
license = "Apache-2.0"
source = "tests"
graph = "model.onnx"
file = [{ path = "model.onnx", sha256 = "@HASH@", size = 4 }]
input = [{ name = "x", type = "fp32", shape = ["n", 3] }]
output = [{ name = "y", type = "fp32", shape = ["n"] }]
golden = [{ input = [{ name = "x", shape = [1, 3], values = [1, 2, 3] }], output = "y", expect = [6], tolerance = 1e-6 }]
"#;

fn folder(replace: &str, with: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    assert!(MANIFEST.contains(replace), "{replace}");
    let manifest = MANIFEST.replacen(replace, with, 1).replace("@HASH@", HASH);
    std::fs::write(folder.path().join("hansa-model.toml"), manifest).unwrap();
    std::fs::write(folder.path().join("model.onnx"), "test").unwrap();
    folder
}

fn refusal(replace: &str, with: &str) -> String {
    Package::open(folder(replace, with).path()).unwrap_err().to_string()
}

#[test]
fn a_right_manifest_is_read_and_its_hash_is_the_models_identity() {
    let (first, second) = (folder("\"1\"", "\"1\""), folder("\"1\"", "\"2\""));
    let open = |folder: &Path| Package::open(folder).unwrap().manifest;
    assert_eq!(open(first.path()).name, "sample");
    assert_ne!(open(first.path()).id, open(second.path()).id);
}

#[test]
fn a_wrong_manifest_is_refused_with_what_is_wrong() {
    for (replace, with, says) in [
        ("license =", "licence =", "unknown key `licence`; did you mean `license`?"),
        ("license = \"Apache-2.0\"", "", "`license` is missing; add it, an SPDX expression such as `license = \"Apache-2.0\"`"),
        ("graph = \"model.onnx\"", "", "`graph` is missing; add it"),
        ("task = \"raw\"", "task = raw", "line "),
        ("tolerance =", "tolerence =", "unknown key `tolerence`; did you mean `tolerance`?"),
        ("format = 1", "format = 2", "format is `2`"),
        ("\"sample\"", "\"Sam ple\"", "name `Sam ple`"),
        ("\"Apache-2.0\"", "\"\"", "`license` is empty"),
        ("@HASH@", "abc", "sha256 `abc`"),
        ("graph = \"model.onnx\"", "graph = \"other.onnx\"", "`other.onnx` is not listed"),
        ("\"fp32\"", "\"fp31\"", "fp31"),
        ("task = \"raw\"", "task = \"embed\"", "needs [text]"),
        ("task = \"raw\"", "task = \"rerank\"", "needs [text]"),
        ("task = \"raw\"", "task = \"generate\"", "needs [generate]"),
        ("task = \"raw\"", "task = \"dream\"", "dream"),
        ("[\"n\", 3]", "[\"n\", 0]", "none of size 0"),
        ("expect = [6]", "expect = [nan]", "finite"),
        ("tolerance = 1e-6", "tolerance = 0.0", "`tolerance`"),
        ("output = \"y\"", "output = \"z\"", "golden output `z`"),
        ("values = [1, 2, 3]", "values = [1, 2]", "has 3 elements, not `2`"),
    ] {
        let message = refusal(replace, with);
        assert!(message.contains(says) && !message.contains('\n'), "{with}: {message}");
    }
}

#[test]
fn no_path_leaves_the_package() {
    for path in ["../model.onnx", "/etc/hostname", "a/../../model.onnx", "./model.onnx", ""] {
        let folder = folder("@HASH@", "@HASH@");
        let manifest = MANIFEST.replace("model.onnx", path).replace("@HASH@", HASH);
        std::fs::write(folder.path().join("hansa-model.toml"), manifest).unwrap();
        assert_eq!(Package::open(folder.path()).unwrap_err(), PackageError::Outside(path.to_owned()));
    }
}

#[cfg(unix)]
#[test]
fn no_symbolic_link_leaves_the_package() {
    let (inside, outside) = (folder("@HASH@", "@HASH@"), folder("@HASH@", "@HASH@"));
    std::fs::remove_file(inside.path().join("model.onnx")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("model.onnx"), inside.path().join("model.onnx")).unwrap();
    assert_eq!(Package::open(inside.path()).unwrap_err(), PackageError::Outside("model.onnx".to_owned()));
}

#[test]
fn altered_files_are_refused_before_anything_reads_them() {
    for (content, says) in [("tost", "sha256"), ("tes", "size `3`"), ("tests", "size `5`")] {
        let folder = folder("@HASH@", "@HASH@");
        let package = Package::open(folder.path()).unwrap();
        std::fs::write(folder.path().join("model.onnx"), content).unwrap();
        let message = package.graph().err().unwrap().to_string();
        assert!(message.contains(says), "{message}");
    }
}

#[test]
fn missing_files_are_named() {
    let folder = folder("@HASH@", "@HASH@");
    std::fs::remove_file(folder.path().join("model.onnx")).unwrap();
    assert!(Package::open(folder.path()).unwrap_err().to_string().contains("cannot read `model.onnx`"));
    assert!(Package::open(&folder.path().join("none")).unwrap_err().to_string().contains("hansa-model.toml"));
}

#[test]
fn the_committed_manifests_are_right() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    for name in ["minilm", "magika"] {
        let text = std::fs::read_to_string(models.join(name).join("hansa-model.toml")).unwrap();
        assert_eq!(super::Manifest::parse(&text, [0; 32]).unwrap().name, name);
    }
}
