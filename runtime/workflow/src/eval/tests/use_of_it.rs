//! Scopes, templates, errors with their places, and JSON that comes back as it was.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::eval::meter::Counted;

fn make(template: &Template, scope: &Scope) -> Result<serde_json::Value, String> {
    let made = CompiledTemplate::new(template).map_err(|problems| problems[0].to_string())?.make(scope);
    made.map(|value| (&value).into()).map_err(|error| error.to_string())
}

fn set(yaml: &str) -> Template {
    let text = format!("workflow: a/b\nversion: 1.0.0\nbudget: 1\nsteps:\n  - id: a\n    set: {yaml}\n");
    let workflow = Workflow::read(&text).unwrap_or_else(|problems| panic!("{yaml}: {problems:?}"));
    let Work::Set(template) = &workflow.steps[0].work else { panic!("a set") };
    template.clone()
}

fn run_of(input: serde_json::Value) -> Scope {
    let map_of = |json: serde_json::Value| map(Value::try_from(json).unwrap());
    Scope::new(map_of(input), map_of(json!({"id": "run-1"}))).unwrap()
}

#[test]
fn a_scope_has_what_was_put_into_it() {
    let empty = run_of(json!({"rows": [1, 2]}));
    let scope = empty.with_step("read", value("{\"pages\":[1]}")).unwrap().with_step("sum", value("3")).unwrap();
    let scope = scope.with("row", value("2")).unwrap().with("round", 4i64.into()).unwrap().with("spent", value("0.25")).unwrap();
    let all = compiled("[.input.rows[0], .steps.read.pages[0], .steps.sum, .row, .round, .spent, .run.id]").run(&scope);
    assert_eq!(json::text(&all.unwrap()), "[1,1,3,2,4,0.25,\"run-1\"]");
    assert_eq!(json::text(&compiled(". | keys").run(&empty).unwrap()), r#"["input","run","spent","steps"]"#);
}

#[test]
fn a_wider_scope_shares_what_it_has() {
    let scope = run_of(json!({"rows": [[1], [2]]}));
    let wider = scope.with("item", value("1")).unwrap();
    let input = |scope: &Scope| map(scope.value()).get("input").unwrap().as_map().unwrap().clone();
    assert!(input(&scope).is(&input(&wider)));
}

#[test]
fn templates_are_filled_in() {
    let scope = run_of(json!({"name": "Ada", "n": 3, "list": [1], "half": 0.5, "none": null, "yes": true}));
    for (template, made) in [
        ("'${ .input.n }'", json!(3)),
        ("'${ .input.list }'", json!([1])),
        ("{a: 1, b: ['${ .input.name }', x], c: '-${ .input.name }-'}", json!({"a": 1, "b": ["Ada", "x"], "c": "-Ada-"})),
        ("'${ .input.n } of ${ .input.name }: ${ .input.half } ${ .input.yes }'", json!("3 of Ada: 0.5 true")),
        ("'[${ .input.list | tojson }]'", json!("[[1]]")),
        ("'[${ .input.none // \"\" }]'", json!("[]")),
    ] {
        assert_eq!(make(&set(template), &scope).unwrap(), made, "{template}");
    }
}

#[test]
fn errors_have_a_place_and_say_what_to_do() {
    let scope = run_of(json!({"name": "Ada", "list": [1], "none": null, "map": {"a": 1}}));
    for (template, says) in [
        (
            "'${ .input.name + 1 }'",
            "6:14: the text `\"Ada\"` and the number `1` cannot be added; `tostring` and `tonumber` turn one into the other; in `.input.name + 1`",
        ),
        (
            "'a ${ .input.list }'",
            "6:16: it gives the list `[1]` within a text; `tojson` or `join` makes a text of it; in `.input.list`",
        ),
        ("'a ${ .input.map }'", "the map `{\"a\":1}` within a text; `tojson`"),
        ("'a ${ .input.none }'", "6:16: it gives null within a text; `// \"\"` puts nothing there"),
        ("{a: x, b: '${ .input.list[] | select(. > 1) }'}", "6:24: it gives no value; `// null` gives null there"),
        ("'${ .input.list[], 2, 3 }'", "it gives 3 values; put `[ … ]` around it"),
        ("'${ 1, error(\"second\") }'", "second"),
        ("'${ .input.name.first }'", "the text `\"Ada\"` has nothing at the text `\"first\"`; maps have members by name"),
        ("'${ .input.list[] | .x }'", "the number `1` has nothing at the text `\"x\"`"),
        ("'${ error(\"no such page\") }'", "6:14: no such page; in `error(\"no such page\")`"),
        ("'${ error({a: 1}) }'", "it fails with the map `{\"a\":1}`"),
        ("'${ error }'", "it fails with the map `{\"input\":{"),
        ("'${ 1 / (.input.list[0] - 1) }'", "`1` cannot be divided by `0`; look first whether it is zero"),
        ("'${ 5 % 0 }'", "`5` cannot be divided by `0`"),
        ("'${ 1e308 * 10 }'", "`1e+308 * 10` is too large for a number"),
        ("'${ 1e999 }'", "`1e999` is too large for a number"),
        ("'${ -1 | sqrt }'", "`NaN` is no number that JSON has"),
        ("'${ .input.name | test(\"(\") }'", "`(` is no regular expression: unclosed group"),
        ("'${ .input.name | test(\"a\"; \"q\") }'", "`q` is no flag of a regular expression"),
        ("'${ .input.name | fromjson }'", "the text `\"Ada\"` is no JSON"),
        ("'${ test(1; 2; 3) }'", "6:14: `test` takes not 3 but another number of values"),
        ("'${ map }'", "6:14: `map` wants something in brackets behind it"),
        ("'${ \"x\" | @base64d | gsub(\"a\"; 1) }'", "is no"),
    ] {
        let told = make(&set(template), &scope).unwrap_err();
        assert!(told.contains(says), "{template}\n  says   {told}\n  wanted {says}");
    }
    let long = format!("'${{ error(.input.map) | {} }}'", "map(.) | ".repeat(12) + ".");
    let told = make(&set(&long), &scope).unwrap_err();
    assert!(told.ends_with("…`") && told.len() < 200, "{told}");
}

#[test]
fn all_mistakes_of_a_template_are_told() {
    let problems = CompiledTemplate::new(&set("{a: '${ lenght }', b: ['${ now }', '${ map }']}")).unwrap_err();
    let places: Vec<String> = problems.iter().map(|problem| problem.place.to_string()).collect();
    assert_eq!(places, ["6:18", "6:37", "6:49"], "{problems:?}");
}

#[test]
fn what_a_file_may_hold_is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Compiled>();
    shared::<CompiledTemplate>();
    shared::<Scope>();
    shared::<EvalError>();
}

