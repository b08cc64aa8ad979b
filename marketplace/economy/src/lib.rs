//! The rules of money and trade. Pure: commands and time go in, outcomes come out; no I/O, no async, no clock, no
//! randomness, no float near money. Everybody may know this crate; it knows nothing but hashing, signatures and CBOR.

pub mod amount;
pub mod call;
pub mod channel;
pub mod digest;
pub mod key;
pub mod ledger;
pub mod limits;
pub mod merkle;
pub mod offer;
pub mod price;
pub mod quote;
pub mod receipt;
pub mod statement;
pub mod tender;

pub use amount::Amount;
pub use digest::Digest;
pub use key::{Keypair, PublicKey, Verifier};
pub use statement::{Signed, Statement, StatementError};
