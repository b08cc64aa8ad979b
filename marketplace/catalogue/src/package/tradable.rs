//! Can an interface cross the market? Every function returns `result<T, fault>` and every type is plain data.

use super::contract::{Function, Type};

/// Why an interface cannot cross the market.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("function `{function}` cannot be traded: {reason}; write `{how}`")]
pub struct NotTradable {
    /// The first function that is unfit.
    pub function: String,
    /// What is wrong with it.
    pub reason: String,
    /// The line of WIT that would be right.
    pub how: String,
}

/// The import that every traded interface needs.
const USE_FAULT: &str = "use hansa:service/types@0.1.0.{fault};";

/// Check the functions of one interface. `resource`: the name of a resource that it declares, if any.
pub(super) fn check(functions: &[Function], resource: Option<&str>) -> Result<(), NotTradable> {
    functions.iter().try_for_each(check_function)?;
    resource.map_or(Ok(()), |name| Err(not_plain(name, "a resource")))
}

fn check_function(function: &Function) -> Result<(), NotTradable> {
    let types = function.params.iter().map(|(_, ty)| ty).chain(&function.result);
    if let Some(what) = types.into_iter().find_map(Type::unfit) {
        return Err(not_plain(&function.name, what));
    }
    match &function.result {
        Some(Type::Result(_, Some(err))) if err.is_fault() => Ok(()),
        _ => Err(not_fallible(function)),
    }
}

fn not_fallible(function: &Function) -> NotTradable {
    let signature = function.signature();
    let (head, result) = signature.split_once(" -> ").unwrap_or((&signature, "nothing"));
    let ok = match &function.result {
        None => "_".to_owned(),
        Some(Type::Result(ok, _)) => ok.as_ref().map_or("_".to_owned(), ToString::to_string),
        Some(other) => other.to_string(),
    };
    NotTradable {
        function: function.name.clone(),
        reason: format!("it returns `{result}`, which has no room for a market fault"),
        how: format!("{head} -> result<{ok}, fault>;` after `{USE_FAULT}"),
    }
}

fn not_plain(function: &str, what: &str) -> NotTradable {
    NotTradable {
        function: function.to_owned(),
        reason: format!("{what} cannot cross the market"),
        how: format!(
            "{function}: async func(…) -> result<…, fault>;` with records, lists and strings instead, after `{USE_FAULT}"
        ),
    }
}
