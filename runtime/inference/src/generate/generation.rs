//! The caller's side: from a request to a quoted, held and waiting sequence, and its events as they are read and paid.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::funds::{Charge, Hold};
use crate::inference::{Inference, Request};
use crate::limits;
use crate::metrics::Metrics;
use crate::model::{Model, before};
use crate::package::{GenerateSettings, Pipeline};
use crate::scheduler::queue::Refused;
use crate::usage::{Rates, Usage};

use super::answer::Piece;
use super::cache::Layout;
use super::outlet::{Found, Mouth, Outlet, Work};
use super::request::{Event, Finish, Prompt, Sampling};
use super::sequence::Submitted;

/// An answer that is being generated. Dropping it cancels it.
///
/// Each event is charged before [`Generation::next`] hands it out, and nothing else is: the prompt with the first event
/// that has text or ends the answer by itself, then the tokens of each chunk.
pub struct Generation {
    outlet: Arc<Outlet>,
    hold: Option<Box<dyn Hold>>,
    rates: Rates,
    model: [u8; 32],
    prompt: u64,
    usage: Usage,
    ended: bool,
    metered: Option<(Arc<Metrics>, Arc<str>)>,
}

impl Generation {
    /// An answer of a model with this card, after a prompt of so many tokens.
    pub(super) fn new(outlet: Arc<Outlet>, hold: Box<dyn Hold>, model: [u8; 32], rates: Rates, prompt: u64) -> Self {
        Self { outlet, hold: Some(hold), rates, model, prompt, usage: Usage::default(), ended: false, metered: None }
    }

    /// The next event, as soon as there is one; `None` after the end.
    pub async fn next(&mut self) -> Option<Event> {
        if self.ended {
            return None;
        }
        loop {
            let (found, work) = self.outlet.take();
            match found {
                Found::Piece(piece) => return Some(self.chunk(piece, work)),
                Found::End(end) => return Some(self.end(end, work)),
                Found::Nothing => self.outlet.changed().await,
            }
        }
    }

    /// Ends the answer; what was not read yet is neither handed out nor charged. The next event is the end.
    pub fn cancel(&mut self) {
        self.outlet.cancel();
    }

    /// What was handed out and charged so far.
    pub fn usage(&self) -> Usage {
        self.usage
    }

    fn chunk(&mut self, piece: Piece, work: Work) -> Event {
        match self.charge(piece.tokens.len() as u64, work) {
            Ok(()) => Event::Chunk { text: piece.text, tokens: piece.tokens, so_far: self.usage },
            Err(error) => self.fail(error),
        }
    }

    fn end(&mut self, end: Result<Finish>, work: Work) -> Event {
        // an answer that is empty of itself is an answer; one that was broken off before its first text is none
        let by_itself = matches!(end, Ok(Finish::Stop | Finish::Length | Finish::Budget));
        let charged = if by_itself { self.charge(0, work) } else { Ok(()) };
        match (charged, end) {
            (Ok(()), Ok(finish)) => {
                self.close();
                Event::Done { finish, usage: self.usage }
            }
            (Err(error), _) | (_, Err(error)) => self.fail(error),
        }
    }

    fn fail(&mut self, error: Error) -> Event {
        if let Some((metrics, tenant)) = &self.metered {
            metrics.failed(tenant);
        }
        self.close();
        Event::Failed(error)
    }

    /// Lets go of the rest of the money, and of the sequence where it still runs.
    fn close(&mut self) {
        self.ended = true;
        self.hold = None;
        self.outlet.cancel();
        if let Some((metrics, tenant)) = self.metered.take()
            && self.usage.requests > 0
        {
            metrics.answered(&tenant, &self.usage);
        }
    }

    /// Charges tokens, and the prompt with the first of them. The sum of all charges is the price of the whole.
    fn charge(&mut self, tokens: u64, work: Work) -> Result<()> {
        let input_units = self.prompt - self.usage.input_units;
        if tokens == 0 && input_units == 0 && self.usage.requests == 1 {
            return Ok(());
        }
        let output = self.usage.output_units + tokens;
        let cost = self.rates.cost(self.prompt, output);
        if let Some(hold) = &self.hold {
            let charge = Charge { model: self.model, input_units, output_units: tokens, cost: cost - self.usage.cost };
            hold.charge(&charge)?;
        }
        self.usage = Usage {
            requests: 1,
            input_units: self.prompt,
            output_units: output,
            device_us: micros(work.device),
            queue_us: micros(work.queued),
            batch_rows: work.rows,
            cost,
        };
        Ok(())
    }
}

impl Drop for Generation {
    fn drop(&mut self) {
        self.close();
    }
}

impl std::fmt::Debug for Generation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Generation").field("usage", &self.usage).field("ended", &self.ended).finish_non_exhaustive()
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// What a request comes to before it waits.
struct Quote {
    most: u32,
    most_finish: Finish,
    cost: u64,
}

