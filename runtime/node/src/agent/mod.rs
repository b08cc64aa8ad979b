//! Agents on this node: deployment, the call they serve, what they reach outside.

mod allowance;
mod award;
mod components;
mod deployed;
mod generation;
mod infer;
mod logs;
mod market;
mod offers;
mod pricing;
mod purse;
mod serve;
mod store;
mod wakes;

pub use components::{ComponentError, read_component};
pub use deployed::{AgentStatus, DeployError, Deployed, Deployment, Surroundings, Wanted};
pub(crate) use deployed::{belongs, open_account, rehearse};
pub(crate) use infer::CallInference;
pub use logs::LogLine;
