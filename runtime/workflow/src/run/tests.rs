//! Runs, against sellers and engines that fail in every way.

mod fake;
mod flows;
mod quoted;
mod random;
