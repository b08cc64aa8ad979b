//! Packages that leave one bus for an OCI registry and come into another: under their publisher's key, or not at all.
#![expect(clippy::unwrap_used, reason = "a test")]

#[allow(dead_code, clippy::allow_attributes, reason = "most of its ways to misbehave are for the tests of the registry's client")]
#[path = "../../../marketplace/registry/tests/all/server.rs"]
mod server;
mod shared;

use server::{Door, Server, Ways};
use shared::publishing::*;
use shared::town;

fn owner(shown: &str) -> String {
    serde_json::from_str::<serde_json::Value>(shown).unwrap()["owner"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_package_goes_to_another_bus_under_its_publishers_key() {
    let (ours, theirs, registry) = (town().await, town().await, Server::open().await);
    let (ann, bob) = (Person::new(&ours, "ann"), Person::new(&theirs, "bob"));
    let folder = project(ours.folder.path(), "acme/translator@1.0.0", TRANSLATOR, TRANSLATE);
    ann.succeeds(&["publish", folder.to_str().unwrap()]).await;
    let place = format!("{}/acme/translator", registry.host());
    let pushed = ann.succeeds(&["package", "push", "acme/translator", &place]).await;
    said(&pushed, &["acme/translator@1.0.0 is at", ":1.0.0@sha256:"]);

    let (reference, anns) = (format!("{place}:1.0.0"), owner(&ann.succeeds(&["--json", "name", "show", "acme"]).await));
    let refused = bob.fails(&["package", "pull", &reference]).await;
    said(&refused, &["HA0024", "nobody on this bus has claimed `acme`", &format!("--owner {anns}")]);
    bob.succeeds(&["name", "claim", "bobs"]).await;
    let bobs = owner(&bob.succeeds(&["--json", "name", "show", "bobs"]).await);
    said(&bob.fails(&["package", "pull", &reference, "--owner", &bobs]).await, &["do not use it"]);
    said(&bob.fails(&["inspect", "acme/translator"]).await, &["acme/translator"]);

    let pulled = bob.succeeds(&["package", "pull", &reference, "--owner", &anns]).await;
    said(&pulled, &["published here, as its publisher signed it", &anns, "belongs to"]);
    said(&bob.succeeds(&["inspect", "acme/translator@1"]).await, &[TRANSLATOR, "the owner of `acme`", &anns]);
    until_known(&theirs.north, "acme/translator@1.0.0").await;
    // Pulling again changes nothing, and the name is known now.
    bob.succeeds(&["package", "pull", &reference]).await;

    // Ann goes on; her next version needs no word about the key.
    std::fs::remove_dir_all(&folder).unwrap();
    let folder = project(ours.folder.path(), "acme/translator@1.1.0", TRANSLATOR, TRANSLATE);
    ann.succeeds(&["publish", folder.to_str().unwrap()]).await;
    ann.succeeds(&["package", "push", "acme/translator@1.1", &place]).await;
    bob.succeeds(&["package", "pull", &format!("{place}:1.1.0")]).await;
    // The files alone need no bus.
    let to = theirs.folder.path().join("files");
    let alone = Person { url: "nats://127.0.0.1:1".into(), ..Person::new(&theirs, "carl") };
    let kept = alone.succeeds(&["package", "pull", &reference, "--to", to.to_str().unwrap()]).await;
    said(&kept, &["acme/translator@1.0.0 is in", "nobody has compared the key"]);
    said(&alone.succeeds(&["inspect", to.to_str().unwrap()]).await, &[TRANSLATOR]);
    said(&alone.fails(&["package", "pull", &reference, "--to", to.to_str().unwrap()]).await, &["it is there already"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_of_another_is_not_taken_and_logins_are_needed() {
    let basic = "Basic YW5uYTpvcGVuOnNlc2FtZQ==".to_owned(); // anna:open:sesame
    let registry = Server::start(Ways { door: Door::Password(basic), ..Ways::default() }).await;
    let (ours, theirs) = (town().await, town().await);
    let (ann, bob) = (Person::new(&ours, "ann"), Person::new(&theirs, "bob"));
    let folder = project(ours.folder.path(), "acme/translator@1.0.0", TRANSLATOR, TRANSLATE);
    ann.succeeds(&["publish", folder.to_str().unwrap()]).await;
    let reference = format!("{}/acme/translator:1.0.0", registry.host());
    let password = ours.folder.path().join("password");
    std::fs::write(&password, "open:sesame\n").unwrap();
    let login = ["--user", "anna", "--password-file", password.to_str().unwrap()];

    let refused = ann.fails(&["package", "push", "acme/translator", &reference]).await;
    said(&refused, &["HA0025", "asks for a login"]);
    ann.succeeds(&[&["package", "push", "acme/translator", reference.as_str()][..], &login].concat()).await;

    bob.succeeds(&["name", "claim", "acme"]).await;
    let pulled = bob.fails(&[&["package", "pull", reference.as_str()][..], &login].concat()).await;
    said(&pulled, &["HA0024", "two publishers of one name", "--to FOLDER"]);
    said(&bob.fails(&["inspect", "acme/translator"]).await, &["acme/translator"]);
    said(&ann.fails(&["package", "push", "acme/translator", "acme/translator"]).await, &["names no registry"]);
    said(&ann.fails(&["package", "push", "acme/nothing", &reference]).await, &["acme/nothing"]);
    let nobody = "127.0.0.1:1/acme/translator:1.0.0";
    said(&bob.fails(&["package", "pull", nobody]).await, &["HA0025", "cannot reach `127.0.0.1:1`"]);
}
