//! Channels, lanes and vouchers: unidirectional escrow from one payer to one payee with independent sequences in it.
//!
//! The voucher caps what the payer owes; the receipt caps what the payee may claim. In a lane, `seq` rises and
//! `cumulative_max` never falls. Each voucher names the receipt of the call before: from then on both have signed it.

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Decoder, Encode, Encoder};

use crate::amount::Amount;
use crate::digest::{Digest, from_hex, hex};
use crate::key::PublicKey;
use crate::receipt::Receipt;
use crate::statement::{Signed, Statement};

/// Names one paid invocation; stable over retries.
pub type CallId = Digest;
/// Names a channel: digest of its terms.
pub type ChannelId = Digest;

/// An account of the ledger. Text form: 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct AccountId(pub u128);

/// The immutable terms of a channel. Its id is the digest of them all.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[cbor(map)]
pub struct ChannelTerms {
    /// The ledger that holds the escrow.
    #[n(0)]
    pub ledger: Digest,
    /// The account that pays.
    #[n(1)]
    pub payer: AccountId,
    /// The key that signs vouchers.
    #[n(2)]
    pub payer_key: PublicKey,
    /// The account that is paid.
    #[n(3)]
    pub payee: AccountId,
    /// The key that signs receipts.
    #[n(4)]
    pub payee_key: PublicKey,
    /// The asset of the deposit.
    #[n(5)]
    pub asset: u32,
    /// Seconds of ledger time between the payer's wish to close and the end.
    #[n(6)]
    pub grace_s: u32,
    /// Keeps apart channels between the same parties.
    #[n(7)]
    pub nonce: u64,
    /// Who else has a part in each payment, 0 to [`crate::limits::CHANNEL_SHARES_MAX`], in rising order of accounts. Not written where
    /// there is none, so that such terms have the name that they always had.
    #[cbor(n(8), default, skip_if = "Vec::is_empty")]
    pub shares: Vec<Share>,
}

/// A part in a channel's payments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[cbor(map)]
pub struct Share {
    /// Who gets it; neither payer nor payee.
    #[n(0)]
    pub account: AccountId,
    /// How much of each payment, in hundredths of a percent, 1 to 10000. What all shares leave is the payee's.
    #[n(1)]
    pub basis_points: u16,
}

impl ChannelTerms {
    /// The channel's name.
    pub fn id(&self) -> ChannelId {
        Digest::of_parts("hansa channel", &[&minicbor::to_vec(self).expect("writing to memory cannot fail")])
    }

    /// The account that holds this channel's escrow.
    pub fn escrow(&self) -> AccountId {
        AccountId(self.id().to_u128())
    }
}

/// The payer's signed "up to this much so far" for one lane.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Voucher {
    /// The ledger that holds the escrow.
    #[n(0)]
    pub ledger: Digest,
    /// The channel.
    #[n(1)]
    pub channel: ChannelId,
    /// The lane, below [`crate::limits::CHANNEL_LANES_MAX`].
    #[n(2)]
    pub lane: u32,
    /// Rises with each voucher of the lane, from 1.
    #[n(3)]
    pub seq: u64,
    /// The most that the lane's calls up to this one may have cost together.
    #[n(4)]
    pub cumulative_max: Amount,
    /// The receipt of the lane's last call, hereby acknowledged; none before the first.
    #[n(5)]
    pub prev_receipt: Option<Digest>,
    /// The call that this voucher pays for; none where it only acknowledges.
    #[n(6)]
    pub call: Option<CallId>,
    /// [`crate::call::CallRequest::digest`] of the request, so that the voucher vouches for the whole of it.
    #[n(7)]
    pub request: Option<Digest>,
}

impl Statement for Voucher {
    const CONTENT_TYPE: &'static str = "hansa/voucher.1";
}

/// The payer's signed wish that the payee end a channel now. It holds for the channel's whole life, so that showing it again changes
/// nothing.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CloseWish {
    /// The ledger that holds the escrow.
    #[n(0)]
    pub ledger: Digest,
    /// The channel.
    #[n(1)]
    pub channel: ChannelId,
}

impl Statement for CloseWish {
    const CONTENT_TYPE: &'static str = "hansa/close.1";
}

