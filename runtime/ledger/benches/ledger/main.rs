//! `just bench ledger`: the ledger against bare fsync and against SQLite, on the same disk, in rounds that take turns.
//!
//! Only ratios and medians mean something on a machine that is shared.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark at the terminal")]
#![expect(clippy::cast_precision_loss, reason = "rates are for people")]

mod crash;
mod points;
mod sqlite;

use std::path::{Path, PathBuf};

use hansa_ledger::bench::{PER_COMMAND, Town, bare_appends, batches, reads, singles};
use hansa_ledger::limits::SNAPSHOT_LOG_BYTES;
use sqlite::Sqlite;

/// The node's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const HELP: &str = "just bench ledger [--folder PATH] [--rounds N] [--transfers N] [--only POINT] [--json]
  --folder PATH   where to write, default a temporary folder beside the build
  --rounds N      rounds, default 5
  --transfers N   transfers of the ledger that is killed, default 10000000; 0 leaves it out
  --only POINT    one, many, batch, sqlite, least, bare or reads, again and again, for a profiler
  --json          one JSON object";

struct Arguments {
    folder: Option<PathBuf>,
    rounds: usize,
    transfers: usize,
    fill: Option<PathBuf>,
    only: Option<String>,
    json: bool,
}

/// One line of the table.
struct Line {
    name: &'static str,
    unit: &'static str,
    value: f64,
    goal: Option<(&'static str, bool)>,
}

fn main() {
    let arguments = arguments();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if let Some(folder) = &arguments.fill {
        return runtime.block_on(crash::fill(folder, arguments.transfers));
    }
    let beside = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    let folder = tempfile::tempdir_in(arguments.folder.as_ref().unwrap_or(&beside)).unwrap();
    if let Some(only) = &arguments.only {
        return runtime.block_on(profile(folder.path(), only, arguments.rounds));
    }
    let mut lines = runtime.block_on(rounds(folder.path(), arguments.rounds));
    if arguments.transfers > 0 {
        lines.extend(filled(folder.path(), arguments.transfers));
    }
    print(&lines, arguments.json);
}

async fn rounds(folder: &Path, rounds: usize) -> Vec<Line> {
    let town = Town::found(folder).await.unwrap();
    let mut sqlite = Sqlite::found(folder, &town.accounts);
    let mut figures: [Vec<f64>; 10] = Default::default();
    for _ in 0..rounds {
        let bare = bare_appends(folder, 1.0).unwrap();
        let one = singles(&town, 1_000, 1, false).await.unwrap();
        let many = singles(&town, 20_000, 64, false).await.unwrap();
        let signed = singles(&town, 20_000, 64, true).await.unwrap();
        let batch = batches(&town, 40).await.unwrap();
        let same = points::sqlite_job(&town, &mut sqlite, 40);
        let least = points::sqlite_least(&mut sqlite, 40);
        let (read, longest) = reads(&town, 30).await.unwrap();
        // About as many transfers lie between two roots.
        let root = points::root(&town, SNAPSHOT_LOG_BYTES / 120);
        for (all, figure) in figures.iter_mut().zip([bare, one, many, signed, batch, same, least, read, longest, root]) {
            all.push(figure);
        }
    }
    let ratio = |a: usize, b: usize| median(figures[a].iter().zip(&figures[b]).map(|(a, b)| a / b).collect());
    let [bare, one, many, signed, batch, same, least, read, longest, root] = figures.clone().map(median);
    let goal = |text, met| Some((text, met));
    let (commit, group, beside, beside_least) = (ratio(1, 0), ratio(2, 1), ratio(4, 5), ratio(4, 6));
    let share = median(figures[9].iter().zip(&figures[4]).map(|(ns, rate)| ns * rate / 1e9).collect());
    let verified = points::verification(&town, 100, PER_COMMAND);
    vec![
        line("append + fsync", "/s", bare),
        line("one transfer a commit, one client", "/s", one),
        Line { name: "  of append + fsync", unit: "x", value: commit, goal: goal(">= 0.45", commit >= 0.45) },
        line("one transfer each, 64 clients", "/s", many),
        Line { name: "  of one client", unit: "x", value: group, goal: goal(">= 20", group >= 20.0) },
        line("  with signatures checked", "/s", signed),
        line("transfers in batches of 8,192", "/s", batch),
        line("SQLite, WAL, FULL, the same job", "/s", same),
        Line { name: "  ledger of SQLite", unit: "x", value: beside, goal: goal(">= 2", beside >= 2.0) },
        line("SQLite, the least statements", "/s", least),
        line("  ledger of that", "x", beside_least),
        line("state root, for each transfer", "ns", root),
        Line { name: "  of the time of one", unit: "x", value: share, goal: goal("<= 0.15", share <= 0.15) },
        line("signatures of batches, one core", "transfers/s", verified),
        Line { name: "balance reads while writing", unit: "/s", value: read, goal: goal(">= 200,000", read >= 200_000.0) },
        line("  longest read", "us", longest),
    ]
}

fn filled(folder: &Path, transfers: usize) -> Vec<Line> {
    let folder = folder.join("killed");
    let filled = crash::measure(&folder, transfers);
    let millions = filled.transfers as f64 / 1e6;
    let mib = |bytes: u64| bytes as f64 / millions / f64::from(1 << 20);
    vec![
        line("transfers before the kill", "", filled.transfers as f64),
        line("file per million transfers", "MiB", mib(filled.file_bytes)),
        line("memory per million transfers", "MiB", mib(filled.memory_bytes)),
        Line { name: "open after kill -9", unit: "s", value: filled.open_s, goal: Some(("<= 5", filled.open_s <= 5.0)) },
    ]
}

/// One point again and again.
async fn profile(folder: &Path, point: &str, rounds: usize) {
    let town = Town::found(folder).await.unwrap();
    for _ in 0..rounds {
        let figure = match point {
            "one" => singles(&town, 2_000, 1, false).await.unwrap(),
            "many" => singles(&town, 20_000, 64, false).await.unwrap(),
            "batch" => batches(&town, 100).await.unwrap(),
            "reads" => reads(&town, 50).await.unwrap().0,
            "sqlite" => points::sqlite_job(&town, &mut Sqlite::found(&fresh(folder), &town.accounts), 40),
            "least" => points::sqlite_least(&mut Sqlite::found(&fresh(folder), &town.accounts), 40),
            "bare" => bare_appends(folder, 1.0).unwrap(),
            other => panic!("`{other}` is no point\n{HELP}"),
        };
        println!("{figure:.0}");
    }
}

fn fresh(folder: &Path) -> PathBuf {
    tempfile::tempdir_in(folder).unwrap().keep()
}

fn line(name: &'static str, unit: &'static str, value: f64) -> Line {
    Line { name, unit, value, goal: None }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn print(lines: &[Line], json: bool) {
    if json {
        let object: serde_json::Map<_, _> = lines
            .iter()
            .map(|line| {
                (
                    line.name.trim().to_owned(),
                    serde_json::json!({"value": line.value, "unit": line.unit, "met": line.goal.map(|goal| goal.1)}),
                )
            })
            .collect();
        return println!("{}", serde_json::Value::Object(object));
    }
    for Line { name, unit, value, goal } in lines {
        let digits = if *value < 100.0 { 2 } else { 0 };
        let goal = goal.map_or_else(String::new, |(text, met)| format!("{text}: {}", if met { "met" } else { "NOT MET" }));
        println!("{name:34} {value:>12.digits$} {unit:12} {goal}");
    }
}

fn arguments() -> Arguments {
    let mut found = Arguments { folder: None, rounds: 5, transfers: 10_000_000, fill: None, only: None, json: false };
    let mut given = std::env::args().skip(1);
    while let Some(argument) = given.next() {
        let mut value = || given.next().unwrap_or_else(|| panic!("`{argument}` needs a value\n{HELP}"));
        match argument.as_str() {
            "--folder" => found.folder = Some(value().into()),
            "--fill" => found.fill = Some(value().into()),
            "--rounds" => found.rounds = value().parse().expect(HELP),
            "--transfers" => found.transfers = value().parse().expect(HELP),
            "--only" => found.only = Some(value()),
            "--json" => found.json = true,
            // Cargo says so to every benchmark.
            "--bench" => {}
            other => panic!("`{other}` is no option\n{HELP}"),
        }
    }
    found
}
