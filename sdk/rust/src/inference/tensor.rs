//! Tensors from and to slices of numbers; bytes are little-endian, row-major.

use super::{Dtype, Tensor};

impl Tensor {
    /// A tensor of 32-bit floats.
    #[must_use]
    pub fn from_f32s(shape: &[u32], values: &[f32]) -> Self {
        Self { ty: Dtype::Fp32, shape: shape.to_vec(), data: values.iter().flat_map(|value| value.to_le_bytes()).collect() }
    }

    /// A tensor of 64-bit integers.
    #[must_use]
    pub fn from_i64s(shape: &[u32], values: &[i64]) -> Self {
        Self { ty: Dtype::Int64, shape: shape.to_vec(), data: values.iter().flat_map(|value| value.to_le_bytes()).collect() }
    }

    /// A tensor of 32-bit integers.
    #[must_use]
    pub fn from_i32s(shape: &[u32], values: &[i32]) -> Self {
        Self { ty: Dtype::Int32, shape: shape.to_vec(), data: values.iter().flat_map(|value| value.to_le_bytes()).collect() }
    }

    /// The elements, if they are 32-bit floats.
    #[must_use]
    pub fn to_f32s(&self) -> Option<Vec<f32>> {
        let (chunks, rest) = self.data.as_chunks::<4>();
        (self.ty == Dtype::Fp32 && rest.is_empty()).then(|| chunks.iter().map(|chunk| f32::from_le_bytes(*chunk)).collect())
    }

    /// The elements, if they are 64-bit integers.
    #[must_use]
    pub fn to_i64s(&self) -> Option<Vec<i64>> {
        let (chunks, rest) = self.data.as_chunks::<8>();
        (self.ty == Dtype::Int64 && rest.is_empty()).then(|| chunks.iter().map(|chunk| i64::from_le_bytes(*chunk)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::Tensor;

    #[test]
    fn floats_come_back() {
        let tensor = Tensor::from_f32s(&[1, 2], &[0.5, -3.0]);
        assert_eq!(tensor.to_f32s(), Some(vec![0.5, -3.0]));
        assert_eq!(tensor.to_i64s(), None);
    }
}
