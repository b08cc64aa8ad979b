//! The engine of this process: pool, interruption, compile cache and the linker that all agents share.

use std::{path::PathBuf, sync::Arc, time::Duration};

use sha2::{Digest as _, Sha256};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig,
    component::{Component, Linker},
};

use crate::{apart::Compiler, cache::Cache, capability, kept::Idle, limits::*, program::Program, state::State, ticker::Ticker};

/// How values cross between guest memory and wire bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Crossing {
    /// Straight from memory to bytes and back; byte lists are copied as a whole. Falls back to `Values` for
    /// exports that take more than sixteen flat parameters.
    #[default]
    Direct,
    /// Through wasmtime's dynamic values: its documented interface, but a hundred times slower for byte lists.
    Values,
}

/// Settings of a host. Memory that is reserved is address space only; it is used when guests run.
#[derive(Debug, Clone)]
pub struct HostOptions {
    /// Most instances at the same time; a call beyond is refused as overloaded. Default 128.
    pub pool_instances: u32,
    /// Most memory that any one instance may have, in bytes; agents' own limits lie below. Default 256 MiB.
    pub memory_bytes_max: usize,
    /// Memory that a slot of the pool keeps between calls, in bytes: reuse without page faults. Default 16 MiB.
    pub keep_resident_bytes: usize,
    /// How often a running guest lets others run and its budget is checked. Default 5 ms.
    pub tick: Duration,
    /// Where compiled components are kept; none compiles anew at every start. Default none.
    pub cache_folder: Option<PathBuf>,
    /// The process in which components are compiled, so that what they cost is bounded; none compiles in this one. Needs a cache
    /// folder. Default none.
    pub compiler: Option<Compiler>,
    /// Same results on every machine: canonical NaNs and fixed relaxed SIMD, at two to four times the cost of float
    /// loops. Clocks and random numbers stay real. Default off.
    pub deterministic: bool,
    /// How values cross. Default direct.
    pub crossing: Crossing,
}

impl Default for HostOptions {
    fn default() -> Self {
        HostOptions {
            pool_instances: 128,
            memory_bytes_max: 256 << 20,
            keep_resident_bytes: 16 << 20,
            tick: Duration::from_millis(5),
            cache_folder: None,
            compiler: None,
            deterministic: false,
            crossing: Crossing::Direct,
        }
    }
}

/// Why a host cannot start.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The engine refuses its settings, or the system its memory.
    #[error("cannot start the WASM engine: {0}; lower `pool_instances` if address space is short")]
    Engine(String),
    /// The cache folder cannot be made.
    #[error("cannot open the folder `{folder}` for compiled components: {error}")]
    Cache {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// No thread for the epoch's heartbeat.
    #[error("cannot start the epoch thread: {0}")]
    Thread(std::io::Error),
}

/// Why bytes are not a program.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// They are something else.
    #[error("not a component: {0}")]
    NotAComponent(&'static str),
    /// They are too many.
    #[error("a component of {bytes} bytes; at most {COMPONENT_BYTES_MAX} are compiled")]
    TooLarge {
        /// How many they are.
        bytes: usize,
    },
    /// They are a damaged component, or one that uses features that are switched off.
    #[error("the component cannot be compiled: {0}")]
    Invalid(String),
    /// Compiling it takes more than this node gives to one component.
    #[error("compiling the component takes {0}; make it smaller, or leave out what it does not need")]
    TooCostly(String),
    /// The process that compiles does not work.
    #[error("components cannot be compiled on this node: {0}; look at the node's log")]
    Apart(String),
}

/// The engine of this process; clones are cheap and share it.
#[derive(Clone)]
pub struct Host {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) options: HostOptions,
    pub(crate) engine: Engine,
    pub(crate) ticker: Ticker,
    /// Every capability; agents' linkers are clones with their market imports added.
    pub(crate) linker: Linker<State>,
    /// Instances that wait for their next call.
    pub(crate) idle: Idle,
    cache: Option<Cache>,
}

impl Host {
    /// Starts the engine and its heartbeat.
    ///
    /// # Errors
    /// See [`HostError`].
    pub fn new(options: HostOptions) -> Result<Host, HostError> {
        let engine = Engine::new(&config(&options)).map_err(|error| HostError::Engine(format!("{error:#}")))?;
        let linker = base_linker(&engine).map_err(|error| HostError::Engine(format!("{error:#}")))?;
        let cache = options
            .cache_folder
            .as_deref()
            .map(|folder| Cache::open(folder).map_err(|error| HostError::Cache { folder: folder.to_owned(), error }));
        let cache = cache.transpose()?;
        let ticker = Ticker::start(engine.clone(), options.tick).map_err(HostError::Thread)?;
        let idle = Idle::new(options.pool_instances as usize / 2);
        Ok(Host { shared: Arc::new(Shared { options, engine, ticker, linker, idle, cache }) })
    }

