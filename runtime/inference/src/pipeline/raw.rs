//! Tensors in, tensors out.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

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
    let outputs = check_outputs(manifest, outputs)?;
    check_output_bytes(manifest, &outputs, &sizes)?;
    Ok(outputs)
}

/// A small input can ask for a large output. What the ports say of its size is looked at before anything runs.
fn check_output_bytes(manifest: &Manifest, outputs: &[String], sizes: &BTreeMap<&str, u32>) -> Result<()> {
    let size = |dim: &Dim| match dim {
        Dim::Fixed(size) => u64::from(*size),
        // known to the graph alone
        Dim::Free(name) => sizes.get(name.as_str()).map_or(1, |size| u64::from(*size)),
    };
    let bytes = |port: &Port| {
        let element = port.dtype.size().unwrap_or(1) as u64;
        port.shape.iter().map(size).fold(element, u64::saturating_mul)
    };
    let wanted = manifest.outputs.iter().filter(|port| outputs.contains(&port.name));
    match wanted.map(bytes).fold(0, u64::saturating_add) {
        0..=limits::OUTPUT_BYTES_MAX => Ok(()),
        _ => Err(Error::TooLarge(limits::OUTPUT_BYTES_MAX)),
    }
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

/// One raw request, as the queue hands it on.
#[derive(Clone, Copy)]
pub(super) struct RawRow<'a> {
    pub(super) inputs: &'a [(String, Tensor)],
    pub(super) outputs: &'a [String],
}

/// Names of the dimension along which requests may be joined.
const BATCH_DIMS: [&str; 4] = ["batch", "batch_size", "N", "n"];

/// Which raw requests can run together, and how many rows of a run one fills: where all ports begin with the same free
/// dimension, named as a batch is, requests of the same inputs, further dimensions and outputs are joined along it. Not where
/// an output's size follows from anything but its own row.
///
/// `None`: it runs alone.
pub(crate) fn group(manifest: &Manifest, inputs: &[(String, Tensor)], outputs: &[String]) -> Option<(u64, u32)> {
    let wanted = manifest.outputs.iter().filter(|port| outputs.contains(&port.name));
    let mut names = manifest.inputs.iter().chain(wanted.clone()).map(batch_dim);
    let first = names.next()??;
    let given = |name: &str| name != first && manifest.inputs.iter().flat_map(further_free).any(|other| other == name);
    if !names.all(|name| name == Some(first)) || !wanted.flat_map(further_free).all(given) {
        return None;
    }
    let mut hasher = DefaultHasher::new();
    for port in &manifest.inputs {
        let (_, tensor) = inputs.iter().find(|(name, _)| *name == port.name)?;
        tensor.shape().get(1..)?.hash(&mut hasher);
    }
    outputs.hash(&mut hasher);
    let rows = inputs.first()?.1.shape().first()?;
    Some((hasher.finish(), *rows))
}

/// A request of many rows as requests of so many at most, along the first dimension; `None` where a tensor has none.
pub(crate) fn cut(inputs: &[(String, Tensor)], rows: u32, most: u32) -> Option<Vec<Vec<(String, Tensor)>>> {
    let most = most.max(1);
    let heights: Vec<u32> = (0..rows.div_ceil(most)).map(|piece| most.min(rows - piece * most)).collect();
    let mut pieces: Vec<Vec<(String, Tensor)>> = heights.iter().map(|_| Vec::with_capacity(inputs.len())).collect();
    for (name, tensor) in inputs {
        let split = tensor.split(&heights)?;
        pieces.iter_mut().zip(split).for_each(|(piece, tensor)| piece.push((name.clone(), tensor)));
    }
    Some(pieces)
}

/// What became of the pieces of one request, one under the other again.
pub(crate) fn mend(pieces: Vec<RowOutput>) -> Option<Vec<(String, Tensor)>> {
    let tensors = |piece| if let RowOutput::Tensors(tensors) = piece { Some(tensors) } else { None };
    let mut pieces: Vec<Vec<(String, Tensor)>> = pieces.into_iter().map(tensors).collect::<Option<_>>()?;
    if pieces.len() == 1 {
        return pieces.pop();
    }
    let output = |(index, (name, _)): (usize, &(String, Tensor))| {
        let parts: Option<Vec<Tensor>> = pieces.iter().map(|piece| Some(piece.get(index)?.1.clone())).collect();
        Some((name.clone(), Tensor::join(&parts?)?))
    };
    pieces.first()?.iter().enumerate().map(output).collect()
}

