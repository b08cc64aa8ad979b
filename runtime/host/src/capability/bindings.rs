//! Generated from the contracts in `wit/`: the host's side of every `hansa:*`, `wasi:keyvalue` and `wasi:nn` import.
#![expect(missing_docs, reason = "generated code; the WIT files document it")]

wasmtime::component::bindgen!({
    inline: "
        package hansa:host;
        world capabilities {
            import hansa:agent/context@0.1.0;
            import hansa:agent/log@0.1.0;
            import hansa:agent/topics@0.1.0;
            import hansa:wallet/wallet@0.1.0;
            import hansa:agent/metering@0.1.0;
            import hansa:market/terms@0.1.0;
            import hansa:market/offers@0.1.0;
            import hansa:market/tenders@0.1.0;
            import hansa:inference/models@0.1.0;
            import hansa:inference/tensors@0.1.0;
            import hansa:inference/text@0.1.0;
            import hansa:inference/generate@0.1.0;
            import wasi:keyvalue/store@0.2.0-draft2;
            import wasi:nn/tensor@0.2.0-rc-2024-10-28;
            import wasi:nn/graph@0.2.0-rc-2024-10-28;
            import wasi:nn/inference@0.2.0-rc-2024-10-28;
            import wasi:nn/errors@0.2.0-rc-2024-10-28;
        }
    ",
    path: [
        "../../wit/hansa-agent",
        "../../wit/hansa-wallet",
        "../../wit/hansa-market",
        "../../wit/hansa-inference",
        "../../wit/wasi-keyvalue",
        "../../wit/wasi-nn",
    ],
    imports: {
        // These hold resources; what the contract cannot say as a value ends the call.
        "hansa:inference/generate@0.1.0": async | trappable,
        "wasi:nn/tensor@0.2.0-rc-2024-10-28": async | trappable,
        "wasi:nn/graph@0.2.0-rc-2024-10-28": async | trappable,
        "wasi:nn/inference@0.2.0-rc-2024-10-28": async | trappable,
        "wasi:nn/errors@0.2.0-rc-2024-10-28": async | trappable,
        default: async,
    },
    with: {
        "wasi:keyvalue/store.bucket": super::bucket::Bucket,
        "hansa:inference/generate.generation": super::inference::generation::OpenGeneration,
        "wasi:nn/tensor.tensor": super::nn::tensor::Tensor,
        "wasi:nn/graph.graph": super::nn::graph::Graph,
        "wasi:nn/inference.graph-execution-context": super::nn::graph::ExecutionContext,
        "wasi:nn/errors.error": super::nn::error::Error,
    },
    additional_derives: [PartialEq],
});
