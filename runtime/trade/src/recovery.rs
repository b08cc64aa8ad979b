//! What a seller shows when it refuses a voucher because its lane stands elsewhere, judged by what this buyer knows of the lane.
//!
//! A receipt that is shown so is acknowledged by the next voucher, and then owed. So it must be one that this buyer has, or the answer
//! to a voucher whose answer never came. Only of vouchers that a process before this one signed, and whose books were lost with a
//! crash, less is known: of these the voucher's own words bind.

use hansa_economy::channel::Voucher;
use hansa_economy::receipt::{Ending, Receipt};
use hansa_economy::{Amount, Digest, PublicKey, Signed};
use minicbor::{Decode, Encode};

use crate::outgoing::Lane;

/// A call that was vouched for and whose end is not known: it may have run.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Unanswered {
    #[n(0)]
    pub(crate) voucher: Voucher,
    /// The most that it may cost by its offer.
    #[n(1)]
    pub(crate) price_max: Amount,
    /// The offer that was accepted.
    #[n(2)]
    pub(crate) offer: Digest,
    /// The component that was offered.
    #[n(3)]
    pub(crate) component: Digest,
}

/// Vouchers above the first and up to the second number may have been signed by a process whose books lost them.
pub(crate) type Lost = (u64, u64);

/// How a shown receipt does not belong.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// It cannot be told, because not all is known: leave the lane.
    Unknown,
    /// The seller breaks its word.
    False(String),
}

/// May we go on from `receipt`, which the seller shows with `voucher`, our own newest as it says? `known`: we have the receipt.
pub(crate) fn judge(
    lane: &Lane,
    voucher: &Voucher,
    receipt: &Signed<Receipt>,
    known: bool,
    (buyer, seller): (PublicKey, PublicKey),
) -> Result<(), Misfit> {
    let body = &receipt.body;
    if body.channel != voucher.channel || body.lane != voucher.lane || body.buyer != buyer || body.seller != seller {
        return wrong("the receipt that it shows is of another lane or party");
    }
    if body.cumulative > voucher.cumulative_max {
        return wrong("the receipt that it shows exceeds the voucher");
    }
    // What our own voucher names was judged when we signed that.
    if known || voucher.prev_receipt == Some(receipt.digest()) {
        return Ok(());
    }
    if body.seq != voucher.seq {
        return wrong("the receipt that it shows is for another voucher");
    }
    if let Some(call) = lane.unanswered.iter().find(|call| call.voucher == *voucher) {
        return answers(lane, call, body);
    }
    match (lane.lost.0 < voucher.seq && voucher.seq <= lane.lost.1, voucher.seq <= lane.forgotten) {
        (true, _) => follows(lane, voucher, body),
        (false, true) => Err(Misfit::Unknown),
        (false, false) => wrong("it shows a receipt for a call that it refused"),
    }
}

/// It is what the answer would have brought.
fn answers(lane: &Lane, call: &Unanswered, receipt: &Receipt) -> Result<(), Misfit> {
    let agreed = if matches!(receipt.ending, Ending::Faulted(_)) { Amount::ZERO } else { call.price_max };
    lane.debit.check(&call.voucher, receipt, agreed).map_err(|refusal| Misfit::False(refusal.to_string()))?;
    match receipt.offer == call.offer && receipt.component == call.component {
        true => Ok(()),
        false => wrong("the receipt that it shows speaks of another offer or component"),
    }
}

/// It keeps to the voucher, of which we know nothing else.
fn follows(lane: &Lane, voucher: &Voucher, receipt: &Receipt) -> Result<(), Misfit> {
    let same = Some(receipt.call) == voucher.call
        && Some(receipt.request) == voucher.request
        && receipt.prev_receipt == voucher.prev_receipt;
    let total = receipt.cumulative.checked_sub(receipt.charged);
    let follows = voucher.prev_receipt != lane.debit.last_receipt || total == Some(lane.debit.charged);
    let free = receipt.charged == Amount::ZERO || !matches!(receipt.ending, Ending::Faulted(_));
    match same && free && follows && total.is_some() && receipt.charged <= receipt.price_max {
        true => Ok(()),
        false => wrong("the receipt that it shows does not match the voucher"),
    }
}

