//! The JSON Schema of `agent.toml`, made of its types and their comments, so that editors can complete and check the file.
//!
//! It knows the shape. What depends on several keys at once, only [`Manifest::parse`] tells.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, json_schema};
use serde_json::Value;

use crate::manifest::Manifest;

/// `publisher/name`.
pub(crate) const NAME: &str = "^[a-z0-9][a-z0-9-]{0,63}/[a-z0-9][a-z0-9-]{0,63}$";
/// `1.2.0`.
pub(crate) const VERSION: &str = r"^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$";
/// `namespace:package/interface@1.0.0`.
pub(crate) const INTERFACE: &str = "^[^:]+:.+/.+@.+$";

/// An amount of credits in quotation marks, `"0.01"`, with at most six decimal places.
#[derive(JsonSchema)]
#[schemars(with = "String", extend("pattern" = r"^[0-9]+(\.[0-9]{1,6})?$"))]
pub(crate) struct Credits;

/// The key of an agent or a buyer, `"did:key:z6Mk…"`.
#[derive(JsonSchema)]
#[schemars(with = "String", extend("pattern" = "^did:key:z"))]
pub(crate) struct Did;

/// A price in any of its forms.
pub(crate) fn price_schema(table: Schema, mut credits: Schema) -> Schema {
    credits.insert("description".into(), "For each answered call.".into());
    json_schema!({
        "description": "What one answered call costs; a fault costs nothing.",
        "anyOf": [
            { "const": "free", "description": "Nothing." },
            credits,
            table,
        ]
    })
}

/// The schema of `agent.toml`, JSON Schema draft 2020-12.
pub fn agent_toml() -> Schema {
    let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(without_null));
    let mut schema = settings.into_generator().into_root_schema_for::<Manifest>();
    schema.insert("title".into(), "agent.toml".into());
    schema
}

/// Toml has no null: what may be left out is left out.
fn without_null(schema: &mut Schema) {
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
    let null = Value::from("null");
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|one| *one != null);
        if let [one] = types.as_slice() {
            let one = one.clone();
            schema.insert("type".into(), one);
        }
    }
    let Some(Value::Array(forms)) = schema.get_mut("anyOf") else { return };
    forms.retain(|form| form.get("type") != Some(&null));
    if let [Value::Object(one)] = forms.as_mut_slice() {
        let one = std::mem::take(one);
        schema.remove("anyOf");
        schema.ensure_object().extend(one);
    }
}
