//! Prices by tables of cases, and what holds for all of them.

use proptest::prelude::*;

use super::*;

const RATES: Rates = Rates {
    base: Amount(100),
    per_request_kib: Amount(10),
    per_response_kib: Amount(1),
    max: Amount(1_000),
    per_second: Amount(2_000),
    per_inference_unit: Amount(3),
    per_item: Amount(50),
};

#[test]
fn charges_by_what_is_counted() {
    let none = Measure::default();
    let cases = [
        (none, 100),
        (Measure { request_bytes: 1, ..none }, 110),
        (Measure { request_bytes: 1024, ..none }, 110),
        (Measure { request_bytes: 1025, ..none }, 120),
        (Measure { response_bytes: 2049, ..none }, 103),
        (Measure { run_ms: 1, ..none }, 102),
        (Measure { run_ms: 400, ..none }, 900),
        (Measure { run_ms: 450, ..none }, 1_000),
        (Measure { run_ms: u64::MAX, ..none }, 1_000),
        (Measure { inference_units: 7, ..none }, 121),
        (Measure { items: 2, ..none }, 200),
        (Measure { items: u64::MAX, inference_units: u64::MAX, ..none }, 1_000),
        (Measure { request_bytes: 1, response_bytes: 1, run_ms: 10, inference_units: 1, items: 1 }, 184),
    ];
    for (measure, due) in cases {
        assert_eq!(Price::of(RATES).due(&measure, 1), Amount(due), "{measure:?}");
    }
    let slow = Rates { per_second: Amount(1), max: Amount(9), ..Rates::default() };
    assert_eq!(slow.charge(&Measure { run_ms: 1, ..none }), Amount(1), "a started unit counts");
    assert_eq!(slow.charge(&Measure { run_ms: 1_001, ..none }), Amount(2));
    let huge = Rates { per_second: Amount::MAX, max: Amount::MAX, ..Rates::default() };
    assert_eq!(huge.charge(&Measure { run_ms: 2, ..none }), Amount::MAX);
}

#[test]
fn a_ceiling_is_exact_where_it_can_be() {
    let sizes = Price { per_request_kib: Amount(10), ..Price::per_call(Amount(5)) };
    let cases = [
        (Price::per_call(Amount(5)), 5),
        (Price { max: Amount(50), ..sizes.clone() }, 25),
        (Price { per_response_kib: Amount(1), max: Amount(60), ..Price::FREE }, 60),
        (Price { per_second: Amount(1), max: Amount(61), ..Price::FREE }, 61),
        (Price { per_inference_unit: Amount(1), max: Amount(62), ..Price::FREE }, 62),
        (Price { per_item: Amount(1), max: Amount(63), ..Price::FREE }, 63),
        (Price::quoted(Amount(64)), 64),
        (Price::FREE, 0),
    ];
    for (price, ceiling) in cases {
        assert_eq!(price.ceiling(1025), Amount(ceiling), "{price:?}");
        assert_eq!(price.check(), Ok(()));
    }
    assert_eq!(Price::quoted(Amount(64)).floor(1), Amount::ZERO);
}

fn stepped(steps: &[(u64, Rates)]) -> Price {
    Price { steps: steps.iter().map(|(from, rates)| Step { from: *from, rates: *rates }).collect(), ..Price::of(RATES) }
}

#[test]
fn steps_hold_from_their_call_on() {
    let (lower, lowest) = (Rates { base: Amount(80), ..RATES }, Rates { base: Amount(60), max: Amount(700), ..RATES });
    let price = stepped(&[(10, lower), (100, lowest)]);
    assert_eq!(price.check(), Ok(()));
    for (nth, due) in [(0, 100), (1, 100), (9, 100), (10, 80), (99, 80), (100, 60), (u64::MAX, 60)] {
        assert_eq!(price.due(&Measure::default(), nth), Amount(due), "{nth}");
    }
    assert_eq!(price.ceiling(0), Amount(1_000));
    assert_eq!(price.floor(0), Amount(60));
    assert_eq!(price.due(&Measure { items: 99, ..Measure::default() }, 100), Amount(700));
}

