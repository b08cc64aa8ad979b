//! The language model that the node lends, at work on a prompt.

use hansa_sdk::inference::{self, Error, Generation, Message, ModelInfo, Options, Prompt, Sampling};
use hansa_sdk::{Fault, context};

use crate::compose::{ended, enough, fitting, prompt, tokens};
use crate::limits::{ANSWER_MS, GENERATION_COST_MAX, TEMPLATE_TOKENS};

/// What a model wrote.
pub(super) struct Written {
    pub(super) text: String,
    pub(super) complete: bool,
}

/// The indices of those `sentences` that the model can read beside the task and its own answer.
pub(super) fn readable(
    model: &ModelInfo,
    sentences: &[&str],
    scores: &[f32],
    focus: Option<&str>,
    words: u32,
) -> Result<Vec<usize>, Fault> {
    let Some(tokens_max) = model.max_tokens else { return Ok((0..sentences.len()).collect()) };
    let mut texts = vec![prompt(&[], focus, words)];
    texts.extend(sentences.iter().map(|sentence| format!("- {sentence}\n")));
    let counts = inference::count_tokens(&model.model.name, &texts)?;
    let (frame, counts) = counts.split_first().ok_or_else(|| Fault::failed("the model counted no tokens"))?;
    let room = tokens_max.saturating_sub(tokens(words) + TEMPLATE_TOKENS + frame);
    match fitting(scores, counts, room) {
        none if none.is_empty() => Err(Fault::invalid_input(format!(
            "the model `{}` reads and writes `{tokens_max}` tokens in all, too few for this; ask for fewer words or a shorter focus",
            model.model
        ))),
        fitting => Ok(fitting),
    }
}

/// Let the model write, at temperature 0 so that the same call gives the same text, until it said enough or a limit ends it.
pub(super) fn write(model: &ModelInfo, prompt: &str, words: u32) -> Result<Written, Fault> {
    let mut generation = start(&model.model.name, prompt, words)?;
    let mut text = String::new();
    for chunk in &mut generation {
        text.push_str(&chunk?.text);
        if enough(&text, words) {
            break;
        }
    }
    let (text, complete) = ended(&text, generation.finish(), words);
    if text.is_empty() {
        return Err(Fault::failed(format!("the model `{}` wrote nothing; ask with another focus or more words", model.model)));
    }
    Ok(Written { text, complete })
}

/// As a conversation, or, where the model's template has no place for one, as text to go on from.
fn start(model: &str, prompt: &str, words: u32) -> Result<Generation, Fault> {
    let left_ms = context::current_call()?.deadline_ms.saturating_sub(ANSWER_MS);
    if left_ms == 0 {
        return Err(Fault::Deadline("no time is left to write; give `compose` a longer deadline".into()));
    }
    let sampling = Sampling::up_to(tokens(words)).seed(0);
    let options = Options::default().deadline_ms(left_ms).max_cost(GENERATION_COST_MAX);
    let begin = |prompt: Prompt| inference::generate(model, prompt, &sampling, &options);
    let begun = match begin(Prompt::Chat(vec![Message::user(prompt)])) {
        Err(Error::BadInput(reason)) if reason.contains("chat template") => begin(Prompt::Text(prompt.to_owned())),
        begun => begun,
    };
    Ok(begun?)
}
