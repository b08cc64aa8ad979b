//! Workflows: a file that composes services, read and checked before anything is bought.

pub mod definition;
pub mod jq;
pub mod limits;
pub mod names;
pub mod place;
pub mod types;
pub mod yaml;

pub use definition::Workflow;
pub use place::{Place, Problem};
