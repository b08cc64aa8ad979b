//! The envelope of one call: request and reply, as CBOR.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use crate::amount::Amount;
use crate::channel::CallId;
use crate::digest::Digest;

/// What a buyer sends. The voucher vouches for all of it by [`CallRequest::digest`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct CallRequest {
    /// The call; a retry has the same.
    #[n(0)]
    pub call: CallId,
    /// The interface.
    #[n(1)]
    pub service: String,
    /// The function.
    #[n(2)]
    pub function: String,
    /// CBOR array of the arguments.
    #[n(3)]
    pub args: ByteVec,
    /// Unix milliseconds after which nobody waits for the answer.
    #[n(4)]
    pub deadline_ms: u64,
    /// Keeps the digests of small requests and answers from being guessed. Known to the two parties only.
    #[n(5)]
    pub salt: ByteVec,
    /// Digest of the signed offer that the buyer accepts.
    #[n(6)]
    pub offer: Digest,
    /// The signed voucher; none for a free function.
    #[n(7)]
    pub voucher: Option<ByteVec>,
    /// W3C trace context, `traceparent`.
    #[n(8)]
    pub trace: Option<String>,
}

/// What a seller answers.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub enum CallReply {
    /// The component answered: CBOR of its `result`, and the signed receipt (none for a free call).
    #[n(0)]
    Answered(#[n(0)] ByteVec, #[n(1)] Option<ByteVec>),
    /// It ran and broke; nothing is charged, and the receipt says so.
    #[n(1)]
    Broke(#[n(0)] String, #[n(1)] Option<ByteVec>),
    /// It did not run.
    #[n(2)]
    Refused(#[n(0)] Refusal),
}

/// Why a seller did not run a call. Stable numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum RefusalCode {
    /// The envelope or the voucher cannot be read.
    #[n(0)]
    Malformed,
    /// No such service or function here.
    #[n(1)]
    NotSold,
    /// The offer named is not the present one.
    #[n(2)]
    OfferChanged,
    /// The function costs something and there is no voucher.
    #[n(3)]
    PaymentNeeded,
    /// The channel is unknown, closing, of another ledger or to another payee.
    #[n(4)]
    Channel,
    /// The voucher's signature is wrong.
    #[n(5)]
    Signature,
    /// The lane does not take the voucher; `evidence` may hold the payer's newest one.
    #[n(6)]
    Lane,
    /// The deposit does not cover what is reserved; top up.
    #[n(7)]
    DepositShort,
    /// Full; try again after `retry_after_ms`.
    #[n(8)]
    Overloaded,
    /// The arguments do not fit the function's type, or are too long.
    #[n(9)]
    Arguments,
    /// The deadline has passed, or is further off than the offer allows.
    #[n(10)]
    Deadline,
    /// Stopping.
    #[n(11)]
    Draining,
}

impl RefusalCode {
    /// May the same call succeed elsewhere or later without being changed?
    pub fn may_pass(self) -> bool {
        use RefusalCode::*;
        matches!(self, OfferChanged | Channel | Lane | DepositShort | Overloaded | Draining | NotSold)
    }
}

/// A refusal: the call had no effect.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct Refusal {
    /// Why.
    #[n(0)]
    pub code: RefusalCode,
    /// Why, in words.
    #[n(1)]
    pub message: String,
    /// When it may pass, milliseconds from now.
    #[n(2)]
    pub retry_after_ms: Option<u32>,
    /// The payer's own newest voucher in the lane, where it was shown an older one.
    #[n(3)]
    pub newest_voucher: Option<ByteVec>,
    /// The receipt for that voucher, if its call has finished.
    #[n(4)]
    pub newest_receipt: Option<ByteVec>,
    /// The price that would be enough.
    #[n(5)]
    pub price_max: Option<Amount>,
}

impl Refusal {
    /// A refusal without further particulars.
    pub fn new(code: RefusalCode, message: impl Into<String>) -> Refusal {
        Refusal {
            code,
            message: message.into(),
            retry_after_ms: None,
            newest_voucher: None,
            newest_receipt: None,
            price_max: None,
        }
    }
}

impl CallRequest {
    /// The salted digest of everything asked for, except the voucher.
    pub fn digest(&self) -> Digest {
        let deadline = self.deadline_ms.to_le_bytes();
        let parts: [&[u8]; 7] =
            [&self.salt, &self.call.0, self.service.as_bytes(), self.function.as_bytes(), &self.args, &deadline, &self.offer.0];
        Digest::of_parts("hansa request", &parts)
    }
}

/// The salted digest of an answer (the CBOR of the function's `result`).
pub fn response_digest(salt: &[u8], answer: &[u8]) -> Digest {
    Digest::of_parts("hansa response", &[salt, answer])
}
