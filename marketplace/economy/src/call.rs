//! The envelope of one call: request and reply, as CBOR.

use bytes::Bytes;
use minicbor::bytes::{ByteSlice, ByteVec};
use minicbor::{Decode, Decoder, Encode, Encoder};

use crate::amount::Amount;
use crate::channel::CallId;
use crate::digest::Digest;
use crate::limits::FAULT_MESSAGE_BYTES_MAX;

/// Arguments or an answer: bytes that may be many, so that they are shared and not copied. A CBOR byte string.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payload(pub Bytes);

impl<T: Into<Bytes>> From<T> for Payload {
    fn from(bytes: T) -> Payload {
        Payload(bytes.into())
    }
}

impl std::ops::Deref for Payload {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl<C> Encode<C> for Payload {
    fn encode<W: minicbor::encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Payload {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Payload, minicbor::decode::Error> {
        d.bytes().map(|bytes| Payload(Bytes::copy_from_slice(bytes)))
    }
}

/// What a buyer sends. The voucher vouches for all of it by [`CallRequest::digest`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct CallRequest<P = Payload> {
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
    pub args: P,
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
    /// The signed [`crate::quote::Quote`] that the buyer accepts; none where the offer itself tells the price.
    #[n(9)]
    pub quote: Option<ByteVec>,
    /// The seller is asked to keep the reply so many seconds for whoever pays with the same key and repeats the call, through whatever channel;
    /// it is charged once. None: only a repeat of the same voucher gets it.
    #[n(10)]
    pub keep_s: Option<u32>,
}

/// What a seller answers.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub enum CallReply<P = Payload> {
    /// The component answered: CBOR of its `result`, and the signed receipt (none for a free call).
    #[n(0)]
    Answered(#[n(0)] P, #[n(1)] Option<ByteVec>),
    /// It ran and broke; nothing is charged, and the receipt says so.
    #[n(1)]
    Broke(#[n(0)] String, #[n(1)] Option<ByteVec>),
    /// It did not run.
    #[n(2)]
    Refused(#[n(0)] Refusal),
    /// A call that was to be kept ran before: the reply of that time, encoded. The voucher was not taken.
    #[n(3)]
    Repeated(#[n(0)] P),
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
    /// The price is quoted on request, and the quote is missing, past its time or for another call.
    #[n(12)]
    Quote,
    /// The call ran before and was charged as its receipt says; its reply is no longer kept.
    #[n(13)]
    Forgotten,
}

impl RefusalCode {
    /// May the same call succeed elsewhere or later without being changed?
    pub fn may_pass(self) -> bool {
        use RefusalCode::*;
        matches!(self, OfferChanged | Channel | Lane | DepositShort | Overloaded | Draining | NotSold | Quote)
    }
}

/// A refusal: the call had no effect.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct Refusal {
    /// Why.
    #[n(0)]
    pub code: RefusalCode,
    /// Why, in words. What is read is cut to [`FAULT_MESSAGE_BYTES_MAX`] bytes and holds no control characters.
    #[n(1)]
    #[cbor(decode_with = "words")]
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
    /// A call that was to be kept: it has not run here, under whatever voucher.
    #[n(6)]
    pub never_ran: Option<bool>,
}

/// Others' words, fit to be kept and shown.
fn words<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<String, minicbor::decode::Error> {
    let text = decoder.str()?;
    let fit = &text[..text.floor_char_boundary(FAULT_MESSAGE_BYTES_MAX)];
    Ok(fit.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect())
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
            never_ran: None,
        }
    }
}

impl CallRequest {
    /// Read a request; its arguments stay where they lie in `source`.
    pub fn read(source: &Bytes) -> Result<CallRequest, minicbor::decode::Error> {
        let read: CallRequest<&ByteSlice> = minicbor::decode(source)?;
        Ok(CallRequest {
            call: read.call,
            service: read.service,
            function: read.function,
            args: source.slice_ref(read.args).into(),
            deadline_ms: read.deadline_ms,
            salt: read.salt,
            offer: read.offer,
            voucher: read.voucher,
            trace: read.trace,
            quote: read.quote,
            keep_s: read.keep_s,
        })
    }

