//! Releases: what is derived from components, what fits together, what does not.

use hansa_economy::{Digest, Keypair, Signed};

use super::fixture::{component_with, manifest, release, seller, signed_release};
use super::*;
use crate::limits::README_BYTES_MAX;

const SERVICE: &str = "acme:translate/translator@1.0.0";
const LINES: &str = "
    record phrase { text: string, lang: option<lang> }
    enum lang { en, de }
    flags how { formal, brief }
    variant outcome { done(phrase), nothing }
    translate: async func(phrases: list<phrase>, how: how) -> result<list<outcome>, fault>;
    count: func() -> result<tuple<u32, f64>, fault>;";

fn key(seed: u8) -> Keypair {
    Keypair::from_seed(&[seed; 32])
}

#[test]
fn a_contract_is_read_from_the_component() {
    let described = describe(&seller(SERVICE, LINES)).unwrap();
    let interface = described.contract.export(SERVICE).unwrap();
    assert_eq!(interface.tradable, Ok(()));
    let signatures: Vec<String> = interface.functions.iter().map(Function::signature).collect();
    assert_eq!(
        signatures,
        [
            "translate: async func(phrases: list<record { text: string, lang: option<enum { en, de }> }>, how: flags { formal, \
             brief }) -> result<list<variant { done(record { text: string, lang: option<enum { en, de }> }), nothing }>, fault>",
            "count: func() -> result<tuple<u32, f64>, fault>",
        ]
    );
    assert!(interface.canonical_text().starts_with("count: func()"), "sorted: {}", interface.canonical_text());
    assert!(!interface.canonical_text().contains("async"));
    assert!(described.contract.imports.iter().any(|import| import.name == "hansa:service/types@0.1.0"));
    for part in ["export acme:translate/translator@1.0.0;", "interface translator {", "enum lang {", "variant fault {"] {
        assert!(described.wit.contains(part), "`{part}` in\n{}", described.wit);
    }
}

#[test]
fn imports_are_read_as_well() {
    let other = "package lingua:detect@1.2.0; interface detector { use hansa:service/types@0.1.0.{fault};
        detect: async func(text: string) -> result<string, fault>; }";
    let bytes = component_with(&[other], "package test:agent; world agent { import lingua:detect/detector@1.2.0; }");
    let contract = describe(&bytes).unwrap().contract;
    let bought = contract.imports.iter().find(|interface| interface.name == "lingua:detect/detector@1.2.0").unwrap();
    assert_eq!(bought.functions[0].signature(), "detect: async func(text: string) -> result<string, fault>");
    assert_eq!(contract.exports, []);
}

#[test]
fn what_cannot_be_traded_is_told_in_the_hosts_words() {
    let after = "after `use hansa:service/types@0.1.0.{fault};`";
    for (line, problem) in [
        (
            "f: func(a: u8) -> u32;",
            "function `f` cannot be traded: it returns `u32`, which has no room for a market fault; write `f: func(a: u8) -> \
             result<u32, fault>;",
        ),
        (
            "f: async func() -> result<string, string>;",
            "function `f` cannot be traded: it returns `result<string, string>`, which has no room for a market fault; write \
             `f: async func() -> result<string, fault>;",
        ),
        (
            "f: func();",
            "function `f` cannot be traded: it returns `nothing`, which has no room for a market fault; write `f: func() -> \
             result<_, fault>;",
        ),
        (
            "f: async func(a: stream<u8>) -> result<u32, fault>;",
            "function `f` cannot be traded: a `stream` cannot cross the market",
        ),
    ] {
        // A use that nothing needs is no part of the component; this one function needs it.
        let contract = describe(&seller(SERVICE, &format!("{line} g: func() -> result<_, fault>;"))).unwrap().contract;
        let told = contract.export(SERVICE).unwrap().tradable.as_ref().unwrap_err().to_string();
        assert!(told.starts_with(problem) && told.ends_with(after), "{line}: {told}");
    }
}