impl Inference {
    /// Generates text after a prompt; the answer comes as events while it grows.
    ///
    /// Before anything is queued the price of the whole is set aside: that of the prompt and of `max_tokens` tokens, or the
    /// request's cap where that is less, and the answer ends with [`Finish::Budget`] then. Charged is what is handed out.
    ///
    /// # Errors
    /// `not-found`; `bad-input` for settings or a prompt that cannot be, or a model that does not generate; `too-large`;
    /// `budget` when the cap does not even pay for one token; what [`crate::Funds::hold`] refuses; `overloaded` at once when
    /// the line is full; `deadline`; `backend`.
    pub async fn generate(&self, request: &Request, model: &str, prompt: Prompt, sampling: Sampling) -> Result<Generation> {
        let model = &self.model(model)?;
        let Pipeline::Generate(settings) = &model.package.manifest.pipeline else {
            let manifest = &model.package.manifest;
            return Err(Error::BadInput(format!("`{}` does not generate; its task is {}", manifest.name, manifest.task.name())));
        };
        sampling.check()?;
        let prompt = encode(model, settings, prompt).await?;
        let rates = model.package.manifest.rates.at(request.priority);
        let quote = quote(settings, rates, model.settings().cache_bytes_max, prompt.len(), &sampling, request.max_cost)?;
        let hold = before(request.deadline, request.funds.hold(quote.cost)).await??;
        let count = prompt.len() as u64;
        let outlet = submit(model, request, prompt, sampling, &quote).await?;
        let mut generation = Generation::new(outlet, hold, model.package.manifest.id, rates, count);
        generation.metered = Some((Arc::clone(&model.metrics), Arc::clone(&request.tenant)));
        Ok(generation)
    }
}

pub(crate) async fn encode(model: &Arc<Model>, settings: &GenerateSettings, prompt: Prompt) -> Result<Vec<u32>> {
    let speech = model.speech(settings).await?;
    let bytes = match &prompt {
        Prompt::Text(text) => text.len(),
        Prompt::Chat(messages) => messages.iter().map(|message| message.content.len()).sum(),
        Prompt::Tokens(_) => 0,
    };
    if bytes <= limits::INLINE_TEXT_BYTES_MAX {
        return speech.encode(&prompt);
    }
    let done = tokio::task::spawn_blocking(move || speech.encode(&prompt)).await;
    done.map_err(|cause| Error::Backend(format!("the tokenizer failed: {cause}")))?
}

/// How many tokens may come, and what they cost at most.
fn quote(
    settings: &GenerateSettings,
    rates: Rates,
    cache_bytes_max: u64,
    prompt: usize,
    sampling: &Sampling,
    max_cost: Option<u64>,
) -> Result<Quote> {
    let most = most_tokens(settings, prompt, sampling.max_tokens)?;
    let bytes = 2 * (prompt as u64 + u64::from(most)) * Layout::of(settings).token_bytes();
    if bytes > cache_bytes_max {
        return Err(Error::BadInput(format!(
            "the prompt has {prompt} tokens and the answer up to {most}; their keys and values take {bytes} bytes in a step, but this node keeps at most {cache_bytes_max}; ask for less"
        )));
    }
    let cost = |tokens: u32| rates.cost(prompt as u64, u64::from(tokens));
    let Some(cap) = max_cost.filter(|cap| *cap < cost(most)) else {
        return Ok(Quote { most, most_finish: Finish::Length, cost: cost(most) });
    };
    if cap < cost(1) {
        return Err(Error::Budget(cost(1)));
    }
    // the last count that the cap pays for: prices never fall with more tokens
    let (mut paid, mut over) = (1, most);
    while over - paid > 1 {
        let middle = paid + (over - paid) / 2;
        if cost(middle) <= cap { paid = middle } else { over = middle }
    }
    Ok(Quote { most: paid, most_finish: Finish::Budget, cost: cap })
}

fn most_tokens(settings: &GenerateSettings, prompt: usize, asked: u32) -> Result<u32> {
    let context = settings.context as usize;
    let left = context.saturating_sub(prompt);
    let bad = |text: String| Err(Error::BadInput(text));
    if left == 0 {
        return bad(format!(
            "the prompt has {prompt} tokens; the model's context is {context}, prompt and answer together; shorten the prompt"
        ));
    }
    let own_most = settings.max_new_tokens.unwrap_or(u32::MAX);
    if asked == 0 {
        return Ok(own_most.min(left as u32));
    }
    if asked as usize > left {
        return bad(format!(
            "the prompt has {prompt} tokens and max_tokens is `{asked}`, together {}; the model's context is {context}; ask for at most {left} or shorten the prompt",
            prompt + asked as usize
        ));
    }
    if asked > own_most {
        return bad(format!("max_tokens is `{asked}`; this model generates at most {own_most}"));
    }
    Ok(asked)
}

/// Puts the sequence into the line of the model, loading the model first where needed.
async fn submit(
    model: &Arc<Model>,
    request: &Request,
    prompt: Vec<u32>,
    sampling: Sampling,
    quote: &Quote,
) -> Result<Arc<Outlet>> {
    let admitted = Instant::now();
    loop {
        let worker = before(request.deadline, model.worker()).await??;
        let seat = match worker.line.seat(&request.tenant) {
            Ok(seat) => seat,
            Err(Refused::Full(waiting)) => {
                model.metrics.refused(&request.tenant);
                return Err(Error::Overloaded(worker.line.retry_ms(waiting)));
            }
            Err(Refused::Closed) => {
                // it was unloaded just now; the slot changes next
                before(request.deadline, model.gone(&worker)).await?;
                continue;
            }
        };
        let (outlet, mouth): (_, Mouth) = Outlet::new(Arc::clone(&worker.line));
        let submitted = Submitted {
            mouth,
            seat,
            tenant: Arc::clone(&request.tenant),
            priority: request.priority,
            exclusive: request.exclusive,
            deadline: request.deadline,
            admitted,
            seed: sampling.seed.unwrap_or_else(|| worker.line.seed()),
            rates: model.package.manifest.rates,
            prompt: prompt.clone(),
            sampling: sampling.clone(),
            most: quote.most,
            most_finish: quote.most_finish,
        };
        if worker.line.submit(submitted) {
            return Ok(outlet);
        }
        before(request.deadline, model.gone(&worker)).await?;
    }
}
