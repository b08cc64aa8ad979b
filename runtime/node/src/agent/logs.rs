//! The last lines that an agent wrote, for `hansa agent logs`.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use hansa_host::log::{Log, LogLevel};
use serde::{Deserialize, Serialize};

use crate::ambient;

/// Lines kept for each agent.
const LINES: usize = 1000;

/// One line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogLine {
    /// Unix milliseconds.
    pub at_ms: u64,
    /// `debug`, `info`, `warn`, `error`.
    pub level: String,
    /// The text; control characters are made visible by the host.
    pub text: String,
}

/// A ring of lines. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Ring {
    lines: Arc<Mutex<VecDeque<LogLine>>>,
}

impl Ring {
    pub(crate) fn write(&self, level: &str, text: impl Into<String>) {
        let mut lines = self.lines.lock().expect("no panic while lines are locked");
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back(LogLine { at_ms: ambient::now_ms(), level: level.to_owned(), text: text.into() });
    }

    pub(crate) fn last(&self, count: usize) -> Vec<LogLine> {
        let lines = self.lines.lock().expect("no panic while lines are locked");
        lines.iter().skip(lines.len().saturating_sub(count)).cloned().collect()
    }
}

impl Log for Ring {
    fn line(&self, line: hansa_host::log::LogLine) {
        let level = match line.level {
            LogLevel::Debug => "debug",
            LogLevel::Info => "info",
            LogLevel::Warn => "warn",
            LogLevel::Error => "error",
        };
        self.write(level, line.text);
    }
}
