//! The world of one run: a ledger on a disk, a queue before it, people who submit, and a seed that decides what happens next.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hansa_economy::ledger::{
    Acceptance, Command, CommandResult, Genesis, Id128, SignedCommand, State, Transfer, TransferRecord, Verified,
};
use hansa_economy::{Digest, Keypair};

use super::accountant::{Objection, SECOND_NS, insist, object};
use super::cast::Cast;
use super::disk::{Disk, Trip};
use super::machine::Machine;
use super::parties::Parties;
use super::promises::Promises;
use super::random::Random;
use super::shadow::Shadow;
use super::trace::Trace;
use crate::error::SubmitError;
use crate::handle::Outcome;

const BEGIN_NS: u64 = 1_000 * SECOND_NS;
const QUEUE_LEN: usize = 12;
const CACHE_BYTES: [usize; 3] = [16 << 10, 256 << 10, 4 << 20];
/// Turns between two comparisons of every stored row.
const TURNS_PER_COMPARISON: u64 = 24;

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Commands made, per kind: accepted and refused entries in the log.
    pub results: BTreeMap<&'static str, (u64, u64)>,
    /// Why commands were refused, and what transfers came to: names of reasons and statuses.
    pub reasons: BTreeMap<&'static str, u64>,
    /// Commands in the log.
    pub commands: u64,
    /// Submissions that reached the ledger's door.
    pub submissions: u64,
    /// Losses of power.
    pub power_losses: u64,
    /// Processes killed or stopped, the disk unharmed.
    pub restarts: u64,
    /// Failures of the disk that were planned.
    pub faults: u64,
    /// Submissions whose outcome was unknown.
    pub unknown: u64,
}

/// Where every run begins: a ledger with accounts and money, made once.
pub struct Stage {
    cast: Cast,
    image: Vec<u8>,
    shadow: Shadow,
    promises: Promises,
    now_ns: u64,
}

pub(super) struct World {
    random: Random,
    pub(super) trace: Trace,
    pub(super) counts: Counts,
    cast: Cast,
    parties: Parties,
    disk: Disk,
    clock: Arc<AtomicU64>,
    machine: Option<Machine>,
    pub(super) shadow: Shadow,
    promises: Promises,
    queue: VecDeque<Vec<u8>>,
    /// Everything that was signed, in order.
    signed: Vec<Vec<u8>>,
    /// Every transfer that was asked for.
    asked: Vec<Transfer>,
    next_command: u128,
    next_transfer: u128,
    /// Outcomes that were told while the disk let nobody look into the log.
    unchecked: Vec<(Verified, Outcome)>,
    turns: u64,
}

impl Stage {
    /// Set it up.
    pub fn new() -> Result<Stage, Objection> {
        let cast = Cast::new();
        let genesis = Genesis::sign("simulated", Id128(1), &cast.operator);
        let genesis = Verified::open(genesis.bytes()).map_err(|error| error.to_string())?;
        let (mut state, appended) = State::found(&genesis, BEGIN_NS).map_err(|error| error.to_string())?;
        let disk = Disk::new(0);
        let shadow = Shadow::found(&genesis, state.clone(), &appended);
        Machine::found(&disk, &mut state, &appended).map_err(|error| error.to_string())?;
        let empty = Stage { cast, image: disk.durable(), shadow, promises: Promises::default(), now_ns: BEGIN_NS };
        let mut world = World::on(&empty, 0)?;
        for (key, command) in world.cast.prologue() {
            world.sign(&key, command);
        }
        world.settle()?;
        world.stop();
        let (shadow, promises, now_ns) = (world.shadow, world.promises, world.clock.load(Ordering::Relaxed));
        Ok(Stage { cast: empty.cast, image: world.disk.durable(), shadow, promises, now_ns })
    }
}

impl World {
    pub(super) fn on(stage: &Stage, seed: u64) -> Result<World, Objection> {
        let mut random = Random::new(seed);
        let disk = Disk::holding(stage.image.clone(), random.next());
        let mut world = World {
            random,
            trace: Trace::default(),
            counts: Counts::default(),
            cast: stage.cast.clone(),
            parties: Parties::default(),
            disk,
            clock: Arc::new(AtomicU64::new(stage.now_ns)),
            machine: None,
            shadow: stage.shadow.clone(),
            promises: stage.promises.clone(),
            queue: VecDeque::new(),
            signed: Vec::new(),
            asked: Vec::new(),
            next_command: 1_000_000 * u128::from(seed != 0) + 100,
            next_transfer: 100,
            unchecked: Vec::new(),
            turns: 0,
        };
        world.start()?;
        Ok(world)
    }

