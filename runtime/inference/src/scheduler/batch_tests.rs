//! Rows of several requests in one run, on the fake backend: who shares a run, whose fault a failure is, who leaves it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::tests::{package, vector};
use crate::random::Dice;
use crate::{Charge, Error, FakeBackend, Funds, Hold, HoldFuture, Inference, InferenceOptions, POISON, Request, Result};

struct Bench {
    backend: FakeBackend,
    inference: Inference,
    _folder: tempfile::TempDir,
}

impl Bench {
    async fn start(options: InferenceOptions) -> Self {
        let folder = package("[2, -8]");
        let backend = FakeBackend::default();
        let options = InferenceOptions { model_folders: vec![folder.path().to_owned()], ..options };
        let bench = Self { inference: Inference::start_fake(backend.clone(), options), backend, _folder: folder };
        bench.inference.load("double").await.unwrap();
        bench
    }

    /// Runs alone until each number of rows was tried, so that rows run together from then on: nothing takes time here, but
    /// a run has its overhead.
    async fn learn(&self) {
        for _ in 0..100 {
            let calls: Vec<_> = (0..64).map(|x| self.spawn("warm-up", x as f32)).collect();
            for call in calls {
                call.await.unwrap().unwrap();
            }
            let rows = self.backend.runs().last().map_or(0, Vec::len);
            if rows >= 8 {
                return;
            }
        }
        panic!("64 waiting rows of almost no work never ran together");
    }

    fn spawn(&self, tenant: &str, x: f32) -> tokio::task::JoinHandle<Result<f32>> {
        self.spawn_as(Request::new(tenant), x)
    }

    fn spawn_as(&self, request: Request, x: f32) -> tokio::task::JoinHandle<Result<f32>> {
        let inference = self.inference.clone();
        tokio::spawn(async move {
            let outcome = inference.run(&request, "double", vec![("x".to_owned(), vector(&[x]))], vec![]).await?;
            Ok(outcome.outputs[0].1.as_fp32().unwrap()[0])
        })
    }

    /// Closes the gate, and waits for a run that stands there with everything else queued behind it.
    async fn hold_up(&self) -> tokio::task::JoinHandle<Result<f32>> {
        self.backend.allow(0);
        let first = self.spawn("first", -1.0);
        let backend = self.backend.clone();
        tokio::task::spawn_blocking(move || backend.wait_for_run()).await.unwrap();
        first
    }

    async fn until_queued(&self, rows: usize) {
        let wait = async {
            while self.inference.status().models[0].queued != rows {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), wait).await.unwrap();
    }
}

#[tokio::test]
async fn strangers_share_a_run_and_each_gets_its_own() {
    let bench = Bench::start(InferenceOptions::default()).await;
    bench.learn().await;
    let first = bench.hold_up().await;
    let calls: Vec<_> = (0..16).map(|n| (n as f32, bench.spawn(&format!("tenant {n}"), n as f32))).collect();
    bench.until_queued(16).await;
    let before = bench.backend.runs().len();
    bench.backend.open();
    first.await.unwrap().unwrap();
    for (x, call) in calls {
        assert_eq!(call.await.unwrap(), Ok(2.0 * x));
    }
    let runs = bench.backend.runs().split_off(before + 1);
    assert!(runs.len() < 16 && runs.iter().any(|run| run.len() > 1), "{runs:?}");
    let metrics = bench.inference.metrics().remove("double").unwrap();
    assert!(metrics.runs < metrics.batch_rows.sum, "{metrics:?}");
    assert_eq!(metrics.padded_share(), 0.0);
}

#[tokio::test]
async fn one_bad_row_fails_its_own_call_and_no_other() {
    let bench = Bench::start(InferenceOptions::default()).await;
    bench.learn().await;
    let first = bench.hold_up().await;
    let good: Vec<_> = (0..11).map(|n| (n as f32, bench.spawn(&format!("tenant {n}"), n as f32))).collect();
    let bad = bench.spawn("rogue", POISON);
    bench.until_queued(12).await;
    bench.backend.open();
    first.await.unwrap().unwrap();
    for (x, call) in good {
        assert_eq!(call.await.unwrap(), Ok(2.0 * x));
    }
    assert!(matches!(bad.await.unwrap(), Err(Error::BadInput(_))));
    // Whose row was bad shares no run for a while.
    let first = bench.hold_up().await;
    let again = [bench.spawn("rogue", 1.0), bench.spawn("other", 2.0), bench.spawn("third", 3.0)];
    bench.until_queued(3).await;
    let before = bench.backend.runs().len();
    bench.backend.open();
    first.await.unwrap().unwrap();
    for call in again {
        call.await.unwrap().unwrap();
    }
    let runs = bench.backend.runs().split_off(before + 1);
    assert!(runs.contains(&vec![1.0]), "{runs:?}");
}

