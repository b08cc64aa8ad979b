//! The index in memory: its schema, its writer, and changes to it. It is derived and never stored.

use std::collections::BTreeSet;
use std::sync::Arc;

use tantivy::merge_policy::LogMergePolicy;
use tantivy::schema::{
    FAST, Field as Place, IndexRecordOption, OwnedValue, STORED, STRING, Schema, TextFieldIndexing, TextOptions, Value as _,
};
use tantivy::{DocAddress, Index, IndexReader, IndexWriter, ReloadPolicy, Searcher, TantivyDocument, Term};

use super::document::Document;
use super::rank::{Slot, Table};
use super::words::{Vocabulary, stemmer, stems};
use super::{Field, SearchError};
use crate::version::PackageName;

/// The column with a package's number in the table.
pub(super) const NUMBER: &str = "number";
/// Memory of the writer, bytes; more makes fewer and larger segments.
const WRITER_BYTES: usize = 48 * 1024 * 1024;
/// Documents of the store that are kept unpacked for each segment, blocks.
const STORE_BLOCKS_KEPT: usize = 16;
const STEMS: &str = "stems";

/// Tantivy's index with what is kept beside it.
pub(super) struct Store {
    writer: IndexWriter,
    reader: IndexReader,
    places: Places,
    pub(super) table: Arc<Table>,
    pub(super) vocabulary: Vocabulary,
    /// Packages that were put in since the last commit, which readers do not see yet.
    unseen: BTreeSet<PackageName>,
}

/// The fields of the schema.
#[derive(Clone, Copy)]
pub(super) struct Places {
    /// As in [`Field::ALL`].
    pub(super) texts: [Place; 6],
    /// Exact terms of filters.
    pub(super) terms: Place,
    number: Place,
    stored: Place,
}

impl Store {
    /// An empty index.
    pub(super) fn new() -> Result<Store, SearchError> {
        let (schema, places) = schema();
        let index = Index::builder().schema(schema).create_in_ram()?;
        index.tokenizers().register(STEMS, stemmer());
        let writer: IndexWriter = index.writer_with_num_threads(1, WRITER_BYTES)?;
        writer.set_merge_policy(Box::new(LogMergePolicy::default()));
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual);
        let reader = reader.doc_store_cache_num_blocks(STORE_BLOCKS_KEPT).try_into()?;
        Ok(Store { writer, reader, places, table: Arc::default(), vocabulary: Vocabulary::default(), unseen: BTreeSet::new() })
    }

    /// Put documents in, in place of those that their packages have, and take packages out; all at once for those who search.
    pub(super) fn apply(
        &mut self,
        documents: impl IntoIterator<Item = Document>,
        gone: &[PackageName],
    ) -> Result<(), SearchError> {
        for package in gone {
            self.take_out(package)?;
        }
        for document in documents {
            self.take_out(&document.package)?;
            self.put(&document)?;
        }
        self.commit()
    }

    fn commit(&mut self) -> Result<(), SearchError> {
        self.writer.commit()?;
        self.reader.reload()?;
        self.unseen.clear();
        Ok(())
    }

    /// Join all segments into one: fewer to look into after a rebuild.
    pub(super) fn join(&mut self) -> Result<(), SearchError> {
        let segments = self.writer.index().searchable_segment_ids()?;
        if segments.len() > 1 {
            self.writer.merge(&segments).wait()?;
        }
        self.reader.reload()?;
        Ok(())
    }

    pub(super) fn searcher(&self) -> Searcher {
        self.reader.searcher()
    }

    pub(super) fn places(&self) -> Places {
        self.places
    }

    /// The texts of a document's fields, in the order of [`Field::ALL`].
    pub(super) fn texts(&self, searcher: &Searcher, at: DocAddress) -> Result<[String; 6], SearchError> {
        let document: TantivyDocument = searcher.doc(at)?;
        let mut texts = <[String; 6]>::default();
        for (text, value) in texts.iter_mut().zip(document.get_all(self.places.stored)) {
            *text = value.as_str().unwrap_or_default().to_owned();
        }
        Ok(texts)
    }

    fn put(&mut self, document: &Document) -> Result<(), SearchError> {
        let texts = document.texts();
        self.vocabulary.add(&texts[..Field::README]);
        let table = Arc::make_mut(&mut self.table);
        table.count(&all_stems(&texts), true);
        let number = table.insert(slot(document));
        let mut row = TantivyDocument::new();
        for (place, text) in self.places.texts.iter().zip(&texts) {
            row.add_text(*place, text);
        }
        for text in texts {
            row.add_field_value(self.places.stored, &OwnedValue::Str(text));
        }
        for term in document.terms() {
            row.add_text(self.places.terms, term);
        }
        row.add_u64(self.places.number, number as u64);
        self.writer.add_document(row)?;
        self.unseen.insert(document.package.clone());
        Ok(())
    }

    /// Take a package out, if it is in. Its words are read back from the index itself.
    fn take_out(&mut self, package: &PackageName) -> Result<(), SearchError> {
        if self.table.number(package).is_none() {
            return Ok(());
        }
        let name = Term::from_field_text(self.places.terms, &format!("name={package}"));
        if self.unseen.contains(package) {
            self.commit()?;
        }
        if let Some(at) = self.find(&name)? {
            let texts = self.texts(&self.searcher(), at)?;
            self.vocabulary.remove(&texts[..Field::README]);
            Arc::make_mut(&mut self.table).count(&all_stems(&texts), false);
        }
        Arc::make_mut(&mut self.table).remove(package);
        self.writer.delete_term(name);
        Ok(())
    }

    fn find(&self, term: &Term) -> Result<Option<DocAddress>, SearchError> {
        let searcher = self.searcher();
        let query = tantivy::query::TermQuery::new(term.clone(), IndexRecordOption::Basic);
        let found = searcher.search(&query, &tantivy::collector::DocSetCollector)?;
        Ok(found.into_iter().next())
    }
}

fn schema() -> (Schema, Places) {
    let mut schema = Schema::builder();
    let indexing = TextFieldIndexing::default().set_tokenizer(STEMS).set_index_option(IndexRecordOption::WithFreqs);
    let text = TextOptions::default().set_indexing_options(indexing);
    // These come first: the counts for scores go by their numbers.
    let texts = Field::ALL.map(|field| schema.add_text_field(field.name(), text.clone()));
    let terms = schema.add_text_field("terms", STRING);
    let number = schema.add_u64_field(NUMBER, FAST);
    let stored = schema.add_text_field("stored", STORED);
    (schema.build(), Places { texts, terms, number, stored })
}

fn slot(document: &Document) -> Slot {
    let functions = document.services.iter().flat_map(|service| {
        let interface: Arc<str> = service.interface.as_str().into();
        service.functions.iter().map(move |(name, max)| (Arc::clone(&interface), name.clone(), *max))
    });
    let lot = hansa_economy::Digest::of(document.package.as_str().as_bytes());
    Slot {
        package: document.package.clone(),
        version: document.version,
        published_ms: document.published_ms,
        deprecated: document.deprecated,
        functions: functions.collect(),
        lot: lot.to_u128() as u64,
    }
}

fn all_stems(texts: &[String; 6]) -> [Vec<String>; 6] {
    std::array::from_fn(|field| stems(&texts[field]))
}
