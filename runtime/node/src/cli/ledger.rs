//! `hansa ledger …`: balances, the proof that every unit is accounted for, and a ledger in memory to try commands on. Exports
//! and statements: `accounting.rs`.

use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use hansa_economy::Signed;
use hansa_economy::channel::AccountId;
use hansa_economy::digest::from_hex;
use hansa_economy::ledger::Checkpoint;
use hansa_ledger::sim::{self, SimError};
use hansa_node::admin::{Ask, Reply};
use hansa_node::counted;
use serde_json::Value;

use super::output::{json, line, note, table};
use super::{Context, Failure, accounting};

const SIM_HELP: &str = r#"A line is one batch. Integers may be strings; what is left out is zero. Flags and results are TigerBeetle's; its ledger is our asset.
  {"op":"accounts","events":[{"id":1,"asset":1,"code":1,"flags":["debits_must_not_exceed_credits"]},{"id":2,"asset":1,"code":1}]}
  {"op":"transfers","events":[{"id":10,"debit":2,"credit":1,"amount":15,"asset":1,"code":1,"flags":["pending"],"timeout_s":60}]}
  {"op":"transfers","events":[{"id":11,"pending_id":10,"amount":"max","flags":["post_pending"]}]}
  {"op":"advance","seconds":1}
  {"op":"lookup","accounts":[1,2],"transfers":[10]}"#;

#[derive(Subcommand)]
#[command(
    after_help = "Examples:\n  hansa ledger balance\n  hansa ledger check\n  hansa ledger check --folder .hansa/node/ledger --checkpoint /mnt/elsewhere/north.checkpoint\n  hansa ledger checkpoint --out /mnt/elsewhere/north.checkpoint\n  hansa ledger history 5f01fea6be07defb781317df6bfae9f6\n  hansa ledger statement 5f01fea6be07defb781317df6bfae9f6 --month 2026-11\n  hansa ledger export --format beancount --out books.beancount\n  hansa ledger sim cases.jsonl\n  hansa ledger bench --folder /var/lib/hansa"
)]
pub(crate) enum Command {
    /// What accounts hold. Without an account: those of your key.
    Balance {
        /// The account.
        account: Option<AccountId>,
    },
    /// Replay the whole log: hashes, signatures, results, balances, supply.
    Check {
        /// The folder of a ledger that no process has open. Default: ask the node.
        #[arg(long, value_name = "FOLDER")]
        folder: Option<PathBuf>,
        /// Also look whether the ledger in the folder continues what this checkpoint has seen, as a restored copy may not.
        #[arg(long, value_name = "FILE", requires = "folder")]
        checkpoint: Option<PathBuf>,
    },
    /// Sign where the ledger stands. Kept elsewhere, it shows later whether a copy has forgotten anything or was rewritten.
    Checkpoint {
        /// Write the signed statement to this file.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// What happened to an account, newest first, with the balance after each movement. Holds are shown; they leave it as it is.
    History(accounting::History),
    /// An account's statement: opening balance, every movement with counterparty, cause and receipts, closing balance.
    Statement(accounting::Statement),
    /// Write the whole log for accounting tools, with exact assertions of balances at the ends of months and of the log.
    Export(accounting::Export),
    /// Try accounts and transfers on an empty ledger in memory, by the real rules and a clock that the commands move. One JSON
    /// object a line goes in, one comes out.
    #[command(after_help = SIM_HELP)]
    Sim {
        /// The commands; `-` reads them from standard input.
        file: PathBuf,
    },
    /// Measure a ledger on a disk of this machine: about ten seconds, some hundred megabytes that go again.
    Bench {
        /// A folder on the disk. Default: the present one.
        #[arg(long, value_name = "FOLDER", default_value = ".")]
        folder: PathBuf,
    },
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Balance { account } => balance(context, account).await,
        Command::Check { folder, checkpoint } => check(context, folder, checkpoint).await,
        Command::Checkpoint { out } => checkpoint(context, out).await,
        Command::History(history) => accounting::history(context, history).await,
        Command::Statement(statement) => accounting::statement(context, statement).await,
        Command::Export(export) => accounting::export(context, export).await,
        Command::Sim { file } => simulate(&file),
        Command::Bench { folder } => bench(context, &folder).await,
    }
}

async fn bench(context: &Context, folder: &Path) -> Result<(), Failure> {
    let within = tempfile::Builder::new().prefix("hansa-ledger-bench-").tempdir_in(folder);
    let within =
        within.map_err(|error| format!("cannot write to `{}`: {error}; choose another with `--folder`", folder.display()))?;
    let report = hansa_ledger::bench::measure(within.path(), |next| note(format!("{next} …"))).await;
    let report = report.map_err(|error| error.to_string())?;
    if context.json {
        json(&report);
        return Ok(());
    }
    let row = |what: &str, rate: f64| vec![what.to_owned(), format!("{rate:.0}")];
    let rows = [
        row("appends of the disk, each with fsync", report.appends_synced),
        row("commands of one client, each durable before the next", report.one_client),
        row("commands of 64 clients, signatures checked", report.clients_64),
        row("transfers in batches", report.transfers_in_batches),
        row("balances read while those are written", report.reads),
    ];
    table(&["ON THIS DISK", "PER SECOND"], &rows);
    Ok(())
}

