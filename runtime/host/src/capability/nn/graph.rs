//! `wasi:nn/graph` and `wasi:nn/inference`: granted models, and runs of them.

use std::sync::Arc;

use wasmtime::component::Resource;

use super::{
    error::{Error, table_full},
    tensor::{Tensor, inexpressible, tensor_type},
};
use crate::{
    capability::{
        bindings::wasi::nn::{errors::ErrorCode, graph, inference as standard},
        inference::{ModelInfo, Opts},
    },
    limits::{NN_CONTEXTS_MAX, NN_GRAPHS_MAX, NN_TENSORS_MAX},
    state::State,
};

/// The resource behind `wasi:nn/graph.graph`: a model by its name.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Graph {
    model: Arc<str>,
}

/// The resource behind `wasi:nn/inference.graph-execution-context`. It outlives its graph.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct ExecutionContext {
    model: Arc<str>,
}

type Named<T> = Vec<(String, T)>;

impl State {
    async fn load_by_name(&mut self, name: String) -> Result<Resource<Graph>, Error> {
        self.may_use(&name)?;
        if self.held.graphs >= NN_GRAPHS_MAX {
            return Err(too_many("graphs", NN_GRAPHS_MAX));
        }
        let info = self.capabilities.inference.info(name.clone()).await?;
        check_types(&info)?;
        let graph = self.table.push(Graph { model: name.into() }).map_err(|_| no_room())?;
        self.held.graphs += 1;
        Ok(graph)
    }

    fn context_of(&mut self, graph: &Resource<Graph>) -> wasmtime::Result<Result<Resource<ExecutionContext>, Error>> {
        let model = self.table.get(graph)?.model.clone();
        if self.held.contexts >= NN_CONTEXTS_MAX {
            return Ok(Err(too_many("execution contexts", NN_CONTEXTS_MAX)));
        }
        let context = self.table.push(ExecutionContext { model }).map_err(|_| no_room());
        self.held.contexts += usize::from(context.is_ok());
        Ok(context)
    }

    /// Runs the model on tensors that were taken out of the store. Its graph was granted, or there would be no context.
    async fn run_model(&mut self, model: &str, inputs: Named<Tensor>) -> Result<Named<Tensor>, Error> {
        let inputs = inputs.into_iter().map(|(name, tensor)| {
            let tensor = tensor.into_input(&name)?;
            Ok((name, tensor))
        });
        let inputs = inputs.collect::<Result<_, Error>>()?;
        let opts = Opts { deadline_ms: None, max_cost: None, priority: None, exclusive: false };
        let done = self.capabilities.inference.run(model.to_owned(), inputs, Vec::new(), opts).await?;
        let outputs = done.outputs.into_iter().map(|(name, tensor)| {
            let tensor = Tensor::from_output(&name, tensor)?;
            Ok((name, tensor))
        });
        outputs.collect()
    }

    /// Hands outputs to the guest, all or none of them.
    fn hold_outputs(&mut self, outputs: Named<Tensor>) -> wasmtime::Result<Result<Named<Resource<Tensor>>, Error>> {
        if outputs.len() > NN_TENSORS_MAX.saturating_sub(self.held.tensors) {
            return Ok(Err(too_many("tensors", NN_TENSORS_MAX)));
        }
        let bytes = outputs.iter().map(|(_, tensor)| tensor.bytes()).fold(0, usize::saturating_add);
        let left = self.memory.left();
        if bytes > left {
            return Ok(Err(Error::new(ErrorCode::TooLarge, outputs_too_large(bytes, left))));
        }
        let held = outputs.into_iter().map(|(name, tensor)| Ok((name, self.hold_tensor(tensor)?)));
        held.collect::<wasmtime::Result<_>>().map(Ok)
    }
}

/// The guest can take less; the limit itself stands in two files, and neither is the guest's.
fn outputs_too_large(bytes: usize, left: usize) -> String {
    format!(
        "the outputs take {bytes} bytes, and {left} are left of the call's memory; drop tensors first, or run fewer rows at once; \
         more is the author's to ask for (`[limits] memory` in agent.toml) and the operator's to grant (`memory` of a `[[grant]]` in node.toml)"
    )
}

fn too_many(what: &str, most: usize) -> Error {
    Error::new(ErrorCode::TooLarge, format!("this call holds {most} {what}, the most that it may; drop some"))
}

fn no_room() -> Error {
    Error::new(ErrorCode::TooLarge, table_full().to_string())
}

/// Every port must be of a type that the standard knows: better refused before a run is paid.
fn check_types(info: &ModelInfo) -> Result<(), Error> {
    let sides = [("input", &info.inputs), ("output", &info.outputs)];
    let mut ports = sides.into_iter().flat_map(|(side, ports)| ports.iter().map(move |port| (side, port)));
    match ports.find(|(_, port)| tensor_type(port.ty).is_none()) {
        Some((side, port)) => Err(inexpressible(side, &port.name, port.ty)),
        None => Ok(()),
    }
}

impl graph::Host for State {
    async fn load(
        &mut self,
        _: Vec<Vec<u8>>,
        _: graph::GraphEncoding,
        _: graph::ExecutionTarget,
    ) -> wasmtime::Result<Result<Resource<Graph>, Resource<Error>>> {
        let text = "models come from packages that the operator has added, not from an agent's bytes: publish a model package \
                    (`hansa model add`), ask for it in agent.toml (`[capabilities] inference.models`) and use load-by-name";
        self.answer(Err(Error::new(ErrorCode::Security, text)))
    }

    async fn load_by_name(&mut self, name: String) -> wasmtime::Result<Result<Resource<Graph>, Resource<Error>>> {
        let graph = State::load_by_name(self, name).await;
        self.answer(graph)
    }
}

impl graph::HostGraph for State {
    async fn init_execution_context(
        &mut self,
        graph: Resource<Graph>,
    ) -> wasmtime::Result<Result<Resource<ExecutionContext>, Resource<Error>>> {
        let context = self.context_of(&graph)?;
        self.answer(context)
    }

    async fn drop(&mut self, graph: Resource<Graph>) -> wasmtime::Result<()> {
        self.table.delete(graph)?;
        self.held.graphs -= 1;
        Ok(())
    }
}

impl standard::Host for State {}

impl standard::HostGraphExecutionContext for State {
    /// The inputs are the guest's no longer, whatever comes of it; the host holds them until the run is over.
    async fn compute(
        &mut self,
        context: Resource<ExecutionContext>,
        inputs: Named<Resource<Tensor>>,
    ) -> wasmtime::Result<Result<Named<Resource<Tensor>>, Resource<Error>>> {
        let model = self.table.get(&context)?.model.clone();
        let inputs = inputs.into_iter().map(|(name, tensor)| Ok((name, self.take_tensor(tensor)?)));
        let inputs = inputs.collect::<wasmtime::Result<Named<Tensor>>>()?;
        let bytes: usize = inputs.iter().map(|(_, tensor)| tensor.bytes()).sum();
        let outputs = self.run_model(&model, inputs).await;
        self.memory.release(bytes);
        let outputs = match outputs {
            Ok(outputs) => self.hold_outputs(outputs)?,
            Err(error) => Err(error),
        };
        self.answer(outputs)
    }

    async fn drop(&mut self, context: Resource<ExecutionContext>) -> wasmtime::Result<()> {
        self.table.delete(context)?;
        self.held.contexts -= 1;
        Ok(())
    }
}
