//! The command line `hansa`.
fn main() {}
