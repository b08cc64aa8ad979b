//! The seller's settlement: what is acknowledged goes to the ledger in the background.

use std::sync::Weak;
use std::time::Instant;

use hansa_economy::Amount;
use hansa_economy::call::RefusalCode;
use hansa_economy::ledger::{ChannelEquivocation, ChannelPhase, Claim, Reason};
use hansa_economy::limits::CLAIMS_MAX;

use crate::incoming::Incoming;
use crate::limits::{KEPT_EXPIRE_EVERY, REDEEM_AFTER, REDEMPTION_BYTES_MAX};
use crate::port::LedgerError;
use crate::seller::Inner;

/// May what failed a moment ago wait?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Haste {
    /// It waits until its pause is over.
    None,
    /// Somebody asks for it now.
    Now,
}

/// What a lane can claim.
struct Owed {
    lane: u32,
    claim: Claim,
    /// The lane's total by it.
    total: Amount,
    /// It is paid at once. Else the ledger notes it for the end of the channel.
    acknowledged: bool,
}

impl Owed {
    /// What it adds to a command.
    fn bytes(&self) -> usize {
        self.claim.voucher.len() + self.claim.receipt.len() + CLAIM_HEAD_BYTES
    }
}

/// CBOR around the two statements of a claim: a map of two, and two byte strings with up to five bytes of length.
const CLAIM_HEAD_BYTES: usize = 16;

/// Redeem on a timer until the seller is dropped.
pub(crate) async fn redeem_while_alive(inner: Weak<Inner>) {
    let mut expired = Instant::now();
    loop {
        tokio::time::sleep(REDEEM_AFTER).await;
        let Some(inner) = inner.upgrade() else {
            return;
        };
        redeem_all(&inner, Haste::None).await;
        if expired.elapsed() >= KEPT_EXPIRE_EVERY {
            expired = Instant::now();
            inner.exchange.books().expire_kept(inner.exchange.now_ms()).await;
        }
    }
}

/// Bring everything that is acknowledged to the ledger. Returns of how many channels something was brought.
pub(crate) async fn redeem_all(inner: &Inner, haste: Haste) -> usize {
    wake_all(inner, haste).await;
    let mut redeemed = 0;
    for channel in inner.ledgers.awake() {
        if haste == Haste::None && !channel.pause.is_over(inner.exchange.now_ms()) {
            continue;
        }
        let done = settle(inner, &channel).await;
        if channel.phase() == ChannelPhase::Final {
            ended(inner, &channel);
            continue;
        }
        match done {
            Ok(any) => {
                channel.pause.succeeded();
                redeemed += usize::from(any);
            }
            Err(why) => failed(inner, &channel, &why),
        }
    }
    redeemed
}

/// Look up the channels of earlier days.
async fn wake_all(inner: &Inner, haste: Haste) {
    let ledgers = &inner.ledgers;
    if haste == Haste::None && !ledgers.waking.is_over(inner.exchange.now_ms()) {
        return;
    }
    for id in ledgers.sleeping() {
        match ledgers.channel(&inner.exchange, inner.key.public(), id).await {
            Ok(_) => ledgers.waking.succeeded(),
            Err(refusal) if refusal.code == RefusalCode::Channel => {
                tracing::debug!(channel = %id, message = %refusal.message, "a channel of earlier days is at its end");
                ledgers.forget(id);
            }
            Err(refusal) => {
                if ledgers.waking.failed(inner.exchange.now_ms()) {
                    tracing::warn!(message = %refusal.message, "channels of earlier days wait for the ledger");
                }
                return;
            }
        }
    }
}

/// Said once for each row of failures; then it is tried again after longer and longer pauses.
fn failed(inner: &Inner, channel: &Incoming, why: &str) {
    match channel.pause.failed(inner.exchange.now_ms()) {
        true => tracing::warn!(channel = %channel.id, why, "a channel could not be settled; will try again, less and less often"),
        false => tracing::debug!(channel = %channel.id, why, "a channel could not be settled, again"),
    }
}

/// Nothing can be claimed any more.
fn ended(inner: &Inner, channel: &Incoming) {
    let lost = owed(channel).len();
    if lost > 0 {
        tracing::warn!(channel = %channel.id, lanes = lost, "a channel ended before everything in it was redeemed");
    }
    inner.ledgers.forget(channel.id);
}

