//! Where in a file something stands, and what is wrong there.

use std::fmt;

/// Line and column of a character, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Place {
    /// The line.
    pub line: u32,
    /// The column, in characters.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Something wrong in a file. Shown as `line:column: what`, to be put behind the file's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What, and what to do.
    pub what: String,
}

impl Problem {
    /// A problem at `place`.
    pub fn new(place: Place, what: impl Into<String>) -> Problem {
        Problem { place, what: what.into() }
    }
}
