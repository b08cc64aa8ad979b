//! Lines of source code that begin an item: functions, types, modules, in any of the usual languages.

/// Words that may stand before the one that tells what an item is.
const MODIFIERS: [&str; 30] = [
    "abstract",
    "async",
    "const",
    "data",
    "declare",
    "default",
    "export",
    "extern",
    "final",
    "inline",
    "internal",
    "local",
    "native",
    "open",
    "override",
    "partial",
    "private",
    "protected",
    "pub",
    "public",
    "readonly",
    "sealed",
    "shared",
    "static",
    "suspend",
    "synchronized",
    "unsafe",
    "virtual",
    "create",
    "replace",
];
/// Words that tell what an item is.
const ITEMS: [&str; 36] = [
    "class",
    "contract",
    "def",
    "defmodule",
    "defp",
    "enum",
    "extension",
    "fn",
    "fun",
    "func",
    "function",
    "impl",
    "interface",
    "macro_rules",
    "message",
    "mod",
    "module",
    "namespace",
    "object",
    "package",
    "procedure",
    "proc",
    "program",
    "protocol",
    "record",
    "rpc",
    "service",
    "struct",
    "sub",
    "subroutine",
    "table",
    "trait",
    "type",
    "union",
    "view",
    "world",
];
/// Words before a parenthesis that begin no item.
const CONTROL: [&str; 14] =
    ["if", "else", "for", "foreach", "while", "switch", "match", "catch", "return", "do", "try", "with", "when", "unless"];

/// The signature in `line`, without the brace or colon after it; none if the line begins no item.
#[must_use]
pub fn of(line: &str) -> Option<&str> {
    let line = line.trim();
    (names_an_item(line) || opens_a_function(line)).then(|| trimmed(line)).filter(|signature| !signature.is_empty())
}

/// Does the line belong to the item that follows: a comment, an attribute, a decorator?
#[must_use]
pub fn introduces(line: &str) -> bool {
    let line = line.trim_start();
    ["//", "/*", "* ", "*/", "#[", "@", "--", ";;", "\"\"\""].iter().any(|start| line.starts_with(start))
        || line == "*"
        || line.starts_with("# ")
}

fn names_an_item(line: &str) -> bool {
    let mut words = line.split(|c: char| c.is_whitespace() || "(<!\"".contains(c)).filter(|word| !word.is_empty());
    let kind = words.by_ref().find(|word| !is_modifier(word));
    let named = words.next().is_some_and(|name| name.starts_with(|c: char| c.is_alphanumeric() || "_&*{'`".contains(c)));
    named && kind.is_some_and(is_item)
}

/// SQL writes its words in capitals.
fn is_item(word: &str) -> bool {
    ITEMS.contains(&word) || word == word.to_uppercase() && ITEMS.contains(&word.to_lowercase().as_str())
}

/// `pub(crate)` leaves `crate)` when split at the parenthesis.
fn is_modifier(word: &str) -> bool {
    MODIFIERS.contains(&word) || word.ends_with(')') || MODIFIERS.contains(&word.to_lowercase().as_str())
}

/// `int main(void) {`, `const f = (a) => {`: an opening brace after a parenthesis, with a name before it.
fn opens_a_function(line: &str) -> bool {
    let Some(head) = line.strip_suffix('{') else { return false };
    let Some((before, _)) = head.split_once('(') else { return false };
    let closed = head.contains(')');
    let first = before.split(|c: char| !c.is_alphanumeric() && c != '_').find(|word| !word.is_empty());
    let named = before.trim_end().ends_with(|c: char| c.is_alphanumeric() || "_=>?".contains(c));
    closed && named && first.is_some_and(|word| !CONTROL.contains(&word)) && !before.starts_with(['}', '.', '#', '/', '*'])
}

fn trimmed(line: &str) -> &str {
    let end = line.find(" {").unwrap_or(line.len());
    line[..end].trim_end_matches(['{', '(', ':', ';', ' ']).trim_end_matches("=>").trim_end()
}

#[cfg(test)]
mod tests {
    use super::{introduces, of};

    #[test]
    fn items_of_many_languages_are_seen() {
        let cases = [
            ("pub(crate) async fn read(name: &str) -> u8 {", "pub(crate) async fn read(name: &str) -> u8"),
            ("impl<T> Read for File<T> {", "impl<T> Read for File<T>"),
            ("macro_rules! agent {", "macro_rules! agent"),
            ("    def read(self, name):", "def read(self, name)"),
            ("class Reader(Base):", "class Reader(Base)"),
            ("func (r *Reader) Read(p []byte) (int, error) {", "func (r *Reader) Read(p []byte) (int, error)"),
            ("export default function App() {", "export default function App()"),
            ("const add = (a, b) => {", "const add = (a, b)"),
            ("static int main(int argc) {", "static int main(int argc)"),
            ("CREATE TABLE users (", "CREATE TABLE users"),
            ("interface embedder {", "interface embedder"),
        ];
        for (line, signature) in cases {
            assert_eq!(of(line), Some(signature), "{line}");
        }
    }

    #[test]
    fn other_lines_begin_no_item() {
        for line in [
            "if (a) {",
            "} else if (b) {",
            "let x = f(1);",
            "return foo(bar)",
            "// fn old() {",
            "type = 3",
            "}",
            "",
            "type",
            "for (;;) {",
        ] {
            assert_eq!(of(line), None, "{line}");
        }
    }

    #[test]
    fn comments_introduce_what_follows() {
        assert!(introduces("  /// Reads.") && introduces("#[test]") && introduces("# Reads.") && introduces("@property"));
        assert!(!introduces("x = 1") && !introduces("#include <a>"));
    }
}
