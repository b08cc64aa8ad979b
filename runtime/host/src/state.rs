//! What one instance's store holds, and its streams and memory limit.

use std::{
    io,
    pin::Pin,
    sync::{Arc, atomic::AtomicU64},
    task::{Context, Poll},
};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime::{ResourceLimiter, component::ResourceTable};
use wasmtime_wasi::{
    WasiCtx, WasiCtxView, WasiView,
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, Pollable, StreamResult},
};

use crate::{
    capability::{
        Capabilities,
        log::{LogSource, Output},
    },
    limits::{RANDOM_BYTES_MAX, RESOURCES_MAX, TABLE_ELEMENTS_MAX},
    prepare::Agent,
};

/// The state behind one instance; dropped with it.
pub(crate) struct State {
    wasi: WasiCtx,
    pub(crate) table: ResourceTable,
    pub(crate) memory: MemoryLimit,
    pub(crate) agent: Arc<Agent>,
    pub(crate) capabilities: Capabilities,
    pub(crate) output: Arc<Output>,
    pub(crate) held: Held,
    /// What the guest counted for its customer in this call; read when that is over.
    pub(crate) items: Arc<AtomicU64>,
}

/// How many resources of each bounded kind the guest holds.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) generations: usize,
    pub(crate) tensors: usize,
    pub(crate) graphs: usize,
    pub(crate) contexts: usize,
}

impl State {
    pub(crate) fn new(agent: Arc<Agent>, capabilities: Capabilities, output: Arc<Output>, memory: MemoryLimit) -> Self {
        let wasi = WasiCtx::builder()
            .stdout(GuestStream { output: output.clone(), source: LogSource::Stdout })
            .stderr(GuestStream { output: output.clone(), source: LogSource::Stderr })
            .max_random_size(RANDOM_BYTES_MAX)
            .build();
        let mut table = ResourceTable::new();
        table.set_max_capacity(RESOURCES_MAX);
        State { wasi, table, memory, agent, capabilities, output, held: Held::default(), items: Arc::default() }
    }

    /// The instance's next call begins.
    pub(crate) fn begin(&mut self, capabilities: Capabilities, log_bytes_max: usize) {
        self.output.begin(capabilities.log.clone(), log_bytes_max);
        (self.capabilities, self.items) = (capabilities, Arc::default());
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// The guest asked for more memory than the call allows.
#[derive(Debug, thiserror::Error)]
#[error("memory limit of {bytes_max} bytes reached")]
pub(crate) struct MemoryLimitReached {
    pub(crate) bytes_max: usize,
}

/// Bounds the sum of all linear memories of one instance, and of what it makes the host hold for it. Going beyond is a
/// trap: a failed growth would only make the guest's allocator abort with a less clear message.
pub(crate) struct MemoryLimit {
    pub(crate) bytes_max: usize,
    used: usize,
}

impl MemoryLimit {
    pub(crate) fn new(bytes_max: usize) -> Self {
        MemoryLimit { bytes_max, used: 0 }
    }

    /// Bytes that are not used yet.
    pub(crate) fn left(&self) -> usize {
        self.bytes_max - self.used
    }

    /// Counts bytes that the host holds for the guest, until they are released.
    pub(crate) fn hold(&mut self, bytes: usize) -> Result<(), MemoryLimitReached> {
        if bytes > self.left() {
            return Err(MemoryLimitReached { bytes_max: self.bytes_max });
        }
        self.used += bytes;
        Ok(())
    }

    /// Gives back what was held.
    pub(crate) fn release(&mut self, bytes: usize) {
        self.used -= bytes;
    }
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.hold(desired.saturating_sub(current)).map_err(wasmtime::Error::new)?;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS_MAX)
    }
}

/// A guest's stdout or stderr.
#[derive(Clone)]
struct GuestStream {
    output: Arc<Output>,
    source: LogSource,
}

/// How many bytes a guest may hand over at once.
const STREAM_PERMIT_BYTES: usize = 64 << 10;

impl IsTerminal for GuestStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestStream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for GuestStream {
    async fn ready(&mut self) {}
}

#[wasmtime_wasi::async_trait]
impl OutputStream for GuestStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.output.stream(self.source, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(STREAM_PERMIT_BYTES)
    }
}

impl AsyncWrite for GuestStream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.output.stream(self.source, bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
