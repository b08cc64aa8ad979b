//! One way to a ledger, whether it is kept here or by another node.

use std::time::Duration;

use hansa_bus::{Bus, RequestError};
use hansa_economy::channel::{AccountId, ChannelId};
use hansa_economy::ledger::{Account, Channel, ChannelPhase};
use hansa_economy::{Digest, PublicKey};
use hansa_ledger::{Ledger, QueryError, SubmitError};

use super::wire::{Answer, Info, Query, Receipted};
use super::{QUERY_SUBJECT, SUBMIT_SUBJECT};

/// How long one request to a ledger on another node may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How often a submission is repeated while the ledger is away; the same bytes have one outcome.
const SUBMIT_TRIES: u32 = 3;

/// A ledger. Cheap to clone.
#[derive(Clone)]
pub enum LedgerLink {
    /// Kept by this process.
    Here(Ledger),
    /// Served on the bus by another node.
    There {
        /// The bus.
        bus: Bus,
        /// The ledger's id, learned when the link was made.
        id: Digest,
    },
}

/// Why a ledger gave no outcome.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Nobody serves a ledger on the bus.
    #[error("no node on the bus keeps a ledger; start one with `[ledger] host = true` in its node.toml, or with `hansa up`")]
    Nobody,
    /// The bus' word.
    #[error("the ledger cannot be reached: {0}")]
    Bus(#[from] RequestError),
    /// The ledger's word on a command.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The ledger's word on a question.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// An answer that cannot be read.
    #[error("the ledger's answer cannot be read ({0}); is that node of another version?")]
    Malformed(String),
}

impl LedgerLink {
    /// Find the ledger that is served on `bus`.
    pub async fn find(bus: &Bus) -> Result<LedgerLink, LinkError> {
        let link = LedgerLink::There { bus: bus.clone(), id: Digest::default() };
        match link.ask(&Query::Info).await {
            Ok(Answer::Info(info)) => Ok(LedgerLink::There { bus: bus.clone(), id: info.ledger }),
            Ok(_) => Err(LinkError::Malformed("another answer than asked for".into())),
            Err(LinkError::Bus(RequestError::NoResponders { .. })) => Err(LinkError::Nobody),
            Err(error) => Err(error),
        }
    }

    /// The ledger's id.
    pub fn id(&self) -> Digest {
        match self {
            LedgerLink::Here(ledger) => ledger.id(),
            LedgerLink::There { id, .. } => *id,
        }
    }

    /// Submit the exact bytes of a signed command and wait for its durable outcome.
    pub async fn submit(&self, command: Vec<u8>) -> Result<Receipted, LinkError> {
        match self {
            LedgerLink::Here(ledger) => {
                let outcome = ledger.submit(command).await?;
                Ok(Receipted { seq: outcome.seq, result: outcome.result })
            }
            LedgerLink::There { bus, .. } => submit_there(bus, command).await,
        }
    }

    /// Ask.
    pub async fn ask(&self, query: &Query) -> Result<Answer, LinkError> {
        match self {
            LedgerLink::Here(ledger) => Ok(answer(ledger, query)?),
            LedgerLink::There { bus, .. } => {
                let payload = minicbor::to_vec(query).expect("writing to memory cannot fail");
                let reply = bus.request(QUERY_SUBJECT, payload.into(), TIMEOUT).await?;
                minicbor::decode(&reply).map_err(|error| LinkError::Malformed(error.to_string()))
            }
        }
    }

    /// Which ledger is this?
    pub async fn info(&self) -> Result<Info, LinkError> {
        match self.ask(&Query::Info).await? {
            Answer::Info(info) => Ok(info),
            _ => Err(other_answer()),
        }
    }

    /// One account.
    pub async fn account(&self, id: AccountId) -> Result<Option<Account>, LinkError> {
        match self.ask(&Query::Account(id)).await? {
            Answer::Account(account) => Ok(account),
            _ => Err(other_answer()),
        }
    }

    /// All accounts of an owner.
    pub async fn accounts_of(&self, owner: PublicKey) -> Result<Vec<Account>, LinkError> {
        match self.ask(&Query::AccountsOf(owner)).await? {
            Answer::Accounts(accounts) => Ok(accounts),
            _ => Err(other_answer()),
        }
    }

    /// One channel.
    pub async fn channel(&self, id: ChannelId) -> Result<Option<Channel>, LinkError> {
        match self.ask(&Query::Channel(id)).await? {
            Answer::Channel(channel) => Ok(channel),
            _ => Err(other_answer()),
        }
    }

    /// All open channels that pay from an account.
    pub async fn channels_from(&self, account: AccountId) -> Result<Vec<Channel>, LinkError> {
        match self.ask(&Query::ChannelsFrom(account)).await? {
            Answer::Channels(channels) => Ok(channels),
            _ => Err(other_answer()),
        }
    }
}

async fn submit_there(bus: &Bus, command: Vec<u8>) -> Result<Receipted, LinkError> {
    let payload = bytes::Bytes::from(command);
    let mut tries = 0;
    loop {
        tries += 1;
        match bus.request(SUBMIT_SUBJECT, payload.clone(), TIMEOUT).await {
            Ok(reply) => return minicbor::decode(&reply).map_err(|error| LinkError::Malformed(error.to_string())),
            Err(error) if error.retry_is_sensible() && tries < SUBMIT_TRIES => {
                tokio::time::sleep(Duration::from_millis(200) * tries).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

pub(super) fn answer(ledger: &Ledger, query: &Query) -> Result<Answer, QueryError> {
    Ok(match query {
        Query::Info => Answer::Info(Info { ledger: ledger.id(), assets: ledger.assets()? }),
        Query::Account(id) => Answer::Account(ledger.account(*id)?),
        Query::AccountsOf(owner) => Answer::Accounts(ledger.accounts_of(*owner)?),
        Query::Channel(id) => Answer::Channel(ledger.channel(*id)?),
        Query::ChannelsFrom(account) => {
            let channels = ledger.channels()?.into_iter();
            let open = |channel: &Channel| channel.terms.payer == *account && channel.phase == ChannelPhase::Open;
            Answer::Channels(channels.filter(open).collect())
        }
    })
}

fn other_answer() -> LinkError {
    LinkError::Malformed("another answer than asked for".into())
}
