//! Words and numbers of a report: escaped, cut, with their units.

use std::io::Write;

use chrono::{DateTime, Datelike as _, Timelike as _, Utc};
use unicode_width::UnicodeWidthChar as _;

use super::super::Answer;
use crate::terminal::shown;

/// Columns of a terminal (UAX #11); those that are drawn onto the letter before count too, so that no line is endless.
fn columns(letter: char) -> usize {
    letter.width().unwrap_or(1).max(1)
}

pub(super) fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// The beginning that has room in so many columns.
fn begin(text: &str, room: usize) -> &str {
    let mut taken = 0;
    let over = text.char_indices().find(|(_, letter)| {
        taken += columns(*letter);
        taken > room
    });
    over.map_or(text, |(at, _)| &text[..at])
}

/// Escaped, and cut where it is longer.
pub(super) fn cut(text: &str, room: usize) -> String {
    // Escapes make nothing shorter: what is far beyond the room need not be looked at.
    let text = begin(text, room.saturating_mul(2) + 2);
    let shown = shown(text);
    match width(&shown) <= room {
        true => shown,
        false => format!("{}…", begin(&shown, room.saturating_sub(1))),
    }
}

/// Escaped, in lines of so many columns, broken between words where that is possible; what has no room in so many lines is cut.
pub(super) fn wrapped(text: &str, room: usize, lines_max: usize) -> Vec<String> {
    let room = room.max(1);
    let shown = shown(begin(text, room.saturating_mul(lines_max + 1)));
    let (mut rest, mut lines) = (shown.trim_end(), Vec::new());
    while lines.len() + 1 < lines_max && width(rest) > room {
        let fits = begin(rest, room);
        let at = if rest[fits.len()..].starts_with(' ') {
            fits.len()
        } else {
            fits.rfind(' ').filter(|at| *at > 0).unwrap_or(fits.len())
        };
        // One letter at least, so that it comes to an end.
        let at = at.max(rest.chars().next().map_or(0, char::len_utf8));
        lines.push(rest[..at].trim_end().to_owned());
        rest = rest[at..].trim_start();
    }
    if lines.is_empty() || !rest.is_empty() {
        lines.push(cut(rest, room));
    }
    lines
}

/// The same, of a place: its end says more than its beginning. Places have letters of ASCII.
pub(super) fn cut_place(path: &str, room: usize) -> String {
    let shown = shown(path);
    let count = shown.chars().count();
    match count <= room {
        true => shown,
        false => std::iter::once('…').chain(shown.chars().skip(count + 1 - room)).collect(),
    }
}

/// A value in so many columns; of a longer one its beginning, and how long it is.
pub(super) fn value(answer: &Answer, room: usize) -> String {
    let size = format!("{} {}", grouped(answer.bytes), if answer.bytes == 1 { "byte" } else { "bytes" });
    let Some(value) = &answer.value else { return size };
    let mut start = Start { bytes: Vec::new(), most: room.saturating_mul(8) };
    // It fails where there is enough.
    let is_whole = serde_json::to_writer(&mut start, value).is_ok();
    let text = match std::str::from_utf8(&start.bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&start.bytes[..error.valid_up_to()]).expect("it is valid up to there"),
    };
    let shown = shown(text);
    if is_whole && width(&shown) <= room {
        return shown;
    }
    let more = format!("… {size}; --json shows it");
    format!("{}{more}", begin(&shown, room.saturating_sub(width(&more))))
}

/// The first bytes of what is written.
struct Start {
    bytes: Vec<u8>,
    most: usize,
}

