//! An author's tools: a new project from a template, its build with the language's own tool chain, its cases against the real
//! host in memory, and a watch over its files. Nothing here knows the market, the ledger or the bus.

pub mod build;
pub mod cases;
pub mod language;
pub mod limits;
pub mod project;
pub mod scaffold;
pub mod watch;

pub use language::Language;
pub use project::Project;
