//! What of a package can be found.

use hansa_economy::Amount;

use crate::catalogue::Entry;
use crate::limits::README_SEARCHED_BYTES_MAX;
use crate::releases::State;
use crate::version::{PackageName, Version};

/// A package as the index sees it, by the release that stands for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The package.
    pub package: PackageName,
    /// The version that stands for it.
    pub version: Version,
    /// One line for buyers.
    pub description: String,
    /// Words to be found by.
    pub keywords: Vec<String>,
    /// The interfaces that it sells.
    pub services: Vec<Service>,
    /// The text of `README.md`.
    pub readme: String,
    /// When it was published, Unix milliseconds.
    pub published_ms: u64,
    /// Is it deprecated?
    pub deprecated: bool,
}

/// An interface that a package sells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// `acme:translate/translator@1.2.0`.
    pub interface: String,
    /// Each function with the most that one call costs.
    pub functions: Vec<(String, Amount)>,
    /// Labels with their values.
    pub labels: Vec<(String, Vec<String>)>,
}

impl Document {
    /// The document of a release, with the text of its README.
    pub fn of(package: &PackageName, version: Version, entry: &Entry, state: &State, readme: &str) -> Document {
        let service = |(interface, sale): (&String, &crate::manifest::Sale)| Service {
            interface: interface.clone(),
            functions: sale.price.iter().map(|(name, tag)| (name.clone(), tag.0.max)).collect(),
            labels: sale.labels.iter().map(|(name, values)| (name.clone(), values.clone())).collect(),
        };
        Document {
            package: package.clone(),
            version,
            description: entry.manifest.agent.description.clone(),
            keywords: entry.manifest.agent.keywords.clone(),
            services: entry.manifest.sells.iter().map(service).collect(),
            readme: cut(readme, README_SEARCHED_BYTES_MAX).to_owned(),
            published_ms: entry.published_ms,
            deprecated: state.deprecated.is_some(),
        }
    }

    /// The text of each searched field, in the order of [`super::Field::ALL`].
    pub(super) fn texts(&self) -> [String; 6] {
        let contract = self.services.iter().flat_map(|service| {
            // The namespace is mostly the publisher, and the version says nothing.
            let path = service.interface.split_once('@').map_or(service.interface.as_str(), |(path, _)| path);
            let path = path.split_once(':').map_or(path, |(_, rest)| rest);
            std::iter::once(path).chain(service.functions.iter().map(|(name, _)| name.as_str()))
        });
        let labels = self.services.iter().flat_map(|service| &service.labels);
        let labels = labels.flat_map(|(name, values)| std::iter::once(name).chain(values)).map(String::as_str);
        [
            self.package.short().to_owned(),
            self.keywords.join(" "),
            contract.collect::<Vec<_>>().join(" "),
            format!("{} {}", self.description, self.package.publisher()),
            labels.collect::<Vec<_>>().join(" "),
            self.readme.split_whitespace().collect::<Vec<_>>().join(" "),
        ]
    }

    /// Exact terms for filters.
    pub(super) fn terms(&self) -> Vec<String> {
        let mut terms = vec![
            format!("name={}", self.package.short()),
            format!("name={}", self.package),
            format!("publisher={}", self.package.publisher()),
        ];
        for keyword in &self.keywords {
            let keyword = keyword.to_lowercase();
            terms.extend([format!("keyword={keyword}"), format!("language={keyword}")]);
        }
        for service in &self.services {
            terms.push(format!("interface={}", service.interface));
            terms.extend(service.functions.iter().map(|(name, _)| format!("function={name}")));
            for (name, values) in &service.labels {
                let is_language = matches!(name.as_str(), "language" | "languages" | "lang");
                for value in values {
                    terms.push(format!("label={name}={value}"));
                    terms.extend(is_language.then(|| format!("language={}", value.to_lowercase())));
                }
            }
        }
        terms
    }
}

/// The beginning of `text`, at most `bytes` long, cut between characters.
pub(super) fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}
