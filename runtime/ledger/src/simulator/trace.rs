//! What happened, line by line: the newest lines for people, and a digest over all of them.

use std::collections::VecDeque;

use hansa_economy::Digest;

const LINES_KEPT: usize = 60;

/// The record of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Trace {
    digest: Digest,
    newest: VecDeque<String>,
}

impl Trace {
    pub(super) fn note(&mut self, line: String) {
        self.digest = Digest::of_parts("hansa simulator", &[&self.digest.0, line.as_bytes()]);
        if self.newest.len() == LINES_KEPT {
            self.newest.pop_front();
        }
        self.newest.push_back(line);
    }

    pub(super) fn digest(&self) -> Digest {
        self.digest
    }

    pub(super) fn newest(&self) -> Vec<String> {
        self.newest.iter().cloned().collect()
    }
}
