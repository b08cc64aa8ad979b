//! Steps: what a workflow does, one after another, side by side, or again and again.

use std::time::Duration;

use hansa_catalogue::version::InterfaceName;
use hansa_economy::Amount;

use super::ask::Ask;
use super::fields::{Fields, Problems};
use super::policy::{OnError, Retry, Terms, choice, span};
use super::template::{Expression, Template};
use crate::limits::{CONCURRENCY_MAX, ROUNDS_MAX, TIME_MAX};
use crate::place::Place;
use crate::yaml::{Kind, Node};

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its name in expressions (`.steps.ID`) and in the journal.
    pub id: String,
    /// Where it stands.
    pub place: Place,
    /// What it does.
    pub work: Work,
    /// The most that it may cost, with all within it.
    pub budget: Option<Amount>,
    /// The longest that it may take, with all attempts and all within it.
    pub timeout: Option<Duration>,
    /// What its failure means.
    pub on_error: OnError,
    /// The class of data that it is of, with all within it: its calls, and those of a workflow that it runs, go to nodes of the class only.
    pub data: Option<String>,
    /// What it reads of classes may leave them here.
    pub release: bool,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// Buys one call.
    Call(Box<Call>),
    /// Does steps for each item of a list.
    Map(Fan),
    /// Does lists of steps side by side.
    Parallel(Vec<Branch>),
    /// Does the first case that holds.
    Switch {
        /// In order.
        cases: Vec<Case>,
        /// Where none holds.
        otherwise: Vec<Step>,
    },
    /// Does steps again and again.
    Loop {
        /// As long as this is true; looked at before each round.
        while_true: Expression,
        /// Rounds at most; the step fails beyond them.
        rounds_max: u32,
        /// What is done in each.
        steps: Vec<Step>,
    },
    /// Waits.
    Wait(Wait),
    /// Asks a person.
    Approve(Approval),
    /// Runs another workflow, and waits for its output.
    Run {
        /// `owner/name`.
        workflow: String,
        /// Its inputs.
        with: Template,
    },
    /// Makes a value, and buys nothing.
    Set(Template),
}

/// A call to buy.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The interface, `acme:translate/translator@1.0.0`.
    pub service: String,
    /// The function.
    pub function: String,
    /// Where both stand.
    pub place: Place,
    /// The arguments, by parameter.
    pub with: Template,
    /// Beyond those of the workflow.
    pub terms: Terms,
    /// From how many sellers it is bought; none: from one.
    pub ask: Option<Ask>,
    /// How it is tried again.
    pub retry: Retry,
    /// What undoes it, where the run fails later; never another compensation within.
    pub compensate: Option<Box<Call>>,
}

/// Steps for each item of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Fan {
    /// The list.
    pub over: Expression,
    /// What the item is called in expressions.
    pub item: String,
    /// Items at the same time.
    pub concurrency: u32,
    /// The most that one item may cost.
    pub item_budget: Option<Amount>,
    /// What is done with each; the last step's value is the item's.
    pub steps: Vec<Step>,
}

/// One of the lists of a `parallel`.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// Its name; its last step's value is found under it.
    pub name: String,
    /// What is done.
    pub steps: Vec<Step>,
}

/// One case of an `if` or a `switch`.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// When it holds.
    pub when: Expression,
    /// What is done then.
    pub steps: Vec<Step>,
}

/// What is waited for, and for how long at most.
#[derive(Clone, Debug, PartialEq)]
pub struct Wait {
    /// What ends it.
    pub until: Until,
    /// The step fails when this is over; none waits for as long as it takes.
    pub timeout: Option<Duration>,
}

/// What ends a wait.
#[derive(Clone, Debug, PartialEq)]
pub enum Until {
    /// So long.
    For(Duration),
    /// A point in time, RFC 3339.
    Time(Template),
    /// A signal of this name; its payload is the step's value.
    Signal(String),
}

