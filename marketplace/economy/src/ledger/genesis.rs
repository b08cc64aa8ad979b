//! `genesis`: found a ledger.

use minicbor::{Decode, Encode};

use super::command::{Command, SignedCommand};
use super::result::{Acceptance, CommandResult};
use super::state::{Head, State};
use super::verified::Verified;
use super::{Appended, CommandId};
use crate::digest::Digest;
use crate::key::{Keypair, PublicKey};
use crate::limits::NAME_BYTES_MAX;
use crate::statement::Signed;

/// Found a ledger. Its id is the hash of the entry that this makes. Signed by the operator.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Genesis {
    /// The ledger's name, for people.
    #[n(0)]
    pub name: String,
    /// Who creates assets.
    #[n(1)]
    pub operator: PublicKey,
}

/// Why a command founds no ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GenesisError {
    /// Another kind of command, or one for a ledger that exists.
    #[error("the first command of a ledger must be `genesis`, signed for no ledger")]
    Kind,
    /// Signed by somebody else.
    #[error("genesis must be signed by the operator that it names, {0}")]
    Signer(PublicKey),
    /// The name is empty or too long.
    #[error("the ledger's name must have 1 to {NAME_BYTES_MAX} bytes")]
    Name,
    /// Before 1970.
    #[error("log time must not be zero")]
    Time,
}

impl Genesis {
    /// The signed command that founds a ledger called `name`, whose operator is `key`.
    pub fn sign(name: impl Into<String>, id: CommandId, key: &Keypair) -> Signed<SignedCommand> {
        let genesis = Genesis { name: name.into(), operator: key.public() };
        Signed::new(SignedCommand { ledger: None, id, command: Command::Genesis(genesis) }, key)
    }
}

impl State {
    /// Found a ledger at `time_ns`, Unix nanoseconds.
    pub fn found(command: &Verified, time_ns: u64) -> Result<(State, Appended), GenesisError> {
        let (Command::Genesis(genesis), None) = (&command.body().command, command.body().ledger) else {
            return Err(GenesisError::Kind);
        };
        if command.signer() != genesis.operator {
            return Err(GenesisError::Signer(genesis.operator));
        }
        if genesis.name.is_empty() || genesis.name.len() > NAME_BYTES_MAX {
            return Err(GenesisError::Name);
        }
        if time_ns == 0 {
            return Err(GenesisError::Time);
        }
        let (ledger, hash) = (Digest::default(), Digest::default());
        let head = Head { ledger, name: genesis.name.clone(), operator: genesis.operator, seq: 0, hash, time_ns: 0 };
        let mut state = State::new(head);
        let appended = state.append_unchecked(time_ns, std::slice::from_ref(command), |state, _| {
            state.tick();
            CommandResult::Accepted(Acceptance::Founded)
        });
        state.head_mut().ledger = appended.hash;
        Ok((state, appended))
    }
}
