//! What the catalogue shows of itself, as plain data.

use hansa_catalogue::catalogue::{Catalogue, Entry};
use hansa_catalogue::names::NameState;
use hansa_catalogue::package::Interface;
use hansa_catalogue::releases::State;
use hansa_catalogue::search::{Hit, Results};
use hansa_catalogue::version::{PackageName, Version};
use hansa_economy::{Amount, Digest, PublicKey};
use serde::{Deserialize, Serialize};

/// A publisher's name.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct NameView {
    /// The name.
    pub name: String,
    /// Whose it is.
    pub owner: PublicKey,
    /// The second key, which can recover it.
    pub recovery: Option<PublicKey>,
    /// The number of the last record.
    pub seq: u64,
    /// Digest of the last record.
    pub head: Digest,
}

impl NameView {
    pub(super) fn of(state: &NameState) -> NameView {
        let NameState { name, owner, recovery, seq, head } = state.clone();
        NameView { name, owner, recovery, seq, head }
    }
}

/// A release.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PackageView {
    /// `publisher/name@version`.
    pub package: String,
    /// What stands in `agent.toml`.
    pub description: String,
    /// SPDX expression.
    pub license: String,
    /// Words to be found by.
    pub keywords: Vec<String>,
    /// Where to read more.
    pub homepage: Option<String>,
    /// Who signed it.
    pub signer: PublicKey,
    /// When, Unix milliseconds by the signer's clock.
    pub published_ms: u64,
    /// Digest of the publisher's statement.
    pub statement: Digest,
    /// Digest of the component.
    pub component: Digest,
    /// Its length.
    pub component_bytes: u64,
    /// This version among the others.
    pub state: VersionView,
    /// All versions, newest first.
    pub versions: Vec<VersionView>,
    /// What it sells.
    pub sells: Vec<SoldView>,
    /// What it buys.
    pub buys: Vec<BoughtView>,
    /// The publisher's name.
    pub name: Option<NameView>,
    /// The number that the next notice about the package must have.
    pub next_notice: u64,
    /// The signed statement, in hexadecimal digits.
    pub signed: String,
}

/// A version and what its owner says about it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct VersionView {
    /// The version.
    pub version: String,
    /// When it was published, Unix milliseconds.
    pub published_ms: u64,
    /// Why it was yanked.
    pub yanked: Option<String>,
    /// Why it is deprecated.
    pub deprecated: Option<String>,
    /// The package to use instead.
    pub successor: Option<String>,
}

/// An interface that a release sells.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SoldView {
    /// With version.
    pub interface: String,
    /// Its functions.
    pub functions: Vec<FunctionView>,
    /// Properties.
    pub labels: Vec<(String, Vec<String>)>,
    /// The longest that a call may take, milliseconds.
    pub deadline_ms_max: u32,
    /// Free calls of each customer.
    pub free_calls: u32,
    /// Other packages that serve its buyers as well.
    pub alternatives: Vec<AlternativeView>,
}

/// A function.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FunctionView {
    /// Its name.
    pub name: String,
    /// In WIT.
    pub signature: String,
    /// Its price.
    pub price: serde_json::Value,
    /// The most that one call costs.
    pub price_max: Amount,
}

/// An interface that a release buys.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct BoughtView {
    /// With version.
    pub interface: String,
    /// The most that one call may cost; none where the author says nothing.
    pub price_max: Option<Amount>,
    /// Packages that sell it.
    pub suppliers: Vec<AlternativeView>,
}

/// Another package that sells an interface.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AlternativeView {
    /// `publisher/name@version`.
    pub package: String,
    /// The interface as it sells it.
    pub interface: String,
    /// Is it deprecated?
    pub deprecated: bool,
}

/// A release that sells an interface.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SellerView {
    /// `publisher/name@version`.
    pub package: String,
    /// The interface as it sells it.
    pub interface: String,
    /// One line for buyers.
    pub description: String,
    /// Why it is deprecated.
    pub deprecated: Option<String>,
}

/// What was found.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ResultsView {
    /// How many packages there are in all.
    pub total: usize,
    /// Those of this page, best first.
    pub hits: Vec<HitView>,
    /// Words that no package has, each with the one that was looked for instead.
    pub corrections: Vec<(String, String)>,
    /// No package has all the words, so that these have only some.
    pub loosened: bool,
}

/// A package that was found.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct HitView {
    /// `publisher/name@version`.
    pub package: String,
    /// One line for buyers.
    pub description: String,
    /// A passage with the words.
    pub snippet: Option<String>,
    /// Interfaces that it sells.
    pub sells: Vec<String>,
    /// The most that one call of its cheapest function costs.
    pub price_from: Option<Amount>,
    /// Its score, thousandths.
    pub score: u64,
    /// What the score is made of, in words.
    pub why: Vec<String>,
}

