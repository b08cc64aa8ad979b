//! The proof of a call, behind one seam: how a buyer vouches and how a seller receipts.
//!
//! Each voucher and each receipt is a signed statement of its own. Those that one key has to sign at the same moment share
//! one signature over a tree of them ([`hansa_economy::statement::sign_all`]): nobody waits for others to come, but
//! whoever is ready to go on joins. With one call in flight each gets a plain signature.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex};

use hansa_economy::channel::{CloseWish, Voucher};
use hansa_economy::limits::TREE_LEAVES_MAX;
use hansa_economy::quote::Quote;
use hansa_economy::receipt::Receipt;
use hansa_economy::statement::{Draft, Memo, Share, Unverified, sign_all};
use hansa_economy::tender::SealedBid;
use hansa_economy::{Digest, Keypair, Signed, Statement, StatementError, Verifier};
use tokio::sync::oneshot;

use crate::limits::{GATHER_TIME_MAX, GATHER_TURNS_MAX, TREE_HEADS_KEPT};

/// Signs for one key; concurrent statements share a signature.
pub(crate) struct Signatory {
    key: Arc<Keypair>,
    gathering: Mutex<Option<Vec<Waiting>>>,
}

/// A statement's leaf, and where its share of the signature goes.
type Waiting = (Digest, oneshot::Sender<Share>);

/// What a statement does to get signed.
enum Role<'a> {
    /// The first: it gathers the others and signs for all.
    Lead(Gathering<'a>),
    Follow(oneshot::Receiver<Share>),
    /// The tree is full.
    Alone,
}

/// While it lives, others join. Dropped half-way, it lets them go to sign for themselves.
struct Gathering<'a> {
    signatory: &'a Signatory,
    /// It has signed for its group: what gathers now is another's.
    done: bool,
}

impl Signatory {
    pub(crate) fn new(key: Arc<Keypair>) -> Signatory {
        Signatory { key, gathering: Mutex::default() }
    }

    /// The buyer vouches for one call.
    pub(crate) async fn vouch(&self, voucher: Voucher) -> Signed<Voucher> {
        self.sign(voucher).await
    }

    /// The seller states what was done and charged.
    pub(crate) async fn receipt(&self, receipt: Receipt) -> Signed<Receipt> {
        self.sign(receipt).await
    }

    async fn sign<T: Statement>(&self, body: T) -> Signed<T> {
        let draft = Draft::new(body, self.key.public());
        match self.role(draft.leaf()) {
            Role::Lead(gathering) => gathering.sign(draft).await,
            // Whoever leads may be a future that nobody polls for a while.
            Role::Follow(share) => match tokio::time::timeout(GATHER_TIME_MAX, share).await {
                Ok(Ok(share)) => draft.shared(share),
                _ => draft.alone(&self.key),
            },
            Role::Alone => draft.alone(&self.key),
        }
    }

    fn role(&self, leaf: Digest) -> Role<'_> {
        let mut gathering = self.lock();
        match gathering.as_mut() {
            None => {
                *gathering = Some(Vec::new());
                Role::Lead(Gathering { signatory: self, done: false })
            }
            Some(waiting) if waiting.len() + 1 < TREE_LEAVES_MAX => {
                let (share, receiver) = oneshot::channel();
                waiting.push((leaf, share));
                Role::Follow(receiver)
            }
            Some(_) => Role::Alone,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Vec<Waiting>>> {
        self.gathering.lock().expect("no panic while statements gather")
    }
}

impl Gathering<'_> {
    async fn sign<T: Statement>(mut self, draft: Draft<T>) -> Signed<T> {
        self.gather().await;
        let key = &self.signatory.key;
        let (leaves, shares): (Vec<_>, Vec<_>) = self.signatory.lock().take().unwrap_or_default().into_iter().unzip();
        self.done = true;
        if leaves.is_empty() {
            return draft.alone(key);
        }
        let all: Vec<Digest> = std::iter::once(draft.leaf()).chain(leaves).collect();
        let mut signed = sign_all(&all, key).into_iter();
        let own = signed.next().expect("a share for each leaf");
        for (waiting, share) in shares.into_iter().zip(signed) {
            // Whoever no longer waits needs no signature.
            let _ = waiting.send(share);
        }
        draft.shared(own)
    }

    /// Let all others that are ready take their turn, and again while some of them join.
    async fn gather(&self) {
        let mut joined = 0;
        for _ in 0..GATHER_TURNS_MAX {
            tokio::task::yield_now().await;
            let now = self.signatory.lock().as_ref().map_or(0, Vec::len);
            if now == joined {
                return;
            }
            joined = now;
        }
    }
}

impl Drop for Gathering<'_> {
    fn drop(&mut self) {
        if !self.done {
            drop(self.signatory.lock().take());
        }
    }
}

/// Heads of trees that were verified, so that the statements under one signature cost one verification.
#[derive(Default)]
pub(crate) struct Heads(Mutex<Known>);

#[derive(Default)]
struct Known {
    names: HashSet<Digest>,
    oldest: VecDeque<Digest>,
}

