//! Hostile expressions end, say why, and fill neither time nor memory.

use super::*;

/// `times` of `part` behind each other.
fn chain(begin: &str, part: &str, times: usize) -> String {
    format!("{begin}{}", part.repeat(times))
}

const STEPS: &str = "more than 2000000 steps";
const BYTES: &str = "more than 128 MiB of values";

#[track_caller]
fn ends(cases: &[(String, &str)]) {
    for (jq, says) in cases {
        let told = run(jq, "[1]");
        let told = told.unwrap_or_else(|error| error);
        assert!(told.contains(says), "{jq}\n  says {told}");
    }
}

#[test]
fn what_touches_no_value_burns_steps_too() {
    let many = chain("1", "|(.,.)", 40);
    ends(&[
        (format!("[{many}]"), STEPS),
        (many.clone(), "it gives more than 1000 values"),
        (format!("last({many})"), STEPS),
        (format!("isempty({many}|empty)"), STEPS),
        (format!("any({many}; . == 2)"), STEPS),
        (format!("all({many}; true)"), STEPS),
        (format!("first({many}|select(. > 1))"), STEPS),
        (format!("limit(1; {many}|empty)"), STEPS),
        (format!("skip(1e15; {many})"), STEPS),
        (format!("({many}|false) // 1"), STEPS),
        (format!("if ({many}|false) then 1 else empty end"), STEPS),
        (format!("{{a: ({many})}}|empty"), STEPS),
        (format!("({many}) as $x | empty"), STEPS),
        (format!("[1] | .[{}] |= 1", chain("0", "|(.,.)", 21)), STEPS),
        (format!("(.[0]{}) |= .", "|(.,.)".repeat(20)), STEPS),
        (format!("[path({})]", chain(".", "|(.,.)", 25)), STEPS),
    ]);
}

#[test]
fn what_ended_it_cannot_be_caught() {
    let many = chain("1", "|(.,.)", 40);
    ends(&[
        (format!("try last({many}) catch 1"), STEPS),
        (format!("(last({many}))? // 1"), STEPS),
        (format!("first(1, last({many})), (last({many})|empty)"), STEPS),
        ("try (\"x\" * 1e9) catch 1".to_owned(), BYTES),
        ("[\"x\" * 1e9 | 1]? // 2".to_owned(), BYTES),
    ]);
    assert_eq!(run("1 + 1", "null"), Ok("2".to_owned()), "the next evaluation begins anew");
}

#[test]
fn memory_is_bounded() {
    let wide = chain("[1,2,3,4,5,6,7,8]", "|. + .", 17);
    let narrow = chain("[1,2,3,4,5,6,7,8]", "|. + .", 12);
    ends(&[
        ("\"x\" * 1e18".to_owned(), BYTES),
        (chain("\"x\"", "|. + .", 40), BYTES),
        (chain("[1]", "|. + .", 40), BYTES),
        (chain("\"xxxxxxxxxx\"", "|[., .]|join(.[0])", 20), BYTES),
        (".[1e9] = 1".to_owned(), BYTES),
        (".[1e18] = 1".to_owned(), BYTES),
        (".[1e300] = 1".to_owned(), "has no item `1e+300` to change"),
        (format!("{wide} | map([., 1]) | transpose | map(map([.]))"), STEPS),
        (format!("{wide} | [., .] | transpose | transpose | transpose"), "of values are made"),
        (format!("{narrow} | map(97) | implode * 5000"), BYTES),
        (format!("{narrow} | map(\"aaaaaaaaaaaaaaaaaaaaaaaaa\") | add | [match(\"\"; \"g\")]"), "taken"),
        // Small to hold, huge to write.
        (chain("[1]", "|[., .]", 40), "more than 16 MiB"),
        (chain("[1]", "|[., .]", 40) + " | tojson", BYTES),
        (chain("[1]", "|[., .]", 40) + " | \"\\(.)\" | length", BYTES),
        (chain("[1]", "|[., .]", 40) + " | . == map(.)", STEPS),
        (chain("[1]", "|[., .]", 40) + " | [., .] | unique", STEPS),
        (chain("[1]", "|[., .]", 40) + " | flatten", BYTES),
        (chain("[1]", "|[., .]", 40) + " | [..] | length", STEPS),
        (chain("[1]", "|[., .]", 40) + " | contains(map(.))", STEPS),
        (chain("[1]", "|[., .]", 40) + " | error", "it fails with the list `[[[[[[[[[["),
    ]);
}

#[test]
fn slow_work_on_much_data_is_bounded() {
    let texts = "[\"x\" * 100000 | ., ., ., .] | map(.) | . + . | . + . | . + . | . + . | . + . | . + . | . + . | . + .";
    ends(&[
        (format!("{texts} | sort | length"), STEPS),
        (format!("{texts} | group_by(.) | length"), STEPS),
        (format!("{texts} | unique | length"), STEPS),
        (format!("{texts} | index(\"y\")"), "null"),
        (format!("{texts} - [\"y\"] | length"), "1024"),
        ("\"a\" * 3000000 | test(\"(a*)*b\")".to_owned(), "false"),
        ("\"a\" * 300000 | [match(\"a*?b|a\"; \"g\")] | length".to_owned(), STEPS),
        ("\"a\" * 300000 | [scan(\"a\")] | length".to_owned(), "steps"),
        ("\"a\" * 10000 | [scan(\"a\")] | length".to_owned(), "10000"),
        ("\"a\" * 1000000 | [indices(\"a\" * 500000)[]] | length".to_owned(), "steps"),
        ("test(\"(((a{100}){100}){100}){100}\")".to_owned(), "it is too large; count less in it"),
        (format!("[\"a\" | {} | try test(\"(a{{1000}}){{1000}}\") catch 1]", chain("(.,.)", "|(.,.)", 20)), STEPS),
        ("\"[\" * 100000 | fromjson".to_owned(), "is no JSON"),
    ]);
}

#[test]
fn depth_is_bounded() {
    let input = format!("{}1{}", "[".repeat(127), "]".repeat(127));
    assert_eq!(run("[.] | length", &input), Ok("1".to_owned()));
    for jq in ["[[.]]", "{a: [.]}", "[.] | map([.])", "[.] | .[0] = [.]", "try [[.]] catch 1", "[[.]] | empty"] {
        assert!(run(jq, &input).unwrap_err().contains("more than 128 deep"), "{jq}");
    }
    let deep = format!("{}1{}", "[".repeat(120), "]".repeat(120));
    assert!(run(".[0] |= [[[[[[[[[[[.]]]]]]]]]]]", &deep).unwrap_err().contains("more than 128 deep"));
    let path = format!("[{}0]", "0,".repeat(32));
    assert!(run("getpath(.)", &path).unwrap_err().contains("a path of 33 parts; 32 are possible"));
}

#[test]
fn what_is_not_reachable() {
    for jq in [
        "halt",
        "halt_error",
        "input",
        "inputs",
        "now",
        "env",
        "$ENV",
        "debug",
        "input_line_number",
        "__end",
        "__raise",
        "__sorted(1)",
        "\"!empty\" | !empty",
        "range(5)",
        "repeat(1)",
        "recurse(.)",
        "until(false; .)",
        "while(true; .)",
        "import \"a\" as a; 1",
        "a::b",
        "getpath",
        "test",
        "test(1; 2; 3)",
        "key_values",
        "error_empty",
    ] {
        let template = std::panic::catch_unwind(|| template(jq));
        let refused = template.map(|template| Compiled::new(template.expressions()[0]).is_err());
        assert!(refused.unwrap_or(true), "{jq}");
    }
}
