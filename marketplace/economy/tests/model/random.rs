//! Random worlds: small numbers of ids, amounts and seconds, so that collisions, holds, expiries and closings really occur.

use crate::reference::*;

/// Reproducible numbers: SplitMix64 (<https://doi.org/10.1145/2660193.2660195>).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}

/// What is done next.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Accounts(Vec<Account>),
    Transfers(Vec<Transfer>),
    Advance(u64),
}

/// Makes the steps of one world, looking at what it has become.
pub(crate) struct Story {
    random: Random,
    /// Do amounts come near 2^128?
    huge: bool,
    asked_accounts: Vec<Account>,
    asked_transfers: Vec<Transfer>,
    next_id: u128,
}

const ACCOUNTS: u64 = 7;
const STRANGE_IDS: [u128; 3] = [0, u128::MAX, 99];

impl Story {
    pub(crate) fn new(seed: u64) -> Story {
        let mut random = Random::new(seed);
        let huge = random.percent(25);
        Story { random, huge, asked_accounts: Vec::new(), asked_transfers: Vec::new(), next_id: 1 }
    }

    /// Accounts at first; of some worlds the clock stands near its end.
    pub(crate) fn opening(&mut self) -> Vec<Step> {
        let late = self.random.percent(10).then_some(Step::Advance(END_OF_TIME - 100 * SECOND));
        let accounts = (1..ACCOUNTS).map(|id| self.fresh_account(id.into())).collect();
        late.into_iter().chain([Step::Accounts(accounts)]).collect()
    }

    pub(crate) fn step(&mut self, world: &World) -> Step {
        match self.random.below(100) {
            0..5 => Step::Accounts(self.batch(world, Story::account)),
            5..15 => Step::Advance(self.pause(world)),
            _ => Step::Transfers(self.batch(world, Story::transfer)),
        }
    }

    fn batch<E>(&mut self, world: &World, make: fn(&mut Story, &World, bool) -> E) -> Vec<E> {
        let count = 1 + self.random.below(5);
        let chained = self.random.percent(25);
        let mut events = Vec::new();
        for at in 1..=count {
            let inside = chained && at < count && self.random.percent(80);
            let linked = inside || self.random.percent(1);
            events.push(make(self, world, linked));
        }
        events
    }

    /// Often to a moment before the next hold ends, so that it ends within the batch that follows.
    fn pause(&mut self, world: &World) -> u64 {
        let open = world.transfers.values().flatten().filter(|(_, hold)| *hold == Hold::Open);
        let next_end = open.filter_map(|(transfer, _)| transfer.ends()).min();
        let wait = match next_end.and_then(|end| u64::try_from(end).ok()) {
            Some(end) if self.random.percent(50) => (end - world.now).saturating_sub(self.random.below(5)),
            _ => self.random.pick(&[0, 1, SECOND - 1, SECOND, 2 * SECOND]),
        };
        // Room for the events that follow.
        wait.min((END_OF_TIME - 1_000_000).saturating_sub(world.now))
    }

    fn fresh_account(&mut self, id: u128) -> Account {
        let flags = self.random.pick(&[0, 0, 0, LIMIT_DEBITS, LIMIT_DEBITS, LIMIT_CREDITS, HISTORY]);
        let asset = if self.random.percent(85) { 1 } else { 2 };
        let account = Account { id, asset, code: 1, flags, ..Account::default() };
        self.asked_accounts.push(account.clone());
        account
    }

    fn account(&mut self, _: &World, linked: bool) -> Account {
        let repeat = self.random.percent(60).then(|| self.random.below(self.asked_accounts.len() as u64));
        let mut account = match repeat {
            Some(at) => self.asked_accounts[at as usize].clone(),
            None => {
                let id = u128::from(1 + self.random.below(ACCOUNTS));
                self.fresh_account(id)
            }
        };
        account.flags |= if linked { LINKED } else { 0 };
        for _ in 0..self.random.pick(&[0, 0, 1, 2]) {
            self.spoil_account(&mut account);
        }
        account
    }

