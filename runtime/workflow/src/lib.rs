//! Workflows: a file that composes services, read and checked before anything is bought.

pub mod check;
pub mod data_class;
pub mod definition;
pub mod draw;
pub mod eval;
pub mod jq;
pub mod limits;
pub mod market;
pub mod names;
pub mod place;
pub mod quote;
pub mod report;
pub mod run;
pub mod schedule;
pub mod schema;
pub mod statement;
mod terminal;
pub mod types;
pub mod yaml;

pub use definition::Workflow;
pub use place::{Place, Problem};