impl Memo for Heads {
    fn knows(&self, name: &Digest) -> bool {
        self.0.lock().expect("no panic while heads are locked").names.contains(name)
    }

    fn learn(&self, name: Digest) {
        let mut known = self.0.lock().expect("no panic while heads are locked");
        if known.names.insert(name) {
            known.oldest.push_back(name);
        }
        if known.oldest.len() > TREE_HEADS_KEPT
            && let Some(oldest) = known.oldest.pop_front()
        {
            known.names.remove(&oldest);
        }
    }
}

/// Read a voucher, to look up by its channel who has to have signed it.
pub(crate) fn read_voucher(bytes: &[u8]) -> Result<Unverified<'_, Voucher>, StatementError> {
    Unverified::read(bytes)
}

/// Read a wish to close, to look up by its channel who has to have signed it.
pub(crate) fn read_close_wish(bytes: &[u8]) -> Result<Unverified<'_, CloseWish>, StatementError> {
    Unverified::read(bytes)
}

/// The seller checks that it was the payer who vouched.
pub(crate) fn check_voucher(
    voucher: Unverified<'_, Voucher>,
    payer: &Verifier,
    heads: &Heads,
) -> Result<Signed<Voucher>, StatementError> {
    voucher.verify(payer, heads)
}

/// The buyer checks that it was the seller who stated it.
pub(crate) fn check_receipt(bytes: &[u8], seller: &Verifier, heads: &Heads) -> Result<Signed<Receipt>, StatementError> {
    Unverified::read(bytes)?.verify(seller, heads)
}

/// The buyer checks that a sealed bid is the seller's.
pub(crate) fn check_sealed_bid(bytes: &[u8], seller: &Verifier, heads: &Heads) -> Result<Signed<SealedBid>, StatementError> {
    Unverified::read(bytes)?.verify(seller, heads)
}

/// Each side checks that a quote is the seller's.
pub(crate) fn check_quote(bytes: &[u8], seller: &Verifier, heads: &Heads) -> Result<Signed<Quote>, StatementError> {
    Unverified::read(bytes)?.verify(seller, heads)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voucher(seq: u64) -> Voucher {
        Voucher {
            ledger: Digest::default(),
            channel: Digest::default(),
            lane: 0,
            seq,
            cumulative_max: hansa_economy::Amount(seq.into()),
            prev_receipt: None,
            call: None,
            request: None,
        }
    }

    fn signatory() -> Arc<Signatory> {
        Arc::new(Signatory::new(Arc::new(Keypair::from_seed(&[5; 32]))))
    }

    #[tokio::test]
    async fn those_that_are_ready_share_a_signature_and_a_lone_one_has_its_own() {
        let signatory = signatory();
        let lone = signatory.vouch(voucher(0)).await;
        assert_eq!(lone, Signed::new(voucher(0), &signatory.key));
        let many = futures::future::join_all((1..=9).map(|seq| signatory.vouch(voucher(seq)))).await;
        let heads = Heads::default();
        for (signed, seq) in many.iter().zip(1..) {
            assert_eq!(signed.body.seq, seq);
            let read = read_voucher(signed.bytes()).unwrap();
            assert_eq!(check_voucher(read, &signatory.key.verifier(), &heads).as_ref(), Ok(signed));
        }
        assert_eq!(heads.0.lock().unwrap().names.len(), 1);
    }

    /// The first was cancelled while it gathered: those that had joined it waited for ever.
    #[tokio::test]
    async fn whoever_leaves_half_way_leaves_nobody_waiting() {
        let signatory = signatory();
        let mut first = Box::pin(signatory.vouch(voucher(1)));
        assert!(futures::poll!(&mut first).is_pending());
        let mut second = Box::pin(signatory.vouch(voucher(2)));
        assert!(futures::poll!(&mut second).is_pending());
        drop(first);
        assert_eq!(second.await, Signed::new(voucher(2), &signatory.key));
        assert_eq!(signatory.vouch(voucher(3)).await, Signed::new(voucher(3), &signatory.key));
    }

    #[tokio::test]
    async fn whoever_is_not_polled_holds_nobody_up() {
        let signatory = signatory();
        let mut first = Box::pin(signatory.vouch(voucher(1)));
        assert!(futures::poll!(&mut first).is_pending());
        assert_eq!(signatory.vouch(voucher(2)).await, Signed::new(voucher(2), &signatory.key));
        let first = first.await;
        assert!(check_voucher(read_voucher(first.bytes()).unwrap(), &signatory.key.verifier(), &Heads::default()).is_ok());
    }

    #[test]
    fn old_heads_are_forgotten() {
        let heads = Heads::default();
        let name = |n: usize| Digest::of(&n.to_le_bytes());
        (0..=TREE_HEADS_KEPT).for_each(|n| heads.learn(name(n)));
        assert!(!heads.knows(&name(0)) && heads.knows(&name(1)) && heads.knows(&name(TREE_HEADS_KEPT)));
    }
}
