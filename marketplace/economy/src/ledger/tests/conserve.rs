//! Money is conserved under random commands, and a replay of the log gives the same state and bytes.

use proptest::prelude::*;

use super::*;
use crate::Signed;
use crate::channel::{ChannelTerms, Share, Voucher};
use crate::digest::Digest;
use crate::receipt::{Ending, Receipt};

/// One random step; numbers are reduced to what exists.
#[derive(Clone, Debug)]
enum Step {
    Issue { to: u8, amount: u16 },
    Transfers(Vec<(u8, u8, u8, u16, u8)>),
    Resolve { id: u8, hold: u8, post: bool, amount: u16 },
    Open { payer: u8, payee: u8, deposit: u16 },
    Topup { channel: u8, amount: u16 },
    Redeem { channel: u8, lane: u8, seq: u8, cumulative: u16, ceiling: u16, acknowledged: bool },
    Answer { channel: u8, lane: u8, seq: u8, cumulative: u16 },
    Close { channel: u8, payee: bool, at_once: bool },
    Finalize { channel: u8 },
    Equivocate { channel: u8, lane: u8, seq: u8 },
    AddKey { owner: u8, key: u8, role: u8, budget: u16, payee: Option<u8> },
    Revoke { owner: u8, key: u8, role: u8 },
    RotateOwner { owner: u8, key: u8 },
    ByKey { key: u8, event: (u8, u8, u8, u16, u8) },
    RefundTransfer { by: u8, id: u8, amount: u16 },
    RefundChannel { channel: u8, amount: u16 },
    RefundReceipt { channel: u8, lane: u8, seq: u8, charged: u16, amount: u16 },
    Anchor { count: u8 },
    Wait(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let event = (any::<u8>(), 0..4u8, 0..4u8, 0..500u16, any::<u8>());
    prop_oneof![
        1 => (0..4u8, 1..2000u16).prop_map(|(to, amount)| Step::Issue { to, amount }),
        4 => prop::collection::vec(event, 1..5).prop_map(Step::Transfers),
        2 => (any::<u8>(), any::<u8>(), any::<bool>(), 0..500u16).prop_map(|(id, hold, post, amount)| Step::Resolve { id, hold, post, amount }),
        1 => (0..4u8, 0..4u8, 0..500u16).prop_map(|(payer, payee, deposit)| Step::Open { payer, payee, deposit }),
        1 => (0..4u8, 0..200u16).prop_map(|(channel, amount)| Step::Topup { channel, amount }),
        4 => (0..4u8, 0..3u8, 1..6u8, 0..300u16, 0..300u16, any::<bool>())
            .prop_map(|(channel, lane, seq, cumulative, ceiling, acknowledged)| Step::Redeem { channel, lane, seq, cumulative, ceiling, acknowledged }),
        1 => (0..4u8, 0..3u8, 1..6u8, 0..300u16).prop_map(|(channel, lane, seq, cumulative)| Step::Answer { channel, lane, seq, cumulative }),
        1 => (0..4u8, any::<bool>(), any::<bool>()).prop_map(|(channel, payee, at_once)| Step::Close { channel, payee, at_once }),
        1 => (0..4u8).prop_map(|channel| Step::Finalize { channel }),
        1 => (0..100u8).prop_map(Step::Wait),
        4 => further_step(),
    ]
}

/// Keys, refunds, evidence, anchors.
fn further_step() -> impl Strategy<Value = Step> {
    // Few ids and few keys, and nothing linked, so that steps meet.
    let event = (0..8u8, 0..4u8, 0..4u8, 0..200u16, any::<u8>().prop_map(|shape| shape & 0xfe));
    prop_oneof![
        1 => (0..4u8, 0..3u8, 1..6u8).prop_map(|(channel, lane, seq)| Step::Equivocate { channel, lane, seq }),
        3 => (0..4u8, 0..2u8, 0..3u8, 0..400u16, prop::option::of(0..4u8))
            .prop_map(|(owner, key, role, budget, payee)| Step::AddKey { owner, key, role, budget, payee }),
        1 => (0..4u8, 0..2u8, 0..3u8).prop_map(|(owner, key, role)| Step::Revoke { owner, key, role }),
        1 => (0..4u8, 0..4u8).prop_map(|(owner, key)| Step::RotateOwner { owner, key }),
        6 => (0..2u8, event).prop_map(|(key, event)| Step::ByKey { key, event }),
        3 => (0..4u8, any::<u8>(), 0..300u16).prop_map(|(by, id, amount)| Step::RefundTransfer { by, id, amount }),
        2 => (0..4u8, 0..100u16).prop_map(|(channel, amount)| Step::RefundChannel { channel, amount }),
        2 => (0..4u8, 0..3u8, 1..6u8, 0..100u16, 0..100u16)
            .prop_map(|(channel, lane, seq, charged, amount)| Step::RefundReceipt { channel, lane, seq, charged, amount }),
        1 => (0..4u8).prop_map(|count| Step::Anchor { count }),
    ]
}

struct Town {
    world: World,
    accounts: Vec<AccountId>,
    channels: Vec<(ChannelTerms, u8, u8)>,
    entries: Vec<Vec<u8>>,
    /// The key that owns each account now.
    owners: Vec<u8>,
}

impl Town {
    fn new() -> Town {
        let mut world = World::new();
        let accounts = (0..4).map(|n| world.account(&key(n), "main", 1000)).collect();
        Town { world, accounts, channels: Vec::new(), entries: Vec::new(), owners: (0..4).collect() }
    }

