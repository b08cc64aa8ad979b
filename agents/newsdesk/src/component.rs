//! The component: hears stories, buys their best sentences on its own account, publishes and sells the digest.

hansa_sdk::agent! {
    world: "commons:newsdesk-agent/newsdesk",
    wit: [
        "../../wit/hansa-service", "../../wit/hansa-agent", "../../wit/commons-embedding", "../../wit/commons-summary",
        "../../wit/commons-news", "wit",
    ],
    agent: Newsdesk,
}

use bindings::commons::news::types::Story as Told;
use bindings::commons::summary::summariser;
use bindings::exports::commons::news::desk::{self, Accounts, Digest};
use bindings::exports::hansa::agent::autonomy::{self, Message, Trigger};
use hansa_sdk::store::Bucket;
use hansa_sdk::{Fault, log, market, topics, wallet};

use crate::plan::{self, FEE};
use crate::story::{DIGEST_MAX, Entry, Story, WAITING_MAX, from_text, to_text};

struct Newsdesk;

const SUMMARISER: &str = "commons:summary/summariser@0.1.0";
const TOPIC: &str = "news.digest";
/// Sentences bought for one story.
const SENTENCES: u32 = 3;

// Keys of the store.
const WAITING: &str = "waiting/";
const NEXT: &str = "next";
const DIGEST: &str = "digest";
const DIGESTS: &str = "digests";
const READERS: &str = "readers";
const READERS_COUNTED: &str = "readers-counted";
const SPENT: &str = "spent";

impl autonomy::Guest for Newsdesk {
    async fn wake(why: Trigger) -> Result<(), String> {
        let done = match why {
            Trigger::Topic(message) => hear(&message),
            Trigger::Start | Trigger::Time(_) | Trigger::Balance(_) => publish().await,
        };
        done.map_err(|fault| fault.to_string())
    }
}

/// Keeps a story until the next digest. What is no story is the teller's mistake, not ours.
fn hear(message: &Message) -> Result<(), Fault> {
    let story = match Story::read(&message.payload) {
        Ok(story) => story,
        Err(why) => {
            log::warn!("left out what came on `{}`: {why}", message.topic);
            return Ok(());
        }
    };
    let store = Bucket::open()?;
    let waiting = store.list(WAITING)?;
    for oldest in waiting.iter().take((waiting.len() + 1).saturating_sub(WAITING_MAX)) {
        store.delete(oldest)?;
    }
    let next = store.get_number(NEXT)?.unwrap_or(0);
    store.set_number(NEXT, next + 1)?;
    Ok(store.set_text(&format!("{WAITING}{next:020}"), &story.kept())?)
}

async fn publish() -> Result<(), Fault> {
    let store = Bucket::open()?;
    let waiting = store.list(WAITING)?;
    let newest: Vec<&String> = waiting.iter().rev().take(DIGEST_MAX).collect();
    if newest.is_empty() {
        return Ok(());
    }
    let (readers, counted) = (count(&store, READERS)?, count(&store, READERS_COUNTED)?);
    let funds = wallet::look()?;
    let budget = plan::budget(readers.saturating_sub(counted), funds.available, funds.left_today);
    let entries = entries(&store, &newest, budget).await?;
    let spent = wallet::look()?.spent_today.saturating_sub(funds.spent_today);
    store.set_number(SPENT, count(&store, SPENT)? + spent)?;
    store.set_number(READERS_COUNTED, readers)?;
    let text = to_text(&entries);
    store.set_text(DIGEST, &text)?;
    store.set_number(DIGESTS, count(&store, DIGESTS)? + 1)?;
    waiting.iter().try_for_each(|key| store.delete(key))?;
    log::info!("a digest of {} stories for {spent} of {budget}", entries.len());
    topics::publish(TOPIC, text.as_bytes())
}

/// The stories with their best sentences, as far as the budget goes.
async fn entries(store: &Bucket, keys: &[&String], budget: u64) -> Result<Vec<Entry>, Fault> {
    let usual = market::offers(SUMMARISER, "summarise")?.first().map_or(0, |offer| offer.price_max);
    let mut left = budget;
    let mut entries = Vec::new();
    for (nth, key) in keys.iter().enumerate() {
        let Some(text) = store.get_text(key)? else { continue };
        let Ok(story) = Story::read(text.as_bytes()) else { continue };
        let most = plan::per_story(left, (keys.len() - nth) as u64, usual).min(left);
        let before = wallet::look()?.spent_today;
        let sentences = if most == 0 { Vec::new() } else { sentences(&story, most).await? };
        left = left.saturating_sub(wallet::look()?.spent_today.saturating_sub(before));
        entries.push(Entry { headline: story.headline, sentences });
    }
    Ok(entries)
}

/// The best sentences of a story for at most `most`; none where the market has no offer for that.
async fn sentences(story: &Story, most: u64) -> Result<Vec<String>, Fault> {
    // Terms only ever narrow; a limit that is wider than that of agent.toml leaves it as it is.
    if let Err(fault) = market::narrow(SUMMARISER, &market::Limits::default().max_price(most)) {
        log::debug!("{fault}");
    }
    match summariser::summarise(story.text.clone(), Some(story.headline.clone()), SENTENCES).await {
        Ok(found) => Ok(found.into_iter().map(|sentence| sentence.text).collect()),
        Err(fault) => {
            log::warn!("`{}` goes with its headline alone: {fault}", story.headline);
            Ok(Vec::new())
        }
    }
}

fn count(store: &Bucket, key: &str) -> Result<u64, Fault> {
    Ok(store.get_number(key)?.unwrap_or(0))
}

impl desk::Guest for Newsdesk {
    async fn latest() -> Result<Digest, Fault> {
        let store = Bucket::open()?;
        let text = store.get_text(DIGEST)?.ok_or_else(|| Fault::failed("there is no digest yet; ask again in ten minutes"))?;
        store.set_number(READERS, count(&store, READERS)? + 1)?;
        let told = |entry: Entry| Told { headline: entry.headline, sentences: entry.sentences };
        Ok(Digest { number: count(&store, DIGESTS)?, stories: from_text(&text).into_iter().map(told).collect() })
    }

    async fn books() -> Result<Accounts, Fault> {
        let store = Bucket::open()?;
        let readers = count(&store, READERS)?;
        let (digests, spent) = (count(&store, DIGESTS)?, count(&store, SPENT)?);
        Ok(Accounts { digests, readers, earned: readers * FEE, spent })
    }
}
