//! Ends channels whose grace time is over, so that no deposit stays locked because nobody asks for it. Anyone may do it;
//! the node that keeps the ledger does.

use std::sync::Arc;
use std::time::Duration;

use hansa_economy::Keypair;
use hansa_economy::channel::ChannelId;
use hansa_economy::ledger::{ChannelFinalize, ChannelPhase, Command};
use hansa_ledger::Ledger;

use super::{LedgerLink, LinkPort};
use crate::ambient;

/// How often the channels are looked through.
const EVERY: Duration = Duration::from_secs(5);

/// Finalize what is due, for ever; abort the task to end it.
pub async fn finalize_due(ledger: Ledger, key: Arc<Keypair>) {
    let port = LinkPort::new(LedgerLink::Here(ledger.clone()));
    loop {
        tokio::time::sleep(EVERY).await;
        for channel in due(&ledger) {
            if let Err(error) = port.submit(Command::ChannelFinalize(ChannelFinalize { channel }), &key).await {
                tracing::warn!(%channel, %error, "a channel whose grace time is over could not be ended; will try again");
            }
        }
    }
}

fn due(ledger: &Ledger) -> Vec<ChannelId> {
    let now_ns = ambient::now_ns();
    let channels = ledger.channels().unwrap_or_else(|error| {
        tracing::warn!(%error, "the channels cannot be looked through");
        Vec::new()
    });
    let over = |phase| matches!(phase, ChannelPhase::Closing { grace_until_ns, .. } if grace_until_ns <= now_ns);
    channels.into_iter().filter(|channel| over(channel.phase)).map(|channel| channel.id).collect()
}
