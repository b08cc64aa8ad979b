//! Money is conserved under random commands, and a replay of the log gives the same state and bytes.

use proptest::prelude::*;

use super::*;
use crate::Signed;
use crate::channel::{ChannelTerms, Voucher};
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
    ]
}

struct Town {
    world: World,
    accounts: Vec<AccountId>,
    channels: Vec<(ChannelTerms, u8, u8)>,
    entries: Vec<Vec<u8>>,
}

impl Town {
    fn new() -> Town {
        let mut world = World::new();
        let accounts = (0..4).map(|n| world.account(&key(n), "main", 1000)).collect();
        Town { world, accounts, channels: Vec::new(), entries: Vec::new() }
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
                let signer = events[0].1;
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
                (key(hold % 4), Command::Transfer(TransferBatch { transfers: vec![Transfer { amount, ..transfer }] }))
            }
            Step::Open { payer, payee, deposit } => {
                let terms = self.terms(payer, payee);
                self.channels.push((terms.clone(), payer, payee));
                (key(payer), Command::ChannelOpen(ChannelOpen { terms, deposit: Amount(deposit.into()) }))
            }
            Step::Topup { channel: n, amount } => {
                let (terms, payer, _) = channel(n)?;
                (key(payer), Command::ChannelTopup(ChannelTopup { channel: terms.id(), amount: Amount(amount.into()) }))
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
            Step::Finalize { channel: n } => (key(50), Command::ChannelFinalize(ChannelFinalize { channel: channel(n)?.0.id() })),
        })
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
            shares: vec![],
        }
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
