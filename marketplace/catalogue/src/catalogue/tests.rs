//! The whole catalogue over real releases: who may publish, in which order statements come, what is found.

use hansa_economy::Keypair;
use proptest::prelude::*;

use super::*;
use crate::names::NameChange;
use crate::package::ReleaseParts;
use crate::package::fixture::{manifest, seller, signed_release};
use crate::releases::Says;
use crate::search::{Document, Query, Search};
use crate::version::Wish;

const SERVICE: &str = "acme:translate/translator@1.0.0";
const ONE: &str = "f: async func(a: u8) -> result<string, fault>;";
const TWO: &str = "f: async func(a: u8) -> result<string, fault>; g: func() -> result<_, fault>;";
const OTHER: &str = "f: async func(a: u16) -> result<string, fault>;";

fn key(seed: u8) -> Keypair {
    Keypair::from_seed(&[seed; 32])
}

/// Signed bytes with what else belongs to them.
#[derive(Clone)]
enum Stored {
    Name(Vec<u8>),
    Release(Vec<u8>, Vec<u8>, Files),
    Notice(Vec<u8>),
}

impl Catalogue {
    fn take(&mut self, stored: &Stored, origin: Origin) -> Result<Admission, AdmitError> {
        match stored.clone() {
            Stored::Name(record) => self.admit_name(&record),
            Stored::Release(statement, component, files) => self.admit_release(&statement, component, files, origin),
            Stored::Notice(notice) => self.admit_notice(&notice, origin),
        }
    }

    fn told(&mut self, stored: &Stored) -> String {
        match self.take(stored, Origin::New) {
            Ok(Admission::New(changes)) => {
                let packages: Vec<String> = changes.packages.iter().map(ToString::to_string).collect();
                format!("new: {}", packages.join(" "))
            }
            Ok(Admission::Known) => "known".into(),
            Ok(Admission::Waiting(missing)) => missing.to_string(),
            Err(refusal) => refusal.to_string(),
        }
    }
}

fn name(name: &str, previous: Option<&Stored>, change: NameChange, signer: u8) -> Stored {
    let before = previous.map(|stored| match stored {
        Stored::Name(bytes) => Signed::<NameRecord>::open(bytes).unwrap(),
        _ => panic!("not a name record"),
    });
    let seq = before.as_ref().map_or(0, |before| before.body.seq + 1);
    let previous = before.map(|before| before.digest());
    Stored::Name(Signed::new(NameRecord { name: name.into(), seq, previous, change, signed_ms: 3 }, &key(signer)).bytes().into())
}

fn claim(publisher: &str, owner: u8) -> Stored {
    name(publisher, None, NameChange::Claim { owner: key(owner).public(), recovery: None }, owner)
}

fn release(package: &str, service: &str, lines: &str, signer: u8) -> Stored {
    let (release, component) = signed_release(package, service, lines, 1_000, &key(signer));
    Stored::Release(release.statement.bytes().into(), component, release.files)
}

/// A release that names the record of the publisher's name under which it was signed.
fn release_under(record: &Stored, package: &str, signer: u8) -> Stored {
    let Stored::Name(record) = record else { panic!("not a name record") };
    let parts = ReleaseParts {
        manifest: manifest(package, &format!("[sells.\"{SERVICE}\"]\nprice.f = \"1\"\n")),
        component: seller(SERVICE, ONE),
        readme: "# Read me".into(),
        license: "Apache".into(),
        name_record: Some(Digest::of(record)),
    };
    let (release, component) = Release::sign(parts, 5, &key(signer)).unwrap();
    Stored::Release(release.statement.bytes().into(), component, release.files)
}

fn notice(about: &str, seq: u64, says: Says, signer: u8) -> Stored {
    let body = Notice { about: about.into(), seq, says, name_record: None, signed_ms: 1 };
    Stored::Notice(Signed::new(body, &key(signer)).bytes().into())
}

fn yanked() -> Says {
    Says::Yanked { reason: "leaks".into() }
}

