//! `[bytes]`: the features of a byte classifier such as Magika.

use serde::{Deserialize, Serialize};

use super::require_fp32;
use crate::limits;
use crate::tensor::{Dim, Dtype, Port};

/// `[bytes]`: features of a byte classifier such as Magika.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BytesSettings {
    pub(crate) input: String,
    pub(crate) output: String,
    /// Bytes kept from the beginning.
    pub(crate) begin: usize,
    /// Bytes kept from the end.
    pub(crate) end: usize,
    /// Bytes looked at on each side.
    pub(crate) block: usize,
    /// The number that fills up.
    pub(crate) pad: i32,
    /// Fewer meaningful bytes than this are refused.
    #[serde(default)]
    pub(crate) min_bytes: usize,
}

impl BytesSettings {
    pub(super) fn check(&self, labels: &[String], inputs: &[Port], outputs: &[Port]) -> Result<(), String> {
        let width = self.begin + self.end;
        if width == 0 || self.begin > self.block || self.end > self.block || self.block > limits::EXAMPLE_BYTES_MAX {
            return Err("[bytes] needs `begin` + `end` above 0, and each at most `block`".to_owned());
        }
        let fits = |port: &Port| {
            port.name == self.input
                && port.dtype == Dtype::Int32
                && matches!(port.shape.as_slice(), [_, Dim::Fixed(size)] if *size as usize == width)
        };
        if inputs.len() != 1 || !fits(&inputs[0]) {
            return Err(format!("a [bytes] model takes one [[input]], `{}` int32 [batch, {width}]", self.input));
        }
        let port = require_fp32(&self.output, outputs, 2)?;
        match port.shape[1] {
            Dim::Fixed(size) if size as usize == labels.len() => Ok(()),
            _ => Err(format!("[labels] has {} names, but [[output]] is {port}", labels.len())),
        }
    }
}
