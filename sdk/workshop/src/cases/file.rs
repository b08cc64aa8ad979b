//! Files of cases: `tests/*.toml` of a project. Tables of call → answer or fault, charge, purchases.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hansa_catalogue::strict_toml::{self, TomlError};
use hansa_economy::Amount;
use hansa_host::Trigger;
use serde::Deserialize;
use serde_json::Value;

use crate::limits::{CASE_DEADLINE, CASES_BYTES_MAX, CASES_MAX};

/// A call and what is expected of it.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name, unique in its file.
    pub name: String,
    /// What happens.
    pub action: Action,
    /// The answer or the fault; none where the case does not say.
    pub expected: Option<Expected>,
    /// What the buyer is charged.
    pub charge: Option<Amount>,
    /// What the agent spends on the market.
    pub spends: Option<Amount>,
    /// Purchases by `service.function`, without version, and how many; complete where given.
    pub buys: Option<BTreeMap<String, u32>>,
    /// What is published, by topic, and how often; complete where given.
    pub publishes: Option<BTreeMap<String, u32>>,
    /// What the agent's account has.
    pub funds: Amount,
    /// Keeps the state that the case before left; else the state is empty.
    pub continues: bool,
    /// When the answer is due.
    pub deadline: Duration,
    /// Key of the account that pays, as the agent sees it.
    pub buyer: String,
    /// What the market sells during this case.
    pub market: Vec<Supply>,
}

/// What happens in a case.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Somebody calls.
    Call {
        /// The function, `count` or, where several interfaces are sold, `interface.count`.
        function: String,
        /// The arguments as JSON: an array by position or an object by name.
        arguments: Value,
    },
    /// The agent is woken up.
    Wake(Trigger),
}

/// What a call should give.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// This answer; floats may differ in the sixth digit.
    Answer(Value),
    /// An answer that has this in it: of a text a part, of an object some keys.
    Has(Value),
    /// A waking that fails, and says this.
    Fails(String),
    /// A fault.
    Fault {
        /// Its case, for example `invalid-input`.
        case: String,
        /// A part of its text.
        says: String,
    },
}

/// Something that the market sells during a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Supply {
    /// The interface, with version.
    pub service: String,
    /// The function.
    pub function: String,
    /// Only for these arguments; none for any.
    pub arguments: Option<Value>,
    /// What comes back: `{"ok": …}` or `{"err": …}`.
    pub result: Value,
    /// What one call costs.
    pub price: Amount,
}