    /// One thing happens.
    pub(super) fn step(&mut self) -> Result<(), Objection> {
        match self.random.below(100) {
            0..46 => {
                let times = self.random.pick(&[1, 1, 1, 2, 4]);
                self.somebody_acts(times);
            }
            46..54 => self.submit_again(),
            54..56 => self.submit_corrupted(),
            56..59 => self.random.shuffle(self.queue.make_contiguous()),
            59..67 => self.time_passes(),
            67..70 => self.plan_a_failure(),
            70..72 => return self.crash(),
            _ => return self.turn(),
        }
        Ok(())
    }

    /// One thing happens that is not a failure.
    pub(super) fn peaceful_step(&mut self) -> Result<(), Objection> {
        match self.random.below(100) {
            0..45 => self.somebody_acts(1),
            45..55 => self.time_passes(),
            _ => return self.turn(),
        }
        Ok(())
    }

    fn somebody_acts(&mut self, times: usize) {
        for _ in 0..times {
            let state = self.shadow.state();
            let wish = match self.random.below(100) {
                0..9 => Some(self.cast.office(&mut self.random)),
                9..17 => Some(self.cast.key_change(&mut self.random, state)),
                17..21 => Some(self.cast.refund(&mut self.random, state)),
                21..60 => Some(self.cast.batch(&mut self.random, &mut self.next_transfer, &mut self.asked, state)),
                _ => self.parties.act(&self.cast, &mut self.random, state),
            };
            if let Some((key, command)) = wish {
                self.sign(&key, command);
            }
        }
    }

    /// Sign a command and send it. Now and then it names another ledger, or an id that another has.
    fn sign(&mut self, key: &Keypair, command: Command) {
        self.next_command += 1;
        let taken = self.random.percent(1) && self.turns > 0;
        let id = Id128(if taken { self.next_command - 1 } else { self.next_command });
        let ledger = self.shadow.state().head().ledger;
        let ledger = if self.random.percent(1) && self.turns > 0 { Digest::of(b"elsewhere") } else { ledger };
        self.trace.note(format!("sign {id} {command:?}"));
        let signed = SignedCommand::sign(ledger, id, command, key);
        self.signed.push(signed.bytes().to_vec());
        self.submit(signed.bytes().to_vec());
    }

    /// At the ledger's door. A full queue turns it away; its sender tries again some time.
    fn submit(&mut self, bytes: Vec<u8>) {
        self.counts.submissions += 1;
        match self.queue.len() < QUEUE_LEN || self.turns == 0 {
            true => self.queue.push_back(bytes),
            false => self.trace.note("turned away: the queue is full".into()),
        }
    }

    fn submit_again(&mut self) {
        if self.signed.is_empty() {
            return;
        }
        let recent = self.signed.len().saturating_sub(if self.random.percent(70) { 10 } else { usize::MAX });
        let at = recent + self.random.index(self.signed.len() - recent);
        self.trace.note(format!("submit number {at} again"));
        self.submit(self.signed[at].clone());
    }

    fn submit_corrupted(&mut self) {
        let Some(mut bytes) = self.signed.last().cloned() else { return };
        let at = self.random.index(bytes.len());
        bytes[at] ^= 1 << self.random.below(8);
        self.trace.note(format!("submit with byte {at} changed"));
        self.submit(bytes);
    }

    /// Time goes on, often to about the end of a hold or of a key; or the clock is set back.
    fn time_passes(&mut self) {
        let now_ns = self.clock.load(Ordering::Relaxed);
        let state = self.shadow.state();
        let ends = state.transfers().filter_map(|(_, record)| match record {
            TransferRecord::Created(hold, _) if record.is_open_hold() => hold.expires_ns(),
            _ => None,
        });
        let keys = state.keys().filter_map(|key| key.limits.expires_ns).filter(|ends_ns| *ends_ns > state.head().time_ns);
        let then_ns = match (ends.chain(keys).min(), self.random.below(10)) {
            (Some(end_ns), 0..5) => end_ns - 2 + self.random.below(4),
            (_, 5) => now_ns - self.random.below(3 * SECOND_NS),
            (_, 6) => now_ns + self.random.below(100) * SECOND_NS,
            _ => now_ns + self.random.below(3 * SECOND_NS),
        };
        self.trace.note(format!("the clock goes from {now_ns} to {then_ns}"));
        self.clock.store(then_ns, Ordering::Relaxed);
    }

    fn plan_a_failure(&mut self) {
        self.counts.faults += 1;
        let after = self.random.pick(&[0, 1, 2, 3, 5, 8, 13, 21, 34, 55]);
        match self.random.below(10) {
            0..4 => self.disk.trip_after(after, Trip::Fails),
            4..8 => self.disk.trip_after(after, Trip::PowerLoss),
            8 => self.disk.trip_after(after, Trip::Breaks),
            _ => self.disk.leave_room(0),
        }
        self.trace.note(format!("a failure after {after} operations is planned"));
    }

