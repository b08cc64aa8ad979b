//! The reference's transfers.

use crate::reference::*;

impl Event for Transfer {
    fn id(&self) -> u128 {
        self.id
    }

    fn is_linked(&self) -> bool {
        self.has(LINKED)
    }

    fn create(&self, world: &mut World) -> Outcome {
        let mut found = Found::new(TRANSFER_ORDER);
        found.when(self.timestamp != 0, "timestamp_must_be_zero");
        found.when(self.flags > 0xff, "reserved_flag");
        found.when(self.id == 0, "id_must_not_be_zero");
        found.when(self.id == u128::MAX, "id_must_not_be_int_max");
        let earlier = world.transfers.get(&self.id);
        match earlier {
            Some(Some((earlier, _))) => self.compare(world, earlier, &mut found),
            Some(None) => found.when(true, "id_already_failed"),
            None => {}
        }
        let resolves = self.has(POST | VOID);
        let amount = match resolves {
            true => self.judge_resolution(world, &mut found),
            false => self.judge_movement(world, &mut found),
        };
        let reasons = found.in_order();
        let status = reasons.first().copied().unwrap_or("created");
        let (timestamp, amount) = match (status, earlier) {
            ("created", _) => (world.now, amount),
            ("exists", Some(Some((earlier, _)))) => (earlier.timestamp, earlier.amount),
            _ => (world.now, 0),
        };
        match (status, resolves) {
            ("created", true) => self.resolve(world, amount),
            ("created", false) => self.book(world, amount),
            _ => {}
        }
        Outcome { status, timestamp, amount, reasons }
    }
}

impl Transfer {
    /// How does it differ from the one that has its id?
    fn compare(&self, world: &World, earlier: &Transfer, found: &mut Found) {
        let resolves = self.has(POST | VOID);
        let hold = match world.transfers.get(&earlier.pending_id) {
            Some(Some((hold, _))) if resolves => hold.clone(),
            _ => Transfer::default(),
        };
        // A post or void may leave out what it takes over from the hold.
        let inherits = |field: u128| resolves && field == 0;
        let same_amount = match () {
            () if self.has(POST) && self.amount == u128::MAX => earlier.amount == hold.amount,
            () if self.has(VOID) && self.amount == 0 => true,
            () if self.has(BALANCING_DEBIT | BALANCING_CREDIT) => self.amount >= earlier.amount,
            () => self.amount == earlier.amount,
        };
        let expected = (
            if inherits(self.data.0) { hold.data.0 } else { self.data.0 },
            if inherits(self.data.1.into()) { hold.data.1 } else { self.data.1 },
            if inherits(self.data.2.into()) { hold.data.2 } else { self.data.2 },
        );
        found.when(self.flags != earlier.flags, "exists_with_different_flags");
        found.when(self.pending_id != earlier.pending_id, "exists_with_different_pending_id");
        found.when(self.timeout != earlier.timeout, "exists_with_different_timeout");
        found.when(!inherits(self.debit) && self.debit != earlier.debit, "exists_with_different_debit_account_id");
        found.when(!inherits(self.credit) && self.credit != earlier.credit, "exists_with_different_credit_account_id");
        found.when(!same_amount, "exists_with_different_amount");
        found.when(expected.0 != earlier.data.0, "exists_with_different_user_data_128");
        found.when(expected.1 != earlier.data.1, "exists_with_different_user_data_64");
        found.when(expected.2 != earlier.data.2, "exists_with_different_user_data_32");
        found.when(!inherits(self.asset.into()) && self.asset != earlier.asset, "exists_with_different_ledger");
        found.when(!inherits(self.code.into()) && self.code != earlier.code, "exists_with_different_code");
        found.when(self.by_payee != earlier.by_payee, "exists_with_different_posted_by");
        found.when(true, "exists");
    }

