//! What goes over the wire when all is well: the same bytes come back, nothing is sent twice, other tools see a component.

use std::sync::{Arc, Mutex};

use hansa_registry::{Direction, Login, Progress, PullError, PushError, Watcher, layout, unwatched};
use serde_json::Value;

use crate::release::{assert_same, at, client, pull, push, release};
use crate::server::{Server, Ways, sha256};

/// Large enough that no socket holds all of it.
const LARGE_BYTES: usize = 24 << 20;

#[tokio::test]
async fn what_is_pushed_comes_back_in_the_same_bytes() {
    let server = Server::open().await;
    let ours = release("1.2.3", 0, 1);
    let pushed = push(&server, "1.2.3", &ours).await.unwrap();
    assert_eq!(pushed.replaced, None);
    assert_same(&pull(&server, "1.2.3").await.unwrap(), &ours);
    // By digest it is the same, whatever the tag says later.
    let other = release("1.2.4", 0, 1);
    let replaced = push(&server, "1.2.3", &other).await.unwrap().replaced;
    assert_eq!(replaced, Some(pushed.manifest));
    assert_same(&client().pull(&pushed.reference, &Login::Anonymous, &unwatched()).await.unwrap(), &ours);
    assert_same(&pull(&server, "1.2.3").await.unwrap(), &other);
}

#[tokio::test]
async fn the_version_is_the_tag_where_none_is_named() {
    let server = Server::open().await;
    let ours = release("0.9.1", 0, 1);
    let reference = format!("oci://{}/acme/translator", server.host()).parse().unwrap();
    let pushed = client().push(&reference, &ours, &Login::Anonymous, &unwatched()).await.unwrap();
    assert_eq!(pushed.reference.tag.as_deref(), Some("0.9.1"));
    let error = client().pull(&reference, &Login::Anonymous, &unwatched()).await.unwrap_err();
    assert!(matches!(error, PullError::NoVersion(_)), "{error}");
    let error = client().push(&pushed.reference, &ours, &Login::Anonymous, &unwatched()).await.unwrap_err();
    assert!(matches!(error, PushError::Pinned(_)), "{error}");
}

#[tokio::test]
async fn pushing_again_sends_nothing() {
    let server = Server::open().await;
    let ours = release("1.0.0", 0, 1);
    let first = push(&server, "1.0.0", &ours).await.unwrap();
    assert!(first.sent_bytes > ours.component.len() as u64);
    let stored = server.kept().manifests.clone();
    let seen = server.kept().log.len();
    let second = push(&server, "1.0.0", &ours).await.unwrap();
    assert_eq!((second.sent_bytes, second.manifest, second.replaced), (0, first.manifest, None));
    let kept = server.kept();
    assert_eq!(kept.manifests, stored);
    let asked: Vec<&String> = kept.log[seen..].iter().map(|(request, _)| request).collect();
    assert!(asked.iter().all(|request| request.starts_with("GET ") || request.starts_with("HEAD ")), "{asked:?}");
}

#[tokio::test]
async fn a_second_release_sends_what_is_new() {
    let server = Server::open().await;
    push(&server, "1.0.0", &release("1.0.0", 1 << 20, 1)).await.unwrap();
    let second = push(&server, "1.0.1", &release("1.0.1", 1 << 20, 1)).await.unwrap();
    assert!(second.sent_bytes < 10_000, "{} bytes, though the component was there", second.sent_bytes);
    assert_same(&pull(&server, "1.0.0").await.unwrap(), &release("1.0.0", 1 << 20, 1));
}

/// A registry that cleaned up too much gets all of it again.
#[tokio::test]
async fn a_lost_attachment_is_pushed_again() {
    let server = Server::open().await;
    let pushed = push(&server, "1.0.0", &release("1.0.0", 0, 1)).await.unwrap();
    let key = ("acme/translator".to_owned(), format!("sha256:{}", pushed.attachment));
    server.kept().manifests.remove(&key).unwrap();
    push(&server, "1.0.0", &release("1.0.0", 0, 1)).await.unwrap();
    assert!(server.kept().manifests.contains_key(&key));
}

/// What `wkg` and others on `oci-wasm` ask of an artifact: this config, exactly one layer, of this type.
#[tokio::test]
async fn other_tools_see_a_wasm_artifact_of_one_layer() {
    let server = Server::open().await;
    let ours = release("1.0.0", 0, 1);
    let component = ours.component.clone();
    let pushed = push(&server, "1.0.0", &ours).await.unwrap();
    let kept = server.kept();
    let read = |digest: &str| -> Value {
        let key = ("acme/translator".to_owned(), digest.to_owned());
        let bytes = kept.manifests.get(&key).map(|(_, bytes)| bytes).or(kept.blobs.get(&key));
        serde_json::from_slice(bytes.unwrap()).unwrap()
    };
    let main = read(&format!("sha256:{}", pushed.manifest));
    assert_eq!(main["config"]["mediaType"], "application/vnd.wasm.config.v0+json");
    assert_eq!(main["layers"].as_array().unwrap().len(), 1);
    assert_eq!(main["layers"][0]["mediaType"], "application/wasm");
    assert_eq!(main["layers"][0]["digest"], sha256(&component));
    assert_eq!(main["layers"][0]["size"], component.len());
    assert_eq!(main["annotations"]["org.opencontainers.image.version"], "1.0.0");
    assert_eq!(main["annotations"][layout::STATEMENT], sha256(ours.release.statement.bytes()));
    let config = read(main["config"]["digest"].as_str().unwrap());
    assert_eq!((&config["architecture"], &config["os"]), (&"wasm".into(), &"wasip2".into()));
    assert_eq!(config["created"], "2023-11-14T22:13:20.123Z");
    assert_eq!(config["layerDigests"], Value::from(vec![sha256(&component)]));
    assert_eq!(config["component"]["exports"], Value::from(vec!["acme:translate/translator@1.0.0"]));
    assert!(config["component"]["imports"].as_array().unwrap().contains(&"hansa:service/types@0.1.0".into()));
    let attachment = read(&format!("sha256:{}", pushed.attachment));
    assert_eq!(attachment["artifactType"], layout::ATTACHMENT);
    assert_eq!(attachment["subject"]["digest"], format!("sha256:{}", pushed.manifest));
    let titles: Vec<&Value> =
        attachment["layers"].as_array().unwrap().iter().map(|l| &l["annotations"]["org.opencontainers.image.title"]).collect();
    assert_eq!(titles, ["statement.cose", "README.md", "LICENSE", "package.wit", "name.cbor"]);
}

