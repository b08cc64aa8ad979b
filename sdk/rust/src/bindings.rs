//! Generated bindings of everything that the host lends; the public modules put idiomatic Rust over them.
#![expect(missing_docs, reason = "generated from WIT, where the documentation stands")]
#![allow(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated code silences lints its own way, and which of them fire depends on the target"
)]

wit_bindgen::generate!({
    path: [
        "../../wit/hansa-service",
        "../../wit/hansa-agent",
        "../../wit/hansa-wallet",
        "../../wit/hansa-market",
        "../../wit/hansa-inference",
        "../../wit/wasi-keyvalue",
        "wit",
    ],
    world: "hansa:sdk/capabilities",
    generate_all,
    generate_unused_types: true,
    additional_derives: [PartialEq],
});
