//! Generated from the contracts in `wit/`: the host's side of every `hansa:*` and `wasi:keyvalue` import.
#![expect(missing_docs, reason = "generated code; the WIT files document it")]

wasmtime::component::bindgen!({
    inline: "
        package hansa:host;
        world capabilities {
            import hansa:agent/context@0.1.0;
            import hansa:agent/log@0.1.0;
            import hansa:market/terms@0.1.0;
            import hansa:market/offers@0.1.0;
            import hansa:inference/models@0.1.0;
            import hansa:inference/tensors@0.1.0;
            import hansa:inference/text@0.1.0;
            import hansa:inference/generate@0.1.0;
            import wasi:keyvalue/store@0.2.0-draft2;
        }
    ",
    path: [
        "../../wit/hansa-agent",
        "../../wit/hansa-market",
        "../../wit/hansa-inference",
        "../../wit/wasi-keyvalue",
    ],
    imports: {
        // It holds resources; what the contract cannot say as a value ends the call.
        "hansa:inference/generate@0.1.0": async | trappable,
        default: async,
    },
    with: {
        "wasi:keyvalue/store.bucket": super::bucket::Bucket,
        "hansa:inference/generate.generation": super::inference::generation::OpenGeneration,
    },
    additional_derives: [PartialEq],
});
