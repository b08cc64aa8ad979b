//! Runs of ONNX Runtime whose outputs go back in: on the processor they are handed on as they are; on a CUDA device they are
//! bound to its memory, so that they never cross to the host between two runs.
//!
//! What the host reads or makes anew (`read`, `keep`) crosses; for a device that happens when rows join or leave a batch.

use std::borrow::Cow;

use half::f16;
use ort::memory::{AllocationDevice, AllocatorType, MemoryInfo, MemoryType};
use ort::session::{Session as OrtSession, SessionInputValue};
use ort::value::{DynTensor, DynTensorValueType, DynValue, Tensor, TensorElementType, TensorRef};

use super::held::{Feed, Floats, Held, Numbers};

/// Where a provider keeps outputs that need not come to the host; `None` where that is the host's own memory.
pub(super) fn device_memory(provider: &str, number: u32) -> ort::Result<Option<MemoryInfo<'static>>> {
    match provider {
        "CUDAExecutionProvider" | "TensorrtExecutionProvider" => {
            let number = i32::try_from(number).unwrap_or(i32::MAX);
            MemoryInfo::new(AllocationDevice::CUDA, number, AllocatorType::Device, MemoryType::Default).map(Some)
        }
        _ => Ok(None),
    }
}

pub(super) fn run(
    session: &mut OrtSession,
    device: Option<&MemoryInfo<'_>>,
    inputs: &[(&str, Feed<'_>)],
    copy: &[&str],
    hold: &[&str],
) -> ort::Result<(Vec<Floats>, Vec<Held>)> {
    match device {
        None => run_here(session, inputs, copy, hold),
        Some(device) => run_bound(session, device, inputs, copy, hold),
    }
}

fn run_here(
    session: &mut OrtSession,
    inputs: &[(&str, Feed<'_>)],
    copy: &[&str],
    hold: &[&str],
) -> ort::Result<(Vec<Floats>, Vec<Held>)> {
    let mut values: Vec<(Cow<'_, str>, SessionInputValue<'_>)> = Vec::with_capacity(inputs.len());
    for (name, feed) in inputs {
        let value = match feed {
            Feed::Ints(shape, data) => TensorRef::from_array_view((*shape, *data))?.into(),
            Feed::Held(held) => value_of(held)?.into(),
        };
        values.push((Cow::Borrowed(*name), value));
    }
    let mut found = session.run(values)?;
    take(|name| found.remove(name), copy, hold)
}

fn run_bound(
    session: &mut OrtSession,
    device: &MemoryInfo<'_>,
    inputs: &[(&str, Feed<'_>)],
    copy: &[&str],
    hold: &[&str],
) -> ort::Result<(Vec<Floats>, Vec<Held>)> {
    let mut binding = session.create_binding()?;
    for (name, feed) in inputs {
        match feed {
            Feed::Ints(shape, data) => binding.bind_input(*name, &Tensor::from_array((*shape, data.to_vec()))?)?,
            Feed::Held(held) => binding.bind_input(*name, value_of(held)?)?,
        }
    }
    let host = MemoryInfo::new(AllocationDevice::CPU, 0, AllocatorType::Device, MemoryType::Default)?;
    for name in copy {
        binding.bind_output_to_device(*name, &host)?;
    }
    for name in hold {
        binding.bind_output_to_device(*name, device)?;
    }
    binding.synchronize_inputs()?;
    let mut found = session.run_binding(&binding)?;
    binding.synchronize_outputs()?;
    take(|name| found.remove(name), copy, hold)
}

fn take(mut remove: impl FnMut(&str) -> Option<DynValue>, copy: &[&str], hold: &[&str]) -> ort::Result<(Vec<Floats>, Vec<Held>)> {
    let mut output = |name: &&str| remove(name).ok_or_else(|| ort::Error::new(format!("there is no output `{name}`")));
    let copied = copy.iter().map(|name| floats(&output(name)?)).collect::<ort::Result<_>>()?;
    let kept = hold.iter().map(|name| held(output(name)?)).collect::<ort::Result<_>>()?;
    Ok((copied, kept))
}

fn floats(value: &DynValue) -> ort::Result<Floats> {
    let (shape, values) = if value.dtype().tensor_type() == Some(TensorElementType::Float16) {
        let (shape, values) = value.try_extract_tensor::<f16>()?;
        (shape, values.iter().map(|value| value.to_f32()).collect())
    } else {
        let (shape, values) = value.try_extract_tensor::<f32>()?;
        (shape, values.to_vec())
    };
    Ok(Floats { shape: shape.iter().map(|size| usize::try_from(*size).unwrap_or(0)).collect(), values })
}

fn held(value: DynValue) -> ort::Result<Held> {
    let value: DynTensor = value.downcast::<DynTensorValueType>()?;
    let shape: Vec<usize> = value.shape().iter().map(|size| usize::try_from(*size).unwrap_or(0)).collect();
    let shape = shape.try_into().map_err(|shape: Vec<usize>| ort::Error::new(format!("keys or values came as {shape:?}")))?;
    Ok(Held { shape, value: Box::new(value) })
}

fn value_of(held: &Held) -> ort::Result<&DynTensor> {
    held.value.downcast_ref().ok_or_else(|| ort::Error::new("keys or values of another session"))
}

/// The numbers in the host's memory; copied only where they lie on a device.
pub(super) fn read(held: &Held) -> ort::Result<Numbers<'_>> {
    let value = value_of(held)?;
    let half = *value.data_type() == TensorElementType::Float16;
    if held.shape.contains(&0) {
        return Ok(if half { Numbers::Fp16(Cow::default()) } else { Numbers::Fp32(Cow::default()) });
    }
    if value.memory_info().is_cpu_accessible() {
        return Ok(match half {
            true => Numbers::Fp16(value.try_extract_tensor::<f16>()?.1.into()),
            false => Numbers::Fp32(value.try_extract_tensor::<f32>()?.1.into()),
        });
    }
    let copied = value.to(AllocationDevice::CPU, 0)?;
    Ok(match half {
        true => Numbers::Fp16(copied.try_extract_tensor::<f16>()?.1.to_vec().into()),
        false => Numbers::Fp32(copied.try_extract_tensor::<f32>()?.1.to_vec().into()),
    })
}

/// Numbers as an input of the next run. ONNX Runtime moves them to a device by itself.
pub(super) fn keep(session: &OrtSession, shape: [usize; 4], numbers: Numbers<'_>) -> ort::Result<Held> {
    let value = match (shape.contains(&0), numbers) {
        (true, Numbers::Fp32(_)) => DynTensor::new(session.allocator(), TensorElementType::Float32, shape)?,
        (true, Numbers::Fp16(_)) => DynTensor::new(session.allocator(), TensorElementType::Float16, shape)?,
        (false, Numbers::Fp32(numbers)) => Tensor::from_array((shape, numbers.into_owned()))?.upcast(),
        (false, Numbers::Fp16(numbers)) => Tensor::from_array((shape, numbers.into_owned()))?.upcast(),
    };
    Ok(Held { shape, value: Box::new(value) })
}
