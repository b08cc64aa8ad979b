//! Calls that outlive the process which makes them: bought under an id of the buyer's choice, and repeated under it until their end is known.

use bytes::Bytes;
use hansa_economy::call::{CallReply, response_digest};
use hansa_economy::channel::CallId;
use hansa_economy::receipt::{Ending, Receipt};
use hansa_economy::{Amount, Signed};
use hansa_host::{Fault, is_fault};

use crate::attempt::{Attempt, Effect, Setback};
use crate::buyer::{Bought, Buyer, Order};
use crate::index::Candidate;
use crate::proof;

/// The name of a call.
#[derive(Clone, Debug)]
pub struct Named {
    /// The same for every repeat, and for no other call of this buyer, on whatever node and for ever.
    pub call: CallId,
    /// The same for every repeat; known to nobody else.
    pub salt: [u8; 16],
    /// How long the seller is asked to keep the reply, seconds; two days at most. After that a repeat would be a new call.
    pub keep_s: u32,
    /// May it have been sent before?
    pub is_repeat: bool,
}

impl Buyer {
    /// Buy one call of one seller under a name, by `until_ms` (Unix). Where it ran before under this name, paid with the same key, the reply of that
    /// time comes back with its receipt, and nothing is paid again: also on another node, and with other books.
    ///
    /// # Errors
    /// What failed. With [`Effect::None`] the call has not run, and as long as no message of it is under way any more it will not: it may be given
    /// to another seller, under another name; so may one that broke. With [`Effect::Unclear`] it may have run: repeat it at this seller.
    pub async fn buy_named(&self, order: &Order, candidate: &Candidate, named: &Named, until_ms: u64) -> Result<Bought, Setback> {
        let attempt = Attempt {
            inner: &self.inner,
            order,
            listed: &candidate.listed,
            price_max: candidate.price_max,
            quote: candidate.quote.as_deref(),
            call: named.call,
            until_ms,
            named: Some(named),
        };
        attempt.run().await
    }
}

impl Attempt<'_> {
    /// The call ran before: the reply of that time, if it is one to this call.
    pub(crate) async fn repeated(&self, reply: &Bytes) -> Result<Bought, Setback> {
        let reply = CallReply::read(reply).map_err(|error| self.broken(format!("the reply that it kept is none: {error}")))?;
        let (value, receipt) = match reply {
            CallReply::Answered(answer, receipt) => (Ok(answer.0), receipt),
            CallReply::Broke(message, receipt) => (Err(message), receipt),
            CallReply::Refused(_) | CallReply::Repeated(_) => return Err(self.broken("what it kept is no reply".into())),
        };
        let receipt = receipt.map(|bytes| self.earlier(&value, &bytes).map_err(|what| self.broken(what))).transpose()?;
        if let Some(receipt) = &receipt {
            self.inner.exchange.books().put_receipt(receipt.digest(), receipt.bytes().to_vec()).await;
        }
        let answer = value.map_err(|message| {
            let message = format!("{} on node {}: {message}", self.listed.offer.package, self.listed.offer.node_name);
            Setback { fault: Fault::SellerFailed(message), effect: Effect::Broke }
        })?;
        if let Err(what) = (self.order.fits)(&answer) {
            return Err(self.broken(format!("its answer does not fit the interface: {what}")));
        }
        let charged = receipt.as_ref().map_or(Amount::ZERO, |receipt| receipt.body.charged);
        let receipt = receipt.map(|receipt| receipt.digest());
        Ok(Bought { answer, receipt, charged, seller: self.listed.offer.agent })
    }

    fn is_quoted(&self) -> bool {
        self.listed.offer.functions.get(&self.order.function).is_some_and(|price| price.quoted)
    }

    /// The receipt of that time. Its voucher was another one, perhaps another node's; whether that was overcharged, that one's books tell.
    fn earlier(&self, value: &Result<Bytes, String>, bytes: &[u8]) -> Result<Signed<Receipt>, String> {
        let receipt = proof::check_receipt(bytes, &self.listed.verifier, self.inner.exchange.heads())
            .map_err(|error| format!("the receipt that it kept is not valid: {error}"))?;
        let body = &receipt.body;
        let salt = self.named.map_or(&[][..], |named| &named.salt[..]);
        let answered = match (value, &body.ending) {
            // A quote brings a salt of its own, which went with the process that had it.
            (Ok(answer), Ending::Answered(digest)) => *digest == response_digest(salt, answer) || self.is_quoted(),
            (Err(_), Ending::Faulted(_)) => true,
            _ => false,
        };
        let same = body.call == self.call
            && body.buyer == self.inner.payer.key.public()
            && body.seller == self.listed.offer.agent
            && body.service == self.listed.offer.service
            && body.function == self.order.function;
        let free = value.as_ref().is_ok_and(|answer| !is_fault(answer)) || body.charged == Amount::ZERO;
        match answered && same && free && body.charged <= body.price_max {
            true => Ok(receipt),
            false => Err("the receipt that it kept speaks of another call or answer, or charges for a fault".into()),
        }
    }
}
