//! Two texts to their changes, and the limits of what is compared.

use hansa_sdk::Fault;

use crate::alignment;
use crate::limits::{LINES_MAX, TEXT_BYTES_MAX};

/// Lines that went, and lines that came in their place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change<'a> {
    /// Position of the first removed line, or of the line before which the added ones came; from 0.
    pub before: usize,
    /// What went.
    pub removed: &'a [&'a str],
    /// Position of the first added line, or of the line before which the removed ones stood; from 0.
    pub after: usize,
    /// What came.
    pub added: &'a [&'a str],
}

/// The lines of `text`, which is argument `name`. Joined by newlines they are the text again.
///
/// # Errors
/// [`Fault::InvalidInput`]: more than is compared, or no text.
pub fn lines<'a>(name: &str, text: &'a str) -> Result<Vec<&'a str>, Fault> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(Fault::invalid_input(format!(
            "`{name}` has `{}` bytes; send at most {TEXT_BYTES_MAX}, or compare its parts",
            text.len()
        )));
    }
    if let Some(at) = text.find('\0') {
        return Err(Fault::invalid_input(format!("`{name}` has a zero byte at `{at}`, which no text has; send text")));
    }
    let lines: Vec<&str> = text.split('\n').collect();
    match lines.len() {
        0..=LINES_MAX => Ok(lines),
        many => Err(Fault::invalid_input(format!("`{name}` has `{many}` lines; send at most {LINES_MAX}, or compare its parts"))),
    }
}

/// Changes from top to bottom, and the number of lines that stay.
#[must_use]
pub fn compare<'a>(before: &'a [&'a str], after: &'a [&'a str]) -> (Vec<Change<'a>>, usize) {
    let kept = alignment::kept(before, after);
    let mut changes = Vec::new();
    let mut start = (0, 0);
    for (left, right) in kept.iter().copied().chain([(before.len(), after.len())]) {
        let (removed, added) = (&before[start.0..left], &after[start.1..right]);
        if !removed.is_empty() || !added.is_empty() {
            changes.push(Change { before: start.0, removed, after: start.1, added });
        }
        start = (left + 1, right + 1);
    }
    (changes, kept.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `before` with its changes put in.
    fn applied(before: &[&str], changes: &[Change<'_>]) -> Vec<String> {
        let mut made = Vec::new();
        let mut at = 0;
        for change in changes {
            made.extend_from_slice(&before[at..change.before]);
            assert_eq!(made.len(), change.after, "{change:?}");
            assert_eq!(&before[change.before..change.before + change.removed.len()], change.removed);
            made.extend_from_slice(change.added);
            at = change.before + change.removed.len();
        }
        made.extend_from_slice(&before[at..]);
        made.into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn changes_say_what_went_and_what_came() {
        let (before, after) =
            (lines("before", "salt\nherring\nwax\n").unwrap(), lines("after", "salt\ncod\nwax\nfur\n").unwrap());
        let (changes, kept) = compare(&before, &after);
        assert_eq!(kept, 3);
        let cod = Change { before: 1, removed: &["herring"], after: 1, added: &["cod"] };
        let fur = Change { before: 3, removed: &[], after: 3, added: &["fur"] };
        assert_eq!(changes, [cod, fur]);
        assert_eq!(compare(&before, &before), (vec![], 4));
    }

    #[test]
    fn changes_put_into_the_first_text_give_the_second() {
        // Texts of few and of many different lines, from a linear congruential generator.
        let mut state = 2034_u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for round in 0..2_000 {
            let kinds = 2 + round % 40;
            let mut text = || (0..next(40)).map(|_| next(kinds).to_string()).collect::<Vec<_>>().join("\n");
            let (before, after) = (text(), text());
            let (left, right) = (lines("before", &before).unwrap(), lines("after", &after).unwrap());
            let (changes, kept) = compare(&left, &right);
            assert_eq!(applied(&left, &changes).join("\n"), after, "{before:?}");
            assert_eq!(kept + changes.iter().map(|change| change.removed.len()).sum::<usize>(), left.len());
        }
    }

    #[test]
    fn texts_have_limits() {
        assert_eq!(lines("before", "").unwrap(), [""]);
        assert!(lines("before", &"x".repeat(TEXT_BYTES_MAX)).is_ok());
        assert!(lines("before", &"\n".repeat(LINES_MAX - 1)).is_ok());
        for text in ["x".repeat(TEXT_BYTES_MAX + 1), "\n".repeat(LINES_MAX)] {
            let Err(Fault::InvalidInput(why)) = lines("after", &text) else { panic!("it was taken") };
            assert!(why.contains("`after`") && why.contains("compare its parts"), "{why}");
        }
        let Err(Fault::InvalidInput(why)) = lines("after", "PK\u{3}\0") else { panic!("it was taken") };
        assert!(why.contains("zero byte at `3`"), "{why}");
    }
}