#[test]
fn a_release_opens_with_its_very_parts_only() {
    let (release, component) = signed_release("acme/translator@1.0.0", SERVICE, LINES, 1_700_000_000_000, &key(1));
    let open = |statement: &[u8], component: Vec<u8>, files: &Files| Release::open(statement, component, files.clone());
    let bytes = release.statement.bytes();
    let (opened, again) = open(bytes, component.clone(), &release.files).unwrap();
    assert_eq!((opened.signer(), opened.published_ms), (key(1).public(), 1_700_000_000_000));
    assert_eq!((opened.name.as_str(), opened.version.to_string()), ("acme/translator", "1.0.0".into()));
    assert_eq!((again, opened.package()), (component.clone(), "acme/translator@1.0.0"));
    assert!(Package::open(bytes, component.clone()).is_ok(), "whoever deploys may open it as a package");

    type Change = fn(&mut Files);
    let changes: [(Change, &str); 4] = [
        (|files| files.readme.push('!'), "`README.md` has 25 bytes"),
        (|files| files.license.clear(), "`LICENSE` is empty"),
        (|files| files.wit = files.wit.replace("count", "amount"), "`package.wit` has"),
        (|files| files.readme = "x".repeat(README_BYTES_MAX + 1), "more than 262144; shorten it"),
    ];
    for (change, message) in changes {
        let mut files = release.files.clone();
        change(&mut files);
        let error = open(bytes, component.clone(), &files).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    let error = open(bytes, seller(SERVICE, "f: func() -> result<_, fault>;"), &release.files).unwrap_err().to_string();
    assert!(error.starts_with("the component has"), "{error}");
    let mut forged = bytes.to_vec();
    let at = forged.len() - 100;
    forged[at] ^= 1;
    assert!(matches!(open(&forged, component, &release.files), Err(ReleaseError::Package(PackageError::Statement(_)))));
}

/// Whoever signs by other means than [`Release::sign`] is refused by everybody who opens.
#[test]
fn what_does_not_fit_is_refused_though_it_is_signed() {
    let (good, component) = signed_release("acme/translator@1.0.0", SERVICE, LINES, 7, &key(1));
    type Change = fn(&mut PackageStatement, &mut Files);
    let changes: [(Change, &str); 8] = [
        (|body, _| body.package = "acme/other@1.0.0".into(), "the statement names package `acme/other@1.0.0`"),
        (|body, _| body.component_bytes = Some(1), "the publisher signed 1"),
        (|body, _| body.component_bytes = None, "names no length of its component, so it is no release"),
        (|body, _| body.published_ms = None, "names no time of publication"),
        (|body, _| body.files = None, "names no files"),
        (|body, _| body.files.as_mut().unwrap().reverse(), "the statement lists the files `package.wit`, `LICENSE`"),
        (|body, _| body.files.as_mut().unwrap().clear(), "the statement lists the files ; a release has"),
        (
            |body, files| {
                files.wit.push('\n');
                body.files = Some(files.entries());
            },
            "`package.wit` is not the contract of the component",
        ),
    ];
    for (change, message) in changes {
        let (mut body, mut files) = (good.statement.body.clone(), good.files.clone());
        change(&mut body, &mut files);
        let statement = Signed::new(body, &key(1));
        let error = Release::open(statement.bytes(), component.clone(), files).unwrap_err().to_string();
        assert!(error.contains(message), "{message}: {error}");
    }
}

#[test]
fn an_author_is_told_what_is_missing() {
    let sells = |body: &str| manifest("acme/translator@1.0.0", &format!("[sells.\"{SERVICE}\"]\n{body}"));
    let both = "price.translate = \"0.1\"\nprice.count = \"free\"\n";
    for (manifest, message) in [
        (sells(both).replace("description", "homepage"), "agent.toml has no `agent.description`"),
        (sells(both).replace("Apache-2.0", ""), "agent.toml has no `agent.license`"),
        (manifest("acme/translator@1.0.0", ""), "exports `acme:translate/translator@1.0.0`, which agent.toml does not sell"),
        (sells("price.count = \"free\"\n"), "names no price for `translate`"),
        (sells(&format!("{both}price.more = \"1\"\n")), "prices `more`, which"),
        (
            sells(&format!("{both}[sells.\"a:b/c@1.0.0\"]\nprice.f = \"1\"\n")),
            "which the component does not export; it exports: acme:tr",
        ),
        (sells(both).replace("1.0.0\"\nd", "01.0.0\"\nd"), "`01.0.0` must be a semantic version"),
    ] {
        let parts = ReleaseParts {
            manifest,
            component: seller(SERVICE, LINES),
            readme: "# Translator".into(),
            license: "Apache".into(),
            name_record: None,
        };
        let error = Release::sign(parts, 1, &key(1)).unwrap_err().to_string();
        assert!(error.contains(message), "{message}: {error}");
    }
    let untradable = ReleaseParts {
        manifest: sells("price.f = \"1\"\nprice.g = \"1\"\n"),
        component: seller(SERVICE, "f: func() -> u8; g: func() -> result<_, fault>;"),
        readme: "# Translator".into(),
        license: "Apache".into(),
        name_record: None,
    };
    let error = Release::sign(untradable, 1, &key(1)).unwrap_err().to_string();
    assert!(error.starts_with("`acme:translate/translator@1.0.0` cannot be sold: function `f`"), "{error}");
}

/// Deriving twice gives one text, on which the digest in the statement depends.
#[test]
fn derived_text_is_the_same_each_time() {
    let once = release("acme/translator@1.0.0", SERVICE, LINES, &key(1));
    let twice = release("acme/translator@1.0.0", SERVICE, LINES, &key(1));
    assert_eq!(Digest::of(once.files.wit.as_bytes()), Digest::of(twice.files.wit.as_bytes()));
    assert_eq!(once.statement.bytes(), twice.statement.bytes());
}