/// The seller's side of a lane.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LaneCredit {
    /// Sequence of the newest voucher.
    #[n(0)]
    pub seq: u64,
    /// The newest voucher's exact bytes.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub voucher: Vec<u8>,
    /// Its ceiling.
    #[n(2)]
    pub cumulative_max: Amount,
    /// What the lane's finished calls cost together.
    #[n(3)]
    pub charged: Amount,
    /// The last receipt given.
    #[n(4)]
    pub last_receipt: Option<Digest>,
    /// The most that the call being served may cost.
    #[n(5)]
    pub reserved: Option<Amount>,
    /// Two vouchers of one sequence number were seen; nothing more is accepted.
    #[n(6)]
    pub frozen: bool,
}

/// What a seller does with a voucher that is in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// A new call: serve it.
    New,
    /// The newest voucher again: give the stored answer.
    Repeat,
}

/// Why a seller does not take a voucher, in the order of the checks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LaneRefusal {
    /// The payer signed two vouchers of one sequence number.
    #[error("the lane is frozen: two different vouchers of the same sequence number were signed")]
    Frozen,
    /// This is the second of them.
    #[error("another voucher with sequence {0} was signed before")]
    Equivocation(u64),
    /// Older than the newest; the payer may have lost its state.
    #[error("sequence {found} is behind the newest, {newest}")]
    Behind {
        /// The newest sequence seen.
        newest: u64,
        /// The sequence shown.
        found: u64,
    },
    /// The lane serves another call.
    #[error("the lane still serves another call")]
    Busy,
    /// It does not acknowledge the last receipt.
    #[error("the voucher does not acknowledge the lane's last receipt")]
    PrevReceipt,
    /// The ceiling fell.
    #[error("cumulative maximum {found} is below the voucher before, {before}")]
    Fell {
        /// The ceiling before.
        before: Amount,
        /// The ceiling shown.
        found: Amount,
    },
    /// The ceiling does not cover this call.
    #[error("the voucher leaves {left} for this call, whose price may reach {price_max}")]
    Short {
        /// What the voucher leaves.
        left: Amount,
        /// What is needed.
        price_max: Amount,
    },
}

impl LaneCredit {
    /// May a call (or, with `price_max` zero and no call, an acknowledgement) go ahead on this verified voucher?
    pub fn admit(&self, voucher: &Signed<Voucher>, price_max: Amount) -> Result<Admission, LaneRefusal> {
        let body = &voucher.body;
        if self.frozen {
            return Err(LaneRefusal::Frozen);
        }
        if body.seq == self.seq && self.seq > 0 {
            return match voucher.bytes() == self.voucher {
                true => Ok(Admission::Repeat),
                false => Err(LaneRefusal::Equivocation(body.seq)),
            };
        }
        if body.seq <= self.seq {
            return Err(LaneRefusal::Behind { newest: self.seq, found: body.seq });
        }
        if self.reserved.is_some() {
            return Err(LaneRefusal::Busy);
        }
        if body.prev_receipt != self.last_receipt {
            return Err(LaneRefusal::PrevReceipt);
        }
        if body.cumulative_max < self.cumulative_max {
            return Err(LaneRefusal::Fell { before: self.cumulative_max, found: body.cumulative_max });
        }
        let left = body.cumulative_max.saturating_sub(self.charged);
        if left < price_max {
            return Err(LaneRefusal::Short { left, price_max });
        }
        Ok(Admission::New)
    }

    /// Take an admitted voucher and reserve `price_max` for its call; an acknowledgement reserves nothing.
    pub fn take(&mut self, voucher: &Signed<Voucher>, price_max: Amount) {
        self.seq = voucher.body.seq;
        self.voucher = voucher.bytes().to_vec();
        self.cumulative_max = voucher.body.cumulative_max;
        self.reserved = voucher.body.call.map(|_| price_max);
    }

    /// The call is over; `charged` is at most what was reserved.
    pub fn settle(&mut self, receipt: Digest, charged: Amount) {
        self.charged = self.charged.saturating_add(charged);
        self.last_receipt = Some(receipt);
        self.reserved = None;
    }

    /// What this lane may yet take from the deposit: what was charged and what is reserved.
    pub fn exposure(&self) -> Amount {
        self.charged.saturating_add(self.reserved.unwrap_or_default())
    }
}

/// The buyer's side of a lane. One call at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LaneDebit {
    /// Sequence of the newest voucher signed.
    #[n(0)]
    pub seq: u64,
    /// Its ceiling.
    #[n(1)]
    pub cumulative_max: Amount,
    /// What the lane's calls cost together, by receipts.
    #[n(2)]
    pub charged: Amount,
    /// The last receipt got.
    #[n(3)]
    pub last_receipt: Option<Digest>,
    /// Is that receipt acknowledged by the newest voucher?
    #[n(4)]
    pub acknowledged: bool,
}