    fn spoil_account(&mut self, account: &mut Account) {
        match self.random.below(13) {
            0 => account.timestamp = 1,
            1 => account.flags |= self.random.pick(&[16, 1 << 15]),
            2 => account.id = self.random.pick(&STRANGE_IDS[..2]),
            3 => account.flags ^= self.random.pick(&[LIMIT_DEBITS, LIMIT_CREDITS, HISTORY, LIMIT_DEBITS | LIMIT_CREDITS, CLOSED]),
            4 => account.data.0 = self.small().into(),
            5 => account.data.1 = self.small(),
            6 => account.data.2 = self.small() as u32,
            7 => account.asset = self.random.pick(&[0, 1, 2]),
            8 => account.code = self.random.pick(&[0, 2]),
            9 => account.debits_pending = 1,
            10 => account.credits_pending = 1,
            11 => account.debits_posted = 1,
            _ => account.credits_posted = 1,
        }
    }

    fn transfer(&mut self, world: &World, linked: bool) -> Transfer {
        let repeats = !self.asked_transfers.is_empty() && self.random.percent(20);
        let mut transfer = match self.random.below(100) {
            _ if repeats => self.repeat(world),
            0..45 => self.resolution(world),
            _ => self.movement(world),
        };
        if linked != transfer.has(LINKED) && !(repeats && self.random.percent(50)) {
            transfer.flags ^= LINKED;
        }
        if self.random.percent(12) {
            self.spoil_transfer(&mut transfer);
        }
        self.asked_transfers.push(transfer.clone());
        transfer
    }

    fn new_id(&mut self) -> u128 {
        self.next_id += 1;
        self.next_id
    }

    fn movement(&mut self, world: &World) -> Transfer {
        let id = self.new_id();
        let debit = u128::from(1 + self.random.below(ACCOUNTS));
        let asset = world.accounts.get(&debit).map_or(1, |account| account.asset);
        let fitting: Vec<u128> = world.accounts.values().filter(|a| a.id != debit && a.asset == asset).map(|a| a.id).collect();
        let fits = !fitting.is_empty() && self.random.percent(90);
        let credit = if fits { self.random.pick(&fitting) } else { u128::from(1 + self.random.below(ACCOUNTS)) };
        let mut flags = 0;
        for (flag, percent) in
            [(PENDING, 45), (BALANCING_DEBIT, 10), (BALANCING_CREDIT, 10), (CLOSING_DEBIT, 3), (CLOSING_CREDIT, 3)]
        {
            flags |= if self.random.percent(percent) { flag } else { 0 };
        }
        flags |= if flags & (CLOSING_DEBIT | CLOSING_CREDIT) != 0 && self.random.percent(90) { PENDING } else { 0 };
        let closing = flags & (CLOSING_DEBIT | CLOSING_CREDIT) != 0;
        let timed = flags & PENDING != 0 && self.random.percent(if closing { 80 } else { 50 });
        let timeout = if timed { 1 + self.random.below(3) as u32 } else { 0 };
        let timeout = if timed && self.random.percent(3) { u32::MAX } else { timeout };
        let by_payee = timed && self.random.percent(20);
        let amount = self.amount();
        let data = self.data();
        Transfer { id, debit, credit, amount, asset, code: 1, flags, timeout, by_payee, data, ..Transfer::default() }
    }

    fn resolution(&mut self, world: &World) -> Transfer {
        let id = self.new_id();
        let kept: Vec<&(Transfer, Hold)> = world.transfers.values().flatten().collect();
        let holds: Vec<_> = kept.iter().copied().filter(|(_, hold)| *hold != Hold::None).collect();
        let open: Vec<_> = holds.iter().copied().filter(|(_, hold)| *hold == Hold::Open).collect();
        let from = match self.random.below(100) {
            0..70 if !open.is_empty() => &open,
            0..95 if !holds.is_empty() => &holds,
            _ => &kept,
        };
        let stranger = (Transfer { id: id + 5, ..Transfer::default() }, Hold::None);
        let hold = if from.is_empty() { stranger } else { from[self.random.below(from.len() as u64) as usize].clone() }.0;
        let flags = if self.random.percent(55) { POST } else { VOID };
        let all = if flags == POST { u128::MAX } else { 0 };
        let amount = match self.random.below(10) {
            0..5 => all,
            5..7 => hold.amount,
            7 => hold.amount.saturating_add(1),
            8 => hold.amount / 2,
            _ => self.amount(),
        };
        let mut transfer = Transfer { id, pending_id: hold.id, amount, flags, data: self.data(), ..Transfer::default() };
        for _ in 0..self.random.pick(&[0, 0, 1, 2]) {
            match self.random.below(4) {
                0 => transfer.debit = hold.debit,
                1 => transfer.credit = hold.credit,
                2 => transfer.asset = hold.asset,
                _ => transfer.code = hold.code,
            }
        }
        transfer
    }

