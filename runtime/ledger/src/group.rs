//! A group: what the writer takes at once. Repeats are told apart, the rest becomes entries of bounded size.

use std::collections::HashMap;

use hansa_economy::ledger::{Admission, AppendError, Appended, CommandId, CommandResult, Reason, State, TransferId, Verified};

use crate::handle::Outcome;
use crate::limits::ENTRY_COMMAND_BYTES_MAX;
use crate::rows::places_of;
use crate::table::places::Place;

/// Where a request's outcome comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    /// The n-th new command of this group; repeated within it or not.
    Here { at: usize, repeated: bool },
    /// The log.
    Log,
    /// Refused without a place in the log.
    Refused(Reason),
}

/// A group after it was applied to the state in memory.
pub(crate) struct Group {
    /// For each command, where its outcome comes from.
    pub(crate) sources: Vec<Source>,
    /// The entries to be written.
    pub(crate) entries: Vec<Appended>,
    /// Where their plain transfers stand.
    pub(crate) places: Vec<(TransferId, Place)>,
}

impl Group {
    /// Apply `commands` to `state`. `clock` gives Unix nanoseconds.
    pub(crate) fn apply(state: &mut State, commands: Vec<Verified>, clock: &dyn Fn() -> u64) -> Result<Group, AppendError> {
        let mut fresh: Vec<Verified> = Vec::with_capacity(commands.len());
        let mut places: HashMap<CommandId, usize> = HashMap::new();
        let mut sources = Vec::with_capacity(commands.len());
        for command in commands {
            let id = command.body().id;
            let source = match (state.admit(&command), places.get(&id)) {
                (Admission::Repeat(_), _) => Source::Log,
                (Admission::Refused(reason), _) => Source::Refused(reason),
                (Admission::New, Some(at)) if fresh[*at].digest() == command.digest() => Source::Here { at: *at, repeated: true },
                (Admission::New, Some(_)) => Source::Refused(Reason::IdTaken),
                (Admission::New, None) => {
                    let at = fresh.len();
                    places.insert(id, at);
                    fresh.push(command);
                    Source::Here { at, repeated: false }
                }
            };
            sources.push(source);
        }
        let mut group = Group { sources, entries: Vec::new(), places: Vec::new() };
        group.append(state, &fresh, clock)?;
        Ok(group)
    }

    fn append(&mut self, state: &mut State, mut commands: &[Verified], clock: &dyn Fn() -> u64) -> Result<(), AppendError> {
        while !commands.is_empty() {
            let (now, later) = commands.split_at(fitting(commands));
            let time_ns = clock().max(state.head().time_ns + 1);
            let appended = state.append(time_ns, now)?;
            self.places.extend(places_of(&appended.entry, now));
            self.entries.push(appended);
            commands = later;
        }
        Ok(())
    }

    /// The outcomes of the group's new commands, in order.
    pub(crate) fn outcomes(&self) -> Vec<(u64, u64, &CommandResult)> {
        let entries = self.entries.iter().map(|appended| &appended.entry);
        entries.flat_map(|entry| entry.results.iter().map(move |result| (entry.seq, entry.timestamp_ns, result))).collect()
    }
}

/// The outcome of a command that stands in the log.
pub(crate) fn outcome(id: CommandId, (seq, timestamp_ns, result): (u64, u64, &CommandResult), repeated: bool) -> Outcome {
    Outcome { id, seq: Some(seq), timestamp_ns, result: result.clone(), repeated }
}

/// The outcome of a command that never came to the log.
pub(crate) fn refused(id: CommandId, reason: Reason) -> Outcome {
    Outcome { id, seq: None, timestamp_ns: 0, result: CommandResult::Refused(reason), repeated: false }
}

/// How many commands fit into one entry; at least one.
fn fitting(commands: &[Verified]) -> usize {
    let mut bytes = 0;
    let fits = commands.iter().take_while(|command| {
        bytes += command.bytes().len();
        bytes <= ENTRY_COMMAND_BYTES_MAX
    });
    fits.count().max(1)
}
