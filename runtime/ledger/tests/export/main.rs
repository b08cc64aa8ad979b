//! Exports of a simulated month: read back by readers of our own, by bean-check and by hledger; and that these would notice.
#![expect(clippy::unwrap_used, reason = "tests")]

mod commerce;
mod tools;
#[path = "../town/mod.rs"]
mod town;
mod written;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use hansa_economy::Amount;
use hansa_economy::ledger::{Command, Issue};
use hansa_ledger::export::{ExportError, ExportFormat, ExportReport, export_folder};
use hansa_ledger::{Ledger, OpenError};
use serde_json::Value;

use crate::commerce::Commerce;

fn export(ledger: &Ledger, format: ExportFormat) -> (String, ExportReport) {
    let mut text = Vec::new();
    let report = ledger.export(format, &mut text).unwrap();
    (String::from_utf8(text).unwrap(), report)
}

/// The balance of each account that has moved, debits positive, by account id.
fn balances(ledger: &Ledger, ids: impl Iterator<Item = u128>) -> BTreeMap<u128, i128> {
    let signed = |credits: u128, debits: u128| i128::try_from(debits).unwrap() - i128::try_from(credits).unwrap();
    let account = |id| ledger.account(hansa_economy::channel::AccountId(id)).unwrap().unwrap();
    ids.map(|id| (id, account(id))).map(|(id, found)| (id, signed(found.credits_posted.0, found.debits_posted.0))).collect()
}

/// The account's id, from the end of its name; issuance accounts are named by asset.
fn id_in(name: &str, ledger: &Ledger) -> u128 {
    match name.strip_prefix("Assets:Issuance:") {
        Some(code) => ledger.assets().unwrap().into_iter().find(|asset| asset.code == code).unwrap().issuance.0,
        None => u128::from_str_radix(name.rsplit('-').next().unwrap(), 16).unwrap(),
    }
}

fn agrees_at_the_end(ledger: &Ledger, books: &written::Books, report: &ExportReport) {
    let by_id: BTreeMap<u128, i128> = books.balances.iter().map(|(name, units)| (id_in(name, ledger), *units)).collect();
    assert_eq!(by_id, balances(ledger, by_id.keys().copied()));
    assert_eq!(books.assertions as u64, report.assertions);
    assert!(report.assertions >= report.accounts, "each account at the end of the log");
}

/// One month, all formats: making it is what takes the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_of_commerce_is_accepted_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let commerce = Commerce::month(&folder.path().join("ledger"), 7).await;
    assert!(commerce.settlements > 2500, "{} settlements", commerce.settlements);
    let check = commerce.town.sound();
    let ledger = &commerce.town.ledger;
    let mut movements = BTreeSet::new();

    for (format, read) in
        [(ExportFormat::Beancount, written::beancount as fn(&str) -> _), (ExportFormat::Hledger, written::hledger)]
    {
        let (text, report) = export(ledger, format);
        assert_eq!((report.entries, report.accounts, report.head_hash), (check.entries, check.accounts, check.head_hash));
        agrees_at_the_end(ledger, &read(&text).unwrap(), &report);
        assert!(report.assertions > report.accounts + 50, "{} assertions: two ends of months too", report.assertions);
        let forged = forge(&text);
        assert!(read(&forged).unwrap_err().contains("asserted"), "a balance that is wrong by one unit");
        let files = [("good", &text), ("forged", &forged)].map(|(name, text)| {
            let file = folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            file
        });
        third_party(format, &files[0], &files[1]);
        movements.insert(report.movements);
    }
    movements.insert(tables(ledger));
    assert_eq!(movements.len(), 1, "each format has every movement");
}

/// The newest transaction pays one unit more, on both sides: only balances tell.
fn forge(text: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let newest = lines.iter().rposition(|line| line.starts_with("  ") && line.contains("CRED") && !line.contains("==")).unwrap();
    for line in &mut lines[newest - 1..=newest] {
        let (start, amount) = line.trim_end_matches(" CRED").rsplit_once(' ').unwrap();
        let more = amount.replace('.', "").parse::<i128>().unwrap() + if amount.starts_with('-') { -1 } else { 1 };
        let (sign, digits) = (if more < 0 { "-" } else { "" }, format!("{:07}", more.abs()));
        let (whole, fraction) = digits.split_at(digits.len() - 6);
        *line = format!("{start} {sign}{whole}.{fraction} CRED");
    }
    lines.join("\n") + "\n"
}

