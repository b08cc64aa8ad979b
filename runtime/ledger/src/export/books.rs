//! The books of an export: totals of every account from the movements alone, and what is written when.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use hansa_economy::channel::AccountId;
use hansa_economy::ledger::{Asset, Movement, State};

use super::error::ExportError;
use super::form::{Asserted, Booked, Form};
use super::names::account_name;
use crate::day::Day;
use crate::decimal::Net;
use crate::replay::{Line, ReplayError, Step, lines};

/// An account's row.
struct Row {
    name: String,
    asset: u32,
    net: Net,
}

pub(super) struct Books {
    rows: BTreeMap<AccountId, Row>,
    assets: BTreeMap<u32, Asset>,
    /// Accounts that moved since balances were written last.
    moved: BTreeSet<AccountId>,
    /// The day of the newest posted movement.
    day: Option<Day>,
    movements: u64,
    assertions: u64,
}

impl Books {
    pub(super) fn new() -> Books {
        Books { rows: BTreeMap::new(), assets: BTreeMap::new(), moved: BTreeSet::new(), day: None, movements: 0, assertions: 0 }
    }

    pub(super) fn movements(&self) -> u64 {
        self.movements
    }

    pub(super) fn assertions(&self) -> u64 {
        self.assertions
    }

    /// Write what one entry did.
    pub(super) fn step(&mut self, step: &Step<'_>, form: &dyn Form, out: &mut dyn Write) -> Result<(), ExportError> {
        if step.entry.seq == 1 {
            form.head(out, step.state.head())?;
        }
        self.declare(step, form, out)?;
        for line in lines(step) {
            self.movement(&line, form, out)?;
        }
        Ok(())
    }

    fn declare(&mut self, step: &Step<'_>, form: &dyn Form, out: &mut dyn Write) -> Result<(), ExportError> {
        for asset in step.changes.assets.iter().filter_map(|id| step.state.asset(*id)) {
            if form.units_max().is_some_and(|max| asset.issued.0 > max) {
                return Err(ExportError::TooLarge { code: asset.code.clone() });
            }
            if self.assets.insert(asset.id, asset.clone()).is_none() {
                form.asset(out, asset)?;
            }
        }
        for account in step.changes.accounts.iter().filter_map(|id| step.state.account(*id)) {
            if self.rows.contains_key(&account.id) {
                continue;
            }
            let asset = self.assets.get(&account.asset).ok_or(ExportError::Unexplained(account.id))?;
            let name = account_name(account, asset);
            form.account(out, account, &name, asset)?;
            self.rows.insert(account.id, Row { name, asset: account.asset, net: Net::default() });
        }
        Ok(())
    }

    fn movement(&mut self, line: &Line<'_>, form: &dyn Form, out: &mut dyn Write) -> Result<(), ExportError> {
        let Movement { debit, credit, amount, timestamp_ns, .. } = *line.movement;
        if line.posts() {
            let day = Day::of(timestamp_ns);
            if let Some(before) = self.day.filter(|before| before.month() != day.month()) {
                self.month_end(before.last_of_month(), form, out)?;
            }
            self.day = Some(day);
            let payer = self.row_mut(debit)?;
            payer.net = payer.net.debit(amount.0).ok_or(ExportError::Unexplained(debit))?;
            let payee = self.row_mut(credit)?;
            payee.net = payee.net.credit(amount.0).ok_or(ExportError::Unexplained(credit))?;
            self.moved.extend([debit, credit]);
        }
        self.movements += 1;
        let (debit, credit) = (self.row(debit)?, self.row(credit)?);
        let asset = self.assets.get(&debit.asset).ok_or_else(|| unknown(line))?;
        form.movement(out, &Booked { line, debit: &debit.name, credit: &credit.name, asset })?;
        Ok(())
    }

    /// The balances of the accounts that moved in the month; those of the others were asserted before.
    fn month_end(&mut self, day: Day, form: &dyn Form, out: &mut dyn Write) -> Result<(), ExportError> {
        let moved = std::mem::take(&mut self.moved);
        let mut rows = moved.iter().filter_map(|id| self.rows.get(id)).filter_map(|row| self.asserted(row));
        let written = form.balances(out, day, &mut rows)?;
        drop(rows);
        self.assertions += written;
        Ok(())
    }

    /// The balances of all accounts at the end of the log.
    pub(super) fn close(&mut self, day: Day, form: &dyn Form, out: &mut dyn Write) -> Result<(), ExportError> {
        let mut rows = self.rows.values().filter_map(|row| self.asserted(row));
        let written = form.balances(out, day, &mut rows)?;
        drop(rows);
        self.assertions += written;
        Ok(())
    }

    /// Do the movements explain the balances of `state`, account by account?
    pub(super) fn prove(&self, state: &State) -> Result<(), ExportError> {
        for account in state.accounts() {
            let row = self.row(account.id)?;
            if row.net != (Net { credits: account.credits_posted.0, debits: account.debits_posted.0 }) {
                return Err(ExportError::Unexplained(account.id));
            }
        }
        Ok(())
    }

    fn asserted<'a>(&'a self, row: &'a Row) -> Option<Asserted<'a>> {
        Some(Asserted { account: &row.name, net: row.net, asset: self.assets.get(&row.asset)? })
    }

    fn row(&self, id: AccountId) -> Result<&Row, ExportError> {
        self.rows.get(&id).ok_or(ExportError::Unexplained(id))
    }

    fn row_mut(&mut self, id: AccountId) -> Result<&mut Row, ExportError> {
        self.rows.get_mut(&id).ok_or(ExportError::Unexplained(id))
    }
}

fn unknown(line: &Line<'_>) -> ReplayError {
    ReplayError::Entry { seq: line.seq, reason: format!("asset {} was never created", line.movement.asset) }
}
