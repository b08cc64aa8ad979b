//! A disk in memory under redb that loses power and fails. It is honest: what was synced stays.
//!
//! Reads see every write, as they do through a page cache. A power loss takes each write since the last sync on its own: lost,
//! kept, or torn (sectors of it, or its beginning). An operation can fail once, all can fail until the disk is repaired, and
//! the disk can be full.

use std::io::{Error, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hansa_economy::Digest;
use redb::StorageBackend;

use super::random::Random;

const SECTOR_BYTES: usize = 512;

/// What happens when a disk's count of operations runs out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trip {
    /// This operation fails, a write perhaps after a part of it; the next one works.
    Fails,
    /// This and all later ones fail until [`Disk::repair`].
    Breaks,
    /// Power is lost in the middle of it; nothing works until [`Disk::power_on`].
    PowerLoss,
}

#[derive(Clone, Debug)]
enum Unsynced {
    Write { offset: usize, bytes: Vec<u8> },
    Length(usize),
}

#[derive(Clone, Debug)]
struct Platter {
    /// What stays whatever happens.
    durable: Vec<u8>,
    /// What reads see.
    current: Vec<u8>,
    unsynced: Vec<Unsynced>,
    random: Random,
    trip: Option<(u64, Trip)>,
    broken: bool,
    power: bool,
    /// Bytes that the file may have.
    room: usize,
    /// Operations since the beginning.
    operations: u64,
    /// Has an operation failed since [`Disk::forgive`]?
    failed: bool,
    /// An auditor looks: nothing is counted, and what is planned waits.
    quiet: bool,
}

/// The disk. Clones are the same one.
#[derive(Clone, Debug)]
pub(super) struct Disk(Arc<Mutex<Platter>>);

impl Disk {
    pub(super) fn new(seed: u64) -> Disk {
        Disk::holding(Vec::new(), seed)
    }

    /// A disk on which `bytes` are durable.
    pub(super) fn holding(bytes: Vec<u8>, seed: u64) -> Disk {
        Disk(Arc::new(Mutex::new(Platter {
            current: bytes.clone(),
            durable: bytes,
            unsynced: Vec::new(),
            random: Random::new(seed),
            trip: None,
            broken: false,
            power: true,
            room: usize::MAX,
            operations: 0,
            failed: false,
            quiet: false,
        })))
    }

    fn platter(&self) -> MutexGuard<'_, Platter> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After `operations` more, `trip` happens.
    pub(super) fn trip_after(&self, operations: u64, trip: Trip) {
        self.platter().trip = Some((operations, trip));
    }

    /// From now on the file may grow by this many bytes only.
    pub(super) fn leave_room(&self, bytes: usize) {
        let mut platter = self.platter();
        platter.room = platter.current.len() + bytes;
    }

    /// The disk works again and has room; nothing is planned.
    pub(super) fn repair(&self) {
        let mut platter = self.platter();
        (platter.trip, platter.broken, platter.room) = (None, false, usize::MAX);
    }

    /// The database was opened anew: what failed before has no consequences any more.
    pub(super) fn forgive(&self) {
        self.platter().failed = false;
    }

    /// Look at what is stored without setting off what is planned.
    pub(super) fn quietly<T>(&self, look: impl FnOnce() -> T) -> T {
        self.platter().quiet = true;
        let seen = look();
        self.platter().quiet = false;
        seen
    }

    /// From now on nothing works: the power is gone, or whoever used the disk is.
    pub(super) fn power_off(&self) {
        self.platter().power = false;
    }

    /// The power comes back. `lost`: it was lost to the disk too, and with it what was not synced.
    pub(super) fn power_on(&self, lost: bool) {
        let mut platter = self.platter();
        if lost {
            platter.lose_unsynced();
        }
        platter.power = true;
    }

    pub(super) fn has_power(&self) -> bool {
        self.platter().power
    }

    /// May something have failed because of the disk since [`Disk::forgive`]?
    pub(super) fn has_failed(&self) -> bool {
        let platter = self.platter();
        platter.failed || platter.broken || !platter.power
    }

    pub(super) fn operations(&self) -> u64 {
        self.platter().operations
    }

    pub(super) fn digest(&self) -> Digest {
        Digest::of(&self.platter().durable)
    }

    /// What is durable.
    pub(super) fn durable(&self) -> Vec<u8> {
        self.platter().durable.clone()
    }
}

