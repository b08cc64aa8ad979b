//! Looking for a tool and its version before it is needed.

use std::ops::Range;
use std::path::Path;
use std::process::Command;

use super::BuildError;
use crate::language::Language;

/// A tool that a language's build needs.
pub(super) struct Tool<'a> {
    /// The language, for errors.
    pub(super) language: Language,
    /// What is run.
    pub(super) program: &'a Path,
    /// The versions that will do.
    pub(super) needed: Range<[u32; 3]>,
    /// What to do where it is missing or too old.
    pub(super) remedy: &'a str,
}

impl Tool<'_> {
    /// Is it there, and of a version that will do? It is asked with `--version`.
    pub(super) fn check(&self) -> Result<(), BuildError> {
        let tool = self.program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (language, remedy) = (self.language, self.remedy.to_owned());
        let missing = || BuildError::Missing { language, tool: tool.clone(), remedy: remedy.clone() };
        let output = Command::new(self.program).arg("--version").output().map_err(|_| missing())?;
        let text = String::from_utf8_lossy(&output.stdout);
        let found = version(&text).filter(|_| output.status.success()).ok_or_else(missing)?;
        match self.needed.contains(&found) {
            true => Ok(()),
            false => Err(BuildError::WrongVersion { language, tool, found: dotted(found), needed: self.words(), remedy }),
        }
    }

    fn words(&self) -> String {
        let from = dotted(self.needed.start);
        match self.needed.end {
            ANY => format!("{from} or newer"),
            end => format!("{from} or newer, but older than {}", dotted(end)),
        }
    }
}

/// Above every version.
pub(super) const ANY: [u32; 3] = [u32::MAX; 3];

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
        let tool = |program: &'static str, needed| {
            Tool { language: Language::Rust, program: Path::new(program), needed, remedy: "install it" }.check()
        };
        let missing = tool("hansa-no-such-tool", [1, 0, 0]..ANY).unwrap_err().to_string();
        assert!(missing.contains("which is not there: install it"), "{missing}");
        let old = tool("cargo", [999, 0, 0]..ANY).unwrap_err().to_string();
        assert!(old.contains("needs 999.0.0 or newer: install it"), "{old}");
        let new = tool("cargo", [1, 0, 0]..[1, 1, 0]).unwrap_err().to_string();
        assert!(new.contains("but older than 1.1.0"), "{new}");
        tool("cargo", [1, 60, 0]..ANY).unwrap();
    }
}
