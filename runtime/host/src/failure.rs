//! Why a call of a guest gave no result, told from wasmtime's errors.

use std::{collections::BTreeSet, fmt};

use wasmtime::{FrameInfo, PoolConcurrencyLimitError, Trap, WasmBacktrace};

use crate::{
    capability::log::visible,
    limits::{BACKTRACE_FRAMES_MAX, FAULT_TEXT_BYTES_MAX},
    state::MemoryLimitReached,
};

/// What went wrong, where a caller would act differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The arguments are not of the function's type; nothing ran.
    BadArguments,
    /// No such interface or function; nothing ran.
    NoSuchFunction,
    /// Every instance of the pool is busy; nothing ran.
    Overloaded,
    /// The guest panicked.
    Panic,
    /// The guest trapped.
    Trap,
    /// The guest's stack ran out.
    StackOverflow,
    /// No result before the deadline.
    Deadline,
    /// The call's processor time ran out.
    CpuLimit,
    /// The call's memory ran out.
    MemoryLimit,
    /// More wanted to leave the guest in one crossing than the call allows.
    OutputTooLarge,
}

impl FailureKind {
    /// A stable name, kebab-case.
    pub fn name(self) -> &'static str {
        match self {
            FailureKind::BadArguments => "bad-arguments",
            FailureKind::NoSuchFunction => "no-such-function",
            FailureKind::Overloaded => "overloaded",
            FailureKind::Panic => "panic",
            FailureKind::Trap => "trap",
            FailureKind::StackOverflow => "stack-overflow",
            FailureKind::Deadline => "deadline",
            FailureKind::CpuLimit => "cpu-limit",
            FailureKind::MemoryLimit => "memory-limit",
            FailureKind::OutputTooLarge => "output-too-large",
        }
    }

    /// What its author can do about it; a buyer cannot.
    pub fn remedy(self) -> Option<&'static str> {
        match self {
            FailureKind::CpuLimit => Some("raise `[limits] cpu-per-call` in agent.toml"),
            FailureKind::MemoryLimit => Some("raise `[limits] memory` in agent.toml"),
            _ => None,
        }
    }

    /// May the guest have done something before it failed?
    pub fn may_have_effect(self) -> bool {
        !matches!(self, FailureKind::BadArguments | FailureKind::NoSuchFunction | FailureKind::Overloaded)
    }

    /// Is the same call sensible again later?
    pub fn may_pass_later(self) -> bool {
        matches!(self, FailureKind::Overloaded | FailureKind::Deadline)
    }
}

/// A call of a guest that gave no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong.
    pub kind: FailureKind,
    /// In words, with what a buyer can do.
    pub message: String,
    /// The end of what the guest wrote to stderr; a panic says there why.
    pub stderr: Option<String>,
    /// Where in the guest, innermost first; names only where the component was not stripped.
    pub backtrace: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// The call's processor time ran out.
#[derive(Debug, thiserror::Error)]
#[error("processor time of {ms_max} ms used up")]
pub(crate) struct CpuLimitReached {
    pub(crate) ms_max: u64,
}

/// The result is larger than the call allows.
#[derive(Debug, thiserror::Error)]
#[error("a result of {bytes} bytes")]
pub(crate) struct ResultTooLarge {
    pub(crate) bytes: usize,
}

impl Failure {
    /// The words for its author: with [`FailureKind::remedy`].
    pub fn for_author(&self) -> String {
        self.kind.remedy().map_or_else(|| self.message.clone(), |remedy| format!("{}; or {remedy}", self.message))
    }

    pub(crate) fn new(kind: FailureKind, message: impl Into<String>) -> Failure {
        Failure { kind, message: message.into(), stderr: None, backtrace: Vec::new() }
    }

    /// Reads wasmtime's error. `what` names the call; `output_bytes_max` is the limit that lifting obeys.
    pub(crate) fn read(error: &wasmtime::Error, what: &str, output_bytes_max: usize, stderr: Option<String>) -> Failure {
        let (kind, why) = classify(error, output_bytes_max, stderr.as_deref());
        let mut message = format!("{what} {why}");
        message.truncate(message.floor_char_boundary(FAULT_TEXT_BYTES_MAX));
        Failure { kind, message, stderr, backtrace: backtrace(error) }
    }
}

fn classify(error: &wasmtime::Error, output_bytes_max: usize, stderr: Option<&str>) -> (FailureKind, String) {
    let output = || {
        let why = format!("wanted to hand over more than {output_bytes_max} bytes at once; return less, or in parts");
        (FailureKind::OutputTooLarge, why)
    };
    if let Some(limit) = error.downcast_ref::<CpuLimitReached>() {
        let why = format!("used up its {} ms of processor time; send less at once", limit.ms_max);
        return (FailureKind::CpuLimit, why);
    }
    if let Some(limit) = error.downcast_ref::<MemoryLimitReached>() {
        let why = format!("wanted more than its {} bytes of memory; send less at once", limit.bytes_max);
        return (FailureKind::MemoryLimit, why);
    }
    if error.downcast_ref::<PoolConcurrencyLimitError>().is_some() {
        return (FailureKind::Overloaded, "found every instance of the node busy; try again later".into());
    }
    if error.downcast_ref::<ResultTooLarge>().is_some() || format!("{error:#}").contains("fuel allocated for hostcalls") {
        return output();
    }
    match error.downcast_ref::<Trap>() {
        Some(trap) if *trap == Trap::StackOverflow || (*trap == Trap::MemoryOutOfBounds && recurses(error)) => {
            (FailureKind::StackOverflow, "ran out of stack; is there a recursion without end?".into())
        }
        Some(Trap::UnreachableCodeReached) if stderr.is_some_and(|text| text.contains("panicked at")) => {
            let text = stderr.unwrap_or_default();
            let said = text.find("panicked at").map_or(text, |at| &text[at..]);
            (FailureKind::Panic, said.to_owned())
        }
        Some(trap) => (FailureKind::Trap, format!("trapped: {trap}")),
        None => (FailureKind::Trap, format!("broke: {}", visible(&error.root_cause().to_string()))),
    }
}

/// Compilers keep a second stack in linear memory; when it runs out first, the trap is one of memory, and the trace shows
/// few functions many times.
fn recurses(error: &wasmtime::Error) -> bool {
    let Some(trace) = error.downcast_ref::<WasmBacktrace>() else { return false };
    let functions: BTreeSet<_> = trace.frames().iter().map(FrameInfo::func_index).collect();
    trace.frames().len() >= BACKTRACE_FRAMES_MAX && functions.len() <= BACKTRACE_FRAMES_MAX / 4
}

fn backtrace(error: &wasmtime::Error) -> Vec<String> {
    let Some(trace) = error.downcast_ref::<WasmBacktrace>() else { return Vec::new() };
    let frames = trace.frames().iter().take(BACKTRACE_FRAMES_MAX);
    let names = frames.map(|frame| match frame.func_name() {
        Some(name) => visible(&format!("{:#}", rustc_demangle::demangle(name))),
        None => format!("function {} of `{}`", frame.func_index(), frame.module().name().unwrap_or("?")),
    });
    names.collect()
}