async fn balance(context: &Context, account: Option<AccountId>) -> Result<(), Failure> {
    let client = context.client().await?;
    let link = client.ledger().link();
    let accounts = match account {
        Some(id) => link.account(id).await.map(|found| found.into_iter().collect::<Vec<_>>()),
        None => link.accounts_of(client.key().public()).await,
    };
    let accounts = accounts.map_err(|error| error.to_string())?;
    if let (Some(id), true) = (account, accounts.is_empty()) {
        return Err(format!("the ledger knows no account {id}"));
    }
    if context.json {
        json(&accounts);
        return Ok(());
    }
    let rows: Vec<Vec<String>> = accounts
        .iter()
        .map(|account| vec![account.id.to_string(), account.label.clone(), account.available().to_string()])
        .collect();
    table(&["ACCOUNT", "LABEL", "AVAILABLE (CRED)"], &rows);
    Ok(())
}

async fn check(context: &Context, folder: Option<PathBuf>, checkpoint: Option<PathBuf>) -> Result<(), Failure> {
    let (report, problem) = match &folder {
        Some(folder) => {
            let folder = folder.clone();
            let checked = tokio::task::spawn_blocking(move || hansa_ledger::check_folder(&folder))
                .await
                .map_err(|error| error.to_string())?;
            let report = checked.map_err(|error| error.to_string())?;
            (serde_json::to_value(&report).map_err(|error| error.to_string())?, report.problem)
        }
        None => match context.ask(&Ask::Check).await? {
            Reply::Check { report, problem } => (report, problem),
            _ => return Err("the node gave another answer than asked for".into()),
        },
    };
    if context.json {
        json(&report);
    } else {
        print(&report);
    }
    match problem {
        Some(problem) => Err(format!("the ledger is not in order: {problem}")),
        None => folder.zip(checkpoint).map_or(Ok(()), |(folder, file)| compare(&folder, &file)),
    }
}

/// Does the ledger in `folder` continue what the checkpoint in `file` has seen?
fn compare(folder: &Path, file: &Path) -> Result<(), Failure> {
    let found = hansa_node::ledger::checkpoint::read(file).map_err(|error| error.to_string())?;
    let seen = found.ok_or_else(|| format!("there is no file `{}`", file.display()))?;
    let compared = hansa_ledger::folder_continues(folder, &seen).map_err(|error| error.to_string())?;
    compared.map_err(|breach| format!("HA0018: {breach}"))?;
    note(format!("it continues the checkpoint of entry {}", seen.body.seq));
    Ok(())
}

async fn checkpoint(context: &Context, out: Option<PathBuf>) -> Result<(), Failure> {
    let Reply::Checkpoint { statement } = context.ask(&Ask::Checkpoint).await? else {
        return Err("the node gave another answer than asked for".into());
    };
    let bytes = from_hex(&statement).ok_or("the node gave another answer than asked for")?;
    let checkpoint = Signed::<Checkpoint>::open(&bytes).map_err(|error| error.to_string())?;
    if let Some(path) = &out {
        std::fs::write(path, &bytes).map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
    }
    if context.json {
        json(&serde_json::json!({ "checkpoint": checkpoint.body, "signer": checkpoint.signer, "statement": statement }));
        return Ok(());
    }
    let body = &checkpoint.body;
    line(format!("ledger {}", body.ledger));
    line(format!("entry {} with hash {}", body.seq, body.hash));
    line(format!("state root {}", body.state_root));
    line(format!("signed by {}", checkpoint.signer));
    match out {
        Some(path) => note(format!("written to {}; keep it where the ledger's disk is not", path.display())),
        None => note("not kept; `--out FILE` writes it, `[ledger] checkpoint` in node.toml keeps one up to date"),
    }
    Ok(())
}

fn simulate(file: &Path) -> Result<(), Failure> {
    let output = std::io::stdout().lock();
    let ran = if file.as_os_str() == "-" {
        sim::run(std::io::stdin().lock(), output)
    } else {
        let input = File::open(file).map_err(|error| format!("cannot open `{}`: {error}", file.display()))?;
        sim::run(BufReader::new(input), output)
    };
    match ran {
        Err(SimError::Write(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        ran => ran.map_err(|error| error.to_string()),
    }
}

fn print(report: &Value) {
    let text = |name: &str| {
        report.get(name).map_or_else(String::new, |value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    line(format!("ledger {} ({})", text("name"), text("ledger")));
    let count = |name: &str, noun: &str| counted(report.get(name).and_then(Value::as_u64).unwrap_or_default(), noun);
    let kinds = [("commands", "command"), ("accounts", "account"), ("channels", "channel"), ("transfers", "transfer")];
    let counts: Vec<String> = kinds.into_iter().map(|(name, noun)| count(name, noun)).collect();
    line(format!("{}, {}", count("entries", "entry"), counts.join(", ")));
    for asset in report.get("assets").and_then(Value::as_array).into_iter().flatten() {
        let field = |name: &str| {
            asset.get(name).map_or_else(String::new, |value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        };
        line(format!(
            "{}: supply {} · debits {} = credits {}",
            field("code"),
            field("supply"),
            field("debits"),
            field("credits")
        ));
    }
    line(format!("head {}", text("head_hash")));
    if report.get("problem").is_none_or(Value::is_null) {
        line("in order: hashes, signatures, results, balances and supply agree with the log");
    }
}
