//! Search over published packages: words, filters, an order that everybody gets alike, and why a result stands where it does.
//!
//! The index lives in memory. It is made of [`Document`]s, one for each package, and follows the catalogue: after an admission,
//! the documents of the packages that changed are put in again.

mod document;
mod index;
mod query;
mod rank;
mod snippet;
mod words;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use hansa_economy::Amount;
use tantivy::DocAddress;

use crate::limits::{PAGE_MAX, QUERY_BYTES_MAX, RESULTS_MAX};
use crate::version::{PackageName, Version};
pub use document::{Document, Service};
use index::Store;
use query::Words;
use rank::{Ranked, Ranking, Slot};
pub use snippet::Snippet;

/// What is searched, in the order of weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The package's name without the publisher.
    Name,
    /// Its keywords.
    Keywords,
    /// Its interfaces and functions.
    Contract,
    /// Its description and its publisher.
    Description,
    /// Its labels.
    Labels,
    /// Its README.
    Readme,
}

impl Field {
    /// All of them.
    pub const ALL: [Field; 6] = [Field::Name, Field::Keywords, Field::Contract, Field::Description, Field::Labels, Field::Readme];
    /// Where the README stands among them: its words are not offered as corrections.
    const README: usize = 5;

    /// How much a word counts in it.
    pub fn weight(self) -> f32 {
        match self {
            Field::Name => 5.0,
            Field::Keywords => 4.0,
            Field::Contract => 3.0,
            Field::Description => 3.0,
            Field::Labels => 2.0,
            Field::Readme => 1.0,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Field::Name => "name",
            Field::Keywords => "keywords",
            Field::Contract => "contract",
            Field::Description => "description",
            Field::Labels => "labels",
            Field::Readme => "readme",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A question.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Words; none finds everything that the filter lets through, newest first.
    pub text: String,
    /// What a result must be.
    pub filter: Filter,
    /// Results to leave out at the beginning.
    pub offset: usize,
    /// Results to return.
    pub limit: usize,
    /// Now, Unix milliseconds: new releases come a little earlier.
    pub now_ms: u64,
}

/// What a result must be; all that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// It sells what satisfies this wish: `acme:translate/translator`, with or without a version.
    pub interface: Option<String>,
    /// It has these labels with these values.
    pub labels: Vec<(String, String)>,
    /// It is of this publisher.
    pub publisher: Option<String>,
    /// It has this keyword.
    pub keyword: Option<String>,
    /// It has this language as keyword, or as value of a label `language`, `languages` or `lang`.
    pub language: Option<String>,
    /// A function of it costs no more than this.
    pub price: Option<PriceAtMost>,
}

/// The most that a function may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceAtMost {
    /// Of this interface, where given; a wish as in [`Filter::interface`].
    pub interface: Option<String>,
    /// The function.
    pub function: String,
    /// The most that one call may cost.
    pub max: Amount,
}

/// A word that no package has, and the known one that was used in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// As it was typed.
    pub typed: String,
    /// As it was looked for.
    pub used: String,
}

/// Answers.
#[derive(Clone, Debug)]
pub struct Results {
    /// How many packages were found; of a word that stands in very many READMEs, those that have it elsewhere.
    pub total: usize,
    /// Those of this page, best first.
    pub hits: Vec<Hit>,
    /// Words that were replaced.
    pub corrections: Vec<Correction>,
    /// Does no package have all the words, so that these have only some? Words that stand in very many READMEs do not count.
    pub loosened: bool,
}

/// A package that was found.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The package.
    pub package: PackageName,
    /// The version that stands for it.
    pub version: Version,
    /// Its description.
    pub description: String,
    /// The passage of its README, or of its description, with the words.
    pub snippet: Option<Snippet>,
    /// Why it stands where it stands.
    pub why: Why,
}

/// What a result's place is made of.
#[derive(Clone, Debug)]
pub struct Why {
    /// The score, thousandths.
    pub score: u64,
    /// Which words were found where.
    pub matches: Vec<Match>,
    /// Is its name the very query?
    pub exact_name: bool,
    /// The factor for its age, 1 to 1.15.
    pub freshness: f32,
    /// Is it deprecated, and its score lowered for it?
    pub deprecated: bool,
}

/// A word in a field.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// The stem that was found.
    pub word: String,
    /// Where.
    pub field: Field,
    /// How much that field counts.
    pub weight: f32,
}

/// Why a search gives no answer.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// Too long.
    #[error("the query has {0} bytes, more than {QUERY_BYTES_MAX}; use fewer words")]
    TooLong(usize),
    /// Too many results at once, or too far.
    #[error(
        "results {offset} to {end} were asked for; ask for at most {PAGE_MAX} at once, \
         and for the first {RESULTS_MAX}: narrow the search"
    )]
    Page {
        /// The first.
        offset: usize,
        /// The one after the last.
        end: usize,
    },
    /// The index itself.
    #[error("the search index failed: {0}; it is made anew when the node starts")]
    Index(#[from] tantivy::TantivyError),
}

