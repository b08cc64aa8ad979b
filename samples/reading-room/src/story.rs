//! The story itself, screen by screen.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use hansa_economy::channel::AccountId;
use hansa_economy::{Amount, Digest};
use hansa_host::{Host, HostOptions, Program};
use hansa_node::admin::{Ask, Reply};
use hansa_node::{counted, tree};
use serde_json::{Value, json};

use crate::Options;
use crate::documents::{self, Document};
use crate::economy::{self, CAPITAL, Economy};
use crate::screen::Screen;

const LIBRARIAN: &str = "commons:library/librarian@0.1.0";
const SHELF: &str = "reading-room";
/// Passages cited in one answer.
const PASSAGES: u32 = 3;
const SHELVE_PRICE: Amount = Amount(500_000);
const ASK_PRICE: Amount = Amount(50_000);
const SHELVE_MS: u32 = 120_000;
const ASK_MS: u32 = 60_000;
/// How long the second question runs before the cheaper embedder's node is killed.
const KILL_AFTER: std::time::Duration = std::time::Duration::from_millis(15);

const QUESTIONS: [&str; 3] = [
    "When was the last Hansetag held, and how many towns sent delegates?",
    "What happens to a seller that broke its word?",
    "The data folder belongs to another node. What should I do?",
];

/// Commands to try on the economy that stays.
const PLAY: [&str; 5] = [
    "account show",
    "service search",
    "service show commons:embedding/embedder",
    "service call commons:embedding/embedder embed '[[\"good day\"]]'",
    "receipt list",
];

/// Tell the whole story.
pub(crate) async fn tell(options: &Options) -> Result<()> {
    let screen = Screen::new(options.json);
    let root = std::env::current_dir()?;
    let documents = documents::collect(&options.folder)?;
    let economy = start(options, &root, &screen, None).await?;
    let told = scenes(options, &screen, &documents, &economy).await;
    economy.stop().await;
    let story = told?;
    if options.json {
        serde_json::to_writer(std::io::stdout(), &story)?;
    }
    Ok(())
}

/// Start the economy and stay until Ctrl-C.
pub(crate) async fn stay(options: &Options) -> Result<()> {
    let screen = Screen::new(false);
    let root = std::env::current_dir()?;
    let economy = start(options, &root, &screen, Some(4222)).await?;
    offers(&screen, &economy).await;
    let Economy { server, south, north, business, home } = economy;
    // The business' books are for the commands below now.
    drop(business);
    screen.title("Yours to play with");
    screen.line("  In another terminal, in this folder:");
    let hansa = format!("target/debug/hansa --home {} --nats {}", short_path(&home, &root).display(), server.url());
    for rest in PLAY {
        screen.line(&format!("    {hansa} {rest}"));
    }
    screen.line("\n  Ctrl-C ends it.");
    tokio::signal::ctrl_c().await?;
    north.stop().await;
    south.stop().await;
    server.shutdown().await;
    Ok(())
}

fn short_path<'a>(path: &'a Path, root: &Path) -> &'a Path {
    path.strip_prefix(root).unwrap_or(path)
}

async fn start(options: &Options, root: &Path, screen: &Screen, port: Option<u16>) -> Result<Economy> {
    let data = options.data.clone().unwrap_or_else(|| PathBuf::from(".hansa/reading-room"));
    let data = std::path::absolute(data)?;
    let economy = Economy::start(root, &data, options.port.or(port), |what| screen.progress(what)).await;
    screen.done();
    economy
}

async fn scenes(options: &Options, screen: &Screen, documents: &[Document], economy: &Economy) -> Result<Value> {
    let offers = offers(screen, economy).await;
    let librarian = Librarian::meet(economy).await?;
    let shelved = shelve(screen, economy, &librarian, documents).await?;
    let questions: Vec<String> = match options.ask.as_slice() {
        [] => QUESTIONS.map(str::to_owned).to_vec(),
        given => given.to_vec(),
    };
    let mut answers = Vec::new();
    let middle = questions.len() / 2;
    for (nth, question) in questions.iter().enumerate() {
        let kill = nth == middle && !options.no_kill;
        answers.push(ask(screen, economy, &librarian, question, nth + 1, kill).await?);
    }
    let last = answers.last().ok_or_else(|| anyhow!("no question was asked"))?.receipt;
    let tree = receipts(screen, economy, last).await?;
    if !options.no_kill {
        screen.progress("node north comes back and collects what it is owed");
        economy.north.restart().await?;
        screen.done();
    }
    let earned = earnings(screen, economy).await?;
    let check = check(screen, economy).await?;
    Ok(json!({
        "offers": offers, "shelved": shelved, "tree": tree, "earned": earned, "check": check,
        "answers": answers.iter().map(|answer| &answer.value).collect::<Vec<_>>(),
    }))
}

