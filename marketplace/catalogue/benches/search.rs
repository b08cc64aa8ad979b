//! How long searches take over many packages: `cargo bench -p hansa-catalogue --bench search [PACKAGES]`.
//!
//! Packages are made up: words are drawn so that few are frequent and most are rare, as in real texts. Each kind of query is
//! asked many times on one thread; what is printed are percentiles, the time to build the index and the memory it takes.
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::time::{Duration, Instant};

use hansa_catalogue::search::{Document, Filter, PriceAtMost, Query, Search, Service};
use hansa_economy::Amount;

const PACKAGES: usize = 100_000;
const QUERIES: usize = 300;
const WORDS: usize = 30_000;
const PUBLISHERS: u64 = 5_000;
const INTERFACES: u64 = 4_000;
const NOW_MS: u64 = 1_800_000_000_000;

/// A small generator (splitmix64): the same packages and queries each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// An index below `end` by Zipf's law, about.
    fn rank(&mut self, end: usize) -> usize {
        let unit = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        ((end as f64).powf(unit) as usize - 1).min(end - 1)
    }
}

fn word(number: usize) -> String {
    const FIRST: [&str; 16] = ["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "st", "tr", "pl"];
    const SECOND: [&str; 8] = ["a", "e", "i", "o", "u", "ai", "ou", "ea"];
    let mut random = Random(number as u64);
    let syllables = 2 + number % 3;
    let mut word: String =
        (0..syllables).map(|_| format!("{}{}", FIRST[random.below(16) as usize], SECOND[random.below(8) as usize])).collect();
    word.push_str(["n", "r", "ck", "t", ""][number % 5]);
    word
}

struct World {
    words: Vec<String>,
    random: Random,
}

impl World {
    fn text(&mut self, count: u64) -> String {
        let words: Vec<&str> = (0..count).map(|_| self.words[self.random.rank(self.words.len())].as_str()).collect();
        words.join(" ")
    }

    fn package(&mut self, number: usize) -> Document {
        let interface = self.random.below(INTERFACES) as usize;
        let version = self.random.below(3);
        let function = self.words[interface].clone();
        let name = format!("{}-{number}", self.words[self.random.rank(self.words.len())]);
        let language = ["en", "de", "fr", "es"][self.random.below(4) as usize].to_owned();
        let readme = 60 + self.random.below(280);
        Document {
            package: format!("p{}/{name}", self.random.below(PUBLISHERS)).parse().expect("a good name"),
            version: "1.0.0".parse().expect("a good version"),
            description: self.text(12),
            keywords: (0..4).map(|_| self.text(1)).collect(),
            services: vec![Service {
                interface: format!("n{}:{}/{}@1.{version}.0", interface % 500, self.words[interface], self.words[interface]),
                functions: vec![(function, Amount(u128::from(self.random.below(10_000))))],
                labels: vec![("lang".to_owned(), vec![language])],
            }],
            readme: self.text(readme),
            published_ms: NOW_MS - self.random.below(80_000_000_000),
            deprecated: self.random.below(50) == 0,
        }
    }

    /// A word with two letters in each other's place.
    fn misspelt(&mut self) -> String {
        let mut letters: Vec<char> = self.text(1).chars().collect();
        let at = 1 + self.random.below(letters.len() as u64 - 2) as usize;
        letters.swap(at, at + 1);
        letters.into_iter().collect()
    }

    fn query(&mut self, kind: &str) -> Query {
        let mut query = Query { limit: 20, now_ms: NOW_MS, ..Query::default() };
        match kind {
            "one word" => query.text = self.text(1),
            "two words" => query.text = self.text(2),
            "five words" => query.text = self.text(5),
            "most frequent word" => query.text = self.words[0].clone(),
            "ten frequent words" => query.text = self.words[..10].join(" "),
            "misspelt" => query.text = self.misspelt(),
            "beginning" => query.text = self.text(1).chars().take(4).collect(),
            "third page" => (query.text, query.offset) = (self.text(2), 40),
            "no words" => {}
            "interface" => query.filter = self.interface(),
            "word and interface" => (query.text, query.filter) = (self.text(1), self.interface()),
            _ => {
                let interface = self.random.below(INTERFACES) as usize;
                let max = Amount(2_000);
                let price = Some(PriceAtMost { interface: None, function: self.words[interface].clone(), max });
                let labels = vec![("lang".to_owned(), "de".to_owned())];
                query.filter = Filter { price, labels, ..Filter::default() };
            }
        }
        query
    }

    fn interface(&mut self) -> Filter {
        let number = self.random.below(INTERFACES) as usize;
        let word = &self.words[number];
        Filter { interface: Some(format!("n{}:{word}/{word}@1.1.0", number % 500)), ..Filter::default() }
    }
}

const KINDS: [&str; 12] = [
    "one word",
    "two words",
    "five words",
    "most frequent word",
    "ten frequent words",
    "misspelt",
    "beginning",
    "third page",
    "no words",
    "interface",
    "word and interface",
    "label and price",
];

fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() / 1024
}

fn percentiles(name: &str, times: &mut [Duration], found: usize) {
    times.sort_unstable();
    let at = |part: usize| times[(times.len() * part / 1000).min(times.len() - 1)].as_secs_f64() * 1000.0;
    let (p50, p90, p99, most) = (at(500), at(900), at(990), at(1000));
    println!(
        "{name:<20} p50 {p50:7.2} ms   p90 {p90:7.2} ms   p99 {p99:7.2} ms   max {most:7.2} ms   {:8} found",
        found / times.len()
    );
}

fn main() {
    let packages = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(PACKAGES);
    let mut world = World { words: (0..WORDS).map(word).collect(), random: Random(7) };
    let before = resident_mib();
    let begin = Instant::now();
    let mut made = Duration::ZERO;
    let documents = (0..packages).map(|number| {
        let begin = Instant::now();
        let document = world.package(number);
        made += begin.elapsed();
        document
    });
    let mut search = Search::build(documents).expect("the index can be built");
    let built = begin.elapsed() - made;
    println!(
        "{} packages, {} words: index built in {:.1} s, {} MiB",
        search.len(),
        search.words(),
        built.as_secs_f64(),
        resident_mib() - before
    );
    let mut all = Vec::new();
    for kind in KINDS {
        let queries: Vec<Query> = (0..QUERIES).map(|_| world.query(kind)).collect();
        let mut found = 0;
        let mut times: Vec<Duration> = queries
            .iter()
            .map(|query| {
                let begin = Instant::now();
                found += search.find(query).expect("a good query").total;
                begin.elapsed()
            })
            .collect();
        percentiles(kind, &mut times, found);
        all.extend(times);
    }
    percentiles("all", &mut all, 0);
    let mut times: Vec<Duration> = (0..50)
        .map(|number| {
            let document = world.package(packages + number);
            let begin = Instant::now();
            search.apply([document], &[]).expect("a good document");
            begin.elapsed()
        })
        .collect();
    percentiles("one new release", &mut times, 0);
    println!("resident after all: {} MiB", resident_mib());
}
