//! The reference's accounts.

use crate::reference::{ACCOUNT_ORDER, Account, Event, Found, LIMIT_CREDITS, LIMIT_DEBITS, LINKED, Outcome, World};

/// The flags that mean something; TigerBeetle's `imported`, 16, is reserved.
const KNOWN: u16 = 1 | 2 | 4 | 8 | 32;

impl Event for Account {
    fn id(&self) -> u128 {
        self.id
    }

    fn is_linked(&self) -> bool {
        self.flags & LINKED != 0
    }

    fn create(&self, world: &mut World) -> Outcome {
        let mut found = Found::new(ACCOUNT_ORDER);
        found.when(self.timestamp != 0, "timestamp_must_be_zero");
        found.when(self.flags & !KNOWN != 0, "reserved_flag");
        found.when(self.id == 0, "id_must_not_be_zero");
        found.when(self.id == u128::MAX, "id_must_not_be_int_max");
        let earlier = world.accounts.get(&self.id);
        if let Some(earlier) = earlier {
            found.when(self.flags != earlier.flags, "exists_with_different_flags");
            found.when(self.data.0 != earlier.data.0, "exists_with_different_user_data_128");
            found.when(self.data.1 != earlier.data.1, "exists_with_different_user_data_64");
            found.when(self.data.2 != earlier.data.2, "exists_with_different_user_data_32");
            found.when(self.asset != earlier.asset, "exists_with_different_ledger");
            found.when(self.code != earlier.code, "exists_with_different_code");
            found.when(true, "exists");
        }
        found.when(self.flags & (LIMIT_DEBITS | LIMIT_CREDITS) == LIMIT_DEBITS | LIMIT_CREDITS, "flags_are_mutually_exclusive");
        found.when(self.debits_pending != 0, "debits_pending_must_be_zero");
        found.when(self.debits_posted != 0, "debits_posted_must_be_zero");
        found.when(self.credits_pending != 0, "credits_pending_must_be_zero");
        found.when(self.credits_posted != 0, "credits_posted_must_be_zero");
        found.when(self.asset == 0, "ledger_must_not_be_zero");
        found.when(self.code == 0, "code_must_not_be_zero");
        let reasons = found.in_order();
        let status = reasons.first().copied().unwrap_or("created");
        let timestamp = earlier.filter(|_| status == "exists").map_or(world.now, |earlier| earlier.timestamp);
        if status == "created" {
            world.accounts.insert(self.id, Account { timestamp, ..self.clone() });
        }
        Outcome { status, timestamp, amount: 0, reasons }
    }
}
