//! Reading toml files in which an unknown key is an error that names the nearest known one.

use serde::de::DeserializeOwned;

/// A toml file that cannot be used; the text says where and why.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct TomlError(String);

/// Read `text` as `T`, whose structures must deny unknown fields. `file` names it in errors.
pub fn from_str<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, TomlError> {
    toml::from_str(text).map_err(|error| TomlError(describe(file, text, &error)))
}

fn describe(file: &str, text: &str, error: &toml::de::Error) -> String {
    let line =
        error.span().map(|span| 1 + text.as_bytes()[..span.start.min(text.len())].iter().filter(|byte| **byte == b'\n').count());
    let place = line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}"));
    let message = error.message();
    match suggestion(message) {
        Some(nearest) => format!("{place}: {message}; did you mean `{nearest}`?"),
        None => format!("{place}: {message}"),
    }
}

/// The nearest of the names that serde lists after ``unknown field `x`, expected …``.
fn suggestion(message: &str) -> Option<&str> {
    let (unknown, expected) = message.strip_prefix("unknown field `")?.split_once('`')?;
    nearest(unknown, expected.split('`').skip(1).step_by(2))
}

/// The name most like `unknown`, if any is like it at all.
pub fn nearest<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.map(|name| (strsim::jaro_winkler(unknown, name), name));
    scored.filter(|(score, _)| *score > 0.75).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize, Debug)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    struct File {
        #[expect(dead_code, reason = "only its name matters")]
        max_price: u32,
    }

    #[test]
    fn names_place_and_nearest_key() {
        let error = from_str::<File>("agent.toml", "\nmax-prise = 1\n").unwrap_err();
        assert!(error.to_string().starts_with("agent.toml:2: unknown field `max-prise`"), "{error}");
        assert!(error.to_string().ends_with("did you mean `max-price`?"), "{error}");
    }
}
