//! The order of results. Scores are BM25 over counts that are kept here, so that they depend on what is in the index and not
//! on how it got there; age and deprecation weigh in. Of equal scores, a hash of the name decides, which nobody can choose.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use hansa_economy::Amount;
use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::Column;
use tantivy::query::Bm25StatisticsProvider;
use tantivy::schema::Field as Place;
use tantivy::{DocAddress, DocId, Score, SegmentOrdinal, SegmentReader, Term};

use super::PriceAtMost;
use crate::version::{PackageName, Version};

/// A new release counts this much more than an old one, at most.
const FRESHNESS: f32 = 0.15;
/// The age at which half of that is gone, days.
const FRESHNESS_HALF_DAYS: f32 = 180.0;
/// What is left of a deprecated package's score.
const DEPRECATED: f32 = 0.4;
const DAY_MS: f32 = 86_400_000.0;

/// What ranking needs of one package.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) package: PackageName,
    pub(super) version: Version,
    pub(super) published_ms: u64,
    pub(super) deprecated: bool,
    pub(super) functions: Vec<(Arc<str>, String, Amount)>,
    /// Decides among equal scores.
    pub(super) lot: u64,
}

impl Slot {
    /// How much its age counts, 1 or a little more.
    pub(super) fn freshness(&self, now_ms: u64) -> f32 {
        let age_days = now_ms.saturating_sub(self.published_ms) as f32 / DAY_MS;
        1.0 + FRESHNESS * FRESHNESS_HALF_DAYS / (FRESHNESS_HALF_DAYS + age_days)
    }

    /// How much is left where it is deprecated.
    pub(super) fn standing(&self) -> f32 {
        if self.deprecated { DEPRECATED } else { 1.0 }
    }

    fn costs_at_most(&self, wanted: &PriceAtMost) -> bool {
        self.functions.iter().any(|(interface, function, max)| {
            let same = wanted.interface.as_ref().is_none_or(|path| crate::version::satisfies(interface, path));
            same && *function == wanted.function && *max <= wanted.max
        })
    }
}

/// All packages of the index by their number, and the counts for scores.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) slots: Vec<Option<Slot>>,
    free: Vec<usize>,
    by_name: BTreeMap<PackageName, usize>,
    /// Interfaces that are sold, with the number of their functions in the index.
    interfaces: BTreeMap<Arc<str>, usize>,
    /// Packages that have a stem in a field, by a hash of both.
    frequencies: HashMap<u64, u32>,
    /// Stems in each field of all packages.
    tokens: [u64; 6],
}

impl Table {
    /// Give a package its number.
    pub(super) fn insert(&mut self, slot: Slot) -> usize {
        let number = self.free.pop().unwrap_or(self.slots.len());
        self.by_name.insert(slot.package.clone(), number);
        for (interface, ..) in &slot.functions {
            *self.interfaces.entry(Arc::clone(interface)).or_default() += 1;
        }
        match self.slots.get_mut(number) {
            Some(place) => *place = Some(slot),
            None => self.slots.push(Some(slot)),
        }
        number
    }

    /// Take a package out.
    pub(super) fn remove(&mut self, package: &PackageName) {
        let Some(number) = self.by_name.remove(package) else { return };
        for (interface, ..) in self.slots[number].take().into_iter().flat_map(|slot| slot.functions) {
            if let Some(count) = self.interfaces.get_mut(&interface) {
                *count -= 1;
                if *count == 0 {
                    self.interfaces.remove(&interface);
                }
            }
        }
        self.free.push(number);
    }

    /// The interfaces that satisfy a wish.
    pub(super) fn interfaces(&self, want: &str) -> impl Iterator<Item = &str> {
        let path = want.split_once('@').map_or(want, |(path, _)| path);
        let from = self.interfaces.range::<str, _>((std::ops::Bound::Included(path), std::ops::Bound::Unbounded));
        let of_path = from.take_while(move |(have, _)| have.starts_with(path)).map(|(have, _)| &**have);
        of_path.filter(move |have| crate::version::satisfies(have, want))
    }

    pub(super) fn number(&self, package: &PackageName) -> Option<usize> {
        self.by_name.get(package).copied()
    }

    pub(super) fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Count, or take back, the stems of one package's fields.
    pub(super) fn count(&mut self, stems: &[Vec<String>; 6], added: bool) {
        for (field, stems) in stems.iter().enumerate() {
            let tokens = stems.len() as u64;
            self.tokens[field] = if added { self.tokens[field] + tokens } else { self.tokens[field] - tokens };
            let mut distinct: Vec<&str> = stems.iter().map(String::as_str).collect();
            distinct.sort_unstable();
            distinct.dedup();
            for stem in distinct {
                let key = key(field as u32, stem.as_bytes());
                if added {
                    *self.frequencies.entry(key).or_default() += 1;
                } else if let Some(count) = self.frequencies.get_mut(&key) {
                    *count -= 1;
                    if *count == 0 {
                        self.frequencies.remove(&key);
                    }
                }
            }
        }
    }