/// The index.
pub struct Search {
    store: Store,
}

impl Search {
    /// An empty index.
    pub fn new() -> Result<Search, SearchError> {
        Ok(Search { store: Store::new()? })
    }

    /// An index of many documents.
    pub fn build(documents: impl IntoIterator<Item = Document>) -> Result<Search, SearchError> {
        let mut search = Search::new()?;
        search.store.apply(documents, &[])?;
        search.store.join()?;
        Ok(search)
    }

    /// Put documents in, in place of what their packages had, and take packages out that nothing stands for any more.
    pub fn apply(&mut self, documents: impl IntoIterator<Item = Document>, gone: &[PackageName]) -> Result<(), SearchError> {
        self.store.apply(documents, gone)
    }

    /// How many packages can be found.
    pub fn len(&self) -> usize {
        self.store.table.len()
    }

    /// Is there nothing to find?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many words corrections are chosen from.
    pub fn words(&self) -> usize {
        self.store.vocabulary.len()
    }

    /// Find packages.
    pub fn find(&self, query: &Query) -> Result<Results, SearchError> {
        check(query)?;
        let words = query::read_words(&query.text, &self.store);
        let all = words.stems.len();
        let mut ranked = Ranked { total: 0, best: Vec::new() };
        let mut loosened = false;
        for needed in loosening(all) {
            ranked = self.ranked(query, &words, needed)?;
            if ranked.total > 0 {
                loosened = needed < all;
                break;
            }
        }
        let page = ranked.best.into_iter().skip(query.offset);
        let hits = page.map(|(rank, at, number)| self.hit(query, &words, rank.0, at, number)).collect::<Result<_, _>>()?;
        Ok(Results { total: ranked.total, hits, corrections: words.corrections, loosened })
    }

    fn ranked(&self, query: &Query, words: &Words, needed: usize) -> Result<Ranked, SearchError> {
        let ranking = Ranking {
            table: Arc::clone(&self.store.table),
            now_ms: query.now_ms,
            price: query.filter.price.clone(),
            most: (query.offset + query.limit).max(1),
        };
        let question = query::build(query, words, needed, &self.store);
        Ok(self.store.searcher().search_with_statistics_provider(&*question, &ranking, &*self.store.table)?)
    }

    fn hit(&self, query: &Query, words: &Words, score: u64, at: DocAddress, number: usize) -> Result<Hit, SearchError> {
        let slot: &Slot = self.store.table.slots[number].as_ref().expect("what was ranked is in the table");
        let texts = self.store.texts(&self.store.searcher(), at)?;
        let wanted: BTreeSet<String> = words.stems.iter().flatten().cloned().collect();
        let found = texts.each_ref().map(|text| words::find(text, &wanted));
        let mut matches = Vec::new();
        for (field, found) in Field::ALL.into_iter().zip(&found) {
            let distinct: BTreeSet<&String> = found.iter().map(|stem| &stem.text).collect();
            matches.extend(distinct.into_iter().map(|word| Match { word: word.clone(), field, weight: field.weight() }));
        }
        let description = texts[3].strip_suffix(slot.package.publisher()).unwrap_or(&texts[3]).trim_end().to_owned();
        let snippet = snippet::snippet(&texts[Field::README], &found[Field::README]);
        let snippet = snippet.or_else(|| snippet::snippet(&description, &words::find(&description, &wanted)));
        let name = query.text.trim().to_lowercase().replace(' ', "-");
        Ok(Hit {
            package: slot.package.clone(),
            version: slot.version,
            description,
            snippet,
            why: Why {
                score,
                matches,
                exact_name: name == slot.package.short() || name == slot.package.as_str(),
                freshness: slot.freshness(query.now_ms),
                deprecated: slot.deprecated,
            },
        })
    }
}

/// How many of `all` words must be found: all of them, else most, else any.
fn loosening(all: usize) -> Vec<usize> {
    let mut needed = vec![all, all.div_ceil(2), 1];
    needed.retain(|needed| *needed <= all);
    needed.dedup();
    needed
}

fn check(query: &Query) -> Result<(), SearchError> {
    let end = query.offset.saturating_add(query.limit);
    match (query.text.len() <= QUERY_BYTES_MAX, query.limit <= PAGE_MAX && end <= RESULTS_MAX) {
        (false, _) => Err(SearchError::TooLong(query.text.len())),
        (_, false) => Err(SearchError::Page { offset: query.offset, end }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
