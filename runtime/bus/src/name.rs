//! Validation of names, versions, subjects and keys: once, at the edge.

use crate::limits::{ENTRY_ID_BYTES_MAX, KEY_BYTES_MAX, NAME_BYTES_MAX, SUBJECT_BYTES_MAX};

/// Why a name was refused; shows the name and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} `{value}` is not valid: {rule}")]
pub struct BadName {
    /// What was to be named.
    pub what: &'static str,
    /// The refused value.
    pub value: String,
    /// What is allowed.
    pub rule: &'static str,
}

impl BadName {
    fn new(what: &'static str, value: &str, rule: &'static str) -> Self {
        Self { what, value: value.to_owned(), rule }
    }
}

/// Names of services, endpoints, buckets and servers: ADR-32 and ADR-8 of NATS allow the same characters.
pub(crate) fn check_name(what: &'static str, value: &str) -> Result<(), BadName> {
    let plain = value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if plain && !value.is_empty() && value.len() <= NAME_BYTES_MAX {
        return Ok(());
    }
    Err(BadName::new(what, value, "use 1 to 128 of the characters A-Z a-z 0-9 _ -"))
}

/// A semantic version, <https://semver.org> 2.0.0.
pub(crate) fn check_version(value: &str) -> Result<(), BadName> {
    if value.len() <= NAME_BYTES_MAX && is_semver(value) {
        return Ok(());
    }
    Err(BadName::new("version", value, "use a semantic version such as `1.2.3` or `1.2.3-rc.1`"))
}

fn is_semver(value: &str) -> bool {
    let (rest, build) = value.split_once('+').map_or((value, None), |(rest, build)| (rest, Some(build)));
    let (core, pre) = rest.split_once('-').map_or((rest, None), |(core, pre)| (core, Some(pre)));
    let numbers: Vec<&str> = core.split('.').collect();
    numbers.len() == 3
        && numbers.iter().all(|n| is_number(n))
        && build.is_none_or(|build| build.split('.').all(is_identifier))
        && pre.is_none_or(|pre| pre.split('.').all(|id| is_identifier(id) && (!all_digits(id) || is_number(id))))
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && all_digits(text) && (text == "0" || !text.starts_with('0'))
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// A subject: tokens between dots, none empty, no white space. Wildcards (`*`, a last `>`) only where one listens.
pub(crate) fn check_subject(value: &str, wildcards: bool) -> Result<(), BadName> {
    let sound = !value.is_empty()
        && value.len() <= SUBJECT_BYTES_MAX
        && !value.bytes().any(|b| b.is_ascii_whitespace() || b.is_ascii_control())
        && value.split('.').all(|token| !token.is_empty());
    let last = value.split('.').count() - 1;
    let wild_ok = value.split('.').enumerate().all(|(i, token)| match token {
        "*" => wildcards,
        ">" => wildcards && i == last,
        _ => true,
    });
    if sound && wild_ok {
        return Ok(());
    }
    let rule = "use tokens without spaces, separated by single dots, at most 1024 bytes; `*` and a last `>` only to listen";
    Err(BadName::new("subject", value, rule))
}

/// A key of a bucket, as the stock clients allow it (ADR-8).
pub(crate) fn check_key(value: &str) -> Result<(), BadName> {
    let plain = value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-/_=.".contains(&b));
    if plain && value.len() <= KEY_BYTES_MAX && value.split('.').all(|token| !token.is_empty()) {
        return Ok(());
    }
    Err(BadName::new("key", value, "use 1 to 512 of the characters A-Z a-z 0-9 - / _ = and single dots between them"))
}

/// The id of a history's entry: it stands in a header, where white space and control characters would not survive.
pub(crate) fn check_entry_id(value: &str) -> Result<(), BadName> {
    if value.bytes().all(|b| b.is_ascii_graphic()) && !value.is_empty() && value.len() <= ENTRY_ID_BYTES_MAX {
        return Ok(());
    }
    Err(BadName::new("entry id", value, "use 1 to 128 visible ASCII characters"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        for good in ["0.0.0", "1.2.3", "10.20.30", "1.0.0-rc.1", "1.0.0-0a", "1.0.0+2024.01", "1.0.0-a-b+c-d"] {
            assert!(check_version(good).is_ok(), "{good}");
        }
        for bad in ["", "1", "1.2", "1.2.3.4", "01.2.3", "1.2.x", "v1.2.3", "1.2.3-", "1.2.3-01", "1.2.3+", "1.2.3-a..b"] {
            assert!(check_version(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names() {
        assert!(check_name("service", "Hansa_node-1").is_ok());
        for bad in ["", "a.b", "a b", "ä", "a/b"] {
            let error = check_name("service", bad).unwrap_err().to_string();
            assert!(error.starts_with(&format!("service `{bad}` is not valid: use")), "{error}");
        }
        assert!(check_name("service", &"a".repeat(129)).is_err());
    }

    #[test]
    fn subjects() {
        for good in ["a", "hansa.call.x-1", "$SRV.PING"] {
            assert!(check_subject(good, false).is_ok(), "{good}");
        }
        for bad in ["", ".a", "a.", "a..b", "a b", "a\r\nb", "a.*", "a.>", ">"] {
            assert!(check_subject(bad, false).is_err(), "{bad:?}");
        }
        for good in ["a.*", "a.>", ">", "*.b"] {
            assert!(check_subject(good, true).is_ok(), "{good}");
        }
        assert!(check_subject("a.>.b", true).is_err());
    }

    #[test]
    fn keys() {
        assert!(check_key("offers/a=b.c_d-e").is_ok());
        for bad in ["", ".a", "a.", "a..b", "a b", "a*", ">", "ä"] {
            assert!(check_key(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn entry_ids() {
        assert!(check_entry_id("did:key:z6Mk/engine#7").is_ok());
        for bad in ["", "a b", "a\r\nb: c", "ä", &"a".repeat(129)] {
            assert!(check_entry_id(bad).is_err(), "{bad:?}");
        }
    }
}
