//! The turns of a decoder's thread: who joins, who is set aside, one piece of prompt, one step for all rows.
//!
//! Time comes in through a function, everything else through the sequences, so that a test replays a seed.

use std::sync::Arc;
use std::time::Instant;

use crate::error::{Error, Result};
use crate::limits;
use crate::metrics::Metrics;

use super::cache::{Place, is_whole};
use super::decoder::{Decoder, Stepped};
use super::outlet::Work;
use super::request::Finish;
use super::rows::Rows;
use super::sequence::{Sequence, Submitted};
use super::text::Speech;
use super::turns::{GENERATED, READ, Turns};

/// Tokens for which a sequence that joins must find room, so that it is not evicted at once.
const SLACK: usize = 64;

/// How a decoder's thread works.
#[derive(Clone)]
pub(crate) struct EngineOptions {
    /// Whether rows of different length may share a step.
    pub(crate) batching: bool,
    /// Bytes of keys and values, counted twice for running rows: a step holds the old and the new. While rows join, what
    /// they are copied from is there too.
    pub(crate) cache_bytes_max: u64,
    /// Tokens that end an answer.
    pub(crate) eos: Vec<u32>,
    /// Where steps are counted.
    pub(crate) metrics: Arc<Metrics>,
}

/// All sequences of one decoder.
pub(crate) struct Engine<'a> {
    decoder: Decoder<'a>,
    speech: &'a Speech,
    options: EngineOptions,
    clock: &'a dyn Fn() -> Instant,
    /// New ones and ones that were set aside.
    waiting: Vec<Sequence>,
    /// Those whose prompt is read and those that are stepped.
    active: Vec<Sequence>,
    turns: Turns,
    rows: Rows,
    arrivals: u64,
}

impl<'a> Engine<'a> {
    pub(crate) fn new(decoder: Decoder<'a>, speech: &'a Speech, options: EngineOptions, clock: &'a dyn Fn() -> Instant) -> Self {
        let rows = Rows::new(options.batching);
        Self { decoder, speech, options, clock, waiting: vec![], active: vec![], turns: Turns::default(), rows, arrivals: 0 }
    }

    /// Takes a sequence in.
    pub(crate) fn admit(&mut self, submitted: Submitted) {
        self.arrivals += 1;
        // one that cannot begin has told its reader so
        if let Ok(sequence) = Sequence::new(submitted, self.speech, self.arrivals) {
            self.turns.arrive(&sequence.tenant);
            self.waiting.push(sequence);
        }
    }