impl Platter {
    /// Count an operation and say whether it works.
    fn operate(&mut self) -> Result<(), Error> {
        if self.quiet && self.power && !self.broken {
            return Ok(());
        }
        self.operations += 1;
        if !self.power || self.broken {
            self.failed = true;
            return Err(Error::other("the disk does not answer"));
        }
        let Some((left, trip)) = &mut self.trip else { return Ok(()) };
        if *left > 0 {
            *left -= 1;
            return Ok(());
        }
        let trip = *trip;
        self.trip = None;
        self.failed = true;
        match trip {
            Trip::Fails => {}
            Trip::Breaks => self.broken = true,
            Trip::PowerLoss => self.power = false,
        }
        Err(Error::other("input/output error"))
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) -> Result<(), Error> {
        let end = offset.checked_add(bytes.len()).filter(|end| *end <= self.room);
        let end = end.ok_or_else(|| self.full())?;
        if self.current.len() < end {
            self.current.resize(end, 0);
        }
        self.current[offset..end].copy_from_slice(bytes);
        self.unsynced.push(Unsynced::Write { offset, bytes: bytes.to_vec() });
        Ok(())
    }

    fn full(&mut self) -> Error {
        self.failed = true;
        Error::from(ErrorKind::StorageFull)
    }

    fn sync(&mut self) {
        for change in std::mem::take(&mut self.unsynced) {
            apply(&mut self.durable, &change);
        }
    }

    /// Each change since the last sync has its own fate.
    fn lose_unsynced(&mut self) {
        let mood = self.random.below(4);
        for change in std::mem::take(&mut self.unsynced) {
            let fate = if mood < 3 { mood } else { self.random.below(3) };
            match (fate, change) {
                (0, _) => {}
                (1, change) => apply(&mut self.durable, &change),
                (_, Unsynced::Length(_)) if self.random.percent(50) => {}
                (_, change @ Unsynced::Length(_)) => apply(&mut self.durable, &change),
                (_, Unsynced::Write { offset, bytes }) => {
                    for (offset, bytes) in torn(&mut self.random, offset, &bytes) {
                        apply(&mut self.durable, &Unsynced::Write { offset, bytes });
                    }
                }
            }
        }
        self.current.clone_from(&self.durable);
    }
}

fn apply(to: &mut Vec<u8>, change: &Unsynced) {
    match change {
        Unsynced::Length(len) => to.resize(*len, 0),
        Unsynced::Write { offset, bytes } => {
            let end = offset + bytes.len();
            if to.len() < end {
                to.resize(end, 0);
            }
            to[*offset..end].copy_from_slice(bytes);
        }
    }
}

/// What a write leaves behind when the power goes: its beginning, or sectors here and there.
fn torn(random: &mut Random, offset: usize, bytes: &[u8]) -> Vec<(usize, Vec<u8>)> {
    if bytes.is_empty() || random.percent(30) {
        let kept = random.index(bytes.len() + 1);
        return vec![(offset, bytes[..kept].to_vec())];
    }
    let sectors = bytes.chunks(SECTOR_BYTES).enumerate();
    let kept = sectors.filter(|_| random.percent(50));
    kept.map(|(at, sector)| (offset + at * SECTOR_BYTES, sector.to_vec())).collect()
}

fn to_usize(number: u64) -> Result<usize, Error> {
    usize::try_from(number).map_err(Error::other)
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, Error> {
        Ok(self.platter().current.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        let mut platter = self.platter();
        platter.operate()?;
        let offset = to_usize(offset)?;
        let bytes = platter.current.get(offset..offset.saturating_add(out.len())).ok_or(ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), Error> {
        let mut platter = self.platter();
        platter.operate()?;
        let len = to_usize(len)?;
        if len > platter.room {
            return Err(platter.full());
        }
        platter.current.resize(len, 0);
        platter.unsynced.push(Unsynced::Length(len));
        Ok(())
    }

    fn sync_data(&self) -> Result<(), Error> {
        let mut platter = self.platter();
        platter.operate()?;
        platter.sync();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Error> {
        let mut platter = self.platter();
        let offset = to_usize(offset)?;
        let had_power = platter.power && !platter.broken;
        if let Err(error) = platter.operate() {
            // A part of it may have reached the disk all the same.
            if had_power {
                let mut random = platter.random.clone();
                for (offset, bytes) in torn(&mut random, offset, data) {
                    // It fails anyway.
                    let _ = platter.write(offset, &bytes);
                }
                platter.random = random;
            }
            return Err(error);
        }
        platter.write(offset, data)
    }
}
