//! Markdown (CommonMark and GitHub's tables, task lists and footnotes).

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::html;
use crate::outline::Outline;
use crate::source::Source;
use crate::units::{Traced, Unit};

/// The sentences of the text and the lines of its code blocks. Front matter is left out.
#[must_use]
pub fn units(source: &Source<'_>) -> Vec<Unit> {
    let mut walk = Walk::new();
    for (event, range) in Parser::new_ext(source.text, extensions()).into_offset_iter() {
        walk.event(event, source.line(range.start));
    }
    walk.end_block();
    walk.units
}

fn extensions() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_DEFINITION_LIST
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
        | Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS
}

/// What the text of the present block is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    Prose,
    Verbatim,
    Html,
    Metadata,
}

struct Walk {
    outline: Outline,
    units: Vec<Unit>,
    text: Traced,
    block: Block,
    /// Raw HTML of a block of it, and the line where it begins.
    html: (String, u32),
}

impl Walk {
    fn new() -> Self {
        Self {
            outline: Outline::default(),
            units: Vec::new(),
            text: Traced::default(),
            block: Block::Prose,
            html: (String::new(), 1),
        }
    }

    fn event(&mut self, event: Event<'_>, line: u32) {
        match event {
            Event::Start(tag) => self.start(&tag, line),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Code(text) if self.block != Block::Metadata => self.text.push(&text, line),
            Event::InlineHtml(tag) if tag.starts_with("<br") => self.text.separate(" "),
            Event::InlineHtml(tag) if !html::is_inline_tag(&tag) => self.text.push(&tag, line),
            Event::Html(raw) => self.html.0.push_str(&raw),
            Event::SoftBreak | Event::HardBreak => self.text.separate(" "),
            Event::Rule => self.end_block(),
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>, line: u32) {
        match tag {
            Tag::TableCell if !self.text.is_blank() => self.text.separate(" | "),
            Tag::TableCell => {}
            tag if is_inline(tag) => {}
            tag => {
                self.end_block();
                self.html.1 = line;
                self.block = match tag {
                    Tag::CodeBlock(_) => Block::Verbatim,
                    Tag::HtmlBlock => Block::Html,
                    Tag::MetadataBlock(_) => Block::Metadata,
                    _ => Block::Prose,
                };
            }
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(level) => self.outline.enter(depth(level), self.text.take().text()),
            TagEnd::TableCell
            | TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough
            | TagEnd::Superscript
            | TagEnd::Subscript
            | TagEnd::Link
            | TagEnd::Image => {}
            _ => self.end_block(),
        }
    }

    fn end_block(&mut self) {
        let text = self.text.take();
        match std::mem::replace(&mut self.block, Block::Prose) {
            Block::Prose => text.sentences(&self.outline.path(), &mut self.units),
            Block::Verbatim => text.lines(&self.outline.path(), &mut self.units),
            Block::Html => {
                let (raw, line) = std::mem::take(&mut self.html);
                html::walk(&Source::of_text(&raw), line, &mut self.outline, &mut self.units);
            }
            Block::Metadata => {}
        }
    }
}

fn is_inline(tag: &Tag<'_>) -> bool {
    matches!(
        tag,
        Tag::Emphasis
            | Tag::Strong
            | Tag::Strikethrough
            | Tag::Superscript
            | Tag::Subscript
            | Tag::Link { .. }
            | Tag::Image { .. }
    )
}

fn depth(level: HeadingLevel) -> usize {
    level as usize
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
    fn prose_loses_its_markup_and_keeps_its_lines() {
        let text = "---\ntitle: x\n---\n# The *Guide*\r\n\r\nRun **it** with [care](http://x).\r\nThen `stop`. Done.\r\n\r\n## Next\n\n- one\n- two\n  more\n";
        let expected = [
            row("The Guide", "Run it with care.", 6, 6),
            row("The Guide", "Then stop.", 7, 7),
            row("The Guide", "Done.", 7, 7),
            row("The Guide > Next", "one", 11, 11),
            row("The Guide > Next", "two more", 12, 13),
        ];
        assert_eq!(read(text), expected);
    }

    #[test]
    fn code_and_tables_stay_readable() {
        let text = "Setext\n======\n\n```sh\ncargo  build\n\ncargo test\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n";
        let expected = [
            row("Setext", "cargo  build", 5, 5),
            row("Setext", "cargo test", 7, 7),
            row("Setext", "a | b", 10, 10),
            row("Setext", "1 | 2", 12, 12),
        ];
        assert_eq!(read(text), expected);
    }

    #[test]
    fn what_only_looks_like_a_tag_stays() {
        let text = "A list<u8> is <b>bytes</b> for <agent>.<!-- no -->\n";
        assert_eq!(read(text), [row("", "A list<u8> is bytes for <agent>.", 1, 1)]);
    }

    #[test]
    fn html_inside_is_read_as_html() {
        let text = "Before.\n\n<div>\n<h1 align=\"center\">Big <b>Name</b></h1>\n<p>Inside it.</p>\n</div>\n\nAfter<br>that.\n";
        let expected = [row("", "Before.", 1, 1), row("Big Name", "Inside it.", 5, 5), row("Big Name", "After that.", 8, 8)];
        assert_eq!(read(text), expected);
    }
}
