//! Lines: movements with what caused them, one for each row of an export or a statement.

use std::collections::BTreeMap;

use hansa_economy::Digest;
use hansa_economy::channel::ChannelId;
use hansa_economy::ledger::{
    Acceptance, Command, CommandId, CommandResult, Id128, Movement, MovementKind, Transfer, TransferRecord, TransferStatus,
    Verified,
};

use super::Step;

/// A movement, and where it comes from.
pub(crate) struct Line<'a> {
    /// The entry of the log.
    pub(crate) seq: u64,
    /// Which of the entry's movements, from 1; with `seq` it names the line for ever.
    pub(crate) number: usize,
    pub(crate) movement: &'a Movement,
    /// The command; none where a hold let go by itself.
    pub(crate) command: Option<CommandId>,
    /// What issuer or payer gave as the reason outside: of `issue` and `redeem`.
    pub(crate) reference: Option<&'a str>,
    /// Of a channel's movement.
    pub(crate) channel: Option<ChannelId>,
    /// The receipts that the payment was claimed by.
    pub(crate) receipts: Vec<Digest>,
    /// The transfer as it is kept: of transfers, holds, and what became of them.
    pub(crate) transfer: Option<&'a Transfer>,
}

impl Line<'_> {
    /// `17.3`: entry and number.
    pub(crate) fn name(&self) -> String {
        format!("{}.{}", self.seq, self.number)
    }

    /// Does it change posted balances?
    pub(crate) fn posts(&self) -> bool {
        posts(self.movement.kind)
    }

    /// The hold that a post or void resolves.
    pub(crate) fn hold(&self) -> Option<Id128> {
        self.transfer.map(|transfer| transfer.pending_id).filter(|id| !id.is_zero())
    }
}

/// Does such a movement change posted balances? Holds, and what is let go of them, do not.
fn posts(kind: MovementKind) -> bool {
    !matches!(kind, MovementKind::Hold | MovementKind::Void | MovementKind::Expiry)
}

/// A kind's stable name, in words.
pub(crate) fn kind_name(kind: MovementKind) -> &'static str {
    match kind {
        MovementKind::Transfer => "transfer",
        MovementKind::Hold => "hold",
        MovementKind::Post => "post",
        MovementKind::Void => "void",
        MovementKind::Expiry => "expiry",
        MovementKind::Issue => "issue",
        MovementKind::Redeem => "redeem",
        MovementKind::ChannelDeposit => "channel-deposit",
        MovementKind::ChannelPayment => "channel-payment",
        MovementKind::ChannelReturn => "channel-return",
        MovementKind::Refund => "refund",
    }
}

/// All kinds, for declarations.
pub(crate) const KINDS: [MovementKind; 11] = [
    MovementKind::Transfer,
    MovementKind::Hold,
    MovementKind::Post,
    MovementKind::Void,
    MovementKind::Expiry,
    MovementKind::Issue,
    MovementKind::Redeem,
    MovementKind::ChannelDeposit,
    MovementKind::ChannelPayment,
    MovementKind::ChannelReturn,
    MovementKind::Refund,
];

/// The lines of a step, in order.
pub(crate) fn lines<'a>(step: &'a Step<'_>) -> impl Iterator<Item = Line<'a>> {
    let causes = if step.movements.is_empty() { Causes::default() } else { Causes::of(step) };
    step.movements.iter().enumerate().map(move |(index, movement)| line(step, &causes, index + 1, movement))
}

/// Which command made what, within one entry.
#[derive(Default)]
struct Causes<'a> {
    commands: BTreeMap<CommandId, &'a Verified>,
    transfers: BTreeMap<Id128, &'a Verified>,
}

impl<'a> Causes<'a> {
    fn of(step: &'a Step<'_>) -> Causes<'a> {
        let mut causes = Causes::default();
        for (command, result) in step.commands.iter().zip(&step.entry.results) {
            causes.commands.insert(command.body().id, command);
            if let CommandResult::Accepted(Acceptance::Transfers(results)) = result {
                let created = results.iter().filter(|result| result.status == TransferStatus::Created);
                causes.transfers.extend(created.map(|result| (result.id, command)));
            }
        }
        causes
    }
}

fn line<'a>(step: &'a Step<'_>, causes: &Causes<'a>, number: usize, movement: &'a Movement) -> Line<'a> {
    let of_transfer = matches!(
        movement.kind,
        MovementKind::Transfer | MovementKind::Hold | MovementKind::Post | MovementKind::Void | MovementKind::Expiry
    );
    let command = match movement.kind {
        MovementKind::Expiry => None,
        _ if of_transfer => causes.transfers.get(&movement.cause).copied(),
        _ => causes.commands.get(&movement.cause).copied(),
    };
    let transfer = match step.state.transfer(movement.cause) {
        Some(TransferRecord::Created(transfer, _)) if of_transfer => Some(transfer),
        _ => None,
    };
    let receipts = match movement.kind {
        MovementKind::ChannelPayment => {
            command.map_or_else(Vec::new, |command| command.receipts().iter().map(|one| one.digest()).collect())
        }
        _ => Vec::new(),
    };
    Line {
        seq: step.entry.seq,
        number,
        movement,
        command: command.map(|command| command.body().id),
        reference: command.and_then(reference),
        channel: command.and_then(channel),
        receipts,
        transfer,
    }
}

fn reference(command: &Verified) -> Option<&str> {
    match &command.body().command {
        Command::Issue(issue) => Some(&issue.reference),
        Command::Redeem(redeem) => Some(&redeem.reference),
        _ => None,
    }
}

fn channel(command: &Verified) -> Option<ChannelId> {
    match &command.body().command {
        Command::ChannelOpen(open) => Some(open.terms.id()),
        Command::ChannelTopup(topup) => Some(topup.channel),
        Command::ChannelRedeem(redeem) => Some(redeem.channel),
        Command::ChannelClose(close) => Some(close.channel),
        Command::ChannelFinalize(finalize) => Some(finalize.channel),
        _ => None,
    }
}
