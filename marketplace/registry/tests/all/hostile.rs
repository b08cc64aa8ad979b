//! Registries that lose, change or swap what they keep, or answer what they should not.

use bytes::Bytes;
use hansa_catalogue::limits::COMPONENT_BYTES_MAX;
use hansa_catalogue::names::NameChange;
use hansa_catalogue::package::{PackageError, PackageStatement, ReleaseError};
use hansa_economy::{Keypair, Signed};
use hansa_registry::{Login, NameProblem, Parcel, PullError, PushError, RemoteError, layout, unwatched};
use serde_json::{Value, json};

use crate::release::{assert_same, at, chain, client, pull, push, release};
use crate::server::{Fault, Server, Store, Ways, sha256};

const REPOSITORY: &str = "acme/translator";

fn key(which: &str) -> (String, String) {
    (REPOSITORY.to_owned(), which.to_owned())
}

/// Put a manifest under a tag, past all checks.
fn plant(store: &mut Store, tag: &str, media_type: &str, manifest: &Value) {
    let bytes = Bytes::from(manifest.to_string());
    store.tags.insert(key(tag), sha256(&bytes));
    store.manifests.insert(key(&sha256(&bytes)), (media_type.to_owned(), bytes));
}

fn plant_blob(store: &mut Store, bytes: &[u8]) -> String {
    store.blobs.insert(key(&sha256(bytes)), Bytes::copy_from_slice(bytes));
    sha256(bytes)
}

fn main_manifest(store: &Store) -> Value {
    serde_json::from_slice(&store.manifests[&key(&store.tags[&key("1.0.0")])].1).unwrap()
}

