//! Releases to push, small and large, and the ways to push and pull them.

use hansa_catalogue::Release;
use hansa_catalogue::names::{NameChain, NameChange, NameRecord};
use hansa_catalogue::package::{ReleaseParts, fixture};
use hansa_economy::{Keypair, Signed};
use hansa_registry::{Client, Login, Parcel, PullError, Pulled, PushError, Pushed, Reference, Settings, unwatched};

use crate::server::Server;

/// The service that all these releases sell.
const SERVICE: &str = "acme:translate/translator@1.0.0";

/// `acme/translator@<version>` with its component, which has at least `padding` bytes, and its publisher's claim of `acme`.
pub(crate) fn release(version: &str, padding: usize, publisher: u8) -> Parcel {
    let key = Keypair::from_seed(&[publisher; 32]);
    let claim = NameChange::Claim { owner: key.public(), recovery: None };
    let name = chain("acme", claim, &key);
    let mut component = fixture::seller(SERVICE, "count: func(text: string) -> result<u32, fault>;");
    pad(&mut component, padding);
    let manifest =
        fixture::manifest(&format!("acme/translator@{version}"), &format!("[sells.\"{SERVICE}\"]\nprice.count = \"0.001\"\n"));
    let parts = ReleaseParts {
        manifest,
        component,
        readme: "# Translator\n\nCounts, in truth. Ünïcode.\n".into(),
        license: "Apache License 2.0\n".into(),
        name_record: Some(name.state().head),
    };
    let (release, component) = Release::sign(parts, 1_700_000_000_123, &key).unwrap_or_else(|error| panic!("{error}"));
    Parcel { release, component, name: Some(name) }
}

/// The chain of a name that begins with `change`.
pub(crate) fn chain(name: &str, change: NameChange, key: &Keypair) -> NameChain {
    let record = NameRecord { name: name.into(), seq: 0, previous: None, change, signed_ms: 1_700_000_000_000 };
    NameChain::begin(Signed::new(record, key)).unwrap()
}

/// A custom section of bytes that repeat only after a long while.
fn pad(component: &mut Vec<u8>, bytes: usize) {
    if bytes == 0 {
        return;
    }
    let data: Vec<u8> = (0..bytes as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let section = wasm_encoder::CustomSection { name: "padding".into(), data: data.into() };
    wasm_encoder::ComponentSection::append_to_component(&section, component);
}

/// A client that waits a second at most.
pub(crate) fn client() -> Client {
    Client::new(Settings { answer_max: std::time::Duration::from_secs(1), ..Settings::default() }).unwrap()
}

/// `acme/translator:<tag>` at `server`.
pub(crate) fn at(server: &Server, tag: &str) -> Reference {
    format!("{}/acme/translator:{tag}", server.host()).parse().unwrap()
}

/// Push as nobody.
pub(crate) async fn push(server: &Server, tag: &str, parcel: &Parcel) -> Result<Pushed, PushError> {
    client().push(&at(server, tag), parcel, &Login::Anonymous, &unwatched()).await
}

/// Pull as nobody.
pub(crate) async fn pull(server: &Server, tag: &str) -> Result<Pulled, PullError> {
    client().pull(&at(server, tag), &Login::Anonymous, &unwatched()).await
}

/// The same in every byte.
pub(crate) fn assert_same(pulled: &Pulled, ours: &Parcel) {
    let pulled = &pulled.parcel;
    assert_eq!(pulled.component, ours.component);
    assert_eq!(pulled.release.statement.bytes(), ours.release.statement.bytes());
    assert_eq!(pulled.release.files, ours.release.files);
    assert_eq!(pulled.release.signer(), ours.release.signer());
    assert_eq!(pulled.name, ours.name);
}
