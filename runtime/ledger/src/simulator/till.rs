//! The accountant on channels: what went in, what went out and to whom, and what the parties had signed by then.

use std::collections::BTreeMap;

use hansa_economy::channel::{AccountId, ChannelTerms, Voucher};
use hansa_economy::ledger::{Acceptance, Channel, ChannelEquivocation, ChannelPhase, ChannelRedeem, Command, Verified};
use hansa_economy::receipt::Receipt;
use hansa_economy::{PublicKey, Signed};

use super::accountant::{Accountant, Objection, SECOND_NS, insist, object};
use super::mandates::{Debit, Word};
use super::shares;

/// A channel, as the accountant has it.
#[derive(Clone, Debug)]
pub(super) struct Till {
    terms: ChannelTerms,
    deposited: u128,
    redeemed: u128,
    returned: u128,
    /// Since the wish to close: no end before this.
    closing_until_ns: Option<u64>,
    ended: bool,
    /// Per lane, the highest ceiling and the highest total that payer and payee were shown to have signed.
    proven: BTreeMap<u32, (u128, u128)>,
    /// Lanes for which the payer signed two vouchers of one number, with that number.
    frozen: BTreeMap<u32, u64>,
}

impl Till {
    pub(super) fn is_escrow(&self, account: AccountId) -> bool {
        self.terms.escrow() == account
    }

    pub(super) fn is_payee_key(&self, key: PublicKey) -> bool {
        self.terms.payee_key == key
    }

    /// Payer, payee, and what was paid.
    pub(super) fn between(&self) -> (AccountId, AccountId, u128) {
        (self.terms.payer, self.terms.payee, self.redeemed)
    }

    fn left(&self) -> u128 {
        self.deposited - self.redeemed - self.returned
    }

    /// I15, I16: what the payer has signed for, as far as it was shown.
    fn covered(&self) -> u128 {
        self.proven.values().map(|(ceiling, total)| *ceiling.min(total)).sum()
    }

    fn pay(&mut self, amount: u128) -> Result<(), Objection> {
        insist(amount <= self.left(), "I14: more was paid than was deposited")?;
        self.redeemed += amount;
        insist(self.redeemed <= self.covered(), "I15: more was paid than the payer signed for")
    }

    /// Note what a claim shows, whether or not it is to be believed by the rules.
    fn see(&mut self, voucher: &[u8], receipt: &[u8]) {
        let Ok(voucher) = Signed::<Voucher>::open_trusted(voucher) else { return };
        let Ok(receipt) = Signed::<Receipt>::open_trusted(receipt) else { return };
        let lane = self.proven.entry(receipt.body.lane).or_default();
        if receipt.signer == self.terms.payee_key && receipt.body.channel == self.terms.id() {
            lane.1 = lane.1.max(receipt.body.cumulative.0);
        }
        let lane = self.proven.entry(voucher.body.lane).or_default();
        if voucher.signer == self.terms.payer_key && voucher.body.channel == self.terms.id() {
            lane.0 = lane.0.max(voucher.body.cumulative_max.0);
        }
    }

    /// No voucher counts that the payer signed after two of one number.
    fn is_before_freeze(&self, redeem: &ChannelRedeem) -> bool {
        redeem.claims.iter().all(|claim| {
            let voucher = Signed::<Voucher>::open_trusted(&claim.voucher);
            voucher.is_ok_and(|voucher| self.frozen.get(&voucher.body.lane).is_none_or(|frozen| voucher.body.seq <= *frozen))
        })
    }

    /// Freeze the lane of which the evidence shows two promises of one number.
    fn freeze(&mut self, shown: &ChannelEquivocation) -> Result<(u32, u64), Objection> {
        let open = |bytes: &[u8]| Signed::<Voucher>::open(bytes).map_err(|error| format!("forged evidence: {error}"));
        let (first, second) = (open(&shown.first)?, open(&shown.second)?);
        let ours = |voucher: &Signed<Voucher>| {
            voucher.signer == self.terms.payer_key
                && voucher.body.channel == self.terms.id()
                && voucher.body.ledger == self.terms.ledger
        };
        insist(ours(&first) && ours(&second), "evidence that the payer did not sign")?;
        let place = (first.body.lane, first.body.seq);
        let two = place == (second.body.lane, second.body.seq) && first.body != second.body;
        insist(two && place.0 < 1024, "evidence of nothing")?;
        insist(self.frozen.insert(place.0, place.1).is_none(), "a lane was frozen twice")?;
        Ok(place)
    }