    /// What is wrong with it as a movement or hold; what it would move.
    fn judge_movement(&self, world: &World, found: &mut Found) -> u128 {
        let hold = self.has(PENDING);
        found.when(self.debit == 0, "debit_account_id_must_not_be_zero");
        found.when(self.debit == u128::MAX, "debit_account_id_must_not_be_int_max");
        found.when(self.credit == 0, "credit_account_id_must_not_be_zero");
        found.when(self.credit == u128::MAX, "credit_account_id_must_not_be_int_max");
        found.when(self.debit == self.credit, "accounts_must_be_different");
        found.when(self.pending_id != 0, "pending_id_must_be_zero");
        found.when(!hold && self.timeout != 0, "timeout_reserved_for_pending_transfer");
        found.when(!hold && self.has(CLOSING_DEBIT | CLOSING_CREDIT), "closing_transfer_must_be_pending");
        found.when(!hold && self.by_payee, "posted_by_reserved_for_pending_transfer");
        found.when(self.by_payee && self.timeout == 0, "payee_hold_needs_timeout");
        found.when(self.asset == 0, "ledger_must_not_be_zero");
        found.when(self.code == 0, "code_must_not_be_zero");
        let (debit, credit) = (world.accounts.get(&self.debit), world.accounts.get(&self.credit));
        found.when(debit.is_none(), "debit_account_not_found");
        found.when(credit.is_none(), "credit_account_not_found");
        let end = u128::from(world.now) + u128::from(self.timeout) * u128::from(SECOND);
        found.when(end > u128::from(END_OF_TIME), "overflows_timeout");
        let (Some(debit), Some(credit)) = (debit, credit) else { return 0 };
        found.when(debit.asset != credit.asset, "accounts_must_have_the_same_ledger");
        found.when(self.asset != debit.asset, "transfer_must_have_the_same_ledger_as_accounts");
        found.when(debit.flags & CLOSED != 0, "debit_account_already_closed");
        found.when(credit.flags & CLOSED != 0, "credit_account_already_closed");
        let amount = self.clamped(debit, credit);
        self.judge_totals(debit, credit, amount, found);
        amount
    }

    /// Balancing takes no more than its side can give.
    fn clamped(&self, debit: &Account, credit: &Account) -> u128 {
        let mut amount = self.amount;
        if self.has(BALANCING_DEBIT) {
            let spent = debit.debits_posted + debit.debits_pending;
            amount = amount.min(debit.credits_posted.saturating_sub(spent));
        }
        if self.has(BALANCING_CREDIT) {
            let taken = credit.credits_posted + credit.credits_pending;
            amount = amount.min(credit.debits_posted.saturating_sub(taken));
        }
        amount
    }

    fn judge_totals(&self, debit: &Account, credit: &Account, amount: u128, found: &mut Found) {
        let hold = self.has(PENDING);
        let debits = (debit.debits_pending + debit.debits_posted).checked_add(amount);
        let credits = (credit.credits_pending + credit.credits_posted).checked_add(amount);
        found.when(hold && debit.debits_pending.checked_add(amount).is_none(), "overflows_debits_pending");
        found.when(hold && credit.credits_pending.checked_add(amount).is_none(), "overflows_credits_pending");
        found.when(debit.debits_posted.checked_add(amount).is_none(), "overflows_debits_posted");
        found.when(credit.credits_posted.checked_add(amount).is_none(), "overflows_credits_posted");
        found.when(debits.is_none(), "overflows_debits");
        found.when(credits.is_none(), "overflows_credits");
        let limited = debit.flags & LIMIT_DEBITS != 0;
        found.when(limited && debits.is_none_or(|debits| debits > debit.credits_posted), "exceeds_credits");
        let limited = credit.flags & LIMIT_CREDITS != 0;
        found.when(limited && credits.is_none_or(|credits| credits > credit.debits_posted), "exceeds_debits");
    }

