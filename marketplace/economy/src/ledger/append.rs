//! The transition: verified commands and a time become the next entry of the log, and the state goes on by it.

use minicbor::bytes::ByteVec;

use super::authority::Authority;
use super::command::Command;
use super::entry::Entry;
use super::movement::Movement;
use super::reason::Reason;
use super::result::{Acceptance, CommandResult};
use super::state::{Admission, OutcomeRef, State};
use super::verified::Verified;
use super::{expiry, transfer_batch};
use crate::digest::Digest;

/// What appending an entry came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The entry.
    pub entry: Entry,
    /// Its bytes, as they are stored.
    pub bytes: Vec<u8>,
    /// Its hash.
    pub hash: Digest,
    /// What moved, in order.
    pub movements: Vec<Movement>,
}

/// A mistake of the caller; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Time stood still or went back.
    #[error("log time {found} is not after {newest}, the time of the entry before")]
    Time {
        /// The newest log time.
        newest: u64,
        /// The time given.
        found: u64,
    },
    /// Nothing to append.
    #[error("an entry needs a command")]
    Empty,
    /// The same id twice in one entry, or a command that was not admitted.
    #[error("command `{0}` is not new here; ask `admit` first")]
    NotNew(super::CommandId),
}

impl State {
    /// Apply `commands` at `time_ns` (Unix nanoseconds, after the newest log time) as the next entry of the log. Each must
    /// be admitted as new ([`State::admit`]), and the transfers and outcomes that it names be in memory.
    pub fn append(&mut self, time_ns: u64, commands: &[Verified]) -> Result<Appended, AppendError> {
        self.check_append(time_ns, commands)?;
        Ok(self.append_unchecked(time_ns, commands, |state, command| state.apply(command)))
    }

    fn check_append(&self, time_ns: u64, commands: &[Verified]) -> Result<(), AppendError> {
        if time_ns <= self.head().time_ns {
            return Err(AppendError::Time { newest: self.head().time_ns, found: time_ns });
        }
        if commands.is_empty() {
            return Err(AppendError::Empty);
        }
        let mut ids = std::collections::BTreeSet::new();
        let stale = commands.iter().find(|command| self.admit(command) != Admission::New || !ids.insert(command.body().id));
        stale.map_or(Ok(()), |command| Err(AppendError::NotNew(command.body().id)))
    }

    pub(super) fn append_unchecked(
        &mut self,
        time_ns: u64,
        commands: &[Verified],
        mut apply: impl FnMut(&mut State, &Verified) -> CommandResult,
    ) -> Appended {
        let (seq, prev_hash) = (self.head().seq + 1, self.head().hash);
        self.head_mut().time_ns = time_ns - 1;
        let mut results = Vec::with_capacity(commands.len());
        for (index, command) in commands.iter().enumerate() {
            results.push(apply(self, command));
            let index = u32::try_from(index).expect("an entry's commands are bounded by its bytes");
            self.put_outcome(command.body().id, OutcomeRef { digest: command.digest(), seq, index });
        }
        let commands = commands.iter().map(|command| ByteVec::from(command.bytes().to_vec())).collect();
        let entry = Entry { seq, prev_hash, timestamp_ns: time_ns, commands, results };
        let (bytes, hash) = entry.seal();
        self.head_mut().seq = seq;
        self.head_mut().hash = hash;
        Appended { entry, bytes, hash, movements: self.take_movements() }
    }

    /// One command: a refusal changes nothing but the time and the holds that it lets go.
    fn apply(&mut self, verified: &Verified) -> CommandResult {
        let (signer, id) = (verified.signer(), verified.body().id);
        if let Command::Transfer(batch) = &verified.body().command {
            return transfer_batch::apply(self, batch, Authority::Signer(signer)).into();
        }
        let now_ns = self.tick();
        expiry::release_until(self, now_ns);
        let result: Result<Acceptance, Reason> = match &verified.body().command {
            Command::Genesis(_) => Err(Reason::GenesisOnlyOnce),
            Command::AssetCreate(command) => command.apply(self, signer),
            Command::AccountOpen(command) => command.apply(self, signer),
            Command::Transfer(_) => unreachable!("transfers were handled above, as they take their own times"),
            Command::Issue(command) => command.apply(self, signer, id),
            Command::Redeem(command) => command.apply(self, signer, id),
            Command::ChannelOpen(command) => command.apply(self, signer, id),
            Command::ChannelTopup(command) => command.apply(self, signer, id),
            Command::ChannelRedeem(command) => command.apply(self, verified),
            Command::ChannelAnswer(command) => command.apply(self, verified),
            Command::ChannelClose(command) => command.apply(self, signer, id),
            Command::ChannelFinalize(command) => command.apply(self, id),
            Command::AccountKey(command) => command.apply(self, signer),
            Command::Refund(command) => command.apply(self, verified),
            Command::ReceiptAnchor(command) => command.apply(),
            Command::ChannelEquivocation(command) => command.apply(self, verified),
        };
        result.into()
    }
}
