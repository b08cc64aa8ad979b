//! A notation for cases of the simulation, one event a line; the words are the keys of its JSON.
//!
//! ```text
//! # What the case is about.
//! account id=1 asset=1 code=1 flags=history -> created
//! transfer id=10 debit=1 credit=2 amount=15 asset=1 code=1 flags=pending,linked -> created 15
//! transfer id=11 debit=1 credit=1 pending_id=7 -> accounts_must_be_different over pending_id_must_be_zero
//! advance 5                        seconds
//! = 1 0 15 0 20                    debits pending, posted, credits pending, posted; a further `closed`
//! --                               ends a batch in the middle of a chain
//! ```
//!
//! A line and those that it is linked to are one batch. After `over` stands another status that applies as well.

use serde_json::{Map, Value, json};

/// What an event should come to, as its line says.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) line: &'static str,
    pub(crate) is_account: bool,
    pub(crate) status: &'static str,
    amount: Option<&'static str>,
    pub(crate) over: Option<&'static str>,
}

/// What the answer to one line of input should be.
enum Check {
    Results(Vec<Expected>),
    Balances { line: &'static str, words: Vec<&'static str> },
    Nothing,
}

/// A case as input of the simulation, with what should come out.
#[derive(Default)]
pub(crate) struct Case {
    title: &'static str,
    input: String,
    checks: Vec<Check>,
    batch: Vec<(Value, Expected)>,
}

impl Case {
    pub(crate) fn parse(text: &'static str) -> Case {
        let mut case = Case::default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            case.line(line);
        }
        case.flush();
        case
    }

    /// Run it; panics with the line that comes to something else.
    pub(crate) fn run(&self) {
        let mut output = Vec::new();
        let ran = hansa_ledger::sim::run(self.input.as_bytes(), &mut output);
        ran.unwrap_or_else(|error| panic!("{}: {error}\n{}", self.title, self.input));
        let answers: Vec<Value> = output.split(|byte| *byte == b'\n').flat_map(serde_json::from_slice).collect();
        assert_eq!(answers.len(), self.checks.len(), "{}: a line for each line", self.title);
        for (check, answer) in self.checks.iter().zip(&answers) {
            match check {
                Check::Nothing => {}
                Check::Results(expected) => check_results(self.title, expected, answer),
                Check::Balances { line, words } => assert_eq!(&balances(answer), words, "{}: {line}", self.title),
            }
        }
    }

    /// Every event's expectation.
    pub(crate) fn expected(&self) -> impl Iterator<Item = &Expected> {
        self.checks.iter().flat_map(|check| match check {
            Check::Results(expected) => expected.as_slice(),
            _ => &[],
        })
    }

    fn line(&mut self, line: &'static str) {
        let words: Vec<&'static str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["#", ..] => self.title = line,
            ["--"] => self.flush(),
            ["advance", seconds] => self.ask(json!({ "op": "advance", "seconds": seconds }), Check::Nothing),
            ["=", id, ..] => {
                let words = words[1..].to_vec();
                self.ask(json!({ "op": "lookup", "accounts": [id] }), Check::Balances { line, words });
            }
            [kind @ ("account" | "transfer"), fields @ ..] => self.event(line, kind, fields),
            _ => panic!("{line}"),
        }
    }

    fn event(&mut self, line: &'static str, kind: &str, fields: &[&'static str]) {
        let arrow = fields.iter().position(|word| *word == "->").unwrap();
        let event = event(&fields[..arrow]);
        let (status, rest) = fields[arrow + 1..].split_first().unwrap();
        let (amount, over) = match rest {
            [] => (None, None),
            ["over", over] => (None, Some(*over)),
            [amount] => (Some(*amount), None),
            _ => panic!("{line}"),
        };
        let is_account = kind == "account";
        if self.batch.first().is_some_and(|(_, first)| first.is_account != is_account) {
            self.flush();
        }
        let linked = event["flags"].as_array().is_some_and(|flags| flags.contains(&json!("linked")));
        self.batch.push((event, Expected { line, is_account, status, amount, over }));
        if !linked {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let (events, expected): (Vec<Value>, Vec<Expected>) = std::mem::take(&mut self.batch).into_iter().unzip();
        if let Some(first) = expected.first() {
            let op = if first.is_account { "accounts" } else { "transfers" };
            self.ask(json!({ "op": op, "events": events }), Check::Results(expected));
        }
    }

    fn ask(&mut self, request: Value, check: Check) {
        if !matches!(check, Check::Results(_)) {
            self.flush();
        }
        self.input += &format!("{request}\n");
        self.checks.push(check);
    }
}

fn event(fields: &[&str]) -> Value {
    let pairs = fields.iter().map(|field| {
        let (key, value) = field.split_once('=').unwrap();
        match key {
            "flags" => (key.to_owned(), json!(value.split(',').collect::<Vec<_>>())),
            _ => (key.to_owned(), json!(value)),
        }
    });
    Value::Object(pairs.collect::<Map<_, _>>())
}

fn check_results(title: &str, expected: &[Expected], answer: &Value) {
    let results = answer["results"].as_array().unwrap();
    assert_eq!(results.len(), expected.len(), "{title}");
    for (expected, result) in expected.iter().zip(results) {
        assert_eq!(result["status"], expected.status, "{title}: {}", expected.line);
        if let Some(amount) = expected.amount {
            assert_eq!(result["amount"], amount, "{title}: {}", expected.line);
        }
    }
}

fn balances(answer: &Value) -> Vec<&str> {
    let account = &answer["accounts"][0];
    let keys = ["id", "debits_pending", "debits_posted", "credits_pending", "credits_posted"];
    let closed = account["closed"].as_bool().unwrap();
    keys.iter().map(|key| account[key].as_str().unwrap()).chain(closed.then_some("closed")).collect()
}