    /// Sequences that wait and that run.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len() + self.active.len()
    }

    /// The next moment at which something ends by itself.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.waiting.iter().chain(&self.active).filter_map(|sequence| sequence.deadline).min()
    }

    /// Cancels everything.
    pub(crate) fn close(&mut self) {
        // each tells its reader when it is dropped
        self.waiting.clear();
        self.active.clear();
    }

    /// One turn. `false`: there was nothing to do.
    pub(crate) fn turn(&mut self) -> bool {
        let now = (self.clock)();
        self.weed(now);
        self.pause();
        self.join(now);
        let read = self.read();
        let stepped = self.step();
        self.turns.settle(self.waiting.iter().chain(&self.active).map(|sequence| &sequence.tenant));
        read || stepped
    }

    /// Lets go of those whose reader has gone or whose time is up.
    fn weed(&mut self, now: Instant) {
        let stays = |sequence: &mut Sequence| {
            if sequence.deadline.is_some_and(|deadline| deadline <= now) {
                sequence.end(if sequence.has_started() { Ok(Finish::Deadline) } else { Err(Error::Deadline) });
                return false;
            }
            !sequence.is_cancelled()
        };
        self.waiting.retain_mut(stays);
        self.active.retain_mut(stays);
    }

    /// Sets those aside whose readers are far behind.
    fn pause(&mut self) {
        while let Some(index) = self.active.iter().position(Sequence::is_full) {
            self.set_aside(index);
        }
    }

    /// Lets waiting sequences join in the order of their turns; one that is far ahead makes way.
    fn join(&mut self, now: Instant) {
        while self.active.len() > self.rows.allowed() {
            self.set_aside(self.active.len() - 1);
        }
        while let Some(index) = self.next_waiting() {
            if self.fits(index) {
                let mut sequence = self.waiting.swap_remove(index);
                sequence.start(now);
                sequence.since_joined = 0;
                self.active.push(sequence);
            } else if let Some(ahead) = self.far_ahead(index) {
                self.set_aside(ahead);
            } else {
                return;
            }
        }
    }

    /// The least clock, then the most urgent, then the oldest.
    fn next_waiting(&self) -> Option<usize> {
        let ready = (0..self.waiting.len()).filter(|index| !self.waiting[*index].is_full());
        ready.min_by_key(|index| {
            let sequence = &self.waiting[*index];
            (self.turns.clock(&sequence.tenant), sequence.priority, sequence.arrival)
        })
    }

    fn fits(&mut self, index: usize) -> bool {
        if self.active.is_empty() {
            self.drop_caches(index, 1, self.waiting[index].tokens.len());
            return true; // alone it fits: it was not admitted otherwise
        }
        let alone = self.waiting[index].exclusive || self.active.iter().any(|sequence| sequence.exclusive);
        if alone || self.active.len() >= self.rows.allowed() {
            return false;
        }
        let longest = self.longest().max(self.waiting[index].tokens.len()) + SLACK;
        self.drop_caches(index, self.active.len() + 1, longest)
    }

    /// The running sequence of the tenant that is furthest ahead of a waiting one, when that is too far.
    fn far_ahead(&self, waiting: usize) -> Option<usize> {
        let clock = self.turns.clock(&self.waiting[waiting].tenant);
        let ahead = |sequence: &Sequence| self.turns.clock(&sequence.tenant).saturating_sub(clock);
        let far = (0..self.active.len()).filter(|index| ahead(&self.active[*index]) > limits::AHEAD_TOKENS_MAX * GENERATED);
        far.max_by_key(|index| (ahead(&self.active[*index]), self.active[*index].since_joined))
    }

    /// Takes a running sequence out with its cache.
    fn set_aside(&mut self, index: usize) {
        let mut sequence = self.active.remove(index);
        if let Some(place) = sequence.place.take() {
            // without the cache its tokens are read again
            sequence.place = self.decoder.gather(&[place]).map(|batch| Place { batch, row: 0 }).ok();
        }
        self.waiting.push(sequence);
    }

    /// Makes room for so many running rows of this length, by dropping caches that were set aside; not that of `keep`.
    fn drop_caches(&mut self, keep: usize, rows: usize, length: usize) -> bool {
        let token = self.decoder.layout.token_bytes();
        let running = 2 * (rows * length) as u64 * token;
        loop {
            let others = (0..self.waiting.len()).filter(|index| *index != keep && self.waiting[*index].cached() > 0);
            let aside: usize = others.clone().map(|index| self.waiting[index].cached()).sum();
            if running + aside as u64 * token <= self.options.cache_bytes_max {
                return true;
            }
            match others.max_by_key(|index| self.waiting[*index].cached()) {
                Some(largest) => self.waiting[largest].place = None,
                None => return false,
            }
        }
    }

    fn longest(&self) -> usize {
        self.active.iter().map(|sequence| sequence.tokens.len()).max().unwrap_or(0)
    }

    /// Reads prompts, at most a bounded number of tokens. Whether there was something to read.
    fn read(&mut self) -> bool {
        let mut budget = limits::PREFILL_TOKENS_MAX;
        let mut index = 0;
        while index < self.active.len() && budget > 0 {
            let before = self.active[index].cached();
            let stays = self.read_some(index, budget);
            if stays {
                budget -= self.active[index].cached() - before;
                index += 1;
            } else {
                self.active.remove(index);
            }
        }
        budget < limits::PREFILL_TOKENS_MAX
    }

    /// Reads more of one prompt; `false`: it failed and has told so.
    fn read_some(&mut self, index: usize, budget: usize) -> bool {
        let sequence = &mut self.active[index];
        let place = match sequence.place.clone() {
            Some(place) => Ok(place),
            None => self.decoder.begin(),
        };
        let tokens = &sequence.to_read()[..sequence.to_read().len().min(budget)];
        let count = tokens.len() as u64;
        let read = place.and_then(|place| if tokens.is_empty() { Ok(place) } else { self.decoder.read(&place, tokens) });
        match read {
            Ok(place) => {
                self.turns.run(&sequence.tenant, sequence.weight(READ * count));
                sequence.place = Some(place);
                true
            }
            Err(error) => {
                sequence.end(Err(error));
                false
            }
        }
    }

    /// One token for each sequence whose prompt is read. Whether there was one.
    fn step(&mut self) -> bool {
        while !self.drop_caches(usize::MAX, self.active.len(), self.longest() + 1) && self.active.len() > 1 {
            self.evict();
        }
        let ready: Vec<usize> = (0..self.active.len()).filter(|index| self.active[*index].is_ready()).collect();
        if ready.is_empty() {
            return false;
        }
        let places: Vec<Place> = ready.iter().filter_map(|index| self.active[*index].place.clone()).collect();
        let tokens: Vec<u32> = ready.iter().map(|index| self.active[*index].last()).collect();
        let whole = is_whole(&places);
        let began = (self.clock)();
        let results = self.decoder.step(&places, &tokens);
        let time = (self.clock)().saturating_duration_since(began);
        drop(places);
        let rows = ready.len() as u32;
        self.options.metrics.ran(rows, u64::from(rows), u64::from(rows), time);
        if whole {
            // a step that also moved rows says nothing about steps
            let more = self.next_waiting().is_some();
            self.rows.learn(ready.len(), time, more);
        }
        let work = Work { device: time / rows, rows, ..Work::default() };
        self.take(ready, results, work);
        true
    }

    /// Gives each stepped sequence its logits and its longer cache.
    fn take(&mut self, ready: Vec<usize>, results: Vec<Result<Stepped>>, work: Work) {
        let mut ended = vec![false; self.active.len()];
        for (index, result) in ready.into_iter().zip(results) {
            let sequence = &mut self.active[index];
            self.turns.run(&sequence.tenant, sequence.weight(GENERATED));
            ended[index] = match result {
                Ok(stepped) => {
                    sequence.place = Some(stepped.place);
                    sequence.take(self.speech, &self.options.eos, self.decoder.names.logits(), &stepped.logits, work)
                }
                Err(error) => {
                    sequence.end(Err(error));
                    true
                }
            };
        }
        let mut ended = ended.into_iter();
        self.active.retain(|_| !ended.next().unwrap_or(false));
    }

    /// Takes the running sequence of the tenant that is furthest ahead out without its cache; of its sequences the youngest.
    fn evict(&mut self) {
        let last = (0..self.active.len()).max_by_key(|index| {
            let sequence = &self.active[*index];
            (self.turns.clock(&sequence.tenant), sequence.arrival)
        });
        if let Some(index) = last {
            let mut sequence = self.active.remove(index);
            sequence.place = None;
            self.waiting.push(sequence);
        }
    }

    /// Bytes of keys and values, as [`EngineOptions::cache_bytes_max`] counts them.
    #[cfg(test)]
    pub(crate) fn cache_bytes(&self) -> u64 {
        let length = self.active.iter().filter_map(|sequence| sequence.place.as_ref()).map(|place| place.batch.length).max();
        let aside: usize = self.waiting.iter().map(Sequence::cached).sum();
        (2 * self.active.len() * length.unwrap_or(0) + aside) as u64 * self.decoder.layout.token_bytes()
    }
}
