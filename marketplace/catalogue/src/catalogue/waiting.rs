//! Statements that came before what they build on. Bounded in number and bytes: the oldest are forgotten first, and can be
//! admitted again.

use std::collections::VecDeque;

use hansa_economy::{Digest, Signed};

use super::{AdmitError, Missing, Origin};
use crate::limits::{WAITING_BYTES_MAX, WAITING_MAX};
use crate::names::NameRecord;
use crate::package::Release;
use crate::releases::{Notice, check_notice};

/// A statement with all that is needed to place it.
#[derive(Clone, Debug)]
pub enum Item {
    /// A record of a publisher's name.
    Name(Signed<NameRecord>),
    /// A verified release.
    Release(Box<Release>, Origin),
    /// A notice.
    Notice(Signed<Notice>, Origin),
}

impl Item {
    /// A record of a publisher's name, as signed bytes.
    pub fn name(record: &[u8]) -> Result<Item, AdmitError> {
        Ok(Item::Name(Signed::open(record)?))
    }

    /// A release that [`Release::open`] has verified.
    pub fn release(release: Release, origin: Origin) -> Item {
        Item::Release(Box::new(release), origin)
    }

    /// A notice, as signed bytes.
    pub fn notice(notice: &[u8], origin: Origin) -> Result<Item, AdmitError> {
        let notice = Signed::<Notice>::open(notice)?;
        check_notice(&notice.body)?;
        Ok(Item::Notice(notice, origin))
    }

    pub(super) fn digest(&self) -> Digest {
        match self {
            Item::Name(record) => record.digest(),
            Item::Release(release, _) => release.statement.digest(),
            Item::Notice(notice, _) => notice.digest(),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Item::Name(record) => record.bytes().len(),
            Item::Release(release, _) => {
                let files = &release.files;
                release.statement.bytes().len() + files.readme.len() + files.license.len() + 4 * files.wit.len()
            }
            Item::Notice(notice, _) => notice.bytes().len(),
        }
    }
}

/// What waits, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    items: VecDeque<(Digest, Item, Missing)>,
    bytes: usize,
}

impl Waiting {
    /// Keep `item` until `missing` is there.
    pub(super) fn add(&mut self, item: Item, missing: Missing) {
        let digest = item.digest();
        if let Some(known) = self.items.iter_mut().find(|(known, ..)| *known == digest) {
            known.2 = missing;
            return;
        }
        self.bytes += item.bytes();
        self.items.push_back((digest, item, missing));
        while self.items.len() > WAITING_MAX || self.bytes > WAITING_BYTES_MAX {
            let Some((_, forgotten, _)) = self.items.pop_front() else { break };
            self.bytes -= forgotten.bytes();
        }
    }

    /// Take out all that are ready: whose missing part is there now.
    pub(super) fn take(&mut self, is_ready: impl Fn(&Item, &Missing) -> bool) -> Vec<Item> {
        let (ready, rest): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.items).into_iter().partition(|(_, item, missing)| is_ready(item, missing));
        self.items = rest;
        self.bytes -= ready.iter().map(|(_, item, _)| item.bytes()).sum::<usize>();
        ready.into_iter().map(|(_, item, _)| item).collect()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (Digest, &Missing)> {
        self.items.iter().map(|(digest, _, missing)| (*digest, missing))
    }
}