#[tokio::test]
async fn attachments_are_listed_where_the_registry_does_not_list_them() {
    let tag = |pushed: &hansa_registry::Pushed| ("acme/translator".to_owned(), format!("sha256-{}", pushed.manifest));
    let knowing = Server::start(Ways { knows_referrers: true, ..Ways::default() }).await;
    let pushed = push(&knowing, "1.0.0", &release("1.0.0", 0, 1)).await.unwrap();
    assert_eq!(knowing.kept().tags.len(), 1);
    assert!(!knowing.kept().tags.contains_key(&tag(&pushed)));

    let server = Server::open().await;
    let pushed = push(&server, "1.0.0", &release("1.0.0", 0, 1)).await.unwrap();
    let listed = |server: &Server| -> Value {
        let kept = server.kept();
        let index = &kept.manifests[&("acme/translator".to_owned(), kept.tags[&tag(&pushed)].clone())];
        assert_eq!(index.0, layout::INDEX);
        serde_json::from_slice(&index.1).unwrap()
    };
    let own_tag = ("acme/translator".to_owned(), format!("sha256-{}.hansa", pushed.manifest));
    assert_eq!(server.kept().tags[&own_tag], format!("sha256:{}", pushed.attachment), "clean-ups keep what has a tag");
    let entry = &listed(&server)["manifests"][0];
    assert_eq!(entry["digest"], format!("sha256:{}", pushed.attachment));
    assert_eq!(entry["artifactType"], layout::ATTACHMENT);
    // Under a second tag it is the same artifact, and is listed once.
    push(&server, "latest", &release("1.0.0", 0, 1)).await.unwrap();
    assert_eq!(listed(&server)["manifests"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn progress_is_told_up_to_the_last_byte() {
    let server = Server::open().await;
    let ours = release("1.0.0", 1 << 20, 1);
    let component_bytes = ours.component.len() as u64;
    let told: Arc<Mutex<Vec<Progress>>> = Arc::default();
    let watcher: Watcher = {
        let told = told.clone();
        Arc::new(move |progress| told.lock().unwrap().push(progress))
    };
    let reference = at(&server, "1.0.0");
    client().push(&reference, &ours, &Login::Anonymous, &watcher).await.unwrap();
    client().pull(&reference, &Login::Anonymous, &watcher).await.unwrap();
    let told = told.lock().unwrap();
    for direction in [Direction::Push, Direction::Pull] {
        let steps: Vec<u64> = told
            .iter()
            .filter(|step| step.direction == direction && step.part == "component")
            .inspect(|step| assert_eq!(step.all_bytes, component_bytes))
            .map(|step| step.done_bytes)
            .collect();
        assert!(steps.len() > 4 && steps.is_sorted(), "{steps:?}");
        assert_eq!(*steps.last().unwrap(), component_bytes);
    }
}

/// A registry killed in the middle of an upload, and again in the middle of a download.
#[tokio::test]
async fn a_registry_that_dies_midway_is_told_and_pushing_goes_on_where_it_was() {
    let ours = release("1.0.0", LARGE_BYTES, 1);
    let dying = Server::open().await;
    let error = client()
        .push(&at(&dying, "1.0.0"), &ours, &Login::Anonymous, &killer(&dying, Direction::Push))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("broke during component") && error.contains("try again"), "{error}");
    assert!(dying.kept().tags.is_empty(), "no tag before all is there");

    let server = Server::over(dying.store.clone(), |_| Ways::default()).await;
    let again = push(&server, "1.0.0", &ours).await.unwrap();
    assert_eq!(again.sent_bytes, ours.component.len() as u64, "the small parts were there");
    let error =
        client().pull(&at(&server, "1.0.0"), &Login::Anonymous, &killer(&server, Direction::Pull)).await.unwrap_err().to_string();
    assert!(error.contains("broke during component"), "{error}");
    let error = pull(&server, "1.0.0").await.unwrap_err().to_string();
    assert!(error.contains("cannot reach") && error.contains(&server.host()), "{error}");
}

/// Kills the registry when the component has begun.
fn killer(server: &Server, direction: Direction) -> Watcher {
    let kill = server.kill();
    Arc::new(move |progress: Progress| {
        if progress.direction == direction && progress.part == "component" {
            kill();
        }
    })
}