fn resolved(catalogue: &Catalogue, wish: &str) -> String {
    let wish: Wish = wish.parse().unwrap();
    catalogue.resolve(&wish).map_or_else(|error| error.to_string(), |(entry, ..)| entry.package.to_string())
}

#[test]
fn only_the_owner_publishes_and_versions_stand() {
    let mut catalogue = Catalogue::new();
    for (stored, expected) in [
        (claim("acme", 1), "new: "),
        (claim("acme", 1), "known"),
        (claim("acme", 2), "`acme` is forked at record 0"),
        (release("acme/translator@1.0.0", SERVICE, ONE, 1), "new: acme/translator"),
        (release("acme/translator@1.0.0", SERVICE, ONE, 1), "known"),
        (release("acme/translator@1.1.0", SERVICE, ONE, 2), "`acme` belongs to did:key:"),
        (release("acme/translator@1.0.0", SERVICE, ONE, 2), "known"),
        (release("acme/translator@0.9.0", SERVICE, ONE, 1), "new: acme/translator"),
        (release("acme/translator@1.2.0", SERVICE, ONE, 1), "new: acme/translator"),
        (release("acme/translator@1.1.0", SERVICE, ONE, 1), "comes after 1.2.0 of the line 1"),
        (release("acme/translator@2.0.0", SERVICE, TWO, 1), "function `g` is new"),
        (release("acme/translator@1.2.0", "acme:other/other@1.0.0", ONE, 1), "versions never change"),
        (notice("acme/translator@1.2.0", 0, yanked(), 1), "new: acme/translator"),
        (notice("acme/translator@1.2.0", 0, yanked(), 1), "known"),
        (notice("acme/translator@1.2.0", 0, Says::Restored, 1), "`acme/translator` has another notice 0"),
        (notice("acme/translator@1.2.0", 1, yanked(), 2), "`acme` belongs to did:key:"),
        (notice("acme/translator@1", 1, yanked(), 1), "is about one version or the whole package"),
    ] {
        let told = catalogue.told(&stored);
        assert!(told.contains(expected) && (expected != "new: " || told == expected), "{expected}: {told}");
    }
    assert_eq!(resolved(&catalogue, "acme/translator@1"), "acme/translator@1.0.0");
    assert_eq!(resolved(&catalogue, "acme/translator@1.2.0"), "acme/translator@1.2.0");
    assert_eq!(resolved(&catalogue, "acme/translater"), "there is no package `acme/translater`; did you mean `acme/translator`?");
}

#[test]
fn what_comes_early_waits_and_says_for_what() {
    let claim = claim("acme", 1);
    let transfer = name("acme", Some(&claim), NameChange::Transfer { owner: key(2).public() }, 1);
    let third = name("acme", Some(&transfer), NameChange::Transfer { owner: key(3).public() }, 2);
    let mut catalogue = Catalogue::new();
    for (stored, expected) in [
        (notice("acme/translator@1.0.0", 0, yanked(), 3), "nobody has claimed the publisher's name `acme`"),
        (release_under(&third, "acme/translator@1.0.0", 3), "nobody has claimed the publisher's name `acme`"),
        (third.clone(), "of the publisher's name `acme` is needed first"),
        (transfer.clone(), "of the publisher's name `acme` is needed first"),
        (third.clone(), "of the publisher's name `acme` is needed first"),
    ] {
        let told = catalogue.told(&stored);
        assert!(told.contains(expected), "{told}");
    }
    assert_eq!(catalogue.waiting().count(), 4, "the same again waits once");
    assert_eq!(catalogue.told(&claim), "new: acme/translator");
    assert_eq!(catalogue.waiting().count(), 0);
    assert_eq!(catalogue.name("acme").unwrap().owner, key(3).public());
    let (_, _, state) = catalogue.resolve(&"acme/translator@1.0.0".parse().unwrap()).unwrap();
    assert_eq!(state.yanked.as_deref(), Some("leaks"));
    assert_eq!(
        catalogue.told(&notice("acme/other", 0, yanked(), 3)),
        "a release of `acme/other` is needed first",
        "a notice waits for its release"
    );
}

