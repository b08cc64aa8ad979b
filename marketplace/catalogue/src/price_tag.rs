//! Prices as `agent.toml` writes them.

use std::borrow::Cow;
use std::fmt;

use hansa_economy::Amount;
use hansa_economy::limits::PRICE_STEPS_MAX;
use hansa_economy::offer::{Price, Rates, Step};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::schema::{Credits, price_schema};

/// A price as it is written: `"free"`; an amount for each answered call, `"0.01"`; or a table, as in
/// `{ base = "0.001", per.request-kib = "0.0001", max = "0.02" }`, whose parts are added up.
#[derive(Clone, Debug)]
pub struct PriceTag(pub Price);

/// A price as a table: what is charged is the sum of its parts, at most `max`. A part that is left out is 0.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PriceTable {
    /// For each answered call.
    #[serde(default)]
    #[schemars(with = "Option<Credits>")]
    base: Option<Amount>,
    /// For each unit of what a call takes.
    #[serde(default)]
    per: PerUnit,
    /// The ceiling of one call, which the buyer sees before it buys.
    #[schemars(with = "Credits")]
    max: Amount,
    /// Lower prices for good customers, in order.
    #[serde(default)]
    #[schemars(length(max = PRICE_STEPS_MAX))]
    steps: Vec<StepTable>,
    /// The agent's export `hansa:market/pricing` names the price of each call, up to `max`, which then stands alone.
    #[serde(default)]
    quoted: bool,
}

/// Amounts for each unit of what a call takes.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct PerUnit {
    /// For each started KiB (1024 bytes) of the encoded arguments.
    #[schemars(with = "Option<Credits>")]
    request_kib: Option<Amount>,
    /// For each started KiB of the encoded answer.
    #[schemars(with = "Option<Credits>")]
    response_kib: Option<Amount>,
    /// For each second from the start of the instance to its answer, by the millisecond.
    #[schemars(with = "Option<Credits>")]
    second: Option<Amount>,
    /// For each input and output unit of the models that the call ran.
    #[schemars(with = "Option<Credits>")]
    inference_unit: Option<Amount>,
    /// For each item that the agent counts through `hansa:agent/metering`.
    #[schemars(with = "Option<Credits>")]
    item: Option<Amount>,
}

/// A lower price from a customer's so-many-th answered call on. What a step leaves out stays as before it, and nothing may rise.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct StepTable {
    /// The customer's answered call from which it holds; each step begins above the one before.
    #[schemars(range(min = 2))]
    from: u64,
    /// For each answered call.
    #[serde(default)]
    #[schemars(with = "Option<Credits>")]
    base: Option<Amount>,
    /// For each unit of what a call takes.
    #[serde(default)]
    per: PerUnit,
    /// The ceiling of one call.
    #[serde(default)]
    #[schemars(with = "Option<Credits>")]
    max: Option<Amount>,
}

impl PriceTable {
    fn price(self) -> Price {
        let rates = self.per.over(Rates { base: self.base.unwrap_or_default(), max: self.max, ..Rates::default() });
        let mut before = rates;
        let steps = self.steps.into_iter().map(|step| {
            before = Rates { base: step.base.unwrap_or(before.base), max: step.max.unwrap_or(before.max), ..before };
            before = step.per.over(before);
            Step { from: step.from, rates: before }
        });
        Price { steps: steps.collect(), quoted: self.quoted, ..Price::of(rates) }
    }
}

impl PerUnit {
    /// These amounts, and those of `before` where there are none.
    fn over(&self, before: Rates) -> Rates {
        Rates {
            per_request_kib: self.request_kib.unwrap_or(before.per_request_kib),
            per_response_kib: self.response_kib.unwrap_or(before.per_response_kib),
            per_second: self.second.unwrap_or(before.per_second),
            per_inference_unit: self.inference_unit.unwrap_or(before.per_inference_unit),
            per_item: self.item.unwrap_or(before.per_item),
            ..before
        }
    }
}

/// Reads either form; unlike an untagged enum it lets the table's own errors through.
struct PriceVisitor;

const PRICE_HINT: &str =
    "write \"free\", an amount such as \"0.01\", or { base = \"0.001\", per.request-kib = \"0.0001\", max = \"0.02\" }";

impl<'de> Visitor<'de> for PriceVisitor {
    type Value = PriceTag;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a price; {PRICE_HINT}")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<PriceTag, E> {
        if text == "free" {
            return Ok(PriceTag(Price::FREE));
        }
        let amount = text.parse().map_err(|error| E::custom(format!("{error}; {PRICE_HINT}")))?;
        Ok(PriceTag(Price::per_call(amount)))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PriceTag, A::Error> {
        PriceTable::deserialize(MapAccessDeserializer::new(map)).map(|table| PriceTag(table.price()))
    }
}

impl JsonSchema for PriceTag {
    fn schema_name() -> Cow<'static, str> {
        "Price".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        price_schema(generator.subschema_for::<PriceTable>(), generator.subschema_for::<Credits>())
    }
}

impl<'de> Deserialize<'de> for PriceTag {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<PriceTag, D::Error> {
        d.deserialize_any(PriceVisitor)
    }
}