    /// Is the ledger's channel this one?
    pub(super) fn compare(&self, channel: Option<&Channel>) -> Result<(), Objection> {
        let Some(channel) = channel else { return object("a channel is gone") };
        let sums = (channel.deposit.0, channel.redeemed.0, channel.returned.0);
        insist(sums == (self.deposited, self.redeemed, self.returned), "a channel has other sums than the books")?;
        insist((channel.phase == ChannelPhase::Final) == self.ended, "a channel's end is not that of the books")?;
        let lanes = channel.lanes.iter().all(|(number, lane)| {
            let (ceiling, total) = self.proven.get(number).copied().unwrap_or_default();
            lane.redeemed.0 <= ceiling.min(total)
        });
        insist(lanes, "I15: a lane was paid more than both signed")?;
        let frozen = channel.lanes.iter().filter_map(|(number, lane)| Some((*number, lane.frozen?)));
        insist(frozen.eq(self.frozen.iter().map(|(number, seq)| (*number, *seq))), "other lanes are frozen than in the books")
    }
}

impl Accountant {
    /// Book an accepted command on a channel.
    pub(super) fn channel(&mut self, verified: &Verified, accepted: &Acceptance, word: Word) -> Result<(), Objection> {
        let Word { signer, now_ns } = word;
        let command = &verified.body().command;
        if let (Command::ChannelOpen(open), Acceptance::Deposit { channel, deposit }) = (command, accepted) {
            insist(open.terms.id() == *channel && *deposit == open.deposit, "another channel or deposit")?;
            return self.opened(&open.terms, deposit.0, word);
        }
        let id = match command {
            Command::ChannelTopup(command) => command.channel,
            Command::ChannelRedeem(command) => command.channel,
            Command::ChannelAnswer(command) => command.channel,
            Command::ChannelClose(command) => command.channel,
            Command::ChannelFinalize(command) => command.channel,
            Command::ChannelEquivocation(command) => command.channel,
            _ => return object("the accountant does not know this command and its result: teach it"),
        };
        let Some(till) = self.tills.get_mut(&id) else { return object("there is no such channel") };
        insist(!till.ended, "I17: something after the end")?;
        let (terms, before) = (till.terms.clone(), till.redeemed);
        let (payer, payee) = (terms.payer, terms.payee);
        match (command, accepted) {
            (Command::ChannelTopup(topup), Acceptance::Deposit { deposit, .. }) => {
                till.deposited += topup.amount.0;
                insist(till.deposited == deposit.0, "another deposit")?;
                self.deposit(&terms, topup.amount.0, word)
            }
            (Command::ChannelRedeem(redeem), Acceptance::Redeemed { paid, redeemed, .. }) => {
                insist(till.is_before_freeze(redeem), "I15: a voucher counts that was signed after two of one number")?;
                redeem.claims.iter().for_each(|claim| till.see(&claim.voucher, &claim.receipt));
                till.pay(paid.0)?;
                insist(before + paid.0 == redeemed.0, "another sum of payments")?;
                insist(signer == terms.payee_key || self.takes(payee, word)?, "I16: somebody else redeemed")?;
                self.pay_out(&terms, paid.0)
            }
            (Command::ChannelAnswer(_), Acceptance::Answered) => {
                insist(till.closing_until_ns.is_some(), "answered while nothing closes")?;
                self.party(&[(payer, terms.payer_key)], signer)
            }
            (Command::ChannelClose(_), Acceptance::Closing(until_ns)) => {
                insist(*until_ns == now_ns + u64::from(terms.grace_s) * SECOND_NS, "another grace time")?;
                insist(till.closing_until_ns.replace(*until_ns).is_none(), "closed twice")?;
                self.party(&[(payer, terms.payer_key), (payee, terms.payee_key)], signer)
            }
            (Command::ChannelClose(_), Acceptance::Final { paid, returned }) => {
                insist(paid.0 == 0, "claims were paid though the payee gave them up")?;
                till.end(paid.0, returned.0)?;
                self.party(&[(payee, terms.payee_key)], signer)?;
                self.ended(&terms, paid.0, returned.0)
            }
            (Command::ChannelFinalize(_), Acceptance::Final { paid, returned }) => {
                insist(till.closing_until_ns.is_some_and(|until_ns| now_ns >= until_ns), "the end came too early")?;
                till.end(paid.0, returned.0)?;
                self.ended(&terms, paid.0, returned.0)
            }
            (Command::ChannelEquivocation(shown), Acceptance::Frozen { lane, seq, until_ns }) => {
                insist(till.freeze(shown)? == (*lane, *seq), "another lane was frozen")?;
                let ends_ns = now_ns + u64::from(terms.grace_s) * SECOND_NS;
                let in_time = match till.closing_until_ns {
                    Some(closing_until_ns) => *until_ns >= closing_until_ns,
                    None => *until_ns == ends_ns,
                };
                till.closing_until_ns.get_or_insert(ends_ns);
                insist(in_time, "another grace time")?;
                insist(signer == terms.payee_key || self.takes(payee, word)?, "I16: somebody else showed evidence")
            }
            _ => object("a strange result"),
        }
    }

