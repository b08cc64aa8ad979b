//! The turns of a decoder by seed, on a decoder whose every token tells whether the cache was right: each sequence gets its
//! own tokens, pays for what it read, waits no longer than is fair, and memory stays within its bound.

use std::cell::Cell;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::decoder::Decoder;
use super::engine::{Engine, EngineOptions};
use super::generation::Generation;
use super::line::Line;
use super::outlet::Outlet;
use super::proof;
use super::request::{Event, Finish, Sampling};
use super::sequence::Submitted;
use super::text::Speech;
use super::text::tests::byte_level;
use crate::backend::fake_decoder::{Diary, ENDLESS, EOS, FakeDecoder, NAN, POISON, VOCAB, next_token};
use crate::funds::{Charge, Hold};
use crate::limits;
use crate::package::GenerateSettings;
use crate::random::Dice;
use crate::scheduler::queue::Bounds;
use crate::{Error, Rates, Result};

const RATES: Rates =
    Rates { per_request: 7, per_1k_input: 333, per_1k_output: 1777, priority_percent: [100; limits::PRIORITIES] };
/// Bytes of one token of one row: two tensors of one head with two floats.
const TOKEN: u64 = 16;

fn settings() -> GenerateSettings {
    let text = format!(
        "tokenizer='t'\ncontext=4096\nlogits='logits'\npast_key='past.%d.key'\npast_value='past.%d.value'\npresent_key='present.%d.key'\npresent_value='present.%d.value'\nlayers=1\nkv_heads=1\nhead_size=2\nvocab={VOCAB}\neos=[{EOS}]"
    );
    GenerateSettings { position_ids: true, ..toml::from_str(&text).unwrap() }
}

fn options(batching: bool, cache_bytes_max: u64) -> EngineOptions {
    EngineOptions { batching, cache_bytes_max, eos: vec![EOS], metrics: Arc::default() }
}

/// What a life is made of.
struct Random(Dice);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0.roll(bound)
    }

    fn prompt(&mut self, endless: bool) -> Vec<u32> {
        let length = 1 + self.below(30);
        let mut tokens: Vec<u32> = (0..length).map(|_| 32 + self.below(95) as u32).collect();
        if endless {
            tokens[0] = ENDLESS;
        }
        tokens
    }
}

#[derive(Clone, Default)]
struct Purse(Arc<Mutex<(u64, u64, u64)>>);

impl Hold for Purse {
    fn charge(&self, charge: &Charge) -> Result<()> {
        let mut sum = self.0.lock().unwrap();
        *sum = (sum.0 + charge.input_units, sum.1 + charge.output_units, sum.2 + charge.cost);
        Ok(())
    }
}

/// A caller with what it has read.
struct Reader {
    generation: Option<Generation>,
    purse: Purse,
    prompt: Vec<u32>,
    most: u32,
    text: String,
    tokens: u32,
    end: Option<Result<Finish>>,
}

impl Reader {
    /// Reads one event if there is one.
    fn poll(&mut self) {
        let Some(generation) = &mut self.generation else { return };
        let next = std::pin::pin!(generation.next());
        match next.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(Event::Chunk { text, tokens, .. })) => {
                self.text.push_str(&text);
                self.tokens += tokens.len() as u32;
            }
            Poll::Ready(Some(Event::Done { finish, .. })) => self.end = Some(Ok(finish)),
            Poll::Ready(Some(Event::Failed(error))) => self.end = Some(Err(error)),
            Poll::Ready(None) | Poll::Pending => {}
        }
    }

    /// What it should get when nothing breaks it off.
    fn want(&self) -> (Vec<u32>, Finish) {
        let mut tokens = self.prompt.clone();
        while tokens.len() < self.prompt.len() + self.most as usize {
            match next_token(&tokens) {
                EOS => return (tokens.split_off(self.prompt.len()), Finish::Stop),
                token => tokens.push(token),
            }
        }
        (tokens.split_off(self.prompt.len()), Finish::Length)
    }

    fn want_text(&self) -> String {
        self.want().0.iter().map(|token| char::from(*token as u8)).collect()
    }

    /// It read its own text and paid for exactly that.
    fn check(&self) {
        let (want, text) = (self.want(), self.want_text());
        assert!(text.starts_with(&self.text), "`{}` is no beginning of `{text}`", self.text);
        assert_eq!(self.text.len(), self.tokens as usize);
        if let Some(Ok(finish @ (Finish::Stop | Finish::Length))) = self.end {
            assert_eq!((self.text.as_str(), finish), (text.as_str(), want.1));
        }
        let paid = *self.purse.0.lock().unwrap();
        if paid != (0, 0, 0) || self.tokens > 0 {
            let (input, output) = (self.prompt.len() as u64, u64::from(self.tokens));
            assert_eq!(paid, (input, output, RATES.cost(input, output)));
        }
    }
}

