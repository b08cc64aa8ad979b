//! Where a release lies: `ghcr.io/acme/translator:1.0.0`, with the registry always named.

use std::fmt::{self, Display, Formatter};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use hansa_economy::Digest;

use crate::limits::{REFERENCE_BYTES_MAX, REPOSITORY_BYTES_MAX, TAG_BYTES_MAX};

/// A repository of a registry, with the tag or the digest of one artifact in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// `http` or `https`, where the text says so.
    pub scheme: Option<Scheme>,
    /// The registry with its port: `ghcr.io`, `127.0.0.1:5000`.
    pub host: String,
    /// `acme/translator`.
    pub repository: String,
    /// `1.0.0`.
    pub tag: Option<String>,
    /// The digest of the manifest; it counts more than the tag.
    pub digest: Option<Digest>,
}

/// How to speak with a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// In the clear.
    Http,
    /// TLS.
    Https,
}

/// Why a text is no reference.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ReferenceError {
    /// Too long, or nothing.
    #[error("a reference has 1 to {REFERENCE_BYTES_MAX} bytes, this has {0}; write `host/name:tag`")]
    Length(usize),
    /// No registry.
    #[error("`{0}` names no registry; write its host first, such as `ghcr.io/acme/translator:1.0.0`")]
    NoHost(String),
    /// A host that is none.
    #[error(
        "`{0}` is no host; write a name or an address, with a port where it is not the usual one: `ghcr.io`, `127.0.0.1:5000`"
    )]
    Host(String),
    /// Not a name of a repository.
    #[error(
        "`{0}` is no name of a repository; it has lower-case letters, digits and single `.`, `_`, `-` between them, parted by `/`"
    )]
    Repository(String),
    /// Not a tag.
    #[error(
        "`{0}` is no tag; a tag has up to {TAG_BYTES_MAX} letters, digits, `_`, `.`, `-` and begins with a letter, digit or `_`"
    )]
    Tag(String),
    /// Not a digest.
    #[error("`{0}` is no digest of a manifest; write `sha256:` and 64 lower-case hexadecimal digits")]
    Digest(String),
}

impl Reference {
    /// The same repository with another tag and no digest.
    pub fn with_tag(&self, tag: &str) -> Result<Reference, ReferenceError> {
        Ok(Reference { tag: Some(checked_tag(tag)?), digest: None, ..self.clone() })
    }

    /// The host without its port; an IPv6 address without brackets.
    pub fn host_name(&self) -> &str {
        split_port(&self.host).0.trim_start_matches('[').trim_end_matches(']')
    }

    /// Is the registry on this machine?
    pub fn is_loopback(&self) -> bool {
        is_loopback(self.host_name())
    }

    /// What comes after `manifests/` in a request: the digest, else the tag.
    pub(crate) fn which(&self) -> Option<String> {
        self.digest.map(|digest| oci_digest(&digest)).or_else(|| self.tag.clone())
    }
}

/// `localhost`, or an address of this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let v4 = host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback());
    host == "localhost" || v4 || host.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
}

/// `sha256:` and the digits.
pub(crate) fn oci_digest(digest: &Digest) -> String {
    format!("sha256:{digest}")
}

/// The digest that `sha256:…` names; none where it is anything else.
pub(crate) fn read_digest(text: &str) -> Option<Digest> {
    let digits = text.strip_prefix("sha256:")?;
    let lower = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    lower.then(|| digits.parse().ok()).flatten()
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Reference, ReferenceError> {
        if text.is_empty() || text.len() > REFERENCE_BYTES_MAX {
            return Err(ReferenceError::Length(text.len()));
        }
        let (scheme, rest) = split_scheme(text);
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => (rest, Some(read_digest(digest).ok_or_else(|| ReferenceError::Digest(digest.to_owned()))?)),
            None => (rest, None),
        };
        let (host, path) = rest.split_once('/').ok_or_else(|| ReferenceError::NoHost(text.to_owned()))?;
        if !looks_like_host(host) {
            return Err(ReferenceError::NoHost(text.to_owned()));
        }
        let (repository, tag) = match path.split_once(':') {
            Some((repository, tag)) => (repository, Some(checked_tag(tag)?)),
            None => (path, None),
        };
        Ok(Reference { scheme, host: checked_host(host)?, repository: checked_repository(repository)?, tag, digest })
    }
}

impl Display for Reference {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.scheme {
            Some(Scheme::Http) => f.write_str("http://")?,
            Some(Scheme::Https) => f.write_str("https://")?,
            None => {}
        }
        write!(f, "{}/{}", self.host, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{}", oci_digest(digest)),
            None => Ok(()),
        }
    }
}

fn split_scheme(text: &str) -> (Option<Scheme>, &str) {
    if let Some(rest) = text.strip_prefix("https://") {
        (Some(Scheme::Https), rest)
    } else if let Some(rest) = text.strip_prefix("http://") {
        (Some(Scheme::Http), rest)
    } else {
        (None, text.strip_prefix("oci://").unwrap_or(text))
    }
}

