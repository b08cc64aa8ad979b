//! What is too deep, before parsing and after.

use super::*;

#[test]
fn brackets_are_counted_as_the_lexer_has_them() {
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(JQ_NESTING_MAX + 1), close.repeat(JQ_NESTING_MAX + 1));
    for text in [
        deep("[", "]"),
        deep("{a:(", ")}"),
        // Brackets in texts and comments close nothing.
        deep("[\")]\"|", "]"),
        deep("[ # ]\n", "]"),
        deep("[ # \\\n ]\n", "]"),
        deep("\"\\(", ")\""),
        deep(".[", "]"),
        deep("\"\\\"]\" | [", "]"),
    ] {
        assert!(of_text(&text).is_err(), "{text}");
    }
    let wide = "[]()".repeat(1_000) + "\"[[[[\" # [[[";
    assert_eq!(of_text(&wide), Ok(()));
}

#[test]
fn what_the_parser_calls_itself_for_is_counted() {
    for link in ["-", "try ", "if 1 then ", "1 | ", "1, ", "1 // ", "1 as $x | ", "1 and ", "not or ", "1 == "] {
        assert!(of_text(&link.repeat(JQ_LINKS_MAX + 1)).is_err(), "{link}");
        let spread = link.repeat(JQ_LINKS_MAX / JQ_NESTING_MAX + 1) + "[";
        assert!(of_text(&spread.repeat(JQ_NESTING_MAX)).is_err(), "{spread}");
    }
    let members = format!("{{{}}}", "a: -.b + 1, ".repeat(JQ_LINKS_MAX));
    assert_eq!(of_text(&members), Ok(()), "members of an object do not stand behind each other");
}
