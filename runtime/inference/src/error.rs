//! Why a request was not served: the same cases as `error` in `hansa:inference/types`.

use crate::tensor::Dim;

/// Shortcut for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// A tensor whose shape does not fit the port it was meant for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadShape {
    /// Name of the port.
    pub port: String,
    /// What the port takes.
    pub want: Vec<Dim>,
    /// What came.
    pub got: Vec<u32>,
}

/// Why a request was not served. Nothing is charged for any of these.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No such model; carries its name.
    #[error("there is no model `{0}` on this node; list the models that are there")]
    NotFound(String),
    /// Licence or settings forbid it.
    #[error("not permitted: {0}")]
    NotPermitted(String),
    /// The input can never be served as it is.
    #[error("{0}")]
    BadInput(String),
    /// A tensor does not fit its port.
    #[error("`{}` takes the shape {}, not {:?}; send it in that shape", .0.port, shape_text(&.0.want), .0.got)]
    Shape(BadShape),
    /// Over a limit; carries the limit in the unit of what was counted (bytes, items).
    #[error("the input is over the limit of {0}; send less at once")]
    TooLarge(u64),
    /// NaN or infinity in the named output.
    #[error("output `{0}` holds numbers that are not finite; the input is outside what the model can compute")]
    NonFinite(String),
    /// Would cost more than the caller's cap; carries the quote in micro-units.
    #[error("this request costs {0} micro-units, more than its cap; raise `max-cost`")]
    Budget(u64),
    /// The queue is full; carries the milliseconds after which trying again is sensible.
    #[error("the model's queue is full; try again in {0} ms")]
    Overloaded(u32),
    /// The deadline passed before the work was done.
    #[error("the deadline passed before the model could answer; allow more time")]
    Deadline,
    /// The model was unloaded, or inference stopped, before the work was done.
    #[error("cancelled: the model was unloaded before it could answer; try again")]
    Cancelled,
    /// Nothing here can run models.
    #[error("{0}")]
    NoProvider(String),
    /// The runtime could not allocate what this request needs.
    #[error("out of memory; send less at once")]
    OutOfMemory,
    /// The model or its runtime failed.
    #[error("{0}")]
    Backend(String),
}

impl Error {
    /// Whether the same request may succeed later without a change.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Overloaded(_) | Self::Deadline | Self::Cancelled | Self::OutOfMemory)
    }
}

/// `[batch, 384]`, as people write shapes.
pub(crate) fn shape_text(dims: &[Dim]) -> String {
    let parts: Vec<String> = dims.iter().map(ToString::to_string).collect();
    format!("[{}]", parts.join(", "))
}