#[test]
fn what_makes_no_sense_is_named() {
    let dearer = Rates { per_item: Amount(51), ..RATES };
    let higher = Rates { max: Amount(1_001), ..RATES };
    let many: Vec<(u64, Rates)> = (2..=PRICE_STEPS_MAX as u64 + 2).map(|from| (from, RATES)).collect();
    let cases = [
        (stepped(&[(1, RATES)]), "must begin above 1"),
        (stepped(&[(5, RATES), (5, RATES)]), "must begin above 5"),
        (stepped(&[(5, dearer)]), "raises `per.item`"),
        (stepped(&[(5, RATES), (9, higher)]), "`from = 9` raises `max`"),
        (stepped(&many), "9 steps, more than 8"),
        (Price { base: Amount(1), ..Price::quoted(Amount(9)) }, "`max` alone"),
        (Price { quoted: true, ..stepped(&[]) }, "`max` alone"),
        (Price::quoted(Amount::ZERO), "`max` is 0"),
    ];
    for (price, message) in cases {
        let error = price.check().unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn prices_without_the_new_parts_are_written_as_before() {
    let price = Price { per_request_kib: Amount(10), max: Amount(130), ..Price::per_call(Amount(100)) };
    let bytes = minicbor::to_vec(&price).unwrap();
    assert_eq!(bytes, [0xa4, 0, 0x18, 100, 1, 10, 2, 0, 3, 0x18, 130]);
    assert_eq!(minicbor::decode::<Price>(&bytes).unwrap(), price);
    let whole = Price { quoted: true, ..stepped(&[(2, RATES)]) };
    assert_eq!(minicbor::decode::<Price>(&minicbor::to_vec(&whole).unwrap()).unwrap(), whole);
}

fn amounts() -> impl Strategy<Value = Amount> {
    prop_oneof![any::<u64>().prop_map(|n| Amount(n.into())), any::<u128>().prop_map(Amount), Just(Amount::ZERO)]
}

prop_compose! {
    fn rates()(parts in prop::array::uniform7(amounts())) -> Rates {
        let [base, per_request_kib, per_response_kib, max, per_second, per_inference_unit, per_item] = parts;
        Rates { base, per_request_kib, per_response_kib, max, per_second, per_inference_unit, per_item }
    }
}

prop_compose! {
    fn measures()(request_bytes: usize, response_bytes: usize, run_ms: u64, inference_units: u64, items: u64) -> Measure {
        Measure { request_bytes, response_bytes, run_ms, inference_units, items }
    }
}

fn larger(measure: Measure, by: Measure) -> Measure {
    Measure {
        request_bytes: measure.request_bytes.saturating_add(by.request_bytes),
        response_bytes: measure.response_bytes.saturating_add(by.response_bytes),
        run_ms: measure.run_ms.saturating_add(by.run_ms),
        inference_units: measure.inference_units.saturating_add(by.inference_units),
        items: measure.items.saturating_add(by.items),
    }
}

fn halved(rates: Rates) -> Rates {
    let half = |amount: Amount| Amount(amount.0 / 2);
    Rates {
        base: half(rates.base),
        per_request_kib: half(rates.per_request_kib),
        per_response_kib: half(rates.per_response_kib),
        max: half(rates.max),
        per_second: half(rates.per_second),
        per_inference_unit: half(rates.per_inference_unit),
        per_item: half(rates.per_item),
    }
}

proptest! {
    #[test]
    fn a_charge_lies_between_floor_and_ceiling(rates in rates(), measure in measures()) {
        let price = Price::of(rates);
        let due = price.due(&measure, 1);
        prop_assert!(price.floor(measure.request_bytes) <= due);
        prop_assert!(due <= price.ceiling(measure.request_bytes) && price.ceiling(measure.request_bytes) <= price.max);
    }

    #[test]
    fn more_never_costs_less(rates in rates(), measure in measures(), by in measures()) {
        prop_assert!(rates.charge(&measure) <= rates.charge(&larger(measure, by)));
    }

    #[test]
    fn a_later_call_never_costs_more(rates in rates(), measure in measures(), first in 2..1_000u64, nth: u64, later: u64) {
        let (second, third) = (halved(rates), halved(halved(rates)));
        let steps = vec![Step { from: first, rates: second }, Step { from: first + 7, rates: third }];
        let price = Price { steps, ..Price::of(rates) };
        prop_assert_eq!(price.check(), Ok(()));
        prop_assert!(price.due(&measure, nth.saturating_add(later)) <= price.due(&measure, nth));
        prop_assert!(price.due(&measure, nth) <= price.ceiling(measure.request_bytes));
    }
}
