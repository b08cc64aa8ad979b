//! Values with expressions in them: `${ … }` holds jq, alone for any value, within a text for a part of it.

use serde_json::Value;

use super::fields::Problems;
use crate::limits::EXPRESSION_BYTES_MAX;
use crate::place::Place;
use crate::yaml::{Kind, Node};

/// An expression in jq.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    /// Its text, without `${` and `}`.
    pub text: String,
    /// Byte of `text` within its scalar.
    at: usize,
    scalar: Node,
}

impl Expression {
    /// Where it begins.
    pub fn place(&self) -> Place {
        self.place_of(self.text.len() - self.text.trim_start().len())
    }

    /// Where byte `at` of its text stands in the file.
    pub fn place_of(&self, at: usize) -> Place {
        self.scalar.place_in(self.at + at)
    }

    /// A scalar that is one expression and nothing beside it.
    pub(super) fn read(node: &Node, wanted: &str, problems: &mut Problems) -> Option<Expression> {
        match Template::read(node, problems) {
            Some(Template::Expression(expression)) => Some(expression),
            Some(_) => {
                problems.add(node.place, format!("{wanted} is wanted, as an expression: `${{ … }}`"));
                None
            }
            None => None,
        }
    }
}

/// A value to be made from the run's data.
#[derive(Clone, Debug, PartialEq)]
pub enum Template {
    /// As it stands.
    Value(Value),
    /// What the expression gives.
    Expression(Expression),
    /// A text with expressions in it.
    Text(Vec<Part>),
    /// A list.
    List(Vec<Template>),
    /// A map.
    Map(Vec<(String, Template)>),
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// As it stands.
    Text(String),
    /// What the expression gives, as text.
    Expression(Expression),
}

impl Template {
    pub(super) fn read(node: &Node, problems: &mut Problems) -> Option<Template> {
        match &node.kind {
            Kind::List(items) => {
                items.iter().map(|item| Template::read(item, problems)).collect::<Option<_>>().map(Template::List)
            }
            Kind::Map(entries) => {
                let read = entries.iter().map(|entry| Some((entry.key.clone(), Template::read(&entry.value, problems)?)));
                read.collect::<Option<_>>().map(Template::Map)
            }
            Kind::Scalar(scalar) if scalar.value.is_string() && scalar.text.contains("${") => text(node, &scalar.text, problems),
            Kind::Scalar(scalar) => Some(Template::Value(scalar.value.clone())),
        }
    }

    /// Every expression in it, in the file's order.
    pub fn expressions(&self) -> Vec<&Expression> {
        match self {
            Template::Value(_) => Vec::new(),
            Template::Expression(expression) => vec![expression],
            Template::Text(parts) => parts.iter().filter_map(Part::expression).collect(),
            Template::List(items) => items.iter().flat_map(Template::expressions).collect(),
            Template::Map(entries) => entries.iter().flat_map(|(_, value)| value.expressions()).collect(),
        }
    }
}

impl Part {
    fn expression(&self) -> Option<&Expression> {
        match self {
            Part::Expression(expression) => Some(expression),
            Part::Text(_) => None,
        }
    }
}

fn text(node: &Node, text: &str, problems: &mut Problems) -> Option<Template> {
    let mut parts = Vec::new();
    let mut rest = 0;
    while let Some(begin) = text[rest..].find("${").map(|at| rest + at) {
        let from = begin + 2;
        let Some(end) = end(&text[from..]).map(|at| from + at) else {
            problems.add(node.place_in(begin), "this `${` has no `}`");
            return None;
        };
        let expression = &text[from..end];
        if expression.trim().is_empty() {
            problems.add(node.place_in(begin), "an empty expression; `${ . }` is all of the data");
            return None;
        }
        if expression.len() > EXPRESSION_BYTES_MAX {
            problems.add(
                node.place_in(begin),
                format!("an expression of more than {EXPRESSION_BYTES_MAX} bytes; take several steps"),
            );
            return None;
        }
        if begin > rest {
            parts.push(Part::Text(text[rest..begin].to_owned()));
        }
        parts.push(Part::Expression(Expression { text: expression.to_owned(), at: from, scalar: node.clone() }));
        rest = end + 1;
    }
    let tail = &text[rest..];
    if let ([Part::Expression(_)], true) = (&parts[..], tail.trim().is_empty()) {
        let Some(Part::Expression(only)) = parts.pop() else { return None };
        return Some(Template::Expression(only));
    }
    if !tail.is_empty() {
        parts.push(Part::Text(tail.to_owned()));
    }
    Some(Template::Text(parts))
}

