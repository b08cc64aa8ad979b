//! Reading maps key by key: what is missing, unknown or of the wrong sort becomes a problem at its place, and reading goes on.

use std::str::FromStr;

use hansa_catalogue::strict_toml::nearest;
use hansa_economy::Amount;

use crate::place::{Place, Problem};
use crate::yaml::{Entry, Kind, Node};

/// What is wrong with a file so far, and what it names that can be looked up at its end only.
#[derive(Debug, Default)]
pub(super) struct Problems(pub(super) Vec<Problem>, pub(super) Mentions);

/// What is checked when the whole file is read, with its places.
#[derive(Debug, Default)]
pub(super) struct Mentions {
    /// Classes of data that inputs and steps name.
    pub(super) classes: Vec<(String, Place)>,
    /// Budgets of steps and items.
    pub(super) budgets: Vec<(Amount, Place)>,
    /// Maps that were read: what they are, which keys they may have, which they have. The published schema is held to it.
    #[cfg(test)]
    pub(super) maps: Vec<(String, Vec<&'static str>, Vec<String>)>,
}

impl Problems {
    pub(super) fn add(&mut self, place: Place, what: impl Into<String>) {
        self.0.push(Problem::new(place, what));
    }

    /// `node` is something else than `wanted`.
    pub(super) fn wrong(&mut self, node: &Node, wanted: &str) {
        self.add(node.place, format!("{} stands here; {wanted} is wanted", node.sort()));
    }

    /// The text of a scalar that is a text, as by quotes.
    pub(super) fn text<'a>(&mut self, node: &'a Node, wanted: &str) -> Option<&'a str> {
        match &node.kind {
            Kind::Scalar(scalar) if scalar.value.is_string() => Some(&scalar.text),
            _ => {
                self.wrong(node, wanted);
                None
            }
        }
    }

    /// A scalar read as `T` by what it is written like, quoted or not.
    pub(super) fn parsed<T: FromStr<Err: std::fmt::Display>>(&mut self, node: &Node, wanted: &str) -> Option<T> {
        let Kind::Scalar(scalar) = &node.kind else {
            self.wrong(node, wanted);
            return None;
        };
        match scalar.text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.add(node.place, format!("`{}` is no {wanted}: {error}", scalar.text));
                None
            }
        }
    }

    /// A whole number within bounds.
    pub(super) fn count(&mut self, node: &Node, least: u32, most: u32) -> Option<u32> {
        let Kind::Scalar(scalar) = &node.kind else {
            self.wrong(node, "a whole number");
            return None;
        };
        let number = scalar.text.parse().ok().filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.add(node.place, format!("`{}` is no whole number from {least} to {most}", scalar.text));
        }
        number
    }

    /// `true` or `false`; false where `node` is missing.
    pub(super) fn flag(&mut self, node: Option<&Node>) -> bool {
        let Some(node) = node else { return false };
        match &node.kind {
            Kind::Scalar(scalar) if scalar.value.is_boolean() => scalar.value == true,
            _ => {
                self.wrong(node, "`true` or `false`");
                false
            }
        }
    }

    /// The budget of a step or an item, compared with the workflow's when that is known.
    pub(super) fn budget(&mut self, node: &Node) -> Option<Amount> {
        let amount = self.parsed(node, "amount")?;
        self.1.budgets.push((amount, node.place));
        Some(amount)
    }

    /// The name of a class of data, looked up when all are known.
    pub(super) fn class(&mut self, node: &Node) -> Option<String> {
        let name = self.text(node, "the name of a class of data")?.to_owned();
        self.1.classes.push((name.clone(), node.place));
        Some(name)
    }

    pub(super) fn list<'a>(&mut self, node: &'a Node, wanted: &str) -> &'a [Node] {
        match &node.kind {
            Kind::List(items) => items,
            _ => {
                self.wrong(node, wanted);
                &[]
            }
        }
    }

    pub(super) fn map<'a>(&mut self, node: &'a Node, wanted: &str) -> &'a [Entry] {
        match &node.kind {
            Kind::Map(entries) => entries,
            _ => {
                self.wrong(node, wanted);
                &[]
            }
        }
    }
}

/// A map with a fixed set of keys.
pub(super) struct Fields<'a> {
    place: Place,
    entries: &'a [Entry],
    known: Vec<&'static str>,
    #[cfg(test)]
    wanted: String,
}

impl<'a> Fields<'a> {
    pub(super) fn of(node: &'a Node, wanted: &str, problems: &mut Problems) -> Fields<'a> {
        Fields {
            place: node.place,
            entries: problems.map(node, wanted),
            known: Vec::new(),
            #[cfg(test)]
            wanted: wanted.to_owned(),
        }
    }

    /// The value of `key`, if it stands there.
    pub(super) fn get(&mut self, key: &'static str) -> Option<&'a Node> {
        self.known.push(key);
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// The value of `key`, which must stand there.
    pub(super) fn need(&mut self, key: &'static str, why: &str, problems: &mut Problems) -> Option<&'a Node> {
        let found = self.get(key);
        if found.is_none() {
            problems.add(self.place, format!("`{key}` is missing: {why}"));
        }
        found
    }

    /// All keys were asked for: the others are unknown.
    pub(super) fn done(self, problems: &mut Problems) {
        #[cfg(test)]
        {
            let there = self.entries.iter().map(|entry| entry.key.clone()).collect();
            problems.1.maps.push((self.wanted.clone(), self.known.clone(), there));
        }
        for entry in self.entries.iter().filter(|entry| !self.known.contains(&&*entry.key)) {
            let hint = hint(&entry.key, &self.known);
            problems.add(entry.place, format!("unknown key `{}`; {hint}", entry.key));
        }
    }
}

/// What to write instead of `unknown`.
pub(super) fn hint(unknown: &str, known: &[&str]) -> String {
    match nearest(unknown, known.iter().copied()) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None if known.is_empty() => "there is none".to_owned(),
        None => format!("known here: `{}`", known.join("`, `")),
    }
}
