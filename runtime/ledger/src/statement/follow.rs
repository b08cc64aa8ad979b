//! One account through a replay: its lines in a period, and its balances at both ends.

use std::collections::VecDeque;

use hansa_economy::channel::AccountId;
use hansa_economy::ledger::{Account, Asset, Head, MovementKind, State};

use super::{AccountLine, HistoryError, Period};
use crate::day::moment;
use crate::decimal::{Net, decimal};
use crate::limits::STATEMENT_LINES_MAX;
use crate::replay::{Line, ReplayError, Step, kind_name, lines, replay};
use crate::store::Store;
use crate::table::{accounts, meta};

/// Which lines are kept.
#[derive(Clone, Copy)]
pub(super) enum Keep {
    /// Every one that changes the balance; too many are an error.
    AllPosted,
    /// The newest so many, holds included.
    Newest(usize),
}

/// What was found.
pub(super) struct Followed {
    pub(super) head: Head,
    pub(super) account: Account,
    pub(super) asset: Asset,
    pub(super) opening: Net,
    pub(super) closing: Net,
    /// Oldest first.
    pub(super) lines: VecDeque<AccountLine>,
    pub(super) left_out: u64,
}

struct Follower {
    account: AccountId,
    period: Period,
    keep: Keep,
    /// From the movements alone, up to now.
    net: Net,
    opening: Net,
    closing: Net,
    /// What the posted lines of the period come to.
    between: Net,
    lines: VecDeque<AccountLine>,
    left_out: u64,
}

pub(super) fn follow(store: &Store, account: AccountId, period: Period, keep: Keep) -> Result<Followed, HistoryError> {
    if let Keep::Newest(limit) = keep
        && !(1..=STATEMENT_LINES_MAX).contains(&limit)
    {
        return Err(HistoryError::BadLimit(limit));
    }
    // Who asks for an account that is not there need not wait for a replay, where the tables are as new as the log.
    let is_there = store.read(|tx| {
        let meta = tx.open_table(meta::TABLE)?;
        let stored = meta::head(&meta)?.seq == meta::rows(&meta)?.0.seq;
        Ok(!stored || accounts::get(&tx.open_table(accounts::TABLE)?, account)?.is_some())
    });
    if !is_there.map_err(ReplayError::Store)? {
        return Err(HistoryError::NoAccount(account));
    }
    let nothing = Net::default();
    let mut follower = Follower {
        account,
        period,
        keep,
        net: nothing,
        opening: nothing,
        closing: nothing,
        between: nothing,
        lines: VecDeque::new(),
        left_out: 0,
    };
    let state = replay(store, |step| follower.step(step))?;
    if state.account(account).is_none() {
        return Err(HistoryError::NoAccount(account));
    }
    follower.end(&state)
}

impl Follower {
    fn step(&mut self, step: &Step<'_>) -> Result<(), HistoryError> {
        let is_ours = |debit, credit| debit == self.account || credit == self.account;
        if !step.movements.iter().any(|movement| is_ours(movement.debit, movement.credit)) {
            return Ok(());
        }
        let account = self.account;
        for line in lines(step).filter(|line| line.movement.debit == account || line.movement.credit == account) {
            self.line(step.state, &line)?;
        }
        Ok(())
    }

    fn line(&mut self, state: &State, line: &Line<'_>) -> Result<(), HistoryError> {
        let (units, is_in) = (line.movement.amount.0, line.movement.credit == self.account);
        let further = |net: Net| {
            let net = if is_in { net.credit(units) } else { net.debit(units) };
            net.ok_or(HistoryError::Unexplained(self.account))
        };
        if line.posts() {
            self.net = further(self.net)?;
        }
        // A hold is noted as over by the next entry, at its own time, which may be before lines that stand already.
        let time_ns = line.movement.timestamp_ns;
        if line.posts() && self.period.is_after(time_ns) {
            self.opening = self.net;
        }
        if line.posts() && !self.period.is_before(time_ns) {
            self.closing = self.net;
        }
        if self.period.is_after(time_ns) || self.period.is_before(time_ns) {
            return Ok(());
        }
        if line.posts() {
            self.between = further(self.between)?;
        }
        match self.keep {
            Keep::AllPosted if !line.posts() => return Ok(()),
            Keep::AllPosted if self.lines.len() == STATEMENT_LINES_MAX => return Err(HistoryError::TooLong),
            Keep::Newest(limit) if self.lines.len() == limit => {
                self.lines.pop_front();
                self.left_out += 1;
            }
            _ => {}
        }
        let line = self.account_line(state, line, is_in).ok_or(HistoryError::Unexplained(self.account))?;
        self.lines.push_back(line);
        Ok(())
    }

    fn account_line(&self, state: &State, line: &Line<'_>, is_in: bool) -> Option<AccountLine> {
        let movement = line.movement;
        let scale = state.asset(movement.asset)?.scale;
        let other = state.account(if is_in { movement.debit } else { movement.credit })?;
        // What is let go moves the other way.
        let lets_go = matches!(movement.kind, MovementKind::Void | MovementKind::Expiry);
        let sign = if is_in != lets_go { '+' } else { '-' };
        Some(AccountLine {
            name: line.name(),
            time: moment(movement.timestamp_ns),
            kind: kind_name(movement.kind),
            posts: line.posts(),
            change: format!("{sign}{}", decimal(movement.amount.0, scale)),
            balance: self.net.text(scale).to_string(),
            counterparty: other.id,
            counterparty_label: other.label.clone(),
            cause: movement.cause,
            command: line.command,
            reference: line.reference.map(str::to_owned),
            channel: line.channel,
            receipts: line.receipts.clone(),
        })
    }

    /// The lines since genesis must come to what the rules made of the account, and opening balance and lines to the closing
    /// balance.
    fn end(self, state: &State) -> Result<Followed, HistoryError> {
        let unexplained = HistoryError::Unexplained(self.account);
        let Some(account) = state.account(self.account) else { return Err(unexplained) };
        let explained = self.net == Net { credits: account.credits_posted.0, debits: account.debits_posted.0 };
        let between = |opening: u128, lines: u128, closing: u128| opening.checked_add(lines) == Some(closing);
        let adds_up = between(self.opening.credits, self.between.credits, self.closing.credits)
            && between(self.opening.debits, self.between.debits, self.closing.debits);
        let Some(asset) = state.asset(account.asset).filter(|_| explained && adds_up) else { return Err(unexplained) };
        Ok(Followed {
            head: state.head().clone(),
            account: account.clone(),
            asset: asset.clone(),
            opening: self.opening,
            closing: self.closing,
            lines: self.lines,
            left_out: self.left_out,
        })
    }
}
