//! A `nats-server` of our own: started on loopback with JetStream, watched, started again when it dies, stopped with us.

mod binary;
mod config;
mod port;
mod supervisor;

use std::fs::{File, OpenOptions, TryLockError};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::greeting::{self, Greeting};
use crate::limits::{
    FREE_PORTS_TRIED, GREETING_TIMEOUT, SERVER_PAYLOAD_BYTES_DEFAULT, SERVER_PAYLOAD_BYTES_MAX, SERVER_READY_POLL,
    SERVER_READY_TIMEOUT, SERVER_STOP_GRACE,
};
use crate::name::{BadName, check_name};
use supervisor::{Launch, Order};

pub use binary::BinaryError;

/// How to run a `nats-server`.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// The `nats-server` binary; see [`ManagedServer::find_binary`].
    pub binary: PathBuf,
    /// The address to listen on.
    pub host: IpAddr,
    /// The port to listen on; `None` takes a free one.
    pub port: Option<u16>,
    /// The folder for JetStream and the server's configuration; made where it is missing. One server at a time.
    pub store_dir: PathBuf,
    /// The server's log; turned over at 16 MiB.
    pub log_file: PathBuf,
    /// The server's name, shown to clients: characters `A-Z a-z 0-9 _ -`.
    pub name: String,
    /// Bytes that the server accepts in one message.
    pub max_payload: usize,
}

impl ServerOptions {
    /// A server named `hansa` on a free port of loopback, with its log in the same folder.
    pub fn new(binary: impl Into<PathBuf>, store_dir: impl Into<PathBuf>) -> Self {
        let store_dir = store_dir.into();
        Self {
            binary: binary.into(),
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: None,
            log_file: store_dir.join("nats-server.log"),
            store_dir,
            name: "hansa".to_owned(),
            max_payload: SERVER_PAYLOAD_BYTES_DEFAULT,
        }
    }
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The name is not valid.
    #[error(transparent)]
    BadName(#[from] BadName),
    /// The message size is out of its bounds.
    #[error("max_payload is `{value}` bytes: choose 1 to {SERVER_PAYLOAD_BYTES_MAX}")]
    BadPayload {
        /// The size asked for.
        value: usize,
    },
    /// The port is taken, or may not be used.
    #[error("port {} of {} is in use by {holder}: if that is your node, it runs already; else stop that, choose another port with `hansa up --port PORT`, or use that server: `[bus] url` in node.toml", address.port(), address.ip())]
    PortInUse {
        /// The address asked for.
        address: SocketAddr,
        /// Who has it, as far as can be seen.
        holder: String,
    },
    /// The address cannot be listened on at all.
    #[error("`{address}` cannot be listened on ({reason}): choose an address of this machine and a port above 1023")]
    BadAddress {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        reason: String,
    },
    /// Another process runs a server in the folder.
    #[error("another process runs a nats-server in `{dir}`: stop that one, or choose another folder")]
    StoreInUse {
        /// The folder.
        dir: PathBuf,
    },
    /// A file or folder cannot be used.
    #[error("`{path}` cannot be used ({reason}): check that it exists and may be written")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The binary cannot be run.
    #[error("`{binary}` cannot be run ({reason}): get a working nats-server with `./justw setup`")]
    Spawn {
        /// The binary.
        binary: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The server ended before it was ready.
    #[error("nats-server ended at once ({exit}), its last words: {last_words}; the whole log is `{log}`")]
    Died {
        /// How it ended.
        exit: String,
        /// The end of its log.
        last_words: String,
        /// Its log.
        log: PathBuf,
    },
    /// The server lives but does not answer.
    #[error("nats-server does not answer at `{address}` within {} s: read its log `{log}`", SERVER_READY_TIMEOUT.as_secs())]
    NotReady {
        /// Where it should answer.
        address: SocketAddr,
        /// Its log.
        log: PathBuf,
    },
}

/// What the supervised server does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerState {
    /// It runs as this process.
    Running {
        /// The process id.
        pid: u32,
    },
    /// It ended by itself, as told here; it is about to be started again.
    Down {
        /// How it ended.
        exit: String,
    },
    /// It was stopped, or could not be started at all.
    Stopped {
        /// How it ended.
        exit: String,
    },
}

/// A supervised `nats-server`. Dropping it stops the server and blocks for that, a second at most; to wait without
/// blocking, [`ManagedServer::shutdown`].
///
/// It wants no credentials: whoever can reach its address, on loopback every user of the machine, can connect.
///
/// A server that dies is started again on the same port, after a pause that doubles from 50 ms to 5 s. On Linux the
/// server also dies with this process, however that ends.
#[derive(Debug)]
pub struct ManagedServer {
    address: SocketAddr,
    states: watch::Receiver<ServerState>,
    orders: mpsc::Sender<Order>,
    supervisor: Option<JoinHandle<()>>,
    /// Held for as long as the server runs.
    _store_lock: File,
}

impl ManagedServer {
    /// Starts a server; returns when it answers, JetStream included.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(options: ServerOptions) -> Result<Self, StartError> {
        check_name("server name", &options.name)?;
        if !(1..=SERVER_PAYLOAD_BYTES_MAX).contains(&options.max_payload) {
            return Err(StartError::BadPayload { value: options.max_payload });
        }
        let mut tries_left = FREE_PORTS_TRIED;
        loop {
            let lock = prepare(&options)?;
            let address = port::reserve(options.host, options.port).await?;
            match Self::launch(&options, address, lock).await {
                // Another process took the free port between our look and the server's.
                Err(StartError::Died { last_words, .. })
                    if options.port.is_none() && tries_left > 1 && last_words.contains("address already in use") =>
                {
                    tries_left -= 1;
                }
                outcome => return outcome,
            }
        }
    }