    /// I16: money goes to where it may later be paid from to payee and shares; the signer must be allowed to pay them all.
    fn deposit(&mut self, terms: &ChannelTerms, amount: u128, word: Word) -> Result<(), Objection> {
        for share in &terms.shares {
            self.spend(Debit { from: terms.payer, to: share.account, amount: 0 }, word)?;
        }
        self.spend(Debit { from: terms.payer, to: terms.payee, amount }, word)?;
        self.post(terms.payer, terms.escrow(), amount)
    }

    /// Pay out of the escrow to all who have a part.
    fn pay_out(&mut self, terms: &ChannelTerms, paid: u128) -> Result<(), Objection> {
        for (account, part) in shares::split(terms, paid)? {
            self.post(terms.escrow(), account, part)?;
        }
        Ok(())
    }

    fn opened(&mut self, terms: &ChannelTerms, deposit: u128, word: Word) -> Result<(), Objection> {
        shares::in_order(terms)?;
        insist(self.names_voucher_key(terms, word)?, "I16: another key is to sign vouchers")?;
        insist(self.signs_receipts(terms.payee, terms.payee_key, word.now_ns)?, "I16: another key is to sign receipts")?;
        let owner = self.owner(terms.payer)?;
        self.open(terms.escrow(), owner)?;
        self.deposit(terms, deposit, word)?;
        let till = Till {
            terms: terms.clone(),
            deposited: deposit,
            redeemed: 0,
            returned: 0,
            closing_until_ns: None,
            ended: false,
            proven: BTreeMap::new(),
            frozen: BTreeMap::new(),
        };
        insist(self.tills.insert(terms.id(), till).is_none(), "a channel was opened twice")
    }

    fn ended(&mut self, terms: &ChannelTerms, paid: u128, returned: u128) -> Result<(), Objection> {
        self.pay_out(terms, paid)?;
        self.post(terms.escrow(), terms.payer, returned)
    }

    fn party(&mut self, parties: &[(AccountId, PublicKey)], signer: PublicKey) -> Result<(), Objection> {
        for (account, key) in parties {
            if *key == signer || self.owner(*account)? == signer {
                return Ok(());
            }
        }
        object("the signer is no party")
    }
}

impl Till {
    fn end(&mut self, paid: u128, returned: u128) -> Result<(), Objection> {
        self.pay(paid)?;
        insist(self.left() == returned, "I14: the rest did not all go back")?;
        self.returned += returned;
        self.ended = true;
        Ok(())
    }
}
