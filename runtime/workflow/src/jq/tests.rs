//! What expressions read, and what of jq is refused.

use super::*;
use crate::Workflow;
use crate::definition::Work;
use crate::limits::JQ_NESTING_MAX;

/// The expression of a workflow with this one in it.
fn expression(jq: &str) -> Expression {
    let text = format!("workflow: a/b\nversion: 1.0.0\nbudget: 1\nsteps:\n  - id: a\n    set: |-\n      ${{{jq}}}\n");
    let workflow = Workflow::read(&text).unwrap_or_else(|problems| panic!("{jq}: {problems:?}"));
    let Work::Set(template) = &workflow.steps[0].work else { panic!("a set") };
    template.expressions()[0].clone()
}

fn reads(jq: &str) -> Vec<String> {
    let reads = check(&expression(jq)).unwrap_or_else(|problem| panic!("{jq}: {problem}"));
    reads.into_iter().map(|read| read.names.into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(".")).collect()
}

#[test]
fn what_an_expression_reads_is_found() {
    for (jq, wanted) in [
        (".input.text", vec!["input.text"]),
        (".steps.\"read-page\".pages[0].text", vec!["steps.read-page.pages"]),
        ("[.input.a, .steps.b.c] | map(.d)", vec!["input.a", "steps.b.c"]),
        ("{text: .input.t, n: (.steps.x.rows | length)}", vec!["input.t", "steps.x.rows"]),
        (". | .input.a", vec!["input.a"]),
        (".input.rows[] | select(.score > 0.5) | .text", vec!["input.rows"]),
        ("\"from \\(.input.a) on\"", vec!["input.a"]),
        (".input as $in | .steps.x.y + $in.z", vec!["input", "steps.x.y"]),
        ("if .input.a then .steps.b.c else empty end", vec!["input.a", "steps.b.c"]),
        ("{input}", vec!["input"]),
        ("if .input.a == null then true else false end", vec!["input.a"]),
        (".input.a | @base64", vec!["input.a"]),
        ("1 + 2", vec![]),
    ] {
        assert_eq!(reads(jq), wanted, "{jq}");
    }
}

#[test]
fn what_may_not_be_used_is_refused_at_its_place() {
    for (jq, says) in [
        ("def f: 1 + f; f", "definitions are not used here"),
        ("reduce .input[] as $x (0; . + $x)", "7:9: `reduce` is not used here"),
        ("[range(1000000000)]", "7:10: `range` is not used here"),
        ("now", "7:9: `now` is not used here"),
        ("env.HOME", "7:9: `env` is not used here"),
        (".input | lenght", "7:18: `lenght` is not used here: did you mean `length`?"),
        ("repeat(.)", "`repeat` is not used here"),
        ("$input.a", "7:9: no variable `$input`"),
        (".input.", "key is expected at the end"),
        (".input |", "is expected at the end"),
        (".a ] b", "7:12: "),
        ("@sh \"x\"", "`@sh` is not used here"),
        ("label $out | 1", "`$out` is not used here"),
    ] {
        let told = check(&expression(jq)).map(|_| ()).unwrap_err().to_string();
        assert!(told.contains(says), "{jq}: {told}");
    }
    let deep = format!("{}1{}", "[".repeat(JQ_NESTING_MAX + 1), "]".repeat(JQ_NESTING_MAX + 1));
    assert!(check(&expression(&deep)).unwrap_err().to_string().contains("take several steps"));
}
