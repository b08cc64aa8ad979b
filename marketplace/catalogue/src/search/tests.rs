//! The quality of search over a small catalogue written by hand, and what must hold for any.

use proptest::prelude::*;

use super::*;

const DAY_MS: u64 = 86_400_000;
const NOW_MS: u64 = 20_000 * DAY_MS;

/// Name, description, keywords, interface, functions with prices in millionths, labels, beginning of the README, age in days.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str, &'static str, u64);

#[rustfmt::skip]
const CORPUS: &[Row] = &[
    ("acme/translator", "Translates texts between forty languages.", "translation language text", "acme:translate/translator@1.2.0", "translate:2000 languages:0", "lang=en,de,fr", "Translates plain text and markdown. Fast, with a glossary of your own terms.", 30),
    ("lingua/interpreter", "Speech in one language to speech in another, live.", "speech translation voice", "lingua:speech/interpreter@1.0.0", "interpret:50000", "lang=en,es", "Listens, translates and speaks with little delay.", 10),
    ("lingua/detector", "Tells which language a text is written in.", "language detection", "lingua:detect/detector@1.1.0", "detect:100", "", "Ninety languages from a few words.", 400),
    ("budget/translate", "Cheap machine translation for bulk work.", "translation bulk", "acme:translate/translator@1.0.0", "translate:200", "lang=en,de", "Lower quality, lower price. Good for catalogues of products.", 200),
    ("commons/embedder", "Texts to vectors whose cosine tells how near two texts are in meaning.", "embedding vectors semantic", "commons:embedding/embedder@0.1.0", "embed:200 rank:300", "", "Use it for semantic search, clustering and deduplication of documents.", 60),
    ("vectorial/embed-large", "Embeddings of long documents with a large model.", "embedding vectors long", "commons:embedding/embedder@0.1.0", "embed:4000 rank:5000", "region=eu", "Eight thousand tokens of context.", 20),
    ("commons/summariser", "The sentences that say most about a text, or a short text of its own.", "summary abstract text", "commons:summary/summariser@0.1.0", "summarise:500 compose:3000", "", "Extracts or writes a summary of an article, a report or minutes of a meeting.", 60),
    ("newsroom/digest", "A morning digest of the news that matter to you.", "news summary daily", "newsroom:digest/digest@1.0.0", "digest:10000", "", "Reads feeds, drops duplicates, summarises each story.", 5),
    ("commons/filetype", "Tells what kind of file some bytes are.", "mime filetype detection", "commons:files/identifier@0.1.0", "identify:50", "", "Uses a small neural model by the name of Magika.", 60),
    ("commons/reader", "Takes documents apart into passages.", "pdf html parsing documents", "commons:reading/reader@0.1.0", "read:400", "", "Reads PDF, HTML, markdown and source code.", 60),
    ("paperwork/ocr", "Text from scanned pages and photographs.", "ocr scan image text recognition", "paperwork:ocr/recogniser@2.0.0", "recognise:3000", "lang=en,de,fr", "Optical character recognition for invoices, receipts and letters.", 90),
    ("paperwork/invoices", "Reads invoices: supplier, amount, tax, due date.", "invoice accounting extraction", "paperwork:invoices/extractor@1.0.0", "extract:20000", "region=eu", "Works on PDF files and scans; gives structured data for bookkeeping.", 15),
    ("paperwork/contracts", "Finds clauses in contracts and compares them.", "legal contract clauses", "paperwork:contracts/reviewer@0.3.0", "review:90000", "", "Marks terms that differ from your template.", 45),
    ("pixel/resize", "Resizes and crops pictures.", "image resize crop thumbnail", "pixel:images/resizer@1.0.0", "resize:20", "", "Thumbnails in many sizes from one image.", 700),
    ("pixel/upscale", "Makes small pictures large without blur.", "image upscaling super-resolution", "pixel:images/upscaler@1.0.0", "upscale:8000", "gpu=yes", "Four times the resolution.", 100),
    ("pixel/describe", "Says in words what a picture shows.", "image caption alt-text accessibility", "pixel:images/describer@1.0.0", "describe:6000", "lang=en", "Captions for web pages, so that the blind can follow.", 50),
    ("pixel/background", "Cuts people and things out of their background.", "image background removal mask", "pixel:images/cutter@0.2.0", "cut:5000", "", "Removes backgrounds of portraits and products.", 70),
    ("scribe/transcribe", "Speech to text with time codes and speakers.", "speech transcription audio meeting", "scribe:speech/transcriber@1.0.0", "transcribe:15000", "lang=en,de,es", "Transcribes interviews, podcasts and meetings.", 25),
    ("scribe/narrator", "Reads texts aloud in natural voices.", "speech voice text-to-speech audio", "scribe:speech/narrator@1.0.0", "speak:9000", "lang=en", "Twelve voices.", 80),
    ("numbers/forecast", "Forecasts time series with intervals.", "forecast time series prediction", "numbers:forecast/forecaster@1.0.0", "forecast:12000", "", "Sales, load, temperature: give history, get the future.", 35),
    ("numbers/anomaly", "Finds what is unusual in a series of measurements.", "anomaly outlier monitoring", "numbers:anomaly/detector@1.0.0", "detect:4000", "", "Alerts on sensors and servers.", 120),
    ("geo/geocode", "Addresses to coordinates and back.", "address map geocoding", "geo:places/geocoder@1.0.0", "geocode:100 reverse:100", "region=eu", "Streets of all of Europe.", 300),
    ("geo/route", "The shortest way by car, by bicycle or on foot.", "routing map navigation", "geo:routes/router@1.0.0", "route:800", "region=eu", "Avoids tolls and ferries if you wish.", 90),
    ("guard/moderate", "Judges whether a text is abusive, hateful or spam.", "moderation toxicity spam safety", "guard:moderation/judge@1.0.0", "judge:300", "lang=en,de", "For comments and chats.", 40),
    ("guard/redact", "Removes names, addresses and numbers from texts.", "privacy anonymise pii redaction", "guard:privacy/redactor@1.0.0", "redact:700", "lang=en,de", "Personal data is found and blacked out before it leaves your house.", 12),
    ("code/review", "Reviews changes of source code.", "code review programming quality", "code:review/reviewer@0.9.0", "review:40000", "", "Finds bugs, names risks and suggests tests.", 8),
    ("code/search", "Searches source code by meaning.", "code search semantic programming", "code:search/searcher@1.0.0", "search:600", "", "Ask in plain words, get functions.", 55),
    ("mail/sorter", "Sorts mail into folders and marks what is urgent.", "email triage inbox", "mail:sorting/sorter@1.0.0", "sort:250", "", "Learns from what you move.", 65),
    ("mail/writer", "Drafts answers to mail in your tone.", "email reply writing", "mail:writing/drafter@1.0.0", "draft:7000", "lang=en,de", "Polite, brief, with the facts that you name.", 33),
    ("weather/now", "Weather now and for the next ten days.", "weather forecast rain temperature", "weather:now/station@1.0.0", "now:50 forecast:150", "", "From public stations and models.", 3),
    ("old/translator", "Translates texts word by word.", "translation text language", "acme:translate/translator@1.0.0", "translate:100", "lang=en,de", "Not maintained any more.", 900),
];

