//! Versions of interfaces over real components: what keeps a promise, what breaks it, and what the author is told.

use super::*;
use crate::package::fixture::seller;
use crate::package::{Type, describe};

const PATH: &str = "acme:translate/translator";

fn interface(version: &str, lines: &str) -> Interface {
    let name = format!("{PATH}@{version}");
    describe(&seller(&name, lines)).unwrap().contract.export(&name).unwrap().clone()
}

/// What is told when the interfaces `before` are sold, each by a publisher, and `publisher` would sell `lines` as `version`.
fn told(before: &[(&str, &str, &str)], publisher: &str, version: &str, lines: &str) -> String {
    let mut known = Interfaces::default();
    for (at, (publisher, version, lines)) in before.iter().enumerate() {
        let package: Arc<str> = format!("{publisher}/agent@{at}.0.0").into();
        known.add(publisher, &package, &interface(version, lines));
    }
    known.check(publisher, &interface(version, lines)).map_or_else(|problem| problem.to_string(), |()| "good".into())
}

const ONE: &str = "f: async func(a: u8) -> result<string, fault>;";
const ONE_PLAIN: &str = "f: func(a: u8) -> result<string, fault>;";
const TWO: &str = "f: async func(a: u8) -> result<string, fault>; g: func() -> result<_, fault>;";
const OTHER: &str = "f: async func(a: u16) -> result<string, fault>;";

#[test]
fn versions_keep_their_promises() {
    for (before, version, lines, expected) in [
        (vec![("acme", "1.0.0", ONE)], "1.0.0", ONE, "good"),
        (vec![("acme", "1.0.0", ONE)], "1.0.0", ONE_PLAIN, "good"),
        (vec![("acme", "1.0.0", ONE)], "1.1.0", TWO, "good"),
        (vec![("acme", "1.0.0", ONE)], "2.0.0", OTHER, "good"),
        (vec![("acme", "0.1.0", ONE)], "0.2.0", OTHER, "good"),
        (vec![("acme", "0.0.1", ONE)], "0.0.2", OTHER, "good"),
        (vec![("acme", "1.2.0", TWO)], "1.1.0", ONE, "good"),
        (vec![("acme", "1.0.0", ONE), ("acme", "2.0.0", OTHER)], "2.0.0", OTHER, "good"),
        (vec![], "1.0.0", ONE, "good"),
        (
            vec![("acme", "1.0.0", ONE)],
            "1.0.0",
            TWO,
            "`acme:translate/translator@1.0.0` is not what `acme:translate/translator@1.0.0` of acme/agent@0.0.0 promised: \
             function `g` is new; it is `g: func() -> result<_, fault>`; publish it as `acme:translate/translator@1.1.0`, where \
             a new function is welcome, or leave `g` out",
        ),
        (
            vec![("acme", "1.0.0", TWO)],
            "1.0.0",
            ONE,
            "function `g` is missing; it was `g: func() -> result<_, fault>`; bring `g` back, or publish it as \
             `acme:translate/translator@2.0.0`",
        ),
        (
            vec![("acme", "1.0.0", ONE)],
            "1.1.0",
            OTHER,
            "function `f`: parameter `a`: was `u8`, is `u16`; it was `f: func(a: u8) -> result<string, fault>`, it is `f: \
             func(a: u16) -> result<string, fault>`; publish it as `acme:translate/translator@2.0.0`",
        ),
        (vec![("acme", "1.0.0", TWO)], "1.3.0", ONE, "function `g` is missing"),
        (
            vec![("acme", "1.2.0", ONE)],
            "1.1.0",
            TWO,
            "function `g` is new; it is `g: func() -> result<_, fault>`; leave `g` out, or publish it as \
             `acme:translate/translator@1.3.0` with all functions of `acme:translate/translator@1.2.0`",
        ),
        (vec![("acme", "1.2.0", ONE), ("acme", "3.1.0", TWO)], "1.2.0", OTHER, "publish it as `acme:translate/translator@4.0.0`"),
        (vec![("acme", "0.1.0", ONE)], "0.1.1", OTHER, "publish it as `acme:translate/translator@0.2.0`"),
        (vec![("acme", "0.0.1", ONE)], "0.0.1", TWO, "publish it as `acme:translate/translator@0.0.2`, where"),
    ] {
        let told = told(&before, "acme", version, lines);
        assert!(told.ends_with(expected) || (expected != "good" && told.contains(expected)), "{version} {lines}:\n{told}");
    }
}

