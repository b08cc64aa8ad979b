//! No run costs more than its quote says: workflows made up by seed, with sellers at different prices, faults, budgets and failures.

use std::collections::BTreeMap;

use hansa_economy::{Amount, PublicKey};
use serde_json::json;

use super::super::*;
use super::fake::*;
use crate::market::{Known, Listing, Market};
use crate::quote::{Quote, Verdict, quote};

const OTHER: &str = "workflow: o/o\nversion: 1.0.0\nbudget: \"0.004\"\ninputs: { x: { type: any, default: 1 } }\nsteps: [{ id: in, map: '${ [1, .input.x] }', do: [{ id: buy, call: 'i:i/i@1.0.0 inner', with: { x: '${ .item }' } }] }]\n";

/// What the fake world's sellers ask for: three quarters of their price at the most.
struct Stand {
    sellers: Vec<Offered>,
    /// It is known that they charge three quarters.
    is_exact: bool,
}

impl Market for Stand {
    fn offers(&self, _: &Wanted) -> Known<Vec<Listing>> {
        let listing = |offered: &Offered| Listing {
            seller: offered.seller,
            package: offered.package.clone(),
            node: PublicKey([9; 32]),
            node_name: "here".into(),
            labels: BTreeMap::new(),
            price_min: Amount(offered.price_max.0 * 3 / 4),
            price_needed: offered.price_max,
            price_max: if self.is_exact { Amount(offered.price_max.0 * 3 / 4) } else { offered.price_max },
            is_quoted: false,
            free_calls: 0,
        };
        Known::Yes(self.sellers.iter().map(listing).collect())
    }

    fn priced(&self, _: &Wanted, _: &serde_json::Value) -> Option<Vec<Listing>> {
        None
    }

    fn workflow(&self, name: &str) -> Known<Option<String>> {
        Known::Yes((name == "o/o").then(|| OTHER.to_owned()))
    }
}

/// Steps made up by `dice`.
struct Maker {
    dice: Dice,
    ids: u32,
    /// No budgets of steps, no functions that fail.
    is_plain: bool,
}

impl Maker {
    fn steps(&mut self, deep: u32) -> String {
        let count = 1 + self.dice.roll(3);
        (0..count).map(|_| self.step(deep)).collect::<Vec<_>>().join(", ")
    }

    fn unless_plain(&mut self, sides: u64) -> usize {
        let rolled = self.dice.roll(sides) as usize;
        if self.is_plain { 0 } else { rolled }
    }

    fn condition(&mut self) -> &'static str {
        ["true", "false", ".input.x > 1", ".spent > 0.002", ".input.rows | length > 2"][self.dice.roll(5) as usize]
    }

    fn step(&mut self, deep: u32) -> String {
        self.ids += 1;
        let id = format!("s{}", self.ids);
        let budget = ["", "", "", ", budget: '0.003'", ", budget: '0.0005'"][self.unless_plain(5)];
        let error = ["", "", ", on-error: step", ", on-error: item"][self.dice.roll(4) as usize];
        let work = match if deep == 0 { self.dice.roll(3) } else { self.dice.roll(8) } {
            0 => {
                let function = ["f", "g", "h", "bad"][self.unless_plain(4)];
                let ask = ["", "", ", ask: { sellers: 2 }", ", ask: { sellers: 3, min: 1 }"][self.dice.roll(4) as usize];
                let price = ["", ", terms: { max-price: 0.0015 }"][self.unless_plain(2)];
                let undo = ["", ", compensate: { call: 'i:i/i@1.0.0 undo' }"][self.dice.roll(2) as usize];
                format!("call: 'i:i/i@1.0.0 {function}'{ask}{price}{undo}, retry: {{ max-attempts: 9, on-exhausted: fail }}")
            }
            1 => "set: '${ .input.x }'".to_owned(),
            2 => ["run: o/o", "run: o/o, with: { x: '${ .input.x }' }"][self.dice.roll(2) as usize].to_owned(),
            3 | 4 => {
                let over = [".input.rows", "[1, 2]", "if .spent > 0.001 then [1] else [1, 2] end"][self.dice.roll(3) as usize];
                let item = ["", ", item-budget: '0.002'"][self.unless_plain(2)];
                format!("map: '${{ {over} }}'{item}, do: [{}]", self.steps(deep - 1))
            }
            5 => format!("if: '${{ {} }}', then: [{}], else: [{}]", self.condition(), self.steps(deep - 1), self.steps(deep - 1)),
            6 => {
                format!("loop: {{ while: '${{ .round < {} }}', max: 4, do: [{}] }}", 1 + self.dice.roll(3), self.steps(deep - 1))
            }
            _ => format!("parallel: {{ l: [{}], r: [{}] }}", self.steps(deep - 1), self.steps(deep - 1)),
        };
        format!("{{ id: {id}, {work}{budget}{error} }}")
    }
}

