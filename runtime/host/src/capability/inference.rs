//! `hansa:inference`: models that the node lends. The types are those of the WIT package.

pub(super) mod generation;

use futures::future::BoxFuture;

pub use super::bindings::hansa::inference::{
    generation_types::{Chunk, Done, Event, Finish, Message, Prompt, Role, Sampling},
    tensors::{Outcome as TensorOutcome, Tensor},
    text::{Embeddings, Example, Label, Labels, Ranked, Ranking},
    types::{BadShape, DeviceClass, Dim, Dtype, Error, ModelInfo, ModelRef, Opts, Port, Rates, Task, Usage},
};
pub use generation::Generation;

use super::{Absent, bindings::hansa::inference, ready};
use crate::state::State;

/// What every inference answers.
pub type InferFuture<'a, T> = BoxFuture<'a, Result<T, Error>>;

/// Runs models for one call of an agent. The host has checked the grant; waiting must not block a thread.
pub trait Infer: Send + Sync {
    /// Every model that the node has.
    fn models(&self) -> BoxFuture<'_, Vec<ModelInfo>>;
    /// One model.
    fn info(&self, model: String) -> InferFuture<'_, ModelInfo>;
    /// What one model costs.
    fn price(&self, model: String) -> InferFuture<'_, Rates>;
    /// Tokens of each text, as the model counts them.
    fn count_tokens(&self, model: String, text: Vec<String>) -> InferFuture<'_, Vec<u32>>;
    /// Runs the bare model on tensors.
    fn run(
        &self,
        model: String,
        inputs: Vec<(String, Tensor)>,
        outputs: Vec<String>,
        opts: Opts,
    ) -> InferFuture<'_, TensorOutcome>;
    /// Texts to vectors.
    fn embed(&self, model: String, input: Vec<String>, opts: Opts) -> InferFuture<'_, Embeddings>;
    /// Texts or bytes to labels.
    fn classify(&self, model: String, input: Vec<Example>, top_k: u32, opts: Opts) -> InferFuture<'_, Labels>;
    /// Documents in the order of their bearing on a query.
    fn rerank(&self, model: String, query: String, documents: Vec<String>, top_k: u32, opts: Opts) -> InferFuture<'_, Ranking>;
    /// Begins to generate; ready when the prompt was checked and admitted, not with the first token.
    fn generate(&self, model: String, prompt: Prompt, sampling: Sampling, opts: Opts) -> InferFuture<'_, Box<dyn Generation>>;
}

fn absent<T: Send + 'static>(model: String) -> InferFuture<'static, T> {
    ready(Err(Error::NotFound(format!("`{model}`: no models on this node"))))
}

impl Infer for Absent {
    fn models(&self) -> BoxFuture<'_, Vec<ModelInfo>> {
        ready(Vec::new())
    }
    fn info(&self, model: String) -> InferFuture<'_, ModelInfo> {
        absent(model)
    }
    fn price(&self, model: String) -> InferFuture<'_, Rates> {
        absent(model)
    }
    fn count_tokens(&self, model: String, _: Vec<String>) -> InferFuture<'_, Vec<u32>> {
        absent(model)
    }
    fn run(&self, model: String, _: Vec<(String, Tensor)>, _: Vec<String>, _: Opts) -> InferFuture<'_, TensorOutcome> {
        absent(model)
    }
    fn embed(&self, model: String, _: Vec<String>, _: Opts) -> InferFuture<'_, Embeddings> {
        absent(model)
    }
    fn classify(&self, model: String, _: Vec<Example>, _: u32, _: Opts) -> InferFuture<'_, Labels> {
        absent(model)
    }
    fn rerank(&self, model: String, _: String, _: Vec<String>, _: u32, _: Opts) -> InferFuture<'_, Ranking> {
        absent(model)
    }
    fn generate(&self, model: String, _: Prompt, _: Sampling, _: Opts) -> InferFuture<'_, Box<dyn Generation>> {
        absent(model)
    }
}

impl State {
    pub(super) fn may_use(&self, model: &str) -> Result<(), Error> {
        let agent = &self.agent;
        if agent.grants.allows_model(model) {
            return Ok(());
        }
        Err(Error::NotPermitted(format!(
            "model `{model}` is not granted to `{}`; ask for it in agent.toml: `[capabilities] inference.models = [\"{model}\"]`",
            agent.identity.name
        )))
    }
}

impl inference::types::Host for State {}

impl inference::models::Host for State {
    async fn list(&mut self) -> Vec<ModelInfo> {
        let mut models = self.capabilities.inference.models().await;
        models.retain(|info| self.agent.grants.allows_model(&info.model.name));
        models
    }

    async fn info(&mut self, name: String) -> Result<ModelInfo, Error> {
        self.may_use(&name)?;
        self.capabilities.inference.info(name).await
    }

    async fn price(&mut self, name: String) -> Result<Rates, Error> {
        self.may_use(&name)?;
        self.capabilities.inference.price(name).await
    }

    async fn count_tokens(&mut self, name: String, text: Vec<String>) -> Result<Vec<u32>, Error> {
        self.may_use(&name)?;
        self.capabilities.inference.count_tokens(name, text).await
    }
}

impl inference::tensors::Host for State {
    async fn run(
        &mut self,
        model: String,
        inputs: Vec<(String, Tensor)>,
        outputs: Vec<String>,
        opts: Opts,
    ) -> Result<TensorOutcome, Error> {
        self.may_use(&model)?;
        self.capabilities.inference.run(model, inputs, outputs, opts).await
    }
}

impl inference::text::Host for State {
    async fn embed(&mut self, model: String, input: Vec<String>, opts: Opts) -> Result<Embeddings, Error> {
        self.may_use(&model)?;
        self.capabilities.inference.embed(model, input, opts).await
    }

    async fn classify(&mut self, model: String, input: Vec<Example>, top_k: u32, opts: Opts) -> Result<Labels, Error> {
        self.may_use(&model)?;
        self.capabilities.inference.classify(model, input, top_k, opts).await
    }

    async fn rerank(
        &mut self,
        model: String,
        query: String,
        documents: Vec<String>,
        top_k: u32,
        opts: Opts,
    ) -> Result<Ranking, Error> {
        self.may_use(&model)?;
        self.capabilities.inference.rerank(model, query, documents, top_k, opts).await
    }
}
