//! Text to vectors: the tokenizer stands in the host, so that an agent stays small.

use tokenizers::{Encoding, Tokenizer, TruncationParams};

use super::{finite, split_rows};
use crate::backend::Session;
use crate::error::{Error, Result};
use crate::limits;
use crate::package::{Activation, Pooling, TextSettings};
use crate::tensor::{Elements, Port, Tensor};

/// A tokenizer under the manifest's settings; those of `tokenizer.json` on padding and truncation do not count.
pub(crate) struct TextTokens {
    tokenizer: Tokenizer,
    prefix: String,
    max_tokens: u32,
}

/// A text, or a pair of texts, as tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub(crate) ids: Vec<u32>,
    /// Where the second text of a pair begins; the length where there is none.
    pub(crate) second: usize,
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
    /// `too-large` over 64 KiB; `bad-input` when nothing remains of it.
    pub(crate) fn encode(&self, text: &str) -> Result<Tokens> {
        if text.len() > limits::TEXT_BYTES_MAX {
            return Err(Error::TooLarge(limits::TEXT_BYTES_MAX as u64));
        }
        let encoding = if self.prefix.is_empty() {
            self.tokenizer.encode_fast(text, true)
        } else {
            self.tokenizer.encode_fast(format!("{}{text}", self.prefix), true)
        };
        tokens(encoding)
    }

    /// The tokens of a query and a document in one row, cut at the model's limit: the longer of the two first.
    ///
    /// # Errors
    /// As [`TextTokens::encode`].
    pub(crate) fn encode_pair(&self, query: &str, document: &str) -> Result<Tokens> {
        if query.len().max(document.len()) > limits::TEXT_BYTES_MAX {
            return Err(Error::TooLarge(limits::TEXT_BYTES_MAX as u64));
        }
        tokens(self.tokenizer.encode_fast((query, document), true))
    }

    /// Tokens that a text would be charged for.
    pub(crate) fn count(&self, text: &str) -> Result<u32> {
        Ok(u32::try_from(self.encode(text)?.ids.len()).unwrap_or(self.max_tokens))
    }
}

fn tokens(encoding: tokenizers::Result<Encoding>) -> Result<Tokens> {
    let encoding = encoding.map_err(|cause| Error::BadInput(format!("a text cannot be tokenised: {cause}")))?;
    if encoding.is_empty() {
        return Err(Error::BadInput("a text has no tokens; send text that is not empty".to_owned()));
    }
    let ids = encoding.get_ids().to_vec();
    let second = encoding.get_type_ids().iter().position(|kind| *kind != 0).unwrap_or(ids.len());
    Ok(Tokens { ids, second, truncated: !encoding.get_overflowing().is_empty() })
}

/// Runs token rows together; short rows are filled up and the filling masked. One vector per row: an embedding, or scores.
pub(super) fn run(
    settings: &TextSettings,
    ports: &[Port],
    session: &mut dyn Session,
    rows: &[&Tokens],
) -> Result<Vec<Result<Vec<f32>>>> {
    let width = rows.iter().map(|row| row.ids.len()).max().unwrap_or(0);
    let shape = [rows.len() as u32, width as u32];
    let tensors = ports.iter().map(|port| token_port(settings, &port.name, rows, width, &shape)).collect::<Result<Vec<_>>>()?;
    let inputs: Vec<(&str, &Tensor)> = ports.iter().zip(&tensors).map(|(port, tensor)| (port.name.as_str(), tensor)).collect();
    let outputs = session.run(&inputs, &[&settings.output])?;
    let output = outputs.first().ok_or_else(|| Error::Backend("the backend gave no output".to_owned()))?;
    let vectors = match settings.pooling {
        Pooling::None => split_rows(&settings.output, output, rows.len())?,
        pooling => pool(&settings.output, output, rows, pooling)?,
    };
    Ok(vectors.into_iter().map(|vector| vector.map(|vector| finished(settings, vector))).collect())
}