/// A question to a person.
#[derive(Clone, Debug, PartialEq)]
pub struct Approval {
    /// What is asked.
    pub message: Template,
    /// Until when an answer counts.
    pub expires: Duration,
    /// What happens then.
    pub on_expiry: Expiry,
}

/// What an approval that nobody gave means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// The step fails.
    Fail,
    /// As if somebody had approved.
    Approve,
    /// As if somebody had rejected: the step's value says so, and the run goes on.
    Reject,
}

/// Items at the same time, where nothing else is said.
pub(crate) const CONCURRENCY: u32 = 8;
/// What an item is called, where nothing else is said.
pub(crate) const ITEM: &str = "item";

impl Expiry {
    /// As the file writes them.
    pub(crate) const ALL: [(&str, Expiry); 3] =
        [("fail", Expiry::Fail), ("approve", Expiry::Approve), ("reject", Expiry::Reject)];
}

const KINDS: &str = "`call`, `map`, `parallel`, `if`, `switch`, `loop`, `wait`, `approve`, `run`, `set`";

impl Step {
    pub(super) fn collect<'a>(&'a self, all: &mut Vec<&'a Step>) {
        all.push(self);
        let mut within = |steps: &'a [Step]| steps.iter().for_each(|step| step.collect(all));
        match &self.work {
            Work::Map(fan) => within(&fan.steps),
            Work::Parallel(branches) => branches.iter().for_each(|branch| within(&branch.steps)),
            Work::Switch { cases, otherwise } => {
                cases.iter().for_each(|case| within(&case.steps));
                within(otherwise);
            }
            Work::Loop { steps, .. } => within(steps),
            _ => {}
        }
    }
}

/// A list of steps, at least one.
pub(super) fn list(node: &Node, problems: &mut Problems) -> Vec<Step> {
    let items = problems.list(node, "a list of steps");
    if items.is_empty() && matches!(node.kind, Kind::List(_)) {
        problems.add(node.place, "no step stands here; there must be one at least");
    }
    items.iter().filter_map(|item| step(item, problems)).collect()
}

fn step(node: &Node, problems: &mut Problems) -> Option<Step> {
    let mut fields = Fields::of(node, "a step, a map with `id` and what it does", problems);
    let id = fields.need("id", "every step has one, as expressions and the journal name it", problems);
    let id = id.and_then(|node| {
        let id = problems.text(node, "an id, as `read-page`")?;
        check_id(id, node.place, problems);
        Some(id.to_owned())
    });
    let budget = fields.get("budget").and_then(|node| problems.budget(node));
    let timeout = fields.get("timeout").and_then(|node| span(node, TIME_MAX, problems));
    let on_error = fields.get("on-error").and_then(|node| OnError::read(node, problems)).unwrap_or_default();
    let data = fields.get("data").and_then(|node| problems.class(node));
    let release = fields.get("release");
    let release = problems.flag(release);
    let works = work(node.place, &mut fields, problems);
    fields.done(problems);
    Some(Step { id: id?, place: node.place, work: works?, budget, timeout, on_error, data, release })
}

