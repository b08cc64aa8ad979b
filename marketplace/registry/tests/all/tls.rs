//! A registry behind TLS, with a certificate of an authority that only some trust.

use std::sync::Arc;

use hansa_registry::{Client, Login, PullError, Reference, RemoteError, Settings, unwatched};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::release::{assert_same, client, release};
use crate::server::{Registry, Ways, serve};

/// The authority's certificate, and what a server for 127.0.0.1 needs.
fn certificates() -> (Vec<u8>, ServerConfig) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let chain: Vec<CertificateDer<'static>> = vec![server.der().clone()];
    let secret = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .unwrap();
    (authority.der().to_vec(), config)
}

#[tokio::test]
async fn a_registry_behind_tls_is_used_by_whom_trusts_it() {
    let (root, config) = certificates();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap();
    let registry = Arc::new(Registry { ways: Ways::default(), store: Arc::default() });
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let task = tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let (acceptor, registry) = (acceptor.clone(), registry.clone());
            tokio::spawn(async move {
                if let Ok(socket) = acceptor.accept(socket).await {
                    serve(TokioIo::new(socket), registry).await;
                }
            });
        }
    });
    let reference: Reference = format!("https://{host}/acme/translator:1.0.0").parse().unwrap();
    let trusting = Client::new(Settings { extra_roots: vec![root], ..Settings::default() }).unwrap();
    let ours = release("1.0.0", 1 << 20, 1);
    trusting.push(&reference, &ours, &Login::Anonymous, &unwatched()).await.unwrap();
    assert_same(&trusting.pull(&reference, &Login::Anonymous, &unwatched()).await.unwrap(), &ours);

    let error = client().pull(&reference, &Login::Anonymous, &unwatched()).await.unwrap_err();
    assert!(matches!(&error, PullError::Remote(RemoteError::Unreachable { .. })), "{error}");
    assert!(error.to_string().contains("certificate"), "{error}");
    task.abort();
}
