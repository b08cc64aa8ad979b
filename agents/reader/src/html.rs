//! HTML: what a browser would show of it, with the headings above.

use html5gum::{DefaultEmitter, Token, Tokenizer};

use crate::outline::Outline;
use crate::source::Source;
use crate::units::{Traced, Unit};

/// Elements whose content is no prose.
const SKIPPED: [&[u8]; 13] = [
    b"head",
    b"script",
    b"style",
    b"nav",
    b"noscript",
    b"template",
    b"svg",
    b"math",
    b"iframe",
    b"select",
    b"button",
    b"textarea",
    b"object",
];
/// Tags that end a skipped element which nobody closed.
const SKIPPING_ENDS: [&[u8]; 3] = [b"body", b"main", b"article"];
/// Elements that stand on lines of their own.
const BLOCKS: [&[u8]; 34] = [
    b"address",
    b"article",
    b"aside",
    b"blockquote",
    b"body",
    b"caption",
    b"dd",
    b"details",
    b"dialog",
    b"div",
    b"dl",
    b"dt",
    b"fieldset",
    b"figcaption",
    b"figure",
    b"footer",
    b"form",
    b"header",
    b"hr",
    b"html",
    b"li",
    b"main",
    b"ol",
    b"p",
    b"section",
    b"summary",
    b"table",
    b"tbody",
    b"tfoot",
    b"thead",
    b"tr",
    b"ul",
    b"option",
    b"legend",
];
/// Elements that writers of Markdown put into a line; other tags there are placeholders such as `<name>` or types.
const INLINE: [&str; 34] = [
    "a", "abbr", "b", "big", "br", "center", "cite", "code", "del", "dfn", "div", "em", "font", "i", "img", "input", "ins",
    "kbd", "mark", "p", "picture", "q", "s", "samp", "small", "source", "span", "strike", "strong", "sub", "sup", "tt", "u",
    "var",
];

/// The sentences of a page.
#[must_use]
pub fn units(source: &Source<'_>) -> Vec<Unit> {
    let (mut outline, mut units) = (Outline::default(), Vec::new());
    walk(source, 1, &mut outline, &mut units);
    units
}

/// Read HTML that begins at `first_line` of the file, under and into an outline.
pub fn walk(source: &Source<'_>, first_line: u32, outline: &mut Outline, units: &mut Vec<Unit>) {
    let mut emitter = DefaultEmitter::<usize>::new_with_span();
    emitter.naively_switch_states(true);
    let mut walk = Walk { outline, units, text: Traced::default(), skipping: None, verbatim: false };
    for token in Tokenizer::new_with_emitter(source.text, emitter) {
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) => walk.start(&tag.name, tag.self_closing),
            Token::EndTag(tag) => walk.end(&tag.name),
            Token::String(text) => {
                let line = first_line + source.line(text.span.start) - 1;
                walk.string(&String::from_utf8_lossy(&text.value), line);
            }
            _ => {}
        }
    }
    walk.end_block();
}

struct Walk<'a> {
    outline: &'a mut Outline,
    units: &'a mut Vec<Unit>,
    text: Traced,
    /// The element being skipped and how many of its name are open.
    skipping: Option<(Vec<u8>, usize)>,
    /// Inside `pre`.
    verbatim: bool,
}