    /// The first of `candidates` that can be run. A bare name, without a folder, is looked up in `PATH`.
    ///
    /// # Errors
    /// [`BinaryError`], which says how to get one.
    pub fn find_binary(candidates: impl IntoIterator<Item = PathBuf>) -> Result<PathBuf, BinaryError> {
        binary::find(candidates)
    }

    async fn launch(options: &ServerOptions, address: SocketAddr, lock: File) -> Result<Self, StartError> {
        let config = config::write(options, address)?;
        let launch = Launch { binary: options.binary.clone(), config, log_file: options.log_file.clone(), address };
        let (states, orders, supervisor) = supervisor::start(launch)?;
        let server = Self { address, states, orders, supervisor: Some(supervisor), _store_lock: lock };
        server.ready(options).await?;
        // From here on a death is answered by starting again.
        let _stopped_meanwhile = server.orders.send(Order::KeepAlive);
        Ok(server)
    }

    async fn ready(&self, options: &ServerOptions) -> Result<(), StartError> {
        let deadline = Instant::now() + SERVER_READY_TIMEOUT;
        while Instant::now() < deadline {
            if let ServerState::Stopped { exit } = self.state() {
                let last_words = supervisor::last_words(&options.log_file);
                return Err(StartError::Died { exit, last_words, log: options.log_file.clone() });
            }
            match greeting::listen(&self.address.to_string(), GREETING_TIMEOUT).await {
                Greeting::Nats(info) if info.server_name == options.name && info.jetstream => return Ok(()),
                _ => sleep(SERVER_READY_POLL).await,
            }
        }
        Err(StartError::NotReady { address: self.address, log: options.log_file.clone() })
    }

    /// The address for clients: `nats://HOST:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What the server does at this moment.
    #[must_use]
    pub fn state(&self) -> ServerState {
        self.states.borrow().clone()
    }

    /// What the server does, for waiting on changes.
    #[must_use]
    pub fn states(&self) -> watch::Receiver<ServerState> {
        self.states.clone()
    }

    /// Stops the server: asks it to end, kills it where it has not after ten seconds. Returns when it is gone.
    pub async fn shutdown(mut self) {
        let _already_ended = self.orders.send(Order::Stop { grace: SERVER_STOP_GRACE });
        // The supervisor drops its sender when it ends, which ends the wait as well.
        let _gone = self.states.wait_for(|state| matches!(state, ServerState::Stopped { .. })).await.is_ok();
        self.join();
    }

    fn join(&mut self) {
        if let Some(supervisor) = self.supervisor.take() {
            let _panicked = supervisor.join();
        }
    }
}

impl Drop for ManagedServer {
    fn drop(&mut self) {
        // A drop blocks its thread: a short grace, which is enough for an idle server.
        let _already_ended = self.orders.send(Order::Stop { grace: Duration::from_secs(1) });
        self.join();
    }
}

/// Makes the folders and takes the lock that keeps a second server away from the store, which would ruin it.
fn prepare(options: &ServerOptions) -> Result<File, StartError> {
    let bad = |path: &Path| {
        let path = path.to_owned();
        move |error: std::io::Error| StartError::File { path, reason: error.to_string() }
    };
    std::fs::create_dir_all(&options.store_dir).map_err(bad(&options.store_dir))?;
    if let Some(folder) = options.log_file.parent() {
        std::fs::create_dir_all(folder).map_err(bad(folder))?;
    }
    let path = options.store_dir.join("in-use.lock");
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(bad(&path))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StartError::StoreInUse { dir: options.store_dir.clone() }),
        Err(TryLockError::Error(error)) => Err(bad(&path)(error)),
    }
}
