//! What can go wrong between this machine and a registry.

use std::fmt::Display;
use std::time::Duration;

use serde::Deserialize;

use crate::limits::REFUSAL_CHARS_MAX;

/// A request that did not get its answer.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RemoteError {
    /// Plain HTTP with another machine, which nobody asked for.
    #[error("`{0}` would be spoken to in the clear, password and all; use https, or ask for plain HTTP if you trust the network")]
    InTheClear(String),
    /// No connection.
    #[error("cannot reach `{host}`: {problem}; check the name, the network, and whether it speaks https")]
    Unreachable {
        /// The registry, or the service it sent us to.
        host: String,
        /// Why.
        problem: String,
    },
    /// No answer, or no more bytes, in time.
    #[error("`{host}` took longer than {} s to answer {what}; try again, what has arrived is not sent twice", .after.as_secs())]
    TooSlow {
        /// The registry.
        host: String,
        /// For what.
        what: String,
        /// How long was waited.
        after: Duration,
    },
    /// The connection ended in the middle.
    #[error("the connection to `{host}` broke during {what}: {problem}; try again, what has arrived is not sent twice")]
    Broken {
        /// The registry.
        host: String,
        /// During what.
        what: String,
        /// Why.
        problem: String,
    },
    /// It wants to know who we are.
    #[error("`{0}` asks for a login; give name and password")]
    LoginNeeded(String),
    /// It does not believe us.
    #[error("`{host}` does not accept the login of `{user}`; check name and password, and whether the password has expired")]
    LoginRefused {
        /// The registry, or the service that gives its tokens.
        host: String,
        /// As whom.
        user: String,
    },
    /// A service for tokens at an address to which no password may go.
    #[error("`{host}` sends logins to `{realm}`, which is not https; do not log in there, and tell its operator")]
    UnsafeRealm {
        /// The registry.
        host: String,
        /// Where to.
        realm: String,
    },
    /// Not for us.
    #[error(
        "`{host}` does not let you into `{repository}`{said}; log in as somebody who may, and check the name: many registries answer so where nothing is"
    )]
    Denied {
        /// The registry.
        host: String,
        /// The repository.
        repository: String,
        /// In its own words.
        said: Said,
    },
    /// Too many requests.
    #[error("`{0}` has had too many requests from here; wait a while, or log in, which allows more")]
    TooMany(String),
    /// Any other refusal.
    #[error("`{host}` answers {what} with status {status}{said}; its operator may know more")]
    Refused {
        /// The registry.
        host: String,
        /// What was asked.
        what: String,
        /// The HTTP status.
        status: u16,
        /// In its own words.
        said: Said,
    },
    /// An answer that is too long.
    #[error("{what} from `{host}` has more than {bytes_max} bytes; this is no release that can be used here")]
    TooLong {
        /// The registry.
        host: String,
        /// Which.
        what: String,
        /// How many are allowed.
        bytes_max: usize,
    },
    /// An answer that makes no sense.
    #[error("`{host}` does not answer {what} as a registry does: {problem}; check that it is one")]
    Unfit {
        /// The registry.
        host: String,
        /// What was asked.
        what: String,
        /// What is wrong.
        problem: String,
    },
}

/// A registry's own words, made fit for one line; shown with a colon before them, or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said(pub String);

impl Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, " (it says: {})", self.0) }
    }
}

#[derive(Deserialize)]
struct Envelope {
    errors: Vec<OciError>,
}

#[derive(Deserialize)]
struct OciError {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl Said {
    /// The errors that an answer lists, by the distribution specification, else its text.
    pub(crate) fn read(body: &[u8]) -> Said {
        let text = match serde_json::from_slice::<Envelope>(body) {
            Ok(envelope) => {
                let errors = envelope.errors.iter().map(|error| format!("{} {}", error.code, error.message));
                errors.collect::<Vec<_>>().join("; ")
            }
            Err(_) => String::from_utf8_lossy(body).into_owned(),
        };
        Said(shown(&text.split_whitespace().collect::<Vec<_>>().join(" "), REFUSAL_CHARS_MAX))
    }
}

/// Others' words, fit for one line of a terminal: at most `chars_max` characters of them, control characters and the marks that
/// reorder text (Unicode's bidirectional controls) as escapes.
pub(crate) fn shown(words: &impl Display, chars_max: usize) -> String {
    let words = words.to_string();
    let mut shown = String::new();
    for letter in words.chars().take(chars_max) {
        let reorders = matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        match letter.is_control() || reorders {
            _ if letter.is_whitespace() => shown.push(' '),
            true => shown.extend(letter.escape_default()),
            false => shown.push(letter),
        }
    }
    if words.chars().nth(chars_max).is_some() {
        shown.push('…');
    }
    shown
}

/// The innermost cause, which is the one that says something. Without the URL, which may hold a signature.
pub(crate) fn innermost(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(inner) = error_below(cause) {
        cause = inner;
    }
    shown(&cause, REFUSAL_CHARS_MAX)
}

fn error_below(error: &dyn std::error::Error) -> Option<&dyn std::error::Error> {
    error.source()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registrys_words_fit_one_line() {
        let said = |body: &str| Said::read(body.as_bytes()).0;
        let denied = said(r#"{"errors":[{"code":"DENIED","message":"no\n\u001b[31mway"},{"code":"X"}]}"#);
        assert_eq!(denied, r"DENIED no \u{1b}[31mway; X");
        assert_eq!(said("<html>\n  oops</html>"), "<html> oops</html>");
        assert_eq!(said(&"é".repeat(1000)), format!("{}…", "é".repeat(REFUSAL_CHARS_MAX)));
        assert_eq!(Said(String::new()).to_string(), "");
    }

    #[test]
    fn others_words_move_no_cursor_and_turn_no_text_round() {
        assert_eq!(shown(&"a\u{1b}]0;b\u{7}\u{9b}2J\r\nc", 100), r"a\u{1b}]0;b\u{7}\u{9b}2J  c");
        assert_eq!(shown(&"\u{202e}mgp.exe", 100), r"\u{202e}mgp.exe");
        assert_eq!([shown(&"abc", 3), shown(&"abcd", 3)], ["abc", "abc…"]);
        assert_eq!(shown(&"naïve 日本語 `x`", 100), "naïve 日本語 `x`");
    }
}
