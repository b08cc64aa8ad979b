//! The agents that are measured: an echo that costs something, and a driver that buys it. Both are the host's fixtures.

use std::path::PathBuf;

use anyhow::Context;

/// What the driver sells; `relay-bytes` buys one `echo-bytes` with the bytes it gets, and gives back what that gives.
pub(crate) const DRIVER_SERVICE: &str = "fixture:parts/buyer@0.1.0";
/// What the echo sells.
pub(crate) const ECHO_SERVICE: &str = "fixture:parts/greeter@0.1.0";

const DRIVER_FUNCTIONS: [&str; 8] = ["all", "first", "plain", "relay", "relay-plain", "relay-bytes", "narrow", "search"];
const ECHO_FUNCTIONS: [&str; 11] = [
    "greet",
    "greet-plain",
    "echo",
    "echo-plain",
    "echo-list",
    "echo-small",
    "echo-shape",
    "echo-bytes",
    "echo-floats",
    "nothing",
    "refuse",
];
/// What one echo costs, in credits: a fiftieth of the cheapest agent of ours.
const ECHO_PRICE: &str = "0.00001";

/// A manifest of an echo under this name.
pub(crate) fn echo(name: &str) -> String {
    let prices: String = ECHO_FUNCTIONS.map(|function| format!("price.{function} = \"{ECHO_PRICE}\"\n")).concat();
    format!("{}[sells.\"{ECHO_SERVICE}\"]\n{prices}concurrency = 128\n", about(name))
}

/// A manifest of a driver under this name that buys from the agent with the key `echo`.
pub(crate) fn driver(name: &str, echo: &str) -> String {
    let prices: String = DRIVER_FUNCTIONS.map(|function| format!("price.{function} = \"free\"\n")).concat();
    let sells = format!("[sells.\"{DRIVER_SERVICE}\"]\n{prices}concurrency = 128\n");
    let buys = format!("[buys.\"{ECHO_SERVICE}\"]\nmax-price = \"0.001\"\nsellers = [\"{echo}\"]\nretries = 0\n");
    format!("{}{sells}{buys}", about(name))
}

fn about(name: &str) -> String {
    format!("[agent]\nname = \"bench/{name}\"\nversion = \"0.1.0\"\n")
}

/// The component of a fixture, as `./justw agents` built it.
pub(crate) fn component(fixture: &str) -> anyhow::Result<PathBuf> {
    let file = format!("wasm32-wasip2/agent/hansa_fixture_{fixture}.wasm");
    let named = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let here = std::env::current_dir()?;
    let targets = named.into_iter().chain(here.ancestors().map(|folder| folder.join("target")));
    let found = targets.map(|target| target.join(&file)).find(|path| path.is_file());
    found.with_context(|| format!("no target/{file} from {} upwards; build it with `./justw agents`", here.display()))
}
