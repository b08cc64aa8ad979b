//! The component: the contract over the node's model.

hansa_sdk::agent! {
    world: "commons:filetype-agent/filetype",
    wit: ["../../wit/hansa-service", "../../wit/commons-files", "wit"],
    agent: Filetype,
}

use bindings::commons::files::types::Kind;
use bindings::exports::commons::files::identifier::Guest;
use hansa_sdk::Fault;
use hansa_sdk::inference::{self, Example, Options};

use crate::{kind, request};

/// As `inference.models` of `agent.toml` names it.
const MODEL: &str = "magika";

struct Filetype;

impl Guest for Filetype {
    async fn identify(files: Vec<Vec<u8>>) -> Result<Vec<Kind>, Fault> {
        request::check(&files)?;
        let small: Vec<_> = files.iter().map(|file| kind::without_model(file)).collect();
        let asked = files.iter().zip(&small).filter(|(_, kind)| kind.is_none());
        let mut labels = classify(asked.map(|(file, _)| file))?.into_iter();
        let kinds = files.iter().zip(small).map(|(file, kind)| match kind {
            Some(kind) => Ok(kind),
            None => {
                let best = labels.next().ok_or_else(|| Fault::failed("the model gave fewer labels than there are files"))?;
                Ok(kind::settle(&best.name, best.score, file))
            }
        });
        kinds.map(|kind| kind.map(|kind| Kind { label: kind.label, score: kind.score, is_text: kind.is_text })).collect()
    }
}

/// The best label of each file.
fn classify<'a>(files: impl Iterator<Item = &'a Vec<u8>>) -> Result<Vec<inference::Label>, Fault> {
    let examples: Vec<_> = files.map(|file| Example::Bytes(request::ends(file))).collect();
    if examples.is_empty() {
        return Ok(Vec::new());
    }
    let labels = inference::classify(MODEL, &examples, 1, &Options::default())?;
    let best: Option<Vec<_>> = labels.rows.into_iter().map(|row| row.into_iter().next()).collect();
    best.ok_or_else(|| Fault::failed("the model gave no label for a file"))
}
