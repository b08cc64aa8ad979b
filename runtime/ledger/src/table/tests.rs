//! Round trips of every codec: what is put is what is got.

use hansa_economy::channel::{AccountId, ChannelTerms};
use hansa_economy::ledger::*;
use hansa_economy::{Amount, Digest, PublicKey};
use proptest::prelude::*;
use redb::backends::InMemoryBackend;
use redb::{Builder, Database};

use super::*;

fn database() -> Database {
    Builder::new().set_cache_size(1 << 20).create_with_backend(InMemoryBackend::new()).unwrap()
}

fn amount() -> impl Strategy<Value = Amount> {
    prop_oneof![any::<u8>().prop_map(|n| Amount(n.into())), any::<u128>().prop_map(Amount)]
}

fn account() -> impl Strategy<Value = Account> {
    let numbers =
        (any::<u128>(), any::<u32>(), any::<u16>(), any::<u16>(), any::<[u8; 32]>(), ".{0,20}", any::<u128>(), any::<u64>());
    let balances = (amount(), amount(), amount(), amount());
    let kind = prop_oneof![Just(AccountKind::Ordinary), Just(AccountKind::Issuance), Just(AccountKind::Escrow)];
    (numbers, balances, kind).prop_map(|((id, asset, code, flags, owner, label, data, stamp), balances, kind)| Account {
        id: AccountId(id),
        asset,
        code,
        kind,
        flags: AccountFlags(flags),
        owner: PublicKey(owner),
        label,
        user_data_128: Id128(data),
        user_data_64: stamp,
        user_data_32: asset,
        debits_pending: balances.0,
        debits_posted: balances.1,
        credits_pending: balances.2,
        credits_posted: balances.3,
        timestamp_ns: stamp,
    })
}

fn record() -> impl Strategy<Value = TransferRecord> {
    let ids = (any::<u128>(), any::<u128>(), any::<u128>(), prop_oneof![Just(0), any::<u128>()], amount());
    let hold = prop::option::of(prop_oneof![
        Just(HoldState::Open),
        Just(HoldState::Posted),
        Just(HoldState::Voided),
        Just(HoldState::Expired)
    ]);
    let rest = (prop_oneof![Just(0), any::<u32>()], any::<u16>(), any::<u16>(), any::<u64>(), any::<bool>());
    let created = (ids, rest, hold).prop_map(|((id, debit, credit, pending, amount), (n, code, flags, stamp, payee), hold)| {
        let transfer = Transfer {
            id: Id128(id),
            debit: AccountId(debit),
            credit: AccountId(credit),
            amount,
            pending_id: Id128(pending),
            timeout_s: n,
            asset: n,
            code,
            flags: TransferFlags(flags),
            user_data_128: Id128(pending),
            user_data_64: stamp,
            user_data_32: n,
            timestamp_ns: stamp,
            posted_by: if payee { HoldRule::Payee } else { HoldRule::Payer },
            held_by: payee.then_some(PublicKey([code as u8; 32])),
        };
        TransferRecord::Created(transfer, hold)
    });
    prop_oneof![9 => created, 1 => Just(TransferRecord::Burnt)]
}

fn channel() -> impl Strategy<Value = Channel> {
    let claim = || prop::option::of((any::<u64>(), amount()).prop_map(|(seq, total)| LaneClaim { seq, total }));
    let lane = (amount(), amount(), any::<u64>(), claim(), claim());
    let lane = lane.prop_map(|(redeemed, ceiling, seq, claim, answer)| Lane {
        redeemed,
        ceiling,
        seq,
        claim,
        answer,
        frozen: claim.map(|claim| claim.seq),
    });
    let closing = (any::<u64>(), any::<u64>())
        .prop_map(|(claims_until_ns, grace_until_ns)| ChannelPhase::Closing { claims_until_ns, grace_until_ns });
    let phase = prop_oneof![Just(ChannelPhase::Open), closing, Just(ChannelPhase::Final)];
    let lanes = prop::collection::btree_map(0..1024u32, lane, 0..5);
    (any::<[u8; 32]>(), any::<u64>(), phase, (amount(), amount(), amount()), lanes).prop_map(
        |(bytes, nonce, phase, sums, lanes)| {
            let (ledger, payer_key, payee_key) = (Digest(bytes), PublicKey(bytes), PublicKey(bytes));
            let terms = ChannelTerms {
                ledger,
                payer: AccountId(1),
                payer_key,
                payee: AccountId(2),
                payee_key,
                asset: 1,
                grace_s: 60,
                nonce,
                shares: vec![],
            };
            Channel {
                id: terms.id(),
                terms,
                phase,
                deposit: sums.0,
                redeemed: sums.1,
                returned: sums.2,
                lanes,
                timestamp_ns: nonce,
            }
        },
    )
}

