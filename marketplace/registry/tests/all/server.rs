//! A registry in this process, by the OCI distribution specification 1.1: uploads whole and in chunks, digests checked, manifests
//! by tag and digest whose blobs must be there, referrers, logins with passwords and tokens. It can be told to misbehave.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use hansa_economy::Digest;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};

/// What a registry keeps, for all its repositories.
#[derive(Default)]
pub(crate) struct Store {
    /// By repository and `sha256:…`.
    pub(crate) blobs: BTreeMap<(String, String), Bytes>,
    /// Media type and bytes, by repository and `sha256:…`.
    pub(crate) manifests: BTreeMap<(String, String), (String, Bytes)>,
    /// By repository and tag.
    pub(crate) tags: BTreeMap<(String, String), String>,
    uploads: BTreeMap<String, Vec<u8>>,
    /// `PUT /v2/…`, with who asked.
    pub(crate) log: Vec<(String, Option<String>)>,
}

/// Whom a registry lets in.
#[derive(Clone, Default)]
pub(crate) enum Door {
    /// Everybody.
    #[default]
    Open,
    /// Whoever has this `Basic …`.
    Password(String),
    /// Whoever has a token; a service at `realm` gives it: to read to everybody, to write to whoever has this `Basic …`.
    Token {
        /// A URL.
        realm: String,
        /// `Basic …`.
        writer: String,
        /// `refresh_token` of the one who may write too.
        refresh: String,
    },
}

/// How a registry is.
#[derive(Clone, Default)]
pub(crate) struct Ways {
    pub(crate) door: Door,
    /// Does it note subjects by itself?
    pub(crate) knows_referrers: bool,
    /// `Basic …` of one who gets tokens for reading alone.
    pub(crate) reader: Option<String>,
    /// Where blobs and uploads are sent on to: `http://host`.
    pub(crate) elsewhere: Option<String>,
    /// What it does wrong.
    pub(crate) fault: Option<Fault>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Blobs come without a length and without an end.
    Endless,
    /// Blobs begin and then nothing comes.
    Stuck,
    /// No answer to anything.
    Silent,
    /// Manifests of 2 MiB.
    LongManifest,
    /// Every answer is a status of 429.
    TooMany,
    /// Uploads are opened nowhere.
    NoLocation,
    /// Another digest than it was given.
    OtherDigest,
    /// A redirect to itself.
    Round,
}

/// A running registry; it ends when it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    pub(crate) store: Arc<Mutex<Store>>,
    task: AbortHandle,
}

pub(crate) type Answer = Response<BoxBody<Bytes, std::io::Error>>;

impl Server {
    pub(crate) async fn open() -> Server {
        Server::start(Ways::default()).await
    }

    pub(crate) async fn start(ways: Ways) -> Server {
        Server::over(Arc::default(), |_| ways).await
    }

