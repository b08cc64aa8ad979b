//! Why a connection did not come about, in words that say what to do next.

use std::error::Error as _;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use async_nats::{ConnectErrorKind, ServerAddr};

use crate::greeting::{self, Greeting};

/// Why [`crate::Bus::connect`] failed. No message shows a password of the address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address cannot be read.
    #[error(
        "`{url}` is no address of a nats-server ({reason}): write it as `nats://HOST:PORT`, several with commas between them"
    )]
    BadUrl {
        /// What was given, without user and password.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The credentials file cannot be read or understood.
    #[error("credentials file `{path}` cannot be used ({reason}): give a file that `nsc generate creds` wrote")]
    Credentials {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Nothing listens there.
    #[error("nothing listens at `{url}`: start a server with `hansa up`, or give another address with `--nats URL`")]
    Refused {
        /// The address.
        url: String,
    },
    /// The host name has no address.
    #[error("host of `{url}` has no address ({reason}): check the name and the network, or give another with `--nats URL`")]
    Dns {
        /// The address.
        url: String,
        /// What the resolver said.
        reason: String,
    },
    /// No answer in time.
    #[error("no answer from `{url}` within {} ms: check the host and any firewall, or give another address with `--nats URL`", after.as_millis())]
    TimedOut {
        /// The address.
        url: String,
        /// The time that was given.
        after: Duration,
    },
    /// The server wants other credentials.
    #[error(
        "`{url}` refuses these credentials ({reason}): give the credentials file of an account that may connect, or put user and password into the address"
    )]
    Unauthorised {
        /// The address.
        url: String,
        /// What the server or the signing said.
        reason: String,
    },
    /// Something else answers there.
    #[error(
        "{what} answers at `{url}`, which is no nats-server: check the port (NATS uses 4222), or start a server with `hansa up`"
    )]
    NotNats {
        /// The address.
        url: String,
        /// What answers.
        what: String,
    },
    /// TLS could not be agreed on.
    #[error("no TLS with `{url}` ({reason}): check the server's certificate, or use `nats://` where the server has no TLS")]
    Tls {
        /// The address.
        url: String,
        /// What went wrong.
        reason: String,
    },
    /// Anything else.
    #[error("no connection to `{url}` ({reason}): read the server's log, or give another address with `--nats URL`")]
    Other {
        /// The address.
        url: String,
        /// What went wrong.
        reason: String,
    },
}

/// The address as it may be shown: without user and password.
pub(crate) fn shown(server: &ServerAddr) -> String {
    format!("{}://{}:{}", server.scheme(), bracketed(server.host()), server.port())
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

/// Turns the client's error into ours; looks at the first server of the list where the error alone does not tell.
pub(crate) async fn diagnose(
    failure: Option<async_nats::ConnectError>,
    servers: &[ServerAddr],
    given: Duration,
    left: Duration,
) -> ConnectError {
    let url = servers.iter().map(shown).collect::<Vec<_>>().join(",");
    let Some(failure) = failure else { return look(servers, url, given, left, None).await };
    let reason = failure.source().map_or_else(|| failure.to_string(), ToString::to_string);
    match failure.kind() {
        ConnectErrorKind::ServerParse => ConnectError::BadUrl { url, reason },
        ConnectErrorKind::Dns => ConnectError::Dns { url, reason },
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => ConnectError::Unauthorised { url, reason },
        ConnectErrorKind::Tls => ConnectError::Tls { url, reason },
        ConnectErrorKind::TimedOut => look(servers, url, given, left, None).await,
        ConnectErrorKind::Io if io_kind(&failure) == Some(ErrorKind::ConnectionRefused) => ConnectError::Refused { url },
        ConnectErrorKind::Io | ConnectErrorKind::MaxReconnects => look(servers, url, given, left, Some(reason)).await,
    }
}

fn io_kind(failure: &async_nats::ConnectError) -> Option<ErrorKind> {
    let mut cause = failure.source();
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return Some(io.kind());
        }
        cause = error.source();
    }
    None
}

async fn look(servers: &[ServerAddr], url: String, given: Duration, left: Duration, reason: Option<String>) -> ConnectError {
    let Some(first) = servers.first() else {
        return ConnectError::BadUrl { url, reason: "it is empty".to_owned() };
    };
    let address = format!("{}:{}", bracketed(first.host()), first.port());
    let what = match greeting::listen(&address, left).await {
        Greeting::Refused => return ConnectError::Refused { url },
        Greeting::Http => "an HTTP server".to_owned(),
        Greeting::Foreign(words) => format!("something that says `{words}`"),
        Greeting::Mute => "something that says nothing".to_owned(),
        Greeting::Nats(_) | Greeting::Unreachable => {
            return match reason {
                Some(reason) => ConnectError::Other { url, reason },
                None => ConnectError::TimedOut { url, after: given },
            };
        }
    };
    ConnectError::NotNats { url, what }
}
