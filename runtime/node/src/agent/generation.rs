//! A generation of one call: the engine's, as guests see it, counted for the receipt as it is handed out.

use futures::FutureExt;
use futures::future::BoxFuture;
use hansa_host::inference as wit;
use hansa_inference as engine;

use super::infer::{Run, error, usage_out};

/// A generation that runs. Dropping it cancels it.
pub(super) struct CallGeneration {
    generation: engine::Generation,
    run: Run,
    /// What was counted of it so far.
    counted: engine::Usage,
}

impl CallGeneration {
    pub(super) fn new(generation: engine::Generation, run: Run) -> CallGeneration {
        CallGeneration { generation, run, counted: engine::Usage::default() }
    }

    /// Counts what has come since the last time.
    fn count(&mut self, so_far: engine::Usage) -> wit::Usage {
        self.run.add(engine::Usage {
            input_units: so_far.input_units.saturating_sub(self.counted.input_units),
            output_units: so_far.output_units.saturating_sub(self.counted.output_units),
            cost: so_far.cost.saturating_sub(self.counted.cost),
            ..so_far
        });
        self.counted = so_far;
        usage_out(so_far)
    }
}

impl wit::Generation for CallGeneration {
    fn next(&mut self) -> BoxFuture<'_, Option<wit::Event>> {
        let next = async move {
            Some(match self.generation.next().await? {
                engine::Event::Chunk { text, tokens, so_far } => {
                    wit::Event::Chunk(wit::Chunk { text, tokens, so_far: self.count(so_far) })
                }
                engine::Event::Done { finish, usage } => {
                    wit::Event::Done(wit::Done { finish: finish_out(finish), usage: self.count(usage) })
                }
                engine::Event::Failed(cause) => wit::Event::Error(error(cause)),
            })
        };
        next.boxed()
    }

    fn cancel(&mut self) {
        self.generation.cancel();
    }

    fn usage(&self) -> wit::Usage {
        usage_out(self.generation.usage())
    }
}

fn finish_out(finish: engine::Finish) -> wit::Finish {
    match finish {
        engine::Finish::Stop => wit::Finish::Stop,
        engine::Finish::Length => wit::Finish::Length,
        engine::Finish::Cancelled => wit::Finish::Cancelled,
        engine::Finish::Budget => wit::Finish::Budget,
        engine::Finish::Deadline => wit::Finish::Deadline,
    }
}

/// The guest's prompt for the engine.
pub(super) fn prompt(prompt: wit::Prompt) -> engine::Prompt {
    let message = |message: wit::Message| engine::Message::new(role(message.role), message.content);
    match prompt {
        wit::Prompt::Text(text) => engine::Prompt::Text(text),
        wit::Prompt::Chat(messages) => engine::Prompt::Chat(messages.into_iter().map(message).collect()),
        wit::Prompt::Tokens(tokens) => engine::Prompt::Tokens(tokens),
    }
}

fn role(role: wit::Role) -> &'static str {
    match role {
        wit::Role::System => "system",
        wit::Role::User => "user",
        wit::Role::Assistant => "assistant",
        wit::Role::Tool => "tool",
    }
}

/// The guest's settings for the engine, which checks them.
pub(super) fn sampling(sampling: wit::Sampling) -> Result<engine::Sampling, wit::Error> {
    if sampling.max_tokens == 0 {
        return Err(wit::Error::BadInput("max-tokens is `0`; ask for at least one token".into()));
    }
    Ok(engine::Sampling {
        max_tokens: sampling.max_tokens,
        temperature: sampling.temperature,
        top_p: sampling.top_p,
        top_k: sampling.top_k,
        seed: sampling.seed,
        stop: sampling.stop,
    })
}
