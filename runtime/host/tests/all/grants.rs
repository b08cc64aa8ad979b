//! Denied by default; a refusal names the lines that would ask and grant.

use hansa_host::{Grants, PrepareError};

use crate::support::{host, program, spec};

fn refusal(fixture: &str, grants: Grants) -> PrepareError {
    let host = host();
    host.prepare(&program(&host, fixture), spec(fixture, grants)).unwrap_err()
}

#[test]
fn nothing_is_granted_by_default() {
    for (fixture, import, ask, grant) in [
        (
            "caller",
            "fixture:parts/greeter@0.1.0",
            "[buys.\"fixture:parts/greeter@0.1.0\"]",
            "[[grant]] package = \"fixture/caller\" buys =",
        ),
        (
            "keeper",
            "wasi:keyvalue/store@0.2.0-draft2",
            "[capabilities] keyvalue",
            "[[grant]] package = \"fixture/keeper\" keyvalue =",
        ),
        ("thinker", "hansa:inference/", "[capabilities] inference.models", "[[grant]] package = \"fixture/thinker\" inference ="),
        ("nn_classic", "wasi:nn/", "[capabilities] inference.models", "[[grant]] package = \"fixture/nn_classic\" inference ="),
    ] {
        let error = refusal(fixture, Grants { market_imports: Vec::new(), ..Grants::default() });
        let text = error.to_string();
        assert!(matches!(error, PrepareError::NotGranted { .. }), "{text}");
        for part in [import, ask, grant] {
            assert!(text.contains(part), "{text} lacks {part}");
        }
    }
    let host = host();
    for fixture in ["greeter", "hog"] {
        host.prepare(&program(&host, fixture), spec(fixture, Grants::default())).unwrap();
    }
}

#[test]
fn an_agent_that_can_do_without_models_is_linked_without_them() {
    let host = host();
    let grants = Grants { inference_optional: true, ..Grants::default() };
    host.prepare(&program(&host, "nn_classic"), spec("nn_classic", grants)).unwrap();
}

#[test]
fn purchases_are_granted_by_name_and_version() {
    for (granted, enough) in [
        ("fixture:parts/greeter@0.1.0", true),
        ("fixture:parts/greeter@0.1", true),
        ("fixture:parts/greeter", true),
        ("fixture:parts/greeter@0.2.0", false),
        ("fixture:parts/other", false),
    ] {
        let host = host();
        let grants = Grants { market_imports: vec![granted.into()], ..Grants::default() };
        let prepared = host.prepare(&program(&host, "caller"), spec("caller", grants));
        assert_eq!(prepared.is_ok(), enough, "{granted}");
    }
}

#[test]
fn an_import_that_cannot_be_traded_is_refused() {
    let grants = Grants { market_imports: vec!["fixture:parts/bare-import".into()], ..Grants::default() };
    let error = refusal("bare", grants);
    assert!(matches!(error, PrepareError::NotTradable { .. }), "{error}");
    assert!(error.to_string().contains("whisper: func(text: string) -> result<string, fault>;"), "{error}");
}

#[tokio::test]
async fn the_network_is_not_offered() {
    let error = refusal("dialler", Grants::default());
    assert!(matches!(error, PrepareError::NotOffered { .. }), "{error}");
    assert!(error.to_string().contains("wasi:sockets/"), "{error}");
    let host = host();
    let grants = Grants { closed_sockets: true, ..Grants::default() };
    let dialler = host.prepare(&program(&host, "dialler"), spec("dialler", grants)).unwrap();
    let place = ("fixture:parts/dialler@0.1.0", "dial");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let answer = crate::support::call(&dialler, place, serde_json::json!([address]), crate::support::alone()).await.unwrap();
    assert!(answer["err"]["failed"].is_string(), "{answer}");
}
