//! The JSON Schema of a function describes the JSON that its answers have, and nothing that a call refuses.

use std::sync::LazyLock;

use boon::{Compiler, SchemaIndex, Schemas};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::values::{everything, nested, schema, shape};

/// A schema that a validator has understood.
struct Validator {
    schemas: Schemas,
    root: SchemaIndex,
}

impl Validator {
    fn new(schema: Value) -> Validator {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource("function.json", schema).unwrap();
        let root = compiler.compile("function.json", &mut schemas).unwrap();
        Validator { schemas, root }
    }

    fn arguments(function: &str) -> Validator {
        Validator::new(schema(function).arguments_json_schema())
    }

    fn result(function: &str) -> Validator {
        Validator::new(schema(function).result_json_schema())
    }

    fn fits(&self, value: &Value) -> bool {
        self.schemas.validate(value, self.root).is_ok()
    }
}

static ARGUMENTS: LazyLock<Validator> = LazyLock::new(|| Validator::arguments("echo"));
static RESULT: LazyLock<Validator> = LazyLock::new(|| Validator::result("echo"));

/// What no type, or only some, would take.
fn strange() -> Vec<Value> {
    let numbers = [
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(256),
        json!(65_536),
        json!(-129),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1.0),
        json!(1e19),
        json!(-0.0),
    ];
    let texts =
        ["", "ab", "-0", "007", "1e3", "18446744073709551616", "-9223372036854775809", "NaN", "AB", "AB==", "QUI=", "QUJ="];
    let shapes = [
        json!(null),
        json!(true),
        json!([]),
        json!({}),
        json!([[]]),
        json!([null]),
        json!(["loud", "loud"]),
        json!(["quiet"]),
        json!({"ok": 1, "err": 2}),
        json!({"point": null}),
        json!("point"),
        json!("circle"),
        json!({"nobody": 1}),
    ];
    numbers.into_iter().chain(texts.map(Value::from)).chain(shapes).collect()
}

