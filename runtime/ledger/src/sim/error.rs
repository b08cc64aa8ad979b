//! Why a simulation stops.

use hansa_economy::ledger::EndOfTime;

/// Why a simulation stops.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// A line is no command.
    #[error("line {line}: {problem}")]
    Input {
        /// Its number, from 1.
        line: u64,
        /// What is wrong with it.
        problem: InputError,
    },
    /// The input cannot be read.
    #[error("cannot read the commands: {0}")]
    Read(#[source] std::io::Error),
    /// The output cannot be written.
    #[error("cannot write the results: {0}")]
    Write(#[source] std::io::Error),
}

/// Why a line is no command.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// The line is longer than anybody needs.
    #[error("it is longer than {} bytes; split the batch", crate::limits::SIM_LINE_BYTES_MAX)]
    TooLong,
    /// Not text.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// Not JSON.
    #[error("it is no JSON: {reason} at column {column}")]
    NotJson {
        /// What the reader of JSON says.
        reason: String,
        /// Where, in bytes from 1.
        column: usize,
    },
    /// A value of another kind.
    #[error("{place} must be {expected}, not `{found}`")]
    Kind {
        /// Which value.
        place: String,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// A number beyond what the field holds.
    #[error("{place} is `{found}`; the most is {most}")]
    TooLarge {
        /// Which value.
        place: String,
        /// What it is.
        found: String,
        /// The largest number that fits.
        most: u128,
    },
    /// A key, flag or op that does not exist.
    #[error("{place} has no {kind} `{found}`; did you mean `{nearest}`?")]
    Unknown {
        /// Where it stands.
        place: String,
        /// `key`, `flag` and so on.
        kind: &'static str,
        /// What was written.
        found: String,
        /// The known one that is most like it.
        nearest: &'static str,
    },
    /// A key that must be there.
    #[error("{place} needs `{key}`")]
    Missing {
        /// What lacks it.
        place: String,
        /// The key.
        key: &'static str,
    },
    /// The clock would pass its end.
    #[error(transparent)]
    EndOfTime(#[from] EndOfTime),
}