    fn command(&mut self, step: Step) -> Option<(Keypair, Command)> {
        let channel = |n: u8| self.channels.get(n as usize % self.channels.len().max(1)).cloned();
        Some(match step {
            Step::Wait(seconds) => {
                self.world.wait(seconds.into());
                return None;
            }
            Step::Issue { to, amount } => {
                let issue =
                    Issue { asset: 1, to: self.accounts[to as usize], amount: Amount(amount.into()), reference: "r".into() };
                (self.world.operator.clone(), Command::Issue(issue))
            }
            Step::Transfers(events) => {
                let signer = self.owners[events[0].1 as usize];
                let transfers = events.into_iter().map(|event| self.transfer(event)).collect();
                (key(signer), Command::Transfer(TransferBatch { transfers }))
            }
            Step::Resolve { id, hold, post, amount } => {
                let flags = if post { TransferFlags::POST_PENDING } else { TransferFlags::VOID_PENDING };
                let transfer = Transfer {
                    id: Id128(1 + u128::from(id)),
                    pending_id: Id128(1 + u128::from(hold)),
                    flags,
                    ..Transfer::default()
                };
                let amount = if amount % 3 == 0 { if post { Amount::MAX } else { Amount::ZERO } } else { Amount(amount.into()) };
                (
                    key(self.owners[usize::from(hold % 4)]),
                    Command::Transfer(TransferBatch { transfers: vec![Transfer { amount, ..transfer }] }),
                )
            }
            Step::Open { payer, payee, deposit } => {
                let terms = self.terms(payer, payee);
                self.channels.push((terms.clone(), payer, payee));
                (key(self.owners[payer as usize]), Command::ChannelOpen(ChannelOpen { terms, deposit: Amount(deposit.into()) }))
            }
            Step::Topup { channel: n, amount } => {
                let (terms, payer, _) = channel(n)?;
                (
                    key(self.owners[payer as usize]),
                    Command::ChannelTopup(ChannelTopup { channel: terms.id(), amount: Amount(amount.into()) }),
                )
            }
            Step::Redeem { channel: n, lane, seq, cumulative, ceiling, acknowledged } => {
                let (terms, payer, payee) = channel(n)?;
                let receipt = Signed::new(receipt(&terms, lane, seq, cumulative), &key(payee));
                let voucher = voucher(&terms, lane, seq, ceiling, acknowledged.then(|| receipt.digest()));
                let claims = vec![Claim::new(&Signed::new(voucher, &key(payer)), &receipt)];
                (key(payee), Command::ChannelRedeem(ChannelRedeem { channel: terms.id(), claims }))
            }
            Step::Answer { channel: n, lane, seq, cumulative } => {
                let (terms, payer, payee) = channel(n)?;
                let receipts = vec![Signed::new(receipt(&terms, lane, seq, cumulative), &key(payee)).bytes().to_vec().into()];
                (key(payer), Command::ChannelAnswer(ChannelAnswer { channel: terms.id(), receipts }))
            }
            Step::Close { channel: n, payee: by_payee, at_once } => {
                let (terms, payer, payee) = channel(n)?;
                (key(if by_payee { payee } else { payer }), Command::ChannelClose(ChannelClose { channel: terms.id(), at_once }))
            }
            Step::Equivocate { channel: n, lane, seq } => {
                let (terms, payer, payee) = channel(n)?;
                let sign = |ceiling| Signed::new(voucher(&terms, lane, seq, ceiling, None), &key(payer));
                (key(payee), Command::ChannelEquivocation(ChannelEquivocation::new(&sign(1), &sign(2))))
            }
            Step::Finalize { channel: n } => (key(50), Command::ChannelFinalize(ChannelFinalize { channel: channel(n)?.0.id() })),
            further => return self.further_command(further),
        })
    }

