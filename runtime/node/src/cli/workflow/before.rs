//! What is known before a run: mistakes, prices, the graph.

use std::path::Path;
use std::process::ExitCode;

use hansa_economy::Amount;
use hansa_node::workflow::Order;
use hansa_workflow::{Problem, Workflow, draw};
use serde_json::{Map, Value};

use super::super::output::{fail_with, json, line, note};
use super::super::{Context, Failure};
use super::inputs::{self, Given};
use super::{order, text};

pub(super) async fn check(context: &Context, path: &Path) -> Result<ExitCode, Failure> {
    let file = inputs::file(path)?;
    let name = path.display().to_string();
    let value = match order(context, Order::Check { name: name.clone(), file: file.clone() }).await {
        Ok(value) => value,
        // Without a node, what the file says by itself.
        Err(failure) if failure.contains("HA0017") => {
            Workflow::read(&file).map_err(|problems| told(&name, &problems))?;
            note("no node runs here, so services and prices were not looked at; `hansa up` starts one");
            return Ok(ExitCode::SUCCESS);
        }
        Err(failure) => return Err(failure),
    };
    let is_good = value.get("good").and_then(Value::as_bool).unwrap_or(false);
    if context.json {
        return Ok(match is_good {
            true => {
                json(&value["checked"]);
                ExitCode::SUCCESS
            }
            false => fail_with("the workflow cannot run as it is", value["checked"].clone()),
        });
    }
    line(text(&value, "text").trim_end());
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Nothing begins that cannot go on.
pub(super) async fn must_be_right(context: &Context, name: &str, file: &str) -> Result<(), Failure> {
    let value = order(context, Order::Check { name: name.to_owned(), file: file.to_owned() }).await?;
    match value.get("good").and_then(Value::as_bool) {
        Some(true) => Ok(()),
        _ => Err(format!(
            "`{name}` cannot run as it is (`--unchecked` takes it all the same):\n\n{}",
            text(&value, "text").trim_end()
        )),
    }
}

/// Nothing begins whose budget is below what it costs at least.
pub(super) async fn must_suffice(
    context: &Context,
    file: &str,
    input: &Map<String, Value>,
    budget: Option<Amount>,
) -> Result<(), Failure> {
    let value = order(context, Order::Quote { file: file.to_owned(), input: input.clone() }).await?;
    let quote = &value["quote"];
    let least = quote["total"]["least"].as_str().and_then(|text| text.parse::<Amount>().ok()).unwrap_or_default();
    let is_short = budget.is_some_and(|budget| budget < least) || quote["verdict"] == "cannot-suffice";
    match is_short {
        false => Ok(()),
        true => Err(format!(
            "the budget cannot suffice: with these inputs a run costs {least} at least (`--unchecked` begins it all the same):\n\n{}",
            text(&value, "text").trim_end()
        )),
    }
}

/// Problems with the file that they are in, one a line.
pub(super) fn told(file: &str, problems: &[Problem]) -> Failure {
    let lines: Vec<String> = problems.iter().map(|problem| format!("{file}:{problem}")).collect();
    lines.join("\n")
}

pub(super) async fn quote(context: &Context, path: &Path, given: &Given) -> Result<(), Failure> {
    let file = inputs::file(path)?;
    let workflow = Workflow::read(&file).map_err(|problems| told(&path.display().to_string(), &problems))?;
    let given = given.read(&workflow)?;
    let value = order(context, Order::Quote { file, input: given }).await?;
    match context.json {
        true => json(&value["quote"]),
        false => line(text(&value, "text").trim_end()),
    }
    Ok(())
}

pub(super) fn draw(path: &Path, out: Option<&Path>) -> Result<(), Failure> {
    let workflow = Workflow::read(&inputs::file(path)?).map_err(|problems| told(&path.display().to_string(), &problems))?;
    let svg = draw::svg(&workflow, &draw::Notes::default());
    match out {
        Some(out) => std::fs::write(out, svg).map_err(|error| format!("cannot write {}: {error}", out.display())),
        None => {
            line(svg);
            Ok(())
        }
    }
}