#[tokio::test]
async fn a_request_of_many_rows_lets_others_in_between() {
    let bench = Bench::start(InferenceOptions::default()).await;
    let first = bench.hold_up().await;
    let (inference, request) = (bench.inference.clone(), Request::new("large"));
    let numbers: Vec<f32> = (100..300).map(|n| n as f32).collect();
    let inputs = vec![("x".to_owned(), vector(&numbers))];
    let large = tokio::spawn(async move { inference.run(&request, "double", inputs, vec![]).await });
    // 64 pieces at most, as long as nothing is known of what rows take
    bench.until_queued(50).await;
    let small = bench.spawn("small", 7.0);
    bench.until_queued(51).await;
    let before = bench.backend.runs().len();
    bench.backend.open();
    first.await.unwrap().unwrap();
    let outcome = large.await.unwrap().unwrap();
    assert_eq!(small.await.unwrap(), Ok(14.0));
    assert_eq!(outcome.outputs[0].1, vector(&numbers.iter().map(|n| 2.0 * n).collect::<Vec<_>>()));
    // one unit of 1,024 elements, however it was cut
    assert_eq!((outcome.usage.input_units, outcome.usage.cost), (1, 4));
    let runs = bench.backend.runs().split_off(before + 1);
    let turn = runs.iter().position(|run| run.contains(&7.0)).unwrap();
    assert!(turn <= 2 && runs.len() > turn + 4, "{turn} of {runs:?}");
    assert!(runs.iter().all(|run| run.len() <= 128), "{runs:?}");
}

#[tokio::test]
async fn out_of_memory_halves_and_is_remembered() {
    let bench = Bench::start(InferenceOptions::default()).await;
    bench.learn().await;
    bench.backend.rows_max(4);
    // How many rows run together is measured, so a round on a busy machine may try no more than fit.
    let mut rounds_since_too_much = None;
    for _ in 0..100 {
        let before = bench.backend.runs().len();
        let first = bench.hold_up().await;
        let calls: Vec<_> = (0..16).map(|n| (n as f32, bench.spawn("a", n as f32))).collect();
        bench.until_queued(16).await;
        bench.backend.open();
        first.await.unwrap().unwrap();
        for (x, call) in calls {
            assert_eq!(call.await.unwrap(), Ok(2.0 * x));
        }
        let too_much = bench.backend.runs().split_off(before).iter().filter(|run| run.len() > 4).count();
        match rounds_since_too_much {
            None if too_much > 0 => rounds_since_too_much = Some(0),
            None => {}
            Some(3) => return,
            Some(rounds) => {
                assert_eq!(too_much, 0, "forgotten after {rounds} rounds");
                rounds_since_too_much = Some(rounds + 1);
            }
        }
    }
    panic!("more than four rows never ran together, or not until the end: {rounds_since_too_much:?}");
}

#[tokio::test]
async fn an_exclusive_request_runs_alone() {
    let bench = Bench::start(InferenceOptions::default()).await;
    bench.learn().await;
    let first = bench.hold_up().await;
    let mut calls: Vec<_> = (0..8).map(|n| bench.spawn("a", n as f32)).collect();
    calls.push(bench.spawn_as(Request { exclusive: true, ..Request::new("b") }, 77.0));
    bench.until_queued(9).await;
    bench.backend.open();
    first.await.unwrap().unwrap();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert!(bench.backend.runs().contains(&vec![77.0]), "{:?}", bench.backend.runs());
}

#[tokio::test]
async fn a_run_that_nobody_waits_for_is_stopped() {
    let bench = Bench::start(InferenceOptions::default()).await;
    let first = bench.hold_up().await;
    // The gate stays closed: only the interrupt ends this run.
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let next = bench.spawn("next", 5.0);
    let backend = bench.backend.clone();
    tokio::task::spawn_blocking(move || backend.wait_for_run()).await.unwrap();
    bench.backend.open();
    assert_eq!(next.await.unwrap(), Ok(10.0));
    assert!(!bench.backend.runs().contains(&vec![-1.0]));
}

