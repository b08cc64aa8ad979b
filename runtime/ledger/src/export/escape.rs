//! Text of others in accounting files: it stays text, whatever is in it.

/// Characters of a label that its account's name keeps.
const LABEL_CHARS_MAX: usize = 32;

/// A string of beancount's: quotes and backslashes escaped; control characters, which its readers treat differently, replaced.
pub fn beancount_text(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            letter if letter.is_control() => quoted.push('\u{fffd}'),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

/// Text of others as the value of a tag: what could be read as another tag, a date or another line is percent-encoded.
pub fn hledger_text(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            byte if byte.is_ascii_alphanumeric() || b" -._~/#+@".contains(&byte) => encoded.push(byte.into()),
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// A text that others chose, in quotes. Spreadsheets take a cell that begins with one of these characters for a formula, so
/// an apostrophe goes before it (<https://owasp.org/www-community/attacks/CSV_Injection>).
pub fn csv_cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

/// A label as a part of an account's name: letters and digits, everything else a dash, beginning with a capital or a digit.
pub fn account_part(label: &str) -> String {
    let mut plain = String::new();
    for letter in label.chars() {
        match letter.is_ascii_alphanumeric() {
            true if plain.is_empty() => plain.push(letter.to_ascii_uppercase()),
            true => plain.push(letter),
            false if plain.is_empty() || plain.ends_with('-') => {}
            false => plain.push('-'),
        }
        if plain.len() == LABEL_CHARS_MAX {
            break;
        }
    }
    let plain = plain.trim_end_matches('-');
    if plain.is_empty() { "Account".to_owned() } else { plain.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_others_stay_texts() {
        assert_eq!(csv_cell("a,b \"c\"\nd"), "\"a,b \"\"c\"\"\nd\"");
        assert_eq!(csv_cell("=HYPERLINK(1)"), "\"'=HYPERLINK(1)\"");
    }

    #[test]
    fn labels_become_parts_of_names() {
        for (label, name) in [
            ("main", "Main"),
            ("9 lives", "9-lives"),
            ("  agent/reader (2) ", "Agent-reader-2"),
            ("é\u{1b}[31m\n; x: y", "31m-x-y"),
            ("日本", "Account"),
            ("---", "Account"),
            (&"x".repeat(200), &format!("X{}", "x".repeat(31))),
        ] {
            assert_eq!(account_part(label), name, "{label:?}");
        }
    }
}
