//! A notation for transfer cases, one event a line:
//!
//! ```text
//! account 1 limit                  an account; `limit` (debits), `cap` (credits), `asset=2`
//! 10 1 2 15 pending t=5 -> created 15
//! 11 0 0 max post p=10 -> created 15   words: linked pending post void bdebit bcredit cdebit ccredit; p= t= a= c= u= s= r=payee
//! wait 5                           seconds of log time
//! = 1 0 15 0 20                    debits pending, posted, credits pending, posted; a further `closed`
//! --                               ends a batch in the middle of a chain
//! ```

use super::*;
use crate::channel::AccountId;

/// Run a case; panics with the line that comes to something else.
pub(super) fn run(case: &str) {
    let mut table = Table::default();
    for line in case.lines().map(str::trim).filter(|line| !line.is_empty()) {
        table.line(line);
    }
    table.flush();
    audit::audit(table.world.state()).unwrap();
}

#[derive(Default)]
struct Table {
    world: Simulation,
    batch: Vec<(String, Transfer, String)>,
}

impl Table {
    fn line(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["--"] => self.flush(),
            ["wait", seconds] => {
                self.flush();
                self.world.advance(seconds.parse::<u64>().unwrap() * SECOND).unwrap();
            }
            ["account", id, rest @ ..] => self.account(id, rest),
            ["=", id, rest @ ..] => {
                self.flush();
                let account = self.world.state().account(AccountId(number(id))).unwrap();
                let mut found: Vec<String> =
                    [account.debits_pending, account.debits_posted, account.credits_pending, account.credits_posted]
                        .map(|a| a.0.to_string())
                        .into();
                found.extend(account.is_closed().then(|| "closed".into()));
                assert_eq!(found, rest, "{line}");
            }
            _ => self.event(line),
        }
    }

    fn account(&mut self, id: &str, rest: &[&str]) {
        let mut flags = AccountFlags::NONE;
        let mut asset = 1;
        for word in rest {
            match *word {
                "limit" => flags = flags.with(AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS),
                "cap" => flags = flags.with(AccountFlags::CREDITS_MUST_NOT_EXCEED_DEBITS),
                other => asset = other.strip_prefix("asset=").unwrap().parse().unwrap(),
            }
        }
        let event = AccountEvent { id: AccountId(number(id)), asset, code: 1, flags, ..AccountEvent::default() };
        assert_eq!(self.world.accounts(&[event]).unwrap()[0].status, AccountStatus::Created);
    }

    fn event(&mut self, line: &str) {
        let (event, expected) = line.split_once("->").unwrap();
        let transfer = parse(event);
        let linked = transfer.flags.has(TransferFlags::LINKED);
        self.batch.push((line.to_owned(), transfer, expected.trim().to_owned()));
        if !linked {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        if batch.is_empty() {
            return;
        }
        let transfers: Vec<_> = batch.iter().map(|(_, transfer, _)| transfer.clone()).collect();
        let results = self.world.transfers(&transfers).unwrap();
        for ((line, _, expected), result) in batch.iter().zip(results) {
            let found = match result.status.is_done() {
                true => format!("{} {}", result.status, result.amount.0),
                false => result.status.to_string(),
            };
            assert_eq!(&found, expected, "{line}");
        }
        audit::audit(self.world.state()).unwrap();
    }
}

fn parse(event: &str) -> Transfer {
    let words: Vec<&str> = event.split_whitespace().collect();
    let [id, debit, credit, amount, rest @ ..] = words.as_slice() else { panic!("{event}") };
    let (debit, credit, amount) = (AccountId(number(debit)), AccountId(number(credit)), Amount(number(amount)));
    let mut transfer = Transfer { id: Id128(number(id)), debit, credit, amount, ..Transfer::default() };
    let resolving = rest.iter().any(|word| matches!(*word, "post" | "void"));
    (transfer.asset, transfer.code) = if resolving { (0, 0) } else { (1, 1) };
    for word in rest {
        match word.split_once('=') {
            Some(("p", id)) => transfer.pending_id = Id128(number(id)),
            Some(("t", seconds)) => transfer.timeout_s = seconds.parse().unwrap(),
            Some(("a", asset)) => transfer.asset = asset.parse().unwrap(),
            Some(("c", code)) => transfer.code = code.parse().unwrap(),
            Some(("u", data)) => transfer.user_data_128 = Id128(number(data)),
            Some(("v", data)) => transfer.user_data_64 = data.parse().unwrap(),
            Some(("w", data)) => transfer.user_data_32 = data.parse().unwrap(),
            Some(("s", stamp)) => transfer.timestamp_ns = stamp.parse().unwrap(),
            Some(("r", "payee")) => transfer.posted_by = HoldRule::Payee,
            _ => transfer.flags = transfer.flags.with(flag(word)),
        }
    }
    transfer
}

fn flag(word: &str) -> TransferFlags {
    match word {
        "linked" => TransferFlags::LINKED,
        "pending" => TransferFlags::PENDING,
        "post" => TransferFlags::POST_PENDING,
        "void" => TransferFlags::VOID_PENDING,
        "bdebit" => TransferFlags::BALANCING_DEBIT,
        "bcredit" => TransferFlags::BALANCING_CREDIT,
        "cdebit" => TransferFlags::CLOSING_DEBIT,
        "ccredit" => TransferFlags::CLOSING_CREDIT,
        "reserved" => TransferFlags(1 << 12),
        other => panic!("{other}"),
    }
}

fn number(word: &str) -> u128 {
    match word {
        "max" => u128::MAX,
        "max-1" => u128::MAX - 1,
        word => word.parse().unwrap(),
    }
}