    /// The writer takes what waits.
    pub(super) fn turn(&mut self) -> Result<(), Objection> {
        self.turns += 1;
        if self.machine.is_none() {
            self.trace.note(format!("nobody is there; {} submissions are lost", self.queue.len()));
            self.queue.clear();
            return if self.random.percent(50) { self.come_back() } else { Ok(()) };
        }
        let taken = self.queue.len().min(1 + self.random.index(QUEUE_LEN));
        let bytes: Vec<Vec<u8>> = self.queue.drain(..taken).collect();
        let commands: Vec<Verified> = bytes.iter().filter_map(|bytes| self.verify(bytes)).collect();
        if commands.is_empty() {
            return Ok(());
        }
        let Some(machine) = &mut self.machine else { return Ok(()) };
        let (outcomes, stopped) = machine.turn(commands.clone());
        insist(outcomes.len() == commands.len(), "another number of outcomes than of commands")?;
        if let Some(reason) = stopped {
            insist(self.disk.has_failed(), &format!("the ledger stopped without a reason: {reason}"))?;
            self.trace.note(format!("the ledger stops: {reason}"));
            self.machine = None;
        }
        self.hear(commands, outcomes)?;
        self.trace.note(format!("{} operations of the disk", self.disk.operations()));
        match self.disk.has_power() {
            true => self.compare(),
            false => self.crash(),
        }
    }

    /// The submitters are told; whoever is told an outcome must find it in the log.
    fn hear(&mut self, commands: Vec<Verified>, outcomes: Vec<Result<Outcome, SubmitError>>) -> Result<(), Objection> {
        let (mut opened_anew, mut refused) = (false, Vec::new());
        for (command, outcome) in commands.into_iter().zip(outcomes) {
            self.trace.note(format!("{} comes to {outcome:?}", command.body().id));
            match outcome {
                Ok(outcome) => self.unchecked.push((command, outcome)),
                Err(SubmitError::Unknown { .. }) if self.disk.has_failed() => {
                    self.counts.unknown += 1;
                    opened_anew = true;
                }
                Err(SubmitError::Full { .. }) if self.disk.has_failed() => {
                    // One that was done before may be refused as well.
                    let known = self.shadow.state().outcome(command.body().id).is_some();
                    refused.extend((!known).then_some(command.body().id));
                    opened_anew = true;
                }
                Err(error) => return object(format!("an error without a reason: {error}")),
            }
        }
        let readable = self.machine.as_ref().is_some_and(|machine| self.disk.quietly(|| machine.entry_hash(1)).is_ok());
        if opened_anew && readable {
            self.disk.forgive();
        }
        // Another submission of the same bytes may have been done in the same turn.
        let told: Vec<_> = self.unchecked.iter().map(|(command, _)| command.body().id).collect();
        self.follow()?;
        let done = refused.into_iter().find(|id| !told.contains(id) && self.shadow.state().outcome(*id).is_some());
        insist(done.is_none(), "nothing was done, they said, of a command that now stands in the log")
    }

    /// The first time with all signatures, later from memory: signatures take most of a run's time.
    fn verify(&mut self, bytes: &[u8]) -> Option<Verified> {
        if let Some(known) = self.shadow.command(Digest::of(bytes)) {
            return Some(known.clone());
        }
        let command = Verified::open(bytes).ok()?;
        self.shadow.expect(&command);
        Some(command)
    }

    /// Replay what is new in the log.
    fn follow(&mut self) -> Result<(), Objection> {
        let Some(machine) = &self.machine else { return Ok(()) };
        let from = self.shadow.state().head().seq + 1;
        let entries = match self.disk.quietly(|| machine.entries(from)) {
            Ok(entries) => entries,
            Err(_) if self.disk.has_failed() => return Ok(()),
            Err(error) => return object(format!("the log cannot be read: {error}")),
        };
        for (entry, hash) in entries {
            for (bytes, result) in entry.commands.iter().zip(&entry.results) {
                let Some(command) = self.shadow.command(Digest::of(bytes)) else { continue };
                let counts = self.counts.results.entry(command.body().command.kind()).or_default();
                let reasons = &mut self.counts.reasons;
                match result {
                    CommandResult::Accepted(_) => counts.0 += 1,
                    CommandResult::Refused(_) => counts.1 += 1,
                }
                match result {
                    CommandResult::Accepted(Acceptance::Transfers(transfers)) => {
                        transfers.iter().for_each(|transfer| *reasons.entry(transfer.status.name()).or_default() += 1);
                    }
                    CommandResult::Accepted(_) => {}
                    CommandResult::Refused(reason) => *reasons.entry(reason.name()).or_default() += 1,
                }
                self.counts.commands += 1;
            }
            self.shadow.follow(entry, hash)?;
        }
        for (command, outcome) in std::mem::take(&mut self.unchecked) {
            self.promises.told(&command, &outcome, &self.shadow)?;
        }
        Ok(())
    }

