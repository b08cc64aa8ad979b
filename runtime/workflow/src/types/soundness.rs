//! What is inferred of an expression holds for what our engine makes of it: many pairs of values and filters are evaluated on data of every kind that the contract allows.

use serde_json::{Value, json};

use super::tests::{HEAD, contracts, set};
use super::*;
use crate::definition::{Template, Work};
use crate::eval::{self, Compiled, Scope};
use crate::jq;

const VALUES: [&str; 21] = [
    ".steps.kind",
    ".steps.kind.name",
    ".steps.kind.note",
    ".steps.kind.size",
    ".steps.kind.score",
    ".steps.kind.pages",
    ".steps.kind.tags",
    ".steps.kind.origin",
    ".steps.kind.extra",
    ".steps.kind.pages[0]",
    ".steps.kind.pages[].lang",
    ".input.most",
    ".input.share",
    ".input.rows",
    "null",
    "true",
    "[]",
    "{}",
    "[1, \"a\", null]",
    "{a: 1, b: [2]}",
    "-2.5",
];

/// Filters, one a line.
const FILTERS: &str = r#"
length
keys
not
type
tostring
tojson
tonumber
abs
floor
add
first
last
reverse
sort
unique
min
max
flatten
flatten(1)
to_entries
with_entries(.)
with_entries(select(.value))
map(.)
map(length)
map_values(.)
map_values(empty)
map(select(. == "a"))
.[]
.[]?
.a
.a?
.[0]
.[-1]
.[1:]
.name
.lang
any
all
values
strings
scalars
objects
join("-")
split("a")
test("a")
startswith("a")
ltrimstr("a")
ascii_downcase
explode
has("a")
contains("a")
index("a")
indices("a")
sort_by(.)
group_by(.lang)
unique_by(.)
min_by(.)
. + 1
. + "a"
. + [1]
. + {a: 2}
. + null
. - 1
. - [1]
. * 2
. / 2
. / "a"
. % 2
-.
. == 1
. == "a"
. < 3
. // 1
(. // "a") + "b"
if . then 1 else "a" end
if . == null then 0 else . end
if type == "array" then .[0] else . end
if type == "object" then keys else . end
select(.)
select(. != null)
[., 1]
{a: .} | .a
[.] | .[0]
. as [$a] | $a
. as {name: $a} | $a
try error catch .
try (.a.b) catch 1
@base64
"x\(.)y"
isempty(.[]?)
[limit(1; .[]?)]
del(.a)
.a = 1
.a |= 1
.a += 1
.a //= 1
transpose
round
utf8bytelength
nth(0)
to_entries | from_entries
sub("a"; "b")
[scan("a")]
[match("a").offset]
capture("(?<x>a)")
tojson | fromjson
any(. == 1)
[..]
[.[]?] | add
(.a, .b)?
. / 0
. % 1.5
6 / 2
7 / 2
.[0.5]
.[.]?
.[null]
sqrt
ceil
tonumber? // 0
fromjson
rtrimstr("a")
trimstr("a")
ltrimstr(1)
ascii_upcase
trim
ltrim
rtrim
endswith("a")
implode
reverse | tojson
keys_unsorted
has(0)
"a" as $a | {a: 1} | has($a)
in({a: 1})
in([1])
inside("abc")
inside([1, "a", null, "b"])
contains(["a"])
contains({a: 1})
contains(1)
rindex("a")
index(1)
indices(["a"])
toarray
all(. == 1)
any(.[]?; . == 1)
all(.[]?; . == 1)
add(.[]?)
max_by(.)
last(.[]?)
[skip(1; .[]?)]
[nth(0; .[]?)]
first(.[]?)
path(.a)
[paths]
[paths(type == "number")]
getpath(["a"])
delpaths([["a"]])
del(.[0])
.[1:] |= [1]
arrays
booleans
iterables
nulls
numbers
[splits("a")]
split("a"; "g")
sub("a"; "b"; "g")
gsub("(?<x>a)"; .x)
[match("a"; "g").string]
[scan("(a)"; "g")]
capture("(?<x>a)"; "g")
test("A"; "i")
@base64d
@html
@json
@text
@uri
"\(.)" | @base64 | @base64d
not | not
[false, null, true][0]
empty
to_entries[0].key
group_by(.) | map(length)
[.[]? | tostring] | join(", ")
[., .] | transpose
[[.], [1, 2]] | transpose
[.] | flatten
[[.]] | flatten | .[0]
[.] | reverse
[.] | sort | .[0]
[.] | unique | length
[.] | min
[.] | index(.[0])
{a: .} | to_entries | from_entries | .a
[{k: "a", v: .}] | from_entries
[{name: "a", value: .}] | from_entries | .a
{a: .} | with_entries(.value |= tostring) | .a
{a: .} | map_values(tostring)
{a: .} + {b: 1} | .b
{a: 1} * {a: .} | .a
. * "a"
. * 0
(. // 0) as $x | $x
limit(1; .)
error("x")? // 2
"#;

/// Data as runs have it, with options that are there and options that are not.
fn samples() -> Vec<Value> {
    let data = |note: Value, origin: Value, extra: Value, lang: Value, pages: usize| {
        let page = json!({ "number": 3, "text": "some text", "lang": lang });
        let kind = json!({
            "name": "n", "format": "pdf", "note": note, "size": "12345", "score": 0.5, "pages": vec![page; pages],
            "tags": ["a", "b"], "origin": origin, "extra": extra,
        });
        let input = json!({ "doc": "aGk=", "lang": "en", "most": 3, "share": 1.5, "rows": [{ "a": 1, "b": 2 }], "any": 1 });
        json!({ "input": input, "steps": { "kind": kind }, "run": { "id": "i", "workflow": "a/b", "version": "1.0.0" }, "spent": 0.25 })
    };
    vec![
        data(Value::Null, json!("unknown"), Value::Null, Value::Null, 2),
        data(json!("x y"), json!({ "scan": 5 }), json!({ "author": "me" }), json!("en"), 1),
        data(json!(""), json!({ "print": "p" }), Value::Null, json!("a"), 0),
    ]
}

/// A run's data as expressions see it.
fn scope(sample: &Value) -> Scope {
    let value = |name: &str| eval::Value::try_from(sample[name].clone()).unwrap();
    let map = |name: &str| value(name).as_map().unwrap().clone();
    let scope = Scope::new(map("input"), map("run")).unwrap();
    scope.with("steps", value("steps")).unwrap().with("spent", value("spent")).unwrap()
}

/// One program for all of `expressions`: to compile takes the time.
fn compiled(expressions: &[String]) -> Compiled {
    let tried = expressions.iter().map(|jq| format!("(try {{given: [{jq}]}} catch {{}})"));
    let jq = format!("[{}]", tried.collect::<Vec<_>>().join(", "));
    let workflow = Workflow::read(&format!("{HEAD}{}", set(&jq))).unwrap();
    match &workflow.steps[1].work {
        Work::Set(Template::Expression(expression)) => {
            Compiled::new(expression).unwrap_or_else(|problem| panic!("{jq}: {problem}"))
        }
        other => panic!("{other:?}"),
    }
}

/// The values of each of its expressions; none where it fails.
fn run(program: &Compiled, scope: &Scope) -> Vec<Vec<Value>> {
    let given = Value::from(&program.run(scope).unwrap_or_else(|error| panic!("{error}")));
    let values = |given: &Value| given.get("given").and_then(Value::as_array).cloned().unwrap_or_default();
    given.as_array().unwrap().iter().map(values).collect()
}

/// What is said of `jq` that does not hold where it makes `values` of `bases`.
fn unsound(jq: &str, findings: &Findings, bases: &[Value], values: &[Value]) -> Vec<String> {
    let Findings { found, output } = findings;
    let fails = |finding: &&Finding| {
        let what = &finding.problem.what;
        finding.level == Level::Wrong && (what.contains("wants") || what.contains("cannot take"))
    };
    let misfit = |value| fit::fit(&Shape::of_value(value), output).err();
    let misfits = values.iter().filter_map(|value| Some(format!("{jq} gives {value}, and not {output:?}: {:?}", misfit(value)?)));
    // A list without items has none that could fail.
    let finding = found.iter().find(fails).filter(|_| !values.is_empty() && bases != [json!([])]);
    misfits.chain(finding.map(|finding| format!("{jq} gives {values:?}, in spite of {finding:?}"))).collect()
}

fn inferred(jq: &str, contracts: &dyn Contracts) -> Findings {
    let text = format!("{HEAD}{}output: '${{ .steps.a }}'\n", set(jq));
    let workflow = Workflow::read(&text).unwrap_or_else(|problems| panic!("{jq}: {problems:?}"));
    assert_eq!(crate::names::check(&workflow), [], "{jq}");
    check(&workflow, contracts)
}

#[test]
fn what_is_inferred_holds_for_what_is_evaluated() {
    let (contracts, mut told, mut compared) = (contracts(), Vec::new(), 0);
    let scopes: Vec<Scope> = samples().iter().map(scope).collect();
    let values = VALUES.map(str::to_owned);
    let bases = scopes.iter().map(|scope| run(&compiled(&values), scope)).collect::<Vec<_>>();
    for filter in FILTERS.trim().lines() {
        let expressions = VALUES.map(|value| format!("{value} | {filter}"));
        let findings = expressions.each_ref().map(|jq| inferred(jq, &contracts));
        let program = compiled(&expressions);
        for (scope, bases) in scopes.iter().zip(&bases) {
            let given = run(&program, scope);
            compared += given.iter().flatten().count();
            let each = expressions.iter().zip(&findings).zip(bases).zip(&given);
            told.extend(each.flat_map(|(((jq, findings), bases), given)| unsound(jq, findings, bases, given)));
        }
    }
    assert!(told.is_empty(), "{} of\n{}", told.len(), told[..told.len().min(20)].join("\n"));
    assert!(compared > 4_000, "{compared}");
}

/// Words of a filter: what may be a function's name.
fn words(filter: &str) -> impl Iterator<Item = &str> {
    filter.split(|letter: char| !letter.is_ascii_alphanumeric() && !matches!(letter, '_' | '@'))
}

#[test]
fn every_function_is_compared() {
    let tried: Vec<&str> = FILTERS.lines().flat_map(words).collect();
    let missing: Vec<&&str> = jq::FUNCTIONS.iter().chain(jq::FORMATS).filter(|name| !tried.contains(name)).collect();
    assert!(missing.is_empty(), "add filters with {missing:?}");
}