/// Why a buyer does not accept a receipt, in the order of the checks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptRefusal {
    /// It speaks of another call, channel, lane, party or request.
    #[error("the receipt does not match the call: `{0}` differs")]
    Mismatch(&'static str),
    /// A charge above the price, or for a fault.
    #[error("the receipt charges {charged}, agreed was at most {agreed}")]
    Overcharge {
        /// What the seller wants.
        charged: Amount,
        /// What the offer allows.
        agreed: Amount,
    },
    /// The running total is not the one before plus the charge.
    #[error("the receipt's total is {found}, expected {expected}")]
    Total {
        /// The right total.
        expected: Amount,
        /// The total on the receipt.
        found: Amount,
    },
}

impl LaneDebit {
    /// The next voucher of `lane` in `terms`: for `call`, or only to acknowledge the last receipt.
    pub fn next(
        &self,
        terms: &ChannelTerms,
        channel: ChannelId,
        lane: u32,
        price_max: Amount,
        call: Option<(CallId, Digest)>,
    ) -> Voucher {
        Voucher {
            ledger: terms.ledger,
            channel,
            lane,
            seq: self.seq + 1,
            cumulative_max: self.cumulative_max.max(self.charged.saturating_add(price_max)),
            prev_receipt: self.last_receipt,
            call: call.map(|(id, _)| id),
            request: call.map(|(_, request)| request),
        }
    }

    /// Note that `voucher` was signed: never sign below it again.
    pub fn signed(&mut self, voucher: &Voucher) {
        self.seq = voucher.seq;
        self.cumulative_max = voucher.cumulative_max;
        self.acknowledged = true;
    }

    /// Is `receipt` the right answer to `voucher`, with a charge of at most `agreed`?
    pub fn check(&self, voucher: &Voucher, receipt: &Receipt, agreed: Amount) -> Result<(), ReceiptRefusal> {
        let pairs = [
            ("channel", receipt.channel == voucher.channel),
            ("lane", receipt.lane == voucher.lane),
            ("seq", receipt.seq == voucher.seq),
            ("call", Some(receipt.call) == voucher.call),
            ("request", Some(receipt.request) == voucher.request),
            ("prev_receipt", receipt.prev_receipt == voucher.prev_receipt),
        ];
        if let Some((name, _)) = pairs.into_iter().find(|(_, same)| !same) {
            return Err(ReceiptRefusal::Mismatch(name));
        }
        if receipt.charged > agreed {
            return Err(ReceiptRefusal::Overcharge { charged: receipt.charged, agreed });
        }
        let expected = self.charged.saturating_add(receipt.charged);
        if receipt.cumulative != expected || expected > voucher.cumulative_max {
            return Err(ReceiptRefusal::Total { expected, found: receipt.cumulative });
        }
        Ok(())
    }

    /// Book a checked receipt.
    pub fn settle(&mut self, receipt: &Receipt, digest: Digest) {
        self.charged = receipt.cumulative;
        self.last_receipt = Some(digest);
        self.acknowledged = false;
    }

    /// Go on from our own newest voucher (and the receipt for it, if the call finished), which the seller showed us
    /// because ours was too old.
    pub fn recover(&mut self, voucher: &Voucher, receipt: Option<(&Receipt, Digest)>) {
        self.seq = voucher.seq;
        self.cumulative_max = voucher.cumulative_max;
        self.last_receipt = voucher.prev_receipt;
        self.acknowledged = true;
        if let Some((receipt, digest)) = receipt {
            self.settle(receipt, digest);
        }
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0.to_be_bytes()))
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountId({self})")
    }
}

/// A text that is no account id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no account; an account is 32 hexadecimal digits")]
pub struct AccountIdError(String);

impl FromStr for AccountId {
    type Err = AccountIdError;
    fn from_str(text: &str) -> Result<AccountId, AccountIdError> {
        let bytes = from_hex(text).and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
        bytes.map(|bytes| AccountId(u128::from_be_bytes(bytes))).ok_or_else(|| AccountIdError(text.to_owned()))
    }
}

impl<C> Encode<C> for AccountId {
    fn encode<W: minicbor::encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.0.to_be_bytes())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for AccountId {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<AccountId, minicbor::decode::Error> {
        crate::digest::decode_array(d).map(|bytes| AccountId(u128::from_be_bytes(bytes)))
    }
}

impl serde::Serialize for AccountId {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for AccountId {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<AccountId, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
