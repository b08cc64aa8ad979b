//! From waiting requests to runs of a device: who is next, what runs together, what became of it.
//!
//! [`queue`] keeps the fair order between tenants, [`table`] learns what a run costs and with it how many rows to run
//! together, [`worker`] is the thread that owns a session, [`call`] is a caller's side of it.

#[cfg(test)]
mod batch_tests;
pub(crate) mod call;
pub(crate) mod queue;
pub(crate) mod table;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod worker;
