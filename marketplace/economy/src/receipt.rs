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

/// What a charge was computed from, as the seller states it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cbor(map)]
pub struct Metered {
    /// From the start of the instance to its answer, milliseconds.
    #[cbor(n(0), default, skip_if = "is_zero")]
    pub run_ms: u64,
    /// Input and output units of all models that it ran.
    #[cbor(n(1), default, skip_if = "is_zero")]
    pub inference_units: u64,
    /// What the agent counted.
    #[cbor(n(2), default, skip_if = "is_zero")]
    pub items: u64,
    /// Calls of this interface that the paying account had had answered before.
    #[cbor(n(3), default, skip_if = "is_zero")]
    pub calls_before: u64,
    /// It was one of the customer's free calls.
    #[cbor(n(4), default, skip_if = "is_false")]
    pub free: bool,
    /// Digest of the signed quote that named the price.
    #[n(5)]
    pub quote: Option<Digest>,
}

fn is_false(yes: &bool) -> bool {
    !yes
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
    /// What the charge was computed from beside the sizes that both sides know; none where those are all.
    #[n(22)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metered: Option<Metered>,
}

impl Statement for Receipt {
    const CONTENT_TYPE: &'static str = "hansa/receipt.1";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(metered: Option<Metered>) -> Receipt {
        Receipt {
            call: Digest::of(b"call"),
            service: "a:b/c@1.0.0".into(),
            function: "f".into(),
            offer: Digest::of(b"offer"),
            channel: Digest::of(b"channel"),
            lane: 1,
            seq: 2,
            prev_receipt: None,
            buyer: PublicKey([1; 32]),
            seller: PublicKey([2; 32]),
            node: PublicKey([3; 32]),
            package: "p/q@1.0.0".into(),
            component: Digest::of(b"component"),
            models: vec![],
            request: Digest::of(b"request"),
            ending: Ending::Faulted(0),
            price_max: Amount(5),
            charged: Amount::ZERO,
            cumulative: Amount::ZERO,
            started_ms: 1,
            finished_ms: 2,
            children: vec![],
            metered,
        }
    }

    /// A map of 21 entries, as it was before anything was metered: the last key is 21.
    #[test]
    fn a_receipt_of_before_reads_and_is_written_the_same() {
        let old = minicbor::to_vec(receipt(None)).unwrap();
        assert!(old.starts_with(&[0xb5, 0]) && old.ends_with(&[21, 0x80]), "{old:02x?}");
        assert_eq!(minicbor::decode::<Receipt>(&old).unwrap(), receipt(None));
        let quote = Some(Digest::of(b"quote"));
        let metered = Metered { run_ms: 1, inference_units: 2, items: 3, calls_before: 4, free: true, quote };
        for metered in [metered, Metered::default()] {
            let new = receipt(Some(metered));
            assert_eq!(minicbor::decode::<Receipt>(&minicbor::to_vec(&new).unwrap()).unwrap(), new);
        }
    }
}
