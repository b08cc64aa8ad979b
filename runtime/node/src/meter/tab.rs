//! An agent's tab: holds on its account, charges on them, and their settling.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hansa_economy::channel::AccountId;
use hansa_economy::ledger::{Transfer, TransferFlags, TransferId, TransferStatus};
use hansa_economy::{Amount, Digest, Keypair};
use hansa_inference::{Charge, Error, Funds, Hold, HoldFuture, Result};
use hansa_trade::LedgerError;

use super::books::Record;
use super::journal::{Meter, MeterError};
use crate::ambient;
use crate::ledger::LinkPort;

/// Code of transfers that pay for inference.
const CODE_INFERENCE: u16 = 3;
/// What is held at once, at least: a thousand small requests, so that few of them wait for the ledger.
const BLOCK: u64 = 20_000;
/// A hold lets go by itself after so many seconds; long after every settling, should this node never come back.
const HOLD_LIFE_S: u32 = 24 * 60 * 60;

/// Who pays whom, and how much trust there is.
#[derive(Clone)]
pub struct TabOptions {
    /// The asset.
    pub asset: u32,
    /// The agent's account.
    pub account: AccountId,
    /// The agent's key.
    pub key: Arc<Keypair>,
    /// The operator's account.
    pub operator: AccountId,
    /// What the agent may owe while its account is empty, in the asset's smallest unit.
    pub credit: u64,
}

/// The tab. Cheap to clone.
#[derive(Clone)]
pub struct Tab(Arc<Inner>);

struct Inner {
    options: TabOptions,
    meter: Meter,
    ledger: LinkPort,
    state: Mutex<State>,
    /// One hold is asked for at a time, and one settling done.
    opening: tokio::sync::Mutex<()>,
    settling: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    /// Holds of this process, the newest last.
    holds: Vec<Open>,
    /// Reserved on credit by requests under way.
    on_credit: u64,
    /// The hold that is being asked for.
    opening: Option<TransferId>,
}

/// A hold that the ledger has granted.
struct Open {
    id: TransferId,
    /// Not yet reserved by a request.
    free: u64,
    /// Reserved by requests under way, and not charged.
    reserved: u64,
    /// No request may reserve any more.
    closed: bool,
}

/// What a request's money comes from.
#[derive(Clone, Copy)]
enum Source {
    Held(TransferId),
    Credit,
}

/// How the resolution of a hold ended.
enum Resolved {
    Done,
    /// The hold is gone without it.
    Gone,
}

/// A hold that is being asked for: it stands in the journal, and is not to be settled yet.
struct Opening<'a>(&'a Tab);

impl<'a> Opening<'a> {
    fn of(tab: &'a Tab, id: TransferId) -> Self {
        tab.lock().opening = Some(id);
        Self(tab)
    }
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        self.0.lock().opening = None;
    }
}

