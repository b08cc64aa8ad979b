//! The resource behind `wasi:keyvalue/store.bucket`.

/// The one bucket that an agent has.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Bucket;
