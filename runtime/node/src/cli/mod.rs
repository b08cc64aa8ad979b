//! The commands of `hansa`: one file per noun.

mod account;
mod accounting;
mod agent;
mod author;
mod catalogue;
mod doctor;
mod explain;
mod ledger;
mod model;
pub(crate) mod output;
mod receipt;
mod serve;
mod service;
mod workflow;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use hansa_bus::{Bus, BusOptions};
use hansa_node::codes::Coded;
use hansa_node::{Client, NodeConfig};

/// Why a command did not do its work, for the person who typed it. May begin with a code, `HA0001: `.
pub(crate) type Failure = String;

/// An agent-economy runtime: agents sell services to each other and buy from each other; nodes lend inference and settle
/// every payment.
#[derive(Parser)]
#[command(
    name = "hansa",
    version,
    max_term_width = 110,
    after_help = "\
Examples:
  hansa up                                          start a node with its own bus and ledger
  hansa new acme/word-count                         begin an agent of your own
  hansa agent deploy agents/reader                  sell what an agent offers
  hansa publish agents/reader                       let strangers find it and run it
  hansa account fund 10                             issue yourself credits (on your own ledger)
  hansa service search                              what is on offer
  hansa service call commons:reading/reader read '[\"a.md\", \"markdown\", \"IyBIaQ==\"]'
  hansa receipt list                                what you paid for
  hansa model add exports/all-MiniLM-L6-v2          lend a model"
)]
pub(crate) struct Options {
    /// Print JSON instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Folder of your key, your trade books and your node. Default: the nearest `.hansa` that is in use, from here upwards to your
    /// home folder; if there is none, `.hansa` here.
    #[arg(long, global = true, env = "HANSA_HOME", value_name = "FOLDER")]
    home: Option<PathBuf>,
    /// Address of the bus. Default: that of the node in `--home`, else nats://127.0.0.1:4222.
    #[arg(long, global = true, env = "HANSA_NATS", value_name = "URL")]
    nats: Option<String>,
    /// Data folder of the node to administer. Default: `node` in `--home`.
    #[arg(long, global = true, value_name = "FOLDER")]
    node: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start a node with its own bus and ledger, for one machine.
    Up(serve::Up),
    /// Start a node as its `node.toml` says, or look at what it would find.
    Node(serve::Run),
    /// What the node is and has.
    Status,
    /// What the node's models did, per model and agent, as OpenMetrics text for Prometheus.
    Metrics,
    /// Stop the node: withdraw offers, let calls end, settle.
    Down,
    /// Begin an agent: a project that builds at once.
    New(author::new::New),
    /// Build an agent's component with its language's own tools.
    Build(author::build::Build),
    /// Run an agent's cases on the real host in memory.
    Test(author::test::Test),
    /// Build an agent, run it on the local node, and again on every change.
    Dev(author::dev::Dev),
    /// Publish an agent for strangers to find, judge and run.
    Publish(catalogue::publish::Publish),
    /// Take a published version out of use.
    Yank(catalogue::notice::Yank),
    /// Advise against a published version or package.
    Deprecate(catalogue::notice::Deprecate),
    /// Take a yank or a deprecation back.
    Restore(catalogue::notice::Restore),
    /// What an agent sells, buys and wants, before it is used.
    Inspect(catalogue::inspect::Inspect),
    /// Publishers' names.
    #[command(subcommand)]
    Name(catalogue::name::Command),
    /// Packages in OCI registries.
    #[command(subcommand)]
    Package(catalogue::package::Command),
    /// Agents on the node.
    #[command(subcommand)]
    Agent(agent::Command),
    /// Models that the node lends.
    #[command(subcommand)]
    Model(model::Command),
    /// Services on the market.
    #[command(subcommand)]
    Service(service::Command),
    /// Workflows: services composed in a file, run with a budget and a paper trail.
    #[command(subcommand)]
    Workflow(workflow::Command),
    /// Your account.
    #[command(subcommand)]
    Account(account::Command),
    /// The ledger.
    #[command(subcommand)]
    Ledger(ledger::Command),
    /// Receipts: who did what for how much.
    #[command(subcommand)]
    Receipt(receipt::Command),
    /// Explain an error code: cause and remedy.
    Explain(explain::Explain),
}

