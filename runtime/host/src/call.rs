//! One call: a fresh instance, bounded in time, processor time, memory and output, dropped at the end.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use bytes::Bytes;
use wasmtime::{
    PoolConcurrencyLimitError, Store, UpdateDeadline,
    component::{Instance, Val},
};

use crate::{
    capability::{Capabilities, log::Output},
    failure::{CpuLimitReached, Failure, FailureKind, ResultTooLarge},
    kept::Place,
    limits::{ARGUMENTS_BYTES_MAX, VALUES_BYTES_MAX},
    meter::{Meter, Metered},
    prepare::{Export, Prepared},
    raw,
    state::{MemoryLimit, State},
    wire::{cbor, values},
};

/// A call of an agent's function.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// For example `commons:embedding/embedder@0.1.0`; a compatible lower version than the export's will do.
    pub interface: String,
    /// For example `embed`.
    pub function: String,
    /// CBOR array of the arguments.
    pub args: Bytes,
    /// When the result is due; the instance is dropped then.
    pub deadline: Instant,
    /// What the guest may reach during this call.
    pub capabilities: Capabilities,
}

/// What became of a call.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// CBOR of the function's result (which may be a fault, see [`crate::is_fault`]), or why there is none.
    pub result: Result<Bytes, Failure>,
    /// What it took.
    pub timings: Timings,
    /// What the guest counted through `hansa:agent/metering`.
    pub items: u64,
}

const LIFECYCLE: &str = "hansa:agent/lifecycle@0.1.0";
const AUTONOMY: &str = "hansa:agent/autonomy@0.1.0";
const WAKE: &str = "wake";

/// What a call took, in nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timings {
    /// Making the instance.
    pub instantiate_ns: u64,
    /// From the instance to the result, waiting included.
    pub run_ns: u64,
    /// Processor time of both, without that of purchases and capabilities.
    pub cpu_ns: u64,
}

/// Why an agent is woken up; the variant `trigger` of `hansa:agent/autonomy`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// It was started.
    Start,
    /// Its time has come: what `every` or `cron` says.
    Time(String),
    /// Somebody published on a topic that it follows.
    Topic {
        /// The topic.
        topic: String,
        /// What was published.
        payload: Bytes,
    },
    /// What its account can spend has fallen to this.
    Balance(u64),
}

impl Trigger {
    /// The arguments of `wake`.
    fn args(&self) -> Bytes {
        let mut out = Vec::with_capacity(32);
        cbor::put_head(&mut out, cbor::ARRAY, 1);
        let (case, fields) = match self {
            Trigger::Start => (0, 1),
            Trigger::Time(_) => (1, 2),
            Trigger::Topic { .. } => (2, 2),
            Trigger::Balance(_) => (3, 2),
        };
        cbor::put_head(&mut out, cbor::ARRAY, fields);
        cbor::put_head(&mut out, cbor::UNSIGNED, case);
        match self {
            Trigger::Start => {}
            Trigger::Time(what) => cbor::put_text(&mut out, what),
            Trigger::Topic { topic, payload } => {
                cbor::put_head(&mut out, cbor::ARRAY, 2);
                cbor::put_text(&mut out, topic);
                cbor::put_bytes(&mut out, payload);
            }
            Trigger::Balance(units) => cbor::put_head(&mut out, cbor::UNSIGNED, *units),
        }
        out.into()
    }
}