/// Rows that overlap those of other batches, ascend beyond them, or lie anywhere.
fn batch() -> impl Strategy<Value = std::collections::BTreeMap<u128, Vec<u8>>> {
    let id = prop_oneof![0..200u128, (1u128 << 64)..(1u128 << 64) + 4000, any::<u128>()];
    prop::collection::btree_map(id, prop::collection::vec(any::<u8>(), 1..400), 1..150)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn accounts_come_back(account in account()) {
        let database = database();
        let tx = database.begin_write().unwrap();
        let (mut table, mut index) = (tx.open_table(accounts::TABLE).unwrap(), tx.open_table(owners::TABLE).unwrap());
        let mut rows = sheaf::Rows::default();
        accounts::push(&mut rows, &account);
        sheaf::put(&mut table, accounts::TAG, &rows).unwrap();
        owners::put(&mut index, account.owner, account.id).unwrap();
        prop_assert_eq!(owners::accounts_of(&index, account.owner).unwrap(), [account.id]);
        prop_assert_eq!(owners::accounts_of(&index, PublicKey([7; 32])).unwrap(), []);
        owners::remove(&mut index, account.owner, account.id).unwrap();
        prop_assert_eq!(owners::accounts_of(&index, account.owner).unwrap(), []);
        prop_assert_eq!(accounts::all(&table).unwrap().map(Result::unwrap).collect::<Vec<_>>(), [account.clone()]);
        prop_assert_eq!(accounts::get(&table, account.id).unwrap(), Some(account));
    }

    #[test]
    fn keys_come_back(id: u128, bytes: [u8; 32], role in 0..3usize, spent in amount(), end: u64, count in 0..5u128) {
        let role = [KeyRole::Spend, KeyRole::Voucher, KeyRole::Receipt][role];
        let limits = KeyLimits { budget: (end % 2 == 0).then_some(spent), payees: (0..count).map(AccountId).collect(), expires_ns: Some(end) };
        let (account, revoked_ns) = (AccountId(id), (end % 3 == 0).then_some(end));
        let key = AccountKey { account, role, key: PublicKey(bytes), limits, spent, timestamp_ns: end, revoked_ns };
        let database = database();
        let tx = database.begin_write().unwrap();
        let mut table = tx.open_table(keys::TABLE).unwrap();
        keys::put(&mut table, &key).unwrap();
        let other = AccountKey { account: AccountId(id ^ 1), ..key.clone() };
        keys::put(&mut table, &other).unwrap();
        prop_assert_eq!(keys::all(&table).unwrap().count(), 2);
        prop_assert_eq!(keys::of_account(&table, account).unwrap(), [key]);
    }

    #[test]
    fn counts_of_refunds_come_back(id: u128, bytes: [u8; 32], charged in amount(), refunded in amount()) {
        let database = database();
        let tx = database.begin_write().unwrap();
        let mut table = tx.open_table(refunds::TABLE).unwrap();
        let targets =
            [RefundTarget::Transfer(Id128(id)), RefundTarget::Channel(Digest(bytes)), RefundTarget::Receipt(Digest(bytes))];
        let rows = targets.map(|target| Refunded { target, charged, refunded });
        for row in &rows {
            refunds::put(&mut table, row).unwrap();
            prop_assert_eq!(refunds::get(&table, row.target).unwrap(), Some(*row));
        }
        prop_assert_eq!(refunds::all(&table).unwrap().map(Result::unwrap).collect::<Vec<_>>(), rows);
    }

    #[test]
    fn assets_come_back(id: u32, code in "[A-Z]{1,12}", scale: u8, issued in amount(), redeemed in amount(), key: [u8; 32]) {
        let asset = Asset { id, code, scale, issuer: PublicKey(key), issuance: AccountId(issued.0), issued, redeemed, timestamp_ns: 5 };
        let database = database();
        let tx = database.begin_write().unwrap();
        let mut table = tx.open_table(assets::TABLE).unwrap();
        assets::put(&mut table, &asset).unwrap();
        prop_assert_eq!(assets::get(&table, id).unwrap(), Some(asset));
    }

    #[test]
    fn channels_come_back(channel in channel()) {
        let database = database();
        let tx = database.begin_write().unwrap();
        let mut table = tx.open_table(channels::TABLE).unwrap();
        channels::put(&mut table, &channel).unwrap();
        prop_assert_eq!(channels::get(&table, channel.id).unwrap(), Some(channel));
    }

    #[test]
    fn transfers_come_back_and_open_holds_are_indexed(id: u128, record in record()) {
        let database = database();
        let tx = database.begin_write().unwrap();
        let (mut table, mut index) = (tx.open_table(transfers::TABLE).unwrap(), tx.open_table(holds::TABLE).unwrap());
        let mut rows = sheaf::Rows::default();
        transfers::push(&mut rows, Id128(id), &record);
        sheaf::put(&mut table, transfers::TAG, &rows).unwrap();
        holds::follow(&mut index, Id128(id), &record).unwrap();
        prop_assert_eq!(!holds::all(&index).unwrap().is_empty(), record.is_open_hold());
        prop_assert_eq!(transfers::get(&table, Id128(id)).unwrap(), Some(record));
    }

    #[test]
    fn outcomes_and_heads_come_back(id: u128, bytes: [u8; 32], seq: u64, index: u32, name in ".{0,30}") {
        let outcome = OutcomeRef { digest: Digest(bytes), seq, index };
        let head = Head { ledger: Digest(bytes), name, operator: PublicKey(bytes), seq, hash: Digest(bytes), time_ns: seq };
        let database = database();
        let tx = database.begin_write().unwrap();
        let (mut table, mut meta) = (tx.open_table(outcomes::TABLE).unwrap(), tx.open_table(meta::TABLE).unwrap());
        let mut rows = sheaf::Rows::default();
        outcomes::push(&mut rows, Id128(id), &outcome);
        sheaf::put(&mut table, outcomes::TAG, &rows).unwrap();
        prop_assert_eq!(outcomes::get(&table, Id128(id)).unwrap(), Some(outcome));
        let place = places::Place { seq, command: index, event: index as u16 };
        let (mut table, mut rows) = (tx.open_table(places::TABLE).unwrap(), sheaf::Rows::default());
        places::push(&mut rows, Id128(id), place);
        sheaf::put(&mut table, places::TAG, &rows).unwrap();
        prop_assert_eq!(places::get(&table, Id128(id)).unwrap(), Some(place));
        meta::put_head(&mut meta, &head).unwrap();
        meta::put_format(&mut meta, index).unwrap();
        prop_assert_eq!((meta::head(&meta).unwrap(), meta::format(&meta).unwrap()), (head, Some(index)));
    }

    /// A table of sheaves is a map, whatever the ids and the sizes of the rows.
    #[test]
    fn sheaves_are_a_map(batches in prop::collection::vec(batch(), 1..8)) {
        let database = database();
        let tx = database.begin_write().unwrap();
        let mut table = tx.open_table(transfers::TABLE).unwrap();
        let mut expected = std::collections::BTreeMap::new();
        for batch in batches {
            let mut rows = sheaf::Rows::default();
            batch.iter().for_each(|(id, row)| rows.push(*id, |bytes| bytes.extend_from_slice(row)));
            sheaf::put(&mut table, transfers::TAG, &rows).unwrap();
            expected.extend(batch);
        }
        let all: Vec<_> = sheaf::all(&table, transfers::TAG).unwrap().map(Result::unwrap).collect();
        prop_assert_eq!(all, expected.clone().into_iter().collect::<Vec<_>>());
        prop_assert_eq!(sheaf::len(&table, transfers::TAG).unwrap(), expected.len() as u64);
        let mut ids: Vec<u128> = expected.keys().flat_map(|id| [*id, id.wrapping_add(1)]).collect();
        ids.sort_unstable();
        let mut found = Vec::new();
        sheaf::get_each(&table, transfers::TAG, ids.clone(), |id, row| { found.push((id, row.to_vec())); Ok(()) }).unwrap();
        found.dedup();
        prop_assert_eq!(found, expected.clone().into_iter().collect::<Vec<_>>());
        for id in ids {
            let row = sheaf::get(&table, transfers::TAG, id, |row| Ok(row.to_vec())).unwrap();
            prop_assert_eq!(row.as_ref(), expected.get(&id));
        }
    }

    #[test]
    fn rubbish_is_an_error(bytes: Vec<u8>) {
        prop_assert!(decode::<Account>(accounts::TAG, &bytes).is_err());
        prop_assert!(log::open(&bytes).is_err());
    }
}

#[test]
fn the_log_is_never_written_over() {
    let database = database();
    let tx = database.begin_write().unwrap();
    let mut table = tx.open_table(log::TABLE).unwrap();
    let entry = Entry { seq: 1, prev_hash: Digest::default(), timestamp_ns: 1, commands: vec![], results: vec![] };
    let (bytes, hash) = entry.seal();
    log::append(&mut table, 1, &bytes).unwrap();
    assert_eq!(log::get(&table, 1).unwrap(), Some((entry, hash)));
    assert!(log::append(&mut table, 1, &bytes).is_err());
}
