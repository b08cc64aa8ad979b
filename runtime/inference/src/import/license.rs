//! Licences: which one a model has, and whether that one plainly lets it be sold.

use std::path::Path;

use serde_json::Value;
use spdx::{Expression, LicenseReq};

/// Licences that permit commercial use and resale to anyone, on no other condition than naming whose work it is.
const PERMISSIVE: [&str; 18] = [
    "0BSD",
    "AFL-3.0",
    "Apache-2.0",
    "Artistic-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC-BY-3.0",
    "CC-BY-4.0",
    "CC0-1.0",
    "CDLA-Permissive-1.0",
    "CDLA-Permissive-2.0",
    "ECL-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unlicense",
    "Zlib",
];

/// The expression in SPDX's own spelling. `apache-2.0`, as Hugging Face writes it, is understood.
pub(super) fn expression(text: &str) -> Result<String, String> {
    let spelled = spell(text);
    match Expression::parse(&spelled) {
        Ok(_) => Ok(spelled),
        Err(_) => Err(format!("the licence `{text}` is no SPDX expression (https://spdx.org/licenses)")),
    }
}

/// Each word that names a licence in another case, in SPDX's.
fn spell(text: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_matches(['(', ')']);
        let known = spdx::identifiers::LICENSES.iter().find(|license| license.name.eq_ignore_ascii_case(bare));
        known.map_or_else(|| word.to_owned(), |license| word.replace(bare, license.name))
    };
    text.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

/// Whether an expression leaves a choice that is permissive.
pub(super) fn permits_resale(expression: &str) -> bool {
    let permissive = |request: &LicenseReq| request.license.id().is_some_and(|id| PERMISSIVE.contains(&id.name));
    Expression::parse(expression).is_ok_and(|expression| expression.evaluate(permissive))
}

/// What the export says: `license` of its configuration, or of the header of its README.
pub(super) fn said(folder: &Path, config: &Value) -> Option<String> {
    super::config::text(&config["license"]).or_else(|| header(folder, "license"))
}

/// A plain value of the YAML header of a Hugging Face model card.
fn header(folder: &Path, key: &str) -> Option<String> {
    let readme = std::fs::read_to_string(folder.join("README.md")).ok()?;
    let header = readme.strip_prefix("---\n")?.split("\n---").next()?;
    let line = header.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    Some(line.trim().trim_matches(['"', '\'']).to_owned()).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_are_spelled_and_judged() {
        for (text, spelled, resale) in [
            ("apache-2.0", "Apache-2.0", true),
            ("mit or (gpl-3.0-only)", "MIT or (GPL-3.0-only)", true),
            ("MIT OR GPL-3.0-only", "MIT OR GPL-3.0-only", true),
            ("mit AND cc-by-nc-4.0", "MIT AND CC-BY-NC-4.0", false),
            ("cc-by-nc-4.0", "CC-BY-NC-4.0", false),
            ("LicenseRef-llama3", "LicenseRef-llama3", false),
        ] {
            let found = expression(text);
            assert_eq!((found.as_deref(), permits_resale(spelled)), (Ok(spelled), resale), "{text}");
        }
        for unknown in ["other", "llama3", ""] {
            assert!(expression(unknown).unwrap_err().contains("SPDX"), "{unknown}");
        }
    }

    #[test]
    fn the_header_of_a_model_card_is_read() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("README.md"), "---\nlanguage: en\nlicense: \"mit\"\n---\nlicense: gpl\n").unwrap();
        assert_eq!(said(folder.path(), &Value::Null).as_deref(), Some("mit"));
        assert_eq!(said(folder.path(), &serde_json::json!({ "license": "apache-2.0" })).as_deref(), Some("apache-2.0"));
        std::fs::write(folder.path().join("README.md"), "license: mit\n").unwrap();
        assert_eq!(said(folder.path(), &Value::Null), None);
    }
}
