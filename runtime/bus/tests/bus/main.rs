//! The bus against real servers, each started by its test on a free port.
#![expect(clippy::unwrap_used, reason = "tests")]

mod buckets;
mod connecting;
mod histories;
mod journals;
mod requests;
mod servers;
mod services;
mod stock_client;

use std::time::Duration;

/// Long enough for a loaded machine; a test that reaches it has failed.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// Awaits `future`, but not for ever.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONG, future).await.expect("the test waits for something that does not come")
}
