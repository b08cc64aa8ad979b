//! The component: compares, counts what it has served, and names its price by that.

hansa_sdk::agent! {
    world: "commons:differ-agent/differ",
    wit: ["../../wit/hansa-service", "../../wit/hansa-market", "../../wit/commons-comparison", "wit"],
    agent: Differ,
}

use bindings::commons::comparison::types::{Change, Comparison};
use bindings::exports::commons::comparison::differ;
use bindings::exports::hansa::market::pricing;
use hansa_sdk::store::{self, Bucket};
use hansa_sdk::{Fault, clock, log};

use crate::comparison::{self, lines};
use crate::demand::Served;
use crate::tariff;

struct Differ;

const COMPARE: &str = "compare";
/// Key of the store.
const SERVED: &str = "served";

impl differ::Guest for Differ {
    async fn compare(before: String, after: String) -> Result<Comparison, Fault> {
        let (before, after) = (lines("before", &before)?, lines("after", &after)?);
        let (changes, kept) = comparison::compare(&before, &after);
        // Last of all: what ends in a fault costs nothing, and must not make it dearer for others.
        if let Err(error) = count() {
            log::warn!("a call was not counted, the price stays as it is: {}", store::explain(&error));
        }
        Ok(Comparison { changes: changes.iter().map(Change::from).collect(), kept: number(kept) })
    }
}

impl pricing::Guest for Differ {
    /// Reads and never writes, so that asking moves nothing.
    async fn price(_service: String, function: String, arguments_json: String) -> Result<u64, String> {
        if function != COMPARE {
            return Err(format!("`{function}` has no price here; ask for `{COMPARE}`"));
        }
        let served = served().map_err(|error| store::explain(&error))?.1;
        Ok(tariff::price(arguments_json.len(), served.demand_milli(clock::now_ms())))
    }
}

/// One more call was served. Two that end at the same instant may count as one, which makes the price lower, never higher.
fn count() -> store::Result<()> {
    let (store, served) = served()?;
    store.set_text(SERVED, &served.and_one(clock::now_ms()).kept())
}

fn served() -> store::Result<(Bucket, Served)> {
    let store = Bucket::open()?;
    let kept = store.get_text(SERVED)?;
    Ok((store, Served::read(kept.as_deref().unwrap_or_default())))
}

impl From<&comparison::Change<'_>> for Change {
    fn from(change: &comparison::Change<'_>) -> Self {
        let owned = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
        Self {
            before_line: number(change.before + 1),
            removed: owned(change.removed),
            after_line: number(change.after + 1),
            added: owned(change.added),
        }
    }
}

fn number(lines: usize) -> u32 {
    u32::try_from(lines).expect("texts have at most LINES_MAX lines")
}