fn wrong(what: &str) -> Result<(), Misfit> {
    Err(Misfit::False(what.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::books::LaneOut;
    use crate::limits::UNANSWERED_MAX;
    use hansa_economy::Keypair;
    use hansa_economy::channel::{AccountId, ChannelTerms, LaneDebit};

    const PRICE: Amount = Amount(10);

    fn keys() -> (Keypair, Keypair) {
        (Keypair::from_seed(&[1; 32]), Keypair::from_seed(&[2; 32]))
    }

    /// A lane in which 90 of 100 were charged, and the voucher of its next call; the ceiling leaves more than the price.
    fn lane() -> (Lane, Voucher) {
        let (payer, payee) = keys();
        let terms = ChannelTerms {
            ledger: Digest::of(b"ledger"),
            payer: AccountId(1),
            payer_key: payer.public(),
            payee: AccountId(2),
            payee_key: payee.public(),
            asset: 1,
            grace_s: 60,
            nonce: 1,
            shares: vec![],
        };
        let debit = LaneDebit {
            seq: 5,
            cumulative_max: Amount(200),
            charged: Amount(90),
            last_receipt: Some(Digest::of(b"last")),
            acknowledged: false,
        };
        let voucher = debit.next(&terms, terms.id(), 3, PRICE, Some((Digest::of(b"call"), Digest::of(b"request"))));
        (Lane::stored(3, LaneOut { debit, ..LaneOut::default() }), voucher)
    }

    fn receipt(voucher: &Voucher) -> Receipt {
        let (payer, payee) = keys();
        Receipt {
            call: voucher.call.unwrap_or_default(),
            service: "a:b/c@1.0.0".into(),
            function: "f".into(),
            offer: Digest::of(b"offer"),
            channel: voucher.channel,
            lane: voucher.lane,
            seq: voucher.seq,
            prev_receipt: voucher.prev_receipt,
            buyer: payer.public(),
            seller: payee.public(),
            node: payee.public(),
            package: "p/q@1.0.0".into(),
            component: Digest::of(b"component"),
            models: vec![],
            request: voucher.request.unwrap_or_default(),
            ending: Ending::Answered(Digest::of(b"answer")),
            price_max: PRICE,
            charged: PRICE,
            cumulative: Amount(100),
            started_ms: 0,
            finished_ms: 0,
            children: vec![],
            metered: None,
        }
    }

    fn unanswered(voucher: &Voucher) -> Unanswered {
        let (offer, component) = (Digest::of(b"offer"), Digest::of(b"component"));
        Unanswered { voucher: voucher.clone(), price_max: PRICE, offer, component }
    }

    fn judged(lane: &Lane, voucher: &Voucher, receipt: Receipt, known: bool) -> Result<(), Misfit> {
        let (payer, payee) = keys();
        judge(lane, voucher, &Signed::new(receipt, &payee), known, (payer.public(), payee.public()))
    }

    /// A receipt that was shown with a refusal was acknowledged for whatever it charged.
    #[test]
    fn a_receipt_for_a_call_that_was_refused_or_settled_is_not_taken() {
        let (mut lane, voucher) = lane();
        assert!(
            matches!(judged(&lane, &voucher, receipt(&voucher), false), Err(Misfit::False(what)) if what.contains("refused"))
        );
        assert_eq!(judged(&lane, &voucher, receipt(&voucher), true), Ok(()), "one that we have");
        lane.forgotten = voucher.seq - 1;
        assert!(
            matches!(judged(&lane, &voucher, receipt(&voucher), false), Err(Misfit::False(_))),
            "those before it were forgotten"
        );
    }

    /// After nine calls that were given up, the ninth refused, the seller showed the first, and was taken for a rogue.
    #[test]
    fn what_was_forgotten_is_nobodys_lie() {
        let (mut lane, voucher) = lane();
        let later = |nth: u64| Voucher { seq: voucher.seq + nth, ..voucher.clone() };
        (0..=UNANSWERED_MAX as u64).for_each(|nth| lane.sent(unanswered(&later(nth))));
        lane.refused(&later(UNANSWERED_MAX as u64));
        assert_eq!(judged(&lane, &voucher, receipt(&voucher), false), Err(Misfit::Unknown));
        let lane = Lane::stored(3, lane.row());
        assert_eq!(judged(&lane, &voucher, receipt(&voucher), false), Err(Misfit::Unknown), "the books know it too");
        assert_eq!(judged(&lane, &later(1), receipt(&later(1)), false), Ok(()), "the next is remembered");
    }

    type Change = fn(&mut Receipt);

    #[test]
    fn a_receipt_for_an_unanswered_call_is_checked_as_any() {
        let (mut lane, voucher) = lane();
        lane.unanswered = vec![unanswered(&voucher)];
        let changes: [(&str, Change, bool); 9] = [
            ("nothing", |_| (), true),
            ("less", |receipt| (receipt.charged, receipt.cumulative) = (Amount(4), Amount(94)), true),
            ("above the price", |receipt| (receipt.charged, receipt.cumulative) = (Amount(11), Amount(101)), false),
            ("another total", |receipt| receipt.cumulative = Amount(101), false),
            ("a fault is free", |receipt| receipt.ending = Ending::Faulted(0), false),
            ("another call", |receipt| receipt.call = Digest::of(b"x"), false),
            ("another buyer", |receipt| receipt.buyer = receipt.seller, false),
            ("another offer", |receipt| receipt.offer = Digest::of(b"x"), false),
            ("another number", |receipt| receipt.seq += 1, false),
        ];
        for (name, change, fits) in changes {
            let mut shown = receipt(&voucher);
            change(&mut shown);
            assert_eq!(judged(&lane, &voucher, shown, false).is_ok(), fits, "{name}");
        }
    }

    /// After a crash this buyer does not know the voucher; it has signed it nevertheless.
    #[test]
    fn a_voucher_of_lost_books_binds_by_its_own_words() {
        let (mut lane, voucher) = lane();
        lane.lost = (5, 6);
        let changes: [(&str, Change, bool); 5] = [
            ("nothing", |_| (), true),
            ("up to the ceiling", |r| (r.price_max, r.charged, r.cumulative) = (Amount(110), Amount(110), Amount(200)), true),
            ("above the ceiling", |r| (r.price_max, r.charged, r.cumulative) = (Amount(111), Amount(111), Amount(201)), false),
            ("another total", |receipt| receipt.cumulative = Amount(101), false),
            ("another request", |receipt| receipt.request = Digest::of(b"x"), false),
        ];
        for (name, change, fits) in changes {
            let mut shown = receipt(&voucher);
            change(&mut shown);
            assert_eq!(judged(&lane, &voucher, shown, false).is_ok(), fits, "{name}");
        }
        lane.lost = (6, 9);
        assert!(judged(&lane, &voucher, receipt(&voucher), false).is_err(), "that one was not lost");
    }
}
