//! Chains of real signatures: what continues them, and each way in which a record does not.

use hansa_economy::Keypair;
use proptest::prelude::*;

use super::*;

fn key(seed: u8) -> Keypair {
    Keypair::from_seed(&[seed; 32])
}

fn public(seed: u8) -> PublicKey {
    key(seed).public()
}

fn record(seq: u64, previous: Option<Digest>, change: NameChange, signer: u8) -> Signed<NameRecord> {
    Signed::new(NameRecord { name: "acme".into(), seq, previous, change, signed_ms: 5 }, &key(signer))
}

/// `acme`, owned by key 1, with key 2 as second key.
fn claimed() -> NameChain {
    let claim = NameChange::Claim { owner: public(1), recovery: Some(public(2)) };
    NameChain::begin(record(0, None, claim, 1)).unwrap()
}

fn next(chain: &NameChain, change: NameChange, signer: u8) -> Signed<NameRecord> {
    record(chain.state().seq + 1, Some(chain.state().head), change, signer)
}

#[test]
fn a_name_passes_on_is_recovered_and_gets_another_second_key() {
    let mut chain = claimed();
    for (change, signer, owner, second) in [
        (NameChange::Transfer { owner: public(3) }, 1, 3, Some(2)),
        (NameChange::Recover { owner: public(4) }, 2, 4, Some(2)),
        (NameChange::SetRecovery { recovery: Some(public(5)) }, 4, 4, Some(5)),
        (NameChange::Recover { owner: public(6) }, 5, 6, Some(5)),
        (NameChange::SetRecovery { recovery: None }, 6, 6, None),
    ] {
        chain.push(next(&chain, change, signer)).unwrap();
        assert_eq!((chain.state().owner, chain.state().recovery), (public(owner), second.map(public)));
    }
    assert!(chain.was_owned_by(public(3)) && !chain.was_owned_by(public(2)));
    let second = chain.records()[1].digest();
    assert_eq!(chain.state_after(second).unwrap().owner, public(3));
    let again = NameChain::fold(chain.records().to_vec()).unwrap().unwrap();
    assert_eq!(again, chain);
    let stored = chain.records().iter().map(|record| Signed::open(record.bytes()).unwrap());
    assert_eq!(NameChain::fold(stored).unwrap().unwrap(), chain);
}

#[test]
fn each_refusal_has_its_own_reason() {
    let chain = claimed();
    let head = Some(chain.state().head);
    let to = |seed: u8| NameChange::Transfer { owner: public(seed) };
    let claim = |owner: u8| NameChange::Claim { owner: public(owner), recovery: None };
    let mut other = record(1, head, to(3), 1);
    other.body.name = "other".into();
    for (record, message) in [
        (record(1, head, to(3), 2), "must be signed by the owner"),
        (record(1, head, NameChange::Recover { owner: public(3) }, 1), "must be signed by the second key"),
        (record(1, head, NameChange::SetRecovery { recovery: None }, 2), "must be signed by the owner"),
        (record(1, head, NameChange::SetRecovery { recovery: Some(public(1)) }, 1), "is its owner's; choose a key"),
        (record(1, head, to(2), 1), "is its owner's; choose a key"),
        (record(1, head, to(1), 1), "passes `acme` to its owner"),
        (record(1, head, claim(1), 1), "claims `acme`, which has an owner"),
        (record(1, None, to(3), 1), "it names none"),
        (record(1, Some(Digest::of(b"x")), to(3), 1), "as the one before, it names 2d711642"),
        (record(3, Some(Digest::of(b"x")), to(3), 1), "record 3 of `acme` needs record 2 first, with digest 2d711642"),
        (record(3, None, to(3), 1), "must name the digest of a record"),
        (chain.records()[0].clone(), "record 0 of `acme` is in the chain already"),
        (record(0, None, claim(9), 8), "record 0 of `acme` must be signed by the owner"),
        (record(0, None, claim(9), 9), "`acme` is forked at record 0"),
        (record(0, None, to(9), 9), "is no claim"),
        (other, "about `other`, the chain about `acme`"),
    ] {
        let refusal = chain.clone().push(record).unwrap_err().to_string();
        assert!(refusal.contains(message), "{message}: {refusal}");
    }
}

