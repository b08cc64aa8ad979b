//! Histories of packages: which version may come next, what notices do, what wishes find.

use hansa_economy::Keypair;
use proptest::prelude::*;

use super::*;

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn history(versions: &[&str]) -> History<()> {
    let mut history = History::new("acme/translator".parse().unwrap());
    for text in versions {
        let content = Digest::of(text.as_bytes());
        assert_eq!(history.check(version(text), content, false), Ok(false));
        let signer = Keypair::from_seed(&[1; 32]).public();
        history.add(version(text), Released { content, signer, entry: () });
    }
    history
}

fn notice(about: &str, seq: u64, says: Says) -> Signed<Notice> {
    let body = Notice { about: about.into(), seq, says, name_record: None, signed_ms: 1 };
    Signed::new(body, &Keypair::from_seed(&[1; 32]))
}

fn yanked(reason: &str) -> Says {
    Says::Yanked { reason: reason.into() }
}

fn deprecated(successor: Option<&str>) -> Says {
    Says::Deprecated { message: "old".into(), successor: successor.map(Into::into) }
}

#[test]
fn versions_rise_within_their_line() {
    let history = history(&["0.1.0", "0.1.4", "0.3.0", "1.0.0", "1.4.2", "3.0.0"]);
    let check = |text: &str, in_order| match history.check(version(text), Digest::of(text.as_bytes()), in_order) {
        Ok(known) => format!("known: {known}"),
        Err(refusal) => refusal.to_string(),
    };
    for (text, expected) in [
        ("1.4.3", "known: false"),
        ("1.5.0", "known: false"),
        ("2.0.0", "known: false"),
        ("0.1.5", "known: false"),
        ("0.2.0", "known: false"),
        ("4.0.0", "known: false"),
        ("1.4.2", "known: true"),
        ("1.4.1", "`acme/translator@1.4.1` comes after 1.4.2 of the line 1; publish a version above 1.4.2"),
        ("1.0.1", "`acme/translator@1.0.1` comes after 1.4.2 of the line 1; publish a version above 1.4.2"),
        ("0.1.3", "`acme/translator@0.1.3` comes after 0.1.4 of the line 0.1; publish a version above 0.1.4"),
    ] {
        assert_eq!(check(text, true), expected, "{text}");
    }
    assert_eq!(check("1.0.1", false), "known: false");
    let changed = history.check(version("1.0.0"), Digest::of(b"else"), false).unwrap_err().to_string();
    assert!(changed.contains("versions never change: publish it as another version"), "{changed}");
}

#[test]
fn wishes_find_the_newest_that_is_not_yanked() {
    let mut history = history(&["0.9.0", "1.0.0", "1.2.0", "1.2.1", "1.3.0", "2.0.0"]);
    for (seq, about) in ["acme/translator@1.3.0", "acme/translator@2.0.0"].iter().enumerate() {
        assert_eq!(history.admit_notice(notice(about, seq as u64, yanked("leaks"))), Ok(false));
    }
    let resolve = |wish: &str| match history.resolve(wish.parse::<Wish>().unwrap().range) {
        Ok(version) => version.to_string(),
        Err(error) => error.to_string(),
    };
    for (wish, expected) in [
        ("acme/translator", "1.2.1"),
        ("acme/translator@1", "1.2.1"),
        ("acme/translator@1.2", "1.2.1"),
        ("acme/translator@1.2.0", "1.2.0"),
        ("acme/translator@1.3.0", "1.3.0"),
        ("acme/translator@0", "0.9.0"),
        (
            "acme/translator@2",
            "all releases that satisfy `acme/translator@2` are yanked: leaks; name one exactly to run it all the same",
        ),
        (
            "acme/translator@3.0.0",
            "no release satisfies `acme/translator@3.0.0`; there are 2.0.0, 1.3.0, 1.2.1, 1.2.0, 1.0.0, 0.9.0",
        ),
    ] {
        assert_eq!(resolve(wish), expected, "{wish}");
    }
}

#[test]
fn later_notices_prevail_in_whatever_order_they_come() {
    let notices = [
        notice("acme/translator", 0, deprecated(Some("acme/interpreter"))),
        notice("acme/translator@1.0.0", 1, yanked("wrong")),
        notice("acme/translator@1.0.0", 2, Says::Restored),
        notice("acme/translator@1.1.0", 3, yanked("worse")),
    ];
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
        let mut history = history(&["1.0.0", "1.1.0", "1.2.0"]);
        for at in order {
            assert_eq!(history.admit_notice(notices[at].clone()), Ok(false));
            assert_eq!(history.admit_notice(notices[at].clone()), Ok(true));
        }
        let state = |text: &str| history.state(version(text));
        assert_eq!(state("1.0.0"), State::default());
        assert_eq!(state("1.1.0").yanked.as_deref(), Some("worse"));
        assert_eq!(state("1.2.0").deprecated.unwrap().successor.unwrap().as_str(), "acme/interpreter");
        assert_eq!(history.next_notice(), 4);
        let NoticeRefusal::Fork { first, second, .. } =
            history.admit_notice(notice("acme/translator", 1, Says::Restored)).unwrap_err()
        else {
            panic!("not seen as a fork")
        };
        for bytes in [first, second] {
            assert_eq!(Signed::<Notice>::open(&bytes).unwrap().body.seq, 1);
        }
    }
}

#[test]
fn notices_that_make_no_sense_are_refused() {
    for (about, says, message) in [
        ("acme", yanked("x"), "`acme` is no package"),
        ("acme/translator@1", yanked("x"), "is about one version or the whole package"),
        ("acme/translator", deprecated(Some("acme/translator")), "cannot be its own successor"),
        ("acme/translator", deprecated(Some("Acme")), "`Acme` is no package"),
        ("acme/translator", yanked(&"x".repeat(1001)), "has 1001 bytes, more than 1000"),
    ] {
        let refusal = check_notice(&notice(about, 0, says).body).unwrap_err().to_string();
        assert!(refusal.contains(message), "{refusal}");
    }
    assert!(check_notice(&notice("acme/translator@1.0.0", 0, Says::Restored).body).is_ok());
}

proptest! {
    /// Published in order, each line only ever rises, and a range finds the highest of its versions.
    #[test]
    fn lines_only_rise(versions in prop::collection::vec((0..3u32, 0..3u32, 0..4u32), 1..30)) {
        let mut history = history(&[]);
        let mut highest: BTreeMap<Line, Version> = BTreeMap::new();
        for (major, minor, patch) in versions {
            let version = Version { major, minor, patch };
            let content = Digest::of(version.to_string().as_bytes());
            let above = highest.get(&version.line()).is_none_or(|highest| version > *highest);
            let known = history.get(version).is_some();
            match history.check(version, content, true) {
                Ok(true) => prop_assert!(known),
                Ok(false) => {
                    prop_assert!(above);
                    history.add(version, Released { content, signer: PublicKey([0; 32]), entry: () });
                    highest.insert(version.line(), version);
                }
                Err(_) => prop_assert!(!above && !known),
            }
        }
        for (line, version) in highest {
            let range = match line {
                Line::Major(major) => Range::Major(major),
                Line::Minor(minor) => Range::Minor(0, minor),
            };
            prop_assert_eq!(history.resolve(range), Ok(version));
        }
    }
}
