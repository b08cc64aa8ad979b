//! `agent.toml`: what an agent sells, buys and asks for. The author decides it; the operator decides what is granted.

use std::collections::BTreeMap;

use hansa_economy::{Amount, PublicKey, offer::Price};
use serde::{Deserialize, Deserializer};

use crate::limits::{CONCURRENCY_MAX, DEADLINE_MS_MAX, MANIFEST_BYTES_MAX, MEMORY_BYTES_MAX, RETRIES_MAX};
use crate::runs::{Runs, Topics, Wallet};
use crate::strict_toml::{self, TomlError};
use crate::units::{Bytes, Span};

/// A valid `agent.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Manifest {
    /// Who the agent is.
    pub agent: About,
    /// Interfaces it sells, by name with version.
    #[serde(default)]
    pub sells: BTreeMap<String, Sale>,
    /// Terms for the interfaces it buys, by name with version.
    #[serde(default)]
    pub buys: BTreeMap<String, Purchase>,
    /// What it asks the host for.
    #[serde(default)]
    pub capabilities: Capabilities,
    /// When it wakes up by itself.
    #[serde(default)]
    pub runs: Runs,
    /// Bounds of one instance.
    #[serde(default)]
    pub limits: Limits,
    /// How instances are used.
    #[serde(default)]
    pub instance: Instance,
}

/// `[agent]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct About {
    /// `publisher/name`, lower-case letters, digits and dashes.
    pub name: String,
    /// Semantic version, `1.2.0`.
    pub version: String,
    /// One line for buyers.
    #[serde(default)]
    pub description: String,
    /// SPDX expression.
    #[serde(default)]
    pub license: String,
    /// Words to be found by.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// Where to read more.
    #[serde(default)]
    pub homepage: Option<String>,
}

/// `[sells."interface"]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sale {
    /// Price of each function: `"free"`, an amount, or a table of base, per-unit amounts and ceiling.
    pub price: BTreeMap<String, PriceTag>,
    /// The longest that one call may take, milliseconds; default 10000.
    #[serde(default = "default_deadline_ms")]
    pub deadline_ms_max: u32,
    /// Calls served at the same time; default 16.
    #[serde(default = "default_concurrency")]
    pub concurrency: u32,
    /// Properties that buyers can require.
    #[serde(default)]
    pub labels: BTreeMap<String, Vec<String>>,
    /// Functions that may be repeated without harm.
    #[serde(default)]
    pub idempotent: Vec<String>,
}

/// A price as it is written.
#[derive(Clone, Debug)]
pub struct PriceTag(pub Price);

/// `[buys."interface"]`: limits for each purchase.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Purchase {
    /// The most one call may cost; default 0.01.
    #[serde(default = "default_max_price")]
    pub max_price: Amount,
    /// The longest one call may take with all retries, milliseconds; default 10000.
    #[serde(default = "default_deadline_ms")]
    pub deadline_ms: u32,
    /// How to choose among offers.
    #[serde(default)]
    pub prefer: Prefer,
    /// Labels that an offer must have: name to value.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Only these sellers.
    #[serde(default)]
    pub sellers: Option<Vec<PublicKey>>,
    /// Other offers to try after the first; default 2.
    #[serde(default = "default_retries")]
    pub retries: u32,
}

/// How to choose among offers that satisfy the terms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Prefer {
    /// The lowest possible price.
    #[default]
    Cheapest,
    /// The lowest latency seen so far.
    Fastest,
}

/// `[capabilities]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Capabilities {
    /// Models to run.
    #[serde(default)]
    pub inference: Inference,
    /// Own state.
    #[serde(default)]
    pub keyvalue: Option<KeyValue>,
    /// Own account.
    #[serde(default)]
    pub wallet: Option<Wallet>,
    /// Topics on the bus.
    #[serde(default)]
    pub topics: Topics,
}

/// `inference.*`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Inference {
    /// Names of models that the agent cannot do without: it is not deployed unless all of them are granted.
    #[serde(default)]
    pub models: Vec<String>,
    /// Names of models that the agent uses where the node has them and the operator grants them; without them it runs all the
    /// same.
    #[serde(default)]
    pub models_optional: Vec<String>,
}

/// `keyvalue.*`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KeyValue {
    /// The most that all values together may take.
    pub bytes_max: Bytes,
}