/// A request as a test makes it.
struct Ask<'a> {
    tenant: &'a str,
    prompt: Vec<u32>,
    most: u32,
    exclusive: bool,
    deadline: Option<Instant>,
}

impl<'a> Ask<'a> {
    fn new(tenant: &'a str, prompt: Vec<u32>, most: u32) -> Self {
        Self { tenant, prompt, most, exclusive: false, deadline: None }
    }
}

/// A decoder's thread under a test's control.
struct World<'a> {
    engine: Engine<'a>,
    line: Arc<Line>,
    time: &'a Cell<Instant>,
    cache_bytes_max: u64,
    readers: Vec<Reader>,
}

impl World<'_> {
    fn ask(&mut self, ask: Ask<'_>) -> usize {
        let (outlet, mouth) = Outlet::new(Arc::clone(&self.line));
        let tenant: Arc<str> = Arc::from(ask.tenant);
        let purse = Purse::default();
        let generation = Generation::new(outlet, Box::new(purse.clone()), [0; 32], RATES, ask.prompt.len() as u64);
        let submitted = Submitted {
            mouth,
            seat: self.line.seat(&tenant).unwrap(),
            tenant,
            priority: 1,
            exclusive: ask.exclusive,
            deadline: ask.deadline,
            admitted: self.time.get(),
            prompt: ask.prompt.clone(),
            sampling: Sampling::default(),
            seed: 0,
            rates: RATES,
            most: ask.most,
            most_finish: Finish::Length,
        };
        assert!(self.line.submit(submitted));
        let (prompt, most) = (ask.prompt, ask.most);
        self.readers.push(Reader {
            generation: Some(generation),
            purse,
            prompt,
            most,
            text: String::new(),
            tokens: 0,
            end: None,
        });
        self.readers.len() - 1
    }

    fn turn(&mut self) -> bool {
        self.line.arrived().unwrap().into_iter().for_each(|submitted| self.engine.admit(submitted));
        self.time.set(self.time.get() + Duration::from_millis(1));
        let worked = self.engine.turn();
        assert!(self.engine.cache_bytes() <= self.cache_bytes_max, "{} bytes are kept", self.engine.cache_bytes());
        worked
    }

    fn turns(&mut self, count: usize) {
        for _ in 0..count {
            self.turn();
        }
    }

    /// Turns until all of these have ended, each reading at every turn; gives the number of turns.
    fn finish(&mut self, readers: &[usize]) -> usize {
        for turns in 0..20_000 {
            if readers.iter().all(|reader| self.readers[*reader].end.is_some()) {
                return turns;
            }
            self.turn();
            readers.iter().for_each(|reader| self.readers[*reader].poll());
        }
        panic!("somebody starves");
    }
}

