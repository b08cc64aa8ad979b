//! The measuring process: starts a server and the nodes, gives them their orders in alternating rounds, adds it up.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use hansa_bus::{ManagedServer, ServerOptions, ServerState};
use hansa_economy::Amount;

use crate::child::Child;
use crate::goals::{self, Cpu, Measurements, Memory, Point, Row, median};
use crate::protocol::{Measured, Road};
use crate::{agents, process, report};

/// Rounds over all points.
const ROUNDS: usize = 3;
/// Bytes of a small argument.
const SMALL: usize = 64;
/// Bytes of a large one.
const LARGE: usize = 64 << 10;
/// Calls before the first round: opens channels and lanes, fills caches.
const WARM_UP: Duration = Duration::from_millis(500);
/// Quiet between two points, so that the books of one are not written in the time of the next.
const QUIET: Duration = Duration::from_millis(300);
/// How long a node rests before its memory is read.
const REST: Duration = Duration::from_secs(2);
/// What each driver can spend.
const CAPITAL: Amount = Amount::credits(10_000);
/// Agents on the idle node, in the order in which memory is read.
const IDLE_AGENTS: [usize; 2] = [10, 100];

/// Measure and report; nine points of `seconds` each.
pub(crate) async fn run(seconds: f64, json: bool) -> anyhow::Result<()> {
    let (echo, driver) = (agents::component("greeter")?, agents::component("caller")?);
    let folder = tempfile::tempdir()?;
    let server = serve(folder.path()).await?;
    report::progress("memory of an idle node");
    let memory = idle(folder.path(), &server.url(), &echo).await?;
    report::progress("two nodes");
    let mut stage = Stage::set(folder.path(), &server, &echo, &driver).await?;
    let parts = stage.buyer.parts(&echo, SMALL).await?;
    stage.envelope_bytes = (parts.request_bytes + parts.reply_bytes) / 2;
    let rows = stage.rounds(Duration::from_secs_f64(seconds / ROUNDS as f64)).await?;
    stage.strike().await?;
    server.shutdown().await;
    let goals = goals::goals(&rows, &parts, &memory);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let measurements = Measurements { cores, rows, parts, memory, goals };
    if json {
        return report::json(&measurements);
    }
    report::tables(&measurements);
    Ok(())
}

/// Make the calls of one point for `seconds`.
pub(crate) async fn run_one(seconds: f64, point: Point) -> anyhow::Result<()> {
    let (echo, driver) = (agents::component("greeter")?, agents::component("caller")?);
    let folder = tempfile::tempdir()?;
    let server = serve(folder.path()).await?;
    let mut stage = Stage::set(folder.path(), &server, &echo, &driver).await?;
    stage.measure(point, WARM_UP).await?;
    report::progress(&format!("buyer {}, seller {}, server {}", stage.buyer.pid()?, stage.seller.pid()?, stage.server));
    let found = stage.measure(point, Duration::from_secs_f64(seconds)).await?;
    report::rows(&[row(point, &[found])]);
    stage.strike().await?;
    server.shutdown().await;
    Ok(())
}

/// A server of our own.
pub(crate) async fn serve(folder: &Path) -> anyhow::Result<ManagedServer> {
    let binary = ManagedServer::find_binary(hansa_node::tools::nats_servers(None))?;
    Ok(ManagedServer::start(ServerOptions::new(binary, folder.join("bus"))).await?)
}

/// Memory of a node of its own with agents that nobody calls. It keeps a ledger, as a node on one machine does.
async fn idle(folder: &Path, url: &str, echo: &Path) -> anyhow::Result<Vec<Memory>> {
    let node = Child::start("idle", folder, url, true).await?;
    let mut found = Vec::new();
    for agents in 1..=IDLE_AGENTS[1] {
        let name = format!("echo-{agents}");
        node.deploy(&name, &agents::echo(&name), echo, None).await?;
        if IDLE_AGENTS.contains(&agents) {
            tokio::time::sleep(REST).await;
            let (resident_mib, own_mib) = process::resident_mib(node.pid()?)?;
            found.push(Memory { agents, resident_mib, own_mib });
        }
    }
    node.stop().await?;
    Ok(found)
}