/// `[limits]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Limits {
    /// Linear memory of one instance; default 64MiB.
    pub memory: Bytes,
    /// Computing time of one call; default 1s.
    pub cpu_per_call: Span,
}

/// `[instance]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Instance {
    /// Whether instances are used again.
    pub reuse: Reuse,
}

/// Whether instances are used again. No instance ever serves two calls at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reuse {
    /// A new instance for each call.
    #[default]
    Fresh,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { memory: Bytes(64 << 20), cpu_per_call: Span(std::time::Duration::from_secs(1)) }
    }
}

impl Default for Purchase {
    fn default() -> Purchase {
        Purchase {
            max_price: default_max_price(),
            deadline_ms: default_deadline_ms(),
            prefer: Prefer::default(),
            labels: BTreeMap::new(),
            sellers: None,
            retries: default_retries(),
        }
    }
}

fn default_deadline_ms() -> u32 {
    10_000
}
fn default_concurrency() -> u32 {
    16
}
fn default_max_price() -> Amount {
    Amount(10_000)
}
fn default_retries() -> u32 {
    2
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenPrice {
    Amount(String),
    Table(PriceTable),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PriceTable {
    #[serde(default)]
    base: Amount,
    #[serde(default)]
    per: PerUnit,
    max: Amount,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct PerUnit {
    request_kib: Amount,
    response_kib: Amount,
}

impl<'de> Deserialize<'de> for PriceTag {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<PriceTag, D::Error> {
        use serde::de::Error;
        let hint =
            "write \"free\", an amount such as \"0.01\", or { base = \"0.001\", per.request-kib = \"0.0001\", max = \"0.02\" }";
        let written = WrittenPrice::deserialize(d).map_err(|_| D::Error::custom(format!("not a price; {hint}")))?;
        match written {
            WrittenPrice::Amount(text) if text == "free" => Ok(PriceTag(Price::FREE)),
            WrittenPrice::Amount(text) => {
                let amount = text.parse().map_err(|error| D::Error::custom(format!("{error}; {hint}")))?;
                Ok(PriceTag(Price::per_call(amount)))
            }
            WrittenPrice::Table(table) => Ok(PriceTag(Price {
                base: table.base,
                per_request_kib: table.per.request_kib,
                per_response_kib: table.per.response_kib,
                max: table.max,
            })),
        }
    }
}

/// Why an `agent.toml` cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ManifestError {
    /// Longer than any manifest may be.
    #[error("agent.toml has {0} bytes, more than {MANIFEST_BYTES_MAX}")]
    TooLong(usize),
    /// Not toml, or not these keys.
    #[error(transparent)]
    Toml(#[from] TomlError),
    /// A value that makes no sense.
    #[error("agent.toml: {0}")]
    Value(String),
}

impl Manifest {
    /// Read and check an `agent.toml`.
    pub fn parse(text: &str) -> Result<Manifest, ManifestError> {
        if text.len() > MANIFEST_BYTES_MAX {
            return Err(ManifestError::TooLong(text.len()));
        }
        let manifest: Manifest = strict_toml::from_str("agent.toml", text)?;
        manifest.check().map_err(ManifestError::Value)?;
        Ok(manifest)
    }

    /// `publisher/name@version`.
    pub fn package(&self) -> String {
        format!("{}@{}", self.agent.name, self.agent.version)
    }

    /// `name` without the publisher: what an operator types.
    pub fn short_name(&self) -> &str {
        self.agent.name.rsplit('/').next().unwrap_or(&self.agent.name)
    }

    fn check(&self) -> Result<(), String> {
        check_name(&self.agent.name)?;
        check_version(&self.agent.version)?;
        if self.limits.memory.0 > MEMORY_BYTES_MAX {
            return Err(format!("limits.memory is {} bytes, more than {MEMORY_BYTES_MAX}", self.limits.memory.0));
        }
        self.runs.check()?;
        self.capabilities.topics.check()?;
        if self.runs.any() && !self.buys.is_empty() && self.capabilities.wallet.is_none() {
            return Err(
                "an agent that wakes up by itself and buys needs a limit; add `[capabilities] wallet.spend-per-day = \"1\"`"
                    .into(),
            );
        }
        self.sells.iter().try_for_each(|(service, sale)| sale.check(service))?;
        self.buys.iter().try_for_each(|(service, purchase)| purchase.check(service))
    }
}

impl Sale {
    fn check(&self, service: &str) -> Result<(), String> {
        check_service(service)?;
        let within = 1..=DEADLINE_MS_MAX;
        if !within.contains(&self.deadline_ms_max) {
            return Err(format!("sells.\"{service}\".deadline-ms-max must be 1 to {DEADLINE_MS_MAX}"));
        }
        if !(1..=CONCURRENCY_MAX).contains(&self.concurrency) {
            return Err(format!("sells.\"{service}\".concurrency must be 1 to {CONCURRENCY_MAX}"));
        }
        match self.idempotent.iter().find(|name| !self.price.contains_key(*name)) {
            Some(name) => Err(format!("sells.\"{service}\".idempotent names `{name}`, which has no price")),
            None => Ok(()),
        }
    }
}

impl Purchase {
    fn check(&self, service: &str) -> Result<(), String> {
        check_service(service)?;
        if !(1..=DEADLINE_MS_MAX).contains(&self.deadline_ms) {
            return Err(format!("buys.\"{service}\".deadline-ms must be 1 to {DEADLINE_MS_MAX}"));
        }
        match self.retries <= RETRIES_MAX {
            true => Ok(()),
            false => Err(format!("buys.\"{service}\".retries must be at most {RETRIES_MAX}")),
        }
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let part = |part: &str| {
        let inner = part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        inner && (1..=64).contains(&part.len()) && !part.starts_with('-')
    };
    match name.split_once('/') {
        Some((publisher, rest)) if part(publisher) && part(rest) => Ok(()),
        _ => Err(format!("agent.name `{name}` must be `publisher/name` of lower-case letters, digits and dashes")),
    }
}

fn check_version(version: &str) -> Result<(), String> {
    let numbers: Vec<&str> = version.split('.').collect();
    match numbers.len() == 3 && numbers.iter().all(|n| n.parse::<u32>().is_ok()) {
        true => Ok(()),
        false => Err(format!("agent.version `{version}` must be a semantic version such as `1.2.0`")),
    }
}

fn check_service(service: &str) -> Result<(), String> {
    let well_formed = service.split_once(':').is_some_and(|(_, rest)| rest.contains('/') && rest.contains('@'));
    match well_formed {
        true => Ok(()),
        false => Err(format!("`{service}` is no interface; write `namespace:package/interface@1.0.0`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        [agent]
        name = "acme/translator"
        version = "1.2.0"
        [sells."acme:translate/translator@1.0.0"]
        price.translate = { base = "0.001", per.request-kib = "0.0005", max = "0.02" }
        price.languages = "free"
        idempotent = ["translate"]
        [buys."lingua:detect/detector@1.0.0"]
        max-price = "0.0005"
        prefer = "fastest"
        [capabilities]
        inference.models = ["minilm"]
        keyvalue.bytes-max = "10MiB"
        [limits]
        memory = "32MiB"
        cpu-per-call = "200ms"
    "#;

    #[test]
    fn reads_a_whole_manifest() {
        let manifest = Manifest::parse(GOOD).unwrap();
        let sale = &manifest.sells["acme:translate/translator@1.0.0"];
        assert_eq!(sale.price["translate"].0.max, Amount(20_000));
        assert_eq!(sale.price["languages"].0, Price::FREE);
        assert_eq!(manifest.buys["lingua:detect/detector@1.0.0"].prefer, Prefer::Fastest);
        assert_eq!(manifest.capabilities.keyvalue.unwrap().bytes_max, Bytes(10 << 20));
        assert_eq!(manifest.limits.cpu_per_call.0.as_millis(), 200);
    }

    #[test]
    fn mistakes_are_named() {
        let cases = [
            ("version = \"1.2.0\"", "verson = \"1.2.0\"", "did you mean `version`?"),
            ("acme/translator\"", "Translator\"", "must be `publisher/name`"),
            ("1.2.0\"", "1.2\"", "semantic version"),
            ("32MiB", "a lot", "is no size"),
            ("200ms", "soon", "is no time span"),
            ("\"free\"", "\"cheap\"", "not a price|is no amount"),
            ("[\"translate\"]", "[\"translat\"]", "has no price"),
            ("lingua:detect/detector@1.0.0", "detector", "is no interface"),
        ];
        for (from, to, message) in cases {
            let error = Manifest::parse(&GOOD.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(message.split('|').any(|part| error.contains(part)), "{to}: {error}");
        }
    }
}