    /// A registry over what another one has kept; its ways may depend on where it listens.
    pub(crate) async fn over(store: Arc<Mutex<Store>>, ways: impl FnOnce(&str) -> Ways) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let registry = Arc::new(Registry { ways: ways(&address.to_string()), store: store.clone() });
        let accept = async move {
            let mut connections = JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                connections.spawn(serve(TokioIo::new(socket), registry.clone()));
            }
        };
        Server { address, store, task: tokio::spawn(accept).abort_handle() }
    }

    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    /// End all connections and listen no longer.
    pub(crate) fn kill(&self) -> impl Fn() + Send + Sync + 'static {
        let task = self.task.clone();
        move || task.abort()
    }

    pub(crate) fn kept(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Requests of one connection.
pub(crate) async fn serve<S>(socket: TokioIo<S>, registry: Arc<Registry>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let answer = service_fn(move |request| {
        let registry = registry.clone();
        async move { Ok::<Answer, Infallible>(registry.answer(request).await) }
    });
    // A client that leaves early is no matter.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(socket, answer).await;
}

/// The registry behind the socket.
pub(crate) struct Registry {
    pub(crate) ways: Ways,
    pub(crate) store: Arc<Mutex<Store>>,
}

impl Registry {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap()
    }

    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let (head, body) = request.into_parts();
        let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (path, query) = (head.uri.path().to_owned(), head.uri.query().unwrap_or_default().to_owned());
        self.store().log.push((format!("{} {path}", head.method), header("authorization")));
        match self.ways.fault {
            Some(Fault::Silent) => std::future::pending().await,
            Some(Fault::TooMany) => return refuse(429, "TOOMANYREQUESTS"),
            Some(Fault::Round) => return location(307, &path),
            _ => {}
        }
        let Ok(body) = body.collect().await else { return refuse(400, "SIZE_INVALID") };
        let body = body.to_bytes();
        if path == "/token" {
            return self.token(&query, header("authorization"), &body);
        }
        let writes = !matches!(head.method, Method::GET | Method::HEAD);
        if let Some(answer) = self.keep_out(header("authorization"), writes) {
            return answer;
        }
        let Some(rest) = path.strip_prefix("/v2/") else { return refuse(404, "NAME_UNKNOWN") };
        for (kind, manifests) in [("/manifests/", true), ("/blobs/", false)] {
            if let Some((repository, which)) = rest.split_once(kind) {
                let call = Call { method: &head.method, repository, which, query: &query, body };
                let media_type = header("content-type").unwrap_or_default();
                return if manifests {
                    self.manifest(&call, &media_type)
                } else {
                    self.blob(&call, header("content-range").as_deref())
                };
            }
        }
        refuse(404, "NAME_UNKNOWN")
    }

    fn token(&self, query: &str, who: Option<String>, form: &[u8]) -> Answer {
        let Door::Token { writer, refresh, .. } = &self.ways.door else { return refuse(404, "NAME_UNKNOWN") };
        let form = String::from_utf8_lossy(form).into_owned();
        let asked = format!("{query}&{form}");
        let writes = asked.contains("push");
        let fits = match (&who, form.is_empty()) {
            (Some(who), _) => who == writer || Some(who) == self.ways.reader.as_ref(),
            (None, false) => asked.contains(&format!("refresh_token={refresh}")),
            (None, true) => true,
        };
        let known = who.is_some() || !form.is_empty();
        if !fits || !asked.contains("service=test") || !asked.contains("scope=repository%3Aacme%2Ftranslator%3Apull") {
            return refuse(401, "UNAUTHORIZED");
        }
        let reader = who.as_ref().is_some_and(|who| Some(who) == self.ways.reader.as_ref());
        let token = if writes && known && !reader { "may-write" } else { "may-read" };
        respond(200, Full::from(json!({ "access_token": token }).to_string()))
    }

    fn keep_out(&self, who: Option<String>, writes: bool) -> Option<Answer> {
        let (challenge, fits) = match &self.ways.door {
            Door::Open => return None,
            Door::Password(right) => ("Basic realm=\"test\"".to_owned(), who.as_ref() == Some(right)),
            Door::Token { realm, .. } => {
                let fits = match who.as_deref() {
                    Some("Bearer may-write") => true,
                    Some("Bearer may-read") => !writes,
                    _ => false,
                };
                (format!("Bearer realm=\"{realm}\",service=\"test\""), fits)
            }
        };
        let mut answer = refuse(401, "UNAUTHORIZED");
        answer.headers_mut().insert("www-authenticate", challenge.parse().unwrap());
        (!fits).then_some(answer)
    }

    fn blob(&self, call: &Call<'_>, range: Option<&str>) -> Answer {
        if let Some(upload) = call.which.strip_prefix("uploads/") {
            return self.upload(call, upload, range);
        }
        let Some(bytes) = self.store().blobs.get(&call.key(call.which)).cloned() else { return refuse(404, "BLOB_UNKNOWN") };
        match (call.method, self.ways.fault, &self.ways.elsewhere) {
            (&Method::GET, Some(Fault::Endless), _) => endless(),
            (&Method::GET, Some(Fault::Stuck), _) => stuck(&bytes),
            (&Method::GET, _, Some(host)) => location(307, &format!("{host}/v2/{}/blobs/{}", call.repository, call.which)),
            (&Method::GET | &Method::HEAD, ..) => respond(200, Full::from(bytes)),
            _ => refuse(405, "UNSUPPORTED"),
        }
    }

    fn upload(&self, call: &Call<'_>, upload: &str, range: Option<&str>) -> Answer {
        let mut store = self.store();
        let place = |id: &str| {
            let host = self.ways.elsewhere.as_deref().unwrap_or_default();
            format!("{host}/v2/{}/blobs/uploads/{id}?state=x", call.repository)
        };
        match *call.method {
            Method::POST if self.ways.fault == Some(Fault::NoLocation) => respond(202, Full::default()),
            Method::POST => {
                let id = format!("u{}", store.uploads.len());
                store.uploads.insert(id.clone(), Vec::new());
                location(202, &place(&id))
            }
            Method::PATCH | Method::PUT => {
                let Some(kept) = store.uploads.get_mut(upload) else { return refuse(404, "BLOB_UPLOAD_UNKNOWN") };
                if range.is_some_and(|range| !range.starts_with(&format!("{}-", kept.len()))) {
                    return refuse(416, "RANGE_INVALID");
                }
                kept.extend_from_slice(&call.body);
                if call.method == Method::PATCH {
                    return location(202, &place(upload));
                }
                let (bytes, digest) = (Bytes::from(std::mem::take(kept)), call.digest());
                if digest.as_deref() != Some(&sha256(&bytes)) {
                    return refuse(400, "DIGEST_INVALID");
                }
                store.uploads.remove(upload);
                store.blobs.insert(call.key(&sha256(&bytes)), bytes);
                location(201, "/done")
            }
            _ => refuse(405, "UNSUPPORTED"),
        }
    }

    fn manifest(&self, call: &Call<'_>, media_type: &str) -> Answer {
        if call.method == Method::PUT {
            return self.put_manifest(call, media_type);
        }
        if self.ways.fault == Some(Fault::LongManifest) {
            return respond(200, Full::from(vec![b' '; 2 << 20]));
        }
        let store = self.store();
        let digest = store.tags.get(&call.key(call.which)).cloned().unwrap_or_else(|| call.which.to_owned());
        let Some((media_type, bytes)) = store.manifests.get(&call.key(&digest)).cloned() else {
            return refuse(404, "MANIFEST_UNKNOWN");
        };
        let mut answer = respond(200, Full::from(bytes));
        answer.headers_mut().insert("content-type", media_type.parse().unwrap());
        answer.headers_mut().insert("docker-content-digest", digest.parse().unwrap());
        answer
    }

    fn put_manifest(&self, call: &Call<'_>, media_type: &str) -> Answer {
        let Ok(manifest) = serde_json::from_slice::<Value>(&call.body) else { return refuse(400, "MANIFEST_INVALID") };
        let mut store = self.store();
        let layers = manifest["layers"].as_array().cloned().unwrap_or_default();
        let named = layers.iter().chain([&manifest["config"]]).filter_map(|layer| layer["digest"].as_str());
        let lost = named.filter(|digest| !store.blobs.contains_key(&call.key(digest))).count();
        let digest = sha256(&call.body);
        let by_digest = call.which.starts_with("sha256:");
        if manifest["mediaType"] != media_type || (by_digest && call.which != digest) || lost > 0 {
            return refuse(400, if lost > 0 { "MANIFEST_BLOB_UNKNOWN" } else { "MANIFEST_INVALID" });
        }
        store.manifests.insert(call.key(&digest), (media_type.to_owned(), call.body.clone()));
        if !by_digest {
            store.tags.insert(call.key(call.which), digest.clone());
        }
        let mut answer = location(201, "/done");
        let told = if self.ways.fault == Some(Fault::OtherDigest) { sha256(b"") } else { digest };
        answer.headers_mut().insert("docker-content-digest", told.parse().unwrap());
        if let Some(subject) = manifest["subject"]["digest"].as_str().filter(|_| self.ways.knows_referrers) {
            answer.headers_mut().insert("oci-subject", subject.parse().unwrap());
        }
        answer
    }
}

