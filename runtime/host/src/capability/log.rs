//! Lines that a guest writes: through `hansa:agent/log`, stdout or stderr. Capped per call, control characters visible.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard},
};

use super::{Absent, bindings::hansa::agent::log};
use crate::{
    limits::{LOG_LINE_BYTES_MAX, STDERR_TAIL_BYTES_MAX},
    state::State,
};

/// How grave a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// For the agent's author.
    Debug,
    /// Ordinary course of events; what a guest writes to stdout.
    Info,
    /// Something to look at; what a guest writes to stderr.
    Warn,
    /// Something failed.
    Error,
}

/// Where a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogSource {
    /// `hansa:agent/log`.
    Log,
    /// The guest's standard output.
    Stdout,
    /// The guest's standard error.
    Stderr,
    /// The host itself, about the guest's lines.
    Host,
}

/// One line of a guest, without its line end; control characters are written as escapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// How grave.
    pub level: LogLevel,
    /// Where from.
    pub source: LogSource,
    /// At most 4 KiB of text.
    pub text: String,
}

/// Takes the lines of one agent. Called on the thread that runs the guest: must not block.
pub trait Log: Send + Sync {
    /// Takes one line.
    fn line(&self, line: LogLine);
}

impl Log for Absent {
    fn line(&self, line: LogLine) {
        tracing::debug!(source = ?line.source, level = ?line.level, "{}", line.text);
    }
}

impl log::Host for State {
    async fn log(&mut self, level: log::Level, message: String) {
        let level = match level {
            log::Level::Debug => LogLevel::Debug,
            log::Level::Info => LogLevel::Info,
            log::Level::Warn => LogLevel::Warn,
            log::Level::Error => LogLevel::Error,
        };
        self.output.message(level, &message);
    }
}

/// What one call has written so far; shared by its two streams and its log.
pub(crate) struct Output {
    written: Mutex<Written>,
}

struct Written {
    log: Arc<dyn Log>,
    bytes_left: usize,
    bytes_max: usize,
    /// Something was dropped, and the log was told.
    cut: bool,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    tail: Vec<u8>,
}

impl Output {
    pub(crate) fn new(log: Arc<dyn Log>, bytes_max: usize) -> Arc<Self> {
        Arc::new(Output { written: Mutex::new(Written::new(log, bytes_max)) })
    }

    /// The next call begins.
    pub(crate) fn begin(&self, log: Arc<dyn Log>, bytes_max: usize) {
        *self.lock() = Written::new(log, bytes_max);
    }

