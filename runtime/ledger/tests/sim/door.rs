//! The door of the simulation: lines in, lines out, and what is said about lines that are no commands.

use std::io::Read;

use hansa_ledger::sim::{SimError, run};
use proptest::prelude::*;

fn answers(input: &str) -> Vec<String> {
    let mut output = Vec::new();
    run(input.as_bytes(), &mut output).unwrap();
    String::from_utf8(output).unwrap().lines().map(str::to_owned).collect()
}

fn refusal(input: &str) -> String {
    run(input.as_bytes(), std::io::sink()).unwrap_err().to_string()
}

/// Numbers go in as numbers or strings, and come out as strings where they have 64 bits or more.
#[test]
fn one_line_comes_out_for_each_line() {
    let input = r#"
        {"op":"accounts","events":[{"id":"1","asset":1,"code":1,"flags":["debits_must_not_exceed_credits"]},{"id":2,"asset":"1","code":"1"}]}
        {"op":"transfers","events":[{"id":"10","debit":"2","credit":"1","amount":"15","asset":1,"code":1,"pending_id":"0"},{"id":11,"debit":1,"credit":2,"amount":16,"asset":1,"code":1}]}

        {"op":"transfers","events":[{"id":12,"debit":1,"credit":2,"amount":5,"asset":1,"code":1,"flags":["pending"],"timeout_s":1}]}
        {"op":"transfers","events":[]}
        {"op":"advance","seconds":1}
        {"op":"lookup","accounts":["1",9]}
        {"op":"lookup","transfers":[12,11,"10"]}
    "#;
    let expected = [
        r#"{"results":[{"status":"created","timestamp":"1"},{"status":"created","timestamp":"2"}]}"#,
        r#"{"results":[{"status":"created","timestamp":"3","amount":"15"},{"status":"exceeds_credits","timestamp":"4","amount":"0"}]}"#,
        r#"{"results":[{"status":"created","timestamp":"5","amount":"5"}]}"#,
        r#"{"results":[]}"#,
        r#"{"results":[],"timestamp":"1000000005"}"#,
        r#"{"accounts":[{"id":"1","debits_pending":"0","debits_posted":"0","credits_pending":"0","credits_posted":"15","user_data_128":"0","user_data_64":"0","user_data_32":0,"asset":1,"code":1,"flags":["debits_must_not_exceed_credits"],"timestamp":"1","closed":false}]}"#,
        r#"{"transfers":[{"id":"12","debit":"1","credit":"2","amount":"5","pending_id":"0","user_data_128":"0","user_data_64":"0","user_data_32":0,"timeout_s":1,"asset":1,"code":1,"flags":["pending"],"timestamp":"5","posted_by":"payer","hold":"expired"},{"id":"10","debit":"2","credit":"1","amount":"15","pending_id":"0","user_data_128":"0","user_data_64":"0","user_data_32":0,"timeout_s":0,"asset":1,"code":1,"flags":[],"timestamp":"3","posted_by":"payer"}]}"#,
    ];
    assert_eq!(answers(input), expected);
}

