//! Channels as the ledger keeps them: a deposit in escrow and, per lane, what was paid from it.
//!
//! Vouchers bear no epoch. An epoch would void all vouchers signed before while the channel goes on, for a new key or for lanes that
//! are to be numbered from the start. Here a channel's keys and terms are its name, so a new key is a new channel; lanes are
//! plentiful and never numbered anew; and what one lane has promised must not be voided by the payer alone. A number would be left
//! that is the same in every voucher.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::amount::Amount;
use crate::channel::{ChannelId, ChannelTerms};

/// Where a channel is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChannelPhase {
    /// Payments go on.
    #[n(0)]
    Open,
    /// Someone wants the end.
    #[n(1)]
    Closing {
        /// Until then the payee may claim, log time in Unix nanoseconds.
        #[n(0)]
        claims_until_ns: u64,
        /// Until then the payer may answer; after it the channel may be finalized.
        #[n(1)]
        grace_until_ns: u64,
    },
    /// The end.
    #[n(2)]
    Final,
}

/// A receipt that counts in a lane though the payer has not acknowledged it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct LaneClaim {
    /// The sequence number of voucher and receipt.
    #[n(0)]
    pub seq: u64,
    /// The lane's total by it.
    #[n(1)]
    pub total: Amount,
}

/// One lane's account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Lane {
    /// Paid from the deposit; never falls.
    #[n(0)]
    pub redeemed: Amount,
    /// The highest ceiling that the payer signed and that was shown here.
    #[n(1)]
    pub ceiling: Amount,
    /// The newest acknowledged receipt that was paid.
    #[n(2)]
    pub seq: u64,
    /// The payee's claim by its last receipt, which is not acknowledged.
    #[n(3)]
    pub claim: Option<LaneClaim>,
    /// The payer's answer: the lowest receipt of the highest sequence number that the payer has shown.
    #[n(4)]
    pub answer: Option<LaneClaim>,
    /// The payer signed two vouchers of this number: those above it count no more.
    #[n(5)]
    pub frozen: Option<u64>,
}

/// A channel.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Channel {
    /// Its name.
    #[n(0)]
    pub id: ChannelId,
    /// Its terms.
    #[n(1)]
    pub terms: ChannelTerms,
    /// Where it is in its life.
    #[n(2)]
    pub phase: ChannelPhase,
    /// All that was ever deposited.
    #[n(3)]
    pub deposit: Amount,
    /// Paid to the payee.
    #[n(4)]
    pub redeemed: Amount,
    /// Returned to the payer.
    #[n(5)]
    pub returned: Amount,
    /// Lanes that were used.
    #[n(6)]
    pub lanes: BTreeMap<u32, Lane>,
    /// Log time of its opening, Unix nanoseconds.
    #[n(7)]
    pub timestamp_ns: u64,
}

impl Channel {
    /// What is left in escrow.
    pub fn left(&self) -> Amount {
        self.deposit.saturating_sub(self.redeemed).saturating_sub(self.returned)
    }

    /// What unacknowledged claims would bring, answers counted; not capped by what is left.
    pub fn claimed(&self) -> Amount {
        self.lanes.values().map(Lane::claimed).fold(Amount::ZERO, Amount::saturating_add)
    }
}

impl Lane {
    /// What this lane's unacknowledged claim would bring, the answer counted.
    pub fn claimed(&self) -> Amount {
        let Some(claim) = self.claim else { return Amount::ZERO };
        let total = match self.answer {
            Some(answer) if answer.seq == claim.seq => claim.total.min(answer.total),
            _ => claim.total,
        };
        total.saturating_sub(self.redeemed)
    }
}
