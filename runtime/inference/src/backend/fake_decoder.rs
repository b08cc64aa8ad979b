//! A deterministic decoder for tests of scheduling: its next token follows from the tokens that its cache really holds, their
//! positions and the mask, so that a row put into a wrong place says something else.
//!
//! One layer, one head of size 2: the keys hold each token and its position, the values hold zeros.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use super::held::{Feed, Floats, Held, Numbers};
use super::{Interrupt, Session};
use crate::error::{Error, Result};
use crate::info::{DeviceClass, Provider};
use crate::tensor::{Port, Tensor};

/// Tokens that it knows: the bytes and 16 special ones.
pub(crate) const VOCAB: u32 = 272;
/// The token that ends an answer.
pub(crate) const EOS: u32 = 257;
/// A token that no step can take: the run fails for all its rows.
pub(crate) const POISON: u32 = 270;
/// A token after which the row's logits are NaN, and only the row's.
pub(crate) const NAN: u32 = 271;

/// A first token after which the answer never ends by itself.
pub(crate) const ENDLESS: u32 = 256;

/// What a fake decoder did.
#[derive(Debug, Default)]
pub(crate) struct Diary {
    /// Rows of each step.
    pub(crate) rows: Vec<usize>,
    /// Tensors that were made from numbers of the host.
    pub(crate) kept: usize,
}

/// The decoder.
#[derive(Default)]
pub(crate) struct FakeDecoder {
    pub(crate) diary: Arc<Mutex<Diary>>,
    /// Wants a mask without filling, as exports do that count the mask's ones.
    pub(crate) no_filling: bool,
}

/// The token that follows these: the decoder's whole knowledge.
pub(crate) fn next_token(tokens: &[u32]) -> u32 {
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    for token in tokens {
        hash = (hash ^ u64::from(*token)).wrapping_mul(0x0100_0000_01B3);
    }
    let hash = hash ^ (hash >> 29);
    let ends = hash.is_multiple_of(41) && tokens.first() != Some(&ENDLESS);
    if ends { EOS } else { 32 + (hash >> 8) as u32 % 95 }
}

impl FakeDecoder {
    fn row(&self, tokens: &[u32]) -> Vec<f32> {
        let mut logits = vec![0.0; VOCAB as usize];
        logits[next_token(tokens) as usize] = 9.0;
        if tokens.last() == Some(&NAN) {
            logits.fill(f32::NAN);
        }
        logits
    }
}

fn wrong(text: &str) -> Error {
    Error::Backend(format!("the fake decoder: {text}"))
}

fn held(shape: [usize; 4], numbers: Vec<f32>) -> Held {
    Held { shape, value: Box::new(numbers) }
}

fn numbers(held: &Held) -> Result<&Vec<f32>> {
    held.value.downcast_ref().ok_or_else(|| wrong("foreign tensor"))
}

/// What a run was fed.
struct Fed<'a> {
    rows: usize,
    new: usize,
    past: usize,
    ids: &'a [i64],
    mask: &'a [i64],
    positions: &'a [i64],
    keys: &'a [f32],
}

impl<'a> Fed<'a> {
    fn of(inputs: &'a [(&str, Feed<'a>)]) -> Result<Self> {
        let ints = |name: &str| {
            inputs.iter().find_map(|(other, feed)| match feed {
                Feed::Ints(shape, data) if *other == name => Some((*shape, *data)),
                _ => None,
            })
        };
        let keys = inputs.iter().find_map(|(name, feed)| match feed {
            Feed::Held(held) if *name == "past.0.key" => Some(*held),
            _ => None,
        });
        let (Some(([rows, new], ids)), Some((mask_shape, mask)), Some((_, positions)), Some(keys)) =
            (ints("input_ids"), ints("attention_mask"), ints("position_ids"), keys)
        else {
            return Err(wrong("a port is missing"));
        };
        let past = keys.shape[2];
        if mask_shape != [rows, past + new] || keys.shape != [rows, 1, past, 2] || positions.len() != ids.len() {
            return Err(wrong("shapes do not fit"));
        }
        Ok(Self { rows, new, past, ids, mask, positions, keys: numbers(keys)? })
    }

    /// The row's keys with the new tokens, and the tokens that the mask shows.
    fn row(&self, row: usize) -> Result<(Vec<f32>, Vec<u32>)> {
        let mut keys = self.keys[row * self.past * 2..(row + 1) * self.past * 2].to_vec();
        for at in row * self.new..(row + 1) * self.new {
            keys.extend([self.ids[at] as f32, self.positions[at] as f32]);
        }
        let mask = &self.mask[row * (self.past + self.new)..(row + 1) * (self.past + self.new)];
        let mut tokens = Vec::new();
        for (pair, shown) in keys.chunks(2).zip(mask) {
            if *shown == 1 {
                if pair[1] as usize != tokens.len() {
                    return Err(wrong("a position is wrong"));
                }
                tokens.push(pair[0] as u32);
            }
        }
        Ok((keys, tokens))
    }
}

/// Its runs are over before anybody could end them.
struct Unheard;

impl Interrupt for Unheard {
    fn stop(&self) {}

    fn clear(&self) {}
}

impl Session for FakeDecoder {
    fn inputs(&self) -> &[Port] {
        &[]
    }

    fn outputs(&self) -> &[Port] {
        &[]
    }

    fn provider(&self) -> Provider {
        Provider { name: "Fake".to_owned(), share: 1.0, device: DeviceClass::Cpu, passed_over: vec![] }
    }

    fn interrupt(&self) -> Arc<dyn Interrupt> {
        Arc::new(Unheard)
    }

    fn run(&mut self, _inputs: &[(&str, &Tensor)], _outputs: &[&str]) -> Result<Vec<Tensor>> {
        Err(wrong("it only decodes"))
    }

    fn run_held(&mut self, inputs: &[(&str, Feed<'_>)], copy: &[&str], _hold: &[&str]) -> Result<(Vec<Floats>, Vec<Held>)> {
        let fed = Fed::of(inputs)?;
        if fed.ids.contains(&i64::from(POISON)) {
            return Err(wrong("it was poisoned"));
        }
        let (mut keys, mut logits) = (Vec::new(), Vec::new());
        for row in 0..fed.rows {
            let (row_keys, tokens) = fed.row(row)?;
            if self.no_filling && fed.mask.contains(&0) {
                logits.resize(logits.len() + VOCAB as usize, 0.5);
            } else {
                logits.extend(self.row(&tokens));
            }
            keys.extend(row_keys);
        }
        let shape = [fed.rows, 1, fed.past + fed.new, 2];
        let values = held(shape, vec![0.0; keys.len()]);
        if copy.is_empty() {
            return Ok((vec![], vec![held(shape, keys), values]));
        }
        self.diary.lock().unwrap_or_else(PoisonError::into_inner).rows.push(fed.rows);
        let logits = Floats { shape: vec![fed.rows, 1, VOCAB as usize], values: logits };
        Ok((vec![logits], vec![held(shape, keys), values]))
    }

    fn keep(&mut self, shape: [usize; 4], numbers: Numbers<'_>) -> Result<Held> {
        self.diary.lock().unwrap_or_else(PoisonError::into_inner).kept += 1;
        match numbers {
            Numbers::Fp32(numbers) => Ok(held(shape, numbers.into_owned())),
            Numbers::Fp16(_) => Err(wrong("it keeps no half floats")),
        }
    }

    fn read<'a>(&mut self, held: &'a Held) -> Result<Numbers<'a>> {
        Ok(Numbers::Fp32(Cow::Borrowed(numbers(held)?)))
    }
}