/// Why cases cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CasesError {
    /// The file system's word.
    #[error("cannot read {}: {error}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Not toml, or not these keys.
    #[error("HA0012: {0}")]
    Toml(#[from] TomlError),
    /// A value that makes no sense.
    #[error("HA0012: {}: case `{case}`: {what}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The case.
        case: String,
        /// What is wrong.
        what: String,
    },
    /// Longer than any file of cases.
    #[error("{} is longer than {CASES_BYTES_MAX} bytes, or holds more than {CASES_MAX} cases; split it", .0.display())]
    TooLong(PathBuf),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WrittenFile {
    #[serde(default)]
    case: Vec<WrittenCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WrittenCase {
    name: String,
    #[serde(default)]
    call: Option<String>,
    #[serde(default)]
    wake: Option<WrittenTrigger>,
    #[serde(default)]
    arguments: Option<Value>,
    #[serde(default)]
    answer: Option<Value>,
    #[serde(default)]
    answer_json: Option<String>,
    #[serde(default)]
    answer_has: Option<Value>,
    #[serde(default)]
    fault: Option<String>,
    #[serde(default)]
    says: Option<String>,
    #[serde(default)]
    fails: Option<String>,
    #[serde(default)]
    publishes: Option<BTreeMap<String, u32>>,
    #[serde(default)]
    funds: Option<Amount>,
    #[serde(default)]
    charge: Option<Amount>,
    #[serde(default)]
    spends: Option<Amount>,
    #[serde(default)]
    buys: Option<BTreeMap<String, u32>>,
    #[serde(default)]
    continues: bool,
    #[serde(default)]
    deadline_ms: Option<u32>,
    #[serde(default)]
    buyer: Option<String>,
    #[serde(default)]
    market: Vec<WrittenSupply>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WrittenTrigger {
    Start,
    Time(String),
    Topic(String, String),
    Balance(u64),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WrittenSupply {
    service: String,
    function: String,
    #[serde(default)]
    arguments: Option<Value>,
    #[serde(default)]
    answer: Option<Value>,
    #[serde(default)]
    answer_json: Option<String>,
    #[serde(default)]
    fault: Option<BTreeMap<String, String>>,
    #[serde(default)]
    price: Amount,
}

/// The cases of a project, file by file: every `*.toml` in its `tests` folder. None where there is no such folder.
///
/// # Errors
/// See [`CasesError`].
pub fn read(project: &Path) -> Result<Vec<(PathBuf, Vec<Case>)>, CasesError> {
    let folder = project.join("tests");
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let failed = |error| CasesError::Io { path: folder.clone(), error };
    let entries: Result<Vec<_>, io::Error> = std::fs::read_dir(&folder).map_err(failed)?.map(|entry| Ok(entry?.path())).collect();
    let mut files: Vec<PathBuf> = entries.map_err(failed)?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files.into_iter().map(|path| read_file(&path).map(|cases| (path, cases))).collect()
}

fn read_file(path: &Path) -> Result<Vec<Case>, CasesError> {
    let failed = |error| CasesError::Io { path: path.to_owned(), error };
    if std::fs::metadata(path).map_err(failed)?.len() > CASES_BYTES_MAX {
        return Err(CasesError::TooLong(path.to_owned()));
    }
    parse(path, &std::fs::read_to_string(path).map_err(failed)?)
}

/// The cases in `text`; `path` names it in errors.
pub(super) fn parse(path: &Path, text: &str) -> Result<Vec<Case>, CasesError> {
    let written: WrittenFile = strict_toml::from_str(&path.display().to_string(), text)?;
    if written.case.len() > CASES_MAX {
        return Err(CasesError::TooLong(path.to_owned()));
    }
    let mut cases: Vec<Case> = Vec::new();
    for case in written.case {
        let name = case.name.clone();
        let wrong = |what| CasesError::Value { path: path.to_owned(), case: name.clone(), what };
        if cases.iter().any(|known| known.name == name) {
            return Err(wrong("another case has this name".into()));
        }
        cases.push(case.checked().map_err(wrong)?);
    }
    Ok(cases)
}

impl WrittenCase {
    fn checked(self) -> Result<Case, String> {
        let expected = expected(&self)?;
        let action = action(self.call, self.wake, self.arguments)?;
        check_kind(&action, expected.as_ref(), self.charge.is_some())?;
        let market: Result<Vec<Supply>, String> = self.market.into_iter().map(WrittenSupply::checked).collect();
        Ok(Case {
            name: self.name,
            action,
            expected,
            charge: self.charge,
            spends: self.spends,
            buys: self.buys,
            publishes: self.publishes,
            funds: self.funds.unwrap_or(Amount::credits(1)),
            continues: self.continues,
            deadline: self.deadline_ms.map_or(CASE_DEADLINE, |ms| Duration::from_millis(ms.into())),
            buyer: self.buyer.unwrap_or_else(|| "did:key:a-buyer".to_owned()),
            market: market?,
        })
    }
}

fn action(call: Option<String>, wake: Option<WrittenTrigger>, arguments: Option<Value>) -> Result<Action, String> {
    match (call, wake) {
        (Some(function), None) => Ok(Action::Call { function, arguments: arguments.map_or(Ok(Value::Array(Vec::new())), json)? }),
        (None, Some(_)) if arguments.is_some() => Err("`arguments` go with `call`".into()),
        (None, Some(trigger)) => Ok(Action::Wake(match trigger {
            WrittenTrigger::Start => Trigger::Start,
            WrittenTrigger::Time(what) => Trigger::Time(what),
            WrittenTrigger::Topic(topic, text) => Trigger::Topic { topic, payload: text.into() },
            WrittenTrigger::Balance(units) => Trigger::Balance(units),
        })),
        _ => Err("give `call`, or `wake` for an agent that wakes up by itself".into()),
    }
}

/// A waking has no answer and no price.
fn check_kind(action: &Action, expected: Option<&Expected>, charges: bool) -> Result<(), String> {
    match (action, expected) {
        (Action::Call { .. }, Some(Expected::Fails(_))) => Err("`fails` goes with `wake`; a call has `fault`".into()),
        (Action::Wake(_), Some(Expected::Fails(_)) | None) if !charges => Ok(()),
        (Action::Wake(_), _) => {
            Err("a waking has no answer and no price: `fails`, `spends`, `buys` and `publishes` go with it".into())
        }
        _ => Ok(()),
    }
}

fn expected(case: &WrittenCase) -> Result<Option<Expected>, String> {
    let says = case.says.clone();
    if let Some(fails) = &case.fails {
        let others = case.answer.is_some() || case.answer_json.is_some() || case.answer_has.is_some() || case.fault.is_some();
        return if others { Err("`fails` stands alone".into()) } else { Ok(Some(Expected::Fails(fails.clone()))) };
    }
    match (&case.answer, &case.answer_json, &case.answer_has, &case.fault) {
        (None, None, None, None) if says.is_some() => Err("`says` needs `fault`".into()),
        (None, None, None, None) => Ok(None),
        (Some(answer), None, None, None) if says.is_none() => Ok(Some(Expected::Answer(answer.clone()))),
        (None, Some(text), None, None) if says.is_none() => Ok(Some(Expected::Answer(parsed(text)?))),
        (None, None, Some(part), None) if says.is_none() => Ok(Some(Expected::Has(part.clone()))),
        (None, None, None, Some(case)) => Ok(Some(Expected::Fault { case: case.clone(), says: says.unwrap_or_default() })),
        _ => Err("give one of `answer`, `answer-json`, `answer-has` and `fault`; `says` goes with `fault`".into()),
    }
}

impl WrittenSupply {
    fn checked(self) -> Result<Supply, String> {
        let what = format!("market.\"{}\".{}", self.service, self.function);
        let result = match (self.answer, self.answer_json, self.fault) {
            (Some(answer), None, None) => serde_json::json!({ "ok": answer }),
            (None, Some(text), None) => serde_json::json!({ "ok": parsed(&text)? }),
            (None, None, Some(fault)) if fault.len() == 1 => serde_json::json!({ "err": fault }),
            _ => return Err(format!("{what}: give one of `answer`, `answer-json` and `fault = {{ no-offer = \"why\" }}`")),
        };
        let arguments = self.arguments.map(json).transpose()?;
        Ok(Supply { service: self.service, function: self.function, arguments, result, price: self.price })
    }
}

/// Toml has no null: what needs one is written as JSON in a string.
fn json(value: Value) -> Result<Value, String> {
    match value {
        Value::String(text) => parsed(&text),
        value => Ok(value),
    }
}

fn parsed(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("`{text}` is no JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Result<Case, String> {
        let cases = parse(Path::new("cases.toml"), text).map_err(|error| error.to_string())?;
        Ok(cases.into_iter().next().unwrap())
    }

    #[test]
    fn a_whole_case_is_read() {
        let case = one("[[case]]\nname = \"n\"\ncall = \"f\"\narguments = [\"a\", 1]\nfault = \"failed\"\nsays = \"why\"\ncharge = \"0\"\nbuys = { \"a:b/c.d\" = 2 }\n\
             [[case.market]]\nservice = \"a:b/c@1.0.0\"\nfunction = \"d\"\narguments = '[null]'\nfault = { no-offer = \"none\" }\nprice = \"0.1\"\n")
        .unwrap();
        assert_eq!(case.action, Action::Call { function: "f".into(), arguments: serde_json::json!(["a", 1]) });
        assert_eq!(case.expected, Some(Expected::Fault { case: "failed".into(), says: "why".into() }));
        assert_eq!(case.market[0].arguments, Some(serde_json::json!([null])));
        assert_eq!(case.market[0].result, serde_json::json!({ "err": { "no-offer": "none" } }));
        assert_eq!((case.charge, case.market[0].price), (Some(Amount(0)), Amount(100_000)));
    }

    #[test]
    fn a_waking_is_read() {
        let wake = |line: &str| one(&format!("[[case]]\nname = \"n\"\n{line}\n"));
        let topic = Trigger::Topic { topic: "a.b".into(), payload: "text".into() };
        assert_eq!(wake("wake = { topic = [\"a.b\", \"text\"] }").unwrap().action, Action::Wake(topic));
        assert_eq!(wake("wake = \"start\"\nfails = \"why\"").unwrap().expected, Some(Expected::Fails("why".into())));
        for (line, message) in [
            ("wake = \"start\"\ncall = \"f\"", "give `call`, or `wake`"),
            ("wake = \"start\"\nanswer = 1", "has no answer"),
            ("wake = \"start\"\ncharge = \"0\"", "no price"),
            ("wake = \"start\"\narguments = []", "go with `call`"),
            ("call = \"f\"\nfails = \"why\"", "goes with `wake`"),
        ] {
            assert!(wake(line).unwrap_err().contains(message), "{line}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        let cases = [
            ("answr = 1", "did you mean `answer`?"),
            ("answer = 1\nfault = \"failed\"", "give one of"),
            ("says = \"x\"", "`says` needs `fault`"),
            ("arguments = '[1'", "is no JSON"),
            ("charge = \"much\"", "cases.toml"),
            ("[[case.market]]\nservice = \"a\"\nfunction = \"f\"", "give one of `answer`"),
            ("[[case]]\nname = \"n\"\ncall = \"f\"", "another case has this name"),
        ];
        for (line, message) in cases {
            let error = one(&format!("[[case]]\nname = \"n\"\ncall = \"f\"\n{line}\n")).unwrap_err();
            assert!(error.contains(message), "{line}: {error}");
        }
    }
}