fn third_party(format: ExportFormat, good: &Path, forged: &Path) {
    let (good, forged) = (good.to_str().unwrap(), forged.to_str().unwrap());
    if format == ExportFormat::Beancount {
        let Some(tool) = tools::bean_check() else { return };
        tools::accepts(&tool, &["--no-cache", good]).unwrap();
        assert!(tools::accepts(&tool, &["--no-cache", forged]).unwrap_err().contains("Balance failed"));
    } else {
        let Some(tool) = tools::hledger() else { return };
        let checks = ["check", "--strict", "ordereddates", "uniqueleafnames", "payees"];
        tools::accepts(&tool, &[&["-f", good], &checks[..]].concat()).unwrap();
        let refused = tools::accepts(&tool, &[&["-f", forged], &checks[..]].concat()).unwrap_err();
        assert!(refused.contains("assertion"), "{refused}");
    }
}

/// Table and JSON lines say the same, and balances follow from them. How many movements?
fn tables(ledger: &Ledger) -> u64 {
    let (text, report) = export(ledger, ExportFormat::Jsonl);
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (table, _) = export(ledger, ExportFormat::Csv);
    let table = written::csv(&table);
    let mut books: BTreeMap<u128, i128> = BTreeMap::new();
    let mut kinds = BTreeSet::new();
    for (row, cells) in rows.iter().zip(&table[1..]) {
        for (column, cell) in table[0].iter().zip(cells) {
            let expected = match &row[column] {
                Value::Null => String::new(),
                Value::Array(items) => items.iter().map(|item| item.as_str().unwrap()).collect::<Vec<_>>().join(" "),
                Value::String(text) if text.starts_with('=') => format!("'{text}"),
                Value::String(text) => text.clone(),
                value => value.to_string(),
            };
            assert_eq!(*cell, expected, "{column} of {}", row["ref"]);
        }
        kinds.insert(row["kind"].as_str().unwrap());
        assert_eq!(row["kind"] == "channel-payment", row["receipts"] != Value::Array(vec![]), "{row}");
        if row["posts"] == true {
            let units: i128 = row["amount"].as_str().unwrap().replace('.', "").parse().unwrap();
            let account = |side: &str| u128::from_str_radix(row[side].as_str().unwrap(), 16).unwrap();
            *books.entry(account("debit")).or_default() += units;
            *books.entry(account("credit")).or_default() -= units;
        }
    }
    assert_eq!(books, balances(ledger, books.keys().copied()));
    assert_eq!(kinds.len(), 10, "the month has every kind: {kinds:?}");
    let names: BTreeSet<&str> = rows.iter().map(|row| row["ref"].as_str().unwrap()).collect();
    assert_eq!((names.len(), rows.len(), table.len()), (rows.len(), report.movements as usize, rows.len() + 1));
    report.movements
}

/// A folder that no process has open gives the same bytes; one that is open, or is none, says what to do.
#[tokio::test]
async fn from_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let town = town::Town::found(folder.path()).await;
    let (alice, bob) = (town.account(&town::key(1), 10).await, town.account(&town::key(2), 0).await);
    town.done(&town::key(1), town::payment(5, alice, bob, 1_500_000)).await;
    let running = ExportFormat::ALL.map(|format| export(&town.ledger, format));
    let mut nothing = Vec::new();
    let open = export_folder(folder.path(), ExportFormat::Csv, &mut nothing);
    assert!(matches!(open, Err(ExportError::Open(OpenError::Locked(_)))));
    drop(town);
    for (format, (text, report)) in ExportFormat::ALL.into_iter().zip(running) {
        let mut again = Vec::new();
        assert_eq!(export_folder(folder.path(), format, &mut again).unwrap(), report);
        assert_eq!(String::from_utf8(again).unwrap(), text);
    }
    let none = export_folder(&folder.path().join("elsewhere"), ExportFormat::Csv, &mut nothing);
    assert!(matches!(none, Err(ExportError::Open(OpenError::Missing(_)))));
    assert!(nothing.is_empty());
}

/// Beyond 28 digits beancount would round: it is refused, and hledger is offered.
#[tokio::test]
async fn what_beancount_cannot_add_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let town = town::Town::found(folder.path()).await;
    let to = town.account(&town::key(1), 0).await;
    let issue = |amount| Command::Issue(Issue { asset: 1, to, amount: Amount(amount), reference: "r".into() });
    town.done(&town::operator(), issue(10u128.pow(28) - 1)).await;
    let refused = |ledger: &Ledger| ledger.export(ExportFormat::Beancount, &mut Vec::new()).map_err(|error| error.to_string());
    assert!(refused(&town.ledger).is_ok());
    town.done(&town::operator(), issue(1)).await;
    assert!(refused(&town.ledger).unwrap_err().contains("choose hledger"));
    let (text, report) = export(&town.ledger, ExportFormat::Hledger);
    agrees_at_the_end(&town.ledger, &written::hledger(&text).unwrap(), &report);
}
