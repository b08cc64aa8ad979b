//! An export in parts: made on a thread of its own, no faster than somebody takes them.

use std::io::{self, Write};

use hansa_ledger::Ledger;
use hansa_ledger::export::{ExportError, ExportFormat, ExportReport};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Bytes of one part, about.
const PART_BYTES: usize = 64 * 1024;
/// Parts that wait to be taken.
const PARTS_WAITING: usize = 4;

/// Export `ledger`: its parts, whole lines of text, in order, and what came of it. Whoever lets the parts go ends the export.
pub(crate) fn export_parts(
    ledger: Ledger,
    format: ExportFormat,
) -> (mpsc::Receiver<String>, JoinHandle<Result<ExportReport, ExportError>>) {
    let (sender, parts) = mpsc::channel(PARTS_WAITING);
    let export = move || ledger.export(format, &mut Parts { sender, waiting: Vec::new() });
    (parts, tokio::task::spawn_blocking(export))
}

struct Parts {
    sender: mpsc::Sender<String>,
    waiting: Vec<u8>,
}

impl Parts {
    /// Send what waits, up to its byte `end`.
    fn send(&mut self, end: usize) -> io::Result<()> {
        if end == 0 {
            return Ok(());
        }
        let rest = self.waiting.split_off(end);
        let part = String::from_utf8(std::mem::replace(&mut self.waiting, rest)).map_err(io::Error::other)?;
        self.sender.blocking_send(part).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Write for Parts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= PART_BYTES {
            let lines = self.waiting.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
            self.send(lines)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send(self.waiting.len())
    }
}