    fn further_command(&mut self, step: Step) -> Option<(Keypair, Command)> {
        let channel = |n: u8| self.channels.get(n as usize % self.channels.len().max(1)).cloned();
        let role = |n: u8| [KeyRole::Spend, KeyRole::Voucher, KeyRole::Receipt][n as usize];
        let (owner, change) = match step {
            Step::AddKey { owner, key: n, role: of, budget, payee } => {
                let budget = (of == 0).then_some(Amount(budget.into()));
                let payees = payee.filter(|_| of < 2).map(|payee| self.accounts[payee as usize]).into_iter().collect();
                let limits = KeyLimits { budget, payees, expires_ns: Some(self.world.now_ns + 300 * SECOND) };
                (owner, KeyChange::Add { key: key(60 + n).public(), role: role(of), limits })
            }
            Step::Revoke { owner, key: n, role: of } => (owner, KeyChange::Revoke { key: key(60 + n).public(), role: role(of) }),
            Step::RotateOwner { owner, key: n } => {
                let signer = std::mem::replace(&mut self.owners[owner as usize], 70 + n);
                let change = KeyChange::RotateOwner { successor: key(70 + n).public() };
                let account = self.accounts[owner as usize];
                return Some((key(signer), Command::AccountKey(AccountKeyChange { account, change })));
            }
            Step::ByKey { key: n, event } => {
                let batch = TransferBatch { transfers: vec![self.transfer(event)] };
                return Some((key(60 + n), Command::Transfer(batch)));
            }
            Step::RefundTransfer { by, id, amount } => {
                let known: Vec<_> = self.world.state.transfers().map(|(id, _)| id).collect();
                let of = RefundOf::Transfer(*known.get(usize::from(id) % known.len().max(1))?);
                let refund = Refund { of, amount: Amount(amount.into()) };
                return Some((key(self.owners[by as usize]), Command::Refund(refund)));
            }
            Step::RefundChannel { channel: n, amount } => {
                let (terms, _, payee) = channel(n)?;
                let refund = Refund { of: RefundOf::Channel(terms.id()), amount: Amount(amount.into()) };
                return Some((key(self.owners[payee as usize]), Command::Refund(refund)));
            }
            Step::RefundReceipt { channel: n, lane, seq, charged, amount } => {
                let (terms, _, payee) = channel(n)?;
                let receipt = Signed::new(receipt(&terms, lane, seq, charged), &key(payee));
                let refund = Refund { of: RefundOf::Receipt(receipt.bytes().to_vec().into()), amount: Amount(amount.into()) };
                return Some((key(self.owners[payee as usize]), Command::Refund(refund)));
            }
            Step::Anchor { count } => {
                let anchor = ReceiptAnchor { root: Digest([count; 32]), count: count.into(), first_ms: 1, last_ms: 2 };
                return Some((key(50), Command::ReceiptAnchor(anchor)));
            }
            _ => return None,
        };
        let account = self.accounts[owner as usize];
        Some((key(self.owners[owner as usize]), Command::AccountKey(AccountKeyChange { account, change })))
    }