    /// Something that was asked for before: the same, or as it was recorded, or a little different.
    fn repeat(&mut self, world: &World) -> Transfer {
        let recent = self.asked_transfers.len().saturating_sub(60);
        let at = recent + self.random.below((self.asked_transfers.len() - recent) as u64) as usize;
        let mut transfer = self.asked_transfers[at].clone();
        if let (Some(Some((kept, _))), true) = (world.transfers.get(&transfer.id), self.random.percent(30)) {
            transfer = Transfer { timestamp: 0, ..kept.clone() };
        }
        for _ in 0..self.random.pick(&[0, 1, 1, 2]) {
            self.vary(&mut transfer);
        }
        transfer
    }

    fn vary(&mut self, transfer: &mut Transfer) {
        match self.random.below(14) {
            0 => transfer.flags ^= self.random.pick(&[LINKED, PENDING, BALANCING_DEBIT, POST | VOID]),
            1 => transfer.pending_id = self.random.below(30).into(),
            2 => transfer.timeout = self.small() as u32,
            3 => transfer.debit = u128::from(self.random.below(ACCOUNTS)),
            4 => transfer.credit = u128::from(self.random.below(ACCOUNTS)),
            5 => transfer.amount = transfer.amount.saturating_add(1),
            6 => transfer.amount = self.random.pick(&[0, transfer.amount / 2, transfer.amount.saturating_sub(1)]),
            7 => transfer.amount = u128::MAX,
            8 => transfer.data.0 = self.small().into(),
            9 => transfer.data.1 = self.small(),
            10 => transfer.data.2 = self.small() as u32,
            11 => transfer.asset = self.random.pick(&[0, 1, 2]),
            12 => transfer.code = self.random.pick(&[0, 1, 2]),
            _ => transfer.by_payee ^= true,
        }
    }

    fn spoil_transfer(&mut self, transfer: &mut Transfer) {
        match self.random.below(14) {
            0 => transfer.timestamp = 1,
            1 => transfer.flags |= self.random.pick(&[1 << 8, 1 << 15]),
            2 => transfer.id = self.random.pick(&STRANGE_IDS[..2]),
            3 => transfer.debit = self.random.pick(&STRANGE_IDS),
            4 => transfer.credit = self.random.pick(&STRANGE_IDS),
            5 => transfer.credit = transfer.debit,
            6 => transfer.pending_id = self.random.pick(&[0, u128::MAX, 99_999, transfer.id]),
            7 => transfer.timeout = transfer.timeout.saturating_add(1),
            8 => {
                transfer.flags |=
                    self.random.pick(&[CLOSING_DEBIT, CLOSING_CREDIT, POST | VOID, POST | PENDING, VOID | BALANCING_DEBIT])
            }
            9 => transfer.by_payee ^= true,
            10 => transfer.timeout = 0,
            11 => transfer.asset = self.random.pick(&[0, 2, 3]),
            12 => transfer.code = self.random.pick(&[0, 2]),
            _ => self.vary(transfer),
        }
    }

    fn amount(&mut self) -> u128 {
        if self.huge && self.random.percent(30) {
            return self.random.pick(&[u128::MAX, u128::MAX - 1, u128::MAX - 9, u128::MAX / 2, u128::MAX / 2 + 1]);
        }
        match self.random.below(10) {
            0 => 0,
            1 => u128::MAX,
            2 => 100,
            _ => self.random.below(20).into(),
        }
    }

    fn data(&mut self) -> (u128, u64, u32) {
        match self.random.percent(15) {
            true => (self.small().into(), self.small(), self.small() as u32),
            false => (0, 0, 0),
        }
    }

    fn small(&mut self) -> u64 {
        self.random.below(3)
    }
}