#[test]
fn what_waited_in_vain_is_reported() {
    let mut catalogue = Catalogue::new();
    let foreign = release("acme/translator@1.0.0", SERVICE, ONE, 9);
    assert!(catalogue.told(&foreign).contains("nobody has claimed"));
    let Ok(Admission::New(changes)) = catalogue.take(&claim("acme", 1), Origin::New) else { panic!("the claim is good") };
    assert!(changes.packages.is_empty());
    assert!(matches!(changes.refused.as_slice(), [(_, AdmitError::NotOwner { .. })]), "{changes:?}");
}

#[test]
fn a_former_owner_keeps_what_was_published_and_adds_nothing() {
    let claim = claim("acme", 1);
    let transfer = name("acme", Some(&claim), NameChange::Transfer { owner: key(2).public() }, 1);
    let first = release_under(&claim, "acme/translator@1.0.0", 1);
    let late = release_under(&claim, "acme/translator@1.1.0", 1);
    let forged = release_under(&transfer, "acme/translator@1.1.0", 1);
    let next = release_under(&transfer, "acme/translator@1.1.0", 2);
    let mut catalogue = Catalogue::new();
    for (stored, expected) in [
        (&claim, "new: "),
        (&first, "new: acme/translator"),
        (&transfer, "new: "),
        (&first, "known"),
        (&late, "`acme` passed from did:key:"),
        (&forged, "`acme` belongs to did:key:"),
        (&notice("acme/translator@1.0.0", 0, yanked(), 1), "`acme` passed from did:key:"),
        (&next, "new: acme/translator"),
        (&notice("acme/translator@1.0.0", 0, yanked(), 2), "new: acme/translator"),
    ] {
        let told = catalogue.told(stored);
        assert!(told.contains(expected), "{expected}: {told}");
    }
    // From a store, the old release is read though its signer has gone; a stranger's is not.
    let mut again = Catalogue::new();
    for stored in [&claim, &transfer, &first, &next] {
        assert!(matches!(again.take(stored, Origin::Stored), Ok(Admission::New(_))));
    }
    let stranger = again.take(&release("acme/translator@3.0.0", SERVICE, ONE, 9), Origin::Stored);
    assert!(matches!(stranger, Ok(Admission::Waiting(Missing::Owner { .. }))), "it may be a later owner's");
}

#[test]
fn sellers_alternatives_and_digests_are_found() {
    let mut catalogue = Catalogue::new();
    let acme = release("acme/translator@1.0.0", SERVICE, ONE, 1);
    for stored in [
        claim("acme", 1),
        claim("best", 2),
        claim("cheap", 3),
        acme.clone(),
        release("best/words@0.1.0", SERVICE, ONE, 2),
        release("best/words@0.2.0", "acme:translate/translator@1.1.0", TWO, 2),
        release("cheap/words@1.0.0", SERVICE, ONE, 3),
        release("cheap/other@1.0.0", "cheap:words/counter@1.0.0", ONE, 3),
        notice("cheap/words", 0, Says::Deprecated { message: "slow".into(), successor: Some("best/words".into()) }, 3),
    ] {
        let told = catalogue.told(&stored);
        assert!(told.starts_with("new: "), "{told}");
    }
    let sellers = |catalogue: &Catalogue, interface: &str| -> Vec<String> {
        catalogue.sellers(interface).iter().map(|seller| seller.entry.package.to_string()).collect()
    };
    assert_eq!(
        sellers(&catalogue, SERVICE),
        ["best/words@0.2.0", "acme/translator@1.0.0", "best/words@0.1.0", "cheap/words@1.0.0"]
    );
    assert_eq!(sellers(&catalogue, "acme:translate/translator@1.1.0"), ["best/words@0.2.0"]);
    let alternatives = |catalogue: &Catalogue| -> Vec<String> {
        let than = "acme/translator".parse().unwrap();
        let found = catalogue.alternatives(SERVICE, &than);
        found
            .iter()
            .map(|other| format!("{}@{} {} {}", other.package, other.version, other.interface, other.deprecated))
            .collect()
    };
    assert_eq!(
        alternatives(&catalogue),
        ["best/words@0.2.0 acme:translate/translator@1.1.0 false", "cheap/words@1.0.0 acme:translate/translator@1.0.0 true"]
    );
    assert!(catalogue.told(&notice("best/words@0.2.0", 0, yanked(), 2)).starts_with("new: "));
    assert_eq!(alternatives(&catalogue)[0], "best/words@0.1.0 acme:translate/translator@1.0.0 false");

    let Stored::Release(statement, component, _) = &acme else { panic!("it is a release") };
    let found = |digest: Digest| -> Vec<String> {
        catalogue.by_digest(digest).map(|(released, ..)| released.entry.package.to_string()).collect()
    };
    assert_eq!(found(Digest::of(statement)), ["acme/translator@1.0.0"]);
    assert_eq!(found(Digest::of(component)), ["acme/translator@1.0.0", "best/words@0.1.0", "cheap/words@1.0.0"]);
    assert_eq!(found(Digest::of(b"nothing")), <[&str; 0]>::default());
    assert_eq!(catalogue.interfaces().count(), 3);
    assert_eq!(catalogue.names_of(key(3).public()).count(), 1);
}