#[test]
fn large_numbers_need_no_quotation_marks() {
    let input = r#"
        {"op":"accounts","events":[{"id":340282366920938463463374607431768211454,"asset":4294967295,"code":65535,"user_data_64":18446744073709551615},{"id":2,"asset":4294967295,"code":1}]}
        {"op":"transfers","events":[{"id":1,"debit":340282366920938463463374607431768211454,"credit":2,"amount":"max","asset":4294967295,"code":1}]}
        {"op":"lookup","accounts":[340282366920938463463374607431768211454]}
    "#;
    let answers = answers(input);
    assert_eq!(
        answers[1],
        r#"{"results":[{"status":"created","timestamp":"3","amount":"340282366920938463463374607431768211455"}]}"#
    );
    assert!(answers[2].contains(r#""id":"340282366920938463463374607431768211454","debits_pending":"0","debits_posted":"340282366920938463463374607431768211455""#));
    assert!(answers[2].contains(r#""user_data_64":"18446744073709551615""#));
}

#[test]
fn accounts_with_history_remember_their_balances() {
    let input = r#"
        {"op":"accounts","events":[{"id":1,"asset":1,"code":1,"flags":["history"]},{"id":2,"asset":1,"code":1}]}
        {"op":"transfers","events":[{"id":1,"debit":1,"credit":2,"amount":9,"asset":1,"code":1,"flags":["pending"]},{"id":2,"pending_id":1,"amount":4,"flags":["post_pending"]},{"id":3,"debit":2,"credit":1,"amount":7,"asset":1,"code":1,"flags":["pending"],"timeout_s":1},{"id":4,"debit":1,"credit":2,"amount":1,"asset":1,"code":1,"flags":["linked"]},{"id":5,"debit":1,"credit":1,"amount":1,"asset":1,"code":1}]}
        {"op":"advance","seconds":1}
        {"op":"lookup","balances":[1,2]}
    "#;
    let row = |timestamp: u64, debits_pending: u8, debits_posted: u8, credits_pending: u8| {
        format!(
            r#"{{"account":"1","timestamp":"{timestamp}","debits_pending":"{debits_pending}","debits_posted":"{debits_posted}","credits_pending":"{credits_pending}","credits_posted":"0"}}"#
        )
    };
    let rows = [row(3, 9, 0, 0), row(4, 0, 4, 0), row(5, 0, 4, 7), row(1_000_000_005, 0, 4, 0)];
    assert_eq!(answers(input)[3], format!(r#"{{"balances":[{}]}}"#, rows.join(",")));
}

/// The same lines give the same bytes.
#[test]
fn a_simulation_is_deterministic() {
    let input = r#"
        {"op":"accounts","events":[{"id":1,"asset":1,"code":1},{"id":2,"asset":1,"code":1}]}
        {"op":"transfers","events":[{"id":1,"debit":1,"credit":2,"amount":9,"asset":1,"code":1}]}
        {"op":"lookup","accounts":[2,1,2],"transfers":[1]}
    "#;
    assert_eq!(answers(input), answers(input));
    assert_eq!(answers(input)[2].matches(r#""id":"2""#).count(), 2);
}

#[test]
fn what_is_unknown_names_the_nearest_and_the_line() {
    for (line, expected) in [
        (r#"{"op":"acounts","events":[]}"#, "line 2: the command has no op `acounts`; did you mean `accounts`?"),
        (r#"{"op":"accounts","event":[]}"#, "line 2: the command has no key `event`; did you mean `events`?"),
        (r#"{"op":"accounts","events":[{},{"ident":1}]}"#, "line 2: event 2 has no key `ident`; did you mean `id`?"),
        (r#"{"op":"transfers","events":[{"timeout":1}]}"#, "line 2: event 1 has no key `timeout`; did you mean `timeout_s`?"),
        (
            r#"{"op":"transfers","events":[{"flags":["post_pending_transfer"]}]}"#,
            "line 2: event 1 has no flag `post_pending_transfer`; did you mean `post_pending`?",
        ),
        (
            r#"{"op":"accounts","events":[{"flags":["pending"]}]}"#,
            "line 2: event 1 has no flag `pending`; did you mean `linked`?",
        ),
        (
            r#"{"op":"transfers","events":[{"posted_by":"nobody"}]}"#,
            "line 2: event 1 has no posted_by `nobody`; did you mean `payee`?",
        ),
    ] {
        assert_eq!(refusal(&format!("{}\n{line}\n", r#"{"op":"advance","seconds":0}"#)), expected);
    }
}

#[test]
fn what_is_no_command_is_told() {
    for (line, expected) in [
        ("x", "line 1: it is no JSON: expected value at column 1"),
        (r#"{"op":"advance","seconds":1} {}"#, "line 1: it is no JSON: trailing characters at column 30"),
        ("[]", "line 1: the command must be an object, not `[]`"),
        ("{}", "line 1: the command needs `op`"),
        (r#"{"op":7}"#, "line 1: `op` of the command must be a string, not `7`"),
        (r#"{"op":"transfers"}"#, "line 1: the command needs `events`"),
        (r#"{"op":"advance"}"#, "line 1: the command needs `seconds`"),
        (r#"{"op":"lookup"}"#, "line 1: the command needs `accounts`"),
        (r#"{"op":"accounts","events":{}}"#, "line 1: `events` of the command must be a list, not `{}`"),
        (r#"{"op":"accounts","events":[7]}"#, "line 1: event 1 must be an object, not `7`"),
        (r#"{"op":"accounts","events":[{"id":-1}]}"#, "line 1: `id` of event 1 must be an integer of 128 bits, not `-1`"),
        (r#"{"op":"accounts","events":[{"id":1.5}]}"#, "line 1: `id` of event 1 must be an integer of 128 bits, not `1.5`"),
        (
            r#"{"op":"accounts","events":[{"code":"1a"}]}"#,
            "line 1: `code` of event 1 must be an integer of 16 bits, not `\"1a\"`",
        ),
        (r#"{"op":"accounts","events":[{"code":65536}]}"#, "line 1: `code` of event 1 is `65536`; the most is 65535"),
        (
            r#"{"op":"transfers","events":[{"amount":340282366920938463463374607431768211456}]}"#,
            "line 1: `amount` of event 1 is `340282366920938463463374607431768211456`; the most is 340282366920938463463374607431768211455",
        ),
        (
            r#"{"op":"transfers","events":[{"amount":"most"}]}"#,
            "line 1: `amount` of event 1 must be an integer of 128 bits or `max`, not `\"most\"`",
        ),
        (r#"{"op":"transfers","events":[{"flags":"pending"}]}"#, "line 1: `flags` of event 1 must be a list, not `\"pending\"`"),
        (r#"{"op":"advance","seconds":9223372037}"#, "line 1: the clock would pass the end of log time, 9223372036854775807 ns"),
    ] {
        assert_eq!(refusal(line), expected);
    }
}

#[test]
fn a_line_has_an_end() {
    let endless = std::io::BufReader::new(std::io::repeat(b' ').take(20 << 20));
    assert!(matches!(run(endless, std::io::sink()), Err(SimError::Input { line: 1, .. })));
}

proptest! {
    /// Whatever comes in: an error or answers.
    #[test]
    fn rubbish_is_an_error(text: String, digits in "[0-9]{18,42}", key in "[a-z_]{1,12}") {
        prop_assert!(text.trim().is_empty() || run(text.as_bytes(), std::io::sink()).is_err());
        let line = format!(r#"{{"op":"transfers","events":[{{"user_data_128":{digits},"id":"\\\"{text:?}"}},{{"{key}":{digits}}}]}}"#);
        let _ = run(line.as_bytes(), std::io::sink());
    }

    /// A number means the same with quotation marks and without.
    #[test]
    fn numbers_and_strings_are_one(id: u128, amount: u128, data: u64) {
        let lines = |quote: &str| format!(
            "{}\n{}\n",
            format_args!(r#"{{"op":"accounts","events":[{{"id":{quote}{id}{quote},"user_data_64":{quote}{data}{quote},"asset":1,"code":1}}]}}"#),
            format_args!(r#"{{"op":"transfers","events":[{{"id":7,"debit":{quote}{id}{quote},"credit":2,"amount":{quote}{amount}{quote},"asset":1,"code":1}}]}}"#),
        ) + &format!(r#"{{"op":"lookup","accounts":[{quote}{id}{quote}]}}"#);
        prop_assert_eq!(answers(&lines("")), answers(&lines("\"")));
    }
}

/// What was answered before a bad line stands.
#[test]
fn answers_before_a_bad_line_stand() {
    let mut output = Vec::new();
    let input = "{\"op\":\"advance\",\"seconds\":1}\n\n{\"op\":\"advanced\"}\n";
    let error = run(input.as_bytes(), &mut output).unwrap_err();
    assert!(error.to_string().starts_with("line 3: "), "{error}");
    assert_eq!(output, b"{\"results\":[],\"timestamp\":\"1000000000\"}\n");
}