/// The blobs of a release that a pull needs, by name.
fn parts(ours: &Parcel) -> [(&'static str, String); 6] {
    let files = &ours.release.files;
    [
        ("component", sha256(&ours.component)),
        ("statement", sha256(ours.release.statement.bytes())),
        ("README.md", sha256(files.readme.as_bytes())),
        ("LICENSE", sha256(files.license.as_bytes())),
        ("package.wit", sha256(files.wit.as_bytes())),
        ("publisher's name", sha256(&name_blob(ours))),
    ]
}

#[tokio::test]
async fn a_part_that_was_changed_is_refused() {
    let ours = release("1.0.0", 0, 1);
    for (name, digest) in parts(&ours) {
        let server = Server::open().await;
        push(&server, "1.0.0", &ours).await.unwrap();
        let mut bytes = server.kept().blobs[&key(&digest)].to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        server.kept().blobs.insert(key(&digest), bytes.clone().into());
        let error = pull(&server, "1.0.0").await.unwrap_err();
        let PullError::Changed { part, expected, found, .. } = &error else { panic!("{name}: {error}") };
        assert_eq!((*part, format!("sha256:{expected}"), format!("sha256:{found}")), (name, digest, sha256(&bytes)));
        assert!(error.to_string().contains("do not use this registry"), "{error}");
    }
}

#[tokio::test]
async fn a_part_that_was_lost_is_told_by_name() {
    let ours = release("1.0.0", 0, 1);
    for (name, digest) in parts(&ours) {
        let server = Server::open().await;
        push(&server, "1.0.0", &ours).await.unwrap();
        server.kept().blobs.remove(&key(&digest)).unwrap();
        let error = pull(&server, "1.0.0").await.unwrap_err();
        assert!(matches!(&error, PullError::Missing { part, .. } if *part == name), "{name}: {error}");
        assert!(error.to_string().contains("push it again"), "{error}");
        // Pushing it again heals it, even though the manifest is there.
        push(&server, "1.0.0", &ours).await.unwrap();
        pull(&server, "1.0.0").await.unwrap();
    }
}

#[tokio::test]
async fn a_swapped_component_is_refused_before_it_is_brought() {
    let server = Server::open().await;
    push(&server, "1.0.0", &release("1.0.0", 0, 1)).await.unwrap();
    let other = release("1.0.0", 100, 1).component;
    let mut manifest = main_manifest(&server.kept());
    let digest = plant_blob(&mut server.kept(), &other);
    manifest["layers"][0]["digest"] = digest.clone().into();
    manifest["layers"][0]["size"] = other.len().into();
    plant(&mut server.kept(), "1.0.0", layout::MANIFEST, &manifest);
    let error = pull(&server, "1.0.0").await.unwrap_err();
    let PullError::Release { problem: ReleaseError::Package(PackageError::Component { found, .. }), .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(format!("sha256:{found}"), digest);
    assert!(!server.kept().log.iter().any(|(request, _)| request.ends_with(&digest)), "it was not fetched");
}

#[tokio::test]
async fn a_statement_of_a_broken_signature_is_refused() {
    let server = Server::open().await;
    let ours = release("1.0.0", 0, 1);
    push(&server, "1.0.0", &ours).await.unwrap();
    let mut statement = ours.release.statement.bytes().to_vec();
    *statement.last_mut().unwrap() ^= 1;
    let mut manifest = main_manifest(&server.kept());
    manifest["annotations"][layout::STATEMENT] = plant_blob(&mut server.kept(), &statement).into();
    plant(&mut server.kept(), "1.0.0", layout::MANIFEST, &manifest);
    let error = pull(&server, "1.0.0").await.unwrap_err();
    assert!(matches!(&error, PullError::Release { problem: ReleaseError::Package(PackageError::Statement(_)), .. }), "{error}");
}

/// A package that was deployed, whose statement names no files.
#[tokio::test]
async fn a_statement_that_was_never_published_is_refused() {
    let server = Server::open().await;
    let ours = release("1.0.0", 0, 1);
    push(&server, "1.0.0", &ours).await.unwrap();
    let key = Keypair::from_seed(&[1; 32]);
    let package = hansa_catalogue::Package::sign(&ours.release.statement.body.manifest, ours.component.clone(), &key).unwrap();
    let mut manifest = main_manifest(&server.kept());
    manifest["annotations"][layout::STATEMENT] = plant_blob(&mut server.kept(), package.statement.bytes()).into();
    plant(&mut server.kept(), "1.0.0", layout::MANIFEST, &manifest);
    let error = pull(&server, "1.0.0").await.unwrap_err();
    assert!(matches!(&error, PullError::Release { problem: ReleaseError::NotPublished(..), .. }), "{error}");
}

#[tokio::test]
async fn what_is_no_hansa_package_is_told_apart() {
    let server = Server::open().await;
    let component = release("1.0.0", 0, 1).component;
    let layer = |media_type: &str, bytes: &[u8]| json!({ "mediaType": media_type, "digest": sha256(bytes), "size": bytes.len() });
    let manifest = |config: &str, layers: Vec<Value>| json!({ "schemaVersion": 2, "mediaType": layout::MANIFEST, "config": layer(config, b"{}"), "layers": layers });
    let wasm = || layer(layout::WASM, &component);
    let image = "application/vnd.oci.image.config.v1+json";
    let cases = [
        ("plain", manifest(layout::WASM_CONFIG, vec![wasm()])),
        ("image", manifest(image, vec![layer("application/vnd.oci.image.layer.v1.tar+gzip", b"x")])),
        ("two", manifest(layout::WASM_CONFIG, vec![wasm(), wasm()])),
        ("list", json!({ "schemaVersion": 2, "mediaType": layout::INDEX, "manifests": [] })),
        ("nonsense", json!(["manifest"])),
    ];
    for (tag, manifest) in &cases {
        plant(&mut server.kept(), tag, layout::MANIFEST, manifest);
    }
    let error = pull(&server, "plain").await.unwrap_err();
    assert!(matches!(error, PullError::NotHansa(_)), "{error}");
    assert!(error.to_string().contains("no Hansa package"), "{error}");
    for (tag, words) in [("image", image), ("two", "2 layers"), ("list", "a list of images"), ("nonsense", "no manifest")] {
        let error = pull(&server, tag).await.unwrap_err();
        assert!(matches!(&error, PullError::NotWasm { found, .. } if found.contains(words)), "{tag}: {error}");
    }
    let error = pull(&server, "0.0.7").await.unwrap_err();
    assert!(matches!(error, PullError::Unknown(_)) && error.to_string().contains("check name and tag"), "{error}");
}

/// Clears the screen, sets the window's title, turns text round, and goes on for long.
fn spiteful() -> String {
    format!("\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}1m\u{202e}\n{}", "x".repeat(10_000))
}

fn assert_harmless(error: &PullError) {
    let text = error.to_string();
    let moves = |letter: char| letter.is_control() || letter == '\u{202e}';
    assert!(!text.contains(moves) && text.contains(r"\u{1b}[2J") && text.len() < 2500, "{text:?}");
}

#[tokio::test]
async fn words_of_a_registry_do_nothing_to_a_terminal() {
    let server = Server::open().await;
    push(&server, "1.0.0", &release("1.0.0", 0, 1)).await.unwrap();
    let good = main_manifest(&server.kept());
    for place in ["/config/mediaType", "/layers/0/mediaType", "/layers/0/digest"] {
        let mut manifest = good.clone();
        *manifest.pointer_mut(place).unwrap() = spiteful().into();
        plant(&mut server.kept(), "spiteful", layout::MANIFEST, &manifest);
        let error = pull(&server, "spiteful").await.unwrap_err();
        assert!(matches!(&error, PullError::NotWasm { .. }), "{error}");
        assert_harmless(&error);
    }
}

#[tokio::test]
async fn words_of_a_publisher_do_nothing_to_a_terminal() {
    let server = Server::open().await;
    let ours = release("1.0.0", 0, 1);
    push(&server, "1.0.0", &ours).await.unwrap();
    let good = ours.release.statement.body;
    // A text in JSON is one in toml too.
    let odd_key = format!("{} = 1\n{}", json!(spiteful()), good.manifest);
    for body in [
        PackageStatement { package: spiteful(), files: None, ..good.clone() },
        PackageStatement { package: spiteful(), ..good.clone() },
        PackageStatement { manifest: odd_key, ..good.clone() },
    ] {
        let statement = Signed::new(body, &Keypair::from_seed(&[1; 32]));
        let mut manifest = main_manifest(&server.kept());
        manifest["annotations"][layout::STATEMENT] = plant_blob(&mut server.kept(), statement.bytes()).into();
        plant(&mut server.kept(), "spiteful", layout::MANIFEST, &manifest);
        let error = pull(&server, "spiteful").await.unwrap_err();
        assert!(matches!(&error, PullError::Release { .. }), "{error}");
        assert_harmless(&error);
    }
}

#[tokio::test]
async fn what_is_too_large_is_refused_before_it_is_brought() {
    let server = Server::open().await;
    push(&server, "1.0.0", &release("1.0.0", 0, 1)).await.unwrap();
    let mut manifest = main_manifest(&server.kept());
    manifest["layers"][0]["size"] = (COMPONENT_BYTES_MAX + 1).into();
    plant(&mut server.kept(), "large", layout::MANIFEST, &manifest);
    let error = pull(&server, "large").await.unwrap_err();
    assert!(matches!(error, PullError::TooLong { part: "component", .. }), "{error}");
    // A length that is allowed, and not the one that was signed.
    manifest["layers"][0]["size"] = COMPONENT_BYTES_MAX.into();
    plant(&mut server.kept(), "other", layout::MANIFEST, &manifest);
    let error = pull(&server, "other").await.unwrap_err();
    assert!(matches!(&error, PullError::Release { problem: ReleaseError::Package(PackageError::Length { .. }), .. }), "{error}");
}

#[tokio::test]
async fn a_manifest_of_another_digest_than_was_asked_for_is_refused() {
    let server = Server::open().await;
    let pushed = push(&server, "1.0.0", &release("1.0.0", 0, 1)).await.unwrap();
    let other = push(&server, "1.0.1", &release("1.0.1", 0, 1)).await.unwrap();
    let swapped = server.kept().manifests[&key(&format!("sha256:{}", other.manifest))].clone();
    server.kept().manifests.insert(key(&format!("sha256:{}", pushed.manifest)), swapped);
    let error = client().pull(&pushed.reference, &Login::Anonymous, &unwatched()).await.unwrap_err();
    assert!(matches!(error, PullError::Changed { part: "manifest", .. }), "{error}");
}

#[tokio::test]
async fn another_component_than_was_signed_is_not_pushed() {
    let server = Server::open().await;
    let other = Parcel { component: b"x".to_vec(), ..release("1.0.0", 0, 1) };
    let error = client().push(&at(&server, "1"), &other, &Login::Anonymous, &unwatched()).await.unwrap_err();
    assert!(matches!(error, PushError::Component { .. }), "{error}");
    assert!(server.kept().log.is_empty());
}

/// The records of the publisher's name as they go into the registry.
fn name_blob(ours: &Parcel) -> Vec<u8> {
    let records = ours.name.as_ref().unwrap().records().iter();
    minicbor::to_vec(records.map(|record| record.bytes().to_vec().into()).collect::<Vec<minicbor::bytes::ByteVec>>()).unwrap()
}

#[tokio::test]
async fn records_of_another_name_or_of_a_broken_chain_are_refused() {
    let server = Server::open().await;
    let ours = release("1.0.0", 0, 1);
    push(&server, "1.0.0", &ours).await.unwrap();
    let key = Keypair::from_seed(&[1; 32]);
    let other = chain("other", NameChange::Claim { owner: key.public(), recovery: None }, &key);
    let other = name_blob(&Parcel { name: Some(other), ..ours.clone() });
    let mut forged = name_blob(&ours);
    *forged.last_mut().unwrap() ^= 1;
    for (blob, words) in
        [(other, "about `other`"), (forged, "not valid"), (b"x".to_vec(), "no list of records"), (vec![0x80], "there is none")]
    {
        let mut manifest = main_manifest(&server.kept());
        manifest["annotations"][layout::NAME] = plant_blob(&mut server.kept(), &blob).into();
        plant(&mut server.kept(), "changed", layout::MANIFEST, &manifest);
        let error = pull(&server, "changed").await.unwrap_err();
        assert!(matches!(&error, PullError::Name { problem, .. } if !matches!(problem, NameProblem::TooLong(_))), "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    // Without records it is a package still.
    let bare = Parcel { name: None, ..ours };
    push(&server, "bare", &bare).await.unwrap();
    assert_same(&pull(&server, "bare").await.unwrap(), &bare);
}

/// The same content behind a registry that has `fault`, pulled.
async fn pulled_with(fault: Fault) -> RemoteError {
    let healthy = Server::open().await;
    push(&healthy, "1.0.0", &release("1.0.0", 0, 1)).await.unwrap();
    let server = Server::over(healthy.store.clone(), |_| Ways { fault: Some(fault), ..Ways::default() }).await;
    match pull(&server, "1.0.0").await {
        Err(PullError::Remote(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn answers_without_an_end_or_a_beginning_are_given_up() {
    let error = pulled_with(Fault::Endless).await;
    assert!(matches!(&error, RemoteError::TooLong { what, .. } if what == "statement"), "{error}");
    let error = pulled_with(Fault::LongManifest).await;
    assert!(matches!(&error, RemoteError::TooLong { what, .. } if what == "the manifest"), "{error}");
    let error = pulled_with(Fault::Stuck).await;
    assert!(matches!(&error, RemoteError::TooSlow { what, .. } if what == "statement"), "{error}");
    let error = pulled_with(Fault::Silent).await;
    assert!(matches!(&error, RemoteError::TooSlow { .. }), "{error}");
    let error = pulled_with(Fault::TooMany).await;
    assert!(matches!(&error, RemoteError::TooMany(_)), "{error}");
    let error = pulled_with(Fault::Round).await;
    assert!(matches!(&error, RemoteError::Unfit { problem, .. } if problem.contains("redirects")), "{error}");
}

#[tokio::test]
async fn pushing_to_what_is_no_registry_is_told() {
    for (fault, words) in [(Fault::NoLocation, "does not say where"), (Fault::OtherDigest, "it stored")] {
        let server = Server::start(Ways { fault: Some(fault), ..Ways::default() }).await;
        let error = push(&server, "1.0.0", &release("1.0.0", 0, 1)).await.unwrap_err();
        assert!(matches!(error, PushError::Remote(RemoteError::Unfit { .. })), "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}