fn finished(settings: &TextSettings, mut vector: Vec<f32>) -> Vec<f32> {
    match settings.activation {
        Activation::None => {}
        Activation::Softmax => softmax(&mut vector),
        Activation::Sigmoid => vector.iter_mut().for_each(|value| *value = 1.0 / (1.0 + (-*value).exp())),
    }
    if settings.normalise {
        normalise(&mut vector);
    }
    vector
}

fn token_port(settings: &TextSettings, name: &str, rows: &[&Tokens], width: usize, shape: &[u32]) -> Result<Tensor> {
    let mut values = Vec::with_capacity(rows.len() * width);
    for Tokens { ids, second, .. } in rows {
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
            // token_type_ids: 0 for the first text and the filling, 1 for the second text
            _ => {
                values.extend(std::iter::repeat_n(0, *second));
                values.extend(std::iter::repeat_n(1, ids.len() - second));
                values.extend(std::iter::repeat_n(0, filling));
            }
        }
    }
    Tensor::new(shape, Elements::Int64(values))
}

/// One vector per row from `[rows, width, dims]`, over the row's own tokens.
fn pool(name: &str, output: &Tensor, rows: &[&Tokens], pooling: Pooling) -> Result<Vec<Result<Vec<f32>>>> {
    let (Some(values), [count, width, dims]) = (output.as_fp32(), output.shape()) else {
        return Err(Error::Backend(format!(
            "output `{name}` has the shape {:?}, not [rows, tokens, dims] of fp32",
            output.shape()
        )));
    };
    let (width, dims) = (*width as usize, *dims as usize);
    if *count as usize != rows.len() || rows.iter().any(|row| row.ids.len() > width) {
        return Err(Error::Backend(format!("output `{name}` has the shape {:?} for {} rows", output.shape(), rows.len())));
    }
    let of_row = |(row, block): (&&Tokens, &[f32])| {
        let own = &block[..row.ids.len() * dims];
        finite(name, if pooling == Pooling::Mean { mean(own, dims) } else { own[..dims].to_vec() })
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

/// Each from 0 to 1, together 1.
fn softmax(vector: &mut [f32]) {
    let most = vector.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    vector.iter_mut().for_each(|value| *value = (*value - most).exp());
    let sum: f32 = vector.iter().sum();
    vector.iter_mut().for_each(|value| *value /= sum);
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
        let (two, one) = (row(&[7, 8]), row(&[9]));
        let pooled = |pooling| pool("h", &output, &[&two, &one], pooling).unwrap().into_iter().map(Result::unwrap);
        assert!(pooled(Pooling::Mean).eq([[2.0, 3.0], [5.0, 6.0]]));
        assert!(pooled(Pooling::Cls).eq([[1.0, 2.0], [5.0, 6.0]]));
    }

    #[test]
    fn what_is_not_finite_is_one_rows_fault() {
        let output = Tensor::new(&[2, 1, 2], Elements::Fp32(vec![1.0, f32::NAN, 3.0, 4.0])).unwrap();
        let (first, second) = (row(&[7]), row(&[9]));
        let pooled = pool("h", &output, &[&first, &second], Pooling::Mean).unwrap();
        assert_eq!(pooled, [Err(Error::NonFinite("h".to_owned())), Ok(vec![3.0, 4.0])]);
    }

    fn row(ids: &[u32]) -> Tokens {
        Tokens { ids: ids.to_vec(), second: ids.len(), truncated: false }
    }

    #[test]
    fn scores_by_softmax_are_a_distribution_and_do_not_overflow() {
        let mut scores = [1000.0, 1000.0, f32::MIN];
        softmax(&mut scores);
        assert_eq!(scores, [0.5, 0.5, 0.0]);
    }

    #[test]
    fn normalising_gives_length_one_and_survives_zero() {
        let (mut vector, mut zero) = ([3.0, 4.0], [0.0, 0.0]);
        normalise(&mut vector);
        normalise(&mut zero);
        assert_eq!((vector, zero), ([0.6, 0.8], [0.0, 0.0]));
    }
}