/// All that is to be done for one channel. Was something brought to the ledger?
async fn settle(inner: &Inner, channel: &Incoming) -> Result<bool, String> {
    channel.look_again(&inner.exchange).await.map_err(|refusal| refusal.message)?;
    let shown = show_evidence(inner, channel).await.map_err(|error| error.message)?;
    if shown || end_silence(inner, channel).await.map_err(|error| error.message)? {
        channel.refresh(&inner.exchange).await.map_err(|refusal| refusal.message)?;
    }
    redeem(inner, channel).await.map_err(|error| error.message)
}

/// Show the ledger where the buyer signed two vouchers of one number. Was there any? It is kept until the ledger has answered.
async fn show_evidence(inner: &Inner, channel: &Incoming) -> Result<bool, LedgerError> {
    let mut any = false;
    for (number, lane) in channel.lanes() {
        let Ok(mut lane) = lane.try_lock() else {
            continue;
        };
        let Some(second) = lane.evidence.clone() else {
            continue;
        };
        let first = lane.credit.voucher.clone().into();
        let evidence = ChannelEquivocation { channel: channel.id, first, second: second.into() };
        match inner.exchange.ledger().show(evidence, inner.key.clone()).await {
            Ok(_) => tracing::warn!(channel = %channel.id, lane = number, "the ledger has the evidence; the channel closes"),
            Err(error) if error.may_pass => return Err(error),
            Err(error) => tracing::warn!(channel = %channel.id, lane = number, %error, "the ledger does not take the evidence"),
        }
        any = true;
        lane.evidence = None;
        inner.exchange.books().put_lane_in(channel.id, number, lane.row()).await;
    }
    Ok(any)
}

