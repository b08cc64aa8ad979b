//! onnxruntime-genai's `genai_config.json`, which names the ports of a decoder itself.
//!
//! Its keys: <https://onnxruntime.ai/docs/genai/reference/config.html>.

use super::config::{number, numbers, text};
use super::decoder;
use super::stage::Staged;
use crate::backend::Session;

pub(super) fn describe(staged: &mut Staged<'_>, session: &dyn Session) -> Result<(), String> {
    let model = &staged.config.genai["model"];
    let (inputs, outputs) = (&model["decoder"]["inputs"], &model["decoder"]["outputs"]);
    let names = [
        text(&inputs["past_key_names"]).unwrap_or_else(|| "past_key_values.%d.key".to_owned()),
        text(&inputs["past_value_names"]).unwrap_or_else(|| "past_key_values.%d.value".to_owned()),
        text(&outputs["present_key_names"]).unwrap_or_else(|| "present.%d.key".to_owned()),
        text(&outputs["present_value_names"]).unwrap_or_else(|| "present.%d.value".to_owned()),
    ];
    let context = number(&model["context_length"]).ok_or("genai_config.json has no `context_length` of the model; add it")?;
    let eos = numbers(&model["eos_token_id"]);
    decoder::settle(staged, session, names, context, eos)
}