#[tokio::test]
async fn every_device_takes_from_the_same_queue() {
    let bench = Bench::start(InferenceOptions { sessions: 3, batching: false, ..InferenceOptions::default() }).await;
    let wait = async {
        while bench.backend.sessions() < 3 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait).await.unwrap();
    // Golden vectors of late sessions must not meet a closed gate.
    let calls: Vec<_> = (0..64).map(|n| bench.spawn("a", n as f32)).collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    bench.backend.allow(0);
    let calls: Vec<_> = (0..3).map(|n| bench.spawn("a", n as f32)).collect();
    let backend = bench.backend.clone();
    // Three runs at the gate at the same time: one on each device.
    let three = tokio::task::spawn_blocking(move || backend.wait_for_runs(3));
    tokio::time::timeout(Duration::from_secs(10), three).await.unwrap().unwrap();
    bench.backend.open();
    for call in calls {
        call.await.unwrap().unwrap();
    }
}

/// Adds up what is charged, and never lets more be held than it was given.
#[derive(Default)]
struct Book {
    charged: Mutex<BTreeMap<[u8; 32], u64>>,
    held: Mutex<i128>,
}

struct Held {
    book: Arc<Book>,
    left: Mutex<u64>,
}

struct Account(Arc<Book>);

impl Funds for Account {
    fn hold(&self, most: u64) -> HoldFuture<'_> {
        *self.0.held.lock().unwrap() += i128::from(most);
        let held = Held { book: Arc::clone(&self.0), left: Mutex::new(most) };
        Box::pin(std::future::ready(Ok(Box::new(held) as Box<dyn Hold>)))
    }
}

impl Hold for Held {
    fn charge(&self, charge: &Charge) -> Result<()> {
        let mut left = self.left.lock().unwrap();
        *left = left.checked_sub(charge.cost).expect("no more is charged than was held");
        *self.book.held.lock().unwrap() -= i128::from(charge.cost);
        *self.book.charged.lock().unwrap().entry(charge.model).or_default() += charge.cost;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        *self.book.held.lock().unwrap() -= i128::from(*self.left.lock().unwrap());
    }
}

/// Random arrivals, bad rows, cancels, deadlines, priorities and lack of memory: everyone gets its own answer or its own
/// error, and exactly what was answered is charged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_seed_everyone_gets_its_own_and_charges_are_what_was_answered() {
    for seed in 1..=12 {
        let mut dice = Dice::new(seed);
        let options = InferenceOptions { sessions: 1 + dice.roll(2) as usize, ..InferenceOptions::default() };
        let bench = Bench::start(options).await;
        if dice.roll(2) == 0 {
            bench.backend.rows_max(1 + dice.roll(8) as usize);
        }
        let book = Arc::new(Book::default());
        let mut calls = Vec::new();
        for n in 0..300 {
            let bad = dice.roll(20) == 0;
            let x = if bad { POISON } else { n as f32 };
            let tenant = format!("tenant {}", dice.roll(5));
            let deadline = (dice.roll(10) == 0).then(|| Instant::now() + Duration::from_micros(dice.roll(2000)));
            let (priority, exclusive) = (dice.roll(4) as u8, dice.roll(10) == 0);
            let funds = Arc::new(Account(Arc::clone(&book)));
            let request = Request { deadline, priority, exclusive, funds, ..Request::new(tenant) };
            let call = bench.spawn_as(request, x);
            if dice.roll(10) == 0 {
                call.abort();
            }
            calls.push((x, bad, call));
            if dice.roll(8) == 0 {
                tokio::time::sleep(Duration::from_micros(dice.roll(500))).await;
            }
        }
        let mut answered = 0;
        for (x, bad, call) in calls {
            match call.await {
                Ok(Ok(y)) => {
                    assert!(!bad && y == 2.0 * x, "seed {seed}: {x} gave {y}");
                    answered += 1;
                }
                Ok(Err(Error::BadInput(_))) => assert!(bad, "seed {seed}: {x} was refused for another's fault"),
                Ok(Err(Error::Deadline | Error::Overloaded(_))) => {}
                Ok(Err(error)) => panic!("seed {seed}: {x} failed with {error}"),
                Err(cancelled) => assert!(cancelled.is_cancelled(), "seed {seed}"),
            }
        }
        bench.inference.stop().await;
        let tenants = bench.inference.metrics().remove("double").unwrap().tenants;
        let charged: u64 = book.charged.lock().unwrap().values().sum();
        // 3 per request, and half a unit of 1,024 elements rounded up. A call that was given up as its answer came may have been
        // charged for an answer that it was handed.
        assert!(charged >= 4 * answered, "seed {seed}: {charged} were charged for {answered} answers");
        assert_eq!(charged, tenants.values().map(|tenant| tenant.cost).sum::<u64>(), "seed {seed}");
        assert_eq!(*book.held.lock().unwrap(), 0, "seed {seed}: what was held is charged or let go");
    }
}
