//! Names and versions: of packages (`acme/translator@1.2.0`), wishes for them, and of interfaces
//! (`acme:translate/translator@1.2.0`).

use std::fmt;
use std::str::FromStr;

/// A package: `publisher/name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageName {
    text: String,
    slash: usize,
}

/// A released version. Pre-releases are not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Rises when buyers have to change.
    pub major: u32,
    /// Rises when something is added.
    pub minor: u32,
    /// Rises when something is repaired.
    pub patch: u32,
}

/// Versions that follow each other: all of one major number, and below 1.0 all of one minor number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Line {
    /// `0.MINOR.*`.
    Minor(u32),
    /// `MAJOR.*`.
    Major(u32),
}

/// Which versions will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// Any: the newest.
    Any,
    /// `@1`: the newest of this major number.
    Major(u32),
    /// `@1.2`: the newest of this minor number.
    Minor(u32, u32),
    /// `@1.2.0`: this one.
    Exact(Version),
}

/// A wish for a package: `acme/translator`, `acme/translator@1`, `@1.2`, `@1.2.0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The package.
    pub package: PackageName,
    /// Its versions.
    pub range: Range,
}

/// A text that names no package, version or interface.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is no {what}; write {example}")]
pub struct NameError {
    /// What was written.
    pub text: String,
    /// What it should be.
    pub what: &'static str,
    /// How that looks.
    pub example: &'static str,
}

fn refuse<T>(text: &str, what: &'static str, example: &'static str) -> Result<T, NameError> {
    Err(NameError { text: text.chars().take(200).collect(), what, example })
}

/// Is `part` a publisher or the name of a package: 1 to 64 lower-case letters, digits and dashes, the first no dash?
pub fn is_name_part(part: &str) -> bool {
    let inner = part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    inner && (1..=64).contains(&part.len()) && !part.starts_with('-')
}

impl PackageName {
    /// `acme` of `acme/translator`.
    pub fn publisher(&self) -> &str {
        &self.text[..self.slash]
    }

