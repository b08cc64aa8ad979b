//! The node: configuration, assembly, administration, and a client for those who only buy.

pub mod admin;
pub mod agent;
pub mod ambient;
pub mod catalogue;
pub mod client;
pub mod codes;
pub mod config;
mod counted;
pub mod folder;
pub mod home;
pub mod keys;
pub mod ledger;
pub mod meter;
pub mod metrics;
pub mod models;
pub mod node;
pub mod policy;
pub mod tools;
pub mod tree;
pub mod workflow;

pub use client::Client;
pub use codes::fault_text;
pub use config::NodeConfig;
pub use counted::counted;
pub use node::{Node, NodeError};
