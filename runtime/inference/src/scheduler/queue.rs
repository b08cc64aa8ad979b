//! A bounded queue that is fair between tenants: a flood by one leaves the others' turn where it was.
//!
//! Each tenant has a virtual clock that runs by the weight of what was taken for it; the tenant whose clock shows least
//! is next (start-time fair queueing, Goyal, Vin and Cheng 1996). A tenant that comes back starts at the present, so
//! that idleness is no credit. What is next may take company along that can run with it: entries of the same group and
//! of similar length, again in fair order.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::limits::{IDLE_TENANTS_MAX, PRIORITIES, QUEUE_BYTES_MAX, QUEUE_TENANT_BYTES_MAX};

/// Bounds of a queue, in entries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) total_max: usize,
    pub(crate) per_tenant_max: usize,
}

impl Bounds {
    /// Whether `more` entries fit where `all` wait, `own` of them the tenant's. Who has entries here already may have no more
    /// than stay free for the others (dynamic thresholds, Choudhury and Hahne 1998), so that several floods leave room too.
    pub(crate) fn leave_room(self, all: usize, own: usize, more: usize) -> bool {
        let Some(free) = self.total_max.checked_sub(all + more) else { return false };
        own + more <= self.per_tenant_max && (own == 0 || own + more <= free)
    }
}

/// What the queue knows of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    /// By how much the tenant's clock runs on when the entry is taken.
    pub(crate) weight: u64,
    /// 0 is taken before 1, among the entries of one tenant.
    pub(crate) priority: u8,
    /// Entries of one group can run together; `None` runs alone.
    pub(crate) group: Option<u64>,
    /// Rows of a run that it fills.
    pub(crate) rows: u32,
    /// Length of each row; in a run all rows get that of the longest.
    pub(crate) length: u32,
    /// Bytes that it takes while it waits.
    pub(crate) bytes: u64,
}

/// Decides what runs together; see [`super::table::CostTable`].
pub(crate) trait Plan {
    /// How many rows of about `length` to run together where `waiting` could.
    fn rows(&mut self, length: u32, waiting: u32) -> u32;

    /// Does it save time to run `more` rows of `length` with `rows` rows of `longest`?
    fn saves(&self, rows: u32, longest: u32, more: u32, length: u32) -> bool;
}

/// Why entries were not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Too many wait; carries how many.
    Full(usize),
    /// Nobody takes entries any more.
    Closed,
}

/// What a wait for the next entries brought.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next<T> {
    /// At least one; more than one are of one group.
    Batch(Vec<(Ticket, T)>),
    /// Nothing came in the given time, and the queue is closed now.
    Idle,
    Closed,
}

struct Tenant<T> {
    clock: u64,
    entries: [VecDeque<(Ticket, T)>; PRIORITIES],
}

struct State<T> {
    tenants: BTreeMap<Arc<str>, Tenant<T>>,
    length: usize,
    /// Clock of the tenant served last: the present.
    now: u64,
    closed: bool,
}

/// The queue; threads of several devices take, many put.
pub(crate) struct FairQueue<T> {
    bounds: Bounds,
    state: Mutex<State<T>>,
    changed: Condvar,
    /// Counts what came, for a look without the lock.
    news: AtomicUsize,
}

