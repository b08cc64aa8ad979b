//! A simulation: the real rules of accounts and transfers on nobody's word and without a log, for what-if questions. Assets
//! need no creation, accounts no owner. The clock stands at zero at first and moves as it is told.

use super::account_batch::{self, AccountEvent, AccountResult};
use super::authority::Authority;
use super::movement::Movement;
use super::result::TransferResult;
use super::state::{Head, State};
use super::transfer::Transfer;
use super::{expiry, transfer_batch};
use crate::digest::Digest;
use crate::key::PublicKey;
use crate::limits::LOG_TIME_NS_MAX;

/// An empty ledger with a clock of its own.
#[derive(Clone, Debug)]
pub struct Simulation {
    state: State,
}

/// The clock cannot go on so far; nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the clock would pass the end of log time, {LOG_TIME_NS_MAX} ns")]
pub struct EndOfTime;

impl Default for Simulation {
    fn default() -> Simulation {
        let (hash, operator) = (Digest::default(), PublicKey([0; 32]));
        let head = Head { ledger: hash, name: "simulation".into(), operator, seq: 0, hash, time_ns: 0 };
        Simulation { state: State::new(head) }
    }
}

impl Simulation {
    /// What it has come to.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Its time: that of the newest event, or what the clock was moved to since. Nanoseconds.
    pub fn now_ns(&self) -> u64 {
        self.state.now_ns()
    }

    /// Let time pass; holds that end meanwhile let go.
    pub fn advance(&mut self, ns: u64) -> Result<(), EndOfTime> {
        let until_ns = self.end_of(ns)?;
        self.state.head_mut().time_ns = until_ns;
        expiry::release_until(&mut self.state, until_ns);
        Ok(())
    }

    /// Open accounts: one batch, each at its own nanosecond.
    pub fn accounts(&mut self, events: &[AccountEvent]) -> Result<Vec<AccountResult>, EndOfTime> {
        self.end_of(events.len() as u64)?;
        Ok(account_batch::run(&mut self.state, events))
    }

    /// Move and hold money: one batch, each transfer at its own nanosecond.
    pub fn transfers(&mut self, events: &[Transfer]) -> Result<Vec<TransferResult>, EndOfTime> {
        self.end_of(events.len() as u64)?;
        Ok(transfer_batch::run(&mut self.state, events, Authority::Unchecked))
    }

    /// What has moved since the last time this was asked.
    pub fn take_movements(&mut self) -> Vec<Movement> {
        self.state.take_movements()
    }

    fn end_of(&self, ns: u64) -> Result<u64, EndOfTime> {
        self.now_ns().checked_add(ns).filter(|end| *end <= LOG_TIME_NS_MAX).ok_or(EndOfTime)
    }
}
