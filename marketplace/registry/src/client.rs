//! The client: what it trusts, and how long it waits.

use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::{Attempt, Policy};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

use crate::limits::{ANSWER_MAX, CONNECT_MAX, REDIRECTS_MAX};

/// What a client is made of.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Speak plain HTTP with registries on other machines too. On this machine plain HTTP is usual, unless the reference says
    /// `https://`.
    pub plain_http: bool,
    /// Certificates of authorities to trust beside those that the machine trusts, each as DER.
    pub extra_roots: Vec<Vec<u8>>,
    /// The URL of a proxy for all requests. The environment is not asked for one.
    pub proxy: Option<String>,
    /// The longest to wait for a connection.
    pub connect_max: Duration,
    /// The longest to wait for an answer, or for the next bytes of one.
    pub answer_max: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { plain_http: false, extra_roots: Vec::new(), proxy: None, connect_max: CONNECT_MAX, answer_max: ANSWER_MAX }
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A certificate.
    #[error("extra root certificate {number} cannot be used: {problem}; give it as DER")]
    Root {
        /// Which, from 1.
        number: usize,
        /// Why.
        problem: rustls::Error,
    },
    /// The proxy.
    #[error("`{proxy}` is no proxy: {problem}; write its URL, such as `http://proxy.example:3128`")]
    Proxy {
        /// What was given.
        proxy: String,
        /// Why.
        problem: String,
    },
    /// TLS or the HTTP client themselves.
    #[error("cannot set up https: {0}")]
    Setup(String),
}

/// Speaks with registries. Cheap to clone; connections are kept and used again.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) settings: Settings,
}

impl Client {
    /// A client by `settings`. Reads the certificates that the machine trusts from its disk.
    pub fn new(settings: Settings) -> Result<Client, ClientError> {
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(&settings.extra_roots)?)
            .no_proxy()
            .redirect(Policy::custom(follow))
            .connect_timeout(settings.connect_max)
            .user_agent(concat!("hansa/", env!("CARGO_PKG_VERSION")));
        let builder = match &settings.proxy {
            Some(proxy) => builder.proxy(
                reqwest::Proxy::all(proxy)
                    .map_err(|error| ClientError::Proxy { proxy: proxy.clone(), problem: crate::error::innermost(error) })?,
            ),
            None => builder,
        };
        let http = builder.build().map_err(|error| ClientError::Setup(crate::error::innermost(error)))?;
        Ok(Client { http, settings })
    }
}

/// TLS with ring, whatever else the process has installed.
fn tls(extra_roots: &[Vec<u8>]) -> Result<ClientConfig, ClientError> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::warn!(%error, "some certificates that this machine trusts cannot be read");
    }
    roots.add_parsable_certificates(native.certs);
    for (number, root) in (1..).zip(extra_roots) {
        roots.add(CertificateDer::from(root.clone())).map_err(|problem| ClientError::Root { number, problem })?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions();
    Ok(builder.map_err(|error| ClientError::Setup(error.to_string()))?.with_root_certificates(roots).with_no_client_auth())
}

/// Registries send clients on to where their blobs lie; never from https into the clear. The password stays behind when the
/// host changes, which reqwest sees to.
fn follow(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let from_https = attempt.previous().last().is_some_and(|previous| previous.scheme() == "https");
    if attempt.previous().len() > REDIRECTS_MAX {
        return attempt.error(format!("more than {REDIRECTS_MAX} redirects"));
    }
    if from_https && attempt.url().scheme() != "https" {
        return attempt.error("a redirect from https into the clear");
    }
    attempt.follow()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_make_no_client_are_told() {
        let settings = Settings { extra_roots: vec![b"no certificate".to_vec()], ..Settings::default() };
        assert!(matches!(Client::new(settings), Err(ClientError::Root { number: 1, .. })));
        let settings = Settings { proxy: Some("::".into()), ..Settings::default() };
        assert!(matches!(Client::new(settings), Err(ClientError::Proxy { .. })));
        assert!(Client::new(Settings::default()).is_ok());
    }
}