async fn offers(screen: &Screen, economy: &Economy) -> Value {
    let mut found = economy.business.offers("").await;
    // Offers reach everybody within moments; wait for those of both nodes.
    for _ in 0..100 {
        if found.len() >= 6 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        found = economy.business.offers("").await;
    }
    screen.title("On offer: services of two operators, found over the bus");
    let rows: Vec<Vec<String>> = found
        .iter()
        .flat_map(|listed| {
            let offer = &listed.offer;
            offer.functions.iter().map(|(name, price)| {
                let kib = if price.per_request_kib.0 > 0 { format!(" + {}/KiB", price.per_request_kib) } else { String::new() };
                let service = offer.service.split('@').next().unwrap_or_default();
                vec![
                    service.to_owned(),
                    name.clone(),
                    format!("{}{kib}", price.base),
                    offer.package.clone(),
                    offer.node_name.clone(),
                ]
            })
        })
        .collect();
    screen.table(&["SERVICE", "FUNCTION", "PRICE (CRED)", "BY", "NODE"], &rows);
    json!(found.iter().map(|listed| &listed.offer).collect::<Vec<_>>())
}

/// The librarian's types, from the component that the offer names.
struct Librarian {
    program: std::sync::Arc<Program>,
}

impl Librarian {
    async fn meet(economy: &Economy) -> Result<Librarian> {
        let found = economy.business.offers(LIBRARIAN).await;
        let listed = found.first().ok_or_else(|| anyhow!("nobody offers {LIBRARIAN}"))?;
        let bytes = economy.business.component(listed.offer.component).await?;
        let program = tokio::task::spawn_blocking(move || {
            Host::new(HostOptions { pool_instances: 1, ..HostOptions::default() }).map(|host| host.compile(&bytes))
        });
        Ok(Librarian { program: program.await??? })
    }

    /// Buy one call; its answer as JSON, with what it cost and its receipt.
    async fn call(
        &self,
        economy: &Economy,
        function: &str,
        args: Value,
        max_price: Amount,
        deadline_ms: u32,
    ) -> Result<(Value, Amount, Digest)> {
        let interface = self.program.export(LIBRARIAN).ok_or_else(|| anyhow!("the librarian does not export what it offers"))?;
        let function_type = interface
            .functions
            .iter()
            .find(|candidate| &*candidate.name == function)
            .ok_or_else(|| anyhow!("no function `{function}`"))?;
        let args = function_type.schema.args_from_json(&args)?;
        let bought = economy
            .business
            .call(LIBRARIAN, function, args, max_price, deadline_ms)
            .await
            .map_err(|fault| anyhow!("{function}: {fault}"))?;
        let answer = function_type.schema.result_to_json(&bought.answer)?;
        let Some(value) = answer.get("ok") else {
            bail!("{function}: the librarian answered {answer}");
        };
        Ok((value.clone(), bought.charged, bought.receipt.ok_or_else(|| anyhow!("no receipt"))?))
    }
}

async fn shelve(screen: &Screen, economy: &Economy, librarian: &Librarian, documents: &[Document]) -> Result<Value> {
    use std::fmt::Write as _;
    screen.title("The business has its documents read and shelved");
    let (mut read, mut passages, mut cost, mut skipped) = (0, 0, Amount::ZERO, String::new());
    let started = std::time::Instant::now();
    for portion in documents::portions(documents) {
        screen.progress(&format!("  {read} of {} documents, {passages} passages, {cost} CRED", documents.len()));
        let encoded: Vec<Value> =
            portion.iter().map(|document| json!({ "name": document.name, "content": base64(&document.content) })).collect();
        let (answer, charged, _) = librarian.call(economy, "shelve", json!([SHELF, encoded]), SHELVE_PRICE, SHELVE_MS).await?;
        read += portion.len();
        passages += answer["passages"].as_u64().unwrap_or(0);
        cost = cost.saturating_add(charged);
        for one in answer["skipped"].as_array().into_iter().flatten() {
            let _ = writeln!(
                skipped,
                "  left out: {} ({})",
                one["name"].as_str().unwrap_or_default(),
                one["reason"].as_str().unwrap_or_default()
            );
        }
    }
    screen.done();
    screen.line(&format!(
        "  {}, {}, for {cost} CRED in {:.1} s",
        counted(read, "document"),
        counted(passages, "passage"),
        started.elapsed().as_secs_f32()
    ));
    if !skipped.is_empty() {
        screen.line(skipped.trim_end());
    }
    Ok(json!({ "documents": read, "passages": passages, "charged": cost }))
}

struct Answer {
    value: Value,
    receipt: Digest,
}