    fn transfer(&self, (id, debit, credit, amount, shape): (u8, u8, u8, u16, u8)) -> Transfer {
        let (debit, credit) = (self.accounts[debit as usize], self.accounts[credit as usize]);
        // Resolving is another step.
        let closing = if shape & 0b1100_0000 == 0b0100_0000 {
            TransferFlags::PENDING.with(TransferFlags::CLOSING_DEBIT)
        } else {
            TransferFlags::NONE
        };
        let flags = TransferFlags(u16::from(shape) & 0b0011_0011).with(closing);
        let timeout_s = if flags.has(TransferFlags::PENDING) { u32::from(shape % 7) * 10 } else { 0 };
        Transfer {
            id: Id128(1 + u128::from(id)),
            debit,
            credit,
            amount: Amount(amount.into()),
            asset: 1,
            code: 1,
            flags,
            timeout_s,
            ..Transfer::default()
        }
    }

    fn terms(&self, payer: u8, payee: u8) -> ChannelTerms {
        ChannelTerms {
            ledger: self.world.state.head().ledger,
            payer: self.accounts[payer as usize],
            payer_key: key(payer).public(),
            payee: self.accounts[payee as usize],
            payee_key: key(payee).public(),
            asset: 1,
            grace_s: 60,
            nonce: self.channels.len() as u64,
            shares: self.shares(payer, payee),
        }
    }
}

impl Town {
    /// Every second channel shares its payments among all who are not its parties.
    fn shares(&self, payer: u8, payee: u8) -> Vec<Share> {
        let others = (0..4).filter(|n| *n != payer && *n != payee && self.channels.len() % 2 == 1);
        let mut shares: Vec<Share> =
            others.map(|n| Share { account: self.accounts[n as usize], basis_points: 1111 + u16::from(n) }).collect();
        shares.sort_by_key(|share| share.account);
        shares
    }
}

fn voucher(terms: &ChannelTerms, lane: u8, seq: u8, ceiling: u16, acknowledges: Option<Digest>) -> Voucher {
    let (ledger, channel, call) = (terms.ledger, terms.id(), Some(Digest([seq; 32])));
    let seq = u64::from(seq) + u64::from(acknowledges.is_some());
    Voucher {
        ledger,
        channel,
        lane: lane.into(),
        seq,
        cumulative_max: Amount(ceiling.into()),
        prev_receipt: acknowledges,
        call,
        request: call,
    }
}

fn receipt(terms: &ChannelTerms, lane: u8, seq: u8, cumulative: u16) -> Receipt {
    Receipt {
        call: Digest([seq; 32]),
        service: "a:b/c@1.0.0".into(),
        function: "f".into(),
        offer: Digest::default(),
        channel: terms.id(),
        lane: lane.into(),
        seq: seq.into(),
        prev_receipt: None,
        buyer: terms.payer_key,
        seller: terms.payee_key,
        node: terms.payee_key,
        package: "p/q@1.0.0".into(),
        component: Digest::default(),
        models: vec![],
        request: Digest([seq; 32]),
        ending: Ending::Answered(Digest::default()),
        price_max: Amount(cumulative.into()),
        charged: Amount(cumulative.into()),
        cumulative: Amount(cumulative.into()),
        started_ms: 0,
        finished_ms: 0,
        children: vec![],
        metered: None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// `World::append` runs every auditor after each entry; here only the replay is compared.
    #[test]
    fn money_is_conserved_and_replays_are_equal(steps in prop::collection::vec(step(), 1..60)) {
        let mut town = Town::new();
        let mut copy = town.world.state.clone();
        for step in steps {
            let Some((key, command)) = town.command(step) else { continue };
            let command = town.world.sign(&key, command);
            let result = town.world.append(command.clone());
            let again = copy.append(town.world.now_ns, &[Verified::open(command.bytes()).unwrap()]).unwrap();
            prop_assert_eq!(&again.entry.results[0], &result);
            prop_assert_eq!(again.hash, town.world.state.head().hash);
            town.entries.push(again.bytes);
        }
        let supply = town.world.state.asset(1).unwrap().supply();
        let held: u128 = town.world.state.accounts().filter(|account| account.kind != AccountKind::Issuance).map(|account| account.balance().0).sum();
        prop_assert_eq!(held, supply.0);
    }
}