    /// `translator` of `acme/translator`.
    pub fn short(&self) -> &str {
        &self.text[self.slash + 1..]
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for PackageName {
    type Err = NameError;
    fn from_str(text: &str) -> Result<PackageName, NameError> {
        match text.split_once('/') {
            Some((publisher, name)) if is_name_part(publisher) && is_name_part(name) => {
                Ok(PackageName { text: text.to_owned(), slash: publisher.len() })
            }
            _ => refuse(text, "package", "`publisher/name` of lower-case letters, digits and dashes"),
        }
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Version {
    /// The line in which this version stands.
    pub fn line(&self) -> Line {
        match self.major {
            0 => Line::Minor(self.minor),
            major => Line::Major(major),
        }
    }
}

/// A decimal number without signs and leading zeros.
fn number<T: FromStr>(text: &str) -> Option<T> {
    let canonical = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    canonical.then(|| text.parse().ok()).flatten()
}

fn numbers<T: FromStr>(text: &str) -> Option<Vec<T>> {
    text.split('.').map(number).collect()
}

impl FromStr for Version {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Version, NameError> {
        match numbers(text).as_deref() {
            Some([major, minor, patch]) => Ok(Version { major: *major, minor: *minor, patch: *patch }),
            _ => refuse(text, "version", "three numbers such as `1.2.0`"),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Line::Minor(minor) => write!(f, "0.{minor}"),
            Line::Major(major) => write!(f, "{major}"),
        }
    }
}

impl Range {
    /// Is `version` one of these?
    pub fn holds(&self, version: Version) -> bool {
        match *self {
            Range::Any => true,
            Range::Major(major) => version.major == major,
            Range::Minor(major, minor) => (version.major, version.minor) == (major, minor),
            Range::Exact(exact) => version == exact,
        }
    }
}

impl FromStr for Wish {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Wish, NameError> {
        let (package, range) = match text.split_once('@') {
            None => (text, Range::Any),
            Some((package, version)) => match numbers(version).as_deref() {
                Some([major]) => (package, Range::Major(*major)),
                Some([major, minor]) => (package, Range::Minor(*major, *minor)),
                Some([major, minor, patch]) => (package, Range::Exact(Version { major: *major, minor: *minor, patch: *patch })),
                _ => return refuse(text, "wish for a package", "`acme/translator`, or with `@1`, `@1.2` or `@1.2.0`"),
            },
        };
        Ok(Wish { package: package.parse()?, range })
    }
}

impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.range {
            Range::Any => write!(f, "{}", self.package),
            Range::Major(major) => write!(f, "{}@{major}", self.package),
            Range::Minor(major, minor) => write!(f, "{}@{major}.{minor}", self.package),
            Range::Exact(version) => write!(f, "{}@{version}", self.package),
        }
    }
}

/// An interface's name taken apart. `acme:translate/translator@1.2.0`: namespace, path without version, version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InterfaceName<'a> {
    /// `acme`.
    pub namespace: &'a str,
    /// `acme:translate/translator`.
    pub path: &'a str,
    /// `1.2.0`; empty where none was given.
    pub version: &'a str,
}

impl<'a> InterfaceName<'a> {
    /// Take `name` apart; none where it is not of the form `namespace:package/interface` with or without `@version`.
    pub fn parse(name: &'a str) -> Option<InterfaceName<'a>> {
        let (path, version) = name.split_once('@').unwrap_or((name, ""));
        let (namespace, rest) = path.split_once(':')?;
        let whole = rest.split_once('/').is_some_and(|(package, interface)| !package.is_empty() && !interface.is_empty());
        (whole && !namespace.is_empty()).then_some(InterfaceName { namespace, path, version })
    }

    /// The three numbers of a version that is no pre-release.
    pub fn numbers(&self) -> Option<[u64; 3]> {
        numbers(self.version)?.try_into().ok()
    }
}

/// Does an interface `have` satisfy a wish for `want`? Names are equal, and `have` is of a compatible, not lower version
/// (semantic versioning: same major, or same minor below 1.0, or same patch below 0.1). A wish may leave parts of its version
/// out (`a:b/c@1`, `a:b/c`). The host links imports by the same rule.
pub fn satisfies(have: &str, want: &str) -> bool {
    let (have_name, have_version) = have.split_once('@').unwrap_or((have, ""));
    let (want_name, want_version) = want.split_once('@').unwrap_or((want, ""));
    if have_name != want_name {
        return false;
    }
    if want_version.is_empty() || have_version == want_version {
        return true;
    }
    let (Some(have), Some(want)) = (numbers::<u64>(have_version), numbers::<u64>(want_version)) else { return false };
    let fixed = want.iter().position(|part| *part != 0).unwrap_or(want.len() - 1) + 1;
    have.len() >= want.len() && have[..fixed] == want[..fixed] && have[..want.len()] >= want[..]
}

/// Are two versions of one interface of one line, so that the higher must serve buyers of the lower?
pub fn compatible(left: [u64; 3], right: [u64; 3]) -> bool {
    match (left, right) {
        ([0, 0, a], [0, 0, b]) => a == b,
        ([0, a, _], [0, b, _]) => a == b,
        ([a, ..], [b, ..]) => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_go_both_ways_and_mistakes_are_named() {
        for text in ["acme/translator", "acme/translator@1", "acme/translator@1.2", "a-1/b@0.2.0"] {
            assert_eq!(text.parse::<Wish>().unwrap().to_string(), text);
        }
        for text in ["acme", "acme/", "Acme/b", "a/b@", "a/b@1.2.3.4", "a/b@01", "a/b@1.2.0-rc.1", "a/b/c", "a/b@+1"] {
            assert!(text.parse::<Wish>().is_err(), "{text}");
        }
        for text in ["1.2", "1.2.x", "01.0.0", "1.0.4294967296", "", "1.0.0-rc"] {
            assert!(text.parse::<Version>().unwrap_err().to_string().ends_with("write three numbers such as `1.2.0`"));
        }
    }

    #[test]
    fn lines_are_major_numbers_and_minor_ones_below_one() {
        let line = |text: &str| text.parse::<Version>().unwrap().line().to_string();
        assert_eq!([line("1.2.3"), line("2.0.0"), line("0.3.1"), line("0.0.9")], ["1", "2", "0.3", "0.0"]);
    }

    #[test]
    fn interfaces_satisfy_as_in_the_host() {
        for (have, want, expected) in [
            ("a:b/c@1.2.0", "a:b/c@1.2.0", true),
            ("a:b/c@1.3.1", "a:b/c@1.2.0", true),
            ("a:b/c@1.1.9", "a:b/c@1.2.0", false),
            ("a:b/c@2.0.0", "a:b/c@1.2.0", false),
            ("a:b/c@0.2.1", "a:b/c@0.2.0", true),
            ("a:b/c@0.3.0", "a:b/c@0.2.0", false),
            ("a:b/c@0.0.4", "a:b/c@0.0.3", false),
            ("a:b/c@1.9.0", "a:b/c@1", true),
            ("a:b/c@1.9.0", "a:b/c", true),
            ("a:b/c@1.9.0-rc.1", "a:b/c@1.8.0", false),
            ("a:b/c", "a:b/c@1.0.0", false),
            ("a:b/d@1.0.0", "a:b/c@1.0.0", false),
        ] {
            assert_eq!(satisfies(have, want), expected, "{have} for {want}");
        }
    }

    #[test]
    fn interface_names_come_apart() {
        let name = InterfaceName::parse("acme:translate/translator@1.2.0").unwrap();
        assert_eq!((name.namespace, name.path), ("acme", "acme:translate/translator"));
        assert_eq!(name.numbers(), Some([1, 2, 0]));
        assert_eq!(InterfaceName::parse("wasi:nn/graph@0.2.0-rc-2024").unwrap().numbers(), None);
        for text in ["translator", "acme:", "acme:translate", ":a/b", "a:/b", "a:b/"] {
            assert_eq!(InterfaceName::parse(text), None, "{text}");
        }
    }
}