    /// What is wrong with it as a post or void; what it would post or release.
    fn judge_resolution(&self, world: &World, found: &mut Found) -> u128 {
        let others = PENDING | BALANCING_DEBIT | BALANCING_CREDIT | CLOSING_DEBIT | CLOSING_CREDIT;
        found.when(self.has(POST) && self.has(VOID) || self.has(others), "flags_are_mutually_exclusive");
        found.when(self.pending_id == 0, "pending_id_must_not_be_zero");
        found.when(self.pending_id == u128::MAX, "pending_id_must_not_be_int_max");
        found.when(self.pending_id == self.id, "pending_id_must_be_different");
        found.when(self.timeout != 0, "timeout_reserved_for_pending_transfer");
        found.when(self.by_payee, "posted_by_reserved_for_pending_transfer");
        let Some(Some((hold, state))) = world.transfers.get(&self.pending_id) else {
            found.when(true, "pending_transfer_not_found");
            return 0;
        };
        found.when(*state == Hold::None, "pending_transfer_not_pending");
        found.when(self.debit != 0 && self.debit != hold.debit, "pending_transfer_has_different_debit_account_id");
        found.when(self.credit != 0 && self.credit != hold.credit, "pending_transfer_has_different_credit_account_id");
        found.when(self.asset != 0 && self.asset != hold.asset, "pending_transfer_has_different_ledger");
        found.when(self.code != 0 && self.code != hold.code, "pending_transfer_has_different_code");
        let all = if self.has(VOID) { 0 } else { u128::MAX };
        let amount = if self.amount == all { hold.amount } else { self.amount };
        found.when(amount > hold.amount, "exceeds_pending_transfer_amount");
        found.when(self.has(VOID) && amount != hold.amount, "pending_transfer_has_different_amount");
        found.when(*state == Hold::Posted, "pending_transfer_already_posted");
        found.when(*state == Hold::Voided, "pending_transfer_already_voided");
        found.when(*state == Hold::Expired, "pending_transfer_expired");
        let closed = |id: u128| world.accounts[&id].flags & CLOSED != 0;
        found.when(self.has(POST) && closed(hold.debit), "debit_account_already_closed");
        found.when(self.has(POST) && closed(hold.credit), "credit_account_already_closed");
        amount
    }

    fn book(&self, world: &mut World, amount: u128) {
        let debit = world.accounts.get_mut(&self.debit).unwrap();
        *(if self.has(PENDING) { &mut debit.debits_pending } else { &mut debit.debits_posted }) += amount;
        debit.flags |= if self.has(CLOSING_DEBIT) { CLOSED } else { 0 };
        let credit = world.accounts.get_mut(&self.credit).unwrap();
        *(if self.has(PENDING) { &mut credit.credits_pending } else { &mut credit.credits_posted }) += amount;
        credit.flags |= if self.has(CLOSING_CREDIT) { CLOSED } else { 0 };
        let hold = if self.has(PENDING) { Hold::Open } else { Hold::None };
        world.transfers.insert(self.id, Some((Transfer { amount, timestamp: world.now, ..self.clone() }, hold)));
    }

    fn resolve(&self, world: &mut World, amount: u128) {
        let (hold, state) = world.transfers.get_mut(&self.pending_id).unwrap().as_mut().unwrap();
        *state = if self.has(POST) { Hold::Posted } else { Hold::Voided };
        let hold = hold.clone();
        world.release(&hold, self.has(VOID));
        if self.has(POST) {
            world.accounts.get_mut(&hold.debit).unwrap().debits_posted += amount;
            world.accounts.get_mut(&hold.credit).unwrap().credits_posted += amount;
        }
        let own = self.data;
        let data = (
            if own.0 == 0 { hold.data.0 } else { own.0 },
            if own.1 == 0 { hold.data.1 } else { own.1 },
            if own.2 == 0 { hold.data.2 } else { own.2 },
        );
        let (debit, credit, asset, code) = (hold.debit, hold.credit, hold.asset, hold.code);
        let kept = Transfer { debit, credit, amount, asset, code, data, timestamp: world.now, ..self.clone() };
        world.transfers.insert(self.id, Some((kept, Hold::None)));
    }
}