    /// Compiles a component, or loads its compiled form from the cache. Blocks: tens of milliseconds to seconds.
    ///
    /// # Errors
    /// See [`CompileError`].
    pub fn compile(&self, bytes: &[u8]) -> Result<Arc<Program>, CompileError> {
        check_header(bytes)?;
        let digest: [u8; 32] = Sha256::digest(bytes).into();
        let component = match self.shared.cache.as_ref().and_then(|cache| cache.load(&self.shared.engine, &digest)) {
            Some(component) => component,
            None => self.compile_anew(bytes, &digest)?,
        };
        Ok(Arc::new(Program::new(component, digest)))
    }

    fn compile_anew(&self, bytes: &[u8], digest: &[u8; 32]) -> Result<Component, CompileError> {
        let Shared { engine, options, cache, .. } = &*self.shared;
        let invalid = |error: wasmtime::Error| CompileError::Invalid(format!("{error:#}"));
        let Some(cache) = cache else { return Component::from_binary(engine, bytes).map_err(invalid) };
        let compiled = match &options.compiler {
            Some(compiler) => compiler.compile(bytes, options)?,
            None => engine.precompile_component(bytes).map_err(invalid)?,
        };
        cache.save(engine, digest, &compiled);
        match (cache.load(engine, digest), &options.compiler) {
            (Some(component), _) => Ok(component),
            (None, None) => Component::from_binary(engine, bytes).map_err(invalid),
            (None, Some(_)) => Err(CompileError::Apart("its compiled form cannot be kept or does not fit this engine".into())),
        }
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("options", &self.shared.options).finish_non_exhaustive()
    }
}

fn base_linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    capability::add_to_linker(&mut linker)?;
    Ok(linker)
}

pub(crate) fn config(options: &HostOptions) -> Config {
    let instances = options.pool_instances.max(1);
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(CORE_INSTANCES_PER_COMPONENT_MAX / 2))
        .total_memories(instances.saturating_add(instances / 4))
        .total_tables(instances.saturating_mul(TABLES_PER_COMPONENT_MAX / 4))
        .total_stacks(instances)
        .max_core_instances_per_component(CORE_INSTANCES_PER_COMPONENT_MAX)
        .max_memories_per_component(MEMORIES_PER_COMPONENT_MAX)
        .max_tables_per_component(TABLES_PER_COMPONENT_MAX)
        .table_elements(TABLE_ELEMENTS_MAX)
        .max_memory_size(options.memory_bytes_max)
        .linear_memory_keep_resident(options.keep_resident_bytes)
        .table_keep_resident(64 << 10)
        .pagemap_scan(Enabled::Auto);
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .memory_init_cow(true)
        .epoch_interruption(true)
        .max_wasm_stack(WASM_STACK_BYTES_MAX)
        .async_stack_size(FIBER_STACK_BYTES)
        .wasm_component_model_async(true)
        .wasm_memory64(false)
        .cranelift_nan_canonicalization(options.deterministic)
        .relaxed_simd_deterministic(options.deterministic);
    config
}

/// Says what the bytes are where they are no component (WebAssembly's binary format: magic, version, layer).
fn check_header(bytes: &[u8]) -> Result<(), CompileError> {
    let what = match bytes {
        [0, b'a', b's', b'm', 0x0d, 0, 1, 0, ..] if bytes.len() > COMPONENT_BYTES_MAX => {
            return Err(CompileError::TooLarge { bytes: bytes.len() });
        }
        [0, b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => return Ok(()),
        [] => "no bytes",
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => {
            "a core WASM module; build for `wasm32-wasip2`, or wrap it with `wasm-tools component new`"
        }
        [0, b'a', b's', b'm', ..] => "a WASM binary of a version that this node does not know",
        [b'(', ..] => "WASM text; turn it into a binary with `wasm-tools parse`",
        [0x7f, b'E', b'L', b'F', ..] => "a native program; build for `wasm32-wasip2`",
        _ => "no WASM binary",
    };
    Err(CompileError::NotAComponent(what))
}