#[test]
fn a_price_does_not_depend_on_what_is_shared() {
    let program = compiled(
        ".input | (.rows | sort | unique) == (.rows | unique), .rows + [1], (.rows[0] = 1), tojson, test(\"a\")? | length",
    );
    let program_steps = |scope: &Scope| {
        let counted = Counted::begin();
        let values = program.filter.id.run((
            Ctx::<Jq>::new(Tables { program: &program.filter.lut, ended: &ended_program().lut }, Vars::new([])),
            scope.value(),
        ));
        assert!(values.count() > 0);
        counted.steps()
    };
    let row = value("{\"a\":[1,2,3]}");
    let shared = Value::from(List::new(vec![row.clone(), row.clone(), row]).unwrap());
    let input = |rows: Value| Value::from(Map::new(vec![("rows".into(), rows)]).unwrap());
    let apart = Value::try_from(serde_json::Value::from(&shared)).unwrap();
    assert_eq!(program_steps(&scope(input(shared))), program_steps(&scope(input(apart))));
}

/// JSON as agents answer with it.
fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<u64>().prop_map(serde_json::Value::from),
        any::<f64>().prop_filter("JSON has no others", |float| float.is_finite()).prop_map(serde_json::Value::from),
        ".{0,8}".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
            prop::collection::btree_map(".{0,4}", inner, 0..5)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn json_comes_back_as_it_was(json in any_json()) {
        let value = Value::try_from(json.clone()).unwrap();
        prop_assert_eq!(&serde_json::Value::from(&value), &json);
        prop_assert_eq!(json::text(&value), json.to_string());
        prop_assert_eq!(run("tojson | fromjson", &json.to_string()), Ok(json.to_string()));
    }

    #[test]
    fn sorting_agrees_with_the_order(json in prop::collection::vec(any_json(), 0..12)) {
        let list = serde_json::Value::from(json).to_string();
        let sorted = run("sort", &list).unwrap();
        prop_assert_eq!(run("sort | [.[:-1], .[1:]] | transpose | all(.[0] <= .[1])", &list), Ok("true".to_owned()));
        prop_assert_eq!(run("sort", &sorted), Ok(sorted.clone()));
        prop_assert_eq!(run("[group_by(.)[][]]", &list), Ok(sorted));
    }

    #[test]
    fn whole_numbers_are_exact(one in any::<i64>(), other in any::<i64>()) {
        let calculated = [
            i128::from(one) + i128::from(other), i128::from(one) - i128::from(other), i128::from(one) * i128::from(other),
        ];
        for (sign, exact) in ["+", "-", "*"].into_iter().zip(calculated) {
            let found = run(&format!(".[0] {sign} .[1]"), &format!("[{one},{other}]")).unwrap();
            if i64::try_from(exact).is_ok() || u64::try_from(exact).is_ok() {
                prop_assert_eq!(found, exact.to_string());
            } else {
                prop_assert_eq!(found.parse::<f64>().unwrap(), exact as f64);
            }
        }
    }
}