fn document(row: &Row) -> Document {
    let (package, description, keywords, interface, functions, labels, readme, age_days) = *row;
    let priced = |text: &str| {
        let (name, price) = text.split_once(':').unwrap();
        (name.to_owned(), Amount(price.parse().unwrap()))
    };
    let label = |text: &str| {
        let (name, values) = text.split_once('=').unwrap();
        (name.to_owned(), values.split(',').map(str::to_owned).collect())
    };
    Document {
        package: package.parse().unwrap(),
        version: "1.0.0".parse().unwrap(),
        description: description.into(),
        keywords: keywords.split(' ').map(str::to_owned).collect(),
        services: vec![Service {
            interface: interface.into(),
            functions: functions.split(' ').map(priced).collect(),
            labels: labels.split(' ').filter(|text| !text.is_empty()).map(label).collect(),
        }],
        readme: readme.into(),
        published_ms: NOW_MS - age_days * DAY_MS,
        deprecated: package.starts_with("old/"),
    }
}

fn corpus() -> Search {
    Search::build(CORPUS.iter().map(document)).unwrap()
}

fn query(text: &str) -> Query {
    Query { text: text.into(), limit: 10, now_ms: NOW_MS, ..Query::default() }
}

fn names(results: &Results) -> Vec<&str> {
    results.hits.iter().map(|hit| hit.package.as_str()).collect()
}

