//! The shadow: the log replayed from its first entry as it grows, in memory and beside the ledger, with every auditor at
//! every step. What the ledger has in memory and on disk must be the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use hansa_economy::Digest;
use hansa_economy::ledger::{Appended, Entry, RootTree, State, Verified, audit};

use crate::check::Places;
use crate::rows::places_of;
use crate::steps::Steps;

use super::accountant::{Accountant, Objection, insist, object};

/// The replayed ledger.
#[derive(Clone, Debug)]
pub(super) struct Shadow {
    state: State,
    accountant: Accountant,
    steps: Steps,
    entries: Vec<Arc<(Entry, Digest)>>,
    places: Places,
    /// Every command that anybody ever made, by the digest of its bytes.
    known: BTreeMap<Digest, Arc<Verified>>,
}

impl Shadow {
    /// Begin with the first entry.
    pub(super) fn found(genesis: &Verified, state: State, appended: &Appended) -> Shadow {
        let known = BTreeMap::from([(genesis.digest(), Arc::new(genesis.clone()))]);
        let first = Arc::new((appended.entry.clone(), appended.hash));
        Shadow {
            state,
            accountant: Accountant::default(),
            steps: Steps::default(),
            entries: vec![first],
            places: Places::new(),
            known,
        }
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// Where the plain transfers stand.
    pub(super) fn places(&self) -> &Places {
        &self.places
    }

    /// A command is under way and may turn up in the log.
    pub(super) fn expect(&mut self, command: &Verified) {
        self.known.entry(command.digest()).or_insert_with(|| Arc::new(command.clone()));
    }

    pub(super) fn command(&self, digest: Digest) -> Option<&Verified> {
        self.known.get(&digest).map(Arc::as_ref)
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().map(|entry| &entry.0)
    }

    /// The entry of this number, from 1, and its hash.
    pub(super) fn entry(&self, seq: u64) -> Option<&(Entry, Digest)> {
        let at = usize::try_from(seq).ok()?.checked_sub(1)?;
        self.entries.get(at).map(Arc::as_ref)
    }

    /// Replay the next entry. I1 to I7, I11, I13 to I17, I22.
    pub(super) fn follow(&mut self, entry: Entry, hash: Digest) -> Result<(), Objection> {
        let head = self.state.head();
        insist(entry.seq == head.seq + 1, "I7: an entry is missing or there twice")?;
        insist(entry.prev_hash == head.hash, "I7: an entry does not name the one before")?;
        insist(entry.timestamp_ns > head.time_ns, "I11: time does not rise")?;
        let commands = entry.commands.iter().map(|bytes| self.known.get(&Digest::of(bytes)).map(|known| Verified::clone(known)));
        let commands: Option<Vec<Verified>> = commands.collect();
        let Some(commands) = commands else { return object("the log has a command that nobody made") };
        let again = self.state.append(entry.timestamp_ns, &commands).map_err(|error| format!("replay: {error}"))?;
        if again.hash != hash || again.entry != entry {
            return object(format!(
                "I8: entry {} comes to {:?}, recorded is {:?}",
                entry.seq, again.entry.results, entry.results
            ));
        }
        let right = |movement| audit::movement(&self.state, movement).map_err(|breach| breach.to_string());
        again.movements.iter().try_for_each(right)?;
        self.accountant.book(&entry, &commands)?;
        self.audit_step()?;
        self.places.extend(places_of(&entry, &commands));
        self.entries.push(Arc::new((entry, hash)));
        Ok(())
    }

    fn audit_step(&mut self) -> Result<(), Objection> {
        self.steps.audit(&mut self.state).map_err(|breach| breach.to_string())?;
        audit::audit(&self.state).map_err(|breach| breach.to_string())?;
        self.accountant.compare(&self.state)
    }

    /// The ledger came back without entries after `seq`, which nobody was told of: replay the rest anew. I8.
    pub(super) fn rewind(&mut self, seq: u64) -> Result<(), Objection> {
        let entries = std::mem::take(&mut self.entries);
        let mut again = entries.iter();
        let first = again.next().ok_or("there is no first entry")?;
        let genesis = first.0.commands.first().and_then(|bytes| self.known.get(&Digest::of(bytes)));
        let genesis = Arc::clone(genesis.ok_or("nobody made the first command")?);
        let (state, appended) = State::found(&genesis, first.0.timestamp_ns).map_err(|error| error.to_string())?;
        insist(appended.hash == first.1, "I8: the first entry comes to another hash")?;
        let mut replayed = Shadow::found(&genesis, state, &appended);
        replayed.known = std::mem::take(&mut self.known);
        for entry in again.take_while(|entry| entry.0.seq <= seq) {
            replayed.follow(entry.0.clone(), entry.1)?;
        }
        *self = replayed;
        Ok(())
    }

    /// A replay from the first entry comes to the same state root.
    pub(super) fn replays_alike(&self) -> Result<(), Objection> {
        let mut again = self.clone();
        again.rewind(u64::MAX)?;
        let roots = (RootTree::of(&again.state).root(), RootTree::of(&self.state).root());
        insist(roots.0 == roots.1 && same_rows(&again.state, &self.state), "I8: two replays come to two states")
    }

    /// Does the ledger have the same state in memory?
    pub(super) fn compare(&self, state: &State) -> Result<(), Objection> {
        insist(state.head() == self.state.head(), "the ledger in memory stands elsewhere than its log")?;
        insist(same_rows(state, &self.state), "the ledger in memory differs from a replay of its log")?;
        let holds = |state: &State| state.transfers().filter(|(_, record)| record.is_open_hold()).count();
        insist(holds(state) == holds(&self.state), "the ledger in memory has other holds than a replay of its log")?;
        let same = state.transfers().all(|(id, record)| self.state.transfer(id) == Some(record));
        insist(same, "a transfer in memory differs from a replay of the log")?;
        let same = state.outcomes().all(|(id, outcome)| self.state.outcome(id) == Some(outcome));
        insist(same, "an outcome in memory differs from a replay of the log")
    }
}

pub(super) fn same_rows(one: &State, other: &State) -> bool {
    let owned = one.accounts().eq(other.accounts()) && one.keys().eq(other.keys());
    let traded = one.channels().eq(other.channels()) && one.all_refunded().eq(other.all_refunded());
    owned && traded && one.assets().eq(other.assets())
}
