//! The last lines that an agent wrote, and its last calls and purchases, for `hansa agent logs` and `hansa dev`.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use hansa_host::log::{Log, LogLevel};
use serde::{Deserialize, Serialize};

use crate::ambient;

/// Lines kept for each agent of each of the three kinds: many calls do not push out what it wrote, and tenders, which cost a buyer nothing, push out
/// neither.
const LINES: usize = 1000;
/// Bytes of one line that are kept.
const LINE_BYTES_MAX: usize = 4096;
/// Levels of lines that the node writes about an agent's trade.
const TRADE: [&str; 3] = [CALL, BUY, WAKE];
/// Level of a line about a call that it served.
pub(crate) const CALL: &str = "call";
/// Level of a line about a purchase.
pub(crate) const BUY: &str = "buy";
/// Level of a line about a bid of its own.
pub(crate) const BID: &str = "bid";
/// Level of a line about a waking.
pub(crate) const WAKE: &str = "wake";

/// One line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogLine {
    /// Counts all lines of this agent since it was started, from 1.
    #[serde(default)]
    pub number: u64,
    /// Unix milliseconds.
    pub at_ms: u64,
    /// `debug`, `info`, `warn`, `error`; of the node `call`, `buy`, `bid` and `wake`.
    pub level: String,
    /// The text; control characters are made visible by the host.
    pub text: String,
}

/// Rings of lines. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Ring {
    lines: Arc<Mutex<Lines>>,
}

#[derive(Default)]
struct Lines {
    written: VecDeque<LogLine>,
    trade: VecDeque<LogLine>,
    bids: VecDeque<LogLine>,
    count: u64,
}

impl Ring {
    pub(crate) fn write(&self, level: &str, text: impl Into<String>) {
        self.put(level, level, text.into());
    }

    /// What was written while a price or a bid was worked out: kept with the bids, as buyers can have that for nothing.
    pub(crate) fn write_unpaid(&self, level: &str, text: impl Into<String>) {
        self.put(BID, level, text.into());
    }

    fn put(&self, kept_with: &str, level: &str, text: String) {
        let text = fit(text);
        let mut lines = self.lock();
        lines.count += 1;
        let line = LogLine { number: lines.count, at_ms: ambient::now_ms(), level: level.to_owned(), text };
        let ring = match kept_with {
            BID => &mut lines.bids,
            level if TRADE.contains(&level) => &mut lines.trade,
            _ => &mut lines.written,
        };
        if ring.len() == LINES {
            ring.pop_front();
        }
        ring.push_back(line);
    }

    /// The last `count` lines after number `after`, oldest first.
    pub(crate) fn last(&self, count: usize, after: u64) -> Vec<LogLine> {
        let lines = self.lock();
        let mut all: Vec<LogLine> =
            lines.written.iter().chain(&lines.trade).chain(&lines.bids).filter(|line| line.number > after).cloned().collect();
        all.sort_by_key(|line| line.number);
        all.split_off(all.len().saturating_sub(count))
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().expect("no panic while lines are locked")
    }
}

/// Others' words may be in it: what a seller refuses with, or a guest fails with.
fn fit(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(LINE_BYTES_MAX));
    match text.contains(char::is_control) {
        true => text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect(),
        false => text,
    }
}

impl Log for Ring {
    fn line(&self, line: hansa_host::log::LogLine) {
        self.write(name(line.level), line.text);
    }
}

/// The log of an agent that works out a price or a bid.
pub(crate) struct Unpaid(pub(crate) Ring);

impl Log for Unpaid {
    fn line(&self, line: hansa_host::log::LogLine) {
        self.0.write_unpaid(name(line.level), line.text);
    }
}

fn name(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_calls_do_not_push_out_what_the_agent_wrote() {
        let ring = Ring::default();
        ring.write("warn", "mine");
        (0..2 * LINES).for_each(|_| ring.write(CALL, "a call"));
        let all = ring.last(usize::MAX, 0);
        assert_eq!((all.len(), all[0].text.as_str()), (LINES + 1, "mine"));
        ring.write(BUY, "a purchase");
        (0..2 * LINES).for_each(|_| ring.write(BID, "a bid"));
        let all = ring.last(usize::MAX, 0);
        assert_eq!((all.len(), all[LINES].text.as_str()), (2 * LINES + 1, "a purchase"));
        let newest = all.last().unwrap().number;
        assert!(ring.last(10, newest).is_empty());
        ring.write("info", "new");
        assert_eq!(ring.last(10, newest).len(), 1);
    }
}
