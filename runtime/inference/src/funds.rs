//! Where the price of a request comes from: held before the work, charged piece by piece before each piece is handed out,
//! let go when the request ends.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use crate::error::Result;

/// What [`Funds::hold`] answers.
pub type HoldFuture<'a> = Pin<Box<dyn Future<Output = Result<Box<dyn Hold>>> + Send + 'a>>;

/// The account that pays for a tenant's requests.
pub trait Funds: Send + Sync {
    /// Sets `most` micro-units aside, before any work is queued.
    ///
    /// # Errors
    /// `not-permitted` where the account cannot pay so much; the text says what to do.
    fn hold(&self, most: u64) -> HoldFuture<'_>;
}

/// Money set aside for one request. Dropping it lets go of what was not charged.
pub trait Hold: Send + Sync {
    /// Charges a piece of work. It is called before the piece is handed out, and only what it has taken is; the sum of all
    /// charges is never above what was held.
    ///
    /// # Errors
    /// `backend` where the charge cannot be written down: the piece is kept back then.
    fn charge(&self, charge: &Charge) -> Result<()>;
}

/// The price of a piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// SHA-256 of the model's manifest.
    pub model: [u8; 32],
    /// Input units of this piece, as in [`crate::Usage::input_units`].
    pub input_units: u64,
    /// Output units of this piece.
    pub output_units: u64,
    /// Micro-units.
    pub cost: u64,
}

/// Nobody pays: for tests, benchmarks, and the operator's own use.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unpaid;

impl Funds for Unpaid {
    fn hold(&self, _most: u64) -> HoldFuture<'_> {
        Box::pin(std::future::ready(Ok(Box::new(Self) as Box<dyn Hold>)))
    }
}

impl Hold for Unpaid {
    fn charge(&self, _charge: &Charge) -> Result<()> {
        Ok(())
    }
}

impl fmt::Debug for dyn Funds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Funds")
    }
}

/// [`Unpaid`], shared.
pub(crate) fn unpaid() -> Arc<dyn Funds> {
    Arc::new(Unpaid)
}
