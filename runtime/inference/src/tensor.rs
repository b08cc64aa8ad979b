//! Tensors, element types and ports: the values that go in and out of a model.

use std::fmt;

use crate::error::{BadShape, Error, Result, shape_text};
use crate::limits;

/// Element type, as `dtype` in `hansa:inference/types`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// IEEE 754 half precision; known in ports, not yet as tensors.
    Fp16,
    /// bfloat16; known in ports, not yet as tensors.
    Bf16,
    /// 32-bit float.
    Fp32,
    /// 64-bit float.
    Fp64,
    /// Unsigned byte.
    Uint8,
    /// Signed byte.
    Int8,
    /// 32-bit integer.
    Int32,
    /// 64-bit integer.
    Int64,
    /// One byte, 0 or 1.
    Boolean,
    /// Strings; known in ports, not yet as tensors.
    Utf8,
}

impl Dtype {
    /// The name used in manifests and in the WIT.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fp16 => "fp16",
            Self::Bf16 => "bf16",
            Self::Fp32 => "fp32",
            Self::Fp64 => "fp64",
            Self::Uint8 => "uint8",
            Self::Int8 => "int8",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Boolean => "boolean",
            Self::Utf8 => "utf8",
        }
    }

    /// Bytes of one element; `None` where tensors of the type are not supported.
    pub fn size(self) -> Option<usize> {
        match self {
            Self::Uint8 | Self::Int8 | Self::Boolean => Some(1),
            Self::Fp32 | Self::Int32 => Some(4),
            Self::Fp64 | Self::Int64 => Some(8),
            Self::Fp16 | Self::Bf16 | Self::Utf8 => None,
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One dimension of a port.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(untagged)]
pub enum Dim {
    /// Exactly this size.
    Fixed(u32),
    /// Any size; dimensions of the same name agree within one run.
    Free(String),
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(size) => write!(f, "{size}"),
            Self::Free(name) => f.write_str(name),
        }
    }
}

/// An input or output of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its name in the graph.
    pub name: String,
    /// Its element type.
    pub dtype: Dtype,
    /// Its shape.
    pub shape: Vec<Dim>,
}

impl Port {
    /// Whether two ports take the same tensors. Names of free dimensions are the exporter's whim and do not count.
    pub fn same_as(&self, other: &Self) -> bool {
        let dims_match = |pair: (&Dim, &Dim)| match pair {
            (Dim::Fixed(a), Dim::Fixed(b)) => a == b,
            (Dim::Free(_), Dim::Free(_)) => true,
            _ => false,
        };
        self.name == other.name
            && self.dtype == other.dtype
            && self.shape.len() == other.shape.len()
            && self.shape.iter().zip(&other.shape).all(dims_match)
    }

    /// Refuses a tensor of another type or shape.
    pub(crate) fn check(&self, tensor: &Tensor) -> Result<()> {
        if tensor.dtype() != self.dtype {
            return Err(Error::BadInput(format!("`{}` takes {}, not {}; convert it", self.name, self.dtype, tensor.dtype())));
        }
        let fits = self.shape.len() == tensor.shape.len()
            && self.shape.iter().zip(&tensor.shape).all(|(dim, got)| match dim {
                Dim::Fixed(size) => size == got,
                Dim::Free(_) => true,
            });
        if fits {
            return Ok(());
        }
        Err(Error::Shape(BadShape { port: self.name.clone(), want: self.shape.clone(), got: tensor.shape.clone() }))
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {} {}", self.name, self.dtype, shape_text(&self.shape))
    }
}

/// The numbers of a tensor, row by row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Elements {
    Fp32(Vec<f32>),
    Fp64(Vec<f64>),
    Uint8(Vec<u8>),
    Int8(Vec<i8>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Boolean(Vec<bool>),
}

impl Elements {
    pub(crate) fn dtype(&self) -> Dtype {
        match self {
            Self::Fp32(_) => Dtype::Fp32,
            Self::Fp64(_) => Dtype::Fp64,
            Self::Uint8(_) => Dtype::Uint8,
            Self::Int8(_) => Dtype::Int8,
            Self::Int32(_) => Dtype::Int32,
            Self::Int64(_) => Dtype::Int64,
            Self::Boolean(_) => Dtype::Boolean,
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Fp32(v) => v.len(),
            Self::Fp64(v) => v.len(),
            Self::Uint8(v) => v.len(),
            Self::Int8(v) => v.len(),
            Self::Int32(v) => v.len(),
            Self::Int64(v) => v.len(),
            Self::Boolean(v) => v.len(),
        }
    }

