//! What a run, a step or an item may spend. What may be spent is set aside before it is, in every budget around; so no budget can be passed, whatever
//! runs at the same time.

use std::sync::{Arc, Mutex, MutexGuard};

use hansa_economy::Amount;
use tokio::sync::Notify;

/// A budget within others. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Budget(Arc<Inner>);

struct Inner {
    /// Whose it is, in words.
    owner: String,
    most: Amount,
    state: Mutex<State>,
    freed: Notify,
    around: Option<Budget>,
}

#[derive(Clone, Copy, Default)]
struct State {
    spent: Amount,
    reserved: Amount,
}

/// Why a price cannot be set aside.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Short {
    /// Others may leave something of what they have set aside.
    Now,
    /// What is left will never be enough.
    Ever(String),
}

impl Budget {
    /// A budget of `most`, of which so much is spent and set aside already.
    pub(crate) fn new(owner: String, most: Amount, spent: Amount, reserved: Amount, around: Option<&Budget>) -> Budget {
        let state = Mutex::new(State { spent, reserved });
        Budget(Arc::new(Inner { owner, most, state, freed: Notify::new(), around: around.cloned() }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().expect("no panic while a budget is locked")
    }

    fn chain(&self) -> impl Iterator<Item = &Budget> {
        std::iter::successors(Some(self), |budget| budget.0.around.as_ref())
    }

    /// What can be set aside now.
    pub(crate) fn room(&self) -> Amount {
        let room = |budget: &Budget| {
            let state = budget.lock();
            budget.0.most.saturating_sub(state.spent).saturating_sub(state.reserved)
        };
        self.chain().map(room).min().unwrap_or(Amount::MAX)
    }

    /// Set `price` aside.
    pub(crate) fn reserve(&self, price: Amount) -> Result<(), Short> {
        // All are locked, from here outwards: either each has room, or none is touched.
        let mut locked: Vec<_> = self.chain().map(|budget| (budget, budget.lock())).collect();
        for (budget, state) in &locked {
            let left = budget.0.most.saturating_sub(state.spent);
            if left < price {
                let Inner { owner, most, .. } = &*budget.0;
                return Err(Short::Ever(format!("{left} of {owner}'s budget of {most} is left; the next call may cost {price}")));
            }
        }
        let room = |(budget, state): &(&Budget, MutexGuard<'_, State>)| {
            budget.0.most.saturating_sub(state.spent).saturating_sub(state.reserved)
        };
        if locked.iter().any(|locked| room(locked) < price) {
            return Err(Short::Now);
        }
        locked.iter_mut().for_each(|(_, state)| state.reserved = state.reserved.saturating_add(price));
        Ok(())
    }

    fn settle_here(&self, price: Amount, charged: Amount) {
        let mut state = self.lock();
        state.reserved = state.reserved.saturating_sub(price);
        state.spent = state.spent.saturating_add(charged);
        drop(state);
        self.0.freed.notify_waiters();
    }

    /// What was set aside has cost so much.
    pub(crate) fn settle(&self, price: Amount, charged: Amount) {
        self.chain().for_each(|budget| budget.settle_here(price, charged));
    }

    /// Set `price` aside as soon as others leave enough. Error: what is left will never be enough.
    pub(crate) async fn reserve_when_free(&self, price: Amount) -> Result<(), String> {
        loop {
            let mut freed: Vec<_> = self.chain().map(|budget| Box::pin(budget.0.freed.notified())).collect();
            for freed in &mut freed {
                freed.as_mut().enable();
            }
            match self.reserve(price) {
                Ok(()) => return Ok(()),
                Err(Short::Ever(why)) => return Err(why),
                Err(Short::Now) => drop(futures::future::select_all(freed).await),
            }
        }
    }

    /// Spent and set aside.
    pub(crate) fn used(&self) -> Amount {
        let state = self.lock();
        state.spent.saturating_add(state.reserved)
    }

    /// Spent so far.
    pub(crate) fn spent(&self) -> Amount {
        self.lock().spent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(most: u128, around: Option<&Budget>) -> Budget {
        Budget::new("the run".into(), Amount(most), Amount::ZERO, Amount::ZERO, around)
    }

    #[test]
    fn what_is_set_aside_counts_in_every_budget_around() {
        let run = budget(10, None);
        let step = budget(6, Some(&run));
        let item = budget(4, Some(&step));
        assert_eq!(item.reserve(Amount(4)), Ok(()));
        assert_eq!(step.reserve(Amount(3)), Err(Short::Now), "4 of 6 are set aside, and may come back");
        assert_eq!((run.room(), step.room(), item.room()), (Amount(6), Amount(2), Amount::ZERO));
        item.settle(Amount(4), Amount(1));
        assert_eq!((run.spent(), run.room(), item.room()), (Amount(1), Amount(9), Amount(3)));
        assert!(matches!(item.reserve(Amount(4)), Err(Short::Ever(why)) if why.contains("budget of 0.000004")));
        assert_eq!(run.reserve(Amount(9)), Ok(()));
        assert_eq!(item.reserve(Amount(1)), Err(Short::Now), "the run's is taken");
        assert_eq!(item.room(), Amount::ZERO);
        run.settle(Amount(9), Amount(9));
        assert!(matches!(item.reserve(Amount(1)), Err(Short::Ever(_))));
        assert_eq!((step.room(), step.spent()), (Amount::ZERO, Amount(1)), "nothing stayed set aside further in");
    }

    #[tokio::test]
    async fn whoever_waits_goes_on_when_something_comes_back() {
        let run = budget(10, None);
        let step = budget(10, Some(&run));
        run.reserve(Amount(8)).unwrap();
        let waiter = tokio::spawn({
            let step = step.clone();
            async move { step.reserve_when_free(Amount(5)).await }
        });
        tokio::task::yield_now().await;
        run.settle(Amount(8), Amount(2));
        assert_eq!(waiter.await.unwrap(), Ok(()));
        run.settle(Amount(0), Amount(3));
        assert!(step.reserve_when_free(Amount(6)).await.is_err());
    }
}
