//! Inference that the node lends: models by the names that `inference.models` of `agent.toml` asks for.
//!
//! Calls wait for the device; other parts of the same call (purchases under [`crate::join_all`]) go on only between them.

mod generation;
mod tensor;

use std::fmt;

pub use crate::bindings::hansa::inference::generation_types::{Chunk, Finish, Message, Prompt, Role, Sampling};
pub use crate::bindings::hansa::inference::models::{ModelInfo, Rates};
pub use crate::bindings::hansa::inference::tensors::{Outcome, Tensor};
pub use crate::bindings::hansa::inference::text::{Embeddings, Example, Label, Labels, Ranked, Ranking};
pub use crate::bindings::hansa::inference::types::{
    BadShape, DeviceClass, Dim, Dtype, Error, ModelRef, Opts as Options, Port, Task, Usage,
};
use crate::bindings::hansa::inference::{models, tensors, text};
pub use generation::{Generation, generate};

/// What a [`Result`] of this module fails with.
pub type Result<T> = std::result::Result<T, Error>;

impl Default for Options {
    /// No limits beyond those of the call and of the operator.
    fn default() -> Self {
        Self { deadline_ms: None, max_cost: None, priority: None, exclusive: false }
    }
}

impl Options {
    /// Give up after this many milliseconds.
    #[must_use]
    pub fn deadline_ms(self, deadline_ms: u32) -> Self {
        Self { deadline_ms: Some(deadline_ms), ..self }
    }

    /// Refuse work that would cost more than this, in the smallest unit of the node's asset.
    #[must_use]
    pub fn max_cost(self, max_cost: u64) -> Self {
        Self { max_cost: Some(max_cost), ..self }
    }

    /// 0 = interactive to 3 = batch.
    #[must_use]
    pub fn priority(self, priority: u8) -> Self {
        Self { priority: Some(priority), ..self }
    }

    /// Run alone in its batch: bit-reproducible on the same provider.
    #[must_use]
    pub fn exclusive(self) -> Self {
        Self { exclusive: true, ..self }
    }
}

/// The models that this agent may use.
#[must_use]
pub fn list() -> Vec<ModelInfo> {
    models::list()
}

/// What is known of one model: version, limits, where it runs.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotPermitted`].
pub fn info(model: &str) -> Result<ModelInfo> {
    models::info(model)
}

/// The price card of one model.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotPermitted`].
pub fn price(model: &str) -> Result<Rates> {
    models::price(model)
}

/// How many tokens each text has, before truncation.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotPermitted`], [`Error::BadInput`] where the model reads no text.
pub fn count_tokens(model: &str, texts: &[String]) -> Result<Vec<u32>> {
    models::count_tokens(model, texts)
}

/// One vector for each text.
///
/// # Errors
/// Any [`Error`]; `?` turns it into the [`crate::Fault`] that says the same to a customer.
pub fn embed(model: &str, texts: &[String], options: &Options) -> Result<Embeddings> {
    text::embed(model, texts, *options)
}

/// The `top_k` likeliest labels of each example, best first.
///
/// # Errors
/// Any [`Error`].
pub fn classify(model: &str, examples: &[Example], top_k: u32, options: &Options) -> Result<Labels> {
    text::classify(model, examples, top_k, *options)
}

/// The `top_k` documents nearest to `query`, best first.
///
/// # Errors
/// Any [`Error`].
pub fn rerank(model: &str, query: &str, documents: &[String], top_k: u32, options: &Options) -> Result<Ranking> {
    text::rerank(model, query, documents, top_k, *options)
}

/// Run a model on named tensors; `outputs` names what to return.
///
/// # Errors
/// Any [`Error`].
pub fn run(model: &str, inputs: &[(String, Tensor)], outputs: &[String], options: &Options) -> Result<Outcome> {
    tensors::run(model, inputs, outputs, *options)
}

impl fmt::Display for ModelRef {
    /// `name@version`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}

/// What went wrong, in words for the customer.
#[must_use]
pub fn explain(error: &Error) -> String {
    match error {
        Error::NotFound(what) => format!("the node has no such model: {what}"),
        Error::NotPermitted(what) => format!("inference is not permitted: {what}"),
        Error::BadInput(what) => format!("the model cannot read this: {what}"),
        Error::Shape(shape) => format!("the shape of `{}` is `{:?}`, which the model does not take", shape.port, shape.got),
        Error::TooLarge(limit) => format!("larger than the model's limit of `{limit}`"),
        Error::NonFinite(what) => format!("the model answered with infinities or NaN in `{what}`"),
        Error::Budget(quote) => format!("the inference would cost `{quote}`, more than the limit given for it"),
        Error::Overloaded(retry_ms) => format!("the node's inference is full; retry after {retry_ms} ms"),
        Error::Deadline => "the inference was not done before the deadline".into(),
        Error::Cancelled => "the inference was cancelled".into(),
        Error::NoProvider(what) => format!("the node has no device that the model requires: {what}"),
        Error::OutOfMemory => "the node is out of memory for inference; retry later".into(),
        Error::Backend(what) => format!("the node's inference broke: {what}"),
    }
}
