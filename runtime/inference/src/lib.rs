//! ONNX Runtime for a node: model packages, sessions, a fair queue per model, text pipelines and the meter.
//!
//! A part like the others: [`InferenceOptions`] in, a cheap handle [`Inference`] out, one [`Error`]. Without a usable
//! runtime library it starts all the same, says so in [`Inference::status`] and lists no models.
//!
//! ```no_run
//! use hansa_inference::{Inference, InferenceOptions, Request};
//!
//! # async fn example() -> hansa_inference::Result<()> {
//! let inference = Inference::start(InferenceOptions::from_tools(".tools".as_ref()));
//! let texts = vec!["a cat on the sill".to_owned(), "ein Vertrag".to_owned()];
//! let found = inference.embed(&Request::new("reader"), "minilm", texts).await?;
//! assert_eq!(found.data.len(), 2 * found.dims as usize);
//! # Ok(())
//! # }
//! ```

mod backend;
mod error;
mod funds;
mod generate;
mod golden;
mod import;
mod inference;
mod info;
pub mod limits;
mod listing;
mod memory;
mod metrics;
mod model;
mod package;
mod pipeline;
mod providers;
mod random;
mod requests;
mod scheduler;
mod tensor;
mod usage;

pub use backend::examine::{Examination, Finding, ProviderExamination, examine};
#[cfg(any(test, feature = "testing"))]
pub use backend::fake::{FakeBackend, POISON};
pub use error::{BadShape, Error, Result};
pub use funds::{Charge, Funds, Hold, HoldFuture, Unpaid};
pub use generate::{Event, Finish, Generation, Message, Prompt, Sampling};
pub use import::{ImportError, ImportOptions, Imported, REMOVING, add_model};
pub use inference::{Inference, InferenceOptions, Request};
pub use info::{
    DeviceClass, EngineStatus, ModelInfo, ModelState, ModelStatus, Provider, ProviderKind, RefusedPackage, Status, Task,
};
pub use listing::Relisted;
pub use metrics::{BATCH_ROWS_BOUNDS, Histogram, ModelMetrics, OTHER_TENANTS, QUEUE_US_BOUNDS, TenantMetrics};
pub use package::{FileSummary, MANIFEST_FILE, PackageError, PackageSummary, packages_in, read_package, verify_package};
pub use providers::{CudaSettings, ProviderSettings, TensorrtSettings, WebgpuSettings};
pub use requests::{Embeddings, Example, Label, Labels, Outcome, Ranked, Ranking};
pub use scheduler::table::RunCost;
pub use tensor::{Dim, Dtype, Port, Tensor};
pub use usage::{Rates, Usage};