    /// Takes the other's numbers to the end; `None` where they are of another type.
    fn append(&mut self, other: &Self) -> Option<()> {
        match (self, other) {
            (Self::Fp32(a), Self::Fp32(b)) => a.extend_from_slice(b),
            (Self::Fp64(a), Self::Fp64(b)) => a.extend_from_slice(b),
            (Self::Uint8(a), Self::Uint8(b)) => a.extend_from_slice(b),
            (Self::Int8(a), Self::Int8(b)) => a.extend_from_slice(b),
            (Self::Int32(a), Self::Int32(b)) => a.extend_from_slice(b),
            (Self::Int64(a), Self::Int64(b)) => a.extend_from_slice(b),
            (Self::Boolean(a), Self::Boolean(b)) => a.extend_from_slice(b),
            _ => return None,
        }
        Some(())
    }

    fn slice(&self, range: std::ops::Range<usize>) -> Self {
        match self {
            Self::Fp32(v) => Self::Fp32(v[range].to_vec()),
            Self::Fp64(v) => Self::Fp64(v[range].to_vec()),
            Self::Uint8(v) => Self::Uint8(v[range].to_vec()),
            Self::Int8(v) => Self::Int8(v[range].to_vec()),
            Self::Int32(v) => Self::Int32(v[range].to_vec()),
            Self::Int64(v) => Self::Int64(v[range].to_vec()),
            Self::Boolean(v) => Self::Boolean(v[range].to_vec()),
        }
    }

    /// From little-endian bytes whose length is a multiple of the element's.
    fn from_bytes(dtype: Dtype, bytes: &[u8]) -> Result<Self> {
        Ok(match dtype {
            Dtype::Fp32 => Self::Fp32(bytes.as_chunks().0.iter().map(|c| f32::from_le_bytes(*c)).collect()),
            Dtype::Fp64 => Self::Fp64(bytes.as_chunks().0.iter().map(|c| f64::from_le_bytes(*c)).collect()),
            Dtype::Uint8 => Self::Uint8(bytes.to_vec()),
            Dtype::Int8 => Self::Int8(bytes.iter().map(|b| b.cast_signed()).collect()),
            Dtype::Int32 => Self::Int32(bytes.as_chunks().0.iter().map(|c| i32::from_le_bytes(*c)).collect()),
            Dtype::Int64 => Self::Int64(bytes.as_chunks().0.iter().map(|c| i64::from_le_bytes(*c)).collect()),
            Dtype::Boolean => Self::Boolean(bytes.iter().map(|b| boolean(*b)).collect::<Result<_>>()?),
            Dtype::Fp16 | Dtype::Bf16 | Dtype::Utf8 => return Err(unsupported(dtype)),
        })
    }

    /// A list of numbers as the element type; used for golden inputs.
    pub(crate) fn from_numbers(dtype: Dtype, numbers: &[f64]) -> Result<Self> {
        Ok(match dtype {
            Dtype::Fp32 => Self::Fp32(numbers.iter().map(|n| *n as f32).collect()),
            Dtype::Fp64 => Self::Fp64(numbers.to_vec()),
            Dtype::Uint8 => Self::Uint8(numbers.iter().map(|n| *n as u8).collect()),
            Dtype::Int8 => Self::Int8(numbers.iter().map(|n| *n as i8).collect()),
            Dtype::Int32 => Self::Int32(numbers.iter().map(|n| *n as i32).collect()),
            Dtype::Int64 => Self::Int64(numbers.iter().map(|n| *n as i64).collect()),
            Dtype::Boolean => Self::Boolean(numbers.iter().map(|n| *n != 0.0).collect()),
            Dtype::Fp16 | Dtype::Bf16 | Dtype::Utf8 => return Err(unsupported(dtype)),
        })
    }

    /// The same numbers as 64-bit floats, to compare with golden outputs.
    pub(crate) fn to_numbers(&self) -> Vec<f64> {
        match self {
            Self::Fp32(v) => v.iter().map(|n| f64::from(*n)).collect(),
            Self::Fp64(v) => v.clone(),
            Self::Uint8(v) => v.iter().map(|n| f64::from(*n)).collect(),
            Self::Int8(v) => v.iter().map(|n| f64::from(*n)).collect(),
            Self::Int32(v) => v.iter().map(|n| f64::from(*n)).collect(),
            Self::Int64(v) => v.iter().map(|n| *n as f64).collect(),
            Self::Boolean(v) => v.iter().map(|n| f64::from(u8::from(*n))).collect(),
        }
    }

