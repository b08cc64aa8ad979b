//! The HTTP door of the engine: programs that know nothing of Hansa begin runs of deployed workflows, ask how they stand, and tell them things. Whoever
//! comes must bring the token that lies in the node's folder.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hansa_economy::digest::hex;
use hansa_economy::{Amount, Digest};
use hansa_workflow::run::Change;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, WWW_AUTHENTICATE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::engine::Engine;
use super::orders::{Order, Steer};
use super::starting::Start;
use crate::ambient;

/// Where the token lies in the node's folder.
pub(crate) const TOKEN_FILE: &str = "http.token";
/// Bytes of a request's body.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Connections at the same time; further ones wait.
const CONNECTIONS_MAX: usize = 256;
/// How long a request's head may take to come.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a request may take, its answer included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// Letters of an idempotency key.
const KEY_LETTERS_MAX: usize = 200;
/// The header that makes a start happen once, however often it is sent (draft-ietf-httpapi-idempotency-key-header).
const ONCE: &str = "idempotency-key";
/// Pause after a connection could not be taken.
const PAUSE: Duration = Duration::from_millis(200);

/// A run to begin.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Wish {
    workflow: String,
    #[serde(default)]
    input: Map<String, Value>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    budget: Option<Amount>,
}

/// A person's word.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Word {
    approved: bool,
    by: String,
    #[serde(default)]
    step: Option<String>,
    #[serde(default)]
    note: Option<String>,
}

/// What is answered: a status and JSON.
type Answer = (StatusCode, Value);

/// Answers requests until it is dropped.
pub(crate) struct Door {
    listener: TcpListener,
    token: Digest,
}

impl Door {
    /// Listen at `address`, for those who have the token of `folder`; it is made there if there is none.
    ///
    /// # Errors
    /// The address is taken, or the token cannot be read or written.
    pub(crate) async fn open(address: SocketAddr, folder: &Path) -> Result<Door, String> {
        let token = token(&folder.join(TOKEN_FILE))?;
        let listener = TcpListener::bind(address).await;
        let listener =
            listener.map_err(|error| format!("HTTP cannot be served at {address}: {error}; choose another `workflow.http`"))?;
        Ok(Door { listener, token: Digest::of(token.as_bytes()) })
    }

