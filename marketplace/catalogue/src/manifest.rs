//! `agent.toml`: what an agent sells, buys and asks for. The author decides it; the operator decides what is granted.

use std::collections::BTreeMap;
use std::time::Duration;

use hansa_economy::limits::FREE_CALLS_MAX;
use hansa_economy::{Amount, PublicKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::limits::{
    CONCURRENCY_MAX, DEADLINE_MS_MAX, DESCRIPTION_CHARS_MAX, HOMEPAGE_CHARS_MAX, INSTANCE_AGE_MAX, INSTANCE_AGE_MIN,
    INSTANCE_CALLS_MAX, KEYWORD_CHARS_MAX, LICENSE_CHARS_MAX, MANIFEST_BYTES_MAX, MEMORY_BYTES_MAX, MEMORY_BYTES_MIN,
    RETRIES_MAX,
};
pub use crate::price_tag::PriceTag;
use crate::runs::{Runs, Topics, Wallet};
use crate::schema::{Credits, Did, INTERFACE, NAME, VERSION};
use crate::strict_toml::{self, TomlError};
use crate::units::{Bytes, Span};
use crate::version::Version;

/// What an agent sells and for how much, what it may buy, and what it asks of the node.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Manifest {
    /// Who the agent is.
    pub agent: About,
    /// Interfaces it sells, by name with version; each is an export of the component.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "title": "\"INTERFACE\"", "pattern": INTERFACE }))]
    pub sells: BTreeMap<String, Sale>,
    /// Terms for the interfaces it buys, by name with version; each is an import of the component.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "title": "\"INTERFACE\"", "pattern": INTERFACE }))]
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

/// Who the agent is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct About {
    /// `publisher/name`: lower-case letters, digits and dashes, 1 to 64 of them on each side.
    #[schemars(regex(pattern = NAME))]
    pub name: String,
    /// Semantic version, `1.2.0`.
    #[schemars(regex(pattern = VERSION))]
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

/// An interface that it sells.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sale {
    /// Price of each function, by its name in the interface.
    #[schemars(extend("propertyNames" = { "title": "FUNCTION" }))]
    pub price: BTreeMap<String, PriceTag>,
    /// How many of each customer's answered calls, the first ones, are charged nothing. All priced functions of the
    /// interface count together, and a customer is an account. It still vouches for the price, so that it must have the money.
    #[serde(default)]
    #[schemars(range(max = FREE_CALLS_MAX))]
    pub free_calls: u32,
    /// The longest that one call may take, milliseconds.
    #[serde(default = "default_deadline_ms")]
    #[schemars(range(min = 1, max = DEADLINE_MS_MAX))]
    pub deadline_ms_max: u32,
    /// Calls served at the same time; one more is refused, and its buyer goes elsewhere.
    #[serde(default = "default_concurrency")]
    #[schemars(range(min = 1, max = CONCURRENCY_MAX))]
    pub concurrency: u32,
    /// Properties that buyers can require: each a name with its values.
    #[serde(default)]
    pub labels: BTreeMap<String, Vec<String>>,
    /// Functions that may be repeated without harm: another seller may be asked although this one may have run the call.
    #[serde(default)]
    pub idempotent: Vec<String>,
}

/// Limits for each purchase of an interface.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Purchase {
    /// The most one call may cost.
    #[serde(default = "default_max_price")]
    #[schemars(with = "Credits")]
    pub max_price: Amount,
    /// The longest one call may take with all retries, milliseconds.
    #[serde(default = "default_deadline_ms")]
    #[schemars(range(min = 1, max = DEADLINE_MS_MAX))]
    pub deadline_ms: u32,
    /// How to choose among offers.
    #[serde(default)]
    pub prefer: Prefer,
    /// Labels that an offer must have: name to value.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Only these sellers, by their keys. Without it, any.
    #[serde(default)]
    #[schemars(with = "Option<Vec<Did>>")]
    pub sellers: Option<Vec<PublicKey>>,
    /// Other offers to try after the first.
    #[serde(default = "default_retries")]
    #[schemars(range(max = RETRIES_MAX))]
    pub retries: u32,
}

/// How to choose among offers that satisfy the terms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Prefer {
    /// The lowest possible price.
    #[default]
    Cheapest,
    /// The lowest latency seen so far.
    Fastest,
}

/// What the agent asks the node for. The operator grants it, or refuses with the line that would grant it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Capabilities {
    /// Models to run. The agent pays for them.
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

/// Models of the node.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
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

/// The agent's own state, key by key.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KeyValue {
    /// The most that all values together may take.
    pub bytes_max: Bytes,
}

/// Bounds of one instance and of one call.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Limits {
    /// Linear memory of one instance; at most 1GiB.
    pub memory: Bytes,
    /// Processor time of one call.
    pub cpu_per_call: Span,
}

