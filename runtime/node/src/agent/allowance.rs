//! What an agent may spend between two midnights, UTC. Counted before it is spent, so that a crash never widens the limit.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hansa_economy::Amount;
use serde::{Deserialize, Serialize};

use crate::ambient;

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;
/// Into so many parts the limit is cut: what is on disk runs ahead of what is spent by one of them at most.
const PARTS: u128 = 64;

/// The limit and what is spent of it. Clones share it.
#[derive(Clone)]
pub(crate) struct Allowance {
    inner: Arc<Inner>,
}

struct Inner {
    limit: Amount,
    file: PathBuf,
    day: Mutex<Day>,
}

/// One day.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Day {
    /// Days since 1970-01-01.
    day: u64,
    /// What is spent or set aside, smallest unit.
    #[serde(skip)]
    spent: u128,
    /// What the file says is spent: at least as much.
    noted: u64,
}

/// Money set aside for one purchase. Dropped, it counts as spent: nobody knows then what became of it.
pub(crate) struct SetAside {
    allowance: Allowance,
    pub(crate) amount: Amount,
    day: u64,
}

impl Allowance {
    /// The limit of an agent, going on with what `file` says of today.
    pub(crate) fn open(limit: Amount, file: PathBuf) -> Allowance {
        let stored: Option<Day> = std::fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let today = today();
        let day = stored
            .filter(|stored| stored.day == today)
            .map_or(Day { day: today, ..Day::default() }, |stored| Day { spent: stored.noted.into(), ..stored });
        Allowance { inner: Arc::new(Inner { limit, file, day: Mutex::new(day) }) }
    }

    /// Spent and left today.
    pub(crate) fn today(&self) -> (Amount, Amount) {
        let day = self.lock();
        (Amount(day.spent), self.inner.limit.saturating_sub(Amount(day.spent)))
    }

    /// Sets aside `wanted`, or as much as is left. Error: nothing is left, or `wanted` is needed whole and there is less.
    pub(crate) fn set_aside(&self, wanted: Amount, whole: bool) -> Result<SetAside, String> {
        let mut day = self.lock();
        let left = self.inner.limit.saturating_sub(Amount(day.spent));
        let amount = wanted.min(left);
        if amount == Amount::ZERO && wanted > Amount::ZERO || whole && amount < wanted {
            return Err(format!(
                "the agent's own limit of {} a day leaves {left} until midnight UTC; agent.toml says it with wallet.spend-per-day",
                self.inner.limit
            ));
        }
        day.spent += amount.0;
        self.note(&mut day)?;
        Ok(SetAside { allowance: self.clone(), amount, day: day.day })
    }

    /// At a clean end: what stands on disk is what was spent, so that the next start has all that is left.
    pub(crate) fn close(&self) {
        let mut day = self.lock();
        day.noted = u64::try_from(day.spent).unwrap_or(u64::MAX);
        if let Err(error) = self.write(&day) {
            tracing::warn!("{error}; less than is left may be spent today");
        }
    }

    /// Today's numbers; a new day begins at nothing.
    fn lock(&self) -> MutexGuard<'_, Day> {
        let mut day = self.inner.day.lock().unwrap_or_else(PoisonError::into_inner);
        let today = today();
        if day.day != today {
            *day = Day { day: today, ..Day::default() };
        }
        day
    }

    /// Writes ahead of what is spent.
    fn note(&self, day: &mut Day) -> Result<(), String> {
        if day.spent <= day.noted.into() {
            return Ok(());
        }
        let limit = self.inner.limit.0;
        let ahead = (day.spent + limit / PARTS).min(limit.max(day.spent));
        day.noted = u64::try_from(ahead).unwrap_or(u64::MAX);
        self.write(day)
    }

    fn write(&self, day: &Day) -> Result<(), String> {
        let bytes = serde_json::to_vec(day).expect("numbers are plain data");
        let unfinished = self.inner.file.with_extension("new");
        let written = std::fs::write(&unfinished, bytes).and_then(|()| std::fs::rename(&unfinished, &self.inner.file));
        written.map_err(|error| format!("the spending limit cannot be kept in {}: {error}", self.inner.file.display()))
    }
}

impl SetAside {
    /// What it really cost; the rest may be spent again.
    pub(crate) fn settle(self, cost: Amount) {
        let mut day = self.allowance.lock();
        if day.day == self.day {
            day.spent = day.spent.saturating_sub(self.amount.saturating_sub(cost).0);
        }
    }
}

fn today() -> u64 {
    ambient::now_ms() / DAY_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clean_end_gives_back_what_was_set_aside_and_not_spent() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Allowance::open(Amount(640_000), folder.path().join("spending.json"));
        let allowance = open();
        allowance.set_aside(Amount(100_000), false).unwrap().settle(Amount(1_562));
        let unknown = allowance.set_aside(Amount(38), true).unwrap();
        assert!(open().today().1 < Amount(638_400), "before it, the disk is ahead");
        allowance.close();
        assert_eq!(open().today(), (Amount(1_600), Amount(638_400)));
        // What ends after it is only ever counted as more.
        drop(unknown);
        allowance.set_aside(Amount(5_000), true).unwrap().settle(Amount(5_000));
        assert!(open().today().0 >= Amount(6_600));
    }

    #[test]
    fn nothing_is_spent_beyond_the_limit_not_even_over_a_crash() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("spending.json");
        let open = || Allowance::open(Amount(6400), file.clone());
        let allowance = open();
        allowance.set_aside(Amount(1000), false).unwrap().settle(Amount(400));
        assert_eq!(allowance.today(), (Amount(400), Amount(6000)));
        // A crash: what was set aside counts as spent, and at most a part of the limit beyond.
        let (spent, left) = open().today();
        assert!(spent >= Amount(1000) && spent <= Amount(1100), "{spent}");
        assert_eq!(spent.saturating_add(left), Amount(6400));
        let rest = allowance.set_aside(Amount(9000), false).unwrap();
        assert_eq!(rest.amount, Amount(6000));
        assert!(allowance.set_aside(Amount(1), false).err().unwrap().contains("wallet.spend-per-day"));
        drop(rest);
        assert_eq!(allowance.today().1, Amount::ZERO);
        assert!(open().set_aside(Amount(1), true).is_err());
        assert!(open().set_aside(Amount::ZERO, true).is_ok());
    }
}
