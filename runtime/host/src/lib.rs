//! wasmtime: engine, pool, limits, linker, WIT values on the wire, capabilities as traits
