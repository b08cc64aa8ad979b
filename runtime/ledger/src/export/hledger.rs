//! The form of hledger's journal (<https://hledger.org/hledger.html#journal>). A debit is positive. Everything is declared, so
//! that `hledger check --strict` passes; the file is ASCII, so that it reads the same under every locale.

use std::io::{self, Write};

use hansa_economy::ledger::{Account, Asset, Head};

use super::escape::hledger_text;
use super::form::{Asserted, Booked, Form};
use super::names::commodity;
use crate::day::{Day, moment};
use crate::decimal::decimal;
use crate::replay::{KINDS, kind_name};

/// The description of the transactions that only assert balances.
const BALANCES: &str = "balances";
/// The tags that stand in the file.
const TAGS: [&str; 14] = [
    "account",
    "asset",
    "cause",
    "channel",
    "code",
    "command",
    "hold",
    "issuer",
    "label",
    "owner",
    "receipt",
    "reference",
    "scale",
    "time",
];

pub(super) struct Hledger;

impl Form for Hledger {
    fn head(&self, out: &mut dyn Write, head: &Head) -> io::Result<()> {
        writeln!(
            out,
            "; Export of a Hansa ledger for hledger. Debits are positive. Made from the log: do not edit, export again."
        )?;
        writeln!(out, "; Text of others is percent-encoded (RFC 3986).")?;
        writeln!(out, "; ledger {} {}\ndecimal-mark .", head.ledger, hledger_text(&head.name))?;
        KINDS.iter().try_for_each(|kind| writeln!(out, "payee {}", kind_name(*kind)))?;
        writeln!(out, "payee {BALANCES}")?;
        TAGS.iter().try_for_each(|tag| writeln!(out, "tag {tag}"))
    }

    fn asset(&self, out: &mut dyn Write, asset: &Asset) -> io::Result<()> {
        // hledger wants the decimal mark in a format even where no digits follow it.
        let mark = if asset.scale == 0 { "." } else { "" };
        writeln!(out, "\ncommodity {}{mark} {}", decimal(1000 * 10u128.pow(asset.scale.into()), asset.scale), symbol(asset))?;
        writeln!(out, "    ; asset:{}, scale:{}, issuer:{}", asset.id, asset.scale, hledger_text(&asset.issuer.to_string()))
    }

    fn account(&self, out: &mut dyn Write, account: &Account, name: &str, _asset: &Asset) -> io::Result<()> {
        writeln!(out, "\naccount {name}")?;
        writeln!(out, "    ; account:{}, owner:{}", account.id, hledger_text(&account.owner.to_string()))?;
        writeln!(out, "    ; label:{}, code:{}", hledger_text(&account.label), account.code)
    }

    fn movement(&self, out: &mut dyn Write, booked: &Booked<'_>) -> io::Result<()> {
        let (line, amount, symbol) = (booked.line, booked.amount(), symbol(booked.asset));
        let (kind, day, name) = (kind_name(line.movement.kind), booked.day(), line.name());
        if !line.posts() {
            let (debit, credit) = (booked.debit, booked.credit);
            return writeln!(
                out,
                "\n; {day} {kind} ({name}) {amount} {symbol} from {debit} to {credit} ({})",
                line.movement.cause
            );
        }
        writeln!(out, "\n{day} * ({name}) {kind}")?;
        writeln!(out, "    ; time:{}", moment(line.movement.timestamp_ns))?;
        writeln!(out, "    ; cause:{}", line.movement.cause)?;
        let command = line.command.filter(|command| *command != line.movement.cause);
        command.map_or(Ok(()), |command| writeln!(out, "    ; command:{command}"))?;
        line.hold().map_or(Ok(()), |hold| writeln!(out, "    ; hold:{hold}"))?;
        line.transfer.map_or(Ok(()), |transfer| writeln!(out, "    ; code:{}", transfer.code))?;
        line.reference.map_or(Ok(()), |reference| writeln!(out, "    ; reference:{}", hledger_text(reference)))?;
        line.channel.map_or(Ok(()), |channel| writeln!(out, "    ; channel:{channel}"))?;
        line.receipts.iter().try_for_each(|receipt| writeln!(out, "    ; receipt:{receipt}"))?;
        writeln!(out, "    {}  {amount} {symbol}", booked.debit)?;
        writeln!(out, "    {}  -{amount} {symbol}", booked.credit)
    }

    /// An assertion of hledger is exact, and holds after all postings before it; `==` also says that nothing else is there.
    fn balances(&self, out: &mut dyn Write, day: Day, rows: &mut dyn Iterator<Item = Asserted<'_>>) -> io::Result<u64> {
        let mut count = 0;
        for row in rows {
            if count == 0 {
                writeln!(out, "\n{day} * {BALANCES}")?;
            }
            let (zero, symbol) = (decimal(0, row.asset.scale), symbol(row.asset));
            writeln!(out, "    {}  {zero} {symbol} == {} {symbol}", row.account, row.net.books(row.asset.scale))?;
            count += 1;
        }
        Ok(count)
    }
}

/// The commodity's symbol; one with more than letters stands in quotes.
fn symbol(asset: &Asset) -> String {
    let name = commodity(asset);
    if name.bytes().all(|byte| byte.is_ascii_uppercase()) { name } else { format!("\"{name}\"") }
}