impl Tab {
    /// The tab of one agent. What a process before this one left open is settled with the next [`Tab::settle`].
    pub fn new(options: TabOptions, meter: Meter, ledger: LinkPort) -> Tab {
        let (state, opening, settling) = Default::default();
        Tab(Arc::new(Inner { options, meter, ledger, state, opening, settling }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fresh_id() -> TransferId {
        TransferId::from_time(ambient::now_ms(), u128::from_le_bytes(ambient::random()))
    }

    /// Reserves on a hold that there is.
    fn reserve(&self, most: u64) -> Option<Source> {
        let mut state = self.lock();
        let open = state.holds.iter_mut().rev().find(|open| !open.closed && open.free >= most)?;
        open.free -= most;
        open.reserved += most;
        Some(Source::Held(open.id))
    }

    async fn source(&self, most: u64) -> Result<Source> {
        if let Some(source) = self.reserve(most) {
            return Ok(source);
        }
        let _one = self.0.opening.lock().await;
        if let Some(source) = self.reserve(most) {
            return Ok(source);
        }
        match self.open(most).await? {
            Some(id) => Ok(Source::Held(id)),
            None => self.reserve_credit(most),
        }
    }

    /// Holds a block, or what there is of it; none where that is less than `most`.
    async fn open(&self, most: u64) -> Result<Option<TransferId>> {
        let TabOptions { asset, account, operator, .. } = self.0.options;
        let id = Tab::fresh_id();
        let _opening = Opening::of(self, id);
        self.0.meter.write_durably(&Record::Hold { id, account }).map_err(unwritten)?;
        let hold = Transfer {
            id,
            debit: account,
            credit: operator,
            amount: Amount(most.max(BLOCK).into()),
            timeout_s: HOLD_LIFE_S,
            asset,
            code: CODE_INFERENCE,
            flags: TransferFlags::PENDING.with(TransferFlags::BALANCING_DEBIT),
            ..Transfer::default()
        };
        let result = self.0.ledger.transfer(hold, &self.0.options.key).await.map_err(|error| unreachable_ledger(&error))?;
        let amount = u64::try_from(result.amount.0).unwrap_or(u64::MAX);
        if result.status.is_done() && amount >= most {
            // It counts as busy before it stops being asked for.
            let open = Open { id, free: amount - most, reserved: most, closed: false };
            self.lock().holds.push(open);
            return Ok(Some(id));
        }
        if result.status.is_done() {
            self.resolve(id, 0).await.map_err(|error| unreachable_ledger(&error))?;
        }
        self.0.meter.write(&Record::Lapsed { id }).map_err(unwritten)?;
        Ok(None)
    }

    fn reserve_credit(&self, most: u64) -> Result<Source> {
        let TabOptions { account, credit, .. } = self.0.options;
        let mut state = self.lock();
        // Under the lock, else a charge could leave `on_credit` and not yet stand in `owed`.
        let owed = self.0.meter.owed_by(account);
        if owed.saturating_add(state.on_credit).saturating_add(most) > credit {
            return Err(Error::NotPermitted(format!(
                "account {account} cannot pay {} for inference, and owes the operator {} already; fund it: `hansa account pay {account} AMOUNT`",
                Amount(most.into()),
                Amount(owed.into()),
            )));
        }
        state.on_credit += most;
        Ok(Source::Credit)
    }

    /// Pays what was charged out of the holds, lets go of the rest, and pays what is owed. What cannot be done now is done by
    /// the next settling.
    ///
    /// # Errors
    /// In words for the agent's log.
    pub async fn settle(&self) -> std::result::Result<(), String> {
        let _one = self.0.settling.lock().await;
        let ready = self.close_quiet_holds();
        let mut problem = self.0.meter.sync().map_err(|error| error.to_string()).err();
        for id in ready {
            problem = self.settle_hold(id).await.err().or(problem);
        }
        problem = self.settle_debt().await.err().or(problem);
        problem.map_or(Ok(()), Err)
    }

    /// Holds on which no request is under way take no more requests, and can be resolved. So can those of a process before
    /// this one.
    fn close_quiet_holds(&self) -> Vec<TransferId> {
        let on_account = self.0.meter.holds_on(self.0.options.account);
        let mut state = self.lock();
        state.holds.iter_mut().for_each(|open| open.closed = true);
        let busy =
            |id: &TransferId| state.opening == Some(*id) || state.holds.iter().any(|open| open.id == *id && open.reserved > 0);
        let ready: Vec<TransferId> = on_account.into_iter().map(|(id, _)| id).filter(|id| !busy(id)).collect();
        state.holds.retain(|open| open.reserved > 0);
        ready
    }

    async fn settle_hold(&self, id: TransferId) -> std::result::Result<(), String> {
        let record = match self.resolve(id, self.0.meter.charged(id)).await {
            Ok(Resolved::Done) => Record::Posted { id },
            Ok(Resolved::Gone) => Record::Lapsed { id },
            Err(error) => return Err(format!("inference could not be paid: {error}")),
        };
        self.0.meter.write_durably(&record).map_err(|error| error.to_string())
    }

    /// Posts `charged` of a hold, or voids it.
    async fn resolve(&self, id: TransferId, charged: u64) -> std::result::Result<Resolved, LedgerError> {
        let flags = if charged > 0 { TransferFlags::POST_PENDING } else { TransferFlags::VOID_PENDING };
        let end = Transfer { id: Tab::fresh_id(), pending_id: id, amount: Amount(charged.into()), flags, ..Transfer::default() };
        let result = self.0.ledger.transfer(end, &self.0.options.key).await?;
        match result.status {
            status if status.is_done() => Ok(Resolved::Done),
            // By the process before this one, which did not come to write it down.
            TransferStatus::PendingTransferAlreadyPosted => Ok(Resolved::Done),
            TransferStatus::PendingTransferNotFound
            | TransferStatus::PendingTransferAlreadyVoided
            | TransferStatus::PendingTransferExpired => Ok(Resolved::Gone),
            status => Err(LedgerError {
                message: format!("the ledger refused to resolve hold {id}: {}", status.name()),
                reason: None,
                is_short: false,
                may_pass: true,
            }),
        }
    }

    async fn settle_debt(&self) -> std::result::Result<(), String> {
        let TabOptions { account, .. } = self.0.options;
        for (id, payment) in self.0.meter.payments_of(account) {
            self.pay(id, payment.amount).await?;
        }
        let amount = self.0.meter.owed_by(account);
        if amount == 0 {
            return Ok(());
        }
        let id = Tab::fresh_id();
        self.0.meter.write_durably(&Record::Pay { id, account, amount }).map_err(|error| error.to_string())?;
        self.pay(id, amount).await
    }

    /// Carries out a payment that the journal names. The same id pays once, however often it is tried.
    async fn pay(&self, id: TransferId, amount: u64) -> std::result::Result<(), String> {
        let TabOptions { asset, account, operator, .. } = self.0.options;
        let amount = Amount(amount.into());
        let transfer =
            Transfer { id, debit: account, credit: operator, amount, asset, code: CODE_INFERENCE, ..Transfer::default() };
        let owes = |why: &dyn std::fmt::Display| {
            Err(format!("owes the operator {amount} for inference, which could not be paid: {why}"))
        };
        let (record, refused) = match self.0.ledger.transfer(transfer, &self.0.options.key).await {
            Ok(result) if result.status.is_done() => (Record::Paid { id }, None),
            Ok(result) => (Record::Unpaid { id }, Some(result.status.name())),
            Err(error) => return owes(&error),
        };
        self.0.meter.write_durably(&record).map_err(|error| error.to_string())?;
        refused.map_or(Ok(()), |name| owes(&name))
    }

    /// A request's money moves from `reserved` to charged, or back.
    fn unreserve(&self, source: Source, amount: u64, charged: bool) {
        let mut state = self.lock();
        match source {
            Source::Credit => state.on_credit = state.on_credit.saturating_sub(amount),
            Source::Held(id) => {
                if let Some(open) = state.holds.iter_mut().find(|open| open.id == id) {
                    open.reserved = open.reserved.saturating_sub(amount);
                    open.free += if charged { 0 } else { amount };
                }
            }
        }
    }
}

impl Funds for Tab {
    fn hold(&self, most: u64) -> HoldFuture<'_> {
        Box::pin(async move {
            let source = if most == 0 { None } else { Some(self.source(most).await?) };
            let tab = self.clone();
            Ok(Box::new(Reservation { tab, source, left: AtomicU64::new(most) }) as Box<dyn Hold>)
        })
    }
}

/// One request's part of a hold.
struct Reservation {
    tab: Tab,
    source: Option<Source>,
    left: AtomicU64,
}

impl Hold for Reservation {
    fn charge(&self, charge: &Charge) -> Result<()> {
        let Some(source) = self.source.filter(|_| charge.cost > 0) else { return Ok(()) };
        let taken = self.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(charge.cost));
        if taken.is_err() {
            return Err(Error::Backend(format!("a charge of {} is above what was held", charge.cost)));
        }
        let hold = if let Source::Held(id) = source { Some(id) } else { None };
        let (account, model) = (self.tab.0.options.account, Digest(charge.model));
        let Charge { input_units: input, output_units: output, cost, .. } = *charge;
        let written = self.tab.0.meter.write(&Record::Charge { hold, account, model, input, output, cost });
        self.tab.unreserve(source, cost, written.is_ok());
        written.map_err(unwritten)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if let Some(source) = self.source {
            self.tab.unreserve(source, *self.left.get_mut(), false);
        }
    }
}

fn unwritten(error: MeterError) -> Error {
    Error::Backend(error.to_string())
}

fn unreachable_ledger(error: &LedgerError) -> Error {
    Error::Backend(format!("inference cannot be paid for now: {error}; try again"))
}
