//! The connection: made with clear errors within a bound, healed by itself afterwards.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::connection::State;
use async_nats::{ConnectOptions, Event, ServerAddr};
use tokio::sync::watch;

use crate::diagnosis::{self, ConnectError};
use crate::limits::{CONNECT_TIMEOUT_DEFAULT, PING_INTERVAL, RECONNECT_DELAY_MAX};

/// How to reach a `nats-server`.
#[derive(Debug, Clone)]
pub struct BusOptions {
    /// `nats://HOST:PORT`, `tls://HOST:PORT` or `HOST:PORT`; the servers of a cluster with commas between them.
    /// User and password may stand in it (`nats://USER:PASSWORD@HOST:PORT`).
    pub url: String,
    /// The name that the server's operator sees for this connection.
    pub name: String,
    /// The credentials file of a NATS account (JWT and seed), if the server wants one.
    pub credentials_file: Option<PathBuf>,
    /// Upper bound for [`Bus::connect`].
    pub connect_timeout: Duration,
}

impl BusOptions {
    /// Options for `url`, without credentials, named `hansa`, with the default timeout.
    pub fn at(url: impl Into<String>) -> Self {
        Self { url: url.into(), name: "hansa".to_owned(), credentials_file: None, connect_timeout: CONNECT_TIMEOUT_DEFAULT }
    }
}

/// Whether the bus can be used at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BusState {
    /// Requests can be sent.
    Connected,
    /// The connection is down; it is being made again in the background, without end.
    Disconnected,
}

/// What the connection went through; watched by requests and watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) connected: bool,
    /// How often the connection was lost so far.
    pub(crate) losses: u64,
    /// It ends because we want it to.
    leaving: bool,
}

/// A connection to NATS. Clones share it; the last one dropped closes it.
#[derive(Clone)]
pub struct Bus {
    inner: Arc<Inner>,
}

struct Inner {
    client: async_nats::Client,
    link: watch::Sender<Link>,
    url: String,
}

impl std::fmt::Debug for Bus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bus").field("url", &self.inner.url).field("state", &self.state()).finish()
    }
}

impl Bus {
    /// Connects, or says within `connect_timeout` why not. Afterwards the connection is made again whenever it is
    /// lost; subscriptions and services come back with it.
    ///
    /// # Errors
    /// A [`ConnectError`] that names the cause and the next step.
    pub async fn connect(options: BusOptions) -> Result<Self, ConnectError> {
        let begun = Instant::now();
        let servers = parse_servers(&options.url)?;
        let link = watch::Sender::new(Link { connected: true, losses: 0, leaving: false });
        let settings = settings(&options, servers.first(), &link).await?;
        // The last quarter is kept to find out who answers there instead.
        let handshake = tokio::time::timeout(options.connect_timeout * 3 / 4, settings.connect(&servers[..]));
        let failure = match handshake.await {
            Ok(Ok(client)) => {
                let url = servers.iter().map(diagnosis::shown).collect::<Vec<_>>().join(",");
                return Ok(Self { inner: Arc::new(Inner { client, link, url }) });
            }
            Ok(Err(failure)) => Some(failure),
            Err(_) => None,
        };
        let left = options.connect_timeout.saturating_sub(begun.elapsed());
        Err(diagnosis::diagnose(failure, &servers, options.connect_timeout, left).await)
    }

    /// Whether requests can be sent at this moment.
    #[must_use]
    pub fn state(&self) -> BusState {
        match self.inner.client.connection_state() {
            State::Connected => BusState::Connected,
            State::Pending | State::Disconnected => BusState::Disconnected,
        }
    }

    /// Returns when the bus is connected: at once if it is, otherwise when it comes back.
    pub async fn connected(&self) {
        let mut link = self.inner.link.subscribe();
        // Fails only when the sender is gone, and `self` holds it.
        let _held = link.wait_for(|link| link.connected).await;
    }

    /// Returns when the bus is disconnected: at once if it is, otherwise when the connection is lost. A loss that is
    /// healed before this future is polled may go unnoticed.
    pub async fn disconnected(&self) {
        let mut link = self.inner.link.subscribe();
        let _held = link.wait_for(|link| !link.connected).await;
    }

