//! Genesis, assets, accounts, issue and redeem; one id, one outcome; the log's bytes.

use super::*;

#[test]
fn the_ledgers_id_is_the_hash_of_genesis() {
    let operator = key(9);
    let genesis = Verified::open(Genesis::sign("n", Id128(1), &operator).bytes()).unwrap();
    let (state, appended) = State::found(&genesis, 5).unwrap();
    assert_eq!((state.head().ledger, state.head().seq, state.head().hash), (appended.hash, 1, appended.hash));
    let (entry, hash) = Entry::open(&appended.bytes).unwrap();
    assert_eq!((entry, hash), (appended.entry.clone(), appended.hash));
    let mut changed = appended.bytes;
    *changed.last_mut().unwrap() ^= 1;
    assert!(matches!(Entry::open(&changed), Err(EntryError::Hash { .. })));
    let foreign = SignedCommand {
        ledger: None,
        id: Id128(1),
        command: Command::Genesis(Genesis { name: "n".into(), operator: key(8).public() }),
    };
    let foreign = Verified::open(crate::Signed::new(foreign, &operator).bytes()).unwrap();
    assert!(matches!(State::found(&foreign, 5), Err(GenesisError::Signer(_))));
}

#[test]
fn the_operator_creates_assets() {
    let mut world = World::new();
    let operator = world.operator.clone();
    let asset =
        |asset, code: &str| Command::AssetCreate(AssetCreate { asset, code: code.into(), scale: 6, issuer: key(1).public() });
    assert_eq!(world.act(&key(1), asset(2, "EUR")), Err(Reason::NotPermitted));
    assert_eq!(world.act(&operator, asset(2, "eur")), Err(Reason::BadText));
    assert_eq!(world.act(&operator, asset(0, "EUR")), Err(Reason::BadNumber));
    assert_eq!(world.act(&operator, asset(1, "EUR")), Err(Reason::AssetExists));
    assert_eq!(world.act(&operator, asset(2, "CRED")), Err(Reason::AssetExists));
    assert_eq!(world.act(&operator, asset(2, "EUR")), Ok(Acceptance::AssetCreated(issuance_account_id(2))));
}

#[test]
fn accounts_open_once_and_are_limited() {
    let mut world = World::new();
    let id = world.account(&key(1), "main", 0);
    assert!(world.state.account(id).unwrap().flags.has(AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS));
    assert_eq!(world.act(&key(1), Command::AccountOpen(AccountOpen::new(1, "main"))), Err(Reason::AccountExists));
    assert_eq!(world.act(&key(1), Command::AccountOpen(AccountOpen::new(7, "main"))), Err(Reason::AssetNotFound));
    assert_eq!(world.act(&key(1), Command::AccountOpen(AccountOpen::new(1, ""))), Err(Reason::BadText));
    let capped = AccountOpen { flags: AccountFlags::CREDITS_MUST_NOT_EXCEED_DEBITS, ..AccountOpen::new(1, "x") };
    assert_eq!(world.act(&key(1), Command::AccountOpen(capped)), Err(Reason::BadFlags));
}

#[test]
fn only_the_issuer_changes_the_supply() {
    let mut world = World::new();
    let operator = world.operator.clone();
    let alice = world.account(&key(1), "main", 0);
    let treasury = world.account(&operator, "treasury", 0);
    let issue = |to, amount| Command::Issue(Issue { asset: 1, to, amount: Amount(amount), reference: "bank 7".into() });
    let redeem = |from, amount| Command::Redeem(Redeem { asset: 1, from, amount: Amount(amount), reference: "bank 8".into() });
    assert_eq!(world.act(&key(1), issue(alice, 5)), Err(Reason::NotPermitted));
    assert_eq!(world.act(&operator, issue(alice, 0)), Err(Reason::AmountMustNotBeZero));
    assert_eq!(world.act(&operator, issue(issuance_account_id(1), 5)), Err(Reason::AccountIsReserved));
    assert_eq!(world.act(&operator, issue(alice, 5)), Ok(Acceptance::Supply(Amount(5))));
    assert_eq!(world.act(&operator, issue(treasury, 7)), Ok(Acceptance::Supply(Amount(12))));
    assert_eq!(world.act(&operator, redeem(alice, 1)), Err(Reason::NotPermitted));
    assert_eq!(world.act(&operator, redeem(treasury, 8)), Err(Reason::ExceedsCredits));
    assert_eq!(world.act(&operator, redeem(treasury, 7)), Ok(Acceptance::Supply(Amount(5))));
    assert_eq!(world.act(&operator, issue(alice, u128::MAX)), Err(Reason::Overflow));
}

#[test]
fn an_id_has_one_outcome() {
    let mut world = World::new();
    let command = world.sign(&key(1), Command::AccountOpen(AccountOpen::new(1, "main")));
    assert_eq!(world.state.admit(&command), Admission::New);
    world.append(command.clone());
    let place = *world.state.outcome(command.body().id).unwrap();
    assert_eq!(world.state.admit(&command), Admission::Repeat(place));
    assert!(matches!(world.state.append(u64::MAX, std::slice::from_ref(&command)), Err(AppendError::NotNew(_))));
    world.next_id -= 1;
    let other = world.sign(&key(1), Command::AccountOpen(AccountOpen::new(1, "other")));
    assert_eq!(world.state.admit(&other), Admission::Refused(Reason::IdTaken));
    let foreign =
        SignedCommand::sign(crate::Digest::of(b"x"), Id128(999), Command::AccountOpen(AccountOpen::new(1, "m")), &key(1));
    assert_eq!(world.state.admit(&Verified::open(foreign.bytes()).unwrap()), Admission::Refused(Reason::WrongLedger));
}

#[test]
fn time_rises() {
    let mut world = World::new();
    let command = world.sign(&key(1), Command::AccountOpen(AccountOpen::new(1, "main")));
    let newest = world.state.head().time_ns;
    assert_eq!(world.state.append(newest, &[command]), Err(AppendError::Time { newest, found: newest }));
}
