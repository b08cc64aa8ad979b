//! Who may do what, and where passwords go: to the registry and to its service for tokens, and to nobody else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hansa_registry::{Login, PullError, PushError, Reference, RemoteError, unwatched};

use crate::release::{assert_same, at, client, push, release};
use crate::server::{Door, Server, Ways};

fn password(user: &str, password: &str) -> Login {
    Login::Password { user: user.into(), password: password.into() }
}

fn anna() -> Login {
    password("anna", "open:sesame")
}

fn basic() -> String {
    format!("Basic {}", STANDARD.encode("anna:open:sesame"))
}

fn token_door(host: &str) -> Door {
    Door::Token { realm: format!("http://{host}/token"), writer: basic(), refresh: "long-lived".into() }
}

async fn push_as(server: &Server, login: &Login) -> Result<(), RemoteError> {
    let ours = release("1.0.0", 0, 1);
    match client().push(&at(server, "1.0.0"), &ours, login, &unwatched()).await {
        Ok(_) => Ok(()),
        Err(PushError::Remote(error)) => Err(error),
        Err(error) => panic!("{error}"),
    }
}

async fn pull_as(server: &Server, login: &Login) -> Result<(), RemoteError> {
    match client().pull(&at(server, "1.0.0"), login, &unwatched()).await {
        Ok(pulled) => {
            assert_same(&pulled, &release("1.0.0", 0, 1));
            Ok(())
        }
        Err(PullError::Remote(error)) => Err(error),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_registry_with_passwords_lets_in_who_has_the_right_one() {
    let server = Server::start(Ways { door: Door::Password(basic()), ..Ways::default() }).await;
    let error = push_as(&server, &Login::Anonymous).await.unwrap_err();
    assert_eq!(error, RemoteError::LoginNeeded(server.host()));
    let error = push_as(&server, &password("anna", "wrong")).await.unwrap_err();
    assert_eq!(error, RemoteError::LoginRefused { host: server.host(), user: "anna".into() });
    assert!(!error.to_string().contains("wrong") && error.to_string().contains("check name and password"), "{error}");
    assert!(server.kept().blobs.is_empty());
    push_as(&server, &anna()).await.unwrap();
    pull_as(&server, &anna()).await.unwrap();
    assert!(matches!(pull_as(&server, &Login::Anonymous).await, Err(RemoteError::LoginNeeded(_))));
}

#[tokio::test]
async fn a_registry_with_tokens_lets_anybody_read_and_some_write() {
    let reader = format!("Basic {}", STANDARD.encode("bert:reads"));
    let server =
        Server::over(Default::default(), |host| Ways { door: token_door(host), reader: Some(reader), ..Ways::default() }).await;
    let error = push_as(&server, &Login::Anonymous).await.unwrap_err();
    assert!(matches!(&error, RemoteError::Denied { repository, .. } if repository == "acme/translator"), "{error}");
    let error = push_as(&server, &password("anna", "wrong")).await.unwrap_err();
    assert!(matches!(&error, RemoteError::LoginRefused { user, .. } if user == "anna"), "{error}");
    let error = push_as(&server, &Login::IdentityToken("short-lived".into())).await.unwrap_err();
    assert!(matches!(&error, RemoteError::LoginRefused { .. }), "{error}");
    let error = push_as(&server, &password("bert", "reads")).await.unwrap_err();
    assert!(matches!(&error, RemoteError::Denied { .. }), "he is known, and may not write: {error}");
    push_as(&server, &anna()).await.unwrap();
    push_as(&server, &Login::IdentityToken("long-lived".into())).await.unwrap();
    pull_as(&server, &Login::Anonymous).await.unwrap();
    pull_as(&server, &anna()).await.unwrap();
}

#[tokio::test]
async fn the_login_of_docker_is_the_one_that_is_used() {
    let server = Server::start(Ways { door: Door::Password(basic()), ..Ways::default() }).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.json");
    let auth = STANDARD.encode("anna:open:sesame");
    std::fs::write(&file, format!(r#"{{ "auths": {{ "{}": {{ "auth": "{auth}" }} }} }}"#, server.host())).unwrap();
    let login = Login::from_docker_config(&file, &at(&server, "1.0.0")).unwrap();
    push_as(&server, &login).await.unwrap();
}

/// Registries keep blobs in other places and send clients there; the password must not follow.
#[tokio::test]
async fn passwords_do_not_follow_to_other_hosts() {
    let storage = Server::open().await;
    let elsewhere = Some(format!("http://{}", storage.host()));
    let ways = Ways { door: Door::Password(basic()), elsewhere, ..Ways::default() };
    let server = Server::over(storage.store.clone(), |_| ways).await;
    push_as(&server, &anna()).await.unwrap();
    pull_as(&server, &anna()).await.unwrap();
    // Both write into one log. Uploads and blobs went to the storage, which would have let anybody in.
    let kept = server.kept();
    let puts = kept.log.iter().filter(|(request, _)| request.starts_with("PUT ") && request.contains("/uploads/"));
    assert!(puts.clone().count() > 4 && puts.clone().all(|(_, who)| who.is_none()), "{:?}", puts.collect::<Vec<_>>());
    let gets: Vec<_> =
        kept.log.iter().filter(|(request, _)| request.starts_with("GET ") && request.contains("/blobs/")).collect();
    let with = gets.iter().filter(|(_, who)| who.is_some()).count();
    assert_eq!((gets.len(), with), (12, 6), "each blob once at the registry, once at the storage");
}

#[tokio::test]
async fn a_password_does_not_go_to_a_realm_in_the_clear() {
    let realm = "http://tokens.example/token";
    let door = Door::Token { realm: realm.into(), writer: basic(), refresh: String::new() };
    let server = Server::start(Ways { door, ..Ways::default() }).await;
    let error = push_as(&server, &anna()).await.unwrap_err();
    assert_eq!(error, RemoteError::UnsafeRealm { host: server.host(), realm: realm.into() });
}

#[tokio::test]
async fn plain_http_with_other_machines_must_be_asked_for() {
    // An address that is reserved for documentation: nobody answers, and nothing is sent.
    let reference: Reference = "http://192.0.2.1:5000/acme/translator:1.0.0".parse().unwrap();
    let error = client().pull(&reference, &anna(), &unwatched()).await.unwrap_err();
    assert!(matches!(&error, PullError::Remote(RemoteError::InTheClear(host)) if host == "192.0.2.1:5000"), "{error}");
    // A registry that speaks plain HTTP is not found by a client that insists on https.
    let server = Server::open().await;
    push(&server, "1.0.0", &release("1.0.0", 0, 1)).await.unwrap();
    let secure: Reference = format!("https://{}", at(&server, "1.0.0")).parse().unwrap();
    let error = client().pull(&secure, &Login::Anonymous, &unwatched()).await.unwrap_err();
    assert!(matches!(&error, PullError::Remote(RemoteError::Unreachable { .. })), "{error}");
}
