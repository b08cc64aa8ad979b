//! From chosen sentences to a prompt, and from what a model wrote to a text that ends well.

use hansa_sdk::inference::{Finish, ModelInfo, Task};
use hansa_sdk::{Fault, text};

use crate::limits::TOKENS_PER_WORD;

/// The first granted model that generates.
///
/// # Errors
/// [`Fault::Refused`] where there is none; it says what the operator has to do.
pub fn writer(granted: &[ModelInfo]) -> Result<&ModelInfo, Fault> {
    granted.iter().find(|info| info.tasks.contains(&Task::Generate)).ok_or_else(|| {
        Fault::refused(
            "this node lends the summariser no language model; its operator has to add one that generates (`hansa model add FOLDER --name \
             writer`), grant it in node.toml (`inference = [\"writer\"]` for `commons/summariser`) and start the node again; `summarise` \
             works without",
        )
    })
}

/// Tokens to generate at most for a text of about so many words.
#[must_use]
pub fn tokens(words: u32) -> u32 {
    words * TOKENS_PER_WORD
}

/// The prompt, for a model that follows instructions as for one that goes on with a text.
#[must_use]
pub fn prompt(sentences: &[&str], focus: Option<&str>, words: u32) -> String {
    let task = match focus {
        Some(focus) => format!("Answer the question \"{}\" from the notes below", focus.trim()),
        None => "Summarise the notes below".to_owned(),
    };
    let notes: String = sentences.iter().map(|sentence| format!("- {sentence}\n")).collect();
    format!("{task} in plain prose of at most {words} words. Say nothing that is not in the notes.\n\nNotes:\n{notes}\nText:\n")
}

/// Which sentences fit into `room` tokens, the nearest first as long as they fit, in their order. `counts` are tokens.
#[must_use]
pub fn fitting(scores: &[f32], counts: &[u32], room: u32) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len().min(counts.len())).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    let mut left = room;
    order.retain(|index| match left.checked_sub(counts[*index]) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    });
    order.sort_unstable();
    order
}

/// Has the model written enough? `words` words, and a sentence is at its end.
#[must_use]
pub fn enough(written: &str, words: u32) -> bool {
    written.trim_end().ends_with(['.', '!', '?', '…']) && text::word_count(written) >= words as usize
}

/// The text as it is sold, and whether it is complete. A text that was cut off ends with its last whole sentence, if it has one.
#[must_use]
pub fn ended(written: &str, finish: Option<Finish>, words: u32) -> (String, bool) {
    let written = written.trim();
    if enough(written, words) || finish == Some(Finish::Stop) {
        return (written.to_owned(), true);
    }
    let sentences = text::sentences(written);
    let end = match sentences.as_slice() {
        [.., _] if enough(written, 0) => written.len(),
        [.., whole, _] => whole.end,
        _ => written.len(),
    };
    (written[..end].trim_end().to_owned(), false)
}

#[cfg(test)]
mod tests {
    use super::{ended, enough, fitting, prompt, writer};
    use hansa_sdk::inference::Finish;

    #[test]
    fn without_a_model_the_operator_learns_what_to_do() {
        let fault = writer(&[]).unwrap_err().to_string();
        assert!(
            fault.starts_with("refused: ") && fault.contains("--name writer") && fault.contains("commons/summariser"),
            "{fault}"
        );
    }

    #[test]
    fn a_prompt_has_task_and_notes() {
        let asked = prompt(&["One is here.", "Two is there."], Some(" where is one? "), 40);
        assert!(
            asked.starts_with("Answer the question \"where is one?\" from the notes below in plain prose of at most 40 words.")
        );
        assert!(asked.ends_with("Notes:\n- One is here.\n- Two is there.\n\nText:\n"));
        assert!(prompt(&["One."], None, 40).starts_with("Summarise the notes"));
    }

    #[test]
    fn the_nearest_sentences_that_fit_are_taken_in_their_order() {
        let scores = [0.1, 0.9, 0.5, 0.8];
        assert_eq!(fitting(&scores, &[5, 5, 5, 5], 100), [0, 1, 2, 3]);
        assert_eq!(fitting(&scores, &[5, 5, 9, 5], 15), [0, 1, 3]);
        assert_eq!(fitting(&scores, &[5, 5, 5, 5], 4), Vec::<usize>::new());
    }

    #[test]
    fn enough_is_a_whole_sentence_past_the_words() {
        assert!(enough("One two three. ", 3) && enough("Is it so?", 2));
        assert!(!enough("One two three", 3) && !enough("One two.", 3));
    }

    #[test]
    fn what_was_cut_off_ends_with_a_whole_sentence() {
        let text = "The first stands here. The second stands too. The third was";
        let cut = "The first stands here. The second stands too.";
        assert_eq!(ended(text, Some(Finish::Length), 100), (cut.into(), false));
        assert_eq!(ended(cut, Some(Finish::Deadline), 100), (cut.into(), false));
        assert_eq!(ended(" only words ", Some(Finish::Length), 100), ("only words".into(), false));
        assert_eq!(ended(" done by itself", Some(Finish::Stop), 100), ("done by itself".into(), true));
        assert_eq!(ended(cut, None, 8), (cut.into(), true));
    }
}
