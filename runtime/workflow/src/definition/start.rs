//! Triggers: topics of the bus whose messages start runs.

use std::collections::BTreeMap;

use super::fields::{Fields, Problems};
use super::template::Template;
use crate::limits::{TOPIC_BYTES_MAX, TRIGGERS_MAX};
use crate::place::Place;
use crate::yaml::{Kind, Node};

/// A topic; each message on it starts a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    /// Tokens between dots; `*` stands for one token, `>` at the end for all further ones.
    pub topic: String,
    /// Inputs of the run, made from the message (`.message`, JSON).
    pub with: Template,
    /// Labels of the run, made from it too.
    pub labels: BTreeMap<String, Template>,
    /// Where it stands.
    pub place: Place,
}

/// One trigger, or a list of them.
pub(super) fn read(node: &Node, problems: &mut Problems) -> Vec<Trigger> {
    let Kind::List(items) = &node.kind else { return trigger(node, problems).into_iter().collect() };
    if let Some(beyond) = items.get(TRIGGERS_MAX) {
        problems.add(beyond.place, format!("more than {TRIGGERS_MAX} topics; use `*` and `>` in one"));
    }
    items.iter().filter_map(|item| trigger(item, problems)).collect()
}

fn trigger(node: &Node, problems: &mut Problems) -> Option<Trigger> {
    let mut fields = Fields::of(node, "a start, a map with `topic` and `with`", problems);
    let topic = fields.need("topic", "whose messages start runs, as `\"acme.inbox.*\"`", problems);
    let topic = topic.and_then(|node| topic_of(node, problems));
    let with = fields.get("with").map(|node| Template::read(node, problems));
    let labels = fields.get("labels").map(|node| labels(node, problems)).unwrap_or_default();
    fields.done(problems);
    let with = with.unwrap_or(Some(Template::Map(Vec::new())))?;
    Some(Trigger { topic: topic?, with, labels, place: node.place })
}

fn labels(node: &Node, problems: &mut Problems) -> BTreeMap<String, Template> {
    let entries = problems.map(node, "labels, a map of names to texts");
    entries.iter().filter_map(|entry| Some((entry.key.clone(), Template::read(&entry.value, problems)?))).collect()
}

fn topic_of(node: &Node, problems: &mut Problems) -> Option<String> {
    let topic = problems.text(node, "a topic, as `acme.inbox.*`")?;
    if topic.len() > TOPIC_BYTES_MAX {
        problems.add(node.place, format!("a topic of {} bytes; at most {TOPIC_BYTES_MAX}", topic.len()));
        return None;
    }
    let word = |token: &str| {
        !token.is_empty() && token.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'))
    };
    let last = topic.matches('.').count();
    let fits = |(at, token): (usize, &str)| token == "*" || word(token) || (token == ">" && at == last);
    if !topic.split('.').enumerate().all(fits) {
        let form = "tokens of letters, digits, `-` and `_` between dots, `*` for one token, `>` at the end for all further ones";
        problems.add(node.place, format!("`{topic}` is no topic: {form}"));
        return None;
    }
    Some(topic.to_owned())
}
