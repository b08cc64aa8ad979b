//! Inference is paid for: held on the ledger before the work, written down before each piece is handed out, paid out of the
//! hold soon after.
//!
//! An agent's [`Tab`] holds money of the agent's account for the operator, a block at a time, so that most requests cost the
//! ledger nothing. Each charge stands in the journal before the guest sees what it paid for; a node that is killed finds
//! there what each hold owes, and pays exactly that. An agent without money has a small credit with the operator.

mod books;
mod journal;
mod tab;

pub use journal::{Meter, MeterError};
pub use tab::{Tab, TabOptions};