    fn compare(&mut self) -> Result<(), Objection> {
        let Some(machine) = &self.machine else { return Ok(()) };
        if self.disk.has_failed() && self.disk.quietly(|| machine.entry_hash(1)).is_err() {
            // redb wants to be opened again first; the next turn sees to it.
            return Ok(());
        }
        self.shadow.compare(machine.state())?;
        if self.turns.is_multiple_of(TURNS_PER_COMPARISON) && !self.disk.has_failed() {
            return self.compare_rows();
        }
        Ok(())
    }

    fn compare_rows(&self) -> Result<(), Objection> {
        let Some(machine) = &self.machine else { return Ok(()) };
        match self.disk.quietly(|| machine.compare(self.shadow.state(), self.shadow.places())) {
            Ok(same) => same,
            Err(_) if self.disk.has_failed() => Ok(()),
            Err(error) => object(format!("the rows cannot be read: {error}")),
        }
    }

    /// The process ends: the power is lost, or it is killed, or it stops in good order.
    fn crash(&mut self) -> Result<(), Objection> {
        let loses_power = !self.disk.has_power() || self.random.percent(60);
        match loses_power {
            true => self.counts.power_losses += 1,
            false => self.counts.restarts += 1,
        }
        if loses_power || self.random.percent(50) {
            self.disk.power_off();
        }
        self.stop();
        let waiting = self.queue.len();
        self.queue.clear();
        self.disk.power_on(loses_power);
        self.trace.note(format!("crash; power lost: {loses_power}; {waiting} submissions are lost; disk {}", self.disk.digest()));
        if self.random.percent(70) { self.come_back() } else { Ok(()) }
    }

    fn stop(&mut self) {
        if let Some(machine) = self.machine.take() {
            machine.close();
        }
    }

    /// Start again. What was planned for the disk may happen now; once it is whole, the start must succeed.
    fn come_back(&mut self) -> Result<(), Objection> {
        if self.random.percent(60) {
            self.disk.repair();
        }
        match self.start() {
            Err(_) if self.disk.has_failed() => {
                self.trace.note("the start fails".into());
                if !self.disk.has_power() {
                    self.counts.power_losses += 1;
                    self.disk.power_on(true);
                }
                self.disk.repair();
                self.start()
            }
            result => result,
        }
    }

    fn start(&mut self) -> Result<(), Objection> {
        let cache_bytes = self.random.pick(&CACHE_BYTES);
        let machine = Machine::start(&self.disk, &self.clock, cache_bytes).map_err(|error| format!("no start: {error}"))?;
        self.disk.forgive();
        let seq = machine.state().head().seq;
        insist(seq >= self.promises.seq(), "I10: the ledger has gone back behind what it told")?;
        self.machine = Some(machine);
        if seq < self.shadow.state().head().seq {
            self.shadow.rewind(seq)?;
        }
        self.follow()?;
        let Some(machine) = &self.machine else { return Ok(()) };
        self.shadow.compare(machine.state())?;
        self.disk.quietly(|| self.promises.kept(machine))?;
        self.compare_rows()
    }

    /// Everything works again, and everybody asks again for what they do not know: all get an outcome.
    pub(super) fn settle(&mut self) -> Result<(), Objection> {
        self.disk.repair();
        if self.machine.is_none() {
            self.start()?;
        }
        // The first round may still meet what failed before.
        for round in 0..3 {
            for bytes in self.signed.clone() {
                let Some(command) = self.verify(&bytes) else { return object("a signature of ours is wrong") };
                if !self.promises.has(&command) {
                    insist(round < 2, "a command has no outcome though everything works")?;
                    self.queue.push_back(bytes);
                }
            }
            while !self.queue.is_empty() {
                self.turn()?;
                insist(self.machine.is_some(), "the ledger stopped at the end")?;
            }
        }
        Ok(())
    }

    /// The last crash, the last look; now and then with the check of the whole file.
    pub(super) fn end(&mut self) -> Result<(), Objection> {
        self.settle()?;
        self.disk.power_off();
        self.stop();
        self.disk.power_on(true);
        self.start()?;
        self.shadow.replays_alike()?;
        if let (Some(machine), true) = (&self.machine, self.random.percent(10)) {
            let problem = machine.check().map_err(|error| error.to_string())?;
            insist(problem.is_none(), &format!("the check finds: {problem:?}"))?;
        }
        self.stop();
        self.trace.note(format!("the end, with disk {}", self.disk.digest()));
        Ok(())
    }
}
