//! Bytes to labels, the way Magika reads files.
//!
//! Source: `_extract_features_from_seekable` in <https://github.com/google/magika> (Python package 1.0.3).

use super::split_rows;
use crate::backend::Session;
use crate::error::{Error, Result};
use crate::limits;
use crate::package::BytesSettings;
use crate::tensor::{Elements, Tensor};

/// The features of one example: bytes from the beginning and from the end, white space around them left out.
///
/// # Errors
/// `too-large`, or `bad-input` when fewer than `min_bytes` remain to look at.
pub(crate) fn features(settings: &BytesSettings, content: &[u8]) -> Result<Vec<i32>> {
    if content.len() > limits::EXAMPLE_BYTES_MAX {
        return Err(Error::TooLarge(limits::EXAMPLE_BYTES_MAX as u64));
    }
    let looked_at = content.len().min(settings.block);
    let begin = trim_start(&content[..looked_at]);
    let begin = &begin[..begin.len().min(settings.begin)];
    if begin.len() < settings.min_bytes {
        return Err(Error::BadInput(format!(
            "an example holds `{}` bytes that mean something; {} are needed",
            begin.len(),
            settings.min_bytes
        )));
    }
    let end = trim_end(&content[content.len() - looked_at..]);
    let end = &end[end.len().saturating_sub(settings.end)..];
    let mut features = vec![settings.pad; settings.begin + settings.end];
    let last = features.len() - end.len();
    copy(begin, &mut features[..begin.len()]);
    copy(end, &mut features[last..]);
    Ok(features)
}

/// What Python's `bytes.strip` calls white space; Rust's own notion lacks the vertical tab.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

fn trim_start(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| !is_space(*byte)).unwrap_or(bytes.len());
    &bytes[start..]
}

fn trim_end(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last + 1);
    &bytes[..end]
}

fn copy(bytes: &[u8], features: &mut [i32]) {
    for (feature, byte) in features.iter_mut().zip(bytes) {
        *feature = i32::from(*byte);
    }
}

pub(super) fn run(settings: &BytesSettings, session: &mut dyn Session, rows: &[&[i32]]) -> Result<Vec<Result<Vec<f32>>>> {
    let shape = [rows.len() as u32, (settings.begin + settings.end) as u32];
    let tensor = Tensor::new(&shape, Elements::Int32(rows.concat()))?;
    let outputs = session.run(&[(&settings.input, &tensor)], &[&settings.output])?;
    let output = outputs.first().ok_or_else(|| Error::Backend("the backend gave no output".to_owned()))?;
    split_rows(&settings.output, output, rows.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> BytesSettings {
        BytesSettings { input: "bytes".into(), output: "target_label".into(), begin: 4, end: 4, block: 8, pad: 256, min_bytes: 2 }
    }

    #[test]
    fn both_ends_are_taken_stripped_and_padded() {
        assert_eq!(features(&settings(), b" ab \n").unwrap(), [97, 98, 32, 10, 256, 32, 97, 98]);
        assert_eq!(features(&settings(), b"0123456789abcdef").unwrap(), *b"0123cdef".map(i32::from).as_slice());
    }

    #[test]
    fn too_little_to_look_at_is_refused() {
        assert!(matches!(features(&settings(), b"  \n x"), Err(Error::BadInput(text)) if text.contains("`1` bytes")));
    }
}
