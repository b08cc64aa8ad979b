//! Looking for a tool and its version before it is needed.

use std::process::Command;

use super::BuildError;
use crate::language::Language;

/// A tool that a language's build needs.
pub(super) struct Tool<'a> {
    /// The language, for errors.
    pub(super) language: Language,
    /// What is run.
    pub(super) program: &'a str,
    /// The oldest version that will do.
    pub(super) needed: [u32; 3],
    /// What to do where it is missing or too old.
    pub(super) remedy: &'a str,
}

impl Tool<'_> {
    /// Is it there, and new enough? It is asked with `--version`.
    pub(super) fn check(&self) -> Result<(), BuildError> {
        let missing =
            || BuildError::Missing { language: self.language, tool: self.program.to_owned(), remedy: self.remedy.to_owned() };
        let output = Command::new(self.program).arg("--version").output().map_err(|_| missing())?;
        let text = String::from_utf8_lossy(&output.stdout);
        let found = version(&text).filter(|_| output.status.success()).ok_or_else(missing)?;
        match found >= self.needed {
            true => Ok(()),
            false => Err(BuildError::TooOld {
                language: self.language,
                tool: self.program.to_owned(),
                found: dotted(found),
                needed: dotted(self.needed),
                remedy: self.remedy.to_owned(),
            }),
        }
    }
}

/// The first version in what a tool says of itself, for example `rustc 1.95.0 (…)`.
fn version(text: &str) -> Option<[u32; 3]> {
    text.split_whitespace().find_map(|word| {
        let word = word.trim_start_matches('v');
        let mut numbers = word.split(['.', '-', '+']).map(|part| part.parse().ok());
        Some([numbers.next()??, numbers.next()??, numbers.next().flatten().unwrap_or(0)])
    })
}

fn dotted([major, minor, patch]: [u32; 3]) -> String {
    format!("{major}.{minor}.{patch}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_tools_say() {
        assert_eq!(version("rustc 1.95.0 (59807616e 2026-04-14)"), Some([1, 95, 0]));
        assert_eq!(version("componentize-py 0.25.1"), Some([0, 25, 1]));
        assert_eq!(version("v22.14.0"), Some([22, 14, 0]));
        assert_eq!(version("1.35"), Some([1, 35, 0]));
        assert_eq!(version("no number here"), None);
    }

    #[test]
    fn a_missing_tool_and_an_old_one_are_explained() {
        let tool = |program, needed| Tool { language: Language::Rust, program, needed, remedy: "install it" };
        let missing = tool("hansa-no-such-tool", [1, 0, 0]).check().unwrap_err().to_string();
        assert!(missing.contains("which is not there: install it"), "{missing}");
        let old = tool("cargo", [999, 0, 0]).check().unwrap_err().to_string();
        assert!(old.contains("needs 999.0.0 or newer: install it"), "{old}");
        tool("cargo", [1, 60, 0]).check().unwrap();
    }
}
