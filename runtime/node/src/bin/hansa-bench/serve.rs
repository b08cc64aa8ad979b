//! A measured process: a real node with its administration, which also makes the calls that it is ordered to make.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use futures::FutureExt;
use hansa_bus::baseline::Baseline;
use hansa_bus::{Bus, EndpointSpec, Service, ServiceRequest, ServiceSpec};
use hansa_economy::{Digest, PublicKey};
use hansa_node::{Node, NodeConfig, admin};
use hansa_trade::{Job, Serve};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use crate::agents::DRIVER_SERVICE;
use crate::load::{self, Call};
use crate::parts;
use crate::protocol::{Answer, BUS_SUBJECT, BUSINESS, Measured, Order, RAW_SUBJECT, Road};

/// Instances of a node: both ends of 64 calls on one node, and room to spare.
const INSTANCES: u32 = 256;
/// The longest that one call may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(20);

/// Run a node and take orders from standard input until told to stop, or until it ends.
pub(crate) async fn run(name: &str, data: &Path, url: &str, ledger: bool) -> anyhow::Result<()> {
    let mut config = NodeConfig::for_one_machine(name, data, None);
    config.bus.url = Some(url.to_owned());
    config.ledger.host = ledger;
    config.workflow.key = std::env::var_os(BUSINESS).map(Into::into);
    config.host.instances = Some(INSTANCES);
    let node = Arc::new(Box::pin(Node::start(config)).await?);
    let served = node.clone();
    let admin = tokio::spawn(async move { admin::serve(&served).await });
    let done = take_orders(&node, url).await;
    admin.abort();
    // Its last clone but ours; if a conversation is still going on, the process ends without a farewell.
    drop(admin.await);
    if let Ok(node) = Arc::try_unwrap(node) {
        Box::pin(node.stop()).await;
    }
    done
}

async fn take_orders(node: &Node, url: &str) -> anyhow::Result<()> {
    let mut worker = Worker { node, baseline: Baseline::connect(url).await?, echoes: None };
    tell(&Answer::Ready).await?;
    let mut orders = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = orders.next_line().await? {
        let answer = match serde_json::from_str(&line)? {
            Order::Stop => return Ok(()),
            Order::Parts { component, bytes } => parts::measure(&component, bytes).await.map(Answer::Parts),
            Order::Echo => worker.echo().await.map(|()| Answer::Ready),
            Order::Load { road, in_flight, bytes, millis } => {
                worker.load(&road, in_flight, bytes, Duration::from_millis(millis)).await.map(Answer::Loaded)
            }
        };
        tell(&answer.unwrap_or_else(|error| Answer::Failed { message: format!("{error:#}") })).await?;
    }
    Ok(())
}

async fn tell(answer: &Answer) -> anyhow::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    let mut out = tokio::io::stdout();
    out.write_all(&line).await?;
    Ok(out.flush().await?)
}

struct Worker<'n> {
    node: &'n Node,
    baseline: Baseline,
    echoes: Option<(tokio::task::JoinHandle<()>, Service)>,
}

impl Worker<'_> {
    fn bus(&self) -> &Bus {
        self.node.exchange().bus()
    }

    async fn echo(&mut self) -> anyhow::Result<()> {
        let raw = self.baseline.echo(RAW_SUBJECT).await?;
        let spec = ServiceSpec {
            name: "bench-echo".into(),
            version: "0.1.0".into(),
            description: String::new(),
            metadata: Default::default(),
            endpoints: vec![EndpointSpec::new("echo", BUS_SUBJECT)],
            concurrency_max: 1024,
        };
        let service = self.bus().serve(spec, Arc::new(|request: ServiceRequest| async move { Ok(request.payload) })).await?;
        self.echoes = Some((raw, service));
        Ok(())
    }

    async fn load(&self, road: &Road, in_flight: usize, bytes: usize, time: Duration) -> anyhow::Result<Measured> {
        let call = match road {
            Road::Raw => self.raw(bytes),
            Road::Bus => self.over_the_bus(bytes),
            Road::Agent(key) => self.through(key.parse()?, bytes).await?,
        };
        load::run(call, in_flight, time).await
    }

    fn raw(&self, bytes: usize) -> Call {
        let (client, payload) = (self.baseline.clone(), argument(bytes));
        Arc::new(move || {
            let (client, payload) = (client.clone(), payload.clone());
            let request = async move {
                let reply = client.request(RAW_SUBJECT.to_owned(), payload.clone()).await?;
                ensure!(reply.len() == payload.len(), "another echo than was sent");
                Ok(())
            };
            request.boxed()
        })
    }

    fn over_the_bus(&self, bytes: usize) -> Call {
        let (bus, payload) = (self.bus().clone(), argument(bytes));
        Arc::new(move || {
            let (bus, payload) = (bus.clone(), payload.clone());
            async move { bus.request(BUS_SUBJECT, payload, CALL_TIMEOUT).await.map(drop).context("no echo") }.boxed()
        })
    }

    /// Run the driver for its operator; it pays for the echo that it buys.
    async fn through(&self, driver: PublicKey, bytes: usize) -> anyhow::Result<Call> {
        let agents = self.node.agents().await;
        let serve = agents.values().find(|agent| agent.agent() == driver).context("no such driver here")?.serve();
        let argument = argument(bytes);
        let mut args = minicbor::Encoder::new(Vec::new());
        args.array(1)?.bytes(&argument)?;
        let (exchange, args) = (self.node.exchange().clone(), Bytes::from(args.into_writer()));
        let job = move || Job {
            call: Digest::default(),
            buyer: None,
            service: DRIVER_SERVICE.into(),
            function: "relay-bytes".into(),
            args: args.clone(),
            deadline: Instant::now() + CALL_TIMEOUT,
            deadline_ms: exchange.now_ms() + CALL_TIMEOUT.as_millis() as u64,
        };
        Ok(Arc::new(move || drive(serve.clone(), job(), argument.clone()).boxed()))
    }
}

async fn drive(serve: Arc<dyn Serve>, job: Job, argument: Bytes) -> anyhow::Result<()> {
    let done = serve.serve(job).await;
    let answer = done.answer.with_context(|| format!("the driver gave no answer: {}", done.failure))?;
    if let Some(fault) = hansa_host::Fault::from_result(&answer) {
        bail!("the driver's purchase failed: {fault}");
    }
    ensure!(answer.ends_with(&argument), "another echo than was sent");
    Ok(())
}

/// Bytes that do not repeat with a short period.
fn argument(bytes: usize) -> Bytes {
    (0..bytes).map(|at| (at * 31 + at / 251) as u8).collect::<Vec<_>>().into()
}
