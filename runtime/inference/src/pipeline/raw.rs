//! Tensors in, tensors out.

use std::collections::BTreeMap;

use super::RowOutput;
use crate::backend::Session;
use crate::error::{BadShape, Error, Result};
use crate::limits;
use crate::package::Manifest;
use crate::tensor::{Dim, Port, Tensor};

/// Refuses inputs that are not exactly the model's, and outputs that it has not. No outputs named means all.
pub(crate) fn check(manifest: &Manifest, inputs: &[(String, Tensor)], outputs: Vec<String>) -> Result<Vec<String>> {
    let bytes: usize = inputs.iter().map(|(_, tensor)| tensor.byte_count()).sum();
    if bytes > limits::TENSOR_BYTES_MAX {
        return Err(Error::TooLarge(limits::TENSOR_BYTES_MAX as u64));
    }
    if let Some((name, _)) = inputs.iter().find(|(name, _)| !manifest.inputs.iter().any(|port| port.name == *name)) {
        return Err(Error::BadInput(format!("the model has no input `{name}`; it has {}", names(&manifest.inputs))));
    }
    let mut sizes = BTreeMap::new();
    for port in &manifest.inputs {
        let mut given = inputs.iter().filter(|(name, _)| *name == port.name).map(|(_, tensor)| tensor);
        match (given.next(), given.next()) {
            (Some(tensor), None) => {
                port.check(tensor)?;
                check_free_sizes(port, tensor, &mut sizes)?;
            }
            (None, _) => return Err(Error::BadInput(format!("input `{}` is missing; send it", port.name))),
            (Some(_), Some(_)) => return Err(Error::BadInput(format!("input `{}` was sent twice; send it once", port.name))),
        }
    }
    check_outputs(manifest, outputs)
}

/// Dimensions of one name must agree over all inputs of a run.
fn check_free_sizes<'a>(port: &'a Port, tensor: &Tensor, sizes: &mut BTreeMap<&'a str, u32>) -> Result<()> {
    for (dim, got) in port.shape.iter().zip(tensor.shape()) {
        let Dim::Free(name) = dim else { continue };
        let agreed = *sizes.entry(name).or_insert(*got);
        if agreed != *got {
            let want = port
                .shape
                .iter()
                .map(|dim| if matches!(dim, Dim::Free(other) if other == name) { Dim::Fixed(agreed) } else { dim.clone() });
            return Err(Error::Shape(BadShape { port: port.name.clone(), want: want.collect(), got: tensor.shape().to_vec() }));
        }
    }
    Ok(())
}

fn check_outputs(manifest: &Manifest, outputs: Vec<String>) -> Result<Vec<String>> {
    if outputs.is_empty() {
        return Ok(manifest.outputs.iter().map(|port| port.name.clone()).collect());
    }
    match outputs.iter().find(|name| !manifest.outputs.iter().any(|port| port.name == **name)) {
        Some(name) => Err(Error::BadInput(format!("the model has no output `{name}`; it has {}", names(&manifest.outputs)))),
        None => Ok(outputs),
    }
}

/// Units of the meter: 1,024 input elements or part thereof.
pub(crate) fn units(inputs: &[(String, Tensor)]) -> u64 {
    let elements: u64 = inputs.iter().map(|(_, tensor)| tensor.element_count() as u64).sum();
    elements.div_ceil(limits::ELEMENTS_PER_UNIT)
}

pub(super) fn run(session: &mut dyn Session, inputs: &[(String, Tensor)], outputs: &[String]) -> Result<RowOutput> {
    let inputs: Vec<(&str, &Tensor)> = inputs.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    let wanted: Vec<&str> = outputs.iter().map(String::as_str).collect();
    let tensors = session.run(&inputs, &wanted)?;
    for (name, tensor) in outputs.iter().zip(&tensors) {
        tensor.require_finite(name)?;
    }
    Ok(RowOutput::Tensors(outputs.iter().cloned().zip(tensors).collect()))
}

fn names(ports: &[Port]) -> String {
    ports.iter().map(|port| format!("`{}`", port.name)).collect::<Vec<_>>().join(", ")
}
