//! The same against any registry: `HANSA_TEST_REGISTRY=127.0.0.1:5000 cargo nextest run -p hansa-registry --run-ignored only`.
//! With a login: `HANSA_TEST_REGISTRY_LOGIN=user:password`.

use hansa_registry::{Client, Login, PullError, Reference, Settings, unwatched};

use crate::release::{assert_same, release};

#[tokio::test]
#[ignore = "needs a registry: name its host in HANSA_TEST_REGISTRY"]
async fn a_real_registry_keeps_a_release() {
    let host = std::env::var("HANSA_TEST_REGISTRY").expect("name the host of a registry in HANSA_TEST_REGISTRY");
    let login = match std::env::var("HANSA_TEST_REGISTRY_LOGIN") {
        Ok(login) => {
            let (user, password) = login.split_once(':').expect("HANSA_TEST_REGISTRY_LOGIN is user:password");
            Login::Password { user: user.to_owned(), password: password.to_owned() }
        }
        Err(_) => Login::Anonymous,
    };
    let client = Client::new(Settings::default()).unwrap();
    let reference: Reference = format!("{host}/hansa-test/translator:1.0.0").parse().unwrap();
    for padding in [0, 9 << 20] {
        let ours = release("1.0.0", padding, 1);
        let pushed = client.push(&reference, &ours, &login, &unwatched()).await.unwrap();
        let again = client.push(&reference, &ours, &login, &unwatched()).await.unwrap();
        assert_eq!((again.sent_bytes, again.replaced, again.manifest), (0, None, pushed.manifest));
        assert_same(&client.pull(&reference, &login, &unwatched()).await.unwrap(), &ours);
        assert_same(&client.pull(&pushed.reference, &login, &unwatched()).await.unwrap(), &ours);
    }
    let unknown = client.pull(&reference.with_tag("no-such-tag").unwrap(), &login, &unwatched()).await.unwrap_err();
    assert!(matches!(unknown, PullError::Unknown(_)), "{unknown}");
}
