//! Compiling strangers' components in a process of its own, whose processor time and memory are bounded: a component that takes
//! minutes or gigabytes costs its publisher an error and not the node its life.
//!
//! The parent runs a program that calls [`compile_if_asked`] first thing, hands it the component on standard input, and reads the
//! compiled form from standard output. The child sets its own limits before it reads a byte.

use std::io::{self, Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::thread;

use wasmtime::Engine;

use crate::host::{CompileError, HostOptions, config};
use crate::limits::{
    COMPILE_CPU_S_MAX, COMPILE_MEMORY_BYTES_MAX, COMPILED_BYTES_MAX, COMPONENT_BYTES_MAX, STDERR_TAIL_BYTES_MAX,
};

/// The first argument of a program that is to compile.
const ASKED: &str = "--compile-a-component";
/// The child's exit code where the component is at fault; its standard error says why.
const INVALID: u8 = 3;
/// The child's exit code where the system refused it memory.
const NO_MEMORY: u8 = 4;

/// A program that compiles, and what it may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiler {
    /// A program that calls [`compile_if_asked`] at its beginning.
    pub program: PathBuf,
    /// Processor time of all its threads, in seconds.
    pub cpu_s_max: u32,
    /// Memory that it may write to, in bytes.
    pub memory_bytes_max: u64,
}

impl Compiler {
    /// `program` with the usual limits.
    pub fn new(program: impl Into<PathBuf>) -> Compiler {
        Compiler { program: program.into(), cpu_s_max: COMPILE_CPU_S_MAX, memory_bytes_max: COMPILE_MEMORY_BYTES_MAX }
    }

    /// The compiled form of a component, for an engine with these options.
    pub(crate) fn compile(&self, bytes: &[u8], options: &HostOptions) -> Result<Vec<u8>, CompileError> {
        let started = |error: io::Error| CompileError::Apart(format!("cannot run {}: {error}", self.program.display()));
        let numbers =
            [self.cpu_s_max.into(), self.memory_bytes_max, options.memory_bytes_max as u64, u64::from(options.deterministic)];
        let mut command = Command::new(&self.program);
        command.arg(ASKED).args(numbers.map(|number| number.to_string()));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(started)?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (compiled, said) = thread::scope(|scope| {
            // A child that ends early closes its input; its exit status says why.
            scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(bytes)));
            let said = scope.spawn(move || read(stderr, 64 * STDERR_TAIL_BYTES_MAX));
            let compiled = read(stdout, COMPILED_BYTES_MAX);
            (compiled, said.join().unwrap_or_default())
        });
        let status = child.wait().map_err(started)?;
        match status.success() && compiled.len() < COMPILED_BYTES_MAX {
            true => Ok(compiled),
            false => Err(self.failure(status, &String::from_utf8_lossy(&said))),
        }
    }

    fn failure(&self, status: ExitStatus, said: &str) -> CompileError {
        let seconds = self.cpu_s_max;
        let mib = self.memory_bytes_max >> 20;
        match (status.code(), status.signal()) {
            (Some(0), _) => CompileError::TooCostly(format!("a compiled form of more than {} MiB", COMPILED_BYTES_MAX >> 20)),
            (Some(code), _) if code == i32::from(INVALID) => CompileError::Invalid(said.trim().to_owned()),
            (_, Some(libc::SIGXCPU | libc::SIGKILL)) => {
                CompileError::TooCostly(format!("more than {seconds} s of processor time"))
            }
            (Some(code), _) if code == i32::from(NO_MEMORY) => CompileError::TooCostly(format!("more than {mib} MiB of memory")),
            (_, Some(libc::SIGABRT)) => CompileError::TooCostly(format!("more than {mib} MiB of memory")),
            _ => CompileError::Apart(format!("it ended with {status}: {}", said.trim())),
        }
    }
}

/// What comes, up to `bytes_max`.
fn read(from: Option<impl io::Read>, bytes_max: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        // What was read so far is what there is: a broken pipe is the end of the other side.
        let _ = from.take(bytes_max as u64).read_to_end(&mut bytes);
    }
    bytes
}

/// Compiles and ends, where this process was started by a [`Compiler`]; else does nothing. To be called first thing in `main`, while
/// there is one thread only.
pub fn compile_if_asked() -> Option<ExitCode> {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() != Some(ASKED) {
        return None;
    }
    let numbers: Vec<u64> = args.filter_map(|text| text.parse().ok()).collect();
    let &[cpu_s_max, memory_bytes_max, instance_bytes_max, deterministic] = &numbers[..] else {
        return Some(refuse("not asked by a node"));
    };
    if let Err(error) = limit(cpu_s_max, memory_bytes_max) {
        return Some(refuse(&format!("no limits can be set: {error}")));
    }
    let options = HostOptions {
        pool_instances: 1,
        memory_bytes_max: usize::try_from(instance_bytes_max).unwrap_or(usize::MAX),
        deterministic: deterministic != 0,
        ..HostOptions::default()
    };
    Some(match compiled(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            // The parent reads it; where it is gone nobody does.
            let _ = writeln!(io::stderr(), "{why}");
            // The system's own words in the compiler's error, as the C library numbers them; or the standard library's.
            let is_memory = why.contains(&format!("os error {}", libc::ENOMEM)) || why.contains("out of memory");
            ExitCode::from(if is_memory { NO_MEMORY } else { INVALID })
        }
    })
}

fn refuse(why: &str) -> ExitCode {
    // Nobody may be there to read it.
    let _ = writeln!(io::stderr(), "{why}");
    ExitCode::FAILURE
}

fn compiled(options: &HostOptions) -> Result<(), String> {
    let mut bytes = Vec::new();
    io::stdin().lock().take(COMPONENT_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    let engine = Engine::new(&config(options)).map_err(|error| format!("{error:#}"))?;
    let compiled = engine.precompile_component(&bytes).map_err(|error| format!("{error:#}"))?;
    io::stdout().lock().write_all(&compiled).map_err(|error| error.to_string())
}

/// Bounds this process, and ends it when its parent ends.
fn limit(cpu_s_max: u64, memory_bytes_max: u64) -> io::Result<()> {
    // Memory that is only reserved, as the engine's pool does, does not count as data.
    for (what, most) in [(libc::RLIMIT_CPU, cpu_s_max), (libc::RLIMIT_DATA, memory_bytes_max), (libc::RLIMIT_CORE, 0)] {
        let limit = libc::rlimit { rlim_cur: most, rlim_max: most };
        // SAFETY: the call reads a struct that lives until it returns.
        if unsafe { libc::setrlimit(what, &limit) } != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    #[cfg(target_os = "linux")]
    // SAFETY: the call takes a number and changes nothing but this process's own setting.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
    }
    Ok(())
}
