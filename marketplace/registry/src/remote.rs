//! One repository of one registry: requests with a login, answers with bounds.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::stream;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Body, Method, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;

use crate::challenge::{self, Challenge};
use crate::client::Client;
use crate::error::{RemoteError, Said, innermost, shown};
use crate::limits::{BYTES_PER_SECOND_MIN, PIECE_BYTES, REFUSAL_BYTES_MAX, REFUSAL_CHARS_MAX, TOKEN_BYTES_MAX};
use crate::login::Login;
use crate::progress::{Direction, Progress, Watcher};
use crate::reference::{Reference, Scheme, is_loopback};

/// Docker Hub is named by one host and answers on another.
const HUB: (&str, &str) = ("docker.io", "registry-1.docker.io");

/// A repository, for one push or pull.
pub(crate) struct Remote<'a> {
    client: &'a Client,
    base: Url,
    repository: &'a str,
    login: &'a Login,
    /// `pull`, or `pull,push`.
    actions: &'static str,
    pass: Mutex<Pass>,
    watcher: &'a Watcher,
}

/// What goes with every request to the registry.
#[derive(Clone)]
enum Pass {
    Nothing,
    Basic,
    Bearer(String),
}

/// One request, which can be made again.
pub(crate) struct Ask {
    method: Method,
    url: Url,
    /// For errors: `the manifest`, `component`.
    what: &'static str,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Option<Bytes>,
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl Ask {
    pub(crate) fn new(method: Method, url: Url, what: &'static str) -> Ask {
        Ask { method, url, what, headers: Vec::new(), body: None }
    }

    pub(crate) fn header(mut self, name: HeaderName, value: &'static str) -> Ask {
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }

    pub(crate) fn body(mut self, media_type: &'static str, body: Bytes) -> Ask {
        self.body = Some(body);
        self.header(CONTENT_TYPE, media_type)
    }
}

impl<'a> Remote<'a> {
    /// The repository of `reference`, to read from or to `write` to.
    pub(crate) fn new(
        client: &'a Client,
        reference: &'a Reference,
        login: &'a Login,
        write: bool,
        watcher: &'a Watcher,
    ) -> Result<Remote<'a>, RemoteError> {
        let may_be_plain = client.settings.plain_http || reference.is_loopback();
        let scheme = match reference.scheme {
            Some(Scheme::Https) => "https",
            Some(Scheme::Http) if !may_be_plain => return Err(RemoteError::InTheClear(reference.host.clone())),
            None if !may_be_plain => "https",
            Some(Scheme::Http) | None => "http",
        };
        let host = if reference.host == HUB.0 { HUB.1 } else { &reference.host };
        let base = Url::parse(&format!("{scheme}://{host}/v2/{}/", reference.repository));
        let base = base.map_err(|error| RemoteError::Unreachable { host: host.to_owned(), problem: error.to_string() })?;
        let actions = if write { "pull,push" } else { "pull" };
        let pass = Mutex::new(Pass::Nothing);
        Ok(Remote { client, base, repository: &reference.repository, login, actions, pass, watcher })
    }

    /// The registry, with its port.
    pub(crate) fn host(&self) -> String {
        host(&self.base)
    }

