//! The ledger as trade wants it: commands signed and submitted, refusals turned into words.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use hansa_economy::channel::{AccountId, ChannelId, ChannelTerms};
use hansa_economy::ledger::{
    Acceptance, AccountOpen, ChannelClose, ChannelOpen, ChannelPhase, ChannelRedeem, ChannelTopup, Claim, Command, CommandId,
    Issue, Reason, SignedCommand, Transfer, TransferBatch, TransferId,
};
use hansa_economy::{Amount, Digest, Keypair};
use hansa_trade::{ChannelState, LaneClaim, LedgerError, LedgerPort};

use super::link::{LedgerLink, LinkError};
use crate::ambient;

/// Claims in one `channel.redeem` command.
const CLAIMS_PER_COMMAND: usize = 32;
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
        self.outcome(command, key).await?.map_err(refused)
    }

    /// The ledger's decision. The outer error: there is none that we know of.
    async fn outcome(&self, command: Command, key: &Keypair) -> Result<Result<Acceptance, Reason>, LedgerError> {
        let id = CommandId::from_time(ambient::now_ms(), u128::from_le_bytes(ambient::random()));
        let signed = SignedCommand::sign(self.link.id(), id, command, key);
        let outcome = self.link.submit(signed.bytes().to_vec()).await.map_err(|error| unreachable_ledger(&error))?;
        Ok(outcome.result.accepted().cloned())
    }

    /// Open the account of `key` with this label; done if it is open already.
    pub async fn open_account(&self, asset: u32, label: &str, key: &Keypair) -> Result<AccountId, LedgerError> {
        let id = hansa_economy::ledger::account_id(key.public(), asset, label);
        if self.link.account(id).await.map_err(|error| unreachable_ledger(&error))?.is_some() {
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
        match self.submit(Command::Transfer(TransferBatch { transfers: vec![transfer] }), key).await? {
            Acceptance::Transfers(results) => match results.first() {
                Some(result) if !result.status.is_done() => {
                    let name = result.status.name();
                    Err(LedgerError {
                        message: format!("the ledger refused the transfer: {name}"),
                        is_short: name == "exceeds_credits",
                        may_pass: result.status.is_transient(),
                    })
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    async fn state(&self, id: ChannelId) -> Result<Option<ChannelState>, LedgerError> {
        let channel = self.link.channel(id).await.map_err(|error| unreachable_ledger(&error))?;
        Ok(channel.map(|channel| ChannelState {
            open: matches!(channel.phase, ChannelPhase::Open),
            terms: channel.terms,
            deposit: channel.deposit,
            redeemed: channel.redeemed,
        }))
    }
}

fn unreachable_ledger(error: &LinkError) -> LedgerError {
    LedgerError { message: error.to_string(), is_short: false, may_pass: true }
}

fn refused(reason: Reason) -> LedgerError {
    LedgerError {
        message: format!("the ledger refused: {reason}"),
        is_short: reason == Reason::ExceedsCredits,
        may_pass: reason.is_transient(),
    }
}

impl LedgerPort for LinkPort {
    fn ledger(&self) -> Digest {
        self.link.id()
    }

    fn open_channel(&self, terms: ChannelTerms, deposit: Amount, owner: Arc<Keypair>) -> BoxFuture<'_, Result<(), LedgerError>> {
        async move { self.submit(Command::ChannelOpen(ChannelOpen { terms, deposit }), &owner).await.map(drop) }.boxed()
    }

    fn top_up(&self, channel: ChannelId, amount: Amount, owner: Arc<Keypair>) -> BoxFuture<'_, Result<(), LedgerError>> {
        async move { self.submit(Command::ChannelTopup(ChannelTopup { channel, amount }), &owner).await.map(drop) }.boxed()
    }

    fn redeem(&self, channel: ChannelId, claims: Vec<LaneClaim>, payee: Arc<Keypair>) -> BoxFuture<'_, Result<(), LedgerError>> {
        let redeem = async move {
            for chunk in claims.chunks(CLAIMS_PER_COMMAND) {
                let claims = chunk
                    .iter()
                    .map(|claim| Claim { voucher: claim.voucher.clone().into(), receipt: claim.receipt.clone().into() })
                    .collect();
                match self.outcome(Command::ChannelRedeem(ChannelRedeem { channel, claims }), &payee).await? {
                    // Paid before, as where a crash came between the ledger's payment and our note of it.
                    Ok(_) | Err(Reason::NothingToRedeem) => {}
                    Err(reason) => return Err(refused(reason)),
                }
            }
            Ok(())
        };
        redeem.boxed()
    }

    fn close(&self, channel: ChannelId, key: Arc<Keypair>) -> BoxFuture<'_, Result<(), LedgerError>> {
        let close = async move {
            let state = self.state(channel).await?;
            let at_once = state.is_some_and(|state| state.terms.payee_key == key.public());
            self.submit(Command::ChannelClose(ChannelClose { channel, at_once }), &key).await.map(drop)
        };
        close.boxed()
    }

    fn channel(&self, channel: ChannelId) -> BoxFuture<'_, Result<Option<ChannelState>, LedgerError>> {
        self.state(channel).boxed()
    }

    fn balance(&self, account: AccountId) -> BoxFuture<'_, Result<Amount, LedgerError>> {
        let balance = async move {
            let found = self.link.account(account).await.map_err(|error| unreachable_ledger(&error))?;
            let missing =
                || LedgerError { message: format!("the ledger knows no account {account}"), is_short: true, may_pass: true };
            Ok(found.ok_or_else(missing)?.available())
        };
        balance.boxed()
    }
}
