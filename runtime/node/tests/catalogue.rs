//! Publishing, finding, yanking: releases on the bus, the same for every node, there as a whole or not at all.
#![expect(clippy::unwrap_used, reason = "a test")]

mod shared;

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use hansa_bus::{Bus, BusOptions};
use hansa_economy::Amount;
use hansa_node::agent::Wanted;
use hansa_node::ambient;
use hansa_node::catalogue::{CatalogueError, CatalogueLink, PACKAGES};
use shared::process::{Dice, Process};
use shared::publishing::*;
use shared::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn published_found_inspected_deployed_and_yanked() {
    let town = town().await;
    let (ann, bob) = (Person::new(&town, "ann"), Person::new(&town, "bob"));
    let folder = project(town.folder.path(), "acme/translator@1.0.0", TRANSLATOR, TRANSLATE);
    let published = ann.succeeds(&["publish", folder.to_str().unwrap()]).await;
    said(&published, &["acme/translator@1.0.0 is published", TRANSLATOR]);
    // The same again is no error: whoever was interrupted repeats it.
    ann.succeeds(&["publish", folder.to_str().unwrap()]).await;

    let found = bob.succeeds(&["service", "search", "whale", "--why"]).await;
    said(&found, &["offered by nobody now", "acme/translator@1.0.0", "in the readme"]);
    let seen = bob.succeeds(&["inspect", "acme/translator@1", "--wit"]).await;
    said(
        &seen,
        &[TRANSLATOR, "translate: async func(text: string)", "[0.001000]", "the owner of `acme`", "interface translator"],
    );
    let name = bob.succeeds(&["name", "show", "acme"]).await;
    said(&name, &["did:key:", "second key none"]);

    // Another node runs it under the publisher's signature.
    let south = town.node("south").await;
    until_known(&south, "acme/translator@1.0.0").await;
    let offered = bob.succeeds(&["service", "search", "translator", "--label", "region=eu", "--max-price", "0.001"]).await;
    said(&offered, &["translate", "0.001", "acme/translator@1.0.0", "south"]);
    let compared = bob.succeeds(&["service", "compare", "acme:translate/translator"]).await;
    said(&compared, &["south", "PUBLISHED", "yes", "none"]);

    let yanked = ann.succeeds(&["yank", "acme/translator@1.0.0", "--reason", "drops a word"]).await;
    said(&yanked, &["is yanked"]);
    let error = bob.fails(&["inspect", "acme/translator"]).await;
    said(&error, &["yanked", "drops a word"]);
    said(&bob.succeeds(&["inspect", "acme/translator@1.0.0"]).await, &["YANKED", "drops a word"]);
    assert!(
        south.deploy_published("acme/translator@1.0.0", Wanted::default()).await.is_ok(),
        "whoever named exactly this version can run it"
    );
    assert!(south.deploy_published("acme/translator", Wanted::default()).await.is_err());
    ann.succeeds(&["restore", "acme/translator@1.0.0"]).await;
    ann.succeeds(&["deprecate", "acme/translator", "--message", "no longer kept up", "--instead", "acme/next"]).await;
    said(&bob.succeeds(&["inspect", "acme/translator"]).await, &["DEPRECATED", "no longer kept up", "use acme/next"]);
    south.stop().await;
}

