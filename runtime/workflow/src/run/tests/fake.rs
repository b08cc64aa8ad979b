//! A world in memory: sellers that keep their answers, a journal with a fence, a clock that jumps, and whatever goes wrong.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use hansa_economy::{Amount, Digest, PublicKey};
use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use super::super::*;

pub(crate) const PRICE: Amount = Amount(1_000);
const BASE_MS: u64 = 1_800_000_000_000;

/// Numbers that look like chance, by a seed.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        // splitmix64 (Steele, Lea, Flood 2014).
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

/// How often, of a hundred times, something goes wrong.
#[derive(Clone, Copy, Default)]
pub(crate) struct Faults {
    /// The seller runs it, and the answer is lost.
    pub(crate) lost_answers: u64,
    /// The seller refuses before it runs.
    pub(crate) refusals: u64,
    /// It runs, breaks and costs nothing.
    pub(crate) breaks: u64,
    /// The engine dies while it writes.
    pub(crate) crashes: u64,
}

#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) journal: Vec<Entry>,
    pub(crate) epoch: u64,
    /// Answers that sellers keep: by seller and call.
    pub(crate) kept: HashMap<(PublicKey, Digest), Bought>,
    /// Calls that ran, in their order: function, arguments.
    pub(crate) ran: Vec<(String, Value)>,
    pub(crate) charged: Amount,
    pub(crate) sellers: Vec<Offered>,
    /// Functions that always fail, for good.
    pub(crate) useless: Vec<String>,
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) dice: Option<Dice>,
    pub(crate) faults: Faults,
    pub(crate) crashes: u32,
    /// How often each call went wrong: function, arguments.
    troubles: HashMap<(String, String), u32>,
}

/// The world of one engine.
#[derive(Clone)]
pub(crate) struct Fake {
    pub(crate) shared: Arc<Mutex<Shared>>,
    epoch: u64,
    notes: Arc<Mutex<Vec<Change>>>,
    start: tokio::time::Instant,
    /// It dies now.
    pub(crate) crash: Arc<Notify>,
}

pub(crate) fn seller(n: u8) -> Offered {
    Offered { seller: PublicKey([n; 32]), package: format!("seller/{n}@1.0.0"), price_max: PRICE }
}

impl Fake {
    pub(crate) fn new() -> Fake {
        let shared = Shared { sellers: (1..=3).map(seller).collect(), ..Shared::default() };
        Fake {
            shared: Arc::new(Mutex::new(shared)),
            epoch: 0,
            notes: Arc::default(),
            start: tokio::time::Instant::now(),
            crash: Arc::default(),
        }
    }

    /// The next engine.
    pub(crate) fn successor(&self) -> Fake {
        self.lock().epoch += 1;
        Fake { epoch: self.epoch + 1, notes: Arc::default(), crash: Arc::default(), ..self.clone() }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap()
    }

    pub(crate) fn start(&self, file: &str, input: Value) {
        let Value::Object(given) = input else { panic!("a map") };
        let plan = Plan::new(file).unwrap_or_else(|problems| panic!("{problems:?}"));
        let started = Started {
            file: file.to_owned(),
            input: plan.workflow.inputs_of(given).unwrap(),
            labels: BTreeMap::new(),
            budget: plan.workflow.budget,
            secret: "secret".into(),
            by: "a test".into(),
            from: None,
        };
        let entry = self.entry(vec![Change::Started(Box::new(started))]);
        self.lock().journal.push(entry);
    }

    fn entry(&self, changes: Vec<Change>) -> Entry {
        Entry { version: VERSION, id: "x".into(), at_ms: self.now_ms(), engine: self.epoch.to_string(), changes }
    }

    pub(crate) fn run(&self) -> Run<Fake> {
        let mut history = History::default();
        // Through its bytes, as from the journal.
        for entry in &self.lock().journal {
            let read = Entry::read(&entry.bytes()).unwrap();
            assert_eq!(read, *entry);
            history.add(read);
        }
        Run::new("run-1", history, self.clone()).unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    /// Run it to its end; engines that die are followed by others.
    pub(crate) async fn finish(&self) -> Over {
        let mut world = self.clone();
        loop {
            let run = world.run();
            let crash = world.crash.clone();
            let ended = tokio::select! {
                ended = run.go() => Some(ended.expect("nobody else has it")),
                () = crash.notified() => None,
            };
            if let Some(over) = ended {
                return over;
            }
            world = world.successor();
        }
    }

    pub(crate) fn changes(&self) -> Vec<Change> {
        self.lock().journal.iter().flat_map(|entry| entry.changes.clone()).collect()
    }

    fn happens(&self, percent: impl Fn(&Faults) -> u64) -> bool {
        let mut shared = self.lock();
        let percent = percent(&shared.faults);
        shared.dice.as_mut().is_some_and(|dice| dice.roll(100) < percent)
    }

    fn dies(&self) {
        self.lock().crashes += 1;
        self.crash.notify_one();
    }
}

fn missed(what: &str, certainty: Certainty) -> Missed {
    Missed { what: what.to_owned(), certainty }
}

impl World for Fake {
    fn now_ms(&self) -> u64 {
        BASE_MS + self.start.elapsed().as_millis() as u64
    }