impl Write for Start {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let room = self.most - self.bytes.len();
        if room == 0 {
            return Err(std::io::ErrorKind::WriteZero.into());
        }
        let taken = bytes.len().min(room);
        self.bytes.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// `2,341`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (nth, digit) in digits.chars().enumerate() {
        if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 item`, `2 items`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", grouped(count))
}

fn at(unix_ms: u64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(i64::try_from(unix_ms).ok()?)
}

/// `08:00:00.005`, UTC.
pub(in super::super) fn clock(unix_ms: u64) -> String {
    at(unix_ms).map_or_else(never, |at| format!("{:02}:{:02}:{:02}.{:03}", at.hour(), at.minute(), at.second(), unix_ms % 1_000))
}

/// `2027-01-15`, UTC.
pub(super) fn day(unix_ms: u64) -> String {
    at(unix_ms).map_or_else(never, |at| format!("{:04}-{:02}-{:02}", at.year(), at.month(), at.day()))
}

/// `2027-01-15 08:00:00 UTC`.
pub fn moment(unix_ms: u64) -> String {
    at(unix_ms).map_or_else(never, |at| format!("{} {:02}:{:02}:{:02} UTC", day(unix_ms), at.hour(), at.minute(), at.second()))
}

/// Times that no calendar has.
fn never() -> String {
    "the end of time".to_owned()
}

/// `250 ms`, `12.3 s`, `4 min 05 s`, `2 h 05 min`, `3 d 4 h`.
pub(super) fn span(ms: u64) -> String {
    let (seconds, minutes, hours) = (ms / 1_000, ms / 60_000, ms / 3_600_000);
    match () {
        () if ms < 1_000 => format!("{ms} ms"),
        () if minutes == 0 => format!("{seconds}.{} s", ms % 1_000 / 100),
        () if hours == 0 => format!("{minutes} min {:02} s", seconds % 60),
        () if hours < 24 => format!("{hours} h {:02} min", minutes % 60),
        () => format!("{} d {} h", hours / 24, hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn strangers_words_stay_in_their_line() {
        for (text, wanted) in [
            ("a\u{1b}[2J\u{9b}1m\r\n\tb", "a\\u{1b}[2J\\u{9b}1m\\u{d}\\u{a}    b"),
            ("\u{202e}x\u{2066}\u{2028}", "\\u{202e}x\\u{2066}\\u{2028}"),
            ("naïve 日本語", "naïve 日本語"),
        ] {
            assert_eq!(cut(text, 100), wanted);
        }
        assert_eq!((cut("abcdef", 6), cut("abcdef", 5), cut("日本語", 4)), ("abcdef".into(), "abcd…".into(), "日…".into()));
        assert!(width(&cut(&"a\u{301}".repeat(500), 10)) <= 10, "marks without a width count");
        assert_eq!((cut_place("a#1/b", 5), cut_place("a#12/b", 5)), ("a#1/b".into(), "…12/b".into()));
    }

    #[test]
    fn long_words_stand_in_several_lines() {
        for (text, room, wanted) in [
            ("one two three", 20, &["one two three"][..]),
            ("one two three", 7, &["one two", "three"]),
            ("one two three", 8, &["one two", "three"]),
            ("abcdefgh ij", 4, &["abcd", "efgh", "ij"]),
            ("日本語 日本", 4, &["日本", "語", "日本"]),
            ("one two three four", 5, &["one", "two", "thre…"]),
            ("", 5, &[""]),
            ("ab", 0, &["a", "b"]),
            ("日本", 1, &["日", "本"]),
        ] {
            assert_eq!(wrapped(text, room, 3), wanted, "{text}");
        }
    }

    #[test]
    fn long_values_are_cut_and_measured() {
        let text = |text: &str| Answer::new(&Value::from(text), true);
        let long = "x".repeat(2_339);
        for (answer, wanted) in [
            (Answer::new(&json!({ "a": [1, null] }), true), r#"{"a":[1,null]}"#.to_owned()),
            (Answer::new(&json!({ "a": [1, null] }), false), "14 bytes".to_owned()),
            (text(&long), format!("\"{}… 2,341 bytes; --json shows it", "x".repeat(9))),
            (text(&"日".repeat(100)), "\"日日日日日… 302 bytes; --json shows it".to_owned()),
            (text("\u{9b}2J"), "\"\\u{9b}2J\"".to_owned()),
        ] {
            assert_eq!(value(&answer, 40), wanted);
        }
    }

    #[test]
    fn numbers_have_their_units() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        let spans = [5, 12_345, 245_000, 7_500_000, 273_600_000].map(span);
        assert_eq!(spans, ["5 ms", "12.3 s", "4 min 05 s", "2 h 05 min", "3 d 4 h"]);
        assert_eq!(moment(1_800_000_000_005), "2027-01-15 08:00:00 UTC");
        assert_eq!((clock(1_800_000_000_005), clock(u64::MAX)), ("08:00:00.005".into(), "the end of time".into()));
    }
}