fn batch_dim(port: &Port) -> Option<&str> {
    match port.shape.first() {
        Some(Dim::Free(name)) => BATCH_DIMS.into_iter().find(|known| known == name),
        _ => None,
    }
}

/// Names of the free dimensions after the first.
fn further_free(port: &Port) -> impl Iterator<Item = &str> {
    port.shape.iter().skip(1).filter_map(|dim| if let Dim::Free(name) = dim { Some(name.as_str()) } else { None })
}

pub(super) fn run(session: &mut dyn Session, rows: &[RawRow<'_>]) -> Result<Vec<Result<RowOutput>>> {
    let [first, others @ ..] = rows else { return Ok(Vec::new()) };
    let wanted: Vec<&str> = first.outputs.iter().map(String::as_str).collect();
    if others.is_empty() {
        let inputs: Vec<(&str, &Tensor)> = first.inputs.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
        let tensors = session.run(&inputs, &wanted)?;
        return Ok(vec![checked(first.outputs, tensors)]);
    }
    let joined = first.inputs.iter().map(|(name, _)| Ok((name.as_str(), join(name, rows)?))).collect::<Result<Vec<_>>>()?;
    let inputs: Vec<(&str, &Tensor)> = joined.iter().map(|(name, tensor)| (*name, tensor)).collect();
    let tensors = session.run(&inputs, &wanted)?;
    let heights: Vec<u32> = rows.iter().map(|row| row.inputs[0].1.shape()[0]).collect();
    let mut parts: Vec<Vec<Tensor>> = rows.iter().map(|_| Vec::with_capacity(wanted.len())).collect();
    for (name, tensor) in wanted.iter().zip(&tensors) {
        let split = tensor.split(&heights).ok_or_else(|| {
            let sum: u32 = heights.iter().sum();
            Error::Backend(format!("output `{name}` has the shape {:?} for {sum} rows", tensor.shape()))
        })?;
        parts.iter_mut().zip(split).for_each(|(part, tensor)| part.push(tensor));
    }
    Ok(parts.into_iter().map(|tensors| checked(first.outputs, tensors)).collect())
}

/// All rows' tensors of one input, one under the other.
fn join(name: &str, rows: &[RawRow<'_>]) -> Result<Tensor> {
    let of_row = |row: &RawRow<'_>| row.inputs.iter().find(|(other, _)| other == name).map(|(_, tensor)| tensor.clone());
    let tensors: Option<Vec<Tensor>> = rows.iter().map(of_row).collect();
    tensors
        .and_then(|tensors| Tensor::join(&tensors))
        .ok_or_else(|| Error::Backend(format!("inputs `{name}` of requests that were to run together differ in shape")))
}

fn checked(outputs: &[String], tensors: Vec<Tensor>) -> Result<RowOutput> {
    for (name, tensor) in outputs.iter().zip(&tensors) {
        tensor.require_finite(name)?;
    }
    Ok(RowOutput::Tensors(outputs.iter().cloned().zip(tensors).collect()))
}

fn names(ports: &[Port]) -> String {
    ports.iter().map(|port| format!("`{}`", port.name)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The similarities of all rows with all: a part of the rows gives a part of the answer.
    #[test]
    fn what_depends_on_more_than_its_row_is_not_joined() {
        let folder = crate::scheduler::tests::package("[2, -8]");
        let text = std::fs::read_to_string(folder.path().join("hansa-model.toml")).unwrap();
        let mut manifest = Manifest::parse(&text, [0; 32]).unwrap();
        let inputs = [("x".to_owned(), crate::scheduler::tests::vector(&[1.0, 2.0]))];
        let grouped = |manifest: &Manifest| group(manifest, &inputs, &["y".to_owned()]).map(|(_, rows)| rows);
        assert_eq!(grouped(&manifest), Some(2));
        manifest.outputs[0].shape.push(Dim::Fixed(3));
        assert_eq!(grouped(&manifest), Some(2));
        for name in ["batch", "found"] {
            manifest.outputs[0].shape[1] = Dim::Free(name.to_owned());
            assert_eq!(grouped(&manifest), None, "{name}");
        }
    }
}
