//! What an export's form is asked to write, piece by piece in the order of the log.

use std::io::{self, Write};

use hansa_economy::ledger::{Account, Asset, Head};

use super::ExportFormat;
use super::beancount::Beancount;
use super::csv::Csv;
use super::hledger::Hledger;
use super::jsonl::Jsonl;
use crate::day::Day;
use crate::decimal::{Net, decimal};
use crate::replay::Line;

/// A line with the names of what it moves between.
pub(super) struct Booked<'a> {
    pub(super) line: &'a Line<'a>,
    pub(super) debit: &'a str,
    pub(super) credit: &'a str,
    pub(super) asset: &'a Asset,
}

/// What an account comes to at the end of a day.
pub(super) struct Asserted<'a> {
    pub(super) account: &'a str,
    pub(super) net: Net,
    pub(super) asset: &'a Asset,
}

/// A way to write. Forms without declarations or assertions leave those out.
pub(super) trait Form {
    /// The most units of an asset whose sums the readers of this form get right; none: no limit.
    fn units_max(&self) -> Option<u128> {
        None
    }

    /// Before all else.
    fn head(&self, out: &mut dyn Write, head: &Head) -> io::Result<()>;

    /// A new asset.
    fn asset(&self, _out: &mut dyn Write, _asset: &Asset) -> io::Result<()> {
        Ok(())
    }

    /// A new account; `name` is its name here.
    fn account(&self, _out: &mut dyn Write, _account: &Account, _name: &str, _asset: &Asset) -> io::Result<()> {
        Ok(())
    }

    /// A movement.
    fn movement(&self, out: &mut dyn Write, booked: &Booked<'_>) -> io::Result<()>;

    /// These are the balances when `day` ends. How many were asserted?
    fn balances(&self, _out: &mut dyn Write, _day: Day, _rows: &mut dyn Iterator<Item = Asserted<'_>>) -> io::Result<u64> {
        Ok(0)
    }
}

impl Booked<'_> {
    pub(super) fn amount(&self) -> String {
        decimal(self.line.movement.amount.0, self.asset.scale)
    }

    pub(super) fn day(&self) -> Day {
        Day::of(self.line.movement.timestamp_ns)
    }
}

pub(super) fn of(format: ExportFormat) -> Box<dyn Form> {
    match format {
        ExportFormat::Beancount => Box::new(Beancount),
        ExportFormat::Hledger => Box::new(Hledger),
        ExportFormat::Csv => Box::new(Csv),
        ExportFormat::Jsonl => Box::new(Jsonl),
    }
}