/// How instances are used.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Instance {
    /// Whether instances are used again.
    pub reuse: Reuse,
    /// With `serial`: calls that one instance serves at most; 1 to 1,000,000.
    pub calls_max: u32,
    /// With `serial`: how long one instance serves at most; `1s` to `1h`.
    pub age_max: Span,
}

/// Whether instances are used again. No instance ever serves two calls at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reuse {
    /// A new instance for each call.
    #[default]
    Fresh,
    /// One call after another, for whomever they are: what the component keeps in memory stays. A trap, a deadline or a limit ends it.
    Serial,
}

impl Default for Instance {
    fn default() -> Instance {
        Instance { reuse: Reuse::Fresh, calls_max: 1_000, age_max: Span(Duration::from_secs(600)) }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { memory: Bytes(64 << 20), cpu_per_call: Span(Duration::from_secs(1)) }
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
        self.agent.check()?;
        self.limits.check()?;
        self.instance.check()?;
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

impl About {
    fn check(&self) -> Result<(), String> {
        let keywords = self.keywords.iter().map(|word| ("agent.keywords", word, KEYWORD_CHARS_MAX));
        let texts = [
            ("agent.description", &self.description, DESCRIPTION_CHARS_MAX),
            ("agent.license", &self.license, LICENSE_CHARS_MAX),
        ];
        let homepage = self.homepage.iter().map(|page| ("agent.homepage", page, HOMEPAGE_CHARS_MAX));
        texts.into_iter().chain(keywords).chain(homepage).try_for_each(|(what, text, most)| one_line(what, text, most))
    }
}

/// Buyers see it in lists: another line, or a mark that turns text round, could pass for something else than what the author says.
fn one_line(what: &str, text: &str, chars_max: usize) -> Result<(), String> {
    let turns = |letter: char| matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}' | '\u{2029}' | '\u{2066}'..='\u{2069}');
    if text.contains(|letter: char| letter.is_control() || turns(letter)) {
        return Err(format!("{what} is one line of plain text; leave line ends and control characters out, README.md has room"));
    }
    match text.chars().count() <= chars_max {
        true => Ok(()),
        false => Err(format!("{what} is longer than {chars_max} characters; README.md has room for more")),
    }
}

impl Limits {
    fn check(&self) -> Result<(), String> {
        let memory = self.memory.0;
        if !(MEMORY_BYTES_MIN..=MEMORY_BYTES_MAX).contains(&memory) {
            let (least, most) = (Bytes(MEMORY_BYTES_MIN), Bytes(MEMORY_BYTES_MAX));
            return Err(format!("limits.memory is {memory} bytes; write {} to {}", least.text(), most.text()));
        }
        match self.cpu_per_call.0 >= Duration::from_millis(1) {
            true => Ok(()),
            false => Err("limits.cpu-per-call must be at least `1ms`".into()),
        }
    }
}

impl Instance {
    /// How many calls, and how long, one instance serves; none: one call.
    pub fn serial(&self) -> Option<(u32, Duration)> {
        (self.reuse == Reuse::Serial).then_some((self.calls_max, self.age_max.0))
    }

    fn check(&self) -> Result<(), String> {
        if !(1..=INSTANCE_CALLS_MAX).contains(&self.calls_max) {
            return Err(format!("instance.calls-max must be 1 to {INSTANCE_CALLS_MAX}"));
        }
        match (INSTANCE_AGE_MIN..=INSTANCE_AGE_MAX).contains(&self.age_max.0) {
            true => Ok(()),
            false => Err(format!("instance.age-max must be {} to {} s", INSTANCE_AGE_MIN.as_secs(), INSTANCE_AGE_MAX.as_secs())),
        }
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
        self.check_prices(service)?;
        match self.idempotent.iter().find(|name| !self.price.contains_key(*name)) {
            Some(name) => Err(format!("sells.\"{service}\".idempotent names `{name}`, which has no price")),
            None => Ok(()),
        }
    }

