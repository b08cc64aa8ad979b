//! Keys and values of several sequences in one set of tensors, and moving rows between such sets.
//!
//! Each tensor is `[rows, heads, length, size]`. Rows share the length; a shorter sequence is filled up on the left, and the
//! attention mask hides the filling. A step appends to all rows at once and hands the tensors on without a copy; only when
//! rows join, leave or are set aside are they copied, through the host's memory.

use std::borrow::Cow;
use std::rc::Rc;

use half::f16;

use crate::backend::Session;
use crate::backend::held::{Held, Numbers};
use crate::error::{Error, Result};
use crate::package::GenerateSettings;
use crate::tensor::Dtype;

/// What all tensors of a model's cache have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) tensors: usize,
    pub(crate) heads: usize,
    pub(crate) size: usize,
    pub(crate) half: bool,
}

impl Layout {
    pub(crate) fn of(settings: &GenerateSettings) -> Self {
        Self {
            tensors: 2 * settings.layers as usize,
            heads: settings.kv_heads as usize,
            size: settings.head_size as usize,
            half: settings.cache == Dtype::Fp16,
        }
    }

    /// Bytes of one token of one row.
    pub(crate) fn token_bytes(&self) -> u64 {
        (self.tensors * self.heads * self.size * if self.half { 2 } else { 4 }) as u64
    }
}

/// The cache of some rows.
pub(crate) struct Batch {
    /// Keys and values of each layer.
    pub(crate) held: Vec<Held>,
    /// Tokens that each row has room for.
    pub(crate) length: usize,
    /// Tokens that each row has; they stand on the right.
    pub(crate) rows: Vec<usize>,
}

/// A row of a batch.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) batch: Rc<Batch>,
    pub(crate) row: usize,
}

impl Place {
    /// Tokens that the row holds.
    pub(crate) fn tokens(&self) -> usize {
        self.batch.rows[self.row]
    }
}

/// An empty cache for one row.
pub(crate) fn empty(session: &mut dyn Session, layout: Layout) -> Result<Batch> {
    let shape = [1, layout.heads, 0, layout.size];
    let numbers = || if layout.half { Numbers::Fp16(Cow::default()) } else { Numbers::Fp32(Cow::default()) };
    let held = (0..layout.tensors).map(|_| session.keep(shape, numbers())).collect::<Result<_>>()?;
    Ok(Batch { held, length: 0, rows: vec![0] })
}

/// Whether these are all rows of one batch, in its order.
pub(crate) fn is_whole(places: &[Place]) -> bool {
    let all = |first: &Place| {
        let own = |(row, place): (usize, &Place)| place.row == row && Rc::ptr_eq(&place.batch, &first.batch);
        places.len() == first.batch.rows.len() && places.iter().enumerate().all(own)
    };
    places.first().is_some_and(all)
}

/// These rows as one batch, in this order: no copy where they are one already.
pub(crate) fn gather(session: &mut dyn Session, layout: Layout, places: &[Place]) -> Result<Rc<Batch>> {
    if let Some(first) = places.first()
        && is_whole(places)
    {
        return Ok(Rc::clone(&first.batch));
    }
    let rows: Vec<usize> = places.iter().map(Place::tokens).collect();
    let length = rows.iter().copied().max().unwrap_or(0);
    let shape = [places.len(), layout.heads, length, layout.size];
    let tensor = |index| {
        let numbers = gather_tensor(session, layout, places, index, length)?;
        session.keep(shape, numbers)
    };
    let held = (0..layout.tensors).map(tensor).collect::<Result<_>>()?;
    Ok(Rc::new(Batch { held, length, rows }))
}

fn gather_tensor(
    session: &mut dyn Session,
    layout: Layout,
    places: &[Place],
    index: usize,
    length: usize,
) -> Result<Numbers<'static>> {
    // each source is read once, however many of its rows move: reading may cross from a device
    let mut sources: Vec<(&Rc<Batch>, Numbers<'_>)> = Vec::new();
    for place in places {
        if !sources.iter().any(|(batch, _)| Rc::ptr_eq(batch, &place.batch)) {
            sources.push((&place.batch, session.read(&place.batch.held[index])?));
        }
    }
    let mut single = Vec::new();
    let mut half = Vec::new();
    for place in places {
        let source = sources.iter().find(|(batch, _)| Rc::ptr_eq(batch, &place.batch)).map(|(_, numbers)| numbers);
        match (source, layout.half) {
            (Some(Numbers::Fp32(numbers)), false) => copy_row(&mut single, numbers, layout, place, length, 0.0),
            (Some(Numbers::Fp16(numbers)), true) => copy_row(&mut half, numbers, layout, place, length, f16::ZERO),
            _ => return Err(Error::Backend("the model's keys and values are not of the declared type".to_owned())),
        }
    }
    Ok(if layout.half { Numbers::Fp16(half.into()) } else { Numbers::Fp32(single.into()) })
}

/// Appends one row, filled up on the left.
fn copy_row<T: Copy>(out: &mut Vec<T>, numbers: &[T], layout: Layout, place: &Place, length: usize, filling: T) {
    let (own, room) = (place.tokens(), place.batch.length);
    for head in 0..layout.heads {
        let end = (place.row * layout.heads + head + 1) * room * layout.size;
        out.resize(out.len() + (length - own) * layout.size, filling);
        out.extend_from_slice(&numbers[end - own * layout.size..end]);
    }
}
