//! Sample: two nodes, a business, and three questions about a folder
fn main() {}