    fn is_finite(&self) -> bool {
        match self {
            Self::Fp32(v) => v.iter().all(|n| n.is_finite()),
            Self::Fp64(v) => v.iter().all(|n| n.is_finite()),
            _ => true,
        }
    }
}

/// A dense tensor: shape and elements agree, no dimension is empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    shape: Vec<u32>,
    elements: Elements,
}

impl Tensor {
    /// From little-endian, row-major bytes, the layout of the WIT's `tensor.data`.
    ///
    /// # Errors
    /// `bad-input` when the bytes do not fill the shape exactly, a dimension is 0 or the type is not supported.
    pub fn from_bytes(dtype: Dtype, shape: &[u32], bytes: &[u8]) -> Result<Self> {
        let size = dtype.size().ok_or_else(|| unsupported(dtype))?;
        let count = element_count(shape)?;
        if count.checked_mul(size) != Some(bytes.len()) {
            return Err(Error::BadInput(format!(
                "a {dtype} tensor of shape {shape:?} has {count} elements of {size} bytes, not `{}` bytes; send exactly that",
                bytes.len()
            )));
        }
        Ok(Self { shape: shape.to_vec(), elements: Elements::from_bytes(dtype, bytes)? })
    }

    pub(crate) fn new(shape: &[u32], elements: Elements) -> Result<Self> {
        let count = element_count(shape)?;
        if count != elements.len() {
            return Err(Error::BadInput(format!("shape {shape:?} has {count} elements, not `{}`", elements.len())));
        }
        Ok(Self { shape: shape.to_vec(), elements })
    }

    /// Element type.
    pub fn dtype(&self) -> Dtype {
        self.elements.dtype()
    }

    /// Sizes of the dimensions.
    pub fn shape(&self) -> &[u32] {
        &self.shape
    }

    /// Number of elements.
    pub fn element_count(&self) -> usize {
        self.elements.len()
    }

    /// Little-endian, row-major bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        match &self.elements {
            Elements::Fp32(v) => v.iter().flat_map(|n| n.to_le_bytes()).collect(),
            Elements::Fp64(v) => v.iter().flat_map(|n| n.to_le_bytes()).collect(),
            Elements::Uint8(v) => v.clone(),
            Elements::Int8(v) => v.iter().map(|n| n.cast_unsigned()).collect(),
            Elements::Int32(v) => v.iter().flat_map(|n| n.to_le_bytes()).collect(),
            Elements::Int64(v) => v.iter().flat_map(|n| n.to_le_bytes()).collect(),
            Elements::Boolean(v) => v.iter().map(|n| u8::from(*n)).collect(),
        }
    }

    pub(crate) fn elements(&self) -> &Elements {
        &self.elements
    }

    /// Tensors of the same element type and further dimensions, one under the other; `None` where they differ.
    pub(crate) fn join(tensors: &[Self]) -> Option<Self> {
        let first = tensors.first()?;
        let tail = first.shape.get(1..)?;
        let height = tensors.iter().try_fold(0_u32, |height, tensor| {
            (tensor.shape.get(1..) == Some(tail)).then(|| height.checked_add(tensor.shape[0]))?
        })?;
        let mut elements = first.elements.clone();
        tensors[1..].iter().try_for_each(|tensor| elements.append(&tensor.elements))?;
        Some(Self { shape: [&[height], tail].concat(), elements })
    }

    /// Parts of these heights along the first dimension; `None` where they do not add up to it.
    pub(crate) fn split(&self, heights: &[u32]) -> Option<Vec<Self>> {
        let (first, tail) = self.shape.split_first()?;
        if heights.iter().map(|height| u64::from(*height)).sum::<u64>() != u64::from(*first) || heights.contains(&0) {
            return None;
        }
        let row = self.elements.len() / (*first as usize).max(1);
        let mut begin = 0;
        let part = |height: &u32| {
            let end = begin + *height as usize * row;
            let elements = self.elements.slice(begin..end);
            begin = end;
            Self { shape: [&[*height], tail].concat(), elements }
        };
        Some(heights.iter().map(part).collect())
    }

    pub(crate) fn byte_count(&self) -> usize {
        self.elements.len() * self.dtype().size().unwrap_or(0)
    }

    /// The elements of a 32-bit float tensor.
    pub fn as_fp32(&self) -> Option<&[f32]> {
        match &self.elements {
            Elements::Fp32(values) => Some(values),
            _ => None,
        }
    }

    /// Refuses NaN and infinity; `name` is the output's.
    pub(crate) fn require_finite(&self, name: &str) -> Result<()> {
        if self.elements.is_finite() { Ok(()) } else { Err(Error::NonFinite(name.to_owned())) }
    }
}