    fn check_prices(&self, service: &str) -> Result<(), String> {
        for (function, tag) in &self.price {
            tag.0.check().map_err(|error| format!("sells.\"{service}\".price.{function}: {error}"))?;
        }
        if self.free_calls > FREE_CALLS_MAX {
            return Err(format!("sells.\"{service}\".free-calls must be at most {FREE_CALLS_MAX}"));
        }
        match self.free_calls > 0 && self.price.values().all(|tag| tag.0.max.is_zero()) {
            true => {
                Err(format!("sells.\"{service}\".free-calls has no use, as every price is free; leave it out, or set a price"))
            }
            false => Ok(()),
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
    let read: Result<Version, _> = version.parse();
    read.map(drop).map_err(|_| format!("agent.version `{version}` must be a semantic version such as `1.2.0`, three numbers"))
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
    use hansa_economy::offer::{Price, Rates, Step};

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

    fn price(written: &str) -> Price {
        let text = GOOD.replacen("\"free\"", written, 1);
        Manifest::parse(&text).unwrap().sells["acme:translate/translator@1.0.0"].price["languages"].0.clone()
    }

    #[test]
    fn prices_are_read_in_every_form() {
        let credits = |text: &str| text.parse::<Amount>().unwrap();
        assert_eq!(price("\"0.01\""), Price::per_call(Amount(10_000)));
        assert_eq!(price("{ quoted = true, max = \"0.5\" }"), Price::quoted(credits("0.5")));
        let units =
            r#"{ per.second = "0.1", per.inference-unit = "0.002", per.item = "0.03", per.response-kib = "0.4", max = "5" }"#;
        let rates = Rates {
            per_second: credits("0.1"),
            per_inference_unit: credits("0.002"),
            per_item: credits("0.03"),
            per_response_kib: credits("0.4"),
            max: credits("5"),
            ..Rates::default()
        };
        assert_eq!(price(units), Price::of(rates));
        let steps = r#"{ base = "0.01", per.item = "0.02", max = "1",
            steps = [{ from = 100, base = "0.008" }, { from = 1000, per.item = "0.01", max = "0.9" }] }"#
            .replace('\n', " ");
        let first = Rates { base: credits("0.01"), per_item: credits("0.02"), max: credits("1"), ..Rates::default() };
        let second = Rates { base: credits("0.008"), ..first };
        let third = Rates { per_item: credits("0.01"), max: credits("0.9"), ..second };
        let steps_read = vec![Step { from: 100, rates: second }, Step { from: 1000, rates: third }];
        assert_eq!(price(&steps), Price { steps: steps_read, ..Price::of(first) });
        let free = Manifest::parse(&GOOD.replacen("idempotent =", "free-calls = 20\nidempotent =", 1)).unwrap();
        assert_eq!(free.sells["acme:translate/translator@1.0.0"].free_calls, 20);
    }

    #[test]
    fn mistakes_are_named() {
        let cases = [
            ("version = \"1.2.0\"", "verson = \"1.2.0\"", "did you mean `version`?"),
            ("acme/translator\"", "Translator\"", "must be `publisher/name`"),
            ("1.2.0\"", "1.2\"", "semantic version"),
            ("1.2.0\"", "+1.2.0\"", "agent.version `+1.2.0` must be a semantic version"),
            ("1.2.0\"", "1.02.0\"", "semantic version"),
            ("1.2.0\"", "1.2.0-rc.1\"", "semantic version"),
            ("1.2.0\"", " 1.2.0\"", "semantic version"),
            ("32MiB", "a lot", "is no size"),
            ("200ms", "soon", "is no time span"),
            ("\"free\"", "\"cheap\"", "not a price|is no amount"),
            ("[\"translate\"]", "[\"translat\"]", "has no price"),
            ("lingua:detect/detector@1.0.0", "detector", "is no interface"),
            ("per.request-kib", "per.requestkib", "did you mean `request-kib`?"),
            (", max = \"0.02\"", "", "missing field `max`"),
            ("\"0.02\" }", "\"0.02\", quoted = true }", "price.translate: a quoted price has `max` alone"),
            ("\"0.02\" }", "\"0.02\", steps = [{ from = 1 }] }", "price.translate: the step `from = 1` must begin above 1"),
            ("\"0.02\" }", "\"0.02\", steps = [{ from = 9, max = \"0.03\" }] }", "raises `max`"),
            ("\"0.02\" }", "\"0.02\", steps = [{ form = 9 }] }", "did you mean `from`?"),
            ("price.languages = \"free\"", "price.languages = 3", "a price; write"),
            ("name = ", "description = \"a\\nsigned by me\"\nname = ", "agent.description is one line of plain text"),
            ("name = ", "description = \"\\u202Ea\"\nname = ", "agent.description is one line of plain text"),
            ("name = ", "keywords = [\"a\\u001b[2J\"]\nname = ", "agent.keywords is one line of plain text"),
            ("32MiB", "16", "limits.memory is 16 bytes; write 64KiB to 1GiB"),
            ("200ms", "0s", "limits.cpu-per-call must be at least `1ms`"),
            ("[limits]", "[instance]\nage-max = \"1ms\"\n[limits]", "instance.age-max must be 1 to 3600 s"),
            ("[limits]", "[instance]\ncalls-max = 0\n[limits]", "instance.calls-max must be 1 to 1000000"),
            ("idempotent =", "free-calls = 2000000\nidempotent =", "free-calls must be at most 1000000"),
        ];
        for (from, to, message) in cases {
            let error = Manifest::parse(&GOOD.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(message.split('|').any(|part| error.contains(part)), "{to}: {error}");
        }
    }
}
