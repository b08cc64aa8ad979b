//! Comparing what came with what was expected.

use serde_json::Value;

use super::file::Expected;

/// What is wrong about `result`, a WIT `result` as JSON; nothing where it is as expected. `whole` is the expected answer in the form
/// that the wire gives it.
pub(super) fn compare(expected: &Expected, result: &Value) -> Option<String> {
    let (ok, err) = (result.get("ok"), result.get("err"));
    match (expected, ok, err) {
        (Expected::Answer(wanted), Some(found), _) if same(wanted, found) => None,
        (Expected::Answer(wanted), Some(found), _) => Some(format!("answer\n  expected {wanted}\n  got      {found}")),
        (Expected::Has(wanted), Some(found), _) if has(wanted, found) => None,
        (Expected::Has(wanted), Some(found), _) => {
            Some(format!("answer\n  expected to have {wanted}\n  got              {found}"))
        }
        (Expected::Fault { case, says }, _, Some(fault)) => compare_fault(case, says, fault),
        (Expected::Fault { case, .. }, Some(found), _) => Some(format!("expected the fault `{case}`\n  got the answer {found}")),
        (Expected::Fails(says), _, Some(Value::String(text))) if text.contains(says.as_str()) => None,
        (Expected::Fails(says), _, _) => Some(format!("expected it to fail and say `{says}`\n  got {result}")),
        (_, _, Some(fault)) => Some(format!("expected an answer\n  got the fault {fault}")),
        _ => Some(format!("the function gives no `result`: {result}")),
    }
}

fn compare_fault(case: &str, says: &str, fault: &Value) -> Option<String> {
    let (found, text) = match fault {
        Value::Object(object) => object.iter().next().map(|(case, text)| (case.as_str(), text.as_str().unwrap_or_default()))?,
        Value::String(case) => (case.as_str(), ""),
        _ => ("", ""),
    };
    if found != case {
        return Some(format!("expected the fault `{case}`\n  got {fault}"));
    }
    (!text.contains(says)).then(|| format!("expected the fault to say `{says}`\n  it says `{text}`"))
}

/// How far floats may differ, relative to the larger: single precision has seven digits.
const FLOAT_TOLERANCE: f64 = 1e-6;

/// Equal, floats nearly so, and whole numbers also where they are written as texts.
fn same(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::Number(wanted), Value::Number(found)) => {
            let (wanted, found) = (wanted.as_f64().unwrap_or(f64::NAN), found.as_f64().unwrap_or(f64::NAN));
            (wanted - found).abs() <= FLOAT_TOLERANCE * wanted.abs().max(found.abs())
        }
        (Value::Number(wanted), Value::String(found)) => wanted.to_string() == *found,
        (Value::Array(wanted), Value::Array(found)) => {
            wanted.len() == found.len() && wanted.iter().zip(found).all(|(wanted, found)| same(wanted, found))
        }
        (Value::Object(wanted), Value::Object(found)) => {
            let absent = |key: &String| found.get(key).is_none_or(Value::is_null);
            let covers = |(key, wanted): (&String, &Value)| found.get(key).is_some_and(|found| same(wanted, found));
            wanted.iter().all(covers) && found.keys().all(|key| wanted.contains_key(key) || absent(key))
        }
        (wanted, found) => wanted == found,
    }
}

/// Of a text a part, of an object some keys, of a list each of these somewhere in it.
fn has(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::String(wanted), Value::String(found)) => found.contains(wanted.as_str()),
        (Value::Object(wanted), Value::Object(found)) => {
            wanted.iter().all(|(key, wanted)| found.get(key).is_some_and(|found| has(wanted, found)))
        }
        (Value::Array(wanted), Value::Array(found)) => wanted.iter().all(|wanted| found.iter().any(|found| has(wanted, found))),
        (wanted, found) => same(wanted, found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn answers_are_compared_as_people_write_them() {
        let right = [
            (json!(1), json!({"ok": "1"})),
            (json!(0.6), json!({"ok": 0.600_000_023_8})),
            (json!({"a": 1}), json!({"ok": {"a": 1, "b": null}})),
            (json!([]), json!({"ok": []})),
        ];
        for (wanted, found) in right {
            assert_eq!(compare(&Expected::Answer(wanted), &found), None);
        }
        let wrong = [
            (json!(1), json!({"ok": 2})),
            (json!({"a": 1}), json!({"ok": {"a": 1, "b": 0}})),
            (json!([1]), json!({"ok": [1, 1]})),
            (json!("x"), json!({"err": {"failed": "x"}})),
        ];
        for (wanted, found) in wrong {
            assert!(compare(&Expected::Answer(wanted), &found).is_some());
        }
    }

    #[test]
    fn parts_and_faults() {
        let has = |wanted| Expected::Has(wanted);
        assert_eq!(compare(&has(json!({"b": [2]})), &json!({"ok": {"a": 1, "b": [1, 2, 3]}})), None);
        assert!(compare(&has(json!("cat")), &json!({"ok": "a dog"})).is_some());
        let fault = Expected::Fault { case: "failed".into(), says: "why".into() };
        assert_eq!(compare(&fault, &json!({"err": {"failed": "that is why"}})), None);
        assert!(compare(&fault, &json!({"err": {"failed": "no reason"}})).unwrap().contains("no reason"));
        assert!(compare(&fault, &json!({"err": {"refused": "why"}})).is_some());
        assert!(compare(&fault, &json!({"ok": 1})).unwrap().contains("got the answer 1"));
    }
}