/// The two nodes between which calls are measured.
struct Stage {
    /// Buys; keeps the ledger; makes the calls.
    buyer: Child,
    /// Sells.
    seller: Child,
    server: u32,
    far: Road,
    near: Road,
    /// Bytes that a paid call sends each way, once they are known.
    envelope_bytes: usize,
}

impl Stage {
    async fn set(folder: &Path, server: &ManagedServer, echo: &Path, driver: &Path) -> anyhow::Result<Stage> {
        let url = server.url();
        let buyer = Child::start("buyer", folder, &url, true).await?;
        let mut seller = Child::start("seller", folder, &url, false).await?;
        buyer.issue(CAPITAL.saturating_mul(4)).await?;
        let echo_far = seller.deploy("echo", &agents::echo("echo"), echo, None).await?;
        let echo_near = buyer.deploy("echo", &agents::echo("echo"), echo, None).await?;
        let far = buyer.deploy("far", &agents::driver("far", &echo_far), driver, Some(CAPITAL)).await?;
        let near = buyer.deploy("near", &agents::driver("near", &echo_near), driver, Some(CAPITAL)).await?;
        seller.echo().await?;
        let ServerState::Running { pid: server } = server.state() else {
            anyhow::bail!("nats-server does not run");
        };
        Ok(Stage { buyer, seller, server, far: Road::Agent(far), near: Road::Agent(near), envelope_bytes: SMALL })
    }

    async fn rounds(&mut self, time: Duration) -> anyhow::Result<Vec<Row>> {
        for point in Point::ALL {
            self.measure(point, WARM_UP).await?;
        }
        let mut found: Vec<Vec<(Measured, Cpu)>> = vec![Vec::new(); Point::ALL.len()];
        for round in 1..=ROUNDS {
            report::progress(&format!("round {round} of {ROUNDS}"));
            for (point, found) in Point::ALL.into_iter().zip(&mut found) {
                tokio::time::sleep(QUIET).await;
                found.push(self.measure(point, time).await?);
            }
        }
        Ok(Point::ALL.into_iter().zip(found).map(|(point, rounds)| row(point, &rounds)).collect())
    }

    async fn measure(&mut self, point: Point, time: Duration) -> anyhow::Result<(Measured, Cpu)> {
        let (road, bytes) = match point {
            Point::Raw | Point::RawMany => (Road::Raw, SMALL),
            Point::RawLarge => (Road::Raw, LARGE),
            Point::Bus => (Road::Bus, self.envelope_bytes),
            Point::Paid | Point::PaidMany => (self.far.clone(), SMALL),
            Point::PaidLarge => (self.far.clone(), LARGE),
            Point::Near | Point::NearMany => (self.near.clone(), SMALL),
        };
        let pids = [self.buyer.pid()?, self.seller.pid()?, self.server];
        let before = pids.map(process::cpu_us);
        let measured = self.buyer.load(&road, point.in_flight(), bytes, time).await;
        let measured = measured.with_context(|| format!("{} cannot be measured", point.name()))?;
        let mut each = [0.0; 3];
        for ((each, pid), before) in each.iter_mut().zip(pids).zip(before) {
            *each = process::cpu_us(pid)?.saturating_sub(before?) as f64 / measured.calls as f64;
        }
        Ok((measured, Cpu { buyer_us: each[0], seller_us: each[1], server_us: each[2] }))
    }

    async fn strike(self) -> anyhow::Result<()> {
        self.seller.stop().await?;
        self.buyer.stop().await
    }
}

fn row(point: Point, rounds: &[(Measured, Cpu)]) -> Row {
    let measured = |of: fn(&Measured) -> f64| median(rounds.iter().map(|(measured, _)| of(measured)));
    let cpu = |of: fn(&Cpu) -> f64| median(rounds.iter().map(|(_, cpu)| of(cpu)));
    Row {
        point,
        median: Measured {
            calls: rounds.iter().map(|(measured, _)| measured.calls).sum(),
            per_second: measured(|measured| measured.per_second),
            p50_us: measured(|measured| measured.p50_us),
            p99_us: measured(|measured| measured.p99_us),
        },
        cpu: Cpu { buyer_us: cpu(|cpu| cpu.buyer_us), seller_us: cpu(|cpu| cpu.seller_us), server_us: cpu(|cpu| cpu.server_us) },
        rounds: rounds.iter().map(|(measured, _)| *measured).collect(),
    }
}
