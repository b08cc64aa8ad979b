//! Every upper bound of the host, with its unit.

/// Largest component that is compiled, in bytes.
pub const COMPONENT_BYTES_MAX: usize = 64 << 20;
/// Processor time that compiling one component may take in a process of its own, in seconds.
pub const COMPILE_CPU_S_MAX: u32 = 120;
/// Memory that compiling one component may take in a process of its own, in bytes.
pub const COMPILE_MEMORY_BYTES_MAX: u64 = 3 << 30;
/// Most bytes of a component's compiled form.
pub const COMPILED_BYTES_MAX: usize = 1 << 30;
/// Deepest nesting of a WIT type that crosses the market, in levels.
pub const TYPE_DEPTH_MAX: u32 = 32;
/// Most type nodes in one function's signature (a record of records counts each use).
pub const TYPE_NODES_MAX: u32 = 4096;
/// Most bytes of arguments or of a result on the slow path, whose values take some forty bytes of memory each.
pub const VALUES_BYTES_MAX: usize = 8 << 20;
/// Most bytes of arguments that a call may carry.
pub const ARGUMENTS_BYTES_MAX: usize = 64 << 20;
/// Longest text of a fault or a failure, in bytes; longer texts are cut.
pub const FAULT_TEXT_BYTES_MAX: usize = 4096;
/// Longest line handed to the log, in bytes; longer lines are split.
pub const LOG_LINE_BYTES_MAX: usize = 4096;
/// How much of the end of a guest's stderr a failure repeats, in bytes.
pub const STDERR_TAIL_BYTES_MAX: usize = 2048;
/// Most frames of a wasm backtrace that a failure shows.
pub const BACKTRACE_FRAMES_MAX: usize = 16;
/// Longest key of an agent's store, in bytes.
pub const STORE_KEY_BYTES_MAX: usize = 512;
/// Most generations that one call may have open.
pub const GENERATIONS_MAX: usize = 16;
/// Most `wasi:nn` tensors that one call may hold. Their bytes count towards the call's memory.
pub const NN_TENSORS_MAX: usize = 256;
/// Most `wasi:nn` graphs that one call may hold.
pub const NN_GRAPHS_MAX: usize = 32;
/// Most `wasi:nn` execution contexts that one call may hold.
pub const NN_CONTEXTS_MAX: usize = 64;
/// Most host resources (streams, buckets, pollables, tensors) that one instance may hold open.
pub const RESOURCES_MAX: usize = 1024;
/// Most random bytes that one request of a guest yields.
pub const RANDOM_BYTES_MAX: u64 = 64 << 10;
/// Most core instances, tables and memories in one component.
pub const CORE_INSTANCES_PER_COMPONENT_MAX: u32 = 16;
/// Most tables in one component.
pub const TABLES_PER_COMPONENT_MAX: u32 = 16;
/// Most linear memories in one component.
pub const MEMORIES_PER_COMPONENT_MAX: u32 = 2;
/// Most elements of one table.
pub const TABLE_ELEMENTS_MAX: usize = 20_000;
/// Room on the stack for wasm frames, in bytes.
pub const WASM_STACK_BYTES_MAX: usize = 512 << 10;
/// Room on the stack for wasm frames and the host functions that they call, in bytes.
pub const FIBER_STACK_BYTES: usize = 2 << 20;
/// Least and most time that a tender waits for bids, in milliseconds; the contract's numbers.
pub const TENDER_WAIT_MS_MIN: u32 = 50;
/// See [`TENDER_WAIT_MS_MIN`].
pub const TENDER_WAIT_MS_MAX: u32 = 10_000;
/// What an agent publishes at once on a topic, in bytes.
pub const TOPIC_BYTES_MAX: usize = 256 << 10;