/// What broke buyers is not admitted; where a store holds it all the same, it is kept and not offered.
#[test]
fn a_contract_that_is_not_as_defined_is_not_offered() {
    let stored = [
        claim("acme", 1),
        claim("stranger", 2),
        release("stranger/words@1.0.0", SERVICE, OTHER, 2),
        release("acme/translator@1.0.0", SERVICE, ONE, 1),
    ];
    let mut catalogue = Catalogue::new();
    for stored in &stored {
        assert!(catalogue.told(stored).starts_with("new: "), "the owner of the namespace is not bound by strangers");
    }
    let sellers: Vec<_> = catalogue.sellers(SERVICE).iter().map(|seller| seller.entry.package.clone()).collect();
    assert_eq!(sellers.iter().map(|name| &**name).collect::<Vec<_>>(), ["acme/translator@1.0.0"]);
    assert!(catalogue.told(&release("stranger/words@1.1.0", SERVICE, OTHER, 2)).contains("publish it as"));
}

/// What stands for a package in searches follows releases and notices.
#[test]
fn search_follows_the_catalogue() {
    let mut catalogue = Catalogue::new();
    let mut search = Search::new().unwrap();
    let mut admit = |catalogue: &mut Catalogue, stored: &Stored| {
        let Ok(Admission::New(changes)) = catalogue.take(stored, Origin::New) else { panic!("all of these are good") };
        let (shown, gone): (Vec<_>, Vec<_>) = changes.packages.iter().partition(|name| catalogue.shown(name).is_some());
        let documents = shown.into_iter().map(|name| {
            let (entry, version, state) = catalogue.shown(name).unwrap();
            assert_eq!(entry.files[0].name, crate::package::files::README);
            Document::of(name, version, entry, &state, "# Translates letters")
        });
        let gone: Vec<PackageName> = gone.into_iter().cloned().collect();
        search.apply(documents, &gone).unwrap();
        let results = search.find(&Query { text: "letter".into(), limit: 5, now_ms: 9, ..Query::default() }).unwrap();
        let described = results.hits.iter().map(|hit| format!("{}@{} {}", hit.package, hit.version, hit.why.deprecated));
        described.collect::<Vec<_>>().join(", ")
    };
    for (stored, expected) in [
        (claim("acme", 1), ""),
        (release("acme/translator@1.0.0", SERVICE, ONE, 1), "acme/translator@1.0.0 false"),
        (release("acme/translator@1.1.0", SERVICE, ONE, 1), "acme/translator@1.1.0 false"),
        (notice("acme/translator@1.1.0", 0, yanked(), 1), "acme/translator@1.0.0 false"),
        (
            notice("acme/translator", 1, Says::Deprecated { message: "old".into(), successor: None }, 1),
            "acme/translator@1.0.0 true",
        ),
        (notice("acme/translator", 2, yanked(), 1), ""),
        (notice("acme/translator", 3, Says::Restored, 1), "acme/translator@1.1.0 false"),
    ] {
        assert_eq!(admit(&mut catalogue, &stored), expected);
    }
}

