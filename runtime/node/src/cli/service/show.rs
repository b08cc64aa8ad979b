//! `hansa service show`: functions, types, prices and sellers of one service.

use hansa_host::{Function, Interface};
use hansa_node::Client;
use hansa_trade::Listed;
use serde_json::{Value, json};

use super::super::output::{self, line, table};
use super::super::{Context, Failure};
use super::{offers_of, priced, program};

/// With `schemas`, the text also has the JSON Schema of each function's arguments and result.
pub(super) async fn show(context: &Context, client: &Client, service: &str, schemas: bool) -> Result<(), Failure> {
    let offers = offers_of(client, service).await?;
    let name = &offers[0].offer.service;
    let program = program(context, client, &offers[0]).await?;
    let interface = program.export(name).ok_or("the component does not export what it offers")?;
    if context.json {
        let functions: Vec<Value> = interface.functions.iter().map(as_json).collect();
        let offers: Vec<_> = offers.iter().map(|listed| &listed.offer).collect();
        output::json(&json!({ "service": name, "functions": functions, "offers": offers }));
        return Ok(());
    }
    line(name);
    interface.functions.iter().for_each(|function| line(format!("  {}", function.schema.signature())));
    line("");
    let rows: Vec<_> = offers.iter().flat_map(|listed| rows(listed)).collect();
    table(&["SELLER", "NODE", "FUNCTION", "PRICE (CRED)", "DEADLINE"], &rows);
    if schemas {
        show_schemas(interface);
    }
    Ok(())
}

fn as_json(function: &Function) -> Value {
    let schema = &function.schema;
    json!({
        "name": &*function.name, "signature": schema.signature(), "arguments": schema.arguments_json_schema(),
        "result": schema.result_json_schema(),
    })
}

fn rows(listed: &Listed) -> Vec<Vec<String>> {
    let offer = &listed.offer;
    let row = |(name, price)| {
        let deadline = format!("{} ms", offer.bounds.deadline_ms_max);
        vec![offer.package.clone(), offer.node_name.clone(), String::clone(name), priced(price), deadline]
    };
    offer.functions.iter().map(row).collect()
}

fn show_schemas(interface: &Interface) {
    for function in &interface.functions {
        let (schema, name) = (&function.schema, &function.name);
        for (what, schema) in [("arguments", schema.arguments_json_schema()), ("result", schema.result_json_schema())] {
            line(format!("\n{name}, JSON Schema of the {what}\n{schema:#}"));
        }
    }
}