/// Exactly one of the kinds.
fn work(place: Place, fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Work> {
    type Read = for<'a> fn(&'a Node, &mut Fields<'a>, &mut Problems) -> Option<Work>;
    const READERS: [(&str, Read); 10] = [
        ("call", |node, fields, problems| Some(Work::Call(Box::new(call(node, fields, true, problems)?)))),
        ("map", map),
        ("parallel", |node, _, problems| parallel(node, problems)),
        ("if", when),
        ("switch", switch),
        ("loop", |node, _, problems| repeated(node, problems)),
        ("wait", |node, _, problems| wait(node, problems).map(Work::Wait)),
        ("approve", |node, _, problems| approve(node, problems).map(Work::Approve)),
        ("run", run),
        ("set", |node, _, problems| Template::read(node, problems).map(Work::Set)),
    ];
    let named: Vec<(&Node, &str, Read)> =
        READERS.iter().filter_map(|(key, read)| fields.get(key).map(|node| (node, *key, *read))).collect();
    match &named[..] {
        [(node, _, read)] => read(node, fields, problems),
        [] => {
            problems.add(place, format!("this step does nothing; give it one of {KINDS}"));
            None
        }
        [(_, one, _), (node, other, _), ..] => {
            problems.add(node.place, format!("a step does one thing; `{one}` and `{other}` make two steps"));
            None
        }
    }
}

fn call(node: &Node, fields: &mut Fields<'_>, may_compensate: bool, problems: &mut Problems) -> Option<Call> {
    let with = fields.get("with").and_then(|node| Template::read(node, problems));
    let terms = fields.get("terms").map(|node| Terms::read(node, problems)).unwrap_or_default();
    let retry = fields.get("retry").map(|node| Retry::read(node, problems)).unwrap_or_default();
    // What undoes a step is bought once, and not undone.
    let (ask, compensate) = match may_compensate {
        true => (
            fields.get("ask").and_then(|node| Ask::read(node, problems)),
            fields.get("compensate").and_then(|node| compensation(node, problems)),
        ),
        false => (None, None),
    };
    let text = problems.text(node, "an interface and a function, as `acme:translate/translator@1.0.0 translate`")?;
    let named = text.split_once(char::is_whitespace).map(|(service, function)| (service, function.trim()));
    let Some((service, function)) =
        named.filter(|(service, function)| InterfaceName::parse(service).is_some() && is_function(function))
    else {
        problems.add(node.place, format!("`{text}` names no function; write `acme:translate/translator@1.0.0 translate`"));
        return None;
    };
    let (service, function) = (service.to_owned(), function.to_owned());
    let with = with.unwrap_or(Template::Map(Vec::new()));
    Some(Call { service, function, place: node.place, with, terms, ask, retry, compensate })
}

fn compensation(node: &Node, problems: &mut Problems) -> Option<Box<Call>> {
    let mut fields = Fields::of(node, "a call, a map", problems);
    let named = fields.need("call", "what undoes the step", problems);
    let call = named.and_then(|node| call(node, &mut fields, false, problems));
    fields.done(problems);
    call.map(Box::new)
}

fn map(node: &Node, fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Work> {
    let over = Expression::read(node, "a list", problems);
    let item = fields.get("as").and_then(|node| {
        let name = problems.text(node, "a name")?;
        check_id(name, node.place, problems);
        Some(name.to_owned())
    });
    let concurrency = fields.get("concurrency").and_then(|node| problems.count(node, 1, CONCURRENCY_MAX)).unwrap_or(CONCURRENCY);
    let item_budget = fields.get("item-budget").and_then(|node| problems.budget(node));
    let steps = fields.need("do", "what is done with each item", problems).map(|node| list(node, problems)).unwrap_or_default();
    Some(Work::Map(Fan { over: over?, item: item.unwrap_or_else(|| ITEM.to_owned()), concurrency, item_budget, steps }))
}

fn parallel(node: &Node, problems: &mut Problems) -> Option<Work> {
    let entries = problems.map(node, "branches, a map of names to lists of steps");
    let mut branches = Vec::new();
    for entry in entries {
        check_id(&entry.key, entry.place, problems);
        branches.push(Branch { name: entry.key.clone(), steps: list(&entry.value, problems) });
    }
    (!branches.is_empty()).then_some(Work::Parallel(branches))
}

fn when(node: &Node, fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Work> {
    let when = Expression::read(node, "true or false", problems);
    let steps =
        fields.need("then", "what is done where it is true", problems).map(|node| list(node, problems)).unwrap_or_default();
    let otherwise = fields.get("else").map(|node| list(node, problems)).unwrap_or_default();
    Some(Work::Switch { cases: vec![Case { when: when?, steps }], otherwise })
}

fn switch(node: &Node, fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Work> {
    let mut cases = Vec::new();
    for item in problems.list(node, "a list of cases, each with `when` and `do`") {
        let mut case = Fields::of(item, "a case, a map with `when` and `do`", problems);
        let when =
            case.need("when", "the condition", problems).and_then(|node| Expression::read(node, "true or false", problems));
        let steps = case.need("do", "what is done then", problems).map(|node| list(node, problems)).unwrap_or_default();
        case.done(problems);
        cases.extend(when.map(|when| Case { when, steps }));
    }
    let otherwise = fields.get("else").map(|node| list(node, problems)).unwrap_or_default();
    Some(Work::Switch { cases, otherwise })
}

fn repeated(node: &Node, problems: &mut Problems) -> Option<Work> {
    let mut fields = Fields::of(node, "a loop, a map with `while`, `max` and `do`", problems);
    let condition = fields.need("while", "it goes on as long as this is true", problems);
    let condition = condition.and_then(|node| Expression::read(node, "true or false", problems));
    let most = fields.need("max", "rounds at most", problems).and_then(|node| problems.count(node, 1, ROUNDS_MAX));
    let steps = fields.need("do", "what is done in each round", problems).map(|node| list(node, problems)).unwrap_or_default();
    fields.done(problems);
    Some(Work::Loop { while_true: condition?, rounds_max: most?, steps })
}

fn wait(node: &Node, problems: &mut Problems) -> Option<Wait> {
    let mut fields = Fields::of(node, "a map with one of `for`, `until`, `signal`", problems);
    let time = fields.get("for").map(|node| span(node, TIME_MAX, problems).map(Until::For));
    let point = fields.get("until").map(|node| Template::read(node, problems).map(Until::Time));
    let signal = fields.get("signal").map(|node| {
        let name = problems.text(node, "a signal's name")?;
        check_id(name, node.place, problems);
        Some(Until::Signal(name.to_owned()))
    });
    let timeout = fields.get("timeout").and_then(|node| span(node, TIME_MAX, problems));
    fields.done(problems);
    let mut named: Vec<Option<Until>> = [time, point, signal].into_iter().flatten().collect();
    match (named.pop(), named.is_empty()) {
        (Some(until), true) => until.map(|until| Wait { until, timeout }),
        _ => {
            problems.add(node.place, "a wait has one of `for`, `until`, `signal`");
            None
        }
    }
}

fn approve(node: &Node, problems: &mut Problems) -> Option<Approval> {
    let mut fields = Fields::of(node, "a map with `message` and `expires`", problems);
    let message = fields.need("message", "what is asked", problems).and_then(|node| Template::read(node, problems));
    let expires = fields.need("expires", "until when an answer counts, as `2d`", problems);
    let expires = expires.and_then(|node| span(node, TIME_MAX, problems));
    let on_expiry = fields.need("on-expiry", "what happens when nobody answers: `fail`, `approve` or `reject`", problems);
    let on_expiry = on_expiry.and_then(|node| choice(node, &Expiry::ALL, problems));
    fields.done(problems);
    Some(Approval { message: message?, expires: expires?, on_expiry: on_expiry? })
}

fn run(node: &Node, fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Work> {
    let with = fields.get("with").and_then(|node| Template::read(node, problems)).unwrap_or(Template::Map(Vec::new()));
    let workflow: hansa_catalogue::version::PackageName = problems.parsed(node, "name of a workflow")?;
    Some(Work::Run { workflow: workflow.as_str().to_owned(), with })
}

/// Ids are words that jq takes after a dot or in quotes, and that stand well in subjects: letters, digits, `-` and `_`.
pub(super) fn check_id(id: &str, place: Place, problems: &mut Problems) {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    if id.is_empty() || id.len() > 64 || !id.starts_with(|first: char| first.is_ascii_alphabetic()) || !id.chars().all(fits) {
        problems.add(place, format!("`{id}` is no name here: a letter, then at most 63 letters, digits, `-` and `_`"));
    }
    if id == "undo" {
        problems.add(place, "`undo` is the name of what a run undoes at its end; take another one");
    }
}

fn is_function(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-')
}
