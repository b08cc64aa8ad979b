//! No expression that is taken uses up the stack, whatever it is run on.

use super::*;
use crate::limits::VALUE_NESTING_MAX;

/// What tests and tokio's threads have. With optimization a quarter is enough.
const STACK: usize = 2 * 1024 * 1024;

/// Begin, what is repeated, middle, what is repeated, end.
const FAMILIES: &[(&str, &str, &str, &str, &str)] = &[
    ("1", "|.", "", "", ""),
    ("1", "|first(.,.)", "", "", ""),
    ("1", "+1", "", "", ""),
    ("1", "*(1", "", ")", ""),
    ("", "-", "1", "", ""),
    ("", "try ", "1", "", ""),
    ("[1", ",1", "]|1", "", ""),
    ("null", "//null", "", "", ""),
    ("1", "==1", "", "", ""),
    ("true", " and true", "", "", ""),
    ("{", "a:1,", "}", "", ""),
    ("\"", "\\(1)", "\"", "", ""),
    ("", "\"\\(", "1", ")\"", ""),
    ("", "map(", "1", ")", ""),
    ("", "[", "1", "]", ""),
    ("", "(", "1", ")", ""),
    ("", "{a:", "1", "}", ""),
    ("", "if 1 then ", "1", " end", ""),
    ("if null then 1", " elif null then 1", " end", "", ""),
    ("null", ".a", "", "", ""),
    ("null|.a", ".a", "=1", "", ""),
    (".input", "|..", "|select(.==[])", "", ""),
    ("[.input", "|..", "]|length", "", ""),
    (".input|(..", "|..", ") |= .", "", ""),
    (".input|(..", "|..", ") |= [.]", "", ""),
    ("", "[1]|sort_by(", "1", ")", ""),
    ("", "[1]|group_by(", "1", ")", ""),
    ("", "[1]|min_by(", "1", ")", ""),
    ("", "any(.;", "1", ")", ""),
    ("", "all(.[]?;", "1", ")", ""),
    ("", "isempty(", "1", ")", ""),
    ("", "first(", "1", ")", ""),
    ("", "limit(1;", "1", ")", ""),
    ("\"a\"", "|gsub(\"a\";\"a\")", "", "", ""),
    ("", "\"a\"|gsub(\"a\";", "\"a\"", ")", ""),
    ("1", " as $x|1", "", "", ""),
    ("1 as [$a", ",$b", "]|1", "", ""),
    ("1 as ", "[", "$a", "]", "|1"),
    ("", "del(.a|", ".", ")", ""),
    ("", "del(", ".", ")", ""),
    ("null|", "(.a|=", "1", ")", ""),
    ("null|", "(.[0]|=", "1", ")", ""),
    ("null|[path(.a", ",.a", ")]|1", "", ""),
    ("", "in(", "1", ")", ""),
    ("", ".[", "null", "]", ""),
    ("", "{a:1}|with_entries(", ".", ")", ""),
    ("", "[1]|map_values(", ".", ")", ""),
    ("", "map_values(", ".", ")", ""),
    ("[[]]|(", "getpath([0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0])|", ".) |= 1", "", ""),
    (".input|(", ".[]|", ".) |= [.]", "", ""),
    (".input|(", "select(.)|", ".) |= [.]", "", ""),
    (".input|(", "first,", ".) |= [.]", "", ""),
    (".input|(", "if . then ", ".", " else . end", ") |= [.]"),
    (".input", "|flatten|tojson|fromjson", "", "", ""),
    (".input", "|[paths]", "|length", "", ""),
];

fn expression((begin, repeated, middle, behind, end): &(&str, &str, &str, &str, &str), times: usize) -> String {
    format!("{begin}{}{middle}{}{end}", repeated.repeat(times), behind.repeat(times))
}

/// Compiled, where it is taken.
fn taken(jq: &str) -> Option<Compiled> {
    if jq.len() > crate::limits::EXPRESSION_BYTES_MAX {
        return None;
    }
    Compiled::new(template(jq).expressions()[0]).ok()
}

fn on_small_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(STACK).spawn(work).unwrap().join().unwrap()
}

#[test]
fn the_deepest_expressions_that_are_taken_run() {
    let nested = format!("{}{}", "[".repeat(VALUE_NESTING_MAX - 1), "]".repeat(VALUE_NESTING_MAX - 1));
    for family in FAMILIES {
        let (family, nested) = (*family, nested.clone());
        let times = on_small_stack(move || {
            let times = (1..)
                .take_while(|times| taken(&expression(&family, *times)).is_some())
                .last()
                .unwrap_or_else(|| panic!("{family:?}"));
            // Errors are as good as values here.
            let _: Result<Value, EvalError> = taken(&expression(&family, times)).unwrap().run(&scope(value(&nested)));
            times
        });
        assert!(times > 0 && times < 600, "{family:?}: {times}");
    }
}

#[test]
fn what_is_far_too_deep_is_refused() {
    for family in FAMILIES {
        let longest = (crate::limits::EXPRESSION_BYTES_MAX - 200) / (family.1.len() + family.3.len());
        let jq = expression(family, longest);
        assert!(on_small_stack(move || taken(&jq).is_none()), "{family:?}");
    }
}