/// Where the expression ends: at the `}` that is neither in a text of jq nor the end of an object in it. Texts may interpolate (`"\(.a)"`).
fn end(jq: &str) -> Option<usize> {
    // What is open, innermost last: `{`, `(`, or a text.
    let mut open: Vec<char> = Vec::new();
    let mut letters = jq.char_indices();
    while let Some((at, letter)) = letters.next() {
        let in_text = open.last() == Some(&'"');
        match letter {
            '\\' if in_text => match letters.next() {
                Some((_, '(')) => open.push('('),
                Some(_) => {}
                None => return None,
            },
            '"' if in_text => drop(open.pop()),
            _ if in_text => {}
            '"' | '{' | '(' => open.push(letter),
            ')' => drop(open.pop_if(|open| *open == '(')),
            '}' if open.is_empty() => return Some(at),
            '}' => drop(open.pop_if(|open| *open == '{')),
            // A comment goes to the end of its line.
            '#' => letters.by_ref().find(|(_, letter)| *letter == '\n').map_or((), |_| ()),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::yaml;

    fn read(text: &str) -> Result<Template, String> {
        let mut problems = Problems::default();
        let node = yaml::read(text).unwrap();
        let template = Template::read(&node, &mut problems);
        template.ok_or_else(|| problems.0[0].to_string())
    }

    fn texts(template: &Template) -> Vec<&str> {
        template.expressions().into_iter().map(|expression| expression.text.as_str()).collect()
    }

    #[test]
    fn expressions_stand_alone_or_in_texts() {
        assert!(matches!(read("a b").unwrap(), Template::Value(value) if value == json!("a b")));
        assert!(matches!(read("'${ .a }'").unwrap(), Template::Expression(_)));
        assert!(matches!(read("${ .a }").unwrap(), Template::Expression(_)), "a plain scalar too");
        let Template::Text(parts) = read("'from ${.a} to ${.b}.'").unwrap() else { panic!("a text") };
        assert_eq!(parts.len(), 5);
        let map = read("x: [1, '${ .a }']\ny: {z: '-${.b}-'}\n").unwrap();
        assert_eq!(texts(&map), [" .a ", ".b"]);
    }

    #[test]
    fn braces_texts_and_comments_of_jq_do_not_end_an_expression() {
        for jq in [
            r#"{a: {b: 1}}"#,
            r#""}" + .a"#,
            r#""\"}" | length"#,
            r#""\(.a | {b: "}"})" + "}""#,
            "map({a: .}) | .[0]",
            ". # a } in a comment\n | .a",
        ] {
            let text = format!("|\n  x${{{}}}y\n", jq.replace('\n', "\n  "));
            assert_eq!(texts(&read(&text).unwrap()), [jq], "{text}");
        }
    }

    #[test]
    fn a_character_of_an_expression_has_its_place() {
        let Template::Map(entries) = read("a: 1\nbc: 'x ${ .one | .two }'\n").unwrap() else { panic!("a map") };
        let expression = entries[1].1.expressions()[0];
        let two = expression.text.find("two").unwrap();
        assert_eq!((expression.place().to_string(), expression.place_of(two).to_string()), ("2:11".into(), "2:19".into()));
    }

    #[test]
    fn what_is_no_expression_is_said_at_its_place() {
        for (text, says) in [("a: 'x ${ .b'", "1:7: this `${` has no `}`"), ("'${ }'", "1:2: an empty expression")] {
            assert!(read(text).unwrap_err().starts_with(says), "{:?}", read(text));
        }
    }
}
