//! `wasi:nn`: the standard's face of the same models. `wit/wasi-nn/README.md` says what its words mean here.
//!
//! What a guest makes the host hold is bounded: tensors, graphs and contexts in number, tensors' bytes by the call's memory.
//! An error of the standard is a resource as well; its text is cut, and the store's table bounds how many there are.

pub(super) mod error;
pub(super) mod graph;
pub(super) mod tensor;
