//! The headings above a place in a text.

use std::rc::Rc;

use crate::limits::{HEADING_CHARS_MAX, HEADINGS_MAX};

/// Headings from the outermost to the innermost, each with its level.
#[derive(Debug, Default)]
pub struct Outline {
    open: Vec<(usize, String)>,
}

impl Outline {
    /// A heading begins: it closes those of its own level and of all levels below.
    pub fn enter(&mut self, level: usize, title: &str) {
        self.leave(level);
        let title = shortened(title);
        if !title.is_empty() {
            self.open.push((level, title));
        }
    }

    /// Close the headings of `level` and of all levels below.
    pub fn leave(&mut self, level: usize) {
        self.open.retain(|(open, _)| *open < level);
    }

    /// The level of the innermost heading.
    #[must_use]
    pub fn innermost(&self) -> Option<usize> {
        self.open.last().map(|(level, _)| *level)
    }

    /// `outermost > … > innermost`.
    #[must_use]
    pub fn path(&self) -> Rc<str> {
        let titles: Vec<&str> = self.open.iter().take(HEADINGS_MAX).map(|(_, title)| title.as_str()).collect();
        titles.join(" > ").into()
    }
}

fn shortened(title: &str) -> String {
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    match title.char_indices().nth(HEADING_CHARS_MAX) {
        Some((end, _)) => format!("{}…", title[..end].trim_end()),
        None => title,
    }
}

#[cfg(test)]
mod tests {
    use super::Outline;

    #[test]
    fn a_heading_closes_its_equals_and_lessers() {
        let mut outline = Outline::default();
        for (level, title, path) in
            [(1, "A", "A"), (2, "B", "A > B"), (3, "C", "A > B > C"), (2, " D\n d", "A > D d"), (1, "E", "E")]
        {
            outline.enter(level, title);
            assert_eq!(&*outline.path(), path);
        }
    }

    #[test]
    fn a_long_heading_is_cut() {
        let mut outline = Outline::default();
        outline.enter(1, &"ä".repeat(500));
        assert_eq!(outline.path().chars().count(), 121);
    }
}
