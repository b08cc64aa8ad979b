//! Generating on the real ONNX Runtime with the tiny decoder: are the tokens those of the whole network, however they were
//! scheduled, and is exactly what is handed out paid?

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::backend::held::{Feed, Numbers};
use crate::backend::onnx::OnnxRuntime;
use crate::backend::{Backend, LoadOptions, Session};
use crate::info::ProviderKind;
use crate::package::Package;
use crate::{
    Charge, Error, Event, Finish, Funds, Generation, Hold, HoldFuture, Inference, InferenceOptions, Message, Prompt, Request,
    Result, Sampling, Task,
};

const MODEL: &str = "tinyllama";
const EOS: [i64; 2] = [257, 261];

/// `.tools` at the workspace's root.
fn tools() -> PathBuf {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools");
    assert!(tools.join("fixtures/tinyllama/hansa-model.toml").exists(), "the tiny decoder is not in .tools; run `./justw setup`");
    tools
}

fn folder() -> PathBuf {
    tools().join("fixtures").join(MODEL)
}

fn started() -> Inference {
    Inference::start(InferenceOptions { model_folders: vec![folder()], ..InferenceOptions::from_tools(&tools()) })
}

/// The whole network computed anew for each token, without cache, batch or scheduler: runs on a session of its own.
struct Recompute(Box<dyn Session>);

impl Recompute {
    fn open() -> Self {
        let runtime = OnnxRuntime::open(&tools().join("lib/libonnxruntime.so")).unwrap();
        let graph = Package::open(&folder()).unwrap().graph().unwrap();
        let order = vec![ProviderKind::Cpu];
        let options = LoadOptions { threads: 1, seat: 0, order, min_share: 0.0, providers: Arc::default() };
        Self(runtime.load(&graph, &options).unwrap())
    }

    fn logits(&mut self, tokens: &[i64]) -> Vec<f32> {
        let count = tokens.len();
        let (mask, positions) = (vec![1; count], (0..count as i64).collect::<Vec<_>>());
        let names = ["0.key", "0.value", "1.key", "1.value"].map(|name| format!("past_key_values.{name}"));
        let empty = names.each_ref().map(|_| self.0.keep([1, 2, 0, 16], Numbers::Fp32(Vec::new().into())).unwrap());
        let mut inputs = vec![
            ("input_ids", Feed::Ints([1, count], tokens)),
            ("attention_mask", Feed::Ints([1, count], &mask)),
            ("position_ids", Feed::Ints([1, count], &positions)),
        ];
        inputs.extend(names.iter().zip(&empty).map(|(name, held)| (name.as_str(), Feed::Held(held))));
        let (logits, _) = self.0.run_held(&inputs, &["logits"], &[]).unwrap();
        logits[0].values[logits[0].values.len() - 272..].to_vec()
    }

    /// The likeliest tokens until the model ends, or `most`.
    fn greedy(&mut self, prompt: &[u32], most: usize) -> Vec<u32> {
        let mut tokens: Vec<i64> = prompt.iter().map(|token| i64::from(*token)).collect();
        while tokens.len() < prompt.len() + most {
            let logits = self.logits(&tokens);
            let best = (0..logits.len()).reduce(|best, at| if logits[at] > logits[best] { at } else { best }).unwrap() as i64;
            if EOS.contains(&best) {
                break;
            }
            tokens.push(best);
        }
        tokens[prompt.len()..].iter().map(|token| *token as u32).collect()
    }
}

