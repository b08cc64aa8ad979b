//! Every function, against what jq's manual says of it (jq 1.7 and 1.8).

use super::*;

#[track_caller]
fn gives(cases: &[(&str, &str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(jq, input, wanted)| {
            let found = run(&format!("[{jq}]"), input);
            let wanted = format!("[{wanted}]");
            (found.as_ref() != Ok(&wanted)).then(|| format!("{input} | {jq}\n  gives  {found:?}\n  wanted {wanted}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_language() {
    gives(&[
        (".", r#"{"b":[1,null],"a":"x"}"#, r#"{"a":"x","b":[1,null]}"#),
        (".a.b", r#"{"a":{"b":1}}"#, "1"),
        (".a.b", "null", "null"),
        (".a?", "[1]", ""),
        (r#"."a b"[0]"#, r#"{"a b":[7]}"#, "7"),
        (".[-1], .[9]", "[1,2]", "2,null"),
        (".[1.7]", "[1,2]", "2"),
        (".[1:], .[:-1], .[-2:]", "[1,2,3]", "[2,3],[1,2],[2,3]"),
        (".[1:2]", "\"aöb\"", "\"ö\""),
        (".[]", r#"{"b":2,"a":1}"#, "1,2"),
        (".[]?", "1", ""),
        ("..", "[[1]]", "[[1]],[1],1"),
        ("[.[] | . * 2]", "[1,2]", "[2,4]"),
        ("{a, b: 1, (\"c\"): 2, \"d\": 3}", r#"{"a":5}"#, r#"{"a":5,"b":1,"c":2,"d":3}"#),
        ("{a: (1, 2)}", "null", r#"{"a":1},{"a":2}"#),
        (". as [$x, {y: $y}] | $x + $y", r#"[1,{"y":2}]"#, "3"),
        (". as {$a} | {$a}", r#"{"a":1}"#, r#"{"a":1}"#),
        ("if . > 1 then \"big\" elif . == 1 then \"one\" else \"small\" end", "1", "\"one\""),
        ("if . then 1 end", "false", "false"),
        ("(.a // 5), (false // null)", "{}", "5,null"),
        ("first(.[] // 3)", "[null,false]", "3"),
        (r#"try error("no") catch ."#, "null", "\"no\""),
        (r#"try error({a: 1}) catch .a"#, "null", "1"),
        (r#"(.a | error)? // 2"#, "{}", "2"),
        (r#"try .a catch "caught""#, "5", "\"caught\""),
        ("true and (false or true), (null | not)", "1", "true,true"),
        // jq itself takes the right side outermost: 11, 12, 21, 22.
        ("(1, 2) + (10, 20)", "null", "11,21,12,22"),
        (r#""a \(1 + 1) \("x") \([1])""#, "null", r#""a 2 x [1]""#),
        ("\"\\u00e9\\n\"", "null", "\"é\\n\""),
        ("-(1), -.", "5", "-1,-5"),
        ("true, false, null", "1", "true,false,null"),
        ("[]", "1", "[]"),
        ("{} | .a", "1", "null"),
    ]);
}

#[test]
fn arithmetic() {
    gives(&[
        ("6 / 2, 7 / 2, 1 / 3", "null", "3,3.5,0.3333333333333333"),
        ("5 % 3, -5 % 3, 5 % -3, 5.9 % 3.9", "null", "2,-2,2,2"),
        ("0.1 + 0.2, 0.5 + 0.5, 1.5 * 2", "null", "0.30000000000000004,1,3"),
        ("1.10 * 3, 19.99 * 100 | round", "null", "3,1999"),
        (". + 1", "9007199254740993", "9007199254740994"),
        (". + 1", "9223372036854775807", "9223372036854775808"),
        (".", "18446744073709551615", "18446744073709551615"),
        (". + 1", "18446744073709551615", "1.8446744073709552e+19"),
        (". * .", "9223372036854775807", "8.507059173023462e+37"),
        (". - 1", "-9223372036854775808", "-9.223372036854776e+18"),
        ("-.", "-9223372036854775808", "9223372036854775808"),
        (". / -1", "-9223372036854775808", "9223372036854775808"),
        (". / 3", "9007199254740993", "3002399751580331"),
        ("null + 1, 1 + null", "null", "1,1"),
        (r#""a" + "b", [1] + [2], {a: 1, b: 1} + {b: 2}"#, "null", r#""ab",[1,2],{"a":1,"b":2}"#),
        ("[1,2,1,3] - [1]", "null", "[2,3]"),
        (r#""ab" * 3, "x" * -1, 2 * "y""#, "null", r#""ababab",null,"yy""#),
        ("{a: {b: 1, c: 1}} * {a: {b: 2}}", "null", r#"{"a":{"b":2,"c":1}}"#),
        (r#""a, b" / ", ", "ab" / "", "" / "x""#, "null", r#"["a","b"],["a","b"],[]"#),
        (".a += 1 | .b |= 5 | .c = 6 | .d //= 7", r#"{"a":1,"d":null}"#, r#"{"a":2,"b":5,"c":6,"d":7}"#),
        (".[] += 1", "[1,2]", "[2,3]"),
        (".a[1].b = 1", "null", r#"{"a":[null,{"b":1}]}"#),
        (".[1:3] = [9]", "[1,2,3,4]", "[1,9,4]"),
        ("(.[] | select(. >= 2)) |= empty", "[1,5,3,0,7]", "[1,0]"),
        (".a |= empty", r#"{"a":1,"b":2}"#, r#"{"b":2}"#),
        (".[-1] = 5", "[1,2]", "[1,5]"),
        ("(.. | select(. == 1)) |= 2", r#"{"a":[1,{"b":1}]}"#, r#"{"a":[2,{"b":2}]}"#),
        (". < 1, . <= 1.0, . == 1.0, 1 != 2", "1", "false,true,true,true"),
        (". == 9007199254740992.0", "9007199254740993", "false"),
        ("[null, true, false, 0, \"a\", [], {}] | sort", "null", "[null,false,true,0,\"a\",[],{}]"),
        ("[{\"a\":1,\"b\":2}, {\"a\":2}, {\"b\":0}] | sort", "null", r#"[{"a":2},{"a":1,"b":2},{"b":0}]"#),
        ("[[2], [1,2], [1]] | sort", "null", "[[1],[1,2],[2]]"),
    ]);
}

#[test]
fn numbers() {
    gives(&[
        ("abs", "-3.5", "3.5"),
        ("map(abs)", "[-5,0,5]", "[5,0,5]"),
        ("floor, ceil, round", "2.5", "2,3,3"),
        ("floor, ceil, round", "-2.5", "-3,-2,-3"),
        ("floor, ceil, round", "9007199254740993", "9007199254740993,9007199254740993,9007199254740993"),
        ("sqrt", "9", "3"),
        ("map(tonumber)", r#"["1","-2.5","1e3",4,"9007199254740993"]"#, "[1,-2.5,1000.0,4,9007199254740993]"),
        (r#"try tonumber catch "no""#, "\"0x10\"", "\"no\""),
        ("tostring, tojson", "1.0", "\"1.0\",\"1.0\""),
    ]);
}

#[test]
fn texts() {
    gives(&[
        ("length, utf8bytelength", "\"äöü€\"", "4,9"),
        ("ascii_downcase, ascii_upcase", "\"aBÄ\"", "\"abÄ\",\"ABÄ\""),
        ("explode", "\"a€\"", "[97,8364]"),
        ("implode", "[97,8364]", "\"a€\""),
        (r#"startswith("fo"), endswith("fo")"#, "\"foo\"", "true,false"),
        (r#"ltrimstr("a"), rtrimstr("a"), trimstr("a")"#, "\"aba\"", "\"ba\",\"ab\",\"b\""),
        (r#"ltrimstr("a"), rtrimstr(1)"#, "5", "5,5"),
        ("trim, ltrim, rtrim", "\" a \"", "\"a\",\"a \",\" a\""),
        (r#"split(", ")"#, "\"a, b,c\"", r#"["a","b,c"]"#),
        (r#"split("")"#, "\"aö\"", r#"["a","ö"]"#),
        (r#"join("-")"#, r#"["a",1,null,true]"#, "\"a-1--true\""),
        (r#"join("-")"#, "[]", "\"\""),
        ("tostring", "[1,{\"a\":\"é\\u0001\"}]", r#""[1,{\"a\":\"é\\u0001\"}]""#),
        ("tostring, tojson", "\"a\"", r#""a","\"a\"""#),
        ("fromjson", r#""{\"a\":[1,2.5]}""#, r#"{"a":[1,2.5]}"#),
        (r#"indices("a"), index("a"), rindex("a")"#, "\"äaba\"", "[1,3],1,3"),
        (r#"indices("aa")"#, "\"aaa\"", "[0,1]"),
        (r#"index("x"), indices("")"#, "\"abc\"", "null,null"),
        ("indices(1), indices([1,2])", "[0,1,2,1,2]", "[1,3],[1,3]"),
        ("reverse", "\"abc\"", "\"cba\""),
        (r#"contains("bar"), inside("xfoobar")"#, "\"foobar\"", "true,true"),
        ("@text, @json", r#"["a",1]"#, r#""[\"a\",1]","[\"a\",1]""#),
        ("@html", r#""<&'\">""#, r#""&lt;&amp;&#39;&quot;&gt;""#),
        ("@uri", "\"a b/ü-_.~\"", "\"a%20b%2F%C3%BC-_.~\""),
        ("@base64, (@base64 | @base64d)", "\"hällo\"", "\"aMOkbGxv\",\"hällo\""),
        ("@base64d", "\"YQ\"", "\"a\""),
        (r#"@uri "q=\(.)&x", @json "v: \(.)""#, "\"a b\"", r#""q=a%20b&x","v: \"a b\"""#),
    ]);
}

#[test]
fn lists_and_maps() {
    gives(&[
        ("map(length)", r#"[[1,2],"ab",{"a":1},null,-5]"#, "[2,2,1,0,5]"),
        ("keys, keys_unsorted", r#"{"b":1,"a":2}"#, r#"["a","b"],["a","b"]"#),
        ("keys", "[5,6]", "[0,1]"),
        (r#"has("a"), has("b")"#, r#"{"a":null}"#, "true,false"),
        ("has(0), has(2), has(-1)", "[1,2]", "true,false,false"),
        ("map(in([0,1]))", "[0,2]", "[true,false]"),
        (r#"contains(["baz","bar"])"#, r#"["foobar","foobaz"]"#, "true"),
        (r#"contains({foo: 12, bar: [{barp: 12}]})"#, r#"{"foo":12,"bar":[1,2,{"barp":12,"barq":13}]}"#, "true"),
        (r#"contains({foo: 12, bar: [{barp: 15}]})"#, r#"{"foo":12,"bar":[1,2,{"barp":12,"barq":13}]}"#, "false"),
        (
            "map(add)",
            r#"[[1,2.5],["a","b"],[[1],[2]],[{"a":1},{"b":2}],[],{"x":1,"y":2},["a",null,"b"]]"#,
            r#"[3.5,"ab",[1,2],{"a":1,"b":2},null,3,"ab"]"#,
        ),
        ("add(.[].a)", r#"[{"a":1},{"a":2}]"#, "3"),
        ("map(any), map(all)", "[[true,false],[],[null]]", "[true,false,false],[false,true,false]"),
        ("any(. > 2), all(. > 0), any(.[]; . > 3), all(empty; false)", "[1,2,3]", "true,true,false,true"),
        ("any(1, error; . == 1)", "null", "true"),
        ("flatten, flatten(1)", "[1,[2,[3]]]", "[1,2,3],[1,2,[3]]"),
        ("reverse", "[1,2,3]", "[3,2,1]"),
        ("reverse", "null", "[]"),
        ("transpose", "[[1],[2,3]]", "[[1,2],[null,3]]"),
        ("to_entries", r#"{"b":1,"a":2}"#, r#"[{"key":"a","value":2},{"key":"b","value":1}]"#),
        (
            "from_entries",
            r#"[{"key":"a","value":1},{"k":"b","v":2},{"name":"c"},{"key":1,"value":false}]"#,
            r#"{"1":false,"a":1,"b":2,"c":null}"#,
        ),
        ("with_entries(.value += 1)", r#"{"a":1}"#, r#"{"a":2}"#),
        ("map_values(. + 1), map_values(empty)", r#"{"a":1}"#, r#"{"a":2},{}"#),
        ("map(. + 1), map(., 0)", "[1]", "[2],[1,0]"),
        ("map(.)", r#"{"a":1}"#, "[1]"),
        (
            "sort_by(.a), sort_by(.b, .a)",
            r#"[{"a":2,"b":1},{"a":1,"b":1}]"#,
            r#"[{"a":1,"b":1},{"a":2,"b":1}],[{"a":1,"b":1},{"a":2,"b":1}]"#,
        ),
        ("group_by(.a) | map(length)", r#"[{"a":1},{"a":2},{"a":1}]"#, "[2,1]"),
        ("unique", "[1,2,1.0,\"a\",\"a\"]", "[1,2,\"a\"]"),
        ("unique_by(length)", r#"["bb","a","cc"]"#, r#"["a","bb"]"#),
        ("min, max", "[3,1,2]", "1,3"),
        ("min, max", "[]", "null,null"),
        ("min_by(.a).n, max_by(.a).n", r#"[{"a":1,"n":1},{"a":1,"n":2}]"#, "1,2"),
        ("toarray", "1", "[1]"),
        ("toarray", "[1]", "[1]"),
        ("paths", r#"[1,[{"a":2}]]"#, r#"[0],[1],[1,0],[1,0,"a"]"#),
        ("paths(type == \"number\")", r#"[1,[{"a":2}]]"#, r#"[0],[1,0,"a"]"#),
        ("path(.a[0].b)", "null", r#"["a",0,"b"]"#),
        (r#"getpath(["a","b"]), getpath(["x","y","z"])"#, r#"{"a":{"b":5}}"#, "5,null"),
        (r#"getpath(["a","b"]) |= 6"#, r#"{"a":{"b":5}}"#, r#"{"a":{"b":6}}"#),
        ("del(.a), del(.x.y)", r#"{"a":1,"b":2}"#, r#"{"b":2},{"a":1,"b":2}"#),
        (
            "del(.[0, 1]), del(.[-1], .[0]), del(.[1:]), del(.[] | select(. > 1)), del(.[0], .[0])",
            "[1,2,3]",
            "[3],[2],[1],[1],[2,3]",
        ),
        ("del(.[0].a, .[1], .[0].b.c)", r#"[{"a":1,"b":{"c":1}},2]"#, r#"[{"b":{}}]"#),
        (r#"delpaths([["a","b"],["c"]])"#, r#"{"a":{"b":1},"c":2,"d":3}"#, r#"{"a":{},"d":3}"#),
        ("del(.)", "1", "null"),
    ]);
}

#[test]
fn choosing_and_counting() {
    gives(&[
        ("map(select(. > 1))", "[1,2,3]", "[2,3]"),
        ("empty, 1", "null", "1"),
        ("first, last, nth(1)", "[1,2,3]", "1,3,2"),
        ("first, last", "[]", "null,null"),
        ("first(.[]), last(.[]), nth(1; .[]), first(empty)", "[1,2,3]", "1,3,2"),
        ("limit(2; .[]), limit(0; error)", "[1,2,3]", "1,2"),
        ("skip(2; .[])", "[1,2,3]", "3"),
        ("isempty(empty), isempty(1), isempty(1, error)", "null", "true,false,false"),
        ("map(type)", r#"[null,true,1,"a",[],{}]"#, r#"["null","boolean","number","string","array","object"]"#),
        (".[] | nulls, booleans, numbers, strings, arrays, objects", r#"[null,true,1,"a",[],{}]"#, r#"null,true,1,"a",[],{}"#),
        ("map(values), map(iterables), map(scalars)", r#"[null,1,[],{}]"#, "[1,[],{}],[[],{}],[null,1]"),
        ("[.[] | not]", "[0,null,\"\",false]", "[false,true,false,true]"),
    ]);
}

#[test]
fn regular_expressions() {
    gives(&[
        (r#"test("B"), test("B"; "i"), test("b  c"; "x")"#, "\"abc\"", "false,true,true"),
        (
            r#"match("(?<x>b)|(z)")"#,
            "\"äbc\"",
            r#"{"captures":[{"length":1,"name":"x","offset":1,"string":"b"},{"length":0,"name":null,"offset":-1,"string":null}],"length":1,"offset":1,"string":"b"}"#,
        ),
        (r#"[match("a"; "g").offset]"#, "\"aba\"", "[0,2]"),
        (r#"[match("((a)b)"; "g") | [.captures[].offset]]"#, "\"xabab\"", "[[1,1],[3,3]]"),
        (r#"capture("(?<y>\\d+)-(?<m>\\d+)")"#, "\"2026-05\"", r#"{"m":"05","y":"2026"}"#),
        (r#"[capture("(?<n>\\d)"; "g").n]"#, "\"1a2\"", r#"["1","2"]"#),
        (r#"[scan("\\d+")]"#, "\"a1b22\"", r#"["1","22"]"#),
        (r#"[scan("(a)(\\d)")]"#, "\"a1a2\"", r#"[["a","1"],["a","2"]]"#),
        (r#"[scan("A"; "i")]"#, "\"aA\"", r#"["a","A"]"#),
        (r#"split(", *"; null), [splits(", *")]"#, "\"a,b,  c\"", r#"["a","b","c"],["a","b","c"]"#),
        (r#"sub("b"; "X"), gsub("b"; "X"), gsub("B"; "X"; "i")"#, "\"abb\"", r#""aXb","aXX","aXX""#),
        (r#"gsub("(?<d>\\d)"; "<\(.d)>")"#, "\"a1b2\"", r#""a<1>b<2>""#),
        (r#"gsub(""; "-")"#, "\"ab\"", "\"-a-b-\""),
        (r#"gsub("\\s+"; " ") | ascii_downcase"#, "\"A  B\"", "\"a b\""),
        (r#"gsub("x"; empty)?"#, "\"ab\"", "\"ab\""),
        (r#"[match(""; "gn").offset]"#, "\"ab\"", "[]"),
        (r#"test("a.b"; "s"), test("a.b")"#, "\"a\\nb\"", "true,false"),
    ]);
}
