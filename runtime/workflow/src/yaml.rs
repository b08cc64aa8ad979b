//! YAML 1.2 as a tree whose every node knows its place.
//!
//! Workflows need little of YAML, and what is surprising in it is refused: anchors and aliases (so that no small file can be a large one),
//! tags, merge keys, several documents, keys that are no texts, keys that stand twice. Plain scalars mean what the core schema says
//! (YAML 1.2.2 §10.3.2): `yes`, `on` and `12:30` are texts.

use granit_parser::{Event, Marker, Parser, ScalarStyle, Span};
use serde_json::Value;

use crate::limits::{FILE_BYTES_MAX, NESTING_MAX, NODES_MAX};
use crate::place::{Place, Problem};

/// A node and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Its first character.
    pub place: Place,
    /// What it is.
    pub kind: Kind,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// `null`, `true`, a number or a text.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A map, in the file's order.
    Map(Vec<Entry>),
}

/// One key of a map, with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where it stands.
    pub place: Place,
    /// What it has.
    pub value: Node,
}

/// A scalar: its text, and what that means.
#[derive(Clone, Debug, PartialEq)]
pub struct Scalar {
    /// As it stands there, quotes and line folding undone.
    pub text: String,
    /// As JSON.
    pub value: Value,
    layout: Layout,
}

/// How the characters of a scalar lie in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// One after another on one line, so many columns from the node's place.
    Line { skip: u32 },
    /// A literal block (`|`): line by line, each indented like its first one, where the node's place is.
    Block,
    /// With escapes or folded.
    Other,
}

impl Node {
    /// Where the character at byte `at` of this scalar's text stands: as exactly as its style lets one say.
    pub fn place_in(&self, at: usize) -> Place {
        let Kind::Scalar(scalar) = &self.kind else { return self.place };
        let before = &scalar.text[..scalar.text.floor_char_boundary(at)];
        let columns = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        match scalar.layout {
            Layout::Line { skip } => Place { column: self.place.column + skip + columns(before), ..self.place },
            Layout::Block => {
                let lines = u32::try_from(before.matches('\n').count()).unwrap_or(u32::MAX);
                let last = before.rsplit('\n').next().unwrap_or(before);
                Place { line: self.place.line + lines, column: self.place.column + columns(last) }
            }
            Layout::Other => self.place,
        }
    }

    /// What it is called in messages.
    pub fn sort(&self) -> &'static str {
        match &self.kind {
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
            Kind::Scalar(scalar) => match scalar.value {
                Value::Null => "nothing",
                Value::Bool(_) => "true or false",
                Value::Number(_) => "a number",
                _ => "a text",
            },
        }
    }

    /// The same as JSON.
    pub fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Scalar(scalar) => scalar.value.clone(),
            Kind::List(items) => items.iter().map(Node::to_json).collect(),
            Kind::Map(entries) => entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect(),
        }
    }
}

/// Reads one document.
///
/// # Errors
/// The first place that is no YAML, or more of it than is allowed here.
pub fn read(text: &str) -> Result<Node, Problem> {
    let start = Place { line: 1, column: 1 };
    if text.len() > FILE_BYTES_MAX {
        return Err(Problem::new(start, format!("the file has {} bytes; at most {FILE_BYTES_MAX}", text.len())));
    }
    let mut options = granit_parser::Options::default();
    (options.flow_nesting_limit, options.block_nesting_limit) = (NESTING_MAX, NESTING_MAX);
    (options.disallow_directives, options.emit_unresolved_aliases) = (true, true);
    let mut tree = Tree { text, nodes: 0, open: Vec::new(), root: None };
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| Problem::new(place(error.marker()), error.info().to_string()))?;
        tree.take(event, span)?;
    }
    tree.root.ok_or_else(|| Problem::new(start, "the file is empty"))
}

fn place(marker: &Marker) -> Place {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Place { line: number(marker.line()), column: number(marker.col()).saturating_add(1) }
}

/// What is being read.
struct Tree<'a> {
    text: &'a str,
    nodes: usize,
    open: Vec<Open>,
    root: Option<Node>,
}

