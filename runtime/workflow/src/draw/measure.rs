//! How wide texts are, and where they are cut. A drawing does not know which font shows it: widths come from a small table of average
//! character widths, the wider ones of common sans-serif fonts (Noto Sans, Arial's metrics, Roboto, DejaVu Sans), so that boxes are
//! rather too wide than too narrow.

/// Hundredths of the font's size, for the characters from space to `~`.
const WIDTHS: [u16; 95] = [
    30, 38, 44, 80, 60, 90, 74, 26, 37, 37, 55, 80, 30, 34, 30, 41, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 32, 32, 80, 80, 80,
    56, 102, 67, 67, 72, 73, 67, 61, 78, 74, 34, 55, 67, 56, 91, 76, 78, 67, 78, 72, 67, 61, 73, 67, 94, 67, 67, 65, 37, 41, 37,
    80, 56, 48, 58, 62, 52, 62, 58, 35, 62, 62, 26, 26, 55, 26, 94, 62, 60, 62, 62, 41, 52, 37, 62, 56, 79, 56, 56, 50, 60, 55,
    60, 80,
];
/// Of every character of a monospaced font.
const MONO: u32 = 61;

/// Characters that are measured: more than any box has room for.
const MEASURED_MAX: usize = 10_000;

/// A way to write, by what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Font {
    /// The workflow's name.
    Heading,
    /// What a box is called.
    Name,
    /// Sentences.
    Text,
    /// What stands in the file: expressions, functions, types.
    Code,
    /// Terms on a chip.
    Chip,
}

impl Font {
    /// All of them.
    pub(super) const ALL: [Font; 5] = [Font::Heading, Font::Name, Font::Text, Font::Code, Font::Chip];

    /// Class and style of its texts; size in pixels.
    pub(super) fn style(self) -> (&'static str, u32, &'static str) {
        match self {
            Font::Heading => ("heading", 19, "font-weight:600"),
            Font::Name => ("name", 13, "font-weight:600"),
            Font::Text => ("text", 12, "font-weight:400"),
            Font::Code => ("code", 11, "font-weight:400;font-family:ui-monospace,monospace"),
            Font::Chip => ("small", 11, "font-weight:500"),
        }
    }

    /// The width of `text`, in pixels, rounded up; of endless texts that of their beginning.
    pub(super) fn width(self, text: &str) -> i32 {
        let hundredths: u32 = text.chars().take(MEASURED_MAX).map(|letter| self.letter(letter)).sum();
        let (_, size, _) = self.style();
        (hundredths * size).div_ceil(100).cast_signed()
    }

    fn letter(self, letter: char) -> u32 {
        let usual = match letter {
            ' '..='~' if self == Font::Code => MONO,
            ' '..='~' => u32::from(WIDTHS[letter as usize - ' ' as usize]),
            _ => beyond_ascii(letter),
        };
        match self {
            Font::Heading | Font::Name => usual + usual / 6,
            Font::Chip => usual + usual / 20,
            _ => usual,
        }
    }

    /// `text` on one line of at most `width` pixels; what is too long ends with `…`.
    pub(super) fn cut(self, text: &str, width: i32) -> String {
        let line = one_line(text);
        if self.width(&line) <= width {
            return line;
        }
        let mut kept = String::new();
        let mut room = i64::from(width - self.width("…")) * 100;
        let size = i64::from(self.style().1);
        for letter in line.chars() {
            room -= i64::from(self.letter(letter)) * size;
            if room < 0 {
                break;
            }
            kept.push(letter);
        }
        // Marks have no width of their own and are kept with their letter; a joiner has nothing to join any more.
        while kept.ends_with('\u{200d}') {
            kept.pop();
        }
        kept.truncate(kept.trim_end().len());
        kept.push('…');
        kept
    }

    /// `text` in at most `lines_max` lines, broken at spaces.
    pub(super) fn wrap(self, text: &str, width: i32, lines_max: usize) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        let mut used = 0;
        for word in text.split_whitespace() {
            let own = self.width(word);
            let full = lines.len() == lines_max;
            match lines.last_mut() {
                Some(line) if used + self.width(" ") + own <= width => *line = format!("{line} {word}"),
                Some(line) if full => {
                    // One word too many, to be cut.
                    *line = format!("{line} {word}");
                    break;
                }
                _ => {
                    lines.push(word.to_owned());
                    used = -self.width(" ");
                }
            }
            used += self.width(" ") + own;
        }
        lines.iter().map(|line| self.cut(line, width)).collect()
    }
}

/// Without line ends and runs of spaces.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Averages of scripts; whatever is not known is rather wide.
fn beyond_ascii(letter: char) -> u32 {
    match letter {
        // Combining marks, joiners, directions, variation selectors, skin tones.
        '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5bd}' | '\u{64b}'..='\u{65f}' | '\u{200b}'..='\u{200f}' => 0,
        '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0000}'..='\u{e01ef}' => 0,
        '·' => 32,
        '…' => 100,
        '\u{a0}'..='\u{58f}' => 64,
        '\u{590}'..='\u{8ff}' => 60,
        '\u{2010}'..='\u{2027}' => 60,
        '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{fffd}' => 102,
        '\u{1f000}'..='\u{1ffff}' => 138,
        '\u{20000}'.. => 102,
        _ => 90,
    }
}

#[cfg(test)]
mod tests {
    //! Texts fit where they are put.

    use super::*;

    #[test]
    fn what_is_too_long_is_cut_at_a_whole_character() {
        for (text, width, cut) in [
            ("short", 100, "short"),
            ("two\n  lines", 100, "two lines"),
            ("a sentence that goes on", 80, "a sentence…"),
            ("iiiiiiiiii", 40, "iiiiiiiiii"),
            ("WWWWWWWWWW", 40, "WW…"),
            // Four letters with a mark each.
            ("e\u{302}e\u{302}e\u{302}e\u{302}", 27, "e\u{302}e\u{302}…"),
            // A couple, of whom one has room.
            ("👩\u{200d}👩", 30, "👩…"),
            ("漢字漢字", 40, "漢字…"),
            ("x", 1, "…"),
        ] {
            assert_eq!(Font::Text.cut(text, width), cut, "{text}");
        }
    }

    #[test]
    fn sentences_are_broken_at_spaces_and_end() {
        let lines = |most| Font::Text.wrap("one two three four five six", 60, most);
        assert_eq!(lines(9), ["one two", "three four", "five six"]);
        assert_eq!(lines(2), ["one two", "three fo…"]);
        assert_eq!(Font::Text.wrap("", 60, 2), [""; 0]);
    }
}
