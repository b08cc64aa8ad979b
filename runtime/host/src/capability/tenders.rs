//! `hansa:market/tenders`: a guest puts a call out to all sellers.

use std::time::Duration;

use super::{
    bindings::hansa::market::{tenders, types::Bid},
    market::Purchase,
};
use crate::{
    limits::{TENDER_WAIT_MS_MAX, TENDER_WAIT_MS_MIN, VALUES_BYTES_MAX},
    link::Task,
    prepare::Agent,
    program::InterfaceKind,
    state::State,
};

impl tenders::Host for State {
    async fn open(
        &mut self,
        service: String,
        function: String,
        arguments_json: String,
        wait_ms: u32,
    ) -> Result<Vec<Bid>, String> {
        if !(TENDER_WAIT_MS_MIN..=TENDER_WAIT_MS_MAX).contains(&wait_ms) {
            return Err(format!("a tender that waits `{wait_ms}` ms; wait {TENDER_WAIT_MS_MIN} to {TENDER_WAIT_MS_MAX} ms"));
        }
        let purchase = purchase(&self.agent, &service, &function, &arguments_json)?;
        let (market, wait) = (self.capabilities.market.clone(), Duration::from_millis(wait_ms.into()));
        // A task of its own, as a purchase is: a bidder may be a guest of this process.
        let mut tender = Task(tokio::spawn(async move { market.tender(purchase, wait).await }));
        (&mut tender.0).await.unwrap_or_else(|error| {
            tracing::error!(service, %error, "a tender broke");
            Err("the buying side broke during the tender; nothing was bought".into())
        })
    }
}

/// The call that is put out, in the types of the component's own import.
fn purchase(agent: &Agent, service: &str, function: &str, arguments_json: &str) -> Result<Purchase, String> {
    let mut imports = agent.program.imports().iter().filter(|import| import.kind == InterfaceKind::Service);
    let import = imports.find(|import| *import.name == *service);
    let import = import.ok_or_else(|| format!("`{service}` is not an import of this component that is bought"))?;
    let found = import.functions.iter().find(|candidate| *candidate.name == *function);
    let found = found.ok_or_else(|| format!("`{service}` has no function `{function}`"))?;
    if arguments_json.len() > VALUES_BYTES_MAX {
        let size = arguments_json.len();
        return Err(format!(
            "arguments of {size} bytes as JSON; a tender takes at most {VALUES_BYTES_MAX}, a purchase without one more"
        ));
    }
    let json: serde_json::Value =
        serde_json::from_str(arguments_json).map_err(|error| format!("the arguments are not JSON: {error}"))?;
    let args = found.schema.args_from_json(&json);
    let args = args.map_err(|error| format!("the arguments do not fit `{}`: {error}", found.schema.signature()))?;
    Ok(Purchase { service: import.name.clone(), function: found.name.clone(), args: args.into(), schema: found.schema.clone() })
}