/// It got the key, the account and the state of the one before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_package_that_is_called_like_another_publishers_agent_gets_nothing_of_it() {
    let town = town().await;
    let (ann, eve) = (Person::new(&town, "ann"), Person::new(&town, "eve"));
    for (person, package) in [(&ann, "acme/translator@1.0.0"), (&eve, "evil/translator@1.0.0")] {
        person.succeeds(&["publish", project(town.folder.path(), package, TRANSLATOR, TRANSLATE).to_str().unwrap()]).await;
    }
    let keys = async || -> Vec<_> { town.north.agents().await.values().map(hansa_node::agent::Deployed::agent).collect() };
    until_known(&town.north, "acme/translator").await;
    let acme = keys().await;
    let error = loop {
        let error = town.north.deploy_published("evil/translator", Wanted::default()).await.unwrap_err().to_string();
        if !error.contains("HA0024") {
            break error;
        }
    };
    said(&error, &["HA0026", "`translator` on this node is `acme/translator`", "--as NAME"]);
    town.north.stop_agent("translator").await.unwrap();
    assert!(
        town.north.deploy_published("evil/translator", Wanted::default()).await.is_err(),
        "what is stopped keeps what it has"
    );
    let named = |name: &str| Wanted { name: Some(name.into()), ..Wanted::default() };
    assert!(town.north.deploy_published("evil/translator", named("../x")).await.unwrap_err().to_string().contains("no name"));
    town.north.deploy_published("evil/translator", named("other")).await.unwrap();
    assert_ne!(keys().await, acme);
    town.north.deploy_published("acme/translator", Wanted::default()).await.unwrap();
    assert!(keys().await.contains(&acme[0]), "its own key again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_must_not_be_published_is_refused_in_words() {
    let town = town().await;
    let (ann, bob) = (Person::new(&town, "ann"), Person::new(&town, "bob"));
    let at = |package: &str, service: &str, lines: &str| {
        project(town.folder.path(), package, service, lines).to_str().unwrap().to_owned()
    };
    ann.succeeds(&["publish", &at("acme/translator@1.1.0", TRANSLATOR, TRANSLATE)]).await;

    let error = bob.fails(&["publish", &at("acme/other@1.0.0", "acme:other/other@1.0.0", TRANSLATE)]).await;
    said(&error, &["HA0024", "`acme` belongs to did:key:", "your key is did:key:", "name of your own"]);
    let error = bob.fails(&["yank", "acme/translator", "--reason", "mine now"]).await;
    said(&error, &["HA0024", "belongs to"]);
    let error = bob.fails(&["name", "claim", "acme"]).await;
    said(&error, &["acme", "owner"]);

    // A function gone, a type changed: the interface says 1.x and is not.
    let broken = "translate: async func(text: string, to: string) -> result<string, fault>;";
    let error = ann.fails(&["publish", &at("acme/translator@1.2.0", "acme:translate/translator@1.0.1", broken)]).await;
    said(&error, &["HA0024", "`translate`", "func(text: string)", "func(text: string, to: string)", "2.0.0"]);
    let gone = "shout: async func(text: string) -> result<string, fault>;";
    let error = ann.fails(&["publish", &at("acme/translator@1.2.1", "acme:translate/translator@1.0.1", gone)]).await;
    said(&error, &["function `translate` is missing"]);

    let error = ann.fails(&["publish", &at("acme/translator@1.0.5", TRANSLATOR, TRANSLATE)]).await;
    said(&error, &["comes after 1.1.0", "above 1.1.0"]);
    let changed = at("acme/translator@1.1.0", TRANSLATOR, TRANSLATE);
    std::fs::write(Path::new(&changed).join("README.md"), "another text").unwrap();
    said(&ann.fails(&["publish", &changed]).await, &["versions never change"]);

    let folder = at("acme/bare@1.0.0", "acme:bare/bare@1.0.0", TRANSLATE);
    std::fs::remove_file(Path::new(&folder).join("README.md")).unwrap();
    said(&ann.fails(&["publish", &folder]).await, &["README.md", "buyers read it"]);
    std::fs::write(Path::new(&folder).join("README.md"), "# bare").unwrap();
    std::fs::write(Path::new(&folder).join("component.wasm"), b"\0asm\x01\0\0\0").unwrap();
    said(&ann.fails(&["publish", &folder]).await, &["HA0024", "no WebAssembly component"]);
    said(&bob.fails(&["inspect", "acme/translater"]).await, &["acme/translater", "did you mean `acme/translator`?"]);
    said(&bob.fails(&["agent", "deploy", "acme/nothing"]).await, &["HA0017"]);
    said(&bob.fails(&["inspect", "nothing"]).await, &["there is no `nothing`"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_passes_on_and_is_recovered() {
    let town = town().await;
    let [ann, bob, safe] = ["ann", "bob", "safe"].map(|name| Person::new(&town, name));
    let key = async |person: &Person, name: &str| {
        person.succeeds(&["name", "claim", name]).await;
        let shown = person.succeeds(&["--json", "name", "show", name]).await;
        serde_json::from_str::<serde_json::Value>(&shown).unwrap()["owner"].as_str().unwrap().to_owned()
    };
    let (bobs, safes) = (key(&bob, "bobs-own").await, key(&safe, "safe-own").await);
    ann.succeeds(&["name", "claim", "acme"]).await;
    said(&bob.fails(&["name", "recover", "acme", "--owner", &bobs]).await, &["no second key"]);
    ann.succeeds(&["name", "recovery", "acme", "--key", &safes]).await;
    said(&bob.fails(&["name", "transfer", "acme", "--to", &bobs]).await, &["must be signed by the owner"]);
    // Ann's key is lost.
    safe.succeeds(&["name", "recover", "acme", "--owner", &bobs]).await;
    said(&ann.fails(&["name", "transfer", "acme", "--to", &safes]).await, &["must be signed by the owner"]);
    let folder = project(town.folder.path(), "acme/translator@1.0.0", TRANSLATOR, TRANSLATE);
    bob.succeeds(&["publish", folder.to_str().unwrap()]).await;
    said(&ann.fails(&["publish", folder.to_str().unwrap()]).await, &["belongs to"]);
}

/// A publisher who is killed after the claim has the name and no release; publishing again comes to the same as without.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_release_names_the_claim_under_which_it_was_signed() {
    let town = town().await;
    let (ann, bob) = (Person::new(&town, "ann"), Person::new(&town, "bob"));
    bob.succeeds(&["name", "claim", "bobs"]).await;
    let catalogue = link(&town.server.url()).await;
    for (person, publisher) in [(&ann, "acme"), (&bob, "bobs")] {
        let (package, service) = (format!("{publisher}/translator@1.0.0"), format!("{publisher}:translate/translator@1.0.0"));
        assert!(catalogue.package(&package).await.is_err());
        let folder = project(town.folder.path(), &package, &service, TRANSLATE);
        person.succeeds(&["publish", folder.to_str().unwrap()]).await;
        let view = catalogue.package(&package).await.unwrap();
        let under = catalogue.fetch(&view).await.unwrap().release.statement.body.name_record;
        assert!(under.is_some(), "{package}");
        assert_eq!(under, view.name.map(|name| name.head), "{package}");
    }
}

/// Whoever may publish on the bus may put anything into the store, also under a digest that is taken.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_something_else_in_the_store_is_told_and_put_right() {
    let town = town().await;
    let ann = Person::new(&town, "ann");
    let folder = project(town.folder.path(), "acme/translator@1.0.0", TRANSLATOR, TRANSLATE);
    ann.succeeds(&["publish", folder.to_str().unwrap()]).await;
    let catalogue = link(&town.server.url()).await;
    let view = catalogue.package("acme/translator").await.unwrap();
    let body = catalogue.fetch(&view).await.unwrap().release.statement.body;
    let readme = body.files.unwrap()[0].digest;
    let store = Bus::connect(BusOptions::at(town.server.url())).await.unwrap().objects(PACKAGES).unwrap();
    for digest in [body.component, readme] {
        for planted in [b"something else".to_vec(), vec![0; 1 << 20]] {
            store.put(&digest.to_string(), &planted).await.unwrap();
            let error = catalogue.fetch(&view).await.err().unwrap().to_string();
            said(&error, &["the store holds something else", &digest.to_string(), "publish or deploy the package again"]);
            ann.succeeds(&["publish", folder.to_str().unwrap()]).await;
            assert!(catalogue.fetch(&view).await.is_ok());
        }
    }
}

/// The node that keeps the catalogue, or whoever publishes, is killed at any moment: a version is there as a whole, or not at all, and
/// what was said to be published stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_publishing_leaves_a_whole_version_or_none() {
    let seed = std::env::var("HANSA_TEST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(ambient::now_ns);
    println!("HANSA_TEST_SEED={seed}");
    let mut dice = Dice(seed | 1);
    let (server, folder) = (hansa_bus::testing::server().await, tempfile::tempdir().unwrap());
    let mut north = Process::new("north", folder.path(), &server.url(), true);
    north.start().await;
    let ann = Person { home: folder.path().join("ann"), url: server.url() };
    ann.succeeds(&["name", "claim", "acme"]).await;
    let catalogue = link(&server.url()).await;
    let until = Instant::now() + Duration::from_secs(25);
    let (mut whole, mut none) = (0, 0);
    for version in 0..8 {
        if Instant::now() > until {
            break;
        }
        let package = format!("acme/translator@1.0.{version}");
        let folder = project(folder.path(), &package, TRANSLATOR, TRANSLATE);
        let mut publisher = ann.command(&["publish", folder.to_str().unwrap()]);
        let mut publisher = publisher.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(dice.below(120))).await;
        let spared = version % 2 == 0;
        match spared {
            true => north.kill(),
            false => publisher.kill().unwrap(),
        }
        let said_so = tokio::task::spawn_blocking(move || publisher.wait().unwrap().success()).await.unwrap();
        if spared {
            north.start().await;
        }
        match is_whole(&catalogue, &package).await {
            true => whole += 1,
            false => {
                assert!(!said_so, "{package} was published and is gone");
                none += 1;
            }
        }
        ann.succeeds(&["publish", folder.to_str().unwrap()]).await;
        assert!(is_whole(&catalogue, &package).await, "what was interrupted can be repeated");
    }
    println!("{whole} whole, {none} none");
    assert!(whole + none > 0);
}

/// Is the version there? Then with everything, or the test fails.
async fn is_whole(catalogue: &CatalogueLink, package: &str) -> bool {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match catalogue.package(package).await {
            Ok(view) => {
                let fetched = catalogue.fetch(&view).await.unwrap();
                assert_eq!(fetched.release.package(), package);
                return true;
            }
            Err(CatalogueError::Nothing(_)) => return false,
            // The node has just started.
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prices_are_asked_for_before_a_call() {
    let town = town().await;
    town.north.deploy(&greeter("fixture/greeter", "0.001"), component("fixture-greeter")).await.unwrap();
    let bob = Person::new(&town, "bob");
    let quoted = bob.succeeds(&["service", "quote", GREETER, "echo-bytes", "[\"aGVsbG8=\"]"]).await;
    said(&quoted, &["AT MOST", "0.001", "by its offer", "fixture/greeter@1.0.0"]);
    let client = town.client("bob", Amount::credits(1)).await;
    assert_eq!(client.balance().await.unwrap(), Amount::credits(1), "asking costs nothing");
}
