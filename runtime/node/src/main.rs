//! The binary hansa: configuration, assembly, command line
fn main() {}