/// What these tokens say: each below 256 is a byte, the others say nothing.
fn said(tokens: &[u32]) -> String {
    let bytes: Vec<u8> = tokens.iter().filter_map(|token| u8::try_from(*token).ok()).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn prompt(seed: u32) -> Vec<u32> {
    let length = 1 + seed * 7 % 40;
    std::iter::once(256).chain((0..length).map(|n| 32 + (n * n * 13 + n * seed + seed * 29) % 95)).collect()
}

/// A prompt whose answer does not end before the context does.
fn endless() -> Prompt {
    Prompt::Tokens(prompt(1))
}

fn tokens(most: u32) -> Sampling {
    Sampling { max_tokens: most, ..Sampling::default() }
}

/// Reads to the end: the text, the tokens, and why it ended.
async fn read(generation: Generation) -> (String, u32, Finish) {
    let (text, tokens, finish) = read_tokens(generation).await;
    (text, tokens.len() as u32, finish)
}

async fn read_tokens(mut generation: Generation) -> (String, Vec<u32>, Finish) {
    let (mut text, mut all) = (String::new(), Vec::new());
    loop {
        match generation.next().await.unwrap() {
            Event::Chunk { text: piece, tokens, so_far } => {
                text.push_str(&piece);
                all.extend(tokens);
                assert_eq!(so_far.output_units, all.len() as u64);
            }
            Event::Done { finish, usage } => {
                assert_eq!((usage, usage.output_units), (generation.usage(), all.len() as u64));
                assert!(generation.next().await.is_none());
                return (text, all, finish);
            }
            Event::Failed(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn an_answer_is_that_of_the_whole_network() {
    let inference = started();
    assert_eq!(inference.info(MODEL).unwrap().tasks, [Task::Generate]);
    inference.load(MODEL).await.unwrap();
    let mut whole = Recompute::open();
    for seed in [1, 2, 5, 11] {
        let prompt = prompt(seed);
        let want = whole.greedy(&prompt, 60);
        let answer = inference.generate(&Request::new("a"), MODEL, Prompt::Tokens(prompt), tokens(60)).await.unwrap();
        let (text, found, finish) = read_tokens(answer).await;
        assert_eq!((text, &found), (said(&want), &want), "seed {seed}");
        assert_eq!(finish, if want.len() == 60 { Finish::Length } else { Finish::Stop });
    }
}

#[tokio::test]
async fn rows_that_join_leave_and_make_way_say_what_they_say_alone() {
    let inference = started();
    inference.load(MODEL).await.unwrap();
    let mut whole = Recompute::open();
    let cases: Vec<(Vec<u32>, u32)> = (0..24).map(|n| (prompt(n), [200, 3, 40, 90, 1, 150][n as usize % 6])).collect();
    let want: Vec<Vec<u32>> = cases.iter().map(|(prompt, most)| whole.greedy(prompt, *most as usize)).collect();
    let mut running = Vec::new();
    for (count, (prompt, most)) in cases.into_iter().enumerate() {
        // one tenant sends most; the others' answers make its rows wait
        let tenant = if count % 4 == 3 { format!("small {count}") } else { "flood".to_owned() };
        let answer = inference.generate(&Request::new(tenant), MODEL, Prompt::Tokens(prompt), tokens(most)).await.unwrap();
        running.push(tokio::spawn(read_tokens(answer)));
    }
    for (running, want) in running.into_iter().zip(want) {
        let (text, found, _) = running.await.unwrap();
        assert_eq!((text, found), (said(&want), want));
    }
}

/// The same network with keys, values and logits in half floats.
fn half_package() -> tempfile::TempDir {
    let half = tempfile::tempdir().unwrap();
    let manifest = std::fs::read_to_string(folder().join("hansa-model.toml")).unwrap();
    let (single, graph) =
        (std::fs::read(folder().join("model.onnx")).unwrap(), std::fs::read(folder().join("model_half.onnx")).unwrap());
    let sha256 = |bytes: &[u8]| Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let manifest = manifest
        .replace(&sha256(&single), &sha256(&graph))
        .replace(&format!("size = {}", single.len()), &format!("size = {}", graph.len()))
        .replace("\"fp32\"", "\"fp16\"");
    std::fs::write(half.path().join("hansa-model.toml"), manifest).unwrap();
    std::fs::write(half.path().join("model.onnx"), graph).unwrap();
    for file in ["tokenizer.json", "chat_template.jinja"] {
        std::fs::copy(folder().join(file), half.path().join(file)).unwrap();
    }
    half
}

#[tokio::test]
async fn half_floats_are_kept_and_moved_as_they_are() {
    let package = half_package();
    let options = InferenceOptions::from_tools(&tools());
    let inference = Inference::start(InferenceOptions { model_folders: vec![package.path().to_owned()], ..options });
    let request = Request::new("a");
    let ask = |seed: u32, most| inference.generate(&request, MODEL, Prompt::Tokens(prompt(seed)), tokens(most));
    let mut alone = Vec::new();
    for seed in 0..6 {
        alone.push(read(ask(seed, 40 + 20 * seed).await.unwrap()).await);
    }
    let mut running = Vec::new();
    for seed in 0..6 {
        running.push(tokio::spawn(read(ask(seed, 40 + 20 * seed).await.unwrap())));
    }
    for (running, alone) in running.into_iter().zip(alone) {
        assert_eq!(running.await.unwrap(), alone);
    }
}

#[tokio::test]
async fn a_long_prompt_is_read_in_pieces_and_the_context_is_a_limit() {
    let inference = started();
    inference.load(MODEL).await.unwrap();
    let long: Vec<u32> = (0..500).map(|n| 32 + n * n % 95).collect();
    let want = Recompute::open().greedy(&long, 8);
    let answer = inference.generate(&Request::new("a"), MODEL, Prompt::Tokens(long), tokens(8)).await.unwrap();
    assert_eq!(read(answer).await.0, said(&want));
    let refused = inference.generate(&Request::new("a"), MODEL, Prompt::Tokens(vec![65; 1000]), tokens(25)).await;
    assert!(
        matches!(&refused, Err(Error::BadInput(text)) if text.contains("1000 tokens") && text.contains("together 1025")),
        "{refused:?}"
    );
    let refused = inference.generate(&Request::new("a"), MODEL, Prompt::Tokens(vec![65; 1024]), tokens(0)).await;
    assert!(matches!(&refused, Err(Error::BadInput(text)) if text.contains("context is 1024")), "{refused:?}");
}

#[tokio::test]
async fn text_chat_seeds_and_stop_strings() {
    let inference = started();
    let request = Request::new("a");
    let start = async |prompt, sampling| read(inference.generate(&request, MODEL, prompt, sampling).await.unwrap()).await;
    // the golden answer of the manifest
    let (text, count, finish) = start(Prompt::Text("The ledger is".to_owned()), tokens(10)).await;
    assert_eq!((text.as_str(), count, finish), ("j3`ErS'oko", 10, Finish::Length));
    let chat = Prompt::Chat(vec![Message::new("user", " Who pays? ")]);
    assert_eq!(start(chat, tokens(12)).await.0, "VCU3`ho%Xl+!");
    let stop = Sampling { stop: vec!["S'o".to_owned(), "zz".to_owned()], ..tokens(30) };
    assert_eq!(start(Prompt::Text("The ledger is".to_owned()), stop).await, ("j3`Er".to_owned(), 5, Finish::Stop));
    let warm = Sampling { temperature: 0.9, top_p: 0.9, top_k: 40, seed: Some(4), ..tokens(40) };
    let once = start(Prompt::Text("Once".to_owned()), warm.clone()).await;
    assert_eq!(start(Prompt::Text("Once".to_owned()), warm.clone()).await, once);
    assert_ne!(start(Prompt::Text("Once".to_owned()), Sampling { seed: Some(5), ..warm }).await, once);
    let refused = inference.generate(&request, MODEL, Prompt::Chat(vec![Message::new("tool", "x")]), tokens(1)).await;
    assert!(matches!(&refused, Err(Error::BadInput(text)) if text.contains("no role `tool`")), "{refused:?}");
    assert_eq!(inference.count_tokens(MODEL, vec!["The ledger is".to_owned()]).await.unwrap(), [14]);
    assert!(matches!(inference.run(&request, MODEL, vec![], vec![]).await, Err(Error::BadInput(_))));
}

/// An account that writes down what was held and charged.
#[derive(Default)]
struct Account {
    held: Mutex<Vec<u64>>,
    charged: Arc<Mutex<Vec<Charge>>>,
    /// Charges that go through before one fails.
    lasts: Option<usize>,
}

impl Funds for Account {
    fn hold(&self, most: u64) -> HoldFuture<'_> {
        self.held.lock().unwrap().push(most);
        let purse = Purse { charged: Arc::clone(&self.charged), lasts: self.lasts };
        Box::pin(std::future::ready(Ok(Box::new(purse) as Box<dyn Hold>)))
    }
}

struct Purse {
    charged: Arc<Mutex<Vec<Charge>>>,
    lasts: Option<usize>,
}

impl Hold for Purse {
    fn charge(&self, charge: &Charge) -> Result<()> {
        let mut charged = self.charged.lock().unwrap();
        if self.lasts.is_some_and(|lasts| charged.len() >= lasts) {
            return Err(Error::Backend("the ledger is down".to_owned()));
        }
        charged.push(*charge);
        Ok(())
    }
}

impl Account {
    /// Units and cost of all charges.
    fn sum(&self) -> (u64, u64, u64) {
        let charged = self.charged.lock().unwrap();
        charged
            .iter()
            .fold((0, 0, 0), |sum, charge| (sum.0 + charge.input_units, sum.1 + charge.output_units, sum.2 + charge.cost))
    }
}

fn paid_by(account: &Arc<Account>, max_cost: Option<u64>) -> Request {
    Request { funds: Arc::clone(account) as Arc<dyn Funds>, max_cost, ..Request::new("a") }
}

fn ledger_prompt() -> Prompt {
    Prompt::Text("The ledger is".to_owned())
}

#[tokio::test]
async fn what_is_handed_out_is_charged_before_it_is() {
    let inference = started();
    let rates = inference.price(MODEL).unwrap();
    let account = Arc::new(Account::default());
    let answer = inference.generate(&paid_by(&account, None), MODEL, ledger_prompt(), tokens(20)).await.unwrap();
    assert_eq!((read(answer).await.1, account.held.lock().unwrap().as_slice()), (20, &[rates.cost(14, 20)][..]));
    assert_eq!(account.sum(), (14, 20, rates.cost(14, 20)));
    assert_eq!(account.charged.lock().unwrap()[0].input_units, 14);

    let none = Arc::new(Account::default());
    let stop = Sampling { stop: vec!["j".to_owned()], ..tokens(20) };
    let answer = inference.generate(&paid_by(&none, None), MODEL, ledger_prompt(), stop).await.unwrap();
    assert_eq!((read(answer).await, none.sum()), ((String::new(), 0, Finish::Stop), (14, 0, rates.cost(14, 0))));
}

#[tokio::test]
async fn cancelling_after_some_tokens_charges_those() {
    let inference = started();
    let rates = inference.price(MODEL).unwrap();
    for drop_it in [false, true] {
        let account = Arc::new(Account::default());
        let mut answer = inference.generate(&paid_by(&account, None), MODEL, endless(), tokens(900)).await.unwrap();
        let mut read = 0;
        while read < 5 {
            let Some(Event::Chunk { tokens, .. }) = answer.next().await else { panic!("ended early") };
            read += tokens.len() as u64;
        }
        if drop_it {
            drop(answer);
        } else {
            answer.cancel();
            let end = answer.next().await;
            assert!(
                matches!(end, Some(Event::Done { finish: Finish::Cancelled, usage }) if usage.output_units == read),
                "{end:?}"
            );
            assert_eq!(answer.next().await, None);
        }
        assert_eq!(account.sum(), (9, read, rates.cost(9, read)));
    }
    let account = Arc::new(Account::default());
    let mut answer = inference.generate(&paid_by(&account, None), MODEL, endless(), tokens(900)).await.unwrap();
    answer.cancel();
    assert!(matches!(answer.next().await, Some(Event::Done { finish: Finish::Cancelled, .. })));
    assert_eq!(account.sum(), (0, 0, 0));
}

#[tokio::test]
async fn a_cap_ends_the_answer_or_refuses_it() {
    let inference = started();
    let rates = inference.price(MODEL).unwrap();
    let account = Arc::new(Account::default());
    let cap = rates.cost(14, 7) + 1;
    let answer = inference.generate(&paid_by(&account, Some(cap)), MODEL, ledger_prompt(), tokens(20)).await.unwrap();
    let (_, count, finish) = read(answer).await;
    assert_eq!((count, finish, account.held.lock().unwrap()[0]), (7, Finish::Budget, cap));
    assert_eq!(account.sum().2, rates.cost(14, 7));
    let refused = inference.generate(&paid_by(&account, Some(rates.cost(14, 1) - 1)), MODEL, ledger_prompt(), tokens(20)).await;
    assert!(matches!(refused, Err(Error::Budget(quote)) if quote == rates.cost(14, 1)));
}

#[tokio::test]
async fn a_charge_that_fails_keeps_its_piece_back() {
    let inference = started();
    let account = Arc::new(Account { lasts: Some(1), ..Account::default() });
    let mut answer = inference.generate(&paid_by(&account, None), MODEL, endless(), tokens(900)).await.unwrap();
    assert!(matches!(answer.next().await, Some(Event::Chunk { .. })));
    let mut last = answer.next().await;
    assert!(matches!(last, Some(Event::Failed(Error::Backend(_)))), "{last:?}");
    last = answer.next().await;
    assert_eq!(last, None);
    assert_eq!(account.sum().1, answer.usage().output_units);
}

#[tokio::test]
async fn a_deadline_that_has_passed_charges_nothing() {
    let inference = started();
    inference.load(MODEL).await.unwrap();
    let account = Arc::new(Account::default());
    let request = Request { deadline: Some(Instant::now()), ..paid_by(&account, None) };
    match inference.generate(&request, MODEL, ledger_prompt(), tokens(900)).await {
        Err(error) => assert_eq!(error, Error::Deadline),
        Ok(mut answer) => assert_eq!(answer.next().await, Some(Event::Failed(Error::Deadline))),
    }
    assert_eq!(account.sum(), (0, 0, 0));
}

#[tokio::test]
async fn an_unloaded_model_ends_its_answers_and_comes_back() {
    let inference = started();
    let mut answer = inference.generate(&Request::new("a"), MODEL, endless(), tokens(900)).await.unwrap();
    assert!(matches!(answer.next().await, Some(Event::Chunk { .. })));
    inference.unload(MODEL).unwrap();
    let end = loop {
        match answer.next().await.unwrap() {
            Event::Chunk { .. } => {}
            end => break end,
        }
    };
    assert_eq!(end, Event::Failed(Error::Cancelled));
    let again = inference.generate(&Request::new("a"), MODEL, ledger_prompt(), tokens(3)).await.unwrap();
    assert_eq!(read(again).await.0, "j3`");
    inference.stop().await;
    let idle = Inference::start(InferenceOptions {
        model_folders: vec![folder()],
        idle_unload: Some(Duration::ZERO),
        ..InferenceOptions::from_tools(&tools())
    });
    for _ in 0..3 {
        let answer = idle.generate(&Request::new("a"), MODEL, ledger_prompt(), tokens(3)).await.unwrap();
        assert_eq!(read(answer).await.0, "j3`");
    }
}
