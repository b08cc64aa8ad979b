//! The component: the contract over [`read`].

hansa_sdk::agent! {
    world: "commons:reader-agent/reader",
    wit: ["../../wit/hansa-service", "../../wit/commons-reading", "wit"],
    agent: Reader,
}

use bindings::commons::reading::types::Passage;
use bindings::exports::commons::reading::reader::Guest;
use hansa_sdk::Fault;

use crate::{passages, read};

struct Reader;

impl Guest for Reader {
    async fn read(name: String, kind: String, content: Vec<u8>) -> Result<Vec<Passage>, Fault> {
        Ok(read::read(&name, &kind, &content)?.into_iter().map(Passage::from).collect())
    }
}

impl From<passages::Passage> for Passage {
    fn from(passage: passages::Passage) -> Self {
        let passages::Passage { heading, text, first_line, last_line } = passage;
        Self { heading, text, first_line, last_line }
    }
}