/// A list or map whose end is still to come.
struct Open {
    place: Place,
    kind: Kind,
    /// The key whose value comes next.
    key: Option<(String, Place)>,
}

impl Tree<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        let at = place(&span.start);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                plain(at, anchor, tag.is_some())?;
                self.scalar(text.into_owned(), style, span)
            }
            Event::SequenceStart(_, anchor, tag) => {
                plain(at, anchor, tag.is_some())?;
                self.begin(at, Kind::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                plain(at, anchor, tag.is_some())?;
                self.begin(at, Kind::Map(Vec::new()))
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => self.put(Node { place: open.place, kind: open.kind }),
                None => Ok(()),
            },
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                Err(Problem::new(at, "aliases (`*name`) are not used here; write it out, or quote a text that begins with `*`"))
            }
            Event::DocumentStart(..) if self.root.is_some() => {
                Err(Problem::new(at, "a second document begins; a file has one workflow"))
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, at: Place, kind: Kind) -> Result<(), Problem> {
        self.no_key(at)?;
        self.open.push(Open { place: at, kind, key: None });
        Ok(())
    }

    /// A map or list cannot be a key.
    fn no_key(&self, at: Place) -> Result<(), Problem> {
        match self.open.last() {
            Some(Open { kind: Kind::Map(_), key: None, .. }) => Err(Problem::new(at, "a key is a text")),
            _ => Ok(()),
        }
    }

    fn scalar(&mut self, text: String, style: ScalarStyle, span: Span) -> Result<(), Problem> {
        let at = place(&span.start);
        if let Some(Open { kind: Kind::Map(entries), key: key @ None, .. }) = self.open.last_mut() {
            if let Some(first) = entries.iter().find(|entry| entry.key == text) {
                return Err(Problem::new(at, format!("`{text}` stands twice; first at {}", first.place)));
            }
            if text == "<<" && style == ScalarStyle::Plain {
                return Err(Problem::new(at, "merge keys (`<<`) are not used here; write it out"));
            }
            *key = Some((text, at));
            return Ok(());
        }
        let value = match style {
            ScalarStyle::Plain => meaning(&text),
            _ => Value::String(text.clone()),
        };
        let layout = self.layout(&text, style, span);
        self.put(Node { place: at, kind: Kind::Scalar(Scalar { text, value, layout }) })
    }

    fn layout(&self, text: &str, style: ScalarStyle, span: Span) -> Layout {
        let source = span.byte_range().and_then(|range| self.text.get(range)).unwrap_or_default();
        match style {
            ScalarStyle::Plain if source == text => Layout::Line { skip: 0 },
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted
                if source.get(1..).is_some_and(|rest| rest.starts_with(text)) =>
            {
                Layout::Line { skip: 1 }
            }
            ScalarStyle::Literal => Layout::Block,
            _ => Layout::Other,
        }
    }

    fn put(&mut self, node: Node) -> Result<(), Problem> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(Problem::new(node.place, format!("more than {NODES_MAX} texts, lists and maps; split the workflow")));
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open { kind: Kind::List(items), .. }) => items.push(node),
            Some(Open { kind: Kind::Map(entries), key, .. }) => {
                if let Some((key, place)) = key.take() {
                    entries.push(Entry { key, place, value: node });
                }
            }
            Some(Open { kind: Kind::Scalar(_), .. }) => {}
        }
        Ok(())
    }
}

fn plain(at: Place, anchor: usize, tagged: bool) -> Result<(), Problem> {
    match (anchor, tagged) {
        (0, false) => Ok(()),
        (0, true) => Err(Problem::new(at, "tags (`!name`) are not used here; quote a text that begins with `!`")),
        _ => Err(Problem::new(at, "anchors (`&name`) are not used here; quote a text that begins with `&`")),
    }
}

/// What a plain scalar means by YAML's core schema. Numbers beyond JSON's (`.inf`, `0x1F`, `0o17`) are texts.
fn meaning(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        number if number.starts_with(|first: char| first.is_ascii_digit() || first == '-') => {
            serde_json::from_str(number).ok().filter(Value::is_number).unwrap_or_else(|| Value::String(number.to_owned()))
        }
        other => Value::String(other.to_owned()),
    }
}

#[cfg(test)]
mod tests;