impl Walk<'_> {
    fn start(&mut self, name: &[u8], self_closing: bool) {
        if SKIPPING_ENDS.contains(&name) {
            self.skipping = None;
        }
        match &mut self.skipping {
            Some((skipped, open)) if skipped == name && !self_closing => *open += 1,
            Some(_) => {}
            None if SKIPPED.contains(&name) && !self_closing => self.skipping = Some((name.to_vec(), 1)),
            None => self.start_shown(name),
        }
    }

    fn start_shown(&mut self, name: &[u8]) {
        match name {
            b"br" => self.text.separate(if self.verbatim { "\n" } else { " " }),
            b"td" | b"th" if !self.text.is_blank() => self.text.separate(" | "),
            b"pre" => {
                self.end_block();
                self.verbatim = true;
            }
            name if BLOCKS.contains(&name) || heading_level(name).is_some() => self.end_block(),
            _ => {}
        }
    }

    fn end(&mut self, name: &[u8]) {
        if let Some((skipped, open)) = &mut self.skipping {
            if skipped == name {
                *open -= 1;
                if *open == 0 {
                    self.skipping = None;
                }
            }
            return;
        }
        match heading_level(name) {
            Some(level) => self.outline.enter(level, self.text.take().text()),
            None if name == b"pre" || BLOCKS.contains(&name) => self.end_block(),
            None => {}
        }
    }

    fn string(&mut self, text: &str, line: u32) {
        match (&self.skipping, self.verbatim) {
            (Some(_), _) => {}
            (None, true) => self.text.push(text, line),
            (None, false) => self.text.push_collapsed(text, line),
        }
    }

    fn end_block(&mut self) {
        let text = self.text.take();
        match std::mem::take(&mut self.verbatim) {
            true => text.lines(&self.outline.path(), self.units),
            false => text.sentences(&self.outline.path(), self.units),
        }
    }
}

/// Is it the tag, opening or closing, of an element that stands within a line, or a comment?
#[must_use]
pub fn is_inline_tag(tag: &str) -> bool {
    let name: String = tag.trim_start_matches(['<', '/']).chars().take_while(char::is_ascii_alphanumeric).collect();
    tag.starts_with("<!") || INLINE.contains(&name.to_ascii_lowercase().as_str())
}

/// 1 to 6 for `h1` to `h6`.
fn heading_level(name: &[u8]) -> Option<usize> {
    match name {
        [b'h', level @ b'1'..=b'6'] => Some(usize::from(level - b'0')),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::units;
    use crate::source::Source;

    fn read(text: &str) -> Vec<(String, String, u32, u32)> {
        let units = units(&Source::of_text(text));
        units.into_iter().map(|u| (u.heading.to_string(), u.text, u.first_line, u.last_line)).collect()
    }

    fn row(heading: &str, text: &str, first: u32, last: u32) -> (String, String, u32, u32) {
        (heading.into(), text.into(), first, last)
    }

    #[test]
    fn a_page_is_what_a_browser_shows() {
        let page = "<!doctype html><html><head><title>T</title>\n<style>p { x: y }</style></head>\n<body><nav><ul><li>Home</li></ul></nav>\n\
            <h1>Prices &amp; terms</h1>\n<p>A call costs\n   <b>one</b> credit. It is\n paid.</p>\n<script>if (a < b) { x() }</script>\n\
            <h2>More</h2><ul><li>First<li>Second</ul>\n<pre>let  a;\nlet b;</pre></body></html>";
        let expected = [
            row("Prices & terms", "A call costs one credit.", 5, 6),
            row("Prices & terms", "It is paid.", 6, 7),
            row("Prices & terms > More", "First", 9, 9),
            row("Prices & terms > More", "Second", 9, 9),
            row("Prices & terms > More", "let  a;", 10, 10),
            row("Prices & terms > More", "let b;", 11, 11),
        ];
        assert_eq!(read(page), expected);
    }

    #[test]
    fn broken_html_is_read_as_far_as_it_goes() {
        assert_eq!(read("<nav>menu<main><p>Text"), [row("", "Text", 1, 1)]);
        assert_eq!(read("a < b and <b>c"), [row("", "a < b and c", 1, 1)]);
        assert_eq!(read("<p></p><div>"), []);
    }

    #[test]
    fn rows_of_tables_stay_together() {
        let table = "<table><tr><th>a</th><th>b</th></tr>\n<tr><td>1</td><td>2</td></tr></table>";
        assert_eq!(read(table), [row("", "a | b", 1, 1), row("", "1 | 2", 2, 2)]);
    }
}
