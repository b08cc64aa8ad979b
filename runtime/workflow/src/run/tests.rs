//! Runs, against sellers and engines that fail in every way.

pub(crate) mod fake;
mod flows;
mod quoted;
mod random;