async fn ask(
    screen: &Screen,
    economy: &Economy,
    librarian: &Librarian,
    question: &str,
    nth: usize,
    kill: bool,
) -> Result<Answer> {
    screen.title(&format!("Question {nth}: {question}"));
    screen.progress("  the librarian is thinking");
    let asked = librarian.call(economy, "ask", json!([SHELF, question, PASSAGES]), ASK_PRICE, ASK_MS);
    let killed = async {
        if kill {
            tokio::time::sleep(KILL_AFTER).await;
            economy.north.kill()?;
            screen.done();
            screen.line("  ── node north, whose embedder is the cheaper one, was killed hard while this was asked ──");
        }
        anyhow::Ok(())
    };
    let (answer, killed) = tokio::join!(asked, killed);
    killed?;
    let (answer, charged, receipt) = answer?;
    screen.done();
    print_answer(screen, &answer, charged, receipt);
    Ok(Answer { value: json!({ "question": question, "answer": answer, "charged": charged, "receipt": receipt }), receipt })
}

fn print_answer(screen: &Screen, answer: &Value, charged: Amount, receipt: Digest) {
    screen.wrapped("  ", answer["text"].as_str().unwrap_or_default());
    screen.line("");
    for citation in answer["citations"].as_array().into_iter().flatten() {
        let text = |name: &str| citation[name].as_str().unwrap_or_default().to_owned();
        let heading = if text("heading").is_empty() { String::new() } else { format!(" · {}", text("heading")) };
        screen.line(&format!("  [{}:{}-{}]{heading}", text("document"), citation["first-line"], citation["last-line"]));
        let quote: String = text("quote").split_whitespace().collect::<Vec<_>>().join(" ");
        let short: String = quote.chars().take(240).collect();
        screen.wrapped("      ", &format!("“{short}{}”", if quote.chars().count() > 240 { "…" } else { "" }));
    }
    screen.line(&format!("\n  {charged} CRED · receipt {}", receipt.short()));
}

async fn receipts(screen: &Screen, economy: &Economy, receipt: Digest) -> Result<Value> {
    screen.title("The receipts of the last answer: who did what, with what, for how much");
    let branch = tree::fetch(&economy.business, receipt).await?;
    branch.lines().iter().for_each(|line| screen.line(&format!("  {line}")));
    Ok(serde_json::to_value(&branch)?)
}

async fn earnings(screen: &Screen, economy: &Economy) -> Result<Value> {
    economy.business.settle().await;
    let closed = economy.business.close().await;
    for close in [false, true] {
        // First the buyers acknowledge and the sellers collect; then deposits return.
        for node in [&economy.south, &economy.north] {
            node.ask(&Ask::Settle { close }).await?;
        }
    }
    screen.title("What everyone holds now, after settlement on the ledger");
    let mut rows = vec![standing(
        "business",
        CAPITAL,
        economy.business.balance().await?,
        &format!("bought answers; closed {}", counted(closed, "channel")),
    )];
    for node in [&economy.south, &economy.north] {
        let operator: AccountId = node.operator_account().await?.parse()?;
        let account =
            economy.business.ledger().link().account(operator).await?.ok_or_else(|| anyhow!("no operator's account"))?;
        let lent = economy::lent_on(node.name);
        rows.push(standing(
            &format!("operator {}", node.name),
            CAPITAL.saturating_sub(lent),
            account.available(),
            "lends inference",
        ));
        for agent in node.agents().await? {
            let balance = agent.balance.unwrap_or_default().parse()?;
            rows.push(standing(
                &format!("  {}", agent.package),
                economy::lent_to(&agent.name),
                balance,
                &format!("on {}", node.name),
            ));
        }
    }
    screen.table(&["WHO", "BEFORE", "NOW (CRED)", "GAIN", ""], &rows);
    Ok(json!(rows))
}

/// One line of what everyone holds.
fn standing(who: &str, before: Amount, now: Amount, note: &str) -> Vec<String> {
    let gain = match now >= before {
        true => format!("+{}", now.saturating_sub(before)),
        false => format!("-{}", before.saturating_sub(now)),
    };
    vec![who.to_owned(), before.to_string(), now.to_string(), gain, note.to_owned()]
}

async fn check(screen: &Screen, economy: &Economy) -> Result<Value> {
    screen.title("hansa ledger check");
    let Reply::Check { report, problem } = economy.south.ask(&Ask::Check).await.context("the ledger could not be checked")?
    else {
        bail!("node south gave another answer than asked for");
    };
    if let Some(problem) = problem {
        bail!("the ledger is not in order: {problem}");
    }
    screen.line(&format!(
        "  {} entries replayed from the first: hashes, signatures, results and balances agree",
        report["entries"]
    ));
    for asset in report["assets"].as_array().into_iter().flatten() {
        let text = |name: &str| asset[name].as_str().map_or_else(|| asset[name].to_string(), str::to_owned);
        screen.line(&format!(
            "  {}: supply {} · debits {} = credits {} · every unit accounted for",
            text("code"),
            text("supply"),
            text("debits"),
            text("credits")
        ));
    }
    Ok(report)
}

/// Standard base64 with padding (RFC 4648 §4), as the JSON form of `list<u8>` wants it.
fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(bytes)
}