/// A small world whose statements are all good.
fn world() -> Vec<Stored> {
    let claim_acme = claim("acme", 1);
    let transfer = name("acme", Some(&claim_acme), NameChange::Transfer { owner: key(2).public() }, 1);
    vec![
        claim_acme.clone(),
        claim("best", 3),
        release_under(&claim_acme, "acme/translator@1.0.0", 1),
        transfer.clone(),
        release_under(&transfer, "acme/translator@1.1.0", 2),
        release("best/words@0.1.0", SERVICE, ONE, 3),
        release("best/words@0.2.0", "acme:translate/translator@1.1.0", TWO, 3),
        notice("acme/translator@1.1.0", 0, yanked(), 2),
        notice("best/words", 0, Says::Deprecated { message: "old".into(), successor: None }, 3),
    ]
}

fn described(catalogue: &Catalogue) -> Vec<String> {
    let mut lines: Vec<String> = catalogue.names().map(|state| format!("{state:?}")).collect();
    for package in catalogue.packages() {
        let history = catalogue.package(package).unwrap();
        lines.extend(history.versions().map(|(version, released, state)| {
            format!("{package}@{version} {} {state:?} {:?}", released.entry.statement, released.entry.services)
        }));
    }
    let mut sellers: Vec<String> = catalogue.sellers(SERVICE).iter().map(|seller| seller.entry.package.to_string()).collect();
    sellers.sort();
    lines.extend(sellers);
    lines
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Bytes of any kind, and good statements with a changed byte, are refused and change nothing.
    #[test]
    fn noise_is_refused(
        noise in prop::collection::vec(any::<u8>(), 0..300),
        which in 0..9usize,
        at in any::<prop::sample::Index>(),
        byte: u8,
    ) {
        let mut catalogue = Catalogue::new();
        let changed = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            let at = at.index(bytes.len());
            bytes[at] = if bytes[at] == byte { byte ^ 1 } else { byte };
            bytes
        };
        let files = Files { readme: "a".into(), license: "b".into(), wit: "c".into() };
        prop_assert!(catalogue.admit_name(&noise).is_err());
        prop_assert!(catalogue.admit_notice(&noise, Origin::Stored).is_err());
        prop_assert!(catalogue.admit_release(&noise, noise.clone(), files, Origin::Stored).is_err());
        let refused = match &world()[which] {
            Stored::Name(record) => catalogue.admit_name(&changed(record)).is_err(),
            Stored::Notice(notice) => catalogue.admit_notice(&changed(notice), Origin::Stored).is_err(),
            Stored::Release(statement, component, files) => {
                catalogue.admit_release(&changed(statement), component.clone(), files.clone(), Origin::Stored).is_err()
            }
        };
        prop_assert!(refused);
        prop_assert_eq!((catalogue.packages().count(), catalogue.names().count(), catalogue.waiting().count()), (0, 0, 0));
    }

    /// What is stored makes the same catalogue in every order, with repetitions.
    #[test]
    fn the_order_of_what_is_stored_does_not_matter(order in Just((0..9usize).collect::<Vec<_>>()).prop_shuffle(), again in 0..9usize) {
        let world = world();
        let mut in_order = Catalogue::new();
        for stored in &world {
            prop_assert!(matches!(in_order.take(stored, Origin::New), Ok(Admission::New(_))));
        }
        let mut shuffled = Catalogue::new();
        for at in order.into_iter().chain([again]) {
            prop_assert!(shuffled.take(&world[at], Origin::Stored).is_ok());
        }
        prop_assert_eq!(shuffled.waiting().count(), 0);
        prop_assert_eq!(described(&shuffled), described(&in_order));
    }
}