    /// `path` below the repository. The path is ours, or was checked to be a tag or digest.
    pub(crate) fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path()));
        url
    }

    /// Make a request; log in, or in again, where the registry asks for it.
    pub(crate) async fn send(&self, ask: &Ask) -> Result<Response, RemoteError> {
        let first = self.once(ask).await?;
        if first.status() != StatusCode::UNAUTHORIZED || !self.is_home(&ask.url) {
            return Ok(first);
        }
        let Some(challenge) = challenge::read(first.headers()) else {
            return Err(self.refused_login(&self.base));
        };
        let had_basic = matches!(self.pass(), Pass::Basic);
        let pass = match challenge {
            Challenge::Basic if self.login.basic().is_none() => return Err(RemoteError::LoginNeeded(self.host())),
            Challenge::Basic if had_basic => return Err(self.refused_login(&self.base)),
            Challenge::Basic => Pass::Basic,
            Challenge::Bearer { realm, service } => Pass::Bearer(self.token(&realm, service.as_deref()).await?),
        };
        *self.pass.lock().unwrap_or_else(PoisonError::into_inner) = pass;
        let second = self.once(ask).await?;
        match second.status() {
            StatusCode::UNAUTHORIZED if matches!(self.pass(), Pass::Basic) => Err(self.refused_login(&self.base)),
            // The service for tokens knew the login; what it gave does not reach as far as this.
            StatusCode::UNAUTHORIZED => Err(self.denied(Said(String::new()))),
            _ => Ok(second),
        }
    }

    /// The whole body of an answer, at most `bytes_max` bytes of it. `part` is told to the watcher, where there is one.
    pub(crate) async fn read(
        &self,
        mut response: Response,
        what: &'static str,
        bytes_max: usize,
        watched: bool,
    ) -> Result<Vec<u8>, RemoteError> {
        let host = host(response.url());
        let too_long = || RemoteError::TooLong { host: host.clone(), what: what.to_owned(), bytes_max };
        let told = response.content_length();
        if told.is_some_and(|told| told > bytes_max as u64) {
            return Err(too_long());
        }
        let (began, longest) = (Instant::now(), self.longest(bytes_max));
        let mut bytes = Vec::with_capacity(told.unwrap_or(0) as usize);
        loop {
            let wait = self.client.settings.answer_max.min(longest.saturating_sub(began.elapsed()));
            let slow = |_| RemoteError::TooSlow { host: host.clone(), what: what.to_owned(), after: began.elapsed() };
            let next = tokio::time::timeout(wait, response.chunk()).await.map_err(slow)?;
            let broken = |error| RemoteError::Broken { host: host.clone(), what: what.to_owned(), problem: innermost(error) };
            let Some(chunk) = next.map_err(broken)? else { return Ok(bytes) };
            if bytes.len() + chunk.len() > bytes_max {
                return Err(too_long());
            }
            bytes.extend_from_slice(&chunk);
            if watched {
                let all_bytes = told.unwrap_or(bytes_max as u64);
                (self.watcher)(Progress { direction: Direction::Pull, part: what, done_bytes: bytes.len() as u64, all_bytes });
            }
        }
    }

    /// What an answer that is no success means.
    pub(crate) async fn refusal(&self, response: Response, what: &'static str) -> RemoteError {
        let status = response.status();
        let host = host(response.url());
        // Whatever goes wrong while its words are read, the status counts.
        let said = Said::read(&self.read(response, what, REFUSAL_BYTES_MAX, false).await.unwrap_or_default());
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => self.denied(said),
            StatusCode::TOO_MANY_REQUESTS => RemoteError::TooMany(host),
            _ => RemoteError::Refused { host, what: what.to_owned(), status: status.as_u16(), said },
        }
    }

    /// An answer that is none.
    pub(crate) fn unfit(&self, what: &str, problem: impl Into<String>) -> RemoteError {
        let problem: String = problem.into();
        RemoteError::Unfit { host: self.host(), what: what.to_owned(), problem: shown(&problem, REFUSAL_CHARS_MAX) }
    }

    async fn once(&self, ask: &Ask) -> Result<Response, RemoteError> {
        let mut request = self.client.http.request(ask.method.clone(), ask.url.clone());
        for (name, value) in &ask.headers {
            request = request.header(name, value);
        }
        if self.is_home(&ask.url) {
            request = match self.pass() {
                Pass::Nothing => request,
                Pass::Basic => self.with_password(request),
                Pass::Bearer(token) => request.bearer_auth(token),
            };
        }
        let length = ask.body.as_ref().map_or(0, Bytes::len);
        if let Some(body) = &ask.body {
            request = request.header(CONTENT_LENGTH, length).body(self.pieces(body.clone(), ask.what));
        } else if ask.method == Method::POST {
            request = request.header(CONTENT_LENGTH, 0);
        }
        self.answer(request, &ask.url, ask.what, self.longest(length)).await
    }

    async fn answer(&self, request: RequestBuilder, url: &Url, what: &str, longest: Duration) -> Result<Response, RemoteError> {
        let (host, what) = (host(url), what.to_owned());
        match tokio::time::timeout(longest, request.send()).await {
            Err(_) => Err(RemoteError::TooSlow { host, what, after: longest }),
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) if error.is_connect() => Err(RemoteError::Unreachable { host, problem: innermost(error) }),
            Ok(Err(error)) if error.is_redirect() => Err(RemoteError::Unfit { host, what, problem: innermost(error) }),
            Ok(Err(error)) => Err(RemoteError::Broken { host, what, problem: innermost(error) }),
        }
    }

    /// A body that tells how much of it has gone. It copies nothing.
    fn pieces(&self, body: Bytes, part: &'static str) -> Body {
        let (watcher, all_bytes) = (self.watcher.clone(), body.len() as u64);
        Body::wrap_stream(stream::iter((0..body.len()).step_by(PIECE_BYTES).map(move |from| {
            let piece = body.slice(from..body.len().min(from + PIECE_BYTES));
            let done_bytes = (from + piece.len()) as u64;
            watcher(Progress { direction: Direction::Push, part, done_bytes, all_bytes });
            Ok::<Bytes, std::io::Error>(piece)
        })))
    }

    /// A token from the service that the registry names, by Docker's token protocol.
    async fn token(&self, realm: &str, service: Option<&str>) -> Result<String, RemoteError> {
        const WHAT: &str = "the request for a token";
        let url = self.safe_realm(realm)?;
        let scope = format!("repository:{}:{}", self.repository, self.actions);
        let request = match self.login {
            Login::IdentityToken(token) => self.refresh(&url, service, &scope, token),
            Login::Anonymous | Login::Password { .. } => {
                let mut url = url.clone();
                url.query_pairs_mut().append_pair("scope", &scope).extend_pairs(service.map(|service| ("service", service)));
                self.with_password(self.client.http.get(url))
            }
        };
        let response = self.answer(request, &url, WHAT, self.longest(0)).await?;
        match response.status() {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if *self.login == Login::Anonymous => {
                return Err(RemoteError::LoginNeeded(self.host()));
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(self.refused_login(&url)),
            status if !status.is_success() => return Err(self.refusal(response, WHAT).await),
            _ => {}
        }
        let body = self.read(response, WHAT, TOKEN_BYTES_MAX, false).await?;
        let token = serde_json::from_slice::<Token>(&body).ok().and_then(|token| token.token.or(token.access_token));
        let fits = |token: &String| HeaderValue::from_str(token).is_ok() && !token.is_empty();
        token.filter(fits).ok_or_else(|| self.unfit(WHAT, "its answer holds no token"))
    }

    fn refresh(&self, url: &Url, service: Option<&str>, scope: &str, token: &str) -> RequestBuilder {
        let mut form = self.base.clone();
        let fields = [("grant_type", "refresh_token"), ("client_id", "hansa"), ("scope", scope), ("refresh_token", token)];
        form.query_pairs_mut().clear().extend_pairs(fields).extend_pairs(service.map(|service| ("service", service)));
        let body = form.query().unwrap_or_default().to_owned();
        self.client.http.post(url.clone()).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body)
    }

    /// The URL of a service for tokens, if a password may go there: over https, or in the clear where that was allowed.
    fn safe_realm(&self, realm: &str) -> Result<Url, RemoteError> {
        let url = Url::parse(realm).map_err(|error| self.unfit("a request", format!("its realm `{realm}`: {error}")))?;
        let near = url.host_str().is_some_and(|host| is_loopback(host.trim_matches(['[', ']'])));
        let plain = url.scheme() == "http" && self.base.scheme() == "http" && (near || self.client.settings.plain_http);
        match url.scheme() == "https" || plain {
            true => Ok(url),
            false => Err(RemoteError::UnsafeRealm { host: self.host(), realm: shown(&realm, REFUSAL_CHARS_MAX) }),
        }
    }

    fn with_password(&self, request: RequestBuilder) -> RequestBuilder {
        match self.login.basic() {
            Some((user, password)) => request.basic_auth(user, Some(password)),
            None => request,
        }
    }

    fn pass(&self) -> Pass {
        self.pass.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Registries may have blobs uploaded to other hosts; a login does not go there.
    fn is_home(&self, url: &Url) -> bool {
        url.origin() == self.base.origin()
    }

    /// How long a transfer of `bytes` may take in all.
    fn longest(&self, bytes: usize) -> Duration {
        self.client.settings.answer_max + Duration::from_secs(bytes as u64 / BYTES_PER_SECOND_MIN)
    }

    fn denied(&self, said: Said) -> RemoteError {
        RemoteError::Denied { host: self.host(), repository: self.repository.to_owned(), said }
    }

    fn refused_login(&self, at: &Url) -> RemoteError {
        match self.login {
            Login::Anonymous => RemoteError::LoginNeeded(self.host()),
            Login::Password { user, .. } => RemoteError::LoginRefused { host: host(at), user: user.clone() },
            Login::IdentityToken(_) => RemoteError::LoginRefused { host: host(at), user: "the identity token".to_owned() },
        }
    }
}

/// For errors: a redirect or a realm may name any host.
fn host(url: &Url) -> String {
    let host = shown(&url.host_str().unwrap_or_default(), REFUSAL_CHARS_MAX);
    url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"))
}
