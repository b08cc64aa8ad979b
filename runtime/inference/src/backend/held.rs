//! Tensors that stay with a session between runs: what a decoder keeps of the tokens that it has read.

use std::any::Any;
use std::borrow::Cow;

use half::f16;

/// An output that stayed where the session runs, and can go back in as an input without a copy. Only the session that
/// made it understands it.
pub(crate) struct Held {
    pub(crate) shape: [usize; 4],
    pub(crate) value: Box<dyn Any>,
}

/// The numbers of a held tensor in the host's memory, row by row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Numbers<'a> {
    Fp32(Cow<'a, [f32]>),
    Fp16(Cow<'a, [f16]>),
}

/// An input of [`super::Session::run_held`].
pub(crate) enum Feed<'a> {
    /// Tokens, masks and positions: int64 `[rows, columns]`.
    Ints([usize; 2], &'a [i64]),
    /// What an earlier run kept.
    Held(&'a Held),
}

/// An output that was copied to the host; half floats are widened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Floats {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f32>,
}