impl<T> FairQueue<T> {
    pub(crate) fn new(bounds: Bounds) -> Self {
        let state = State { tenants: BTreeMap::new(), length: 0, now: 0, closed: false };
        Self { bounds, state: Mutex::new(state), changed: Condvar::new(), news: AtomicUsize::new(0) }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // No code that can panic runs under the lock, so that a poisoned state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Entries that wait.
    pub(crate) fn len(&self) -> usize {
        self.lock().length
    }

    /// Takes in all entries of one call, emptying the list, or none. `alive` says which older ones still matter: when
    /// room is short, the dead leave first.
    pub(crate) fn push(
        &self,
        tenant: &Arc<str>,
        entries: &mut Vec<(Ticket, T)>,
        alive: impl Fn(&T) -> bool,
    ) -> Result<(), Refused> {
        let mut state = self.lock();
        if state.closed {
            return Err(Refused::Closed);
        }
        if !state.has_room(self.bounds, tenant, entries) {
            state.retain(&alive);
        }
        if !state.has_room(self.bounds, tenant, entries) {
            return Err(Refused::Full(state.length));
        }
        state.length += entries.len();
        let now = state.now;
        let new = || Tenant { clock: now, entries: std::array::from_fn(|_| VecDeque::new()) };
        let tenant = state.tenants.entry(Arc::clone(tenant)).or_insert_with(new);
        if tenant.is_idle() {
            tenant.clock = tenant.clock.max(now);
        }
        for (ticket, entry) in entries.drain(..) {
            tenant.entries[usize::from(ticket.priority).min(PRIORITIES - 1)].push_back((ticket, entry));
        }
        drop(state);
        self.tell();
        Ok(())
    }

    fn tell(&self) {
        self.news.fetch_add(1, Ordering::Release);
        self.changed.notify_all();
    }

    /// Looks out for entries for so long without sleeping, because to be woken takes longer than a small model runs.
    pub(crate) fn watch(&self, time: Duration) {
        let before = self.news.load(Ordering::Acquire);
        if self.len() > 0 {
            return;
        }
        let began = Instant::now();
        while self.news.load(Ordering::Acquire) == before && began.elapsed() < time {
            std::hint::spin_loop();
        }
    }

    /// The next entries in fair order; waits for one. With `idle`, closes the queue when none comes for so long.
    pub(crate) fn next(&self, idle: Option<Duration>, plan: &mut impl Plan) -> Next<T> {
        let until = idle.map(|idle| Instant::now() + idle);
        let mut state = self.lock();
        loop {
            let batch = state.take(plan);
            if !batch.is_empty() {
                return Next::Batch(batch);
            }
            if state.closed {
                return Next::Closed;
            }
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            state = match left {
                Some(Duration::ZERO) => {
                    state.closed = true;
                    drop(state);
                    self.changed.notify_all();
                    return Next::Idle;
                }
                Some(left) => self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Takes nothing more in; what still waits is served.
    pub(crate) fn finish(&self) {
        self.lock().closed = true;
        self.tell();
    }

    /// Takes nothing more in and hands out what still waits.
    pub(crate) fn close(&self) -> Vec<T> {
        let mut state = self.lock();
        state.closed = true;
        state.length = 0;
        let tenants = std::mem::take(&mut state.tenants);
        drop(state);
        self.tell();
        tenants.into_values().flat_map(|tenant| tenant.entries).flatten().map(|(_, entry)| entry).collect()
    }
}

impl<T> Tenant<T> {
    fn is_idle(&self) -> bool {
        self.entries.iter().all(VecDeque::is_empty)
    }

    fn len(&self) -> usize {
        self.entries.iter().map(VecDeque::len).sum()
    }

    fn bytes(&self) -> u64 {
        self.entries.iter().flatten().map(|(ticket, _)| ticket.bytes).sum()
    }

    fn pop(&mut self) -> Option<(Ticket, T)> {
        let entry = self.entries.iter_mut().find_map(VecDeque::pop_front)?;
        self.clock = self.clock.saturating_add(entry.0.weight.max(1));
        Some(entry)
    }

    /// Its first entry that `fits`, and where it stands.
    fn find(&self, fits: &impl Fn(&Ticket) -> bool) -> Option<(usize, usize)> {
        let place = |(priority, entries): (usize, &VecDeque<(Ticket, T)>)| {
            entries.iter().position(|(ticket, _)| fits(ticket)).map(|index| (priority, index))
        };
        self.entries.iter().enumerate().find_map(place)
    }

    fn remove(&mut self, (priority, index): (usize, usize)) -> Option<(Ticket, T)> {
        let entry = self.entries[priority].remove(index)?;
        self.clock = self.clock.saturating_add(entry.0.weight.max(1));
        Some(entry)
    }
}

/// What is gathered for one run.
struct Gathered<T> {
    entries: Vec<(Ticket, T)>,
    rows: u32,
    shortest: u32,
    longest: u32,
}

impl<T> Gathered<T> {
    fn add(&mut self, entry: (Ticket, T)) {
        self.rows = self.rows.saturating_add(entry.0.rows);
        self.shortest = self.shortest.min(entry.0.length);
        self.longest = self.longest.max(entry.0.length);
        self.entries.push(entry);
    }
}

/// How much of the longest row another one must fill: first near ones are taken, then what still saves time.
const FILLED_AT_LEAST: [f64; 2] = [0.9, 2.0 / 3.0];

impl<T> State<T> {
    fn has_room(&self, bounds: Bounds, tenant: &Arc<str>, more: &[(Ticket, T)]) -> bool {
        let own = self.tenants.get(tenant).map_or(0, Tenant::len);
        bounds.leave_room(self.length, own, more.len()) && self.has_bytes(tenant, more)
    }

    /// A single call may be as large as a call may be, so that only what waits besides counts.
    fn has_bytes(&self, tenant: &Arc<str>, more: &[(Ticket, T)]) -> bool {
        let more: u64 = more.iter().map(|(ticket, _)| ticket.bytes).sum();
        let fits = |waiting: u64, most: u64| waiting == 0 || waiting + more <= most;
        let own = self.tenants.get(tenant).map_or(0, Tenant::bytes);
        fits(own, QUEUE_TENANT_BYTES_MAX) && fits(self.tenants.values().map(Tenant::bytes).sum(), QUEUE_BYTES_MAX)
    }

    fn retain(&mut self, alive: &impl Fn(&T) -> bool) {
        for tenant in self.tenants.values_mut() {
            tenant.entries.iter_mut().for_each(|entries| entries.retain(|(_, entry)| alive(entry)));
        }
        self.length = self.tenants.values().map(Tenant::len).sum();
    }

    /// The next entry and its company; nothing where nothing waits.
    fn take(&mut self, plan: &mut impl Plan) -> Vec<(Ticket, T)> {
        let waiting = self.tenants.values_mut().filter(|tenant| !tenant.is_idle());
        let Some(tenant) = waiting.min_by_key(|tenant| tenant.clock) else { return Vec::new() };
        self.now = tenant.clock;
        let Some(first) = tenant.pop() else { return Vec::new() };
        let (ticket, length) = (first.0, first.0.length);
        let mut gathered = Gathered { entries: Vec::new(), rows: 0, shortest: length, longest: length };
        gathered.add(first);
        if let Some(group) = ticket.group {
            self.gather(group, ticket.weight, &mut gathered, plan);
        }
        self.length -= gathered.entries.len();
        self.forget_idle_tenants();
        gathered.entries
    }

    /// Adds what can run along, as long as the plan says that it saves time.
    fn gather(&mut self, group: u64, weight: u64, gathered: &mut Gathered<T>, plan: &mut impl Plan) {
        let length = gathered.longest;
        let waiting = self.similar(group, length);
        let target = plan.rows(length, gathered.rows.saturating_add(waiting));
        if waiting == 0 || target <= gathered.rows {
            return;
        }
        // Who was served ahead of the others by two runs' worth waits for them, and leaves places empty rather.
        let latest = self.now.saturating_add((2 * u64::from(target)).saturating_mul(weight.max(1)));
        for filled in FILLED_AT_LEAST {
            while gathered.rows < target && self.gather_one(group, latest, filled, target, gathered, plan) {}
        }
    }

    /// Rows of the group that wait, and are no more than 1.5 times longer or shorter.
    fn similar(&self, group: u64, length: u32) -> u32 {
        let all = self.tenants.values().flat_map(|tenant| &tenant.entries).flatten();
        let fits = |ticket: &Ticket| ticket.group == Some(group) && is_filled(length, ticket.length, FILLED_AT_LEAST[1]);
        all.filter(|(ticket, _)| fits(ticket)).fold(0, |rows: u32, (ticket, _)| rows.saturating_add(ticket.rows))
    }

    fn gather_one(
        &mut self,
        group: u64,
        latest: u64,
        filled: f64,
        target: u32,
        gathered: &mut Gathered<T>,
        plan: &impl Plan,
    ) -> bool {
        let (rows, shortest, longest) = (gathered.rows, gathered.shortest, gathered.longest);
        let fits = |ticket: &Ticket| {
            ticket.group == Some(group)
                && rows.saturating_add(ticket.rows) <= target
                && is_filled(shortest, ticket.length, filled)
                && is_filled(longest, ticket.length, filled)
                && plan.saves(rows, longest, ticket.rows, ticket.length)
        };
        let eligible = self.tenants.values_mut().filter(|tenant| tenant.clock <= latest && !tenant.is_idle());
        let found = eligible.filter_map(|tenant| Some((tenant.find(&fits)?, tenant))).min_by_key(|(_, tenant)| tenant.clock);
        let Some(entry) = found.and_then(|(place, tenant)| tenant.remove(place)) else { return false };
        gathered.add(entry);
        true
    }

    /// An idle tenant is only remembered while it would gain by being forgotten, and never without bound.
    fn forget_idle_tenants(&mut self) {
        if self.length == 0 {
            self.now = self.tenants.values().map(|tenant| tenant.clock).max().unwrap_or(self.now);
        }
        let now = if self.tenants.len() > IDLE_TENANTS_MAX { u64::MAX } else { self.now };
        self.tenants.retain(|_, tenant| !tenant.is_idle() || tenant.clock > now);
    }
}

/// Is the shorter of the two at least so much of the longer?
fn is_filled(a: u32, b: u32, share: f64) -> bool {
    f64::from(a.min(b)) >= share * f64::from(a.max(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Up to so many rows, whatever it takes.
    struct UpTo(u32);

    impl Plan for UpTo {
        fn rows(&mut self, _length: u32, waiting: u32) -> u32 {
            self.0.min(waiting)
        }

        fn saves(&self, _rows: u32, _longest: u32, _more: u32, _length: u32) -> bool {
            true
        }
    }

    fn queue() -> FairQueue<&'static str> {
        FairQueue::new(Bounds { total_max: 8, per_tenant_max: 6 })
    }

    fn ticket(weight: u64) -> Ticket {
        Ticket { weight, priority: 1, group: Some(0), rows: 1, length: 10, bytes: 1 }
    }

    fn push(queue: &FairQueue<&'static str>, tenant: &str, entries: &[(u64, &'static str)]) -> Result<(), Refused> {
        let mut entries = entries.iter().map(|(weight, entry)| (ticket(*weight), *entry)).collect();
        queue.push(&Arc::from(tenant), &mut entries, |_| true)
    }

    fn push_ticket(queue: &FairQueue<&'static str>, tenant: &str, ticket: Ticket, entry: &'static str) {
        queue.push(&Arc::from(tenant), &mut vec![(ticket, entry)], |_| true).unwrap();
    }

    /// All runs, with a blank between them.
    fn runs(queue: &FairQueue<&'static str>, rows: u32) -> String {
        let run = || match queue.next(Some(Duration::ZERO), &mut UpTo(rows)) {
            Next::Batch(batch) => Some(batch.into_iter().map(|(_, entry)| entry).collect::<String>()),
            Next::Idle | Next::Closed => None,
        };
        std::iter::from_fn(run).collect::<Vec<_>>().join(" ")
    }

    fn order(queue: &FairQueue<&'static str>) -> String {
        runs(queue, 1).replace(' ', "")
    }

    fn take(queue: &FairQueue<&'static str>) {
        queue.next(None, &mut UpTo(1));
    }

    #[test]
    fn tenants_take_turns_however_much_one_sends() {
        let queue = queue();
        push(&queue, "flood", &[(1, "a"), (1, "b"), (1, "c"), (1, "d")]).unwrap();
        push(&queue, "small", &[(1, "X"), (1, "Y")]).unwrap();
        assert_eq!(order(&queue), "aXbYcd");
    }

    #[test]
    fn turns_follow_weight_not_count() {
        let queue = queue();
        push(&queue, "long", &[(4, "L"), (4, "M")]).unwrap();
        push(&queue, "short", &[(1, "a"), (1, "b"), (1, "c"), (1, "d"), (1, "e")]).unwrap();
        assert_eq!(order(&queue), "LabcdMe");
    }

    #[test]
    fn idleness_is_no_credit() {
        let queue = queue();
        push(&queue, "busy", &[(1, "a"), (1, "b"), (1, "c"), (1, "d"), (1, "e")]).unwrap();
        (0..4).for_each(|_| take(&queue));
        push(&queue, "busy", &[(1, "f")]).unwrap();
        push(&queue, "late", &[(1, "X"), (1, "Y"), (1, "Z")]).unwrap();
        assert_eq!(order(&queue), "XeYfZ");
    }

    #[test]
    fn a_quiet_queue_remembers_nobody() {
        let queue = queue();
        for tenant in ["a", "b", "c"] {
            push(&queue, tenant, &[(5, "x")]).unwrap();
            take(&queue);
        }
        assert!(queue.lock().tenants.is_empty());
    }

    #[test]
    fn both_bounds_hold_and_a_call_goes_in_whole_or_not_at_all() {
        let queue = queue();
        assert_eq!(push(&queue, "a", &[(1, "x"); 7]), Err(Refused::Full(0)));
        push(&queue, "a", &[(1, "x"); 6]).unwrap();
        assert_eq!(push(&queue, "a", &[(1, "x")]), Err(Refused::Full(6)));
        assert_eq!(push(&queue, "b", &[(1, "x"); 3]), Err(Refused::Full(6)));
        push(&queue, "b", &[(1, "x"); 2]).unwrap();
        assert_eq!(queue.len(), 8);
    }

    #[test]
    fn floods_leave_room_for_whoever_comes_later() {
        let queue = FairQueue::new(Bounds { total_max: 64, per_tenant_max: 32 });
        for flood in ["a", "b", "c", "d", "e"] {
            while push(&queue, flood, &[(1, "x")]).is_ok() {}
        }
        assert!(queue.len() > 60, "{} wait", queue.len());
        assert_eq!(push(&queue, "small", &[(1, "x")]), Ok(()));
    }

    #[test]
    fn large_tensors_cannot_fill_the_memory() {
        let queue = queue();
        let push = |tenant: &str, bytes| {
            queue.push(&Arc::from(tenant), &mut vec![(Ticket { bytes, ..ticket(1) }, "x")], |_| true).is_ok()
        };
        assert!(push("a", QUEUE_TENANT_BYTES_MAX / 2) && push("a", QUEUE_TENANT_BYTES_MAX / 2));
        assert!(!push("a", 1), "more than a tenant's share");
        let others = QUEUE_BYTES_MAX / QUEUE_TENANT_BYTES_MAX - 1;
        assert!((0..others).all(|other| push(&other.to_string(), QUEUE_TENANT_BYTES_MAX)));
        assert!(!push("late", 1), "more than all may have");
    }

    #[test]
    fn the_dead_make_room() {
        let queue = queue();
        push(&queue, "a", &[(1, "dead"); 6]).unwrap();
        queue.push(&Arc::from("a"), &mut vec![(ticket(1), "new"); 6], |entry| *entry != "dead").unwrap();
        assert_eq!(queue.len(), 6);
    }

    #[test]
    fn a_closed_queue_hands_back_what_waits_and_takes_nothing_in() {
        let queue = queue();
        push(&queue, "a", &[(1, "x"), (1, "y")]).unwrap();
        assert_eq!(queue.close(), ["x", "y"]);
        assert_eq!((push(&queue, "a", &[(1, "z")]), queue.next(None, &mut UpTo(1))), (Err(Refused::Closed), Next::Closed));
    }

    #[test]
    fn company_comes_in_fair_order_and_no_more_than_planned() {
        let queue = queue();
        push(&queue, "flood", &[(1, "a"), (1, "b"), (1, "c"), (1, "d")]).unwrap();
        push(&queue, "small", &[(1, "X"), (1, "Y")]).unwrap();
        assert_eq!(runs(&queue, 4), "aXbY cd");
    }

    #[test]
    fn only_similar_rows_of_one_group_run_together() {
        let queue = FairQueue::new(Bounds { total_max: 16, per_tenant_max: 16 });
        for (length, group, entry) in
            [(10, Some(1), "a"), (14, Some(1), "b"), (16, Some(1), "c"), (11, Some(2), "d"), (10, None, "e"), (15, Some(1), "f")]
        {
            push_ticket(&queue, "t", Ticket { group, length, ..ticket(1) }, entry);
        }
        // 16 is more than 1.5 times 10; `b` and then `f` are not, but `f` was longer than 1.5 times nothing that ran.
        assert_eq!(runs(&queue, 8), "abf c d e");
    }

    #[test]
    fn the_nearest_lengths_come_first() {
        let queue = queue();
        for (tenant, length, entry) in [("a", 100, "a"), ("b", 70, "b"), ("c", 96, "c"), ("d", 105, "d")] {
            push_ticket(&queue, tenant, Ticket { length, ..ticket(1) }, entry);
        }
        assert_eq!(runs(&queue, 3), "acd b");
    }

    #[test]
    fn a_tenant_far_ahead_is_no_company() {
        let queue = FairQueue::new(Bounds { total_max: 100, per_tenant_max: 100 });
        push(&queue, "flood", &[(100, "a"), (100, "b"), (100, "c")]).unwrap();
        push(&queue, "small", &[(1, "X"), (1, "Y")]).unwrap();
        take(&queue);
        // The flood's clock shows 100, the present is 0, and two runs' worth are 2 * 3 rows of weight 1.
        assert_eq!(runs(&queue, 3), "XY bc");
    }

    #[test]
    fn priority_orders_a_tenants_own_entries_alone() {
        let queue = queue();
        push_ticket(&queue, "a", Ticket { priority: 3, ..ticket(1) }, "z");
        push_ticket(&queue, "a", Ticket { priority: 0, ..ticket(1) }, "i");
        push_ticket(&queue, "b", Ticket { priority: 3, ..ticket(1) }, "B");
        assert_eq!(order(&queue), "iBz");
    }
}