/// What most commands need to know.
pub(crate) struct Context {
    pub(crate) json: bool,
    pub(crate) home: PathBuf,
    nats: Option<String>,
    pub(crate) node: PathBuf,
}

/// Limits of a purchase.
#[derive(Args)]
pub(crate) struct Limits {
    /// The most it may cost, credits.
    #[arg(long, default_value = "0.05", value_name = "CREDITS")]
    max_price: hansa_economy::Amount,
    /// The longest it may take, milliseconds.
    #[arg(long, default_value_t = 30_000, value_name = "MS")]
    deadline_ms: u32,
}

pub(crate) async fn run(options: Options) -> Result<ExitCode, Failure> {
    let home = options.home.unwrap_or_else(hansa_node::home::nearest);
    let node = options.node.unwrap_or_else(|| home.join("node"));
    let context = Context { json: options.json, home, nats: options.nats, node };
    let done = match options.command {
        Command::Up(up) => serve::up(&context, up).await,
        Command::Node(run) => serve::node(&context, run).await,
        Command::Status => serve::status(&context).await,
        Command::Metrics => serve::metrics(&context).await,
        Command::Down => serve::down(&context).await,
        Command::New(new) => author::new::run(&context, new),
        Command::Build(build) => author::build::run(&context, &build).await,
        Command::Test(test) => author::test::run(&context, &test).await,
        Command::Dev(dev) => author::dev::run(&context, &dev).await,
        Command::Publish(publish) => catalogue::publish::run(&context, &publish).await,
        Command::Yank(yank) => catalogue::notice::yank(&context, yank).await,
        Command::Deprecate(deprecate) => catalogue::notice::deprecate(&context, deprecate).await,
        Command::Restore(restore) => catalogue::notice::restore(&context, restore).await,
        Command::Inspect(inspect) => catalogue::inspect::run(&context, &inspect).await,
        Command::Name(command) => catalogue::name::run(&context, command).await,
        Command::Package(command) => catalogue::package::run(&context, command).await,
        Command::Agent(command) => agent::run(&context, command).await,
        Command::Model(command) => model::run(&context, command).await,
        Command::Service(command) => return service::run(&context, command).await,
        Command::Workflow(command) => return workflow::run(&context, command).await,
        Command::Account(command) => account::run(&context, command).await,
        Command::Ledger(command) => ledger::run(&context, command).await,
        Command::Receipt(command) => receipt::run(&context, command).await,
        Command::Explain(explain) => explain::run(&explain),
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// Whose models and which library: a node's configuration.
#[derive(Args)]
pub(crate) struct NodeFile {
    /// The node's configuration. Default: that of `hansa up`.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl NodeFile {
    /// The configuration, whether or not a node runs with it.
    pub(crate) fn load(&self, context: &Context) -> Result<NodeConfig, Failure> {
        match &self.config {
            Some(file) => NodeConfig::load(file).map_err(|error| error.to_string()),
            None => Ok(NodeConfig::for_one_machine("home", &context.node, None)),
        }
    }
}

impl Context {
    /// Connect as a buyer, with the key and books of `--home`.
    pub(crate) async fn client(&self) -> Result<Client, Failure> {
        Client::connect(&self.bus_url().await, &self.home).await.map_err(|error| error.to_string())
    }

    /// Connect to the bus, without key or account.
    pub(crate) async fn bus(&self) -> Result<Bus, Failure> {
        let options = BusOptions { name: "hansa".into(), ..BusOptions::at(self.bus_url().await) };
        Bus::connect(options).await.map_err(|error| error.coded())
    }

    /// Ask the node.
    pub(crate) async fn ask(&self, ask: &hansa_node::admin::Ask) -> Result<hansa_node::admin::Reply, Failure> {
        hansa_node::admin::ask(&self.node, ask).await.map_err(|error| error.to_string())
    }

    async fn bus_url(&self) -> String {
        if let Some(url) = &self.nats {
            return url.clone();
        }
        match hansa_node::admin::ask(&self.node, &hansa_node::admin::Ask::Status).await {
            Ok(hansa_node::admin::Reply::Status(status)) => status.bus,
            _ => "nats://127.0.0.1:4222".into(),
        }
    }
}