    /// Ends the connection, after what was sent is out: nothing comes or goes any more, for all clones.
    pub async fn leave(&self) {
        self.inner.link.send_modify(|link| link.leaving = true);
        // Fails only where the connection has ended already.
        let _ended = self.inner.client.drain().await;
    }

    /// Bytes that the server accepts in one message, headers included.
    #[must_use]
    pub fn max_payload(&self) -> usize {
        self.inner.client.server_info().max_payload
    }

    /// The address, without user and password.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.inner.url
    }

    pub(crate) fn client(&self) -> &async_nats::Client {
        &self.inner.client
    }

    pub(crate) fn link(&self) -> watch::Receiver<Link> {
        self.inner.link.subscribe()
    }
}

fn parse_servers(url: &str) -> Result<Vec<ServerAddr>, ConnectError> {
    let parse = |one: &str| {
        let bad = |reason: String| ConnectError::BadUrl { url: without_user(one), reason };
        let server: ServerAddr = one.trim().parse().map_err(|error: std::io::Error| bad(error.to_string()))?;
        if server.is_websocket() {
            return Err(bad("websockets are not supported".to_owned()));
        }
        if server.host().is_empty() {
            return Err(bad("it names no host".to_owned()));
        }
        Ok(server)
    };
    url.split(',').map(parse).collect()
}

fn without_user(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if scheme < at => format!("{}{}", &url[..scheme + 3], &url[at + 1..]),
        (None, Some(at)) => url[at + 1..].to_owned(),
        _ => url.to_owned(),
    }
}

async fn settings(
    options: &BusOptions,
    first: Option<&ServerAddr>,
    link: &watch::Sender<Link>,
) -> Result<ConnectOptions, ConnectError> {
    let link = link.clone();
    let mut settings = ConnectOptions::new()
        .name(&options.name)
        .connection_timeout(options.connect_timeout)
        .ping_interval(PING_INTERVAL)
        .reconnect_delay_callback(reconnect_delay)
        .event_callback(move |event| {
            follow(&link, &event);
            std::future::ready(())
        });
    if let Some((user, password)) = first.and_then(|server| server.username().zip(server.password())) {
        settings = settings.user_and_password(user.to_owned(), password.to_owned());
    }
    let Some(path) = &options.credentials_file else { return Ok(settings) };
    let bad = |error: std::io::Error| ConnectError::Credentials { path: path.clone(), reason: error.to_string() };
    settings.credentials_file(path).await.map_err(bad)
}

fn reconnect_delay(attempt: usize) -> Duration {
    let exponent = u32::try_from(attempt).unwrap_or(u32::MAX);
    if exponent <= 1 {
        return Duration::ZERO;
    }
    Duration::from_millis(2_u64.saturating_pow(exponent)).min(RECONNECT_DELAY_MAX)
}

fn follow(link: &watch::Sender<Link>, event: &Event) {
    match event {
        Event::Connected => {
            link.send_if_modified(|link| !std::mem::replace(&mut link.connected, true));
        }
        Event::Disconnected | Event::Closed => {
            if !link.borrow().leaving {
                tracing::warn!("connection to the bus lost, connecting again");
            }
            link.send_modify(|link| *link = Link { connected: false, losses: link.losses + 1, ..*link });
        }
        Event::SlowConsumer(subscription) => tracing::warn!(subscription, "subscription too slow, messages dropped"),
        Event::ServerError(error) => tracing::warn!(%error, "error from nats-server"),
        other => tracing::debug!(event = %other, "bus event"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        assert_eq!(parse_servers("127.0.0.1:4222, nats://b:4223").unwrap().len(), 2);
        for bad in ["", "http://a:1", "nats://a:99999", "ws://a:1", "nats://u:p@/"] {
            let error = parse_servers(bad).unwrap_err();
            assert!(matches!(error, ConnectError::BadUrl { .. }), "{bad}: {error}");
            assert!(!error.to_string().contains("u:p"), "{error}");
        }
    }

    #[test]
    fn delays_are_bounded() {
        assert_eq!(reconnect_delay(1), Duration::ZERO);
        assert!(reconnect_delay(4) < Duration::from_millis(100));
        assert_eq!(reconnect_delay(1_000_000), RECONNECT_DELAY_MAX);
    }
}