struct Call<'a> {
    method: &'a Method,
    repository: &'a str,
    which: &'a str,
    query: &'a str,
    body: Bytes,
}

impl Call<'_> {
    fn key(&self, which: &str) -> (String, String) {
        (self.repository.to_owned(), which.to_owned())
    }

    fn digest(&self) -> Option<String> {
        let value = self.query.split('&').find_map(|pair| pair.strip_prefix("digest="))?;
        Some(value.replace("%3A", ":"))
    }
}

/// `sha256:…`
pub(crate) fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", Digest::of(bytes))
}

fn respond(status: u16, body: Full<Bytes>) -> Answer {
    let mut answer = Response::new(body.map_err(|never| match never {}).boxed());
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
    answer
}

fn refuse(status: u16, code: &str) -> Answer {
    let errors = json!({ "errors": [{ "code": code, "message": "as the specification has it", "detail": {} }] });
    respond(status, Full::from(errors.to_string()))
}

fn location(status: u16, place: &str) -> Answer {
    let mut answer = respond(status, Full::default());
    answer.headers_mut().insert("location", place.parse().unwrap());
    answer
}

fn endless() -> Answer {
    let pieces = stream::repeat_with(|| Ok(Frame::data(Bytes::from_static(&[0; 4096]))));
    Response::new(BodyExt::boxed(StreamBody::new(pieces)))
}

fn stuck(bytes: &Bytes) -> Answer {
    let first = stream::iter([Ok(Frame::data(bytes.slice(..bytes.len() / 2)))]);
    Response::new(BodyExt::boxed(StreamBody::new(first.chain(stream::pending()))))
}
