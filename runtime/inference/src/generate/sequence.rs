//! One answer on its way: what was asked, what was read and chosen so far, and what it keeps with the decoder.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::usage::Rates;

use super::answer::{Answer, Piece};
use super::cache::Place;
use super::line::Seat;
use super::outlet::{Mouth, Work};
use super::request::{Finish, Sampling};
use super::sampler::Sampler;
use super::text::Speech;

/// A sequence as it comes from its caller.
pub(crate) struct Submitted {
    pub(crate) mouth: Mouth,
    pub(crate) seat: Seat,
    pub(crate) tenant: Arc<str>,
    pub(crate) priority: u8,
    pub(crate) exclusive: bool,
    pub(crate) deadline: Option<Instant>,
    pub(crate) admitted: Instant,
    pub(crate) prompt: Vec<u32>,
    pub(crate) sampling: Sampling,
    pub(crate) seed: u64,
    /// The model's card, by whose priorities turns are weighed.
    pub(crate) rates: Rates,
    /// Tokens that may be generated.
    pub(crate) most: u32,
    /// Why it ends when these are used up: `Length` or `Budget`.
    pub(crate) most_finish: Finish,
}

/// A sequence as the decoder's thread has it.
pub(crate) struct Sequence {
    pub(crate) tenant: Arc<str>,
    pub(crate) priority: u8,
    pub(crate) exclusive: bool,
    pub(crate) deadline: Option<Instant>,
    pub(crate) arrival: u64,
    /// Prompt and answer. Of these the cache holds all but the last, or less.
    pub(crate) tokens: Vec<u32>,
    pub(crate) place: Option<Place>,
    /// Tokens generated since it last joined.
    pub(crate) since_joined: u64,
    prompt: usize,
    rates: Rates,
    most: u32,
    most_finish: Finish,
    admitted: Instant,
    queued: Option<Duration>,
    seat: Option<Seat>,
    mouth: Mouth,
    sampler: Sampler,
    answer: Answer,
}

impl Sequence {
    pub(crate) fn new(submitted: Submitted, speech: &Speech, arrival: u64) -> Result<Self> {
        let answer = match Answer::new(speech, &submitted.prompt, &submitted.sampling) {
            Ok(answer) => answer,
            Err(error) => {
                submitted.mouth.end(Err(error.clone()));
                return Err(error);
            }
        };
        Ok(Self {
            answer,
            sampler: Sampler::new(&submitted.sampling, submitted.seed),
            tenant: submitted.tenant,
            priority: submitted.priority,
            exclusive: submitted.exclusive,
            deadline: submitted.deadline,
            arrival,
            prompt: submitted.prompt.len(),
            tokens: submitted.prompt,
            place: None,
            since_joined: 0,
            rates: submitted.rates,
            most: submitted.most,
            most_finish: submitted.most_finish,
            admitted: submitted.admitted,
            queued: None,
            seat: Some(submitted.seat),
            mouth: submitted.mouth,
        })
    }

    /// It leaves the line: work on it begins.
    pub(crate) fn start(&mut self, now: Instant) {
        self.queued.get_or_insert(now.saturating_duration_since(self.admitted));
        self.seat = None;
    }

    pub(crate) fn has_started(&self) -> bool {
        self.queued.is_some()
    }

    /// Tokens that the cache holds.
    pub(crate) fn cached(&self) -> usize {
        self.place.as_ref().map_or(0, Place::tokens)
    }

    /// Tokens that must still be read before it can be stepped.
    pub(crate) fn to_read(&self) -> &[u32] {
        &self.tokens[self.cached()..self.tokens.len() - 1]
    }

    /// Whether a step can take it.
    pub(crate) fn is_ready(&self) -> bool {
        self.place.is_some() && self.to_read().is_empty()
    }

    /// The token that the next step takes in.
    pub(crate) fn last(&self) -> u32 {
        self.tokens[self.tokens.len() - 1]
    }

    /// By how much work of this weight puts the tenant's turn off.
    pub(crate) fn weight(&self, weight: u64) -> u64 {
        self.rates.weight(self.priority, weight)
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.mouth.is_cancelled()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.mouth.is_full()
    }

    pub(crate) fn end(&self, end: Result<Finish>) {
        self.mouth.end(end);
    }

    /// Takes the logits of a step: chooses the next token and hands out what it decides. `true`: it has ended.
    pub(crate) fn take(&mut self, speech: &Speech, eos: &[u32], output: &str, logits: &[f32], work: Work) -> bool {
        let work = Work { queued: self.queued.unwrap_or_default(), ..work };
        match self.choose(speech, eos, output, logits) {
            Ok((piece, finish)) => {
                self.mouth.give(&piece, work);
                if let Some(finish) = finish {
                    self.mouth.end(Ok(finish));
                }
                finish.is_some()
            }
            Err(error) => {
                self.mouth.end(Err(error));
                true
            }
        }
    }

    fn choose(&mut self, speech: &Speech, eos: &[u32], output: &str, logits: &[f32]) -> Result<(Piece, Option<Finish>)> {
        let token = self.sampler.choose(output, logits)?;
        if eos.contains(&token) {
            return Ok((self.answer.finish(speech)?, Some(Finish::Stop)));
        }
        self.tokens.push(token);
        self.since_joined += 1;
        let (mut piece, stopped) = self.answer.push(speech, token)?;
        if stopped {
            return Ok((piece, Some(Finish::Stop)));
        }
        if self.generated() < self.most {
            return Ok((piece, None));
        }
        let rest = self.answer.finish(speech)?;
        piece.text.push_str(&rest.text);
        piece.tokens.extend(rest.tokens);
        Ok((piece, Some(self.most_finish)))
    }

    fn generated(&self) -> u32 {
        (self.tokens.len() - self.prompt) as u32
    }
}
