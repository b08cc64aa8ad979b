//! The catalogue on the bus: statements in one order for all nodes, components and files in an object store, questions answered by
//! every node.
//!
//! A statement counts from the moment at which the bus has it in its journal; what it names is in the store before. So a release is
//! there as a whole or not at all, whoever is killed meanwhile. Every node reads the journal, verifies all that it names, and comes to
//! the same catalogue.

mod door;
mod foreign;
mod keeper;
mod link;
mod parts;
mod views;
mod wire;

pub(crate) use door::serve;
pub use keeper::Keeper;
pub use link::{CatalogueError, CatalogueLink, Fetched};
pub use views::{
    AlternativeView, BoughtView, FunctionView, HitView, NameView, PackageView, ResultsView, SellerView, SoldView, VersionView,
};
pub use wire::{Answer, Question, Submission, Wanted};

/// The journal of statements.
pub const JOURNAL: &str = "hansa-catalogue";
/// The object store of components and files, by their SHA-256.
pub const PACKAGES: &str = "hansa-packages";
/// Subject on which statements are handed in.
pub const SUBMIT_SUBJECT: &str = "hansa.catalogue.submit";
/// Subject on which the catalogue is asked.
pub const ASK_SUBJECT: &str = "hansa.catalogue.ask";