    /// Does any package have this stem in any field?
    pub(super) fn knows(&self, stem: &str) -> bool {
        self.packages_with(stem).iter().any(|count| *count > 0)
    }

    /// How many packages have this stem in each field, in the order of [`super::Field::ALL`].
    pub(super) fn packages_with(&self, stem: &str) -> [u32; 6] {
        std::array::from_fn(|field| self.frequencies.get(&key(field as u32, stem.as_bytes())).copied().unwrap_or_default())
    }
}

fn key(field: u32, stem: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (field, stem).hash(&mut hasher);
    hasher.finish()
}

/// The searched fields are the first of the schema, in the order of [`super::Field::ALL`].
impl Bm25StatisticsProvider for Table {
    fn total_num_tokens(&self, field: Place) -> tantivy::Result<u64> {
        Ok(self.tokens.get(field.field_id() as usize).copied().unwrap_or(1).max(1))
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(self.len() as u64)
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        let key = key(term.field().field_id(), term.serialized_value_bytes());
        Ok(u64::from(self.frequencies.get(&key).copied().unwrap_or_default()))
    }
}

/// A place in the order: the higher, the earlier.
pub(super) type Rank = (u64, u64);

/// Ranks what a query matches.
pub(super) struct Ranking {
    pub(super) table: Arc<Table>,
    pub(super) now_ms: u64,
    pub(super) price: Option<PriceAtMost>,
    /// Results to return.
    pub(super) most: usize,
}

/// Best first: rank, place in the index and number of the package.
pub(super) struct Ranked {
    pub(super) total: usize,
    pub(super) best: Vec<(Rank, DocAddress, usize)>,
}

pub(super) struct SegmentRanking {
    table: Arc<Table>,
    now_ms: u64,
    price: Option<PriceAtMost>,
    segment: SegmentOrdinal,
    numbers: Column<u64>,
    total: usize,
    most: usize,
    /// The worst of the best on top.
    best: BinaryHeap<Reverse<(Rank, DocId, usize)>>,
}

impl Collector for Ranking {
    type Fruit = Ranked;
    type Child = SegmentRanking;

    fn for_segment(&self, segment: SegmentOrdinal, reader: &SegmentReader) -> tantivy::Result<SegmentRanking> {
        Ok(SegmentRanking {
            table: Arc::clone(&self.table),
            now_ms: self.now_ms,
            price: self.price.clone(),
            segment,
            numbers: reader.fast_fields().u64(super::index::NUMBER)?,
            total: 0,
            most: self.most,
            best: BinaryHeap::with_capacity(self.most + 1),
        })
    }

    fn requires_scoring(&self) -> bool {
        true
    }

    fn merge_fruits(&self, segments: Vec<Ranked>) -> tantivy::Result<Ranked> {
        let total = segments.iter().map(|segment| segment.total).sum();
        let mut best: Vec<_> = segments.into_iter().flat_map(|segment| segment.best).collect();
        best.sort_unstable_by_key(|found| Reverse(found.0));
        best.truncate(self.most);
        Ok(Ranked { total, best })
    }
}

impl SegmentCollector for SegmentRanking {
    type Fruit = Ranked;

    fn collect(&mut self, doc: DocId, score: Score) {
        let Some(number) = self.numbers.first(doc).and_then(|number| usize::try_from(number).ok()) else { return };
        let Some(slot) = self.table.slots.get(number).and_then(Option::as_ref) else { return };
        if self.price.as_ref().is_some_and(|wanted| !slot.costs_at_most(wanted)) {
            return;
        }
        self.total += 1;
        // Rounded, so that the order in which a score was added up does not show.
        let rounded = (score.max(0.001) * slot.freshness(self.now_ms) * slot.standing() * 1000.0).round();
        let rank = (rounded as u64, slot.lot);
        let full = self.best.len() >= self.most;
        if full && self.best.peek().is_some_and(|Reverse((worst, ..))| *worst >= rank) {
            return;
        }
        self.best.push(Reverse((rank, doc, number)));
        if full {
            self.best.pop();
        }
    }

    fn harvest(self) -> Ranked {
        let best = self.best.into_iter().map(|Reverse((rank, doc, number))| (rank, DocAddress::new(self.segment, doc), number));
        Ranked { total: self.total, best: best.collect() }
    }
}