fn element_count(shape: &[u32]) -> Result<usize> {
    if shape.len() > limits::RANK_MAX {
        return Err(Error::BadInput(format!("a tensor has at most {} dimensions, not `{}`", limits::RANK_MAX, shape.len())));
    }
    let count = shape.iter().try_fold(1_usize, |count, size| count.checked_mul(*size as usize));
    match count {
        Some(0) => Err(Error::BadInput(format!("shape {shape:?} has an empty dimension; leave the tensor out or fill it"))),
        Some(count) => Ok(count),
        None => Err(Error::TooLarge(limits::TENSOR_BYTES_MAX as u64)),
    }
}

fn boolean(byte: u8) -> Result<bool> {
    match byte {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(Error::BadInput(format!("a boolean element is 0 or 1, not `{other}`"))),
    }
}

fn unsupported(dtype: Dtype) -> Error {
    Error::BadInput(format!("tensors of `{dtype}` are not supported; convert them to fp32"))
}

/// Declared and real ports must be the same, in any order.
pub(crate) fn compare_ports(side: &str, declared: &[Port], found: &[Port]) -> Result<()> {
    let wrong = |text: String| Err(Error::Backend(text));
    for port in declared {
        match found.iter().find(|other| other.name == port.name) {
            Some(other) if port.same_as(other) => {}
            Some(other) => return wrong(format!("its manifest declares the {side} {port}, but the graph has {other}")),
            None => return wrong(format!("its manifest declares the {side} {port}, but the graph has none of that name")),
        }
    }
    match found.iter().find(|port| !declared.iter().any(|other| other.name == port.name)) {
        Some(port) => wrong(format!("the graph has the {side} {port}, which its manifest does not declare")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_the_round_trip() {
        for (dtype, size) in
            [(Dtype::Fp32, 4), (Dtype::Fp64, 8), (Dtype::Int64, 8), (Dtype::Int32, 4), (Dtype::Int8, 1), (Dtype::Uint8, 1)]
        {
            let bytes: Vec<u8> = (0..6 * size).map(|b| b as u8).collect();
            let tensor = Tensor::from_bytes(dtype, &[2, 3], &bytes).unwrap();
            assert_eq!((tensor.to_bytes(), tensor.dtype()), (bytes, dtype));
        }
    }

    #[test]
    fn what_was_joined_is_split_again() {
        let part = |shape: &[u32], values: &[i64]| Tensor::new(shape, Elements::Int64(values.to_vec())).unwrap();
        let parts = [part(&[1, 2], &[1, 2]), part(&[2, 2], &[3, 4, 5, 6])];
        let joined = Tensor::join(&parts).unwrap();
        assert_eq!((joined.shape(), joined.split(&[1, 2]).unwrap().as_slice()), ([3, 2].as_slice(), parts.as_slice()));
        assert_eq!(joined.split(&[1, 1]), None);
        assert_eq!(Tensor::join(&[part(&[1, 2], &[1, 2]), part(&[1, 1], &[3])]), None);
        assert_eq!(Tensor::join(&[part(&[1, 1], &[1]), Tensor::new(&[1, 1], Elements::Fp32(vec![1.0])).unwrap()]), None);
    }

    #[test]
    fn what_does_not_fill_the_shape_is_refused() {
        for (shape, bytes) in [(vec![2], 7), (vec![0], 0), (vec![1; 9], 4), (vec![u32::MAX; 4], 4)] {
            assert!(Tensor::from_bytes(Dtype::Fp32, &shape, &vec![0; bytes]).is_err(), "{shape:?} {bytes}");
        }
        assert!(Tensor::from_bytes(Dtype::Boolean, &[1], &[2]).is_err());
        assert!(Tensor::from_bytes(Dtype::Fp16, &[1], &[0, 0]).is_err());
    }
}