    pub(crate) async fn serve(self, engine: Engine) {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        loop {
            let place = places.clone().acquire_owned().await.expect("it is never closed");
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let (engine, token) = (engine.clone(), self.token);
                    tokio::spawn(async move {
                        converse(stream, engine, token).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "an HTTP connection was not taken");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

/// The token in `path`, readable by its owner only; made if there is none.
fn token(path: &Path) -> Result<String, String> {
    let wrong = |error: std::io::Error| format!("the token file {} cannot be used: {error}", path.display());
    match fs::read_to_string(path) {
        Ok(text) if text.trim().len() >= 32 => return Ok(text.trim().to_owned()),
        Ok(_) => return Err(format!("the token file {} holds no token; delete it, and a new one is made", path.display())),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(wrong(error)),
    }
    let token = hex(&ambient::random::<32>());
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(wrong)?;
    writeln!(file, "{token}").and_then(|()| file.sync_all()).map_err(wrong)?;
    Ok(token)
}

async fn converse(stream: TcpStream, engine: Engine, token: Digest) {
    let service = service_fn(move |request| {
        let engine = engine.clone();
        async move {
            let answered = tokio::time::timeout(REQUEST_TIMEOUT, answer(&engine, token, request)).await;
            let late = || (StatusCode::GATEWAY_TIMEOUT, json!({ "error": "it takes too long; look whether it was done" }));
            Ok::<_, std::convert::Infallible>(response(answered.unwrap_or_else(|_| late())))
        }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    if let Err(error) = builder.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "an HTTP connection broke");
    }
}

fn response((status, value): Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(value.to_string() + "\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, "application/json".parse().expect("a header's letters"));
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, "Bearer".parse().expect("a header's letters"));
    }
    response
}

async fn answer(engine: &Engine, token: Digest, request: Request<Incoming>) -> Answer {
    if !is_known(request.headers(), token) {
        let what = format!("bring the token that lies in the node's `{TOKEN_FILE}`: `Authorization: Bearer TOKEN`");
        return wrong(StatusCode::UNAUTHORIZED, what);
    }
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return wrong(StatusCode::PAYLOAD_TOO_LARGE, format!("a body has at most {BODY_BYTES_MAX} bytes")),
    };
    let path: Vec<&str> = head.uri.path().trim_matches('/').split('/').collect();
    let done = match (&head.method, &path[..]) {
        (&Method::POST, ["runs"]) => start(engine, &head.headers, &body).await,
        (&Method::GET, ["runs", run]) => show(engine, run).await,
        (&Method::POST, ["runs", run, "signals", name]) => signal(engine, run, name, &body).await,
        (&Method::POST, ["runs", run, "approvals"]) => approve(engine, run, &body).await,
        (_, ["runs"] | ["runs", _] | ["runs", _, "approvals"] | ["runs", _, "signals", _]) => {
            return wrong(StatusCode::METHOD_NOT_ALLOWED, format!("{} is not for {}", head.method, head.uri.path()));
        }
        _ => {
            let what = "there are POST /runs, GET /runs/RUN, POST /runs/RUN/signals/NAME and POST /runs/RUN/approvals";
            return wrong(StatusCode::NOT_FOUND, what.to_owned());
        }
    };
    done.unwrap_or_else(|answer| answer)
}

/// Digests are compared, so that the time it takes says nothing of the token.
fn is_known(headers: &HeaderMap, token: Digest) -> bool {
    let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|text| text.strip_prefix("Bearer "));
    given.is_some_and(|given| Digest::of(given.trim().as_bytes()) == token)
}

fn wrong(status: StatusCode, what: String) -> Answer {
    (status, json!({ "error": what }))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Answer> {
    serde_json::from_slice(body)
        .map_err(|error| wrong(StatusCode::BAD_REQUEST, format!("the body is not as it should be: {error}")))
}

fn refused(what: String) -> Answer {
    wrong(StatusCode::UNPROCESSABLE_ENTITY, what)
}

fn missing(what: String) -> Answer {
    wrong(StatusCode::NOT_FOUND, what)
}

/// A run of a deployed workflow. With an idempotency key the same request begins one run, however often it comes.
async fn start(engine: &Engine, headers: &HeaderMap, body: &[u8]) -> Result<Answer, Answer> {
    let Wish { workflow, input, labels, budget } = read(body)?;
    let file = engine.inner.files.newest(&workflow).await.map_err(missing)?;
    let start = Start { file, input, labels, budget, by: "HTTP".to_owned() };
    let key = match headers.get(ONCE).map(|key| key.to_str()) {
        None => None,
        Some(Ok(key)) if !key.is_empty() && key.len() <= KEY_LETTERS_MAX => Some(key),
        Some(_) => {
            let what = format!("an idempotency key has 1 to {KEY_LETTERS_MAX} letters of ASCII");
            return Err(wrong(StatusCode::BAD_REQUEST, what));
        }
    };
    let (run, is_new) = match key {
        Some(key) => engine.begin_once(start, key).await.map_err(refused)?,
        None => (engine.begin(start).await.map_err(refused)?, true),
    };
    Ok((if is_new { StatusCode::CREATED } else { StatusCode::OK }, json!({ "run": run })))
}

/// How a run stands, and what it gave.
async fn show(engine: &Engine, run: &str) -> Result<Answer, Answer> {
    let summary = engine.summary_of(run).map_err(missing)?;
    let mut shown = serde_json::to_value(&summary).map_err(|error| refused(error.to_string()))?;
    if summary.state.is_over() {
        let entries = engine.inner.journals.read(&summary.run, 0).await;
        let entries = entries.map_err(|error| wrong(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
        let ended = entries.into_iter().flat_map(|placed| placed.entry.changes).find_map(|change| match change {
            Change::Ended { output, .. } => output,
            _ => None,
        });
        shown["output"] = ended.unwrap_or(Value::Null);
    }
    Ok((StatusCode::OK, shown))
}

async fn signal(engine: &Engine, run: &str, name: &str, body: &[u8]) -> Result<Answer, Answer> {
    let payload = if body.is_empty() { Value::Null } else { read(body)? };
    let steer = Steer::Signal { run: run.to_owned(), name: name.to_owned(), payload, by: "HTTP".to_owned() };
    steered(engine, steer).await
}

async fn approve(engine: &Engine, run: &str, body: &[u8]) -> Result<Answer, Answer> {
    let Word { approved, by, step, note } = read(body)?;
    steered(engine, Steer::Decide { run: run.to_owned(), step, approved, by: format!("{by} (HTTP)"), note }).await
}

async fn steered(engine: &Engine, steer: Steer) -> Result<Answer, Answer> {
    engine.summary_of(steer.run()).map_err(missing)?;
    let done = engine.order(Order::Steer(steer)).await.map_err(refused)?;
    Ok((StatusCode::OK, if done.is_null() { json!({}) } else { done }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_token_is_made_once_and_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(TOKEN_FILE);
        let first = token(&path).unwrap();
        assert_eq!((first.len(), token(&path).unwrap()), (64, first));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&path, "x").unwrap();
        assert!(token(&path).unwrap_err().contains("delete it"));
    }

    #[test]
    fn who_has_the_token_is_known() {
        let token = Digest::of(b"abc");
        for (given, known) in [
            ("Bearer abc", true),
            ("Bearer  abc", true),
            ("Bearer abd", false),
            ("abc", false),
            ("Basic abc", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, given.parse().unwrap())]);
            assert_eq!(is_known(&headers, token), known, "{given}");
        }
        assert!(!is_known(&HeaderMap::new(), token));
    }
}
