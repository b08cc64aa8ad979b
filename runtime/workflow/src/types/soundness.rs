//! What is inferred of an expression holds for what jaq makes of it: many pairs of values and filters are run on data of every kind that the contract allows.

use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, data, unwrap_valr};
use jaq_json::Val;
use serde_json::{Value, json};

use super::tests::{HEAD, contracts, set};
use super::*;

const VALUES: &[&str] = &[
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

/// What jaq makes of each of `expressions` for `sample`; none where it fails.
fn run(expressions: &[String], sample: &Value) -> Vec<Option<Vec<Value>>> {
    // One program for all of them: to compile the standard library takes the time.
    let tried = expressions.iter().map(|jq| format!("try {{given: [{jq}]}} catch {{}}"));
    let program = tried.collect::<Vec<_>>().join(", ");
    let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let arena = Arena::default();
    let modules =
        Loader::new(definitions).load(&arena, File { code: &*program, path: () }).unwrap_or_else(|_| panic!("{program}"));
    let filter = Compiler::default().with_funs(functions).compile(modules).unwrap_or_else(|_| panic!("{program}"));
    let input = jaq_json::read::parse_single(sample.to_string().as_bytes()).unwrap();
    let context = Ctx::<data::JustLut<Val>>::new(&filter.lut, Vars::new([]));
    // Maps of jaq may have keys that are no texts; they are no JSON.
    let json = |value: Val| serde_json::from_str(&value.to_string()).unwrap_or(Value::Null);
    let given = filter.id.run((context, input)).map(|value| json(unwrap_valr(value).unwrap()));
    given.map(|given| given.get("given").and_then(Value::as_array).cloned()).collect()
}

/// What is said of `jq` that does not hold where it gives `values`.
fn unsound(jq: &str, findings: &Findings, values: &[Value]) -> Vec<String> {
    let Findings { found, output } = findings;
    let fails = |finding: &&Finding| {
        let what = &finding.problem.what;
        finding.level == Level::Wrong && (what.contains("wants") || what.contains("cannot take"))
    };
    let misfit = |value| fit::fit(&Shape::of_value(value), output).err();
    let misfits = values.iter().filter_map(|value| Some(format!("{jq} gives {value}, and not {output:?}: {:?}", misfit(value)?)));
    let finding = found.iter().find(fails).filter(|_| !values.is_empty());
    misfits.chain(finding.map(|finding| format!("{jq} gives {values:?}, in spite of {finding:?}"))).collect()
}

fn inferred(jq: &str) -> Findings {
    let text = format!("{HEAD}{}output: '${{ .steps.a }}'\n", set(jq));
    let workflow = Workflow::read(&text).unwrap_or_else(|problems| panic!("{jq}: {problems:?}"));
    assert_eq!(crate::names::check(&workflow), [], "{jq}");
    check(&workflow, &contracts())
}

#[test]
fn what_is_inferred_holds_for_what_jaq_gives() {
    let (samples, mut told, mut compared) = (samples(), Vec::new(), 0);
    for filter in FILTERS.trim().lines() {
        let expressions: Vec<String> = VALUES.iter().map(|value| format!("{value} | {filter}")).collect();
        let findings: Vec<Findings> = expressions.iter().map(|jq| inferred(jq)).collect();
        for sample in &samples {
            let given = run(&expressions, sample);
            assert_eq!(given.len(), expressions.len(), "{filter}");
            for ((jq, findings), values) in expressions.iter().zip(&findings).zip(given) {
                compared += values.iter().flatten().count();
                told.extend(unsound(jq, findings, &values.unwrap_or_default()));
            }
        }
    }
    assert!(told.is_empty(), "{} of\n{}", told.len(), told[..told.len().min(20)].join("\n"));
    assert!(compared > 2_000, "{compared}");
}
