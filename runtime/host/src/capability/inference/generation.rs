//! `hansa:inference/generate`: generations that a call has open, each a resource of its store.

use futures::future::BoxFuture;
use wasmtime::component::Resource;

use super::{Error, Event, Opts, Prompt, Sampling, Usage, inference::generate};
use crate::{limits::GENERATIONS_MAX, state::State};

/// A generation that runs. Dropping it cancels it: the guest drops its handle, or the call ends, in whatever way.
pub trait Generation: Send {
    /// The next event; waits for it without blocking a thread. The host asks no further after [`Event::Done`] or
    /// [`Event::Error`].
    fn next(&mut self) -> BoxFuture<'_, Option<Event>>;
    /// Ends it before its time: after chunks that were made already comes [`Event::Done`].
    fn cancel(&mut self);
    /// What it has taken so far.
    fn usage(&self) -> Usage;
}

/// The resource behind `hansa:inference/generate.generation`.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct OpenGeneration {
    generation: Box<dyn Generation>,
    ended: bool,
}

impl State {
    async fn start_generation(
        &mut self,
        model: String,
        prompt: Prompt,
        sampling: Sampling,
        opts: Opts,
    ) -> Result<Resource<OpenGeneration>, Error> {
        self.may_use(&model)?;
        if self.held.generations >= GENERATIONS_MAX {
            return Err(Error::BadInput(format!(
                "{GENERATIONS_MAX} generations of this call are open; drop one before the next"
            )));
        }
        let generation = self.capabilities.inference.generate(model, prompt, sampling, opts).await?;
        let opened = self.table.push(OpenGeneration { generation, ended: false });
        let opened = opened.map_err(|_| Error::BadInput("this call holds too many resources; drop some".into()))?;
        self.held.generations += 1;
        Ok(opened)
    }
}

impl generate::Host for State {
    async fn start(
        &mut self,
        model: String,
        prompt: Prompt,
        sampling: Sampling,
        opts: Opts,
    ) -> wasmtime::Result<Result<Resource<OpenGeneration>, Error>> {
        Ok(self.start_generation(model, prompt, sampling, opts).await)
    }
}

impl generate::HostGeneration for State {
    async fn next(&mut self, opened: Resource<OpenGeneration>) -> wasmtime::Result<Option<Event>> {
        let opened = self.table.get_mut(&opened)?;
        if opened.ended {
            return Ok(None);
        }
        let event = opened.generation.next().await;
        opened.ended = !matches!(event, Some(Event::Chunk(_)));
        Ok(event)
    }

    async fn cancel(&mut self, opened: Resource<OpenGeneration>) -> wasmtime::Result<()> {
        let opened = self.table.get_mut(&opened)?;
        if !opened.ended {
            opened.generation.cancel();
        }
        Ok(())
    }

    async fn usage(&mut self, opened: Resource<OpenGeneration>) -> wasmtime::Result<Usage> {
        Ok(self.table.get(&opened)?.generation.usage())
    }

    async fn drop(&mut self, opened: Resource<OpenGeneration>) -> wasmtime::Result<()> {
        self.table.delete(opened)?;
        self.held.generations -= 1;
        Ok(())
    }
}