#[test]
fn questions_get_the_answers_that_people_expect() {
    let search = corpus();
    for (text, expected) in [
        ("translator", "acme/translator"),
        ("translate text", "acme/translator"),
        ("acme/translator", "acme/translator"),
        ("cheap translation", "budget/translate"),
        ("translate speech", "lingua/interpreter"),
        ("detect the language", "lingua/detector"),
        ("embedding", "commons/embedder vectorial/embed-large"),
        ("embeddings of long documents", "vectorial/embed-large"),
        ("semantic search", "code/search commons/embedder"),
        ("summarize", "commons/summariser newsroom/digest"),
        ("summary of a meeting", "commons/summariser"),
        ("news", "newsroom/digest"),
        ("what kind of file", "commons/filetype"),
        ("mime type", "commons/filetype"),
        ("read pdf", "commons/reader"),
        ("scan", "paperwork/ocr"),
        ("invoice", "paperwork/invoices"),
        ("legal", "paperwork/contracts"),
        ("thumbnail", "pixel/resize"),
        ("caption for images", "pixel/describe"),
        ("remove background", "pixel/background"),
        ("transcribe podcast", "scribe/transcribe"),
        ("text to speech", "scribe/narrator scribe/transcribe lingua/interpreter"),
        ("anonymise personal data", "guard/redact"),
        ("spam", "guard/moderate"),
        ("forecast", "numbers/forecast"),
        ("rain tomorrow", "weather/now"),
        ("geocoder", "geo/geocode"),
        ("bicycle", "geo/route"),
        ("reply to email", "mail/writer"),
        ("bugs in source code", "code/review"),
    ] {
        let results = search.find(&query(text)).unwrap();
        let first = results.hits.first().map(|hit| hit.package.as_str());
        assert!(first.is_some_and(|first| expected.split(' ').any(|good| good == first)), "{text}: {:?}", names(&results));
    }
}

#[test]
fn misspelt_and_unfinished_words_are_understood() {
    let search = corpus();
    for (text, used, expected) in [
        ("tranlsator", Some("translator"), "acme/translator"),
        ("embdeding", Some("embedding"), "vectorial/embed-large"),
        ("invioce", Some("invoice"), "paperwork/invoices"),
        ("moderaton of text", Some("moderation"), "guard/moderate"),
        ("transl", None, "acme/translator"),
        ("trans", None, "scribe/transcribe"),
        ("geoc", None, "geo/geocode"),
        ("qqqqqqqq", None, ""),
    ] {
        let results = search.find(&query(text)).unwrap();
        let corrected = results.corrections.first().map(|correction| correction.used.as_str());
        assert_eq!(corrected, used, "{text}");
        assert_eq!(names(&results).first().copied().unwrap_or_default(), expected, "{text}: {:?}", names(&results));
    }
}

#[test]
fn filters_narrow_and_words_may_be_left_out() {
    let search = corpus();
    let price = |function: &str, max: u128| PriceAtMost { interface: None, function: function.into(), max: Amount(max) };
    let found = |filter: Filter| {
        let results = search.find(&Query { filter, limit: 50, ..query("") }).unwrap();
        assert_eq!(results.total, results.hits.len());
        let mut names: Vec<String> = results.hits.iter().map(|hit| hit.package.to_string()).collect();
        names.sort();
        names.join(" ")
    };
    let none = Filter::default();
    let interface = |want: &str| Filter { interface: Some(want.into()), ..Filter::default() };
    for (filter, expected) in [
        (interface("acme:translate/translator"), "acme/translator budget/translate old/translator"),
        (interface("acme:translate/translator@1.0.0"), "acme/translator budget/translate old/translator"),
        (interface("acme:translate/translator@1.1.0"), "acme/translator"),
        (interface("acme:translate/translator@2"), ""),
        (interface("acme:translate/trans"), ""),
        (
            Filter { labels: vec![("region".into(), "eu".into())], publisher: Some("geo".into()), ..none.clone() },
            "geo/geocode geo/route",
        ),
        (Filter { labels: vec![("region".into(), "us".into())], ..none.clone() }, ""),
        (Filter { language: Some("es".into()), ..none.clone() }, "lingua/interpreter scribe/transcribe"),
        (Filter { keyword: Some("OCR".into()), ..none.clone() }, "paperwork/ocr"),
        (Filter { price: Some(price("translate", 200)), ..none.clone() }, "budget/translate old/translator"),
        (Filter { price: Some(price("translate", 50)), ..none.clone() }, ""),
        (
            Filter {
                price: Some(PriceAtMost { interface: Some("numbers:anomaly/detector@1".into()), ..price("detect", 9_000) }),
                ..none.clone()
            },
            "numbers/anomaly",
        ),
    ] {
        assert_eq!(found(filter.clone()), expected, "{filter:?}");
    }
    let newest = search.find(&query("")).unwrap();
    assert_eq!((newest.total, names(&newest)[0]), (CORPUS.len(), "weather/now"), "without words, the newest comes first");
    let filtered = search.find(&Query { filter: interface("acme:translate/translator@1.1.0"), ..query("cheap text") }).unwrap();
    assert_eq!((names(&filtered), filtered.loosened), (vec!["acme/translator"], true));
}