    fn sleep_until(&self, at_ms: u64) -> BoxFuture<'_, ()> {
        let wait = Duration::from_millis(at_ms.saturating_sub(self.now_ms()).min(1 << 40));
        tokio::time::sleep(wait).boxed()
    }

    fn offers<'a>(&'a self, wanted: &'a Wanted, _: &'a Value, most: Amount) -> BoxFuture<'a, Result<Vec<Offered>, Missed>> {
        let shared = self.lock();
        let sellers = shared.sellers.iter().filter(|seller| seller.price_max <= most).cloned().collect::<Vec<_>>();
        let wanted = wanted.terms.sellers.clone();
        let sellers: Vec<_> =
            sellers.into_iter().filter(|offered| wanted.as_ref().is_none_or(|wanted| wanted.contains(&offered.seller))).collect();
        let found = if sellers.is_empty() { Err(missed("nobody offers that", Certainty::Nothing)) } else { Ok(sellers) };
        async move { found }.boxed()
    }

    fn buy<'a>(&'a self, purchase: Purchase<'a>) -> BoxFuture<'a, Result<Bought, Missed>> {
        let bought = async move {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let key = (purchase.offered.seller, purchase.call);
            if let Some(kept) = self.lock().kept.get(&key) {
                assert!(purchase.is_repeat, "a new call has an id of its own");
                return Ok(kept.clone());
            }
            // After a few times it works: what happens where attempts are used up has tests of its own.
            let troubled = (purchase.wanted.function.clone(), purchase.args.to_string());
            let goes_wrong = |percent: fn(&Faults) -> u64| {
                self.happens(percent) && {
                    let mut shared = self.lock();
                    let times = shared.troubles.entry(troubled.clone()).or_default();
                    *times += 1;
                    *times <= 3
                }
            };
            if goes_wrong(|faults| faults.refusals) {
                return Err(missed("all places are taken", Certainty::Nothing));
            }
            if self.lock().useless.contains(&purchase.wanted.function) {
                return Err(missed("that makes no sense", Certainty::Useless));
            }
            if goes_wrong(|faults| faults.breaks) {
                return Err(missed("it broke", Certainty::Nothing));
            }
            let (function, args) = (purchase.wanted.function.clone(), purchase.args.clone());
            let value = json!({ "of": function, "was": args["x"].clone() });
            let charged = Amount(purchase.offered.price_max.0 * 3 / 4);
            let bought = Bought { value, charged, receipt: Some(purchase.call) };
            {
                let mut shared = self.lock();
                shared.kept.insert(key, bought.clone());
                shared.ran.push((function, args));
                shared.charged = shared.charged.saturating_add(charged);
            }
            match goes_wrong(|faults| faults.lost_answers) {
                true => Err(missed("no answer in time", Certainty::Unclear)),
                false => Ok(bought),
            }
        };
        bought.boxed()
    }

    fn workflow<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<String, String>> {
        let found = self.lock().files.get(name).cloned().ok_or_else(|| format!("there is no workflow `{name}`"));
        async move { found }.boxed()
    }

    fn record(&self, change: Change) -> BoxFuture<'_, Result<(), Lost>> {
        let record = async move {
            tokio::task::yield_now().await;
            let (before, after) = (self.happens(|faults| faults.crashes), self.happens(|faults| faults.crashes));
            if before {
                self.dies();
                return std::future::pending().await;
            }
            let mut changes = std::mem::take(&mut *self.notes.lock().unwrap());
            changes.push(change);
            let entry = self.entry(changes);
            if self.lock().epoch != self.epoch {
                return Err(Lost);
            }
            self.lock().journal.push(entry);
            if after {
                self.dies();
                return std::future::pending().await;
            }
            Ok(())
        };
        record.boxed()
    }

    fn note(&self, change: Change) {
        self.notes.lock().unwrap().push(change);
    }
}

pub(crate) fn map(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}
