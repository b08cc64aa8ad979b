//! Texts within XML: nothing from a workflow's file becomes markup.

/// `text` for an element or a quoted attribute. What XML 1.0 (§2.2) does not allow, and what would turn the order of letters around
/// (UAX #9), becomes `�`: a drawing shows what runs.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\t' | '\n' => escaped.push(letter),
            letter if letter.is_control() || turns(letter) => escaped.push('\u{fffd}'),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ => escaped.push(letter),
        }
    }
    escaped
}

fn turns(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    //! Markup, control characters and turned letters do not get through.

    use super::*;

    #[test]
    fn nothing_is_markup() {
        for (text, escaped) in [
            ("a < b && \"c\" > 'd'", "a &lt; b &amp;&amp; &quot;c&quot; &gt; &#39;d&#39;"),
            ("]]>", "]]&gt;"),
            ("\0\u{1b}[1m\r\u{85}\u{ffff}", "\u{fffd}\u{fffd}[1m\u{fffd}\u{fffd}\u{fffd}"),
            ("\u{202e}x\u{2066}", "\u{fffd}x\u{fffd}"),
            ("مرحبا 👩‍👧\n\t", "مرحبا 👩‍👧\n\t"),
        ] {
            assert_eq!(escape(text), escaped);
        }
    }
}
