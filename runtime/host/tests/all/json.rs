//! The JSON mapping and the check of wire bytes.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::values::{everything, schema};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn json_and_wire_are_lossless(value in everything()) {
        let schema = schema("echo");
        let args = json!({"value": value});
        let wire = schema.args_from_json(&args).unwrap();
        schema.validate_args(&wire).unwrap();
        prop_assert_eq!(schema.args_to_json(&wire).unwrap(), args);
        let result = json!({"ok": value});
        let wire = schema.result_from_json(&result).unwrap();
        schema.validate_result(&wire).unwrap();
        prop_assert_eq!(schema.result_to_json(&wire).unwrap(), result);
    }

    #[test]
    fn mutated_bytes_are_refused_or_read_the_same_by_all(
        value in everything(), at in any::<prop::sample::Index>(), byte: u8, cut: bool
    ) {
        let schema = schema("echo");
        let mut wire = schema.args_from_json(&json!({"value": value})).unwrap();
        let at = at.index(wire.len());
        if cut { wire.truncate(at) } else { wire[at] = byte }
        let checked = schema.validate_args(&wire);
        prop_assert_eq!(schema.args_to_json(&wire).map(drop), checked);
        if let Ok(json) = schema.args_to_json(&wire) {
            // One encoding only, but for the payload of a NaN, which JSON does not keep.
            let nan = json.to_string().contains("\"NaN\"");
            prop_assert!(nan || schema.args_from_json(&json).unwrap() == wire);
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes: Vec<u8>) {
        for function in ["echo", "echo-small", "echo-list", "nothing"] {
            let schema = schema(function);
            prop_assert_eq!(schema.args_to_json(&bytes).map(drop), schema.validate_args(&bytes));
            prop_assert_eq!(schema.result_to_json(&bytes).map(drop), schema.validate_result(&bytes));
        }
    }
}

#[test]
fn refusals_say_where_and_what_would_fit() {
    let person = |change: &dyn Fn(&mut Value)| {
        let mut person = json!({"name": "a", "age": 1, "nicknames": [], "language": "german", "score": 1, "home": null});
        change(&mut person);
        json!({"who": person, "tone": []})
    };
    for (args, says) in [
        (person(&|p| p["nmae"] = json!("b")), "`who`: unknown key `nmae`; did you mean `name`?"),
        (person(&|p| p["age"] = json!(256)), "`who.age`: expected a whole number from 0 to 255, got the number 256"),
        (person(&|p| p["age"] = json!("x")), "`who.age`: expected a whole number from 0 to 255, got the string `x`"),
        (person(&|p| p["nicknames"] = json!(["a", 7])), "`who.nicknames[1]`: expected a string, got the number 7"),
        (person(&|p| p["language"] = json!("germna")), "`who.language`: unknown case `germna`; did you mean `german`?"),
        (
            person(&|p| p["score"] = json!(1e300)),
            "`who.score`: expected a number that a 32-bit float can hold, got the number 1e+300",
        ),
        (person(&|p| drop(p.as_object_mut().unwrap().remove("score"))), "`who.score`: is missing; expected `f32`"),
        (json!({"who": {}}), "`who.name`: is missing; expected `string`"),
        (json!([]), "`arguments`: expected an object or array with the parameters `who`, `tone`"),
        (json!({"tone": [], "whom": 1}), "`arguments`: unknown key `whom`; did you mean `who`?"),
        (json!({"who": person(&|_| {})["who"], "tone": ["lound"]}), "`tone`: unknown flag `lound`; did you mean `loud`?"),
    ] {
        let error = schema("greet").args_from_json(&args).unwrap_err();
        assert_eq!(error.to_string(), says);
    }
    let shape = |shape: Value| schema("echo-shape").args_from_json(&json!([shape, 0])).map_err(|error| error.to_string());
    assert_eq!(shape(json!("circle")).unwrap_err(), "`shape`: `circle` carries a value; write `{\"circle\": f64}`");
    assert_eq!(shape(json!({"point": 1})).unwrap_err(), "`shape`: `point` carries no value; write `\"point\"`");
    // A whole number may be written with a point.
    let aged = |age: Value| schema("greet").args_from_json(&person(&|p| p["age"] = age.clone()));
    assert_eq!(aged(json!(7.0)), aged(json!(7)));
    assert!(aged(json!(7.5)).is_err() && aged(json!(256.0)).is_err() && aged(json!(-1.0)).is_err());
    // An option that is left out is none.
    let args = person(&|p| drop(p.as_object_mut().unwrap().remove("home")));
    let wire = schema("greet").args_from_json(&args).unwrap();
    assert_eq!(schema("greet").args_to_json(&wire).unwrap()["who"]["home"], json!(null));
}

#[test]
fn the_wire_is_as_documented() {
    let wire = |function: &str, args: Value| schema(function).args_from_json(&args).unwrap();
    assert_eq!(wire("echo-bytes", json!(["AQID"])), b"\x81\x43\x01\x02\x03");
    assert_eq!(wire("echo-floats", json!([[1.0, -2.5]])), b"\x81\xd8\x55\x48\0\0\x80\x3f\0\0\x20\xc0");
    assert_eq!(wire("echo-shape", json!(["point", 1.0])), b"\x82\x81\x00\xfa\x3f\x80\0\0");
    assert_eq!(wire("echo-shape", json!([{"pair": [7, -300]}, 0])), b"\x82\x82\x03\x82\x07\x39\x01\x2b\xfa\0\0\0\0");
    let small = |nested: Value| wire("echo-small", json!([true, -1, "é", 0.0, nested, {"maybe": null}, "french"]));
    let rest = b"\x82\x04\xf6\x02";
    assert_eq!(small(json!(null)), [b"\x87\xf5\x20\x18\xe9\xfb\0\0\0\0\0\0\0\0\xf6", &rest[..]].concat());
    assert_eq!(small(json!([null])), [b"\x87\xf5\x20\x18\xe9\xfb\0\0\0\0\0\0\0\0\x81\xf6", &rest[..]].concat());
    assert_eq!(small(json!([3])), [b"\x87\xf5\x20\x18\xe9\xfb\0\0\0\0\0\0\0\0\x81\x03", &rest[..]].concat());
    assert_eq!(schema("nothing").result_from_json(&json!({"ok": null})).unwrap(), b"\x81\x00");
    assert!(hansa_host::is_fault(&schema("nothing").result_from_json(&json!({"err": {"refused": ""}})).unwrap()));
}

#[test]
fn only_the_shortest_encoding_is_read() {
    let schema = schema("echo-bytes");
    schema.validate_args(b"\x81\x41\x00").unwrap();
    for wire in [
        &b"\x98\x01\x41\x00"[..],
        b"\x81\x58\x01\x00",
        b"\x9f\x41\x00\xff",
        b"\x81\x5f\x41\x00\xff",
        b"\x81\x81\x00",
        b"\x81\x41\x00\x00",
    ] {
        schema.validate_args(wire).unwrap_err();
    }
}