/// The places in `value`, itself first, each as a JSON pointer.
fn places(value: &Value, here: String, found: &mut Vec<String>) {
    found.push(here.clone());
    match value {
        Value::Array(items) => items.iter().enumerate().for_each(|(at, item)| places(item, format!("{here}/{at}"), found)),
        Value::Object(fields) => fields.iter().for_each(|(name, item)| places(item, format!("{here}/{name}"), found)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_value_fits(value in everything()) {
        let function = schema("echo");
        let wire = function.result_from_json(&json!({"ok": value})).unwrap();
        let answer = function.result_to_json(&wire).unwrap();
        prop_assert!(RESULT.fits(&answer), "{answer}");
        prop_assert!(ARGUMENTS.fits(&json!({"value": value})) && ARGUMENTS.fits(&json!([value])), "{value}");
    }

    #[test]
    fn what_fits_is_taken(value in everything(), at in any::<prop::sample::Index>(), strange in prop::sample::select(strange())) {
        let mut call = json!({"value": value});
        let mut found = Vec::new();
        places(&call, String::new(), &mut found);
        let place: &String = at.get(&found);
        *call.pointer_mut(place).unwrap() = strange;
        let taken = schema("echo").args_from_json(&call);
        prop_assert!(!ARGUMENTS.fits(&call) || taken.is_ok(), "{taken:?}: {call}");
    }

    #[test]
    fn small_values_fit_by_position_too(shape in shape(), nested in nested()) {
        let call = json!([true, -1, "é", 0.0, nested, shape, "french"]);
        prop_assert!(Validator::arguments("echo-small").fits(&call), "{call}");
        prop_assert!(Validator::result("echo-small").fits(&json!({"ok": call})), "{call}");
    }
}

#[test]
fn bounds_are_exact() {
    let one = |field: &'static str| {
        move |value: Value| {
            let arguments = json!({"$ref": format!("#/$defs/value/properties/{field}")});
            let mut schema = schema("echo").arguments_json_schema();
            schema.as_object_mut().unwrap().remove("anyOf");
            schema["allOf"] = json!([arguments]);
            Validator::new(schema).fits(&value)
        }
    };
    for (field, least, most, fits, strange) in [
        ("s8v", json!(-128), json!(127), vec![], vec![json!(-129), json!(128), json!("1")]),
        ("u16v", json!(0), json!(65_535), vec![], vec![json!(-1), json!(65_536), json!(0.5)]),
        ("s16v", json!(-32_768), json!(32_767), vec![], vec![json!(32_768)]),
        ("s32v", json!(i32::MIN), json!(i32::MAX), vec![], vec![json!(1_u64 << 31)]),
        (
            "u64v",
            json!("0"),
            json!("18446744073709551615"),
            vec![json!(u64::MAX), json!("9999999999999999999"), json!("18446744073709551609"), json!("10000000000000000000")],
            vec![json!("18446744073709551616"), json!("19000000000000000000"), json!("01"), json!("-1"), json!(-1), json!("")],
        ),
        (
            "s64v",
            json!("-9223372036854775808"),
            json!("9223372036854775807"),
            vec![json!(i64::MIN), json!("-1"), json!("9199999999999999999"), json!(1e18)],
            vec![json!("9223372036854775808"), json!("-9223372036854775809"), json!("--1")],
        ),
        ("f32v", json!(f32::MIN), json!(f32::MAX), vec![json!("NaN"), json!(7)], vec![json!(1e39), json!("nan")]),
        ("f64v", json!(f64::MIN), json!(f64::MAX), vec![json!("-Infinity")], vec![json!("inf"), json!(null)]),
        ("letter", json!("ß"), json!("𝒙"), vec![], vec![json!(""), json!("ss")]),
        ("bytes", json!(""), json!("AQ=="), vec![json!("AQI="), json!("AQID")], vec![json!("AQ"), json!("AR=="), json!([1])]),
        ("many", json!([]), json!(["f0", "f9"]), vec![], vec![json!(["f10"]), json!("f0")]),
        ("triple", json!([0, "", false]), json!([255, "x", true]), vec![], vec![json!([0, ""]), json!([0, "", false, 1])]),
        ("bare", json!({"ok": null}), json!({"err": null}), vec![], vec![json!({}), json!({"ok": 1}), json!("ok")]),
    ] {
        let fit = one(field);
        for value in fits.into_iter().chain([least, most]) {
            assert!(fit(value.clone()), "`{field}` takes {value}");
        }
        for value in strange {
            assert!(!fit(value.clone()), "`{field}` does not take {value}");
        }
    }
}

#[test]
fn faults_and_functions_without_parameters_have_schemas_too() {
    let refuse = Validator::result("refuse");
    assert!(refuse.fits(&json!({"err": {"refused": "why"}})) && refuse.fits(&json!({"ok": "text"})));
    for other in
        [json!({"err": "refused"}), json!({"err": {"refuse": "why"}}), json!("text"), json!({"ok": "a", "err": {"failed": "b"}})]
    {
        assert!(!refuse.fits(&other), "{other}");
    }
    let nothing = Validator::arguments("nothing");
    assert!(nothing.fits(&json!([])) && nothing.fits(&json!({})));
    assert!(!nothing.fits(&json!([1])) && !nothing.fits(&json!({"a": 1})));
}

#[test]
fn an_option_may_be_left_out_and_what_else_may_not() {
    let greet = Validator::arguments("greet");
    let mut who = json!({"name": "a", "age": 1, "nicknames": [], "language": "german", "score": 1});
    assert!(greet.fits(&json!({"who": who, "tone": ["loud"]})));
    who["nmae"] = json!("b");
    assert!(!greet.fits(&json!({"who": who, "tone": []})));
    who.as_object_mut().unwrap().retain(|name, _| name != "nmae" && name != "age");
    assert!(!greet.fits(&json!({"who": who, "tone": []})));
}