/// Runs a test in a world of this decoder.
fn world(decoder: FakeDecoder, options: EngineOptions, test: impl FnOnce(&mut World<'_>, &Mutex<Diary>)) {
    let diary = Arc::clone(&decoder.diary);
    let (mut decoder, speech, settings): (_, Speech, _) = (decoder, byte_level(), settings());
    let time = Cell::new(Instant::now());
    let clock = || time.get();
    let cache_bytes_max = options.cache_bytes_max;
    let engine = Engine::new(Decoder::new(&mut decoder, &settings), &speech, options, &clock);
    let line = Line::new(Bounds { total_max: 1000, per_tenant_max: 1000 });
    test(&mut World { engine, line, time: &time, cache_bytes_max, readers: vec![] }, &diary);
}

/// One random life: arrivals, cancels, deadlines, poison, NaN, slow readers, a tight memory. Gives what was read, as one text.
fn life(seed: u64) -> String {
    let mut random = Random(Dice::new(seed));
    let most_tokens = 110;
    let cache_bytes_max = TOKEN * 2 * most_tokens * [1, 2, 5, 100][random.below(4) as usize];
    let mut told = String::new();
    world(FakeDecoder::default(), options(random.below(5) > 0, cache_bytes_max), |world, _| {
        for _ in 0..400 {
            if random.below(10) == 0 && world.readers.len() < 40 {
                let endless = random.below(4) == 0;
                let mut prompt = random.prompt(endless);
                let last = prompt.len() - 1;
                match random.below(12) {
                    0 => prompt[last] = POISON,
                    1 => prompt[last] = NAN,
                    2 => prompt[last / 2] = POISON,
                    _ => {}
                }
                let tenant = ["a", "a", "a", "b", "c"][random.below(5) as usize];
                let deadline = (random.below(8) == 0).then(|| world.time.get() + Duration::from_millis(random.below(120)));
                let exclusive = random.below(10) == 0;
                world.ask(Ask { exclusive, deadline, ..Ask::new(tenant, prompt, 1 + random.below(80) as u32) });
            }
            world.turn();
            for reader in &mut world.readers {
                match random.below(200) {
                    0 => reader.generation.iter_mut().for_each(Generation::cancel),
                    1 => reader.generation = None,
                    2..100 => reader.poll(),
                    _ => {}
                }
            }
        }
        let rest: Vec<usize> = (0..world.readers.len()).filter(|at| world.readers[*at].generation.is_some()).collect();
        world.finish(&rest);
        while world.turn() {}
        assert_eq!(world.engine.len(), 0);
        assert_eq!(world.line.len(), 0);
        world.readers.iter().for_each(Reader::check);
        for reader in &world.readers {
            let broken = match (reader.prompt.contains(&POISON), reader.prompt.contains(&NAN)) {
                (false, false) => matches!(reader.end, None | Some(Ok(_) | Err(Error::Deadline))),
                (true, _) => matches!(
                    reader.end,
                    None | Some(Ok(Finish::Cancelled | Finish::Deadline) | Err(Error::Deadline | Error::Backend(_)))
                ),
                _ => matches!(
                    reader.end,
                    None | Some(Ok(Finish::Cancelled | Finish::Deadline) | Err(Error::Deadline | Error::NonFinite(_)))
                ),
            };
            assert!(broken, "{:?} for {:?}", reader.end, reader.prompt);
            told.push_str(&format!("{:?} {}\n", reader.end, reader.text));
        }
    });
    told
}

#[test]
fn random_lives_keep_every_promise() {
    for seed in 0..300 {
        let told = std::panic::catch_unwind(|| life(seed)).unwrap_or_else(|_| panic!("seed {seed}"));
        if seed < 5 {
            assert_eq!(life(seed), told, "seed {seed} is not the same twice");
        }
    }
}

#[test]
fn in_the_steady_state_nothing_is_copied() {
    world(FakeDecoder::default(), options(true, 1 << 30), |world, diary| {
        for _ in 0..4 {
            world.ask(Ask::new("a", Random(Dice::new(3)).prompt(true), 500));
        }
        world.turns(60);
        let kept = diary.lock().unwrap().kept;
        (0..100).for_each(|_| assert!(world.turn()));
        let diary = diary.lock().unwrap();
        assert_eq!((diary.kept, &diary.rows[diary.rows.len() - 100..]), (kept, &[4; 100][..]));
    });
}

#[test]
fn a_flood_of_long_answers_does_not_hold_up_a_small_tenant() {
    world(FakeDecoder::default(), options(false, 1 << 30), |world, _| {
        let mut random = Random(Dice::new(5));
        let flood: Vec<usize> = (0..10).map(|_| world.ask(Ask::new("flood", random.prompt(true), 300))).collect();
        world.turns(50);
        let mut turns = 0;
        for _ in 0..4 {
            let small = world.ask(Ask::new("small", random.prompt(true), 10));
            turns = world.finish(&[small]).max(turns);
        }
        // a turn reads or steps: the flood's head start, then the small one's own work
        let fair = 2 * limits::AHEAD_TOKENS_MAX as usize + 2 * 10;
        assert!(turns <= fair, "{turns} turns, {fair} are fair");
        world.finish(&flood);
        world.readers.iter().for_each(Reader::check);
    });
}

#[test]
fn both_of_two_long_tenants_move_on() {
    world(FakeDecoder::default(), options(false, 1 << 30), |world, _| {
        let mut random = Random(Dice::new(6));
        let both = ["a", "b"].map(|tenant| world.ask(Ask::new(tenant, random.prompt(true), 1000)));
        for _ in 0..30 {
            world.turns(50);
            both.iter().for_each(|reader| world.readers[*reader].poll());
            let read = both.map(|reader| world.readers[reader].tokens);
            // the difference of the prompts counts too, at half
            assert!(read[0].abs_diff(read[1]) <= limits::AHEAD_TOKENS_MAX as u32 + 16, "{read:?}");
        }
        world.finish(&both);
        world.readers.iter().for_each(Reader::check);
    });
}

#[test]
fn an_exclusive_answer_steps_alone() {
    world(FakeDecoder::default(), options(true, 1 << 30), |world, diary| {
        let mut random = Random(Dice::new(7));
        let others: Vec<usize> = (0..6).map(|_| world.ask(Ask::new("a", random.prompt(true), 100))).collect();
        world.turns(40);
        let alone = world.ask(Ask { exclusive: true, ..Ask::new("b", random.prompt(true), 20) });
        let mut own_steps = Vec::new();
        while world.readers[alone].end.is_none() {
            let before = world.readers[alone].tokens;
            world.turn();
            world.readers.iter_mut().for_each(Reader::poll);
            if world.readers[alone].tokens > before {
                own_steps.push(*diary.lock().unwrap().rows.last().unwrap());
            }
        }
        assert_eq!(own_steps, [1; 20]);
        world.finish(&others);
        world.readers.iter().for_each(Reader::check);
    });
}

#[test]
fn a_reader_that_never_reads_holds_a_bounded_amount_and_nobody_up() {
    world(FakeDecoder::default(), options(true, 1 << 30), |world, _| {
        let mut random = Random(Dice::new(8));
        let silent = world.ask(Ask::new("silent", random.prompt(true), 2000));
        let other = world.ask(Ask::new("other", random.prompt(true), 1500));
        world.finish(&[other]);
        while world.turn() {}
        world.readers[silent].poll();
        assert_eq!(world.readers[silent].tokens, limits::UNREAD_TOKENS_MAX as u32);
        world.finish(&[silent]);
        world.readers.iter().for_each(Reader::check);
    });
}

#[test]
fn a_poisoned_row_fails_alone() {
    for poison in [POISON, NAN] {
        world(FakeDecoder::default(), options(true, 1 << 30), |world, diary| {
            let mut random = Random(Dice::new(9));
            let good: Vec<usize> = (0..7).map(|_| world.ask(Ask::new("a", random.prompt(true), 60))).collect();
            world.turns(40);
            assert_eq!(diary.lock().unwrap().rows.last(), Some(&7));
            let bad = world.ask(Ask::new("b", vec![65, 66, poison], 60));
            world.finish(&[bad]);
            let end = world.readers[bad].end.clone();
            let right = if poison == NAN {
                matches!(end, Some(Err(Error::NonFinite(_))))
            } else {
                matches!(end, Some(Err(Error::Backend(_))))
            };
            assert!(right, "{end:?}");
            world.finish(&good);
            assert!(good.iter().all(|reader| world.readers[*reader].end == Some(Ok(Finish::Length))));
            world.readers.iter().for_each(Reader::check);
        });
    }
}

#[test]
fn a_model_that_takes_no_filling_is_found_out() {
    let settings = settings();
    for (no_filling, batches) in [(false, true), (true, false)] {
        let mut decoder = FakeDecoder { no_filling, ..FakeDecoder::default() };
        assert_eq!(proof::batches(&mut Decoder::new(&mut decoder, &settings)), Ok(batches));
    }
}
