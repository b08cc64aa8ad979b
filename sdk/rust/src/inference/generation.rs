//! Text from models that generate, as it is made.

use super::{Chunk, Finish, Message, Options, Prompt, Result, Role, Sampling, Usage};
use crate::bindings::hansa::inference::generate;
use crate::bindings::hansa::inference::generation_types::Event;

/// Begin to generate. The handle gives the text as it comes; dropping it cancels what has not come yet, and what was made until
/// then is paid.
///
/// ```no_run
/// use hansa_sdk::Fault;
/// use hansa_sdk::inference::{Finish, Message, Options, Sampling, generate};
///
/// fn title(text: &str) -> Result<String, Fault> {
///     let prompt = vec![Message::system("Answer with a title of at most eight words."), Message::user(text)];
///     let sampling = Sampling::up_to(32).stop("\n");
///     let mut generation = generate("tiny-llama", prompt, &sampling, &Options::default().max_cost(500))?;
///     let title = generation.text()?;
///     match generation.finish() {
///         Some(Finish::Stop) => Ok(title),
///         other => Err(Fault::failed(format!("the title did not end by itself: {other:?}"))),
///     }
/// }
///
/// fn first_line(text: &str) -> Result<String, Fault> {
///     let mut line = String::new();
///     for chunk in generate("tiny-llama", text, &Sampling::up_to(256).temperature(0.7).seed(1), &Options::default())? {
///         line.push_str(&chunk?.text);
///         if let Some((line, _)) = line.split_once('\n') {
///             return Ok(line.to_owned()); // the rest is neither made nor paid
///         }
///     }
///     Ok(line)
/// }
/// ```
///
/// # Errors
/// Any [`Error`](super::Error): among them `BadInput` for a model that does not generate or for settings out of range, and `Budget`
/// where the prompt alone would cost more than [`Options::max_cost`].
pub fn generate(model: &str, prompt: impl Into<Prompt>, sampling: &Sampling, options: &Options) -> Result<Generation> {
    let running = generate::start(model, &prompt.into(), sampling, *options)?;
    Ok(Generation { running, end: None })
}

/// A generation that runs on the node: an iterator over its parts. Dropping it cancels it.
#[derive(Debug)]
pub struct Generation {
    running: generate::Generation,
    /// How it ended; none while it runs, and none inside where it broke.
    end: Option<Option<Finish>>,
}

impl Iterator for Generation {
    type Item = Result<Chunk>;

    /// Waits for the next part. None at the end, for which [`Generation::finish`] has the reason; an error is the last item.
    fn next(&mut self) -> Option<Self::Item> {
        if self.end.is_some() {
            return None;
        }
        match self.running.next() {
            Some(Event::Chunk(chunk)) => Some(Ok(chunk)),
            Some(Event::Done(done)) => {
                self.end = Some(Some(done.finish));
                None
            }
            Some(Event::Error(error)) => {
                self.end = Some(None);
                Some(Err(error))
            }
            None => {
                self.end = Some(None);
                None
            }
        }
    }
}

impl std::iter::FusedIterator for Generation {}

impl Generation {
    /// All the text that is still to come, put together. It ends where the generation ends, for whatever reason: see [`Generation::finish`].
    ///
    /// # Errors
    /// What the generation broke with; the text until then is lost, unlike with the iterator.
    pub fn text(&mut self) -> Result<String> {
        self.map(|chunk| Ok(chunk?.text)).collect()
    }

    /// End it before its time. Parts that were made already still come, then the end with [`Finish::Cancelled`].
    pub fn cancel(&self) {
        self.running.cancel();
    }

    /// Why it ended; none while it runs, and where it broke.
    #[must_use]
    pub fn finish(&self) -> Option<Finish> {
        self.end.flatten()
    }

    /// What it has taken so far, and what is charged for if it ends here.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.running.usage()
    }
}

impl Sampling {
    /// At most this many tokens, the likeliest each time: the same prompt gives the same text.
    #[must_use]
    pub fn up_to(max_tokens: u32) -> Self {
        Self { max_tokens, temperature: 0.0, top_p: 1.0, top_k: 0, seed: None, stop: Vec::new() }
    }

    /// 0 takes the likeliest token each time; 1 samples as the model was trained, more is more varied.
    #[must_use]
    pub fn temperature(self, temperature: f32) -> Self {
        Self { temperature, ..self }
    }

    /// Sample among the likeliest tokens that together have this probability; 1 for all.
    #[must_use]
    pub fn top_p(self, top_p: f32) -> Self {
        Self { top_p, ..self }
    }

    /// Sample among this many likeliest tokens; 0 for all.
    #[must_use]
    pub fn top_k(self, top_k: u32) -> Self {
        Self { top_k, ..self }
    }

    /// Sample the same way again; with [`Options::exclusive`] also to the last bit on the same provider.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed: Some(seed), ..self }
    }

    /// Also end before this text; may be called several times.
    #[must_use]
    pub fn stop(mut self, text: impl Into<String>) -> Self {
        self.stop.push(text.into());
        self
    }
}

impl Message {
    /// What the assistant is told about its task.
    pub fn system(content: impl Into<String>) -> Self {
        Self { role: Role::System, content: content.into() }
    }

    /// What the user says.
    pub fn user(content: impl Into<String>) -> Self {
        Self { role: Role::User, content: content.into() }
    }

    /// What the assistant said before.
    pub fn assistant(content: impl Into<String>) -> Self {
        Self { role: Role::Assistant, content: content.into() }
    }

    /// What a tool answered.
    pub fn tool(content: impl Into<String>) -> Self {
        Self { role: Role::Tool, content: content.into() }
    }
}

impl From<&str> for Prompt {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Prompt {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<Message>> for Prompt {
    fn from(messages: Vec<Message>) -> Self {
        Self::Chat(messages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_named_one_by_one() {
        let sampling = Sampling::up_to(8).temperature(0.5).top_p(0.9).top_k(40).seed(7).stop("\n").stop("END");
        let stop = vec!["\n".to_owned(), "END".to_owned()];
        assert_eq!(sampling, Sampling { max_tokens: 8, temperature: 0.5, top_p: 0.9, top_k: 40, seed: Some(7), stop });
        let greedy = Sampling { max_tokens: 8, temperature: 0.0, top_p: 1.0, top_k: 0, seed: None, stop: vec![] };
        assert_eq!(Sampling::up_to(8), greedy);
    }

    #[test]
    fn prompts_come_from_what_is_at_hand() {
        let chat = vec![Message::system("be brief"), Message::user("who?")];
        assert_eq!(Prompt::from("once"), Prompt::Text("once".into()));
        assert_eq!(Prompt::from(chat.clone()), Prompt::Chat(chat));
    }
}