#[test]
fn the_namespace_defines_else_whoever_was_first() {
    let first = ("stranger", "1.0.0", OTHER);
    assert_eq!(told(&[first], "acme", "1.0.0", ONE), "good", "strangers do not bind the owner of the namespace");
    assert!(told(&[first], "third", "1.0.0", ONE).contains("of stranger/agent@0.0.0 promised"));
    let owned = [first, ("acme", "1.0.0", ONE)];
    assert!(told(&owned, "third", "1.0.0", OTHER).contains("of acme/agent@1.0.0 promised"));
    assert_eq!(told(&owned, "third", "1.0.0", ONE), "good");
}

#[test]
fn sellers_of_another_contract_than_the_defined_one_are_not_listed() {
    let mut known = Interfaces::default();
    let names = ["stranger/a@1.0.0", "acme/a@1.0.0", "third/a@1.0.0", "acme/a@1.1.0", "acme/a@2.0.0"].map(Arc::<str>::from);
    known.add("stranger", &names[0], &interface("1.0.0", OTHER));
    let sellers = |known: &Interfaces, want: &str| -> Vec<String> {
        known.sellers(&format!("{PATH}{want}")).iter().map(|offering| offering.package.to_string()).collect()
    };
    assert_eq!(sellers(&known, "@1.0.0"), ["stranger/a@1.0.0"]);
    known.add("acme", &names[1], &interface("1.0.0", ONE));
    known.add("third", &names[2], &interface("1.0.0", ONE_PLAIN));
    known.add("acme", &names[3], &interface("1.1.0", TWO));
    known.add("acme", &names[4], &interface("2.0.0", OTHER));
    assert_eq!(sellers(&known, "@1.0.0"), ["acme/a@1.1.0", "acme/a@1.0.0", "third/a@1.0.0"]);
    assert_eq!(sellers(&known, "@1.1.0"), ["acme/a@1.1.0"]);
    assert_eq!(sellers(&known, "@2"), ["acme/a@2.0.0"]);
    assert_eq!(sellers(&known, "")[0], "acme/a@2.0.0");
    assert_eq!(sellers(&known, "@3"), <[&str; 0]>::default());
    assert_eq!(known.definition(&format!("{PATH}@1.0.0")).unwrap().package, names[1]);
}

/// The words for a difference between the types `was` and `is` of a result; the other way round they travel as a parameter.
fn words(declared_was: &str, declared_is: &str) -> (String, String) {
    let read = |declared: &str| interface("1.0.0", declared).functions[0].clone();
    let result = |line: &str| format!("{line} f: func() -> result<t, fault>;");
    let param = |line: &str| format!("{line} f: func(p: t) -> result<_, fault>;");
    let tell = |was: &Function, is: &Function| difference(was, is).map_or("none".into(), |found| found.to_string());
    (
        tell(&read(&result(declared_was)), &read(&result(declared_is))),
        tell(&read(&param(declared_was)), &read(&param(declared_is))),
    )
}

