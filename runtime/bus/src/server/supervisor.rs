//! The thread that starts the server, watches it, starts it again, and stops it.
//!
//! A thread and not a task, because on Linux the signal at the parent's death is bound to the *thread* that started
//! the child: a worker thread of a runtime may end long before the process.

use std::fs::OpenOptions;
use std::io::Read as _;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::{ServerState, StartError};
use crate::limits::{SERVER_RESTART_DELAY_MAX, SERVER_RESTART_DELAY_MIN, SERVER_WATCH_POLL, SERVER_WELL_AFTER};

/// What it takes to start the server once more.
#[derive(Debug)]
pub(super) struct Launch {
    pub(super) binary: PathBuf,
    pub(super) config: PathBuf,
    pub(super) log_file: PathBuf,
    pub(super) address: SocketAddr,
}

/// An order to the supervisor.
#[derive(Debug)]
pub(super) enum Order {
    /// From now on, start the server again when it dies. Before that, its death ends the supervisor.
    KeepAlive,
    /// Stop it.
    Stop {
        /// Time to end by itself.
        grace: Duration,
    },
}

type Handles = (watch::Receiver<ServerState>, mpsc::Sender<Order>, JoinHandle<()>);

/// Starts the server and its supervisor; returns once the process exists.
pub(super) fn start(launch: Launch) -> Result<Handles, StartError> {
    let (orders, inbox) = mpsc::channel();
    let (started, first) = mpsc::sync_channel(1);
    let binary = launch.binary.clone();
    let spawn_error = move |reason: String| StartError::Spawn { binary: binary.clone(), reason };
    let run = move || {
        let child = match launch.spawn() {
            Ok(child) => child,
            Err(error) => return drop(started.send(Err(error.to_string()))),
        };
        let states = watch::Sender::new(ServerState::Running { pid: child.id() });
        if started.send(Ok(states.subscribe())).is_ok() {
            Supervisor { launch, states, inbox, keep_alive: false }.run(child);
        }
    };
    let thread = std::thread::Builder::new().name("nats-server".to_owned()).spawn(run);
    let thread = thread.map_err(|error| spawn_error(error.to_string()))?;
    match first.recv() {
        Ok(Ok(states)) => Ok((states, orders, thread)),
        Ok(Err(reason)) => Err(spawn_error(reason)),
        Err(_) => Err(spawn_error("its supervisor ended".to_owned())),
    }
}

impl Launch {
    fn spawn(&self) -> std::io::Result<Child> {
        // What it says before it opens its own log (a broken configuration) goes to the same file.
        let log = OpenOptions::new().create(true).append(true).open(&self.log_file)?;
        let mut command = Command::new(&self.binary);
        command.arg("-c").arg(&self.config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        tie_to_this_thread(&mut command);
        command.spawn()
    }
}

/// Puts the server into a process group of its own, so that an interrupt from the terminal reaches only us and we
/// stop the server last; on Linux, also has it killed when we die.
#[cfg(unix)]
fn tie_to_this_thread(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    command.process_group(0);
    #[cfg(target_os = "linux")]
    {
        let parent = std::process::id();
        #[expect(unsafe_code, reason = "pre_exec; the closure only makes two system calls, both async-signal-safe")]
        // SAFETY: between fork and exec only async-signal-safe functions may run: prctl and getppid are plain system
        // calls, and an `io::Error` made from an error number does not allocate.
        unsafe {
            command.pre_exec(move || die_with(parent));
        }
    }
}

#[cfg(not(unix))]
fn tie_to_this_thread(_command: &mut Command) {}

#[cfg(target_os = "linux")]
fn die_with(parent: u32) -> std::io::Result<()> {
    #[expect(unsafe_code, reason = "prctl and getppid have no safe form in std")]
    // SAFETY: prctl(PR_SET_PDEATHSIG) takes a signal number and touches no memory; getppid always succeeds.
    let (set, now) = unsafe { (libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL), libc::getppid()) };
    if set != 0 {
        return Err(std::io::Error::last_os_error());
    }
    // The parent may have died before prctl took effect; then no signal would ever come.
    if u32::try_from(now) != Ok(parent) {
        return Err(std::io::Error::from_raw_os_error(libc::ESRCH));
    }
    Ok(())
}

struct Supervisor {
    launch: Launch,
    states: watch::Sender<ServerState>,
    inbox: mpsc::Receiver<Order>,
    keep_alive: bool,
}

/// Why watching a process ended.
enum Watched {
    Died(String),
    Stop(Duration),
}