    /// The salted digest of everything asked for, except the voucher. The arguments are in it by their BLAKE3 hash, a quote by its
    /// digest.
    pub fn digest(&self) -> Digest {
        let quote = self.quote.as_ref().map(|quote| Digest::of(quote));
        let (args, deadline) = (payload_hash(&self.args), self.deadline_ms.to_le_bytes());
        let keep = self.keep_s.unwrap_or_default().to_le_bytes();
        let parts: [&[u8]; 9] = [
            &self.salt,
            &self.call.0,
            self.service.as_bytes(),
            self.function.as_bytes(),
            &args,
            &deadline,
            &self.offer.0,
            quote.as_ref().map_or(&[], |quote| &quote.0),
            &keep,
        ];
        let known = if self.keep_s.is_some() { 9 } else { 7 + usize::from(quote.is_some()) };
        Digest::of_parts("hansa request", &parts[..known])
    }
}

impl CallReply {
    /// Read a reply; its answer stays where it lies in `source`.
    pub fn read(source: &Bytes) -> Result<CallReply, minicbor::decode::Error> {
        Ok(match minicbor::decode::<CallReply<&ByteSlice>>(source)? {
            CallReply::Answered(answer, receipt) => CallReply::Answered(source.slice_ref(answer).into(), receipt),
            CallReply::Broke(message, receipt) => CallReply::Broke(message, receipt),
            CallReply::Refused(refusal) => CallReply::Refused(refusal),
            CallReply::Repeated(reply) => CallReply::Repeated(source.slice_ref(reply).into()),
        })
    }
}

/// The salted digest of an answer (the CBOR of the function's `result`), which is in it by its BLAKE3 hash.
pub fn response_digest(salt: &[u8], answer: &[u8]) -> Digest {
    Digest::of_parts("hansa response", &[salt, &payload_hash(answer)])
}

/// BLAKE3, because both sides hash all that goes over the wire: of 64 KiB it takes a quarter of what SHA-256 takes.
pub(crate) fn payload_hash(payload: &[u8]) -> [u8; 32] {
    blake3::hash(payload).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_in_place_is_what_is_decoded() {
        let request = CallRequest {
            call: Digest::of(b"call"),
            service: "a:b/c".into(),
            function: "f".into(),
            args: vec![7; 300].into(),
            deadline_ms: 1 << 40,
            salt: vec![1; 16].into(),
            offer: Digest::of(b"offer"),
            voucher: Some(vec![2; 200].into()),
            trace: Some("00-1-2-01".into()),
            quote: Some(vec![5; 30].into()),
            keep_s: Some(60),
        };
        let bytes = Bytes::from(minicbor::to_vec(&request).unwrap());
        assert_eq!(CallRequest::read(&bytes).unwrap(), request);
        assert_eq!(minicbor::decode::<CallRequest>(&bytes).unwrap(), request);
        assert!(CallRequest::read(&bytes.slice(..bytes.len() - 1)).is_err());
        let digests = [None, Some(vec![5; 30].into()), Some(vec![6; 30].into())]
            .map(|quote| CallRequest { quote, ..request.clone() }.digest());
        assert!(digests[0] != digests[1] && digests[1] != digests[2], "the voucher vouches for the quote too");
        let kept = [None, Some(60), Some(61)].map(|keep_s| CallRequest { keep_s, ..request.clone() }.digest());
        assert!(kept[0] != kept[1] && kept[1] != kept[2], "and for what is to be kept");
        let refusal = Refusal::new(RefusalCode::Overloaded, "later");
        let rude = Refusal::new(RefusalCode::Overloaded, format!("\u{1b}[2J{}", "é".repeat(FAULT_MESSAGE_BYTES_MAX)));
        let read = minicbor::decode::<Refusal>(&minicbor::to_vec(&rude).unwrap()).unwrap().message;
        assert!(read.starts_with(" [2Jé") && read.len() <= FAULT_MESSAGE_BYTES_MAX, "{read}");
        let replies = [
            CallReply::Answered(vec![3; 500].into(), Some(vec![4; 9].into())),
            CallReply::Broke("why".into(), None),
            CallReply::Refused(refusal),
            CallReply::Repeated(vec![6; 40].into()),
        ];
        for reply in replies {
            let bytes = Bytes::from(minicbor::to_vec(&reply).unwrap());
            assert_eq!(CallReply::read(&bytes).unwrap(), reply);
            assert_eq!(minicbor::decode::<CallReply>(&bytes).unwrap(), reply);
        }
    }
}