#[test]
fn differences_are_found_where_they_are() {
    for (was, is, expected) in [
        (
            "variant t { a, b(u8) }",
            "variant t { a, b(u8), c }",
            "result, ok: the case `c` is new, which breaks buyers, who cannot read it",
        ),
        ("variant t { a, b(u8) }", "variant t { a, b(u16) }", "result, ok, case `b`: was `u8`, is `u16`"),
        ("variant t { a, b(u8) }", "variant t { a, b }", "result, ok, case `b`: was `u8`, is nothing"),
        ("variant t { a, b }", "variant t { b, a }", "result, ok: the case `b` stands where `a` was, and the order counts"),
        ("enum t { x, y }", "enum t { x }", "result, ok: the label `y` is gone"),
        ("flags t { x }", "flags t { x, y }", "result, ok: the flag `y` is new, which breaks buyers, who cannot read it"),
        (
            "record t { x: u8, y: u8 }",
            "record t { y: u8, x: u8 }",
            "result, ok: the field `y` stands where `x` was, and the order counts",
        ),
        ("record t { x: u8 }", "record t { x: string }", "result, ok, field `x`: was `u8`, is `string`"),
        ("record t { x: u8 }", "enum t { x }", "result, ok: was `record { x: u8 }`, is `enum { x }`"),
        (
            "type t = list<option<u8>>;",
            "type t = list<option<s8>>;",
            "result, ok, element of the list, inside the option: was `u8`, is `s8`",
        ),
        ("type t = tuple<u8, u8>;", "type t = tuple<u8, bool>;", "result, ok, element 1 of the tuple: was `u8`, is `bool`"),
        ("type t = tuple<u8, u8>;", "type t = tuple<u8>;", "result, ok: was `tuple<u8, u8>`, is `tuple<u8>`"),
        ("type t = result<u8, u8>;", "type t = result<u8>;", "result, ok, err: was `u8`, is nothing"),
        (
            "record in { e: en } enum en { a } type t = list<in>;",
            "record in { e: en } enum en { a, b } type t = list<in>;",
            "result, ok, element of the list, field `e`: the label `b` is new, which breaks buyers, who cannot read it",
        ),
        ("record old { x: u8 } type t = old;", "record new { x: u8 } type t = new;", "none"),
    ] {
        let (as_result, as_parameter) = words(was, is);
        assert_eq!(as_result, expected);
        let sent = expected.replace("result, ok", "parameter `p`");
        assert_eq!(as_parameter, sent.replace("breaks buyers, who cannot read it", "buyers of the old version do not send"));
    }
}

#[test]
fn parameters_and_results_come_and_go() {
    for (was, is, expected) in [
        ("f: func() -> result<_, fault>;", "f: func(a: u8) -> result<_, fault>;", "parameter `a`: it is new, of type `u8`"),
        ("f: func(a: u8) -> result<_, fault>;", "f: func() -> result<_, fault>;", "parameter `a`: it is gone"),
        ("f: func(a: u8) -> result<_, fault>;", "f: func(b: u8) -> result<_, fault>;", "parameter `a`: `b` stands in its place"),
        ("f: func() -> result<_, fault>;", "f: func() -> result<u8, fault>;", "result, ok: was nothing, is `u8`"),
    ] {
        let told = told(&[("acme", "1.0.0", was)], "acme", "1.0.1", is);
        assert!(told.contains(expected), "{told}");
    }
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    fn any_type() -> impl Strategy<Value = Type> {
        let leaf = prop_oneof![
            prop::sample::select(vec!["u8", "string", "bool", "f32"]).prop_map(Type::Plain),
            prop::collection::vec("[a-c]", 1..3).prop_map(Type::Enum),
            prop::collection::vec("[a-c]", 1..3).prop_map(Type::Flags),
        ];
        leaf.prop_recursive(4, 24, 3, |inner| {
            let optional = prop::option::of(inner.clone());
            prop_oneof![
                inner.clone().prop_map(|ty| Type::List(Box::new(ty))),
                inner.clone().prop_map(|ty| Type::Option(Box::new(ty))),
                prop::collection::vec(inner.clone(), 1..3).prop_map(Type::Tuple),
                prop::collection::vec(("[a-c]", inner), 1..3).prop_map(Type::Record),
                prop::collection::vec(("[a-c]", optional.clone()), 1..3).prop_map(Type::Variant),
                (optional.clone(), optional).prop_map(|(ok, err)| Type::Result(ok.map(Box::new), err.map(Box::new))),
            ]
        })
    }

    fn function(ty: &Type, as_param: bool) -> Function {
        let params = if as_param { vec![("p".to_owned(), ty.clone())] } else { Vec::new() };
        let result = (!as_param).then(|| ty.clone());
        Function { name: "f".into(), is_async: as_param, params, result }
    }

    proptest! {
        /// A difference is told exactly where there is one, as parameter or as result, and the text forms agree with that.
        #[test]
        fn a_difference_is_told_where_there_is_one(was in any_type(), is in any_type(), as_param: bool) {
            let told = difference(&function(&was, as_param), &function(&is, as_param));
            prop_assert_eq!(told.is_none(), was == is);
            prop_assert_eq!(was == is, was.to_string() == is.to_string());
            prop_assert_eq!(difference(&function(&was, as_param), &function(&was, as_param)), None);
        }
    }
}