    fn lock(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn message(&self, level: LogLevel, message: &str) {
        let mut written = self.lock();
        if let Some(allowed) = self.allow(&mut written, message.len()) {
            written.send(level, LogSource::Log, &message.as_bytes()[..allowed]);
        }
    }

    /// Takes bytes of a stream; whole lines go to the log, the rest waits for its line end.
    pub(crate) fn stream(&self, source: LogSource, bytes: &[u8]) {
        let mut written = self.lock();
        if source == LogSource::Stderr {
            written.keep_tail(bytes);
        }
        let Some(allowed) = self.allow(&mut written, bytes.len()) else { return };
        let pending = match source {
            LogSource::Stderr => &mut written.stderr,
            _ => &mut written.stdout,
        };
        pending.extend_from_slice(&bytes[..allowed]);
        let mut rest = std::mem::take(pending);
        let end = rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        for line in rest[..end].split_inclusive(|byte| *byte == b'\n') {
            written.send(level_of(source), source, line);
        }
        rest.drain(..end);
        if rest.len() >= LOG_LINE_BYTES_MAX {
            written.send(level_of(source), source, &std::mem::take(&mut rest));
        }
        match source {
            LogSource::Stderr => written.stderr = rest,
            _ => written.stdout = rest,
        }
    }

    /// Sends unfinished lines; for the end of a call.
    pub(crate) fn finish(&self) {
        let mut written = self.lock();
        for (source, rest) in
            [(LogSource::Stdout, std::mem::take(&mut written.stdout)), (LogSource::Stderr, std::mem::take(&mut written.stderr))]
        {
            if !rest.is_empty() {
                written.send(level_of(source), source, &rest);
            }
        }
    }

    /// The end of what the guest wrote to stderr, control characters visible, line ends kept.
    pub(crate) fn stderr_tail(&self) -> Option<String> {
        let written = self.lock();
        let text = String::from_utf8_lossy(&written.tail);
        let text: Vec<String> = text.lines().map(visible).collect();
        Some(text.join("\n").trim_end().to_owned()).filter(|text| !text.is_empty())
    }

    /// How many of `wanted` bytes may still be logged; none once the call has used up its share.
    fn allow(&self, written: &mut Written, wanted: usize) -> Option<usize> {
        if wanted <= written.bytes_left {
            written.bytes_left -= wanted;
            return Some(wanted);
        }
        if !std::mem::replace(&mut written.cut, true) {
            let text = format!("this call has written {} bytes; the rest is dropped", written.bytes_max);
            written.log.line(LogLine { level: LogLevel::Warn, source: LogSource::Host, text });
        }
        Some(std::mem::take(&mut written.bytes_left)).filter(|left| *left > 0)
    }
}

impl Written {
    fn new(log: Arc<dyn Log>, bytes_max: usize) -> Written {
        let (stdout, stderr, tail) = (Vec::new(), Vec::new(), Vec::new());
        Written { log, bytes_left: bytes_max, bytes_max, cut: false, stdout, stderr, tail }
    }

    fn send(&self, level: LogLevel, source: LogSource, line: &[u8]) {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let mut pieces = line.chunks(LOG_LINE_BYTES_MAX);
        let first = pieces.next().unwrap_or_default();
        for piece in std::iter::once(first).chain(pieces) {
            let text = visible(&String::from_utf8_lossy(piece));
            self.log.line(LogLine { level, source, text });
        }
    }

    fn keep_tail(&mut self, bytes: &[u8]) {
        let bytes = &bytes[bytes.len().saturating_sub(STDERR_TAIL_BYTES_MAX)..];
        let overflow = (self.tail.len() + bytes.len()).saturating_sub(STDERR_TAIL_BYTES_MAX);
        self.tail.drain(..overflow.min(self.tail.len()));
        self.tail.extend_from_slice(bytes);
    }
}

fn level_of(source: LogSource) -> LogLevel {
    if source == LogSource::Stderr { LogLevel::Warn } else { LogLevel::Info }
}

/// Writes control characters and the marks that reorder text (Unicode's bidirectional controls) as escapes.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let hidden = c.is_control() && c != '\t';
        let reorders = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if hidden || reorders {
            write!(out, "{}", c.escape_default()).expect("writing to a string cannot fail");
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Lines(Mutex<Vec<String>>);
    impl Log for Lines {
        fn line(&self, line: LogLine) {
            self.0.lock().unwrap().push(format!("{:?} {}", line.source, line.text));
        }
    }

    #[test]
    fn lines_are_joined_capped_and_made_visible() {
        let lines = Arc::new(Lines::default());
        let output = Output::new(lines.clone(), 40);
        output.stream(LogSource::Stdout, b"one ");
        output.stream(LogSource::Stdout, b"line\nred \x1b[31m\nrest");
        output.message(LogLevel::Info, "a\nb");
        output.stream(LogSource::Stderr, b"this is more than may be written");
        output.stream(LogSource::Stderr, b"nothing of this");
        output.finish();
        let lines = lines.0.lock().unwrap().clone();
        assert_eq!(
            lines,
            [
                "Stdout one line",
                "Stdout red \\u{1b}[31m",
                "Log a\\nb",
                "Host this call has written 40 bytes; the rest is dropped",
                "Stdout rest",
                "Stderr this is more t",
            ]
        );
        assert_eq!(output.stderr_tail().unwrap(), "this is more than may be writtennothing of this");
    }
}
