//! The component: the contract over the market and the agent's store.

mod ask;
mod purchases;
mod shelve;
mod values;

hansa_sdk::agent! {
    world: "commons:librarian-agent/librarian",
    wit: [
        "../../wit/hansa-service",
        "../../wit/commons-embedding",
        "../../wit/commons-files",
        "../../wit/commons-reading",
        "../../wit/commons-summary",
        "../../wit/commons-library",
        "wit",
    ],
    agent: Librarian,
}

use bindings::commons::library::types::{Answer, Document, Shelved};
use bindings::exports::commons::library::librarian::Guest;
use hansa_sdk::Fault;

struct Librarian;

impl Guest for Librarian {
    async fn shelve(shelf: String, documents: Vec<Document>) -> Result<Shelved, Fault> {
        shelve::shelve(&shelf, documents).await
    }

    async fn ask(shelf: String, question: String, passages: u32) -> Result<Answer, Fault> {
        ask::ask(&shelf, &question, passages).await
    }
}
