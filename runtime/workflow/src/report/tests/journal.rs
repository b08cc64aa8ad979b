//! Journals made up, with what goes wrong.