/// A step in an agent's life that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LifecycleError {
    /// The agent said no.
    #[error("the agent refused: {0}")]
    Refused(String),
    /// The agent broke.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl Prepared {
    /// Calls a function in a fresh instance. Dropping the future drops the instance and everything it waits for.
    pub async fn call(&self, invocation: Invocation) -> Outcome {
        let (mut timings, mut items) = (Timings::default(), 0);
        let result = Box::pin(self.checked_call(invocation, &mut timings, &mut items)).await;
        Outcome { result, timings, items }
    }

    /// Tells the agent that it has been deployed; nothing happens where it does not export `hansa:agent/lifecycle`.
    ///
    /// # Errors
    /// The agent refused to start, or broke.
    pub async fn start(&self, capabilities: Capabilities, deadline: Instant) -> Result<(), LifecycleError> {
        self.lifecycle("start", capabilities, deadline).await
    }

    /// Tells the agent that it is about to stop; its last chance to write state.
    ///
    /// # Errors
    /// The agent complained, or broke.
    pub async fn stop(&self, capabilities: Capabilities, deadline: Instant) -> Result<(), LifecycleError> {
        self.lifecycle("stop", capabilities, deadline).await
    }

    /// Does it wake up by itself?
    pub fn wakes(&self) -> bool {
        self.find(AUTONOMY, WAKE).is_some()
    }

    /// Wakes the agent, which exports `hansa:agent/autonomy`.
    ///
    /// # Errors
    /// The agent complained, broke, or does not wake up by itself.
    pub async fn wake(&self, why: &Trigger, capabilities: Capabilities, deadline: Instant) -> Result<(), LifecycleError> {
        self.own(AUTONOMY, WAKE, why.args(), capabilities, deadline).await
    }

    async fn lifecycle(&self, step: &str, capabilities: Capabilities, deadline: Instant) -> Result<(), LifecycleError> {
        if self.find(LIFECYCLE, step).is_none() {
            return Ok(());
        }
        self.own(LIFECYCLE, step, Bytes::from_static(&[0x80]), capabilities, deadline).await
    }

    /// Calls a function that is not sold: it gives `result<_, string>`.
    async fn own(
        &self,
        interface: &str,
        function: &str,
        args: Bytes,
        capabilities: Capabilities,
        deadline: Instant,
    ) -> Result<(), LifecycleError> {
        let (interface, function) = (interface.to_owned(), function.to_owned());
        let outcome = self.call(Invocation { interface, function, args, deadline, capabilities }).await;
        match refusal(&outcome.result?) {
            Some(reason) => Err(LifecycleError::Refused(reason)),
            None => Ok(()),
        }
    }

    async fn checked_call(&self, invocation: Invocation, timings: &mut Timings, items: &mut u64) -> Result<Bytes, Failure> {
        let Invocation { interface, function, args, deadline, capabilities } = invocation;
        let Some(export) = self.find(&interface, &function) else {
            let known: Vec<_> = self.program.exports().iter().map(|export| &*export.name).collect();
            let message = format!("no function `{function}` in `{interface}`; exported: `{}`", known.join("`, `"));
            return Err(Failure::new(FailureKind::NoSuchFunction, message));
        };
        check_args(export, &args)?;
        let what = format!("`{}` of `{}`", function, self.agent.identity.name);
        let (meter, ticking, begun) = (Arc::new(Meter::new()), self.host.shared.ticker.hold(), Instant::now());
        let place = self.place(capabilities);
        let (output, counted) = (place.store.data().output.clone(), place.store.data().items.clone());
        let run = Metered { meter: meter.clone(), future: Box::pin(self.run(export, args, place, meter.clone(), timings)) };
        let finished = tokio::time::timeout_at(deadline.into(), run).await;
        drop(ticking);
        timings.cpu_ns = meter.spent_ns();
        *items = counted.load(Relaxed);
        timings.run_ns = nanoseconds(begun).saturating_sub(timings.instantiate_ns);
        output.finish();
        match finished {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(error)) => Err(Failure::read(&error, &what, self.limits.output_bytes_max, output.stderr_tail())),
            Err(_) => {
                let message = format!(
                    "{what} gave no result within its {} ms, {} ms of them at work; allow more time, or ask for less",
                    begun.elapsed().as_millis(),
                    Duration::from_nanos(timings.cpu_ns).as_millis()
                );
                let stderr = output.stderr_tail();
                Err(Failure { stderr, ..Failure::new(FailureKind::Deadline, message) })
            }
        }
    }

    async fn run(
        &self,
        export: &Export,
        args: Bytes,
        mut place: Place,
        meter: Arc<Meter>,
        timings: &mut Timings,
    ) -> wasmtime::Result<Bytes> {
        let begun = Instant::now();
        let instance = self.instantiate(&mut place, meter).await?;
        timings.instantiate_ns = nanoseconds(begun);
        let result = self.enter(export, args, &mut place.store, instance).await?;
        if result.len() > self.limits.output_bytes_max {
            return Err(wasmtime::Error::new(ResultTooLarge { bytes: result.len() }));
        }
        if let Some(reuse) = self.reuse {
            place.store.data_mut().capabilities = Capabilities::absent();
            self.host.shared.idle.keep(&self.kept, reuse, place);
        }
        Ok(result)
    }

    /// Where a call runs: in an instance that may serve again, or in one that is still to be made.
    fn place(&self, capabilities: Capabilities) -> Place {
        let (log, bytes_max) = (capabilities.log.clone(), self.limits.log_bytes_max);
        let kept = self.reuse.and_then(|reuse| self.host.shared.idle.take(&self.kept, reuse));
        let mut place = match kept {
            Some(mut place) => {
                place.store.data_mut().begin(capabilities, bytes_max);
                place
            }
            None => {
                let memory = MemoryLimit::new(self.limits.memory_bytes_max);
                let state = State::new(self.agent.clone(), capabilities, Output::new(log, bytes_max), memory);
                Place::new(Store::new(&self.host.shared.engine, state))
            }
        };
        place.calls += 1;
        place
    }

    /// The instance of `place`, made where there is none; bounded as one call.
    async fn instantiate(&self, place: &mut Place, meter: Arc<Meter>) -> wasmtime::Result<Instance> {
        let store = &mut place.store;
        store.limiter(|state| &mut state.memory);
        store.set_hostcall_fuel(self.limits.output_bytes_max);
        let ms_max = self.limits.cpu_ms_max;
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |_| {
            if meter.spent_ns_now() / 1_000_000 >= ms_max {
                return Err(wasmtime::Error::new(CpuLimitReached { ms_max }));
            }
            Ok(UpdateDeadline::Yield(1))
        });
        if let Some(instance) = place.instance {
            return Ok(instance);
        }
        let instance = match self.instance.instantiate_async(&mut *store).await {
            Err(error) if error.is::<PoolConcurrencyLimitError>() && self.host.shared.idle.clear() => {
                self.instance.instantiate_async(store).await?
            }
            instance => instance?,
        };
        place.instance = Some(instance);
        Ok(instance)
    }

    async fn enter(&self, export: &Export, args: Bytes, store: &mut Store<State>, instance: Instance) -> wasmtime::Result<Bytes> {
        let function = instance.get_func(&mut *store, export.index);
        let function = function.ok_or_else(|| wasmtime::format_err!("the export is no function"))?;
        match export.direct {
            Some(shape) => raw::call(store, function, shape, args).await,
            None => {
                let args = values::decode_args(&export.schema, &args)?;
                let mut results = vec![Val::Bool(false); usize::from(export.schema.result.is_some())];
                function.call_async(store, &args, &mut results).await?;
                Ok(values::encode_result(&export.schema, &results)?.into())
            }
        }
    }
}

fn check_args(export: &Export, args: &[u8]) -> Result<(), Failure> {
    let bytes_max = if export.direct.is_some() { ARGUMENTS_BYTES_MAX } else { VALUES_BYTES_MAX };
    if args.len() > bytes_max {
        let message = format!("arguments of {} bytes; at most {bytes_max}", args.len());
        return Err(Failure::new(FailureKind::BadArguments, message));
    }
    export.schema.validate_args(args).map_err(|error| {
        let message = format!("the arguments are not those of `{}`: {error}", export.schema.signature());
        Failure::new(FailureKind::BadArguments, message)
    })
}

/// The text of the `err` side of a wire `result<_, string>`.
fn refusal(result: &[u8]) -> Option<String> {
    let mut reader = cbor::Reader::new(result);
    reader.array_of(2, "").ok()?;
    (reader.unsigned(1).ok()? == 1).then(|| reader.text().ok().map(str::to_owned))?
}

fn nanoseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX)
}