fn version(version: Version, entry: &Entry, state: &State) -> VersionView {
    let deprecated = state.deprecated.as_ref();
    VersionView {
        version: version.to_string(),
        published_ms: entry.published_ms,
        yanked: state.yanked.clone(),
        deprecated: deprecated.map(|deprecation| deprecation.message.clone()),
        successor: deprecated.and_then(|deprecation| deprecation.successor.as_ref()).map(ToString::to_string),
    }
}

impl PackageView {
    /// What `catalogue` knows of a release. `signed`: the statement's bytes in hexadecimal digits.
    pub(super) fn of(catalogue: &Catalogue, found: (&Entry, Version, State), name: &PackageName, signed: String) -> PackageView {
        let (entry, at, state) = found;
        let history = catalogue.package(name);
        let versions = history.into_iter().flat_map(|history| history.versions());
        let about = &entry.manifest.agent;
        let signer = history.and_then(|history| history.get(at)).map(|released| released.signer);
        PackageView {
            package: entry.package.to_string(),
            description: about.description.clone(),
            license: about.license.clone(),
            keywords: about.keywords.clone(),
            homepage: about.homepage.clone(),
            signer: signer.unwrap_or(PublicKey([0; 32])),
            published_ms: entry.published_ms,
            statement: entry.statement,
            component: entry.component,
            component_bytes: entry.component_bytes,
            state: version(at, entry, &state),
            versions: versions.map(|(at, released, state)| version(at, &released.entry, &state)).collect(),
            sells: entry.services.iter().map(|service| sold(catalogue, entry, name, service)).collect(),
            buys: bought(catalogue, entry),
            name: catalogue.name(name.publisher()).map(NameView::of),
            next_notice: history.map_or(0, |history| history.next_notice()),
            signed,
        }
    }
}

fn sold(catalogue: &Catalogue, entry: &Entry, name: &PackageName, interface: &Interface) -> SoldView {
    let sale = entry.manifest.sells.get(&interface.name);
    let functions = interface.functions.iter().map(|function| {
        let price = sale.and_then(|sale| sale.price.get(&function.name)).map(|tag| &tag.0);
        FunctionView {
            name: function.name.clone(),
            signature: function.signature(),
            price: serde_json::to_value(price).unwrap_or_default(),
            price_max: price.map_or(Amount::ZERO, |price| price.max),
        }
    });
    SoldView {
        interface: interface.name.clone(),
        functions: functions.collect(),
        labels: sale.map(|sale| sale.labels.clone().into_iter().collect()).unwrap_or_default(),
        deadline_ms_max: sale.map_or(0, |sale| sale.deadline_ms_max),
        free_calls: sale.map_or(0, |sale| sale.free_calls),
        alternatives: alternatives(catalogue.alternatives(&interface.name, name)),
    }
}

fn bought(catalogue: &Catalogue, entry: &Entry) -> Vec<BoughtView> {
    let view = |(interface, suppliers): (&str, _)| BoughtView {
        interface: interface.to_owned(),
        price_max: entry.manifest.buys.get(interface).map(|purchase| purchase.max_price),
        suppliers: alternatives(suppliers),
    };
    catalogue.suppliers(entry).map(view).collect()
}

fn alternatives(found: Vec<hansa_catalogue::catalogue::Alternative<'_>>) -> Vec<AlternativeView> {
    let view = |other: hansa_catalogue::catalogue::Alternative<'_>| AlternativeView {
        package: format!("{}@{}", other.package, other.version),
        interface: other.interface.to_owned(),
        deprecated: other.deprecated,
    };
    found.into_iter().map(view).collect()
}

impl ResultsView {
    pub(super) fn of(catalogue: &Catalogue, results: Results) -> ResultsView {
        ResultsView {
            total: results.total,
            hits: results.hits.iter().map(|hit| hit_view(catalogue, hit)).collect(),
            corrections: results.corrections.into_iter().map(|correction| (correction.typed, correction.used)).collect(),
            loosened: results.loosened,
        }
    }
}

fn hit_view(catalogue: &Catalogue, hit: &Hit) -> HitView {
    let sold = catalogue.package(&hit.package).and_then(|history| history.get(hit.version)).map(|released| &released.entry);
    let sales = || sold.into_iter().flat_map(|entry| &entry.manifest.sells);
    HitView {
        package: format!("{}@{}", hit.package, hit.version),
        description: hit.description.clone(),
        snippet: hit.snippet.as_ref().map(|snippet| snippet.text.clone()),
        sells: sales().map(|(interface, _)| interface.clone()).collect(),
        price_from: sales().flat_map(|(_, sale)| sale.price.values().map(|tag| tag.0.max)).min(),
        score: hit.why.score,
        why: why(hit),
    }
}

fn why(hit: &Hit) -> Vec<String> {
    let why = &hit.why;
    let mut words: Vec<String> =
        why.matches.iter().map(|found| format!("`{}` in the {} (weight {})", found.word, found.field, found.weight)).collect();
    words.extend(why.exact_name.then(|| "its name is the query".to_owned()));
    words.extend((why.freshness > 1.0).then(|| format!("new: times {:.2}", why.freshness)));
    words.extend(why.deprecated.then(|| "deprecated: moved down".to_owned()));
    words
}
