//! The form of beancount 3 (<https://beancount.github.io/docs/beancount_language_syntax.html>). A debit is positive. Holds
//! and what is let go of them are comments, since posted balances do not change by them.

use std::io::{self, Write};

use hansa_economy::ledger::{Account, Asset, Head};

use super::escape::beancount_text;
use super::form::{Asserted, Booked, Form};
use super::names::commodity;
use crate::day::{Day, moment};
use crate::limits::BEANCOUNT_DIGITS_MAX;
use crate::replay::kind_name;

pub(super) struct Beancount;

impl Form for Beancount {
    /// Every balance of an asset is at most what was ever issued of it, in either direction.
    fn units_max(&self) -> Option<u128> {
        Some(10u128.pow(BEANCOUNT_DIGITS_MAX) - 1)
    }

    fn head(&self, out: &mut dyn Write, head: &Head) -> io::Result<()> {
        writeln!(
            out,
            ";; Export of a Hansa ledger for beancount. Debits are positive. Made from the log: do not edit, export again."
        )?;
        writeln!(out, ";; ledger {}", head.ledger)?;
        writeln!(out, "option \"title\" {}", beancount_text(&head.name))
    }

    fn asset(&self, out: &mut dyn Write, asset: &Asset) -> io::Result<()> {
        let name = commodity(asset);
        writeln!(out, "\noption \"operating_currency\" \"{name}\"")?;
        writeln!(out, "{} commodity {name}", Day::of(asset.timestamp_ns))?;
        writeln!(out, "  asset: {}\n  scale: {}\n  issuer: \"{}\"", asset.id, asset.scale, asset.issuer)
    }

    fn account(&self, out: &mut dyn Write, account: &Account, name: &str, asset: &Asset) -> io::Result<()> {
        writeln!(out, "\n{} open {name} {}", Day::of(account.timestamp_ns), commodity(asset))?;
        writeln!(out, "  account: \"{}\"\n  owner: \"{}\"", account.id, account.owner)?;
        writeln!(out, "  label: {}\n  code: {}", beancount_text(&account.label), account.code)
    }

    fn movement(&self, out: &mut dyn Write, booked: &Booked<'_>) -> io::Result<()> {
        let (line, amount, asset) = (booked.line, booked.amount(), commodity(booked.asset));
        let (kind, day, name) = (kind_name(line.movement.kind), booked.day(), line.name());
        if !line.posts() {
            return writeln!(
                out,
                "\n;; {day} {kind} {name}: {amount} {asset} from {} to {} ({})",
                booked.debit, booked.credit, line.movement.cause
            );
        }
        writeln!(out, "\n{day} * \"{kind}\" \"{name}\"")?;
        writeln!(out, "  seq: {}\n  time: \"{}\"", line.seq, moment(line.movement.timestamp_ns))?;
        writeln!(out, "  cause: \"{}\"", line.movement.cause)?;
        let command = line.command.filter(|command| *command != line.movement.cause);
        command.map_or(Ok(()), |command| writeln!(out, "  command: \"{command}\""))?;
        line.hold().map_or(Ok(()), |hold| writeln!(out, "  hold: \"{hold}\""))?;
        line.transfer.map_or(Ok(()), |transfer| writeln!(out, "  code: {}", transfer.code))?;
        line.reference.map_or(Ok(()), |reference| writeln!(out, "  reference: {}", beancount_text(reference)))?;
        line.channel.map_or(Ok(()), |channel| writeln!(out, "  channel: \"{channel}\""))?;
        line.receipts.iter().enumerate().try_for_each(|(at, receipt)| writeln!(out, "  receipt-{}: \"{receipt}\"", at + 1))?;
        writeln!(out, "  {}  {amount} {asset}", booked.debit)?;
        writeln!(out, "  {}  -{amount} {asset}", booked.credit)
    }

    /// A balance of beancount is that of the morning, and is exact only with `~ 0`.
    fn balances(&self, out: &mut dyn Write, day: Day, rows: &mut dyn Iterator<Item = Asserted<'_>>) -> io::Result<u64> {
        writeln!(out, "\n;; balances at the end of {day}")?;
        let (morning, mut count) = (day.next(), 0);
        for row in rows {
            let amount = row.net.books(row.asset.scale);
            writeln!(out, "{morning} balance {}  {amount} ~ 0 {}", row.account, commodity(row.asset))?;
            count += 1;
        }
        Ok(count)
    }
}