#[test]
fn chains_begin_with_a_good_claim_only() {
    let claim = NameChange::Claim { owner: public(1), recovery: Some(public(2)) };
    let begin = |record: Signed<NameRecord>| NameChain::begin(record).unwrap_err().to_string();
    assert!(begin(record(0, Some(Digest::of(b"x")), claim.clone(), 1)).contains("must name none"));
    assert!(begin(record(2, None, claim.clone(), 1)).contains("which has an owner"));
    assert!(begin(record(0, None, claim.clone(), 3)).contains("must be signed by the owner"));
    let transfer = NameChange::Transfer { owner: public(3) };
    assert!(begin(record(1, Some(Digest::of(b"x")), transfer.clone(), 1)).contains("needs record 0 first"));
    assert!(begin(record(0, None, transfer, 1)).contains("claim the name first"));
    let same = NameChange::Claim { owner: public(1), recovery: Some(public(1)) };
    assert!(begin(record(0, None, same, 1)).contains("is its owner's"));
    for name in ["", "Acme", "-a", "a/b", "a b", &"x".repeat(65)] {
        let body = NameRecord { name: name.into(), seq: 0, previous: None, change: claim.clone(), signed_ms: 5 };
        assert!(begin(Signed::new(body, &key(1))).contains("is no publisher's name"), "{name}");
    }
}

#[test]
fn a_recovery_needs_a_second_key() {
    let mut chain = NameChain::begin(record(0, None, NameChange::Claim { owner: public(1), recovery: None }, 1)).unwrap();
    let refusal = chain.push(next(&chain, NameChange::Recover { owner: public(3) }, 2)).unwrap_err();
    assert_eq!(refusal, NameRefusal::NoSecondKey("acme".into()));
}

#[test]
fn a_fork_is_evidence_that_anybody_can_check() {
    let mut chain = claimed();
    let before = chain.clone();
    chain.push(next(&chain, NameChange::Transfer { owner: public(3) }, 1)).unwrap();
    let NameRefusal::Fork { fork } = chain.push(next(&before, NameChange::Transfer { owner: public(4) }, 1)).unwrap_err() else {
        panic!("not seen as a fork")
    };
    assert_eq!((fork.seq, fork.verify()), (1, Ok(true)));
    let recovered = next(&before, NameChange::Recover { owner: public(4) }, 2);
    let NameRefusal::Fork { fork } = chain.push(recovered).unwrap_err() else { panic!("not seen as a fork") };
    assert_eq!(fork.verify(), Ok(false));
    assert!(Fork { second: fork.first.clone(), ..*fork.clone() }.verify().is_err());
    assert!(Fork { seq: 2, ..*fork.clone() }.verify().is_err());
    let mut forged = *fork;
    let at = forged.second.len() - 1;
    forged.second[at] ^= 1;
    assert!(forged.verify().is_err());
    // A stranger's record for a taken place is no fork.
    let stranger = chain.push(next(&before, NameChange::Transfer { owner: public(9) }, 9)).unwrap_err();
    assert!(matches!(stranger, NameRefusal::Signer { .. }), "{stranger}");
}

fn any_change() -> impl Strategy<Value = NameChange> {
    let seed = 1..5u8;
    prop_oneof![
        (seed.clone(), prop::option::of(seed.clone()))
            .prop_map(|(owner, second)| NameChange::Claim { owner: public(owner), recovery: second.map(public) }),
        seed.clone().prop_map(|owner| NameChange::Transfer { owner: public(owner) }),
        seed.clone().prop_map(|owner| NameChange::Recover { owner: public(owner) }),
        prop::option::of(seed).prop_map(|second| NameChange::SetRecovery { recovery: second.map(public) }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever is pushed: the chain stays what its own records fold to, and only entitled keys have changed it.
    #[test]
    fn only_the_entitled_change_a_chain(steps in prop::collection::vec((any_change(), 1..5u8, 0..4u64), 1..20)) {
        let mut chain = claimed();
        for (change, signer, seq) in steps {
            let before = chain.state().clone();
            let previous = chain.records().get(seq.saturating_sub(1) as usize).map(Signed::digest).filter(|_| seq > 0);
            let record = record(seq, previous, change.clone(), signer);
            if chain.push(record).is_ok() {
                let entitled = if matches!(change, NameChange::Recover { .. }) { before.recovery } else { Some(before.owner) };
                prop_assert_eq!(entitled, Some(public(signer)));
                prop_assert_eq!(chain.state().seq, before.seq + 1);
            } else {
                prop_assert_eq!(chain.state(), &before);
            }
        }
        let records = chain.records().iter().map(|record| Signed::open(record.bytes()).unwrap());
        prop_assert_eq!(NameChain::fold(records).unwrap().unwrap(), chain);
    }
}
