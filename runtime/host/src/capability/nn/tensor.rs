//! `wasi:nn/tensor`: bytes that the host holds for the guest, against the call's memory.

use wasmtime::component::Resource;

use super::error::{Error, table_full};
use crate::{
    capability::{
        bindings::wasi::nn::{
            errors::ErrorCode,
            tensor::{Host, HostTensor, TensorType},
        },
        inference::{self, Dtype},
    },
    limits::NN_TENSORS_MAX,
    state::State,
};

/// The resource behind `wasi:nn/tensor.tensor`. The contract's constructor cannot fail, so that a mismatch of dimensions and
/// data only shows when the tensor is used.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
#[derive(Debug)]
pub struct Tensor {
    dimensions: Vec<u32>,
    ty: TensorType,
    data: Vec<u8>,
}

impl Tensor {
    /// What it counts against the call's memory, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.data.len().saturating_add(self.dimensions.len().saturating_mul(size_of::<u32>()))
    }

    /// For a run as the input `name`.
    pub(super) fn into_input(self, name: &str) -> Result<inference::Tensor, Error> {
        let Tensor { dimensions, ty, data } = self;
        let (ty, element_bytes) = dtype(ty);
        let wanted = dimensions.iter().try_fold(element_bytes, |bytes, dim| bytes.checked_mul(usize::try_from(*dim).ok()?));
        if wanted == Some(data.len()) {
            return Ok(inference::Tensor { ty, shape: dimensions, data });
        }
        let wanted = wanted.map_or("more bytes than there can be".to_owned(), |bytes| format!("{bytes} bytes"));
        let shown = &dimensions[..dimensions.len().min(DIMENSIONS_SHOWN)];
        let text = format!("`{name}` has {} bytes of data; its dimensions {shown:?} and type want {wanted}", data.len());
        Err(Error::new(ErrorCode::InvalidArgument, text))
    }

    /// The output `name` of a run.
    pub(super) fn from_output(name: &str, tensor: inference::Tensor) -> Result<Tensor, Error> {
        let inference::Tensor { ty, shape, data } = tensor;
        match tensor_type(ty) {
            Some(ty) => Ok(Tensor { dimensions: shape, ty, data }),
            None => Err(inexpressible("output", name, ty)),
        }
    }
}

/// How many dimensions of an unfit tensor an error repeats.
const DIMENSIONS_SHOWN: usize = 16;

/// The type in `hansa:inference`, and bytes of one element.
fn dtype(ty: TensorType) -> (Dtype, usize) {
    match ty {
        TensorType::Fp16 => (Dtype::Fp16, 2),
        TensorType::Fp32 => (Dtype::Fp32, 4),
        TensorType::Fp64 => (Dtype::Fp64, 8),
        TensorType::Bf16 => (Dtype::Bf16, 2),
        TensorType::U8 => (Dtype::Uint8, 1),
        TensorType::I32 => (Dtype::Int32, 4),
        TensorType::I64 => (Dtype::Int64, 8),
    }
}

/// The type in the standard, which has fewer.
pub(super) fn tensor_type(ty: Dtype) -> Option<TensorType> {
    match ty {
        Dtype::Fp16 => Some(TensorType::Fp16),
        Dtype::Fp32 => Some(TensorType::Fp32),
        Dtype::Fp64 => Some(TensorType::Fp64),
        Dtype::Bf16 => Some(TensorType::Bf16),
        Dtype::Uint8 => Some(TensorType::U8),
        Dtype::Int32 => Some(TensorType::I32),
        Dtype::Int64 => Some(TensorType::I64),
        Dtype::Int8 | Dtype::Boolean | Dtype::Utf8 => None,
    }
}

/// A port of the model has a type that the standard does not know.
pub(super) fn inexpressible(side: &str, port: &str, ty: Dtype) -> Error {
    let text = format!("{side} `{port}` is of type {ty:?}, which wasi:nn has no word for; use hansa:inference/tensors");
    Error::new(ErrorCode::UnsupportedOperation, text)
}

impl State {
    /// Holds one more tensor, or says why not.
    pub(super) fn hold_tensor(&mut self, tensor: Tensor) -> wasmtime::Result<Resource<Tensor>> {
        if self.held.tensors >= NN_TENSORS_MAX {
            return Err(wasmtime::format_err!("it holds {NN_TENSORS_MAX} tensors; drop some before it makes more"));
        }
        let bytes = tensor.bytes();
        self.memory.hold(bytes)?;
        self.held.tensors += 1;
        self.table.push(tensor).map_err(|_| table_full())
    }

    /// Takes a tensor out of the store. Its bytes count until [`crate::state::MemoryLimit::release`].
    pub(super) fn take_tensor(&mut self, tensor: Resource<Tensor>) -> wasmtime::Result<Tensor> {
        let tensor = self.table.delete(tensor)?;
        self.held.tensors -= 1;
        Ok(tensor)
    }
}

impl Host for State {}

impl HostTensor for State {
    async fn new(&mut self, dimensions: Vec<u32>, ty: TensorType, data: Vec<u8>) -> wasmtime::Result<Resource<Tensor>> {
        self.hold_tensor(Tensor { dimensions, ty, data })
    }

    async fn dimensions(&mut self, tensor: Resource<Tensor>) -> wasmtime::Result<Vec<u32>> {
        Ok(self.table.get(&tensor)?.dimensions.clone())
    }

    async fn ty(&mut self, tensor: Resource<Tensor>) -> wasmtime::Result<TensorType> {
        Ok(self.table.get(&tensor)?.ty)
    }

    async fn data(&mut self, tensor: Resource<Tensor>) -> wasmtime::Result<Vec<u8>> {
        Ok(self.table.get(&tensor)?.data.clone())
    }

    async fn drop(&mut self, tensor: Resource<Tensor>) -> wasmtime::Result<()> {
        let bytes = self.take_tensor(tensor)?.bytes();
        self.memory.release(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(dimensions: &[u32], ty: TensorType, bytes: usize) -> Result<inference::Tensor, Error> {
        Tensor { dimensions: dimensions.to_vec(), ty, data: vec![0; bytes] }.into_input("x")
    }

    #[test]
    fn dimensions_and_data_agree() {
        for (dimensions, ty, bytes) in [
            (&[2, 3][..], TensorType::Fp32, 24),
            (&[], TensorType::I64, 8),
            (&[4, 0], TensorType::Fp64, 0),
            (&[5], TensorType::Bf16, 10),
        ] {
            assert_eq!(tensor(dimensions, ty, bytes).unwrap().shape, dimensions);
            let error = tensor(dimensions, ty, bytes + 1).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidArgument);
        }
    }

    /// 2^32 · 2^32 · 2^32 bytes must not come out as a small number.
    #[test]
    fn a_product_that_overflows_fits_nothing() {
        for dimensions in [[u32::MAX; 3].as_slice(), &[1 << 31; 4], &[u32::MAX; 1000]] {
            let error = tensor(dimensions, TensorType::Fp64, 0).unwrap_err();
            assert!(error.data.contains("more bytes than there can be"), "{}", error.data);
        }
    }

    #[test]
    fn types_go_both_ways() {
        for ty in [
            TensorType::Fp16,
            TensorType::Fp32,
            TensorType::Fp64,
            TensorType::Bf16,
            TensorType::U8,
            TensorType::I32,
            TensorType::I64,
        ] {
            assert_eq!(tensor_type(dtype(ty).0), Some(ty));
        }
    }
}