/// As Docker tells `ghcr.io/x` from `acme/x`: a host has a dot or a port, or is `localhost`.
fn looks_like_host(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost"
}

fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    }
}

fn checked_host(host: &str) -> Result<String, ReferenceError> {
    let (name, port) = split_port(host);
    let port_fits = port.is_none_or(|port| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|p| p > 0));
    let name_fits = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => name.split('.').all(is_label),
    };
    if port_fits && name_fits { Ok(host.to_ascii_lowercase()) } else { Err(ReferenceError::Host(host.to_owned())) }
}

fn is_label(label: &str) -> bool {
    let fits = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    fits && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
}

fn checked_repository(name: &str) -> Result<String, ReferenceError> {
    let fits = name.len() <= REPOSITORY_BYTES_MAX && name.split('/').all(is_path_part);
    if fits { Ok(name.to_owned()) } else { Err(ReferenceError::Repository(name.to_owned())) }
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`, by the distribution specification.
fn is_path_part(part: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = part.as_bytes();
    let ends = bytes.first().is_some_and(|b| plain(*b)) && bytes.last().is_some_and(|b| plain(*b));
    let mut between = bytes.split(|byte| plain(*byte)).filter(|run| !run.is_empty());
    ends && between.all(|run| matches!(run, b"." | b"_" | b"__") || run.iter().all(|byte| *byte == b'-'))
}

fn checked_tag(tag: &str) -> Result<String, ReferenceError> {
    let begins = tag.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_');
    let fits = tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'));
    if begins && fits && tag.len() <= TAG_BYTES_MAX { Ok(tag.to_owned()) } else { Err(ReferenceError::Tag(tag.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (String, String, Option<String>) {
        let reference: Reference = text.parse().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(reference.to_string(), text.trim_start_matches("oci://"));
        (reference.host, reference.repository, reference.tag)
    }

    #[test]
    fn references_are_read_and_written_again() {
        let owned = |host: &str, repository: &str, tag: Option<&str>| (host.into(), repository.into(), tag.map(str::to_owned));
        assert_eq!(parts("ghcr.io/acme/translator:1.0.0"), owned("ghcr.io", "acme/translator", Some("1.0.0")));
        assert_eq!(parts("oci://localhost/a"), owned("localhost", "a", None));
        assert_eq!(parts("http://127.0.0.1:5000/a/b-c/d__e:v1"), owned("127.0.0.1:5000", "a/b-c/d__e", Some("v1")));
        assert_eq!(parts("https://[::1]:5000/a"), owned("[::1]:5000", "a", None));
        let pinned = format!("ghcr.io/a/b:1@sha256:{}", "ab".repeat(32));
        assert_eq!(pinned.parse::<Reference>().unwrap().which(), Some(format!("sha256:{}", "ab".repeat(32))));
        assert_eq!(parts(&pinned), owned("ghcr.io", "a/b", Some("1")));
    }

    #[test]
    fn what_is_no_reference_is_told_why() {
        let error = |text: &str| text.parse::<Reference>().unwrap_err();
        assert_eq!(error(""), ReferenceError::Length(0));
        assert_eq!(error("acme/translator:1.0.0"), ReferenceError::NoHost("acme/translator:1.0.0".into()));
        assert_eq!(error("ghcr.io"), ReferenceError::NoHost("ghcr.io".into()));
        for host in ["a..b", "ghcr.io:", "ghcr.io:0", "ghcr.io:70000", "[::g]:1", "user:pw:1", "-a.b", "a.b:+80"] {
            assert_eq!(error(&format!("{host}/x")), ReferenceError::Host(host.into()), "{host}");
        }
        for name in ["", "Acme/x", "a//b", "a/", "../x", "a/..", "a._b", "-a", "a?b", "a b", "a%2fb"] {
            assert_eq!(error(&format!("ghcr.io/{name}")), ReferenceError::Repository(name.into()), "{name}");
        }
        for tag in ["", ".a", "1.0.0+linux", "a/b", "a:b"] {
            assert_eq!(error(&format!("ghcr.io/x:{tag}")), ReferenceError::Tag(tag.into()), "{tag}");
        }
        for digest in ["", "sha256:12", "sha512:00", &format!("sha256:{}", "AB".repeat(32))] {
            assert_eq!(error(&format!("ghcr.io/x@{digest}")), ReferenceError::Digest(digest.to_owned()), "{digest}");
        }
        assert_eq!(error(&format!("ghcr.io/{}", "a".repeat(600))), ReferenceError::Length(608));
    }

    #[test]
    fn this_machine_is_known_by_its_addresses() {
        let loopback = |text: &str| text.parse::<Reference>().unwrap().is_loopback();
        for text in ["localhost/a", "localhost:5000/a", "127.0.0.1/a", "127.9.9.9:1/a", "[::1]:5000/a"] {
            assert!(loopback(text), "{text}");
        }
        for text in ["ghcr.io/a", "localhost.evil.org/a", "127.0.0.1.evil.org/a", "10.0.0.1:5000/a", "[::2]:1/a"] {
            assert!(!loopback(text), "{text}");
        }
    }
}
