//! What a caller asks of a generation and what comes back, as `generate` in `hansa:inference`.

use crate::error::{Error, Result};
use crate::limits;
use crate::usage::Usage;

/// What the model goes on from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// Text, tokenised with the special tokens that the tokenizer sets around a text.
    Text(String),
    /// Messages, made into a prompt by the model's own chat template.
    Chat(Vec<Message>),
    /// Tokens as they are.
    Tokens(Vec<u32>),
}

/// One message of a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// `system`, `user`, `assistant`, `tool`, or what else the model's template knows.
    pub role: String,
    /// What was said.
    pub content: String,
}

impl Message {
    /// A message.
    pub fn new(role: impl Into<String>, content: impl Into<String>) -> Self {
        Self { role: role.into(), content: content.into() }
    }
}

/// How tokens are chosen, and when it ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    /// Tokens to generate at most; 0 means as many as the model and its context allow.
    pub max_tokens: u32,
    /// 0 takes the likeliest token each time; higher flattens the choice. 0 to 10; default 0.
    pub temperature: f32,
    /// Only the likeliest tokens that together hold this share are chosen from. Above 0 to 1; default 1, all.
    pub top_p: f32,
    /// Only so many of the likeliest tokens are chosen from; 0, the default, means all.
    pub top_k: u32,
    /// The same seed, prompt and settings choose the same tokens. `None`: each call draws another.
    pub seed: Option<u64>,
    /// Texts that end the answer when they appear; none of them is handed out. At most 8 of at most 256 bytes.
    pub stop: Vec<String>,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { max_tokens: 0, temperature: 0.0, top_p: 1.0, top_k: 0, seed: None, stop: Vec::new() }
    }
}

impl Sampling {
    /// Refuses settings outside their ranges.
    ///
    /// # Errors
    /// `bad-input` with the setting, its value and its range.
    pub(crate) fn check(&self) -> Result<()> {
        let bad = |text: String| Err(Error::BadInput(text));
        if !(0.0..=limits::TEMPERATURE_MAX).contains(&self.temperature) {
            return bad(format!("temperature is `{}`; it must be 0 to {}", self.temperature, limits::TEMPERATURE_MAX));
        }
        if !(self.top_p > 0.0 && self.top_p <= 1.0) {
            return bad(format!("top_p is `{}`; it must be above 0, to 1", self.top_p));
        }
        if self.stop.len() > limits::STOPS_MAX {
            return bad(format!("there are `{}` stop strings; the limit is {}", self.stop.len(), limits::STOPS_MAX));
        }
        match self.stop.iter().find(|stop| stop.is_empty() || stop.len() > limits::STOP_BYTES_MAX) {
            Some(stop) => bad(format!("a stop string of `{}` bytes; it must have 1 to {}", stop.len(), limits::STOP_BYTES_MAX)),
            None => Ok(()),
        }
    }
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The model ended it, or a stop string appeared.
    Stop,
    /// As many tokens as were asked for, or as the context bears.
    Length,
    /// The caller cancelled it.
    Cancelled,
    /// The next token would cost more than the caller's cap.
    Budget,
    /// The deadline passed while it ran.
    Deadline,
}

/// What a generation hands out.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// More text.
    Chunk {
        /// Whole characters; never taken back. Empty where tokens without text were decided.
        text: String,
        /// The tokens that this chunk is charged for: those that made its text, and those before it that made none.
        tokens: Vec<u32>,
        /// What was handed out and charged so far, this chunk included.
        so_far: Usage,
    },
    /// The end of the answer; nothing comes after it.
    Done {
        /// Why.
        finish: Finish,
        /// What was handed out and charged.
        usage: Usage,
    },
    /// The answer cannot go on; nothing comes after it. What was handed out before stays charged, and nothing more.
    Failed(Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_outside_their_ranges_are_refused() {
        let ok = Sampling::default();
        assert_eq!(ok.check(), Ok(()));
        let wrong = [
            Sampling { temperature: -0.1, ..ok.clone() },
            Sampling { temperature: f32::NAN, ..ok.clone() },
            Sampling { temperature: 11.0, ..ok.clone() },
            Sampling { top_p: 0.0, ..ok.clone() },
            Sampling { top_p: 1.1, ..ok.clone() },
            Sampling { stop: vec![String::new()], ..ok.clone() },
            Sampling { stop: vec!["x".repeat(257)], ..ok.clone() },
            Sampling { stop: vec!["x".to_owned(); 9], ..ok },
        ];
        for sampling in wrong {
            assert!(matches!(sampling.check(), Err(Error::BadInput(_))), "{sampling:?}");
        }
    }
}
