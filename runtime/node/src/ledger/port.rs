//! The ledger as trade wants it: commands signed and submitted, refusals turned into words.

use std::sync::Arc;

use futures::FutureExt;
use hansa_bus::RequestError;
use hansa_economy::channel::{AccountId, ChannelId};
use hansa_economy::ledger::{
    Acceptance, AccountOpen, Command, CommandId, Issue, Reason, SignedCommand, Transfer, TransferBatch, TransferId,
    TransferResult,
};
use hansa_economy::{Amount, Digest, Keypair};
use hansa_ledger::SubmitError;
use hansa_trade::{ChannelState, LedgerAnswer, LedgerError, LedgerPort};

use super::link::{LedgerLink, LinkError};
use crate::ambient;

/// Code of transfers that people ask for.
const CODE_PAYMENT: u16 = 1;

/// Signs and submits commands to one ledger. Cheap to clone.
#[derive(Clone)]
pub struct LinkPort {
    link: LedgerLink,
}

impl LinkPort {
    /// Over this link.
    pub fn new(link: LedgerLink) -> LinkPort {
        LinkPort { link }
    }

    /// The link itself.
    pub fn link(&self) -> &LedgerLink {
        &self.link
    }

    /// Sign `command` with `key` and submit it under a new id.
    pub async fn submit(&self, command: Command, key: &Keypair) -> Result<Acceptance, LedgerError> {
        let id = CommandId::from_time(ambient::now_ms(), u128::from_le_bytes(ambient::random()));
        let signed = SignedCommand::sign(self.link.id(), id, command, key);
        let outcome = self.link.submit(signed.bytes().to_vec()).await.map_err(|error| no_outcome(&error))?;
        outcome.result.accepted().cloned().map_err(LedgerError::refused)
    }

    /// Open the account of `key` with this label; done if it is open already.
    pub async fn open_account(&self, asset: u32, label: &str, key: &Keypair) -> Result<AccountId, LedgerError> {
        let id = hansa_economy::ledger::account_id(key.public(), asset, label);
        if self.link.account(id).await.map_err(|error| no_outcome(&error))?.is_some() {
            return Ok(id);
        }
        match self.submit(Command::AccountOpen(AccountOpen::new(asset, label)), key).await? {
            Acceptance::AccountOpened(id) => Ok(id),
            _ => Ok(id),
        }
    }

    /// Issue new units to an account, by the issuer's key.
    pub async fn issue(
        &self,
        asset: u32,
        to: AccountId,
        amount: Amount,
        reference: &str,
        issuer: &Keypair,
    ) -> Result<(), LedgerError> {
        let command = Command::Issue(Issue { asset, to, amount, reference: reference.to_owned() });
        self.submit(command, issuer).await.map(drop)
    }

    /// Pay from one account to another, by the payer's key.
    pub async fn pay(
        &self,
        asset: u32,
        from: AccountId,
        to: AccountId,
        amount: Amount,
        key: &Keypair,
    ) -> Result<(), LedgerError> {
        let id = TransferId::from_time(ambient::now_ms(), u128::from_le_bytes(ambient::random()));
        let transfer = Transfer { id, debit: from, credit: to, amount, asset, code: CODE_PAYMENT, ..Transfer::default() };
        let result = self.transfer(transfer, key).await?;
        if result.status.is_done() {
            return Ok(());
        }
        let name = result.status.name();
        Err(LedgerError {
            message: format!("the ledger refused the transfer: {name}"),
            reason: None,
            is_short: name == "exceeds_credits",
            may_pass: result.status.is_transient(),
        })
    }

    /// One transfer of whatever shape, by the key of who must sign it; its status says whether it was done.
    pub async fn transfer(&self, transfer: Transfer, key: &Keypair) -> Result<TransferResult, LedgerError> {
        match self.submit(Command::Transfer(TransferBatch { transfers: vec![transfer] }), key).await? {
            Acceptance::Transfers(results) if results.len() == 1 => Ok(results.into_iter().next().expect("one result")),
            other => Err(LedgerError {
                message: format!("the ledger answered a transfer with {other:?}"),
                reason: None,
                is_short: false,
                may_pass: true,
            }),
        }
    }

    async fn state(&self, id: ChannelId) -> Result<Option<ChannelState>, LedgerError> {
        let channel = self.link.channel(id).await.map_err(|error| no_outcome(&error))?;
        Ok(channel.map(|channel| ChannelState {
            phase: channel.phase,
            terms: channel.terms,
            deposit: channel.deposit,
            redeemed: channel.redeemed,
        }))
    }
}

/// No decision that we know of.
fn no_outcome(error: &LinkError) -> LedgerError {
    let no_command = matches!(
        error,
        LinkError::Submit(SubmitError::Statement(_))
            | LinkError::Bus(RequestError::ServiceError { code: 400, .. } | RequestError::TooLarge { .. })
    );
    LedgerError { message: error.to_string(), reason: None, is_short: false, may_pass: !no_command }
}

impl LedgerPort for LinkPort {
    fn ledger(&self) -> Digest {
        self.link.id()
    }

    fn command(&self, command: Command, key: Arc<Keypair>) -> LedgerAnswer<'_, Acceptance> {
        async move { self.submit(command, &key).await }.boxed()
    }

    fn channel(&self, channel: ChannelId) -> LedgerAnswer<'_, Option<ChannelState>> {
        self.state(channel).boxed()
    }

    fn balance(&self, account: AccountId) -> LedgerAnswer<'_, Amount> {
        let balance = async move {
            let found = self.link.account(account).await.map_err(|error| no_outcome(&error))?;
            let missing = || LedgerError {
                message: format!("the ledger knows no account {account}"),
                is_short: true,
                ..LedgerError::refused(Reason::AccountNotFound)
            };
            Ok(found.ok_or_else(missing)?.available())
        };
        balance.boxed()
    }
}
