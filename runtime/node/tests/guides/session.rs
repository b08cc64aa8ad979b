//! A reader at a terminal: one shell, a folder that was empty, and commands left running in other terminals.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::parse::{How, Step, fits};
use crate::shared::{tools, workspace};

/// Each block is a shell of its own that goes on where the one before ended: in its folder, with its exported variables.
const GO_ON: &str = "set -euo pipefail\n[ ! -f \"$GUIDE_STATE\" ] || . \"$GUIDE_STATE\"\n";
const HAND_ON: &str = "trap 'code=$?; { export -p; printf \"cd %q\\n\" \"$PWD\"; } > \"$GUIDE_STATE\"; exit $code' EXIT\n";
/// Seconds that one block may take: the first build compiles the SDK.
const BLOCK_S_MAX: u32 = 900;
/// How long a command in the background may take until it has said what it should, and to end.
const BACKGROUND_MAX: Duration = Duration::from_secs(60);

/// What lies in the reader's folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Desk {
    /// Nothing.
    Empty,
    /// The checkout's agents, samples and guides.
    Checkout,
}

/// The terminal.
pub(crate) struct Session {
    folder: tempfile::TempDir,
    desk: Desk,
    background: Vec<Child>,
}

impl Session {
    pub(crate) fn new(desk: Desk) -> Session {
        let folder = tempfile::tempdir().unwrap();
        let work = folder.path().join("work");
        std::fs::create_dir(&work).unwrap();
        for name in ["agents", "docs", "samples"].into_iter().filter(|_| desk == Desk::Checkout) {
            std::os::unix::fs::symlink(workspace().join(name), work.join(name)).unwrap();
        }
        Session { folder, desk, background: Vec::new() }
    }

    /// Does one step of a guide. Error: what went wrong, with what was printed.
    pub(crate) fn follow(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Write { path, text } => write(&self.path(path), text),
            Step::Edit { path, old, new } => edit(&self.path(path), old, new),
            Step::Run { script, how: How::Background, expected } => self.leave_running(script, expected.as_deref()),
            Step::Run { script, how, expected } => self.run(script, *how, expected.as_deref()),
        }
    }

    /// Everything that was left running has ended by itself.
    pub(crate) fn end(mut self) -> Result<(), String> {
        let until = Instant::now() + BACKGROUND_MAX;
        for mut child in std::mem::take(&mut self.background) {
            while child.try_wait().unwrap().is_none() {
                if Instant::now() > until {
                    self.background.push(child);
                    return Err("the guide ends, and a command in the background does not".into());
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        Ok(())
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join("work").join(below)
    }

    /// The program and the tools are found; nothing of whoever runs the test is.
    fn command(&self, program: &str, output: &File) -> Command {
        let mut command = Command::new(program);
        let hansa = Path::new(env!("CARGO_BIN_EXE_hansa")).parent().unwrap().to_owned();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let paths = [hansa, tools().join("bin")].into_iter().chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(paths).unwrap());
        if self.desk == Desk::Empty {
            // One target folder for all guides: what their agents stand on is built once.
            command.env("CARGO_TARGET_DIR", workspace().join("target/templates"));
        }
        command.env("GUIDE_STATE", self.folder.path().join("state"));
        for name in ["HANSA_HOME", "HANSA_NATS", "HANSA_LOG"] {
            command.env_remove(name);
        }
        command.current_dir(self.folder.path().join("work")).stdin(Stdio::null());
        command.stdout(output.try_clone().unwrap()).stderr(output.try_clone().unwrap());
        command
    }

    fn run(&self, script: &str, how: How, expected: Option<&str>) -> Result<(), String> {
        let log = self.folder.path().join("output");
        let mut command = self.command("timeout", &File::create(&log).unwrap());
        let script = [GO_ON, HAND_ON, script].concat();
        let status = command.arg(BLOCK_S_MAX.to_string()).args(["bash", "-c", &script]).status().unwrap();
        let printed = std::fs::read_to_string(&log).unwrap();
        if status.success() != (how == How::Succeeds) {
            return Err(format!("it ended with {status}, and printed:\n{printed}"));
        }
        match expected {
            Some(expected) if !fits(expected, &printed, true) => Err(differs(expected, &printed)),
            _ => Ok(()),
        }
    }

    fn leave_running(&mut self, script: &str, expected: Option<&str>) -> Result<(), String> {
        let log = self.folder.path().join(format!("background-{}", self.background.len()));
        // `exec`: the shell becomes the program, so that ending the one ends the other.
        let script = format!("{GO_ON}exec {script}");
        let child = self.command("bash", &File::create(&log).unwrap()).args(["-c", &script]).spawn().unwrap();
        self.background.push(child);
        let until = Instant::now() + BACKGROUND_MAX;
        loop {
            let printed = std::fs::read_to_string(&log).unwrap();
            let expected = expected.unwrap_or_default();
            if fits(expected, &printed, false) {
                return Ok(());
            }
            let ended = self.background.last_mut().and_then(|child| child.try_wait().unwrap());
            if ended.is_some() || Instant::now() > until {
                return Err(differs(expected, &printed));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Session {
    /// A guide that broke off leaves its node behind: it is asked to end, and takes its nats-server along.
    fn drop(&mut self) {
        if self.background.is_empty() {
            return;
        }
        let _ = Command::new(env!("CARGO_BIN_EXE_hansa")).arg("down").current_dir(self.path("")).status();
        let until = Instant::now() + BACKGROUND_MAX;
        for child in &mut self.background {
            while Instant::now() < until && matches!(child.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(50));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::create_dir_all(path.parent().unwrap()).map_err(|error| error.to_string())?;
    std::fs::write(path, text).map_err(|error| error.to_string())
}

fn edit(path: &Path, old: &str, new: &str) -> Result<(), String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    match text.matches(old).count() {
        1 => write(path, &text.replacen(old, new, 1)),
        count => Err(format!("the lines to change stand {count} times in {}:\n{old}\nwhich is:\n{text}", path.display())),
    }
}

fn differs(expected: &str, printed: &str) -> String {
    format!("it should print:\n{expected}\nand printed:\n{printed}")
}
