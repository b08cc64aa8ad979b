//! Random values of the fixture's types, as JSON, and the schema of the function that echoes them.

use std::sync::{Arc, LazyLock};

use hansa_host::FunctionSchema;
use proptest::{collection::vec, option, prelude::*};
use serde_json::{Value, json};

use crate::support::{GREETER, host, program};

/// The schema of a function of the greeter.
pub(crate) fn schema(function: &str) -> Arc<FunctionSchema> {
    static SCHEMAS: LazyLock<Vec<(Arc<str>, Arc<FunctionSchema>)>> = LazyLock::new(|| {
        let greeter = program(&host(), "greeter");
        let export = greeter.export(GREETER).unwrap();
        export.functions.iter().map(|function| (function.name.clone(), function.schema.clone())).collect()
    });
    SCHEMAS.iter().find(|(name, _)| &**name == function).unwrap().1.clone()
}

fn tone() -> impl Strategy<Value = Value> {
    proptest::sample::subsequence(vec!["polite", "loud", "brief"], 0..=3).prop_map(|flags| json!(flags))
}

fn many() -> impl Strategy<Value = Value> {
    let names: Vec<_> = (0..10).map(|index| format!("f{index}")).collect();
    proptest::sample::subsequence(names, 0..=10).prop_map(|flags| json!(flags))
}

pub(crate) fn language() -> impl Strategy<Value = Value> {
    proptest::sample::select(vec!["english", "german", "french"]).prop_map(|name| json!(name))
}

fn float(bits: f64) -> Value {
    match bits {
        _ if bits.is_nan() => json!("NaN"),
        f64::INFINITY => json!("Infinity"),
        f64::NEG_INFINITY => json!("-Infinity"),
        finite => json!(finite),
    }
}

pub(crate) fn f64_json() -> impl Strategy<Value = Value> {
    prop_oneof![any::<f64>(), Just(f64::NAN), Just(f64::INFINITY), Just(-0.0)].prop_map(float)
}

pub(crate) fn f32_json() -> impl Strategy<Value = Value> {
    prop_oneof![any::<f32>(), Just(f32::NAN), Just(f32::NEG_INFINITY), Just(0.1)].prop_map(|bits| {
        let shortest = if bits.is_finite() { bits.to_string().parse().unwrap() } else { f64::from(bits) };
        float(shortest)
    })
}

fn person() -> impl Strategy<Value = Value> {
    let fields = (any::<String>(), any::<u8>(), vec(any::<String>(), 0..3), language(), f32_json(), option::of(any::<String>()));
    fields.prop_map(|(name, age, nicknames, language, score, home)| {
        json!({"name": name, "age": age, "nicknames": nicknames, "language": language, "score": score, "home": home})
    })
}

pub(crate) fn shape() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!("point")),
        f64_json().prop_map(|radius| json!({"circle": radius})),
        any::<String>().prop_map(|label| json!({"label": label})),
        any::<(u32, i16)>().prop_map(|(a, b)| json!({"pair": [a, b]})),
        option::of(any::<u64>()).prop_map(|number| json!({"maybe": number.map(|number| number.to_string())})),
        tone().prop_map(|tone| json!({"tagged": tone})),
    ]
}

pub(crate) fn nested() -> impl Strategy<Value = Value> {
    prop_oneof![Just(json!(null)), Just(json!([null])), any::<u32>().prop_map(|number| json!([number]))]
}

fn base64(bytes: &[u8]) -> String {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    BASE64_STANDARD.encode(bytes)
}

/// A record with a field of every type.
pub(crate) fn everything() -> impl Strategy<Value = Value> {
    let numbers = any::<(bool, i8, u16, i16, i32, u64, i64, char)>();
    let texts = (f32_json(), f64_json(), any::<String>(), vec(any::<u8>(), 0..300));
    let lists = (vec(f32_json(), 0..20), vec(f64_json(), 0..20), vec(shape(), 0..4), nested());
    let outcomes = (
        prop_oneof![any::<String>().prop_map(|t| json!({"ok": t})), any::<u8>().prop_map(|n| json!({"err": n}))],
        prop_oneof![Just(json!({"ok": null})), any::<String>().prop_map(|t| json!({"err": t}))],
        prop_oneof![Just(json!({"ok": null})), Just(json!({"err": null}))],
    );
    let flags = (tone(), many(), any::<(u8, String, bool)>(), vec(person(), 0..3));
    let more = (vec(any::<i8>(), 0..9), vec(any::<u64>(), 0..9), vec(any::<bool>(), 0..9), vec(any::<char>(), 0..9));
    (numbers, texts, lists, outcomes, flags, more).prop_map(|(n, t, l, o, f, m)| {
        json!({
            "yes": n.0, "s8v": n.1, "u16v": n.2, "s16v": n.3, "s32v": n.4, "u64v": n.5.to_string(), "s64v": n.6.to_string(),
            "letter": n.7.to_string(), "f32v": t.0, "f64v": t.1, "text": t.2, "bytes": base64(&t.3),
            "floats": l.0, "doubles": l.1, "shapes": l.2, "nested": l.3,
            "outcome": o.0, "done": o.1, "bare": o.2,
            "tone": f.0, "many": f.1, "triple": [f.2.0, f.2.1, f.2.2], "people": f.3,
            "signed": m.0, "wide": m.1.iter().map(u64::to_string).collect::<Vec<_>>(), "truths": m.2,
            "letters": m.3.iter().map(char::to_string).collect::<Vec<_>>(),
        })
    })
}
