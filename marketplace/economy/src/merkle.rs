//! Merkle trees (RFC 9162 §2.1, SHA-256): one hash for many leaves, and short proofs that a leaf is among them.

use sha2::{Digest as _, Sha256};

use crate::digest::Digest;

/// A tree: its root, and the path of each leaf.
pub(crate) struct Tree {
    pub(crate) root: Digest,
    /// Per leaf, the hashes beside its way upwards, from the leaf.
    pub(crate) paths: Vec<Vec<Digest>>,
}

/// The hash of a leaf, RFC 9162 §2.1.1.
pub fn leaf(message: &[u8]) -> Digest {
    Digest(Sha256::new().chain_update([0]).chain_update(message).finalize().into())
}

fn node(left: &Digest, right: &Digest) -> Digest {
    Digest(Sha256::new().chain_update([1]).chain_update(left.0).chain_update(right.0).finalize().into())
}

/// The tree over these leaves, from [`leaf`]; none where there is none.
pub(crate) fn tree(leaves: &[Digest]) -> Option<Tree> {
    let mut paths: Vec<Vec<Digest>> = vec![Vec::new(); leaves.len()];
    let root = levels(leaves, |level, height| {
        for (number, path) in paths.iter_mut().enumerate() {
            // The last node of a level may have no sibling; it rises as it is.
            path.extend(level.get((number >> height) ^ 1));
        }
    })?;
    Some(Tree { root, paths })
}

/// The root over these leaves, from [`leaf`]; none where there is none.
pub fn root(leaves: &[Digest]) -> Option<Digest> {
    levels(leaves, |_, _| ())
}

/// The path of leaf `number`, from 0: what [`climb`] needs. None where there is no such leaf.
pub fn path(leaves: &[Digest], number: usize) -> Option<Vec<Digest>> {
    let mut path = Vec::new();
    levels(leaves, |level, height| path.extend(level.get((number >> height) ^ 1)))?;
    (number < leaves.len()).then_some(path)
}

/// The root that a proof leads to from leaf `number` of `count`; none where it is no proof.
pub fn climb(leaf: Digest, number: u32, count: u32, path: impl IntoIterator<Item = Digest>) -> Option<Digest> {
    if number >= count {
        return None;
    }
    let mut path = path.into_iter();
    let (mut at, mut last, mut hash) = (number, count - 1, leaf);
    while last > 0 {
        if at % 2 == 1 {
            hash = node(&path.next()?, &hash);
        } else if at < last {
            hash = node(&hash, &path.next()?);
        }
        (at, last) = (at / 2, last / 2);
    }
    path.next().is_none().then_some(hash)
}

/// Go up level by level to the root, showing each level below it and its height.
fn levels(leaves: &[Digest], mut show: impl FnMut(&[Digest], usize)) -> Option<Digest> {
    let (mut level, mut height) = (leaves.to_vec(), 0);
    while level.len() > 1 {
        show(&level, height);
        level = level.chunks(2).map(|pair| if let [left, right] = pair { node(left, right) } else { pair[0] }).collect();
        height += 1;
    }
    level.first().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9162 §2.1.1 by its own words: split at the largest power of two below the count.
    fn root_of_the_rfc(leaves: &[Digest]) -> Digest {
        match leaves {
            [one] => *one,
            many => {
                let (left, right) = many.split_at(many.len().next_power_of_two() / 2);
                node(&root_of_the_rfc(left), &root_of_the_rfc(right))
            }
        }
    }

    fn leaves(count: usize) -> Vec<Digest> {
        (0..count).map(|n| leaf(&n.to_le_bytes())).collect()
    }

    #[test]
    fn every_leaf_of_every_small_tree_climbs_to_the_root_of_the_rfc() {
        for count in 1..=70 {
            let leaves = leaves(count);
            let Tree { root, paths } = tree(&leaves).unwrap();
            assert_eq!(root, root_of_the_rfc(&leaves));
            assert_eq!(super::root(&leaves), Some(root));
            for (number, way) in paths.iter().enumerate() {
                assert_eq!(path(&leaves, number).as_ref(), Some(way));
                let climbed = climb(leaves[number], number as u32, count as u32, way.iter().copied());
                assert_eq!(climbed, Some(root), "leaf {number} of {count}");
            }
            assert_eq!(path(&leaves, count), None);
        }
        assert!(tree(&[]).is_none());
    }

    #[test]
    fn nothing_else_climbs_to_the_root() {
        let leaves = leaves(5);
        let Tree { root, paths } = tree(&leaves).unwrap();
        for (number, way) in paths.iter().enumerate() {
            let climbs = |leaf, number, count, way: &[Digest]| climb(leaf, number, count, way.iter().copied()) == Some(root);
            let at = number as u32;
            assert!(climbs(leaves[number], at, 5, way));
            assert!(!climbs(leaves[(number + 1) % 5], at, 5, way));
            assert!(!climbs(leaves[number], (at + 1) % 5, 5, way));
            assert!(!climbs(leaves[number], at, 4, way) && !climbs(leaves[number], at, at, way));
            assert!(!climbs(leaves[number], at, 5, &way[1..]));
            assert!(!climbs(leaves[number], at, 5, &[way.as_slice(), &[root]].concat()));
        }
    }
}
