//! Every upper bound of this crate, with its unit.

/// Runs into which one request for tensors of many rows is cut, so that others come in between.
pub const PIECES_MAX: u32 = 64;

/// Bytes of a `hansa-model.toml`.
pub const MANIFEST_BYTES_MAX: u64 = 1 << 20;
/// Bytes of a graph: protobuf, and with it ONNX without external data, ends at 2 GiB.
pub const GRAPH_BYTES_MAX: u64 = 1 << 31;
/// Bytes of any other file of a package, such as one of weights.
pub const FILE_BYTES_MAX: u64 = 1 << 37;
/// Files that a package may list.
pub const FILES_MAX: usize = 64;
/// Ports on each side of a model: the keys and values of a decoder's layers, and a few more.
pub const PORTS_MAX: usize = 2 * LAYERS_MAX as usize + 64;
/// Dimensions of a tensor or port.
pub const RANK_MAX: usize = 8;
/// Nesting of graphs inside graphs in an ONNX file.
pub const GRAPH_DEPTH_MAX: usize = 32;
/// Characters of a model's name.
pub const NAME_CHARS_MAX: usize = 64;
/// Items of one call: texts, examples.
pub const ITEMS_MAX: usize = 256;
/// Bytes of one text.
pub const TEXT_BYTES_MAX: usize = 64 << 10;
/// Bytes of one example to classify.
pub const EXAMPLE_BYTES_MAX: usize = 16 << 20;
/// Bytes of all input tensors of one raw call.
pub const TENSOR_BYTES_MAX: usize = 64 << 20;
/// Bytes of all output tensors of one raw call, as far as the ports tell.
pub const OUTPUT_BYTES_MAX: u64 = 256 << 20;
/// Tokens of one row, whatever a manifest says.
pub const TOKENS_MAX: u32 = 32_768;
/// Text bytes from which tokenising moves off the async worker: about a millisecond of work.
pub const INLINE_TEXT_BYTES_MAX: usize = 8 << 10;
/// Elements of one raw input that make a unit of the meter.
pub const ELEMENTS_PER_UNIT: u64 = 1024;
/// Bytes of inputs that may wait per model.
pub const QUEUE_BYTES_MAX: u64 = 512 << 20;
/// Bytes of inputs that one tenant may have waiting per model; a single call may have more.
pub const QUEUE_TENANT_BYTES_MAX: u64 = 128 << 20;
/// Milliseconds that `overloaded` asks a caller to wait at most.
pub const RETRY_MS_MAX: u32 = 60_000;
/// Tenants without waiting work whose place in the fair order is remembered.
pub const IDLE_TENANTS_MAX: usize = 4096;
/// Labels of a classifier.
pub const LABELS_MAX: usize = 65_536;
/// Layers of a decoder; each needs two ports on each side.
pub const LAYERS_MAX: u32 = 512;
/// Heads of a decoder's keys and values.
pub const HEADS_MAX: u32 = 1024;
/// Numbers of one head.
pub const HEAD_SIZE_MAX: u32 = 4096;
/// Tokens that a decoder knows.
pub const VOCAB_MAX: u32 = 1 << 22;
/// Tokens that end a decoder's answer.
pub const EOS_MAX: usize = 64;
/// Levels of priority that a request may have: 0 = interactive to 3 = batch.
pub const PRIORITIES: usize = 4;
/// Rows of one run.
pub const BATCH_ROWS_MAX: u32 = 128;
/// Tenants with counters of their own, per model.
pub const TENANTS_COUNTED_MAX: usize = 256;
/// How long a load waits for others to leave memory.
pub const MEMORY_WAIT: std::time::Duration = std::time::Duration::from_secs(30);
/// Bytes of a JSON file of an export, the tokenizer's own apart.
pub const CONFIG_BYTES_MAX: u64 = 16 << 20;
/// Files in a tar that is added.
pub const TAR_FILES_MAX: usize = 256;
/// Bytes of one prompt: its text, or its messages after the chat template.
pub const PROMPT_BYTES_MAX: usize = 1 << 20;
/// Messages of one chat.
pub const MESSAGES_MAX: usize = 4096;
/// Stop strings of one generation.
pub const STOPS_MAX: usize = 8;
/// Bytes of one stop string.
pub const STOP_BYTES_MAX: usize = 256;
/// Highest temperature of sampling.
pub const TEMPERATURE_MAX: f32 = 10.0;
/// Fuel of one run of a chat template: an instruction or 64 bytes of data take one.
pub const TEMPLATE_FUEL: u64 = 1_000_000;
/// Calls inside calls in a chat template.
pub const TEMPLATE_DEPTH_MAX: usize = 64;
/// Tokens of context with which streamed tokens are turned into text.
pub const TEXT_CONTEXT_TOKENS: usize = 4;
/// Tokens after which the window of the streamed text moves on even inside a broken character.
pub const TEXT_WINDOW_TOKENS_MAX: usize = 64;
/// Sequences that one decoder steps at once.
pub const ROWS_MAX: usize = 64;
/// Prompt tokens that a decoder reads between two steps, so that a long prompt does not hold up the others' tokens.
pub const PREFILL_TOKENS_MAX: usize = 128;
/// Generated tokens that may wait for a slow reader before its sequence pauses.
pub const UNREAD_TOKENS_MAX: usize = 256;
/// Generated tokens by which a tenant may be ahead of one that waits, before its running sequence is set aside.
pub const AHEAD_TOKENS_MAX: u64 = 64;
/// Bytes of keys and values that one decoder keeps, unless the operator says otherwise.
pub const CACHE_BYTES_MAX: u64 = 1 << 30;
