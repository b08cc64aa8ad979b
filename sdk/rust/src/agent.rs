//! The macro that turns an agent's world into bindings.

/// Generate the bindings of an agent's world and export the agent.
///
/// - `world`: name of the world in the last package of `wit`.
/// - `wit`: folders of the contracts, relative to the crate, each after those it needs; the agent's own last.
/// - `agent`: the type that implements the generated `Guest` traits; a unit struct beside the macro.
///
/// Generates `mod bindings`: what the agent sells is `bindings::exports::<package>::<interface>::Guest`, what it buys is
/// `bindings::<package>::<interface>::<function>`. `fault` is [`Fault`](crate::Fault) everywhere.
///
/// An agent with a quoted price in its `agent.toml` names the price of each call itself: put `export hansa:market/pricing@0.1.0;` in the
/// world and the folder `hansa-market` before the agent's own in `wit`, then
///
/// ```ignore
/// impl bindings::exports::hansa::market::pricing::Guest for Shouter {
///     /// A thousandth of a credit for each ten bytes of the arguments; amounts are millionths.
///     async fn price(_service: String, _function: String, arguments_json: String) -> Result<u64, String> {
///         Ok(100 * arguments_json.len() as u64)
///     }
/// }
/// ```
///
/// An agent bids its price where a buyer puts a call out to tender. To bid lower, export `hansa:market/bidding@0.1.0` in the same way:
///
/// ```ignore
/// impl bindings::exports::hansa::market::bidding::Guest for Shouter {
///     /// Four fifths of the list price; nothing where that is not known.
///     async fn bid(tender: bindings::exports::hansa::market::bidding::Tender) -> Result<Option<u64>, String> {
///         Ok(tender.list_price.map(|price| price * 4 / 5))
///     }
/// }
/// ```
#[macro_export]
macro_rules! agent {
    (world: $world:literal, wit: [$($path:tt),+ $(,)?], agent: $agent:ident $(,)?) => {
        #[allow(
            missing_docs,
            unreachable_pub,
            clippy::allow_attributes,
            clippy::allow_attributes_without_reason,
            reason = "generated from WIT, where the documentation stands; it silences lints its own way"
        )]
        mod bindings {
            $crate::wit_bindgen::generate!({
                path: [$($path),+],
                world: $world,
                runtime_path: "::hansa_sdk::wit_bindgen::rt",
                generate_all,
                with: { "hansa:service/types@0.1.0": ::hansa_sdk::service },
            });

            use super::$agent;
            export!($agent with_types_in self);
        }
    };
}
