//! One signature for many statements: they are the leaves of a Merkle tree ([`crate::merkle`]), and the head of the
//! tree is signed. Each statement carries that signature and its own path, so that it stands alone like any other: whoever
//! has its bytes can verify it. Signing costs one signature for the whole tree, and so does verifying for whoever
//! remembers the heads that it has verified.
//!
//! In the place of the COSE signature stand: the EdDSA signature of the head (64 bytes), the leaf's number and the count of leaves
//! (u32, big-endian), and the hashes of the path from the leaf upwards (32 bytes each).

use crate::digest::Digest;
use crate::key::{Keypair, PublicKey, Verifier};
use crate::limits::TREE_LEAVES_MAX;
use crate::merkle;
pub(super) use crate::merkle::leaf;

const CONTEXT: &[u8] = b"hansa/tree.1";
const SIGNATURE_BYTES: usize = 64;
const FIXED_BYTES: usize = SIGNATURE_BYTES + 8;

/// What is signed of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    leaves: u32,
    root: Digest,
}

/// A signed head, as a reader found it: whether the signature is right is not said.
pub(super) struct HeadClaim<'a> {
    head: Head,
    signature: &'a [u8],
}

/// Remembers heads that were verified, so that the statements of one tree cost one verification. It must remember exactly the names
/// that it was told, and may forget any. `()` remembers nothing.
pub trait Memo {
    /// Was this name told before?
    fn knows(&self, name: &Digest) -> bool;
    /// The head of this name is verified.
    fn learn(&self, name: Digest);
}

impl Memo for () {
    fn knows(&self, _: &Digest) -> bool {
        false
    }

    fn learn(&self, _: Digest) {}
}

/// The proofs of all `leaves`, in their order, with the head signed by `key`; what stands in place of a COSE signature.
/// `leaves`: 1 to [`TREE_LEAVES_MAX`], from [`leaf`].
pub(super) fn sign(leaves: &[Digest], key: &Keypair) -> Vec<Vec<u8>> {
    let mut proofs: Vec<Vec<u8>> = Vec::with_capacity(leaves.len());
    let count = u32::try_from(leaves.len()).expect("a tree has few leaves");
    for number in 0..count {
        let mut proof = vec![0; SIGNATURE_BYTES];
        proof.extend_from_slice(&number.to_be_bytes());
        proof.extend_from_slice(&count.to_be_bytes());
        proofs.push(proof);
    }
    let tree = merkle::tree(leaves).expect("a tree has leaves");
    for (proof, path) in proofs.iter_mut().zip(&tree.paths) {
        path.iter().for_each(|sibling| proof.extend_from_slice(&sibling.0));
    }
    let signature = key.sign(&Head { leaves: count, root: tree.root }.message());
    proofs.iter_mut().for_each(|proof| proof[..SIGNATURE_BYTES].copy_from_slice(&signature));
    proofs
}

/// The signed head that `proof` leads to from the leaf; none where it is no proof.
pub(super) fn climb(leaf: Digest, proof: &[u8]) -> Option<HeadClaim<'_>> {
    let (fixed, path) = proof.split_at_checked(FIXED_BYTES)?;
    let number = |at: usize| Some(u32::from_be_bytes(fixed.get(at..at + 4)?.try_into().ok()?));
    let (number, leaves) = (number(SIGNATURE_BYTES)?, number(SIGNATURE_BYTES + 4)?);
    if leaves as usize > TREE_LEAVES_MAX || !path.len().is_multiple_of(32) {
        return None;
    }
    let siblings = path.chunks_exact(32).map(|hash| Digest(hash.try_into().expect("chunks of 32 bytes")));
    let root = merkle::climb(leaf, number, leaves, siblings)?;
    Some(HeadClaim { head: Head { leaves, root }, signature: &fixed[..SIGNATURE_BYTES] })
}

impl HeadClaim<'_> {
    /// Is the head signed by `verifier`'s key?
    pub(super) fn is_signed_by(&self, verifier: &Verifier, memo: &impl Memo) -> bool {
        let name = self.name(&verifier.key());
        if memo.knows(&name) {
            return true;
        }
        let signed = verifier.verifies(&self.head.message(), self.signature);
        if signed {
            memo.learn(name);
        }
        signed
    }

    /// Signer, signature and head: a head known with one signature says nothing of another signature's bytes.
    fn name(&self, signer: &PublicKey) -> Digest {
        Digest::of_parts("hansa tree head", &[&signer.0, self.signature, &self.head.message()])
    }
}

impl Head {
    fn message(&self) -> [u8; 48] {
        let mut message = [0; 48];
        message[..12].copy_from_slice(CONTEXT);
        message[12..16].copy_from_slice(&self.leaves.to_be_bytes());
        message[16..].copy_from_slice(&self.root.0);
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(count: usize) -> Vec<Digest> {
        (0..count).map(|n| leaf(&n.to_le_bytes())).collect()
    }

    #[test]
    fn every_leaf_of_every_small_tree_climbs_to_the_signed_head() {
        let key = Keypair::from_seed(&[3; 32]);
        for count in 1..=70 {
            let leaves = leaves(count);
            let expected = Head { leaves: count as u32, root: merkle::root(&leaves).unwrap() };
            for (leaf, proof) in leaves.iter().zip(sign(&leaves, &key)) {
                let claim = climb(*leaf, &proof).unwrap();
                assert_eq!(claim.head, expected);
                assert!(claim.is_signed_by(&key.verifier(), &()));
            }
        }
    }

    #[test]
    fn no_other_leaf_and_no_other_proof_climbs_to_a_signed_head() {
        let key = Keypair::from_seed(&[3; 32]);
        let signed =
            |leaf: Digest, proof: &[u8]| climb(leaf, proof).is_some_and(|claim| claim.is_signed_by(&key.verifier(), &()));
        let leaves = leaves(5);
        for (number, proof) in sign(&leaves, &key).into_iter().enumerate() {
            assert!(signed(leaves[number], &proof));
            assert!(!signed(leaves[(number + 1) % 5], &proof));
            for at in 0..proof.len() {
                let mut other = proof.clone();
                other[at] ^= 1;
                assert!(!signed(leaves[number], &other), "leaf {number}, byte {at}");
            }
            assert!(!signed(leaves[number], &proof[..proof.len() - 32]));
            assert!(!signed(leaves[number], &[proof.clone(), vec![0; 32]].concat()));
            assert!(!signed(leaves[number], &[]));
        }
    }
}