/// Ask for the end of a channel whose buyer vanished with a receipt: only then the ledger takes a claim by it. Was it asked for?
async fn end_silence(inner: &Inner, channel: &Incoming) -> Result<bool, LedgerError> {
    let now_ms = inner.exchange.now_ms();
    let is_silent = channel.lanes().iter().any(|(_, lane)| lane.try_lock().is_ok_and(|lane| lane.is_silent(now_ms)));
    if channel.phase() != ChannelPhase::Open || !is_silent {
        return Ok(false);
    }
    tracing::info!(channel = %channel.id, "the buyer has not acknowledged its last receipts; the channel is closed to claim by them");
    match inner.exchange.ledger().close(channel.id, false, inner.key.clone()).await {
        Ok(_) | Err(LedgerError { reason: Some(Reason::ChannelClosing | Reason::ChannelFinal), .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Bring what can be claimed in this channel to the ledger. Was there anything?
pub(crate) async fn redeem(inner: &Inner, channel: &Incoming) -> Result<bool, LedgerError> {
    let owed = owed(channel);
    let any = !owed.is_empty();
    let mut trouble = None;
    for batch in batches(owed) {
        match bring(inner, channel, &batch).await {
            Err(error) if blames_a_claim(&error) => trouble = Some(error),
            other => other?,
        }
    }
    trouble.map_or(Ok(any), Err)
}

/// What the lanes at rest can claim: what is acknowledged, and while the channel closes also their last receipts. A lane that serves
/// a call is left for the next round.
fn owed(channel: &Incoming) -> Vec<Owed> {
    let closing = matches!(channel.phase(), ChannelPhase::Closing { .. });
    let (mut owed, mut last) = (Vec::new(), Vec::new());
    for (lane, state) in channel.lanes() {
        let Ok(state) = state.try_lock() else {
            continue;
        };
        if let Some(claim) = state.owed() {
            let (voucher, receipt) = (claim.voucher.clone(), claim.receipt.clone());
            owed.push(Owed { lane, claim: Claim { voucher, receipt }, total: claim.cumulative, acknowledged: true });
        }
        if closing && let Some((claim, total)) = state.last_claim() {
            last.push(Owed { lane, claim, total, acknowledged: false });
        }
    }
    owed.append(&mut last);
    owed
}

/// As many claims together as one command holds, by number and by bytes.
fn batches(owed: Vec<Owed>) -> Vec<Vec<Owed>> {
    let mut batches: Vec<Vec<Owed>> = Vec::new();
    let mut bytes = 0;
    for one in owed {
        bytes += one.bytes();
        match batches.last_mut().filter(|batch| batch.len() < CLAIMS_MAX && bytes <= REDEMPTION_BYTES_MAX) {
            Some(batch) => batch.push(one),
            None => {
                bytes = one.bytes();
                batches.push(vec![one]);
            }
        }
    }
    batches
}

/// Bring claims together. Where the ledger does not take them so, one after the other: a bad one must not stand in the others' way.
async fn bring(inner: &Inner, channel: &Incoming, batch: &[Owed]) -> Result<(), LedgerError> {
    if let [one] = batch {
        return bring_one(inner, channel, one).await;
    }
    match submit(inner, channel, batch).await {
        Err(error) if blames_a_claim(&error) => {}
        other => return other,
    }
    let mut trouble = None;
    for one in batch {
        match bring_one(inner, channel, one).await {
            Err(error) if blames_a_claim(&error) => trouble = Some(error),
            other => other?,
        }
    }
    trouble.map_or(Ok(()), Err)
}

/// A claim that can never be taken is reported and left.
async fn bring_one(inner: &Inner, channel: &Incoming, one: &Owed) -> Result<(), LedgerError> {
    let why = match one.bytes() {
        bytes if bytes > REDEMPTION_BYTES_MAX => format!("it has {bytes} bytes, a command holds {REDEMPTION_BYTES_MAX}"),
        _ => match submit(inner, channel, std::slice::from_ref(one)).await {
            Err(error) if blames_a_claim(&error) && !error.may_pass => error.message,
            other => return other,
        },
    };
    tracing::error!(channel = %channel.id, lane = one.lane, total = %one.total, why, "a claim cannot be redeemed; it is given up");
    let lane = channel.lane(one.lane);
    let mut lane = lane.lock().await;
    lane.hopeless = lane.hopeless.max(one.total);
    Ok(())
}

async fn submit(inner: &Inner, channel: &Incoming, batch: &[Owed]) -> Result<(), LedgerError> {
    let claims = batch.iter().map(|one| one.claim.clone()).collect();
    match inner.exchange.ledger().redeem(channel.id, claims, inner.key.clone()).await {
        // Paid before, as where a crash came between the ledger's payment and our note of it.
        Ok(_) | Err(LedgerError { reason: Some(Reason::NothingToRedeem), .. }) => {}
        Err(error) => {
            if matches!(error.reason, Some(Reason::ChannelFinal | Reason::ChannelNotFound)) {
                channel.ended();
            }
            return Err(error);
        }
    }
    for one in batch {
        let lane = channel.lane(one.lane);
        // A lane that serves a call already is noted when it rests: its claim is then brought once more, and was paid before.
        if let Ok(mut lane) = lane.try_lock() {
            match one.acknowledged {
                true => lane.redeemed = lane.redeemed.max(one.total),
                false => lane.claimed = lane.claimed.max(one.total),
            }
            inner.exchange.books().put_lane_in(channel.id, one.lane, lane.row()).await;
        }
    }
    Ok(())
}

/// Is the command refused for one of its claims, and not for the channel's sake or because the ledger is away?
fn blames_a_claim(error: &LedgerError) -> bool {
    use Reason::*;
    match error.reason {
        Some(reason) => matches!(
            reason,
            ClaimKey | ClaimOtherChannel | ClaimMismatch | ClaimNotAcknowledged | LaneFrozen | BadNumber | GraceOver
        ),
        // It is no command to the ledger.
        None => !error.may_pass,
    }
}

#[cfg(test)]
mod tests {
    use hansa_economy::ledger::ChannelRedeem;
    use hansa_economy::limits::STATEMENT_BYTES_MAX;

    use super::*;

    fn owed(receipt_bytes: usize) -> Owed {
        let claim = Claim { voucher: vec![1; 300].into(), receipt: vec![2; receipt_bytes].into() };
        Owed { lane: 0, claim, total: Amount(1), acknowledged: true }
    }

    fn sizes(receipts: &[usize]) -> Vec<usize> {
        batches(receipts.iter().map(|bytes| owed(*bytes)).collect()).iter().map(Vec::len).collect()
    }

    #[test]
    fn a_command_holds_so_many_claims_and_so_many_bytes() {
        assert_eq!(sizes(&[]), [0; 0]);
        assert_eq!(sizes(&[600; 70]), [32, 32, 6]);
        assert_eq!(sizes(&[20_000; 8]), [3, 3, 2]);
        assert_eq!(sizes(&[600, 70_000, 600, 600]), [1, 1, 2]);
        for batch in batches((0..70).map(|n| owed(n * 900)).collect()) {
            let claims = batch.iter().map(|one| one.claim.clone()).collect();
            let command = ChannelRedeem { channel: Default::default(), claims };
            assert!(minicbor::to_vec(&command).unwrap().len() + 512 <= STATEMENT_BYTES_MAX, "{} claims", batch.len());
        }
    }
}
