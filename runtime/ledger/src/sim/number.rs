//! Integers of up to 128 bits, as JSON numbers or as decimal strings.

use std::borrow::Cow;

use serde_json::Value;

/// Digits that certainly fit into the 64 bits of a JSON number here.
const DIGITS_SAFE: usize = 19;

/// The text with long bare integers put between quotation marks: a JSON reader would round them.
pub(super) fn quote_long_integers(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut quoted = String::new();
    let (mut copied, mut at, mut in_string) = (0, 0, false);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if in_string => at += 1,
            b'"' => in_string = !in_string,
            b'0'..=b'9' if !in_string => {
                let length = bytes[at..].iter().take_while(|byte| is_number(**byte)).count();
                let digits = &text[at..at + length];
                if length > DIGITS_SAFE && digits.bytes().all(|byte| byte.is_ascii_digit()) {
                    quoted.push_str(&text[copied..at]);
                    quoted.push_str(&format!("\"{digits}\""));
                    copied = at + length;
                }
                at += length - 1;
            }
            // A sign or a point: the rest of this number is not ours.
            byte if !in_string && is_number(byte) => {
                at += bytes[at..].iter().take_while(|byte| is_number(**byte)).count() - 1;
            }
            _ => {}
        }
        at += 1;
    }
    match copied {
        0 => Cow::Borrowed(text),
        _ => Cow::Owned(quoted + &text[copied..]),
    }
}

fn is_number(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E')
}

/// The whole number that `value` states, if it is one.
pub(super) fn whole(value: &Value) -> Option<Result<u128, TooLarge>> {
    match value {
        Value::Number(number) => number.as_u64().map(|number| Ok(number.into())),
        Value::String(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(text.parse().map_err(|_| TooLarge))
        }
        _ => None,
    }
}

/// More than 2^128 − 1.
pub(super) struct TooLarge;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_bare_integers_are_quoted() {
        for (text, expected) in [
            (r#"{"a":12,"b":-1.5e300}"#, r#"{"a":12,"b":-1.5e300}"#),
            (r#"[340282366920938463463374607431768211455,2]"#, r#"["340282366920938463463374607431768211455",2]"#),
            (r#"["123456789012345678901",-123456789012345678901]"#, r#"["123456789012345678901",-123456789012345678901]"#),
            (r#"["\"123456789012345678901",123456789012345678901.5]"#, r#"["\"123456789012345678901",123456789012345678901.5]"#),
            (r#"true 18446744073709551616"#, r#"true "18446744073709551616""#),
        ] {
            assert_eq!(quote_long_integers(text), expected);
        }
    }
}
