//! A decoder's graph as two operations: read more of one prompt, and step all rows by one token.

use std::rc::Rc;

use crate::backend::Session;
use crate::backend::held::{Feed, Floats, Held};
use crate::error::{Error, Result};
use crate::limits;
use crate::package::GenerateSettings;

use super::cache::{Batch, Layout, Place, empty, gather};

/// Names of the graph's ports, in the order in which they are fed and taken.
pub(crate) struct Names {
    past: Vec<String>,
    present: Vec<String>,
    logits: String,
    positions: bool,
    vocab: usize,
}

impl Names {
    pub(crate) fn of(settings: &GenerateSettings) -> Self {
        let of_layers = |key: &str, value: &str| -> Vec<String> {
            (0..settings.layers)
                .flat_map(|layer| [key, value].map(|pattern| GenerateSettings::port_name(pattern, layer)))
                .collect()
        };
        Self {
            past: of_layers(&settings.past_key, &settings.past_value),
            present: of_layers(&settings.present_key, &settings.present_value),
            logits: settings.logits.clone(),
            positions: settings.position_ids,
            vocab: settings.vocab as usize,
        }
    }

    /// Tokens that the model knows.
    pub(crate) fn vocab(&self) -> usize {
        self.vocab
    }

    /// The output of the logits.
    pub(crate) fn logits(&self) -> &str {
        &self.logits
    }
}

/// A session that decodes.
pub(crate) struct Decoder<'a> {
    pub(crate) session: &'a mut dyn Session,
    pub(crate) names: Names,
    pub(crate) layout: Layout,
}

/// What a step made of a row: the logits of its next token, and its longer cache.
pub(crate) struct Stepped {
    pub(crate) logits: Vec<f32>,
    pub(crate) place: Place,
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(session: &'a mut dyn Session, settings: &GenerateSettings) -> Self {
        Self { session, names: Names::of(settings), layout: Layout::of(settings) }
    }

    /// The cache of a sequence of which nothing was read.
    pub(crate) fn begin(&mut self) -> Result<Place> {
        Ok(Place { batch: empty(self.session, self.layout)?.into(), row: 0 })
    }

    /// Reads tokens of one sequence, at most as many as stand between two steps. The logits are not looked at: the last
    /// token of a prompt goes through [`Decoder::step`].
    pub(crate) fn read(&mut self, place: &Place, tokens: &[u32]) -> Result<Place> {
        let tokens = &tokens[..tokens.len().min(limits::PREFILL_TOKENS_MAX)];
        let batch = self.gather(std::slice::from_ref(place))?;
        let ids: Vec<i64> = tokens.iter().map(|token| i64::from(*token)).collect();
        let (_, next) = self.run(&batch, &ids, &[])?;
        Ok(Place { batch: next.into(), row: 0 })
    }

    /// One token for each row. A run that fails is tried again by halves, so that a row which cannot be run fails alone;
    /// results stand in the order of the rows.
    pub(crate) fn step(&mut self, places: &[Place], tokens: &[u32]) -> Vec<Result<Stepped>> {
        match self.step_together(places, tokens) {
            Ok(stepped) => stepped.into_iter().map(Ok).collect(),
            Err(error) if places.len() < 2 => places.iter().map(|_| Err(error.clone())).collect(),
            Err(_) => {
                let (first, second) = places.split_at(places.len() / 2);
                let mut results = self.step(first, &tokens[..first.len()]);
                results.extend(self.step(second, &tokens[first.len()..]));
                results
            }
        }
    }

    /// The same in one run, or not at all.
    pub(crate) fn step_together(&mut self, places: &[Place], tokens: &[u32]) -> Result<Vec<Stepped>> {
        let batch = self.gather(places)?;
        let ids: Vec<i64> = tokens.iter().map(|token| i64::from(*token)).collect();
        let logits_name = self.names.logits.clone();
        let (mut copied, next) = self.run(&batch, &ids, &[&logits_name])?;
        let logits = copied.pop().ok_or_else(|| Error::Backend("the decoder gave no logits".to_owned()))?;
        let rows = self.logit_rows(&logits, places.len())?;
        let next = Rc::new(next);
        let stepped = |(row, logits)| Stepped { logits, place: Place { batch: Rc::clone(&next), row } };
        Ok(rows.into_iter().enumerate().map(stepped).collect())
    }

    /// These rows as one batch.
    pub(crate) fn gather(&mut self, places: &[Place]) -> Result<Rc<Batch>> {
        gather(self.session, self.layout, places)
    }

    /// One run: the same number of tokens for each row of the batch.
    fn run(&mut self, batch: &Batch, ids: &[i64], copy: &[&str]) -> Result<(Vec<Floats>, Batch)> {
        let rows = batch.rows.len();
        let new = ids.len() / rows.max(1);
        let total = batch.length + new;
        let mut mask = Vec::with_capacity(rows * total);
        let mut positions = Vec::with_capacity(rows * new);
        for own in &batch.rows {
            mask.resize(mask.len() + batch.length - own, 0);
            mask.resize(mask.len() + own + new, 1);
            positions.extend((*own..own + new).map(|place| place as i64));
        }
        let mut inputs = vec![("input_ids", Feed::Ints([rows, new], ids)), ("attention_mask", Feed::Ints([rows, total], &mask))];
        if self.names.positions {
            inputs.push(("position_ids", Feed::Ints([rows, new], &positions)));
        }
        inputs.extend(self.names.past.iter().zip(&batch.held).map(|(name, held)| (name.as_str(), Feed::Held(held))));
        let present: Vec<&str> = self.names.present.iter().map(String::as_str).collect();
        let (copied, held) = self.session.run_held(&inputs, copy, &present)?;
        self.check(&held, rows, total)?;
        Ok((copied, Batch { held, length: total, rows: batch.rows.iter().map(|own| own + new).collect() }))
    }

    fn check(&self, held: &[Held], rows: usize, total: usize) -> Result<()> {
        let want = [rows, self.layout.heads, total, self.layout.size];
        match held.iter().find(|held| held.shape != want) {
            Some(held) => Err(Error::Backend(format!("the model keeps keys and values as {:?}, not {want:?}", held.shape))),
            None => Ok(()),
        }
    }

    /// The logits of each row's last token.
    fn logit_rows(&self, logits: &Floats, rows: usize) -> Result<Vec<Vec<f32>>> {
        match logits.shape.as_slice() {
            [found, seq, vocab] if *found == rows && *seq > 0 && *vocab == self.names.vocab => {
                let row = |row: &[f32]| row[row.len() - vocab..].to_vec();
                Ok(logits.values.chunks(seq * vocab).map(row).collect())
            }
            shape => Err(Error::Backend(format!(
                "output `{}` has the shape {shape:?}, not [{rows}, …, {}]",
                self.names.logits, self.names.vocab
            ))),
        }
    }
}
