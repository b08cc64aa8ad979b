//! What the measuring process and the measured ones say to each other: one JSON value a line.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::parts::Parts;

/// An order to a measured process.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "order")]
pub(crate) enum Order {
    /// Answer plain requests on [`RAW_SUBJECT`] and bus requests on [`BUS_SUBJECT`].
    Echo,
    /// Measure the parts of a call with this echo component.
    Parts {
        /// The component.
        component: PathBuf,
        /// Bytes of argument.
        bytes: usize,
    },
    /// Call along `road` for `millis` milliseconds with `in_flight` callers and `bytes` of argument.
    Load {
        /// Where the calls go.
        road: Road,
        /// Callers at the same time; each waits for its answer.
        in_flight: usize,
        /// Bytes of argument, which come back in the answer.
        bytes: usize,
        /// How long.
        millis: u64,
    },
    /// End.
    Stop,
}

/// Where calls go.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Road {
    /// Plain async-nats request and reply.
    Raw,
    /// The same through our bus: its service endpoints, its errors, its timeouts.
    Bus,
    /// The agent with this key, a component on this node, which buys the call.
    Agent(String),
}

/// An answer of a measured process.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "answer")]
pub(crate) enum Answer {
    /// Ready for orders.
    Ready,
    /// Measured.
    Loaded(Measured),
    /// The parts were measured.
    Parts(Parts),
    /// Not done, and why.
    Failed {
        /// Why.
        message: String,
    },
}

/// What one measurement gave.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Measured {
    /// Calls that were answered.
    pub(crate) calls: u64,
    /// Calls in a second.
    pub(crate) per_second: f64,
    /// Half of the calls took at most this, microseconds.
    pub(crate) p50_us: f64,
    /// 99 of 100 calls took at most this, microseconds.
    pub(crate) p99_us: f64,
}

/// Variable of the environment: file of the key whose workflows the node runs.
pub(crate) const BUSINESS: &str = "HANSA_BENCH_BUSINESS";
/// Where plain requests go.
pub(crate) const RAW_SUBJECT: &str = "bench.raw";
/// Where bus requests go.
pub(crate) const BUS_SUBJECT: &str = "bench.bus";