#[test]
fn a_place_is_explained() {
    let search = corpus();
    let results = search.find(&query("translator")).unwrap();
    let first = &results.hits[0];
    assert!(first.why.exact_name && !first.why.deprecated && first.why.freshness > 1.1);
    let fields: Vec<Field> = first.why.matches.iter().map(|found| found.field).collect();
    assert_eq!(fields, [Field::Name, Field::Keywords, Field::Contract, Field::Description, Field::Readme]);
    assert!(first.why.matches.iter().all(|found| found.word == "translat" && found.weight == found.field.weight()));
    assert_eq!(first.description, "Translates texts between forty languages.");
    let snippet = first.snippet.as_ref().unwrap();
    assert_eq!(&snippet.text[snippet.found[0].clone()], "Translates");
    let old = results.hits.iter().find(|hit| hit.package.publisher() == "old").unwrap();
    assert!(old.why.deprecated && old.why.freshness < 1.03 && old.why.score < first.why.score);
    let scores: Vec<u64> = results.hits.iter().map(|hit| hit.why.score).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
}

#[test]
fn pages_join_to_the_whole_and_have_bounds() {
    let search = corpus();
    let page = |offset, limit| search.find(&Query { offset, limit, ..query("text") });
    let whole = page(0, 100).unwrap();
    let mut joined = Vec::new();
    for offset in (0..whole.total).step_by(3) {
        joined.extend(page(offset, 3).unwrap().hits.into_iter().map(|hit| hit.package));
    }
    assert_eq!(joined, whole.hits.into_iter().map(|hit| hit.package).collect::<Vec<_>>());
    assert!(page(whole.total, 3).unwrap().hits.is_empty());
    for (offset, limit, message) in [(0, 101, "at most 100 at once"), (950, 51, "for the first 1000"), (usize::MAX, 2, "narrow")]
    {
        assert!(page(offset, limit).unwrap_err().to_string().contains(message));
    }
    assert!(search.find(&query(&"x".repeat(513))).unwrap_err().to_string().contains("513 bytes"));
}

#[test]
fn changes_are_seen_at_once_and_leave_nothing_behind() {
    let mut search = corpus();
    let found = |search: &Search, text: &str| search.find(&query(text)).unwrap().total;
    assert_eq!((found(&search, "bicycle"), found(&search, "zeppelin")), (1, 0));
    let mut route = document(CORPUS.iter().find(|row| row.0 == "geo/route").unwrap());
    route.description = "The fastest way by zeppelin.".into();
    search.apply([route.clone(), route], &["geo/geocode".parse().unwrap(), "none/such".parse().unwrap()]).unwrap();
    assert_eq!((found(&search, "bicycle"), found(&search, "zeppelin"), found(&search, "geocoding")), (0, 1, 0));
    assert_eq!(search.len(), CORPUS.len() - 1);
    search.apply([], &CORPUS.iter().map(|row| row.0.parse().unwrap()).collect::<Vec<_>>()).unwrap();
    assert_eq!((search.len(), search.words(), found(&search, "")), (0, 0, 0));
}

#[test]
fn an_empty_index_answers() {
    let search = Search::new().unwrap();
    assert!(search.is_empty());
    assert_eq!(search.find(&query("translator")).unwrap().total, 0);
    assert_eq!(search.find(&query("")).unwrap().total, 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// However the index came about, its answers are the same, scores included.
    #[test]
    fn answers_do_not_depend_on_history(order in Just((0..CORPUS.len()).collect::<Vec<_>>()).prop_shuffle(), parts in 1..6usize, churn in prop::collection::vec(0..CORPUS.len(), 0..12)) {
        let straight = corpus();
        let mut winding = Search::new().unwrap();
        for part in order.chunks(CORPUS.len().div_ceil(parts)) {
            winding.apply(part.iter().map(|at| document(&CORPUS[*at])), &[]).unwrap();
        }
        for at in churn {
            let mut other = document(&CORPUS[at]);
            other.description = "Translates invoices of speech into embedding pictures.".into();
            winding.apply([other], &[]).unwrap();
            winding.apply([document(&CORPUS[at])], &[]).unwrap();
        }
        for text in ["translator", "text to speech", "image", "forecast rain", "invioce", "", "language"] {
            let answer = |search: &Search| -> Vec<(String, u64)> {
                let results = search.find(&Query { limit: 40, ..query(text) }).unwrap();
                results.hits.iter().map(|hit| (hit.package.to_string(), hit.why.score)).collect()
            };
            prop_assert_eq!(answer(&straight), answer(&winding), "{}", text);
        }
    }

    /// No question breaks the search.
    #[test]
    fn any_question_is_answered(text in "\\PC{0,60}", offset in 0..50usize) {
        let search = corpus();
        let results = search.find(&Query { offset, ..query(&text) }).unwrap();
        prop_assert!(results.hits.len() <= 10 && results.total <= CORPUS.len());
    }
}
