//! Receipts: the seller's signed statement of what was done and charged.

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::amount::Amount;
use crate::channel::{CallId, ChannelId};
use crate::digest::Digest;
use crate::key::PublicKey;
use crate::statement::Statement;

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// With an answer; the salted digest of it, [`crate::call::response_digest`].
    #[n(0)]
    Answered(#[n(0)] Digest),
    /// With a fault; nothing is charged.
    #[n(1)]
    Faulted(#[n(0)] u8),
}

/// A model that was run to make the answer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct ModelRun {
    /// `name@version`.
    #[n(0)]
    pub model: String,
    /// SHA-256 of the model's manifest.
    #[n(1)]
    pub manifest: Digest,
    /// Metered input units: tokens, or tensor elements / 1024.
    #[n(2)]
    pub input_units: u64,
    /// Metered output units: generated tokens.
    #[cbor(n(3), default, skip_if = "is_zero")]
    pub output_units: u64,
    /// The execution provider that most of it ran on, such as `CPUExecutionProvider`, as the node read it back.
    #[n(4)]
    pub provider: Option<String>,
    /// Share of the model's nodes on that provider, in thousandths.
    #[n(5)]
    pub provider_share_permille: Option<u16>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A receipt, signed by the agent's key. The payer's next voucher in the lane names its digest.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cbor(map)]
pub struct Receipt {
    /// The call.
    #[n(0)]
    pub call: CallId,
    /// The interface called.
    #[n(1)]
    pub service: String,
    /// The function called.
    #[n(2)]
    pub function: String,
    /// Digest of the signed offer.
    #[n(3)]
    pub offer: Digest,
    /// The channel it is paid from.
    #[n(4)]
    pub channel: ChannelId,
    /// The lane.
    #[n(5)]
    pub lane: u32,
    /// The voucher's sequence number.
    #[n(6)]
    pub seq: u64,
    /// The receipt before it in the lane.
    #[n(7)]
    pub prev_receipt: Option<Digest>,
    /// The voucher key of the payer.
    #[n(8)]
    pub buyer: PublicKey,
    /// The agent.
    #[n(9)]
    pub seller: PublicKey,
    /// The node that ran it.
    #[n(10)]
    pub node: PublicKey,
    /// `publisher/name@version` of the component.
    #[n(11)]
    pub package: String,
    /// SHA-256 of the component.
    #[n(12)]
    pub component: Digest,
    /// Models run while serving.
    #[n(13)]
    pub models: Vec<ModelRun>,
    /// Salted digest of the request, [`crate::call::CallRequest::digest`].
    #[n(14)]
    pub request: Digest,
    /// How it ended.
    #[n(15)]
    pub ending: Ending,
    /// The most it could have cost.
    #[n(16)]
    pub price_max: Amount,
    /// What it cost.
    #[n(17)]
    pub charged: Amount,
    /// What the lane's calls up to this one cost together.
    #[n(18)]
    pub cumulative: Amount,
    /// Unix milliseconds by the seller's clock.
    #[n(19)]
    pub started_ms: u64,
    /// Unix milliseconds by the seller's clock.
    #[n(20)]
    pub finished_ms: u64,
    /// Digests of the receipts for what was bought while serving.
    #[n(21)]
    pub children: Vec<Digest>,
}

impl Statement for Receipt {
    const CONTENT_TYPE: &'static str = "hansa/receipt.1";
}
