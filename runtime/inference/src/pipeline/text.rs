//! Text to vectors: the tokenizer stands in the host, so that an agent stays small.

use tokenizers::{Tokenizer, TruncationParams};

use super::split_rows;
use crate::backend::Session;
use crate::error::{Error, Result};
use crate::limits;
use crate::package::{Pooling, TextSettings};
use crate::tensor::{Elements, Port, Tensor};

/// A tokenizer under the manifest's settings; those of `tokenizer.json` on padding and truncation do not count.
pub(crate) struct TextTokens {
    tokenizer: Tokenizer,
    prefix: String,
    max_tokens: u32,
}

/// A text as tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub(crate) ids: Vec<u32>,
    pub(crate) truncated: bool,
}

impl TextTokens {
    /// From the verified bytes of a `tokenizer.json`.
    pub(crate) fn new(settings: &TextSettings, json: &[u8]) -> Result<Self> {
        let broken = |cause: tokenizers::Error| Error::Backend(format!("`{}` cannot be used: {cause}", settings.tokenizer));
        let mut tokenizer = Tokenizer::from_bytes(json).map_err(broken)?;
        let truncation = TruncationParams { max_length: settings.max_tokens as usize, ..TruncationParams::default() };
        tokenizer.with_padding(None).with_truncation(Some(truncation)).map_err(broken)?;
        Ok(Self { tokenizer, prefix: settings.prefix.clone(), max_tokens: settings.max_tokens })
    }

    /// The tokens of one text, cut at the model's limit.
    ///
    /// # Errors
    /// `too-large` over 64 KiB; `bad-input` when nothing remains to embed.
    pub(crate) fn encode(&self, text: &str) -> Result<Tokens> {
        if text.len() > limits::TEXT_BYTES_MAX {
            return Err(Error::TooLarge(limits::TEXT_BYTES_MAX as u64));
        }
        let bad = |cause: tokenizers::Error| Error::BadInput(format!("a text cannot be tokenised: {cause}"));
        let encoding = if self.prefix.is_empty() {
            self.tokenizer.encode_fast(text, true)
        } else {
            self.tokenizer.encode_fast(format!("{}{text}", self.prefix), true)
        };
        let encoding = encoding.map_err(bad)?;
        if encoding.is_empty() {
            return Err(Error::BadInput("a text has no tokens; send text that is not empty".to_owned()));
        }
        Ok(Tokens { ids: encoding.get_ids().to_vec(), truncated: !encoding.get_overflowing().is_empty() })
    }

    /// Tokens that a text would be charged for.
    pub(crate) fn count(&self, text: &str) -> Result<u32> {
        Ok(u32::try_from(self.encode(text)?.ids.len()).unwrap_or(self.max_tokens))
    }
}

/// Embeds token rows in one run; short rows are filled up and the filling masked.
pub(super) fn run(settings: &TextSettings, ports: &[Port], session: &mut dyn Session, rows: &[&[u32]]) -> Result<Vec<Vec<f32>>> {
    let width = rows.iter().map(|ids| ids.len()).max().unwrap_or(0);
    let shape = [rows.len() as u32, width as u32];
    let tensors = ports.iter().map(|port| token_port(settings, &port.name, rows, width, &shape)).collect::<Result<Vec<_>>>()?;
    let inputs: Vec<(&str, &Tensor)> = ports.iter().zip(&tensors).map(|(port, tensor)| (port.name.as_str(), tensor)).collect();
    let outputs = session.run(&inputs, &[&settings.output])?;
    let output = outputs.first().ok_or_else(|| Error::Backend("the backend gave no output".to_owned()))?;
    let mut vectors = match settings.pooling {
        Pooling::None => split_rows(&settings.output, output, rows.len())?,
        pooling => pool(&settings.output, output, rows, pooling)?,
    };
    if settings.normalise {
        vectors.iter_mut().for_each(|vector| normalise(vector));
    }
    Ok(vectors)
}

fn token_port(settings: &TextSettings, name: &str, rows: &[&[u32]], width: usize, shape: &[u32]) -> Result<Tensor> {
    let mut values = Vec::with_capacity(rows.len() * width);
    for ids in rows {
        let filling = width - ids.len();
        match name {
            "input_ids" => {
                values.extend(ids.iter().map(|id| i64::from(*id)));
                values.extend(std::iter::repeat_n(i64::from(settings.pad_token), filling));
            }
            "attention_mask" => {
                values.extend(std::iter::repeat_n(1, ids.len()));
                values.extend(std::iter::repeat_n(0, filling));
            }
            // token_type_ids: one sequence per row is all of type 0
            _ => values.extend(std::iter::repeat_n(0, width)),
        }
    }
    Tensor::new(shape, Elements::Int64(values))
}

/// One vector per row from `[rows, width, dims]`, over the row's own tokens.
fn pool(name: &str, output: &Tensor, rows: &[&[u32]], pooling: Pooling) -> Result<Vec<Vec<f32>>> {
    output.require_finite(name)?;
    let (Some(values), [count, width, dims]) = (output.as_fp32(), output.shape()) else {
        return Err(Error::Backend(format!(
            "output `{name}` has the shape {:?}, not [rows, tokens, dims] of fp32",
            output.shape()
        )));
    };
    let (width, dims) = (*width as usize, *dims as usize);
    if *count as usize != rows.len() || rows.iter().any(|ids| ids.len() > width) {
        return Err(Error::Backend(format!("output `{name}` has the shape {:?} for {} rows", output.shape(), rows.len())));
    }
    let of_row = |(ids, block): (&&[u32], &[f32])| match pooling {
        Pooling::Mean => mean(&block[..ids.len() * dims], dims),
        Pooling::Cls | Pooling::None => block[..dims].to_vec(),
    };
    Ok(rows.iter().zip(values.chunks(width * dims)).map(of_row).collect())
}

fn mean(tokens: &[f32], dims: usize) -> Vec<f32> {
    let mut sum = vec![0.0; dims];
    for token in tokens.chunks(dims) {
        sum.iter_mut().zip(token).for_each(|(sum, value)| *sum += value);
    }
    let count = (tokens.len() / dims).max(1) as f32;
    sum.into_iter().map(|value| value / count).collect()
}

fn normalise(vector: &mut [f32]) {
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt().max(1e-12);
    vector.iter_mut().for_each(|value| *value /= length);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pooling_looks_only_at_a_rows_own_tokens() {
        let output = Tensor::new(&[2, 2, 2], Elements::Fp32(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 900.0, 900.0])).unwrap();
        let rows: [&[u32]; 2] = [&[7, 8], &[9]];
        assert_eq!(pool("h", &output, &rows, Pooling::Mean).unwrap(), [[2.0, 3.0], [5.0, 6.0]]);
        assert_eq!(pool("h", &output, &rows, Pooling::Cls).unwrap(), [[1.0, 2.0], [5.0, 6.0]]);
    }

    #[test]
    fn normalising_gives_length_one_and_survives_zero() {
        let (mut vector, mut zero) = ([3.0, 4.0], [0.0, 0.0]);
        normalise(&mut vector);
        normalise(&mut zero);
        assert_eq!((vector, zero), ([0.6, 0.8], [0.0, 0.0]));
    }
}
