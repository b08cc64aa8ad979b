//! Asking several sellers the same: a call that is bought from more than one, and what its value is then.

use super::fields::{Fields, Problems};
use crate::limits::ASK_SELLERS_MAX;
use crate::place::Place;
use crate::yaml::Node;

/// From how many sellers a call is bought.
///
/// With `agree` the step's value is the answer that so many gave alike; without, a list of `{seller, answer}` of those that answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Different sellers.
    pub sellers: u32,
    /// So many of them must give the same answer: more than half.
    pub agree: Option<u32>,
    /// So many must answer, else the step fails: `agree` where that stands, else `min`, else all.
    pub min: u32,
    /// The part of the answer that must be alike, as names and numbers of items from the outside: `0.label` is `label` of the first item. Empty: all of it.
    pub on: Vec<String>,
    /// Where it stands.
    pub place: Place,
}

impl Ask {
    pub(super) fn read(node: &Node, problems: &mut Problems) -> Option<Ask> {
        let mut fields = Fields::of(node, "a map with `sellers`, as `{ sellers: 3, agree: 2 }`", problems);
        let sellers = fields.need("sellers", "how many are asked, 2 to 9", problems);
        let sellers = sellers.and_then(|node| problems.count(node, 2, ASK_SELLERS_MAX));
        let (agree, min, on) = (fields.get("agree"), fields.get("min"), fields.get("on"));
        fields.done(problems);
        let sellers = sellers?;
        if let (Some(_), Some(min)) = (agree, min) {
            problems.add(min.place, "`min` stands beside `agree`; take one: those who agree are those who must answer");
        }
        if let (None, Some(on)) = (agree, on) {
            problems.add(on.place, "`on` stands without `agree`; it says what they must agree on");
        }
        let on = on.map(|node| part(node, problems)).unwrap_or_default();
        let agree = agree.and_then(|node| agreeing(node, sellers, problems));
        let min = min.and_then(|node| problems.count(node, 1, sellers));
        Some(Ask { sellers, agree, min: agree.or(min).unwrap_or(sellers), on, place: node.place })
    }
}

fn part(node: &Node, problems: &mut Problems) -> Vec<String> {
    const WANTED: &str = "a part of the answer, as `label` or `0.label`";
    let Some(text) = problems.text(node, WANTED) else { return Vec::new() };
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if !text.split('.').all(is_part) {
        problems.add(
            node.place,
            format!("`{text}` is no part of an answer; write names and numbers with dots between, as `0.label`"),
        );
        return Vec::new();
    }
    text.split('.').map(str::to_owned).collect()
}

/// More than half, so that two different answers cannot both be agreed on.
fn agreeing(node: &Node, sellers: u32, problems: &mut Problems) -> Option<u32> {
    let agree = problems.count(node, 1, sellers)?;
    if agree * 2 > sellers {
        return Some(agree);
    }
    let least = sellers / 2 + 1;
    problems.add(
        node.place,
        format!(
            "`{agree}` of {sellers} is not more than half, so that two different answers could both agree; take {least} or more"
        ),
    );
    None
}