fn fits(quote: &Quote, over: &Over, file: &str) {
    let bound = quote.total.most.saturating_add(quote.undo_most).min(quote.budget);
    assert!(quote.total.least <= quote.total.most && quote.total.most <= quote.budget, "{file}");
    assert!(quote.total.likely.is_none_or(|likely| quote.total.least <= likely && likely <= quote.total.most), "{file}");
    assert!(over.spent <= bound, "{} of {bound}: {file}", over.spent);
    if over.how == Ending::Completed {
        assert!(over.spent <= quote.total.most, "{}, quoted {:?}: {file}", over.spent, quote.total);
    }
    if quote.verdict == Verdict::CannotSuffice {
        assert_ne!(over.how, Ending::Completed, "{file}");
    }
}

struct Case {
    file: String,
    world: Fake,
    /// What was known of its inputs, and without that.
    quotes: [Quote; 2],
}

/// A workflow made up by `seed`; none where its ways to fail make no sense.
fn case(seed: u64, is_plain: bool) -> Option<Case> {
    let mut maker = Maker { dice: Dice(seed), ids: 0, is_plain };
    let budget = if is_plain { "9" } else { ["0.05", "0.01", "0.003"][maker.dice.roll(3) as usize] };
    let file = format!(
        "workflow: a/b\nversion: 1.0.0\nbudget: '{budget}'\ninputs: {{ x: {{ type: any, default: 1 }}, rows: {{ type: list, default: [1, 2, 3] }} }}\nsteps: [{}]\n",
        maker.steps(3)
    );
    let plan = Plan::new(&file).ok()?;
    let world = Fake::new();
    {
        let mut shared = world.lock();
        shared.sellers = (1..=3).map(|n| Offered { price_max: Amount(u128::from(n) * 1_000), ..seller(n) }).collect();
        shared.files.insert("o/o".into(), OTHER.into());
        shared.useless.push("bad".into());
        if !is_plain {
            shared.dice = Some(Dice(seed));
            shared.faults = Faults { lost_answers: seed % 3 * 5, refusals: seed % 2 * 10, breaks: seed % 2 * 5, crashes: 0 };
        }
    }
    let stand = Stand { sellers: world.lock().sellers.clone(), is_exact: is_plain };
    let inputs = plan.workflow.inputs_of(serde_json::Map::new()).unwrap();
    let quotes = [quote(&plan, &stand, Some(&inputs)), quote(&plan, &stand, None)];
    world.start(&file, json!({}));
    Some(Case { file, world, quotes })
}

#[tokio::test(start_paused = true)]
async fn no_run_costs_more_than_its_quote() {
    let (mut completed, mut cannot) = (0, 0);
    for Case { file, world, quotes } in (0..250).filter_map(|seed| case(seed, false)) {
        let over = world.finish().await;
        quotes.iter().for_each(|quote| fits(quote, &over, &file));
        let [with, without] = &quotes;
        assert!(
            without.total.least <= with.total.least && with.total.most <= without.total.most,
            "knowing more narrows it: {file}"
        );
        completed += u32::from(over.how == Ending::Completed);
        cannot += u32::from(with.verdict == Verdict::CannotSuffice);
    }
    assert!(completed > 40 && cannot > 20, "{completed} completed, {cannot} impossible");
}

#[tokio::test(start_paused = true)]
async fn where_nothing_goes_wrong_a_run_costs_what_is_likely() {
    let mut exact = 0;
    for Case { file, world, quotes } in (0..150).filter_map(|seed| case(seed, true)) {
        let over = world.finish().await;
        assert_eq!(over.how, Ending::Completed, "{file}");
        for quote in &quotes {
            fits(quote, &over, &file);
            assert!(quote.total.least <= over.spent, "{} of {:?}: {file}", over.spent, quote.total);
            assert!(quote.total.likely.is_none_or(|likely| likely == over.spent), "{} of {:?}: {file}", over.spent, quote.total);
            exact += u32::from(quote.total.likely.is_some_and(|likely| likely > Amount::ZERO));
        }
    }
    assert!(exact > 80, "{exact} quoted exactly");
}
