//! Anchored receipts: what a stranger can prove from the log, a receipt and a path.

use super::*;
use crate::digest::Digest;
use crate::limits::ANCHOR_RECEIPTS_MAX;

fn receipts(count: u8) -> Vec<Digest> {
    (0..count).map(|n| Digest::of(&[n])).collect()
}

#[test]
fn a_receipt_is_proven_from_the_log() {
    let mut world = World::new();
    let receipts = receipts(21);
    let anchor = ReceiptAnchor::of(&receipts, 5, 9).unwrap();
    let command = world.sign(&key(4), Command::ReceiptAnchor(anchor));
    world.now_ns += SECOND;
    let appended = world.state.append(world.now_ns, &[command]).unwrap();

    // All that a stranger has: the entry of the log, one receipt's digest and its path.
    let (entry, _) = Entry::open(&appended.bytes).unwrap();
    assert_eq!(entry.results, [CommandResult::Accepted(Acceptance::Anchored)]);
    let witnessed = Verified::open(&entry.commands[0]).unwrap();
    let Command::ReceiptAnchor(anchor) = &witnessed.body().command else { panic!() };
    assert_eq!((witnessed.signer(), entry.timestamp_ns, anchor.count), (key(4).public(), world.now_ns, 21));
    for (number, receipt) in receipts.iter().enumerate() {
        let path = ReceiptAnchor::path(&receipts, number).unwrap();
        assert!(anchor.proves(number as u32, &path, *receipt));
        assert!(!anchor.proves(number as u32, &path, Digest::of(b"another")));
        assert!(!anchor.proves((number as u32 + 1) % 21, &path, *receipt));
        assert!(!anchor.proves(number as u32, &path[1..], *receipt));
    }
}

#[test]
fn an_anchor_says_how_many_and_when() {
    let mut world = World::new();
    let good = ReceiptAnchor::of(&receipts(3), 5, 9).unwrap();
    assert_eq!((ReceiptAnchor::of(&[], 5, 9), ReceiptAnchor::path(&receipts(3), 3)), (None, None));
    let table = [
        (ReceiptAnchor { count: 0, ..good.clone() }, Err(Reason::BadNumber)),
        (ReceiptAnchor { count: ANCHOR_RECEIPTS_MAX + 1, ..good.clone() }, Err(Reason::BadNumber)),
        (ReceiptAnchor { first_ms: 10, ..good.clone() }, Err(Reason::BadNumber)),
        (ReceiptAnchor { first_ms: 9, ..good.clone() }, Ok(Acceptance::Anchored)),
        (good, Ok(Acceptance::Anchored)),
    ];
    for (anchor, expected) in table {
        assert_eq!(world.act(&key(4), Command::ReceiptAnchor(anchor)), expected);
    }
}