impl Supervisor {
    fn run(mut self, mut child: Child) {
        let mut delay = SERVER_RESTART_DELAY_MIN;
        loop {
            let begun = Instant::now();
            match self.watch(&mut child) {
                Watched::Stop(grace) => {
                    let exit = stop(&mut child, grace);
                    return drop(self.states.send_replace(ServerState::Stopped { exit }));
                }
                Watched::Died(exit) if !self.keep_alive => {
                    return drop(self.states.send_replace(ServerState::Stopped { exit }));
                }
                Watched::Died(exit) => {
                    delay = next_delay(delay, begun.elapsed());
                    match self.restart(exit, &mut delay) {
                        Some(again) => child = again,
                        None => return,
                    }
                }
            }
        }
    }

    /// Watches until the process dies or an order to stop arrives; a vanished owner is one.
    fn watch(&mut self, child: &mut Child) -> Watched {
        loop {
            match self.inbox.recv_timeout(SERVER_WATCH_POLL) {
                Ok(Order::KeepAlive) => self.keep_alive = true,
                Ok(Order::Stop { grace }) => return Watched::Stop(grace),
                Err(RecvTimeoutError::Disconnected) => return Watched::Stop(Duration::ZERO),
                Err(RecvTimeoutError::Timeout) => {}
            }
            match child.try_wait() {
                Ok(Some(status)) => return Watched::Died(status.to_string()),
                Ok(None) => {}
                Err(error) => return Watched::Died(error.to_string()),
            }
        }
    }

    /// Starts the server again, as often as it takes; `None` when ordered to stop meanwhile.
    fn restart(&mut self, exit: String, delay: &mut Duration) -> Option<Child> {
        let mut exit = exit;
        loop {
            let last_words = last_words(&self.launch.log_file);
            tracing::warn!(exit, last_words, ?delay, "nats-server died, starting it again");
            self.states.send_replace(ServerState::Down { exit });
            match self.inbox.recv_timeout(*delay) {
                Ok(Order::KeepAlive) | Err(RecvTimeoutError::Timeout) => {}
                Ok(Order::Stop { .. }) | Err(RecvTimeoutError::Disconnected) => {
                    self.states.send_replace(ServerState::Stopped { exit: "it was down".to_owned() });
                    return None;
                }
            }
            match self.start_again() {
                Ok(child) => {
                    self.states.send_replace(ServerState::Running { pid: child.id() });
                    return Some(child);
                }
                Err(error) => exit = error.to_string(),
            }
            *delay = (*delay * 2).min(SERVER_RESTART_DELAY_MAX);
        }
    }

    fn start_again(&self) -> std::io::Result<Child> {
        // Another process may have taken the port meanwhile: better seen here than as a server that dies at once.
        drop(TcpListener::bind(self.launch.address)?);
        self.launch.spawn()
    }
}

fn next_delay(delay: Duration, lived: Duration) -> Duration {
    if lived >= SERVER_WELL_AFTER { SERVER_RESTART_DELAY_MIN } else { (delay * 2).min(SERVER_RESTART_DELAY_MAX) }
}

/// Asks the server to end, kills it when the grace time is over, and collects it in any case.
fn stop(child: &mut Child, grace: Duration) -> String {
    let deadline = Instant::now() + grace;
    ask_to_end(child);
    while Instant::now() < deadline {
        if let Ok(Some(status)) = child.try_wait() {
            return status.to_string();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    // Fails only for a process that is gone already; `wait` collects it either way.
    let _gone = child.kill();
    child.wait().as_ref().map_or_else(ToString::to_string, ExitStatus::to_string)
}

#[cfg(unix)]
fn ask_to_end(child: &Child) {
    let Ok(pid) = libc::pid_t::try_from(child.id()) else { return };
    #[expect(unsafe_code, reason = "std can only kill, not ask")]
    // SAFETY: kill touches no memory. The process is our child and not yet collected, so the id is still its own.
    let _gone = unsafe { libc::kill(pid, libc::SIGTERM) };
}

#[cfg(not(unix))]
fn ask_to_end(_child: &Child) {}

/// The last line of the log, without the server's stamp, or what is left of it.
pub(super) fn last_words(log: &Path) -> String {
    let mut text = String::new();
    let read = std::fs::File::open(log).and_then(|mut file| {
        use std::io::{Seek as _, SeekFrom};
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(4096)))?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail)?;
        text = String::from_utf8_lossy(&tail).into_owned();
        Ok(())
    });
    let line = text.lines().rfind(|line| !line.trim().is_empty());
    match (read, line) {
        (Ok(()), Some(line)) => format!("`{}`", line.trim()),
        _ => "none".to_owned(),
    }
}
