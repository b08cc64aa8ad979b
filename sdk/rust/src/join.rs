//! Several purchases at once.

use std::future::Future;

use futures_util::stream::{self, StreamExt as _};

/// Wait for all futures at once; results in the order of the futures.
pub async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    futures_util::future::join_all(futures).await
}

/// Wait for all futures with at most `limit` of them running (at least one); results in the order of the futures.
///
/// A future that has not begun has bought nothing, so this bounds what is in flight at the sellers as well.
pub async fn join_at_most<F: Future>(limit: usize, futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    stream::iter(futures).buffered(limit.max(1)).collect().await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::join_at_most;

    /// Yields once, so that others get their turn while this one runs.
    async fn pause() {
        let mut paused = false;
        std::future::poll_fn(move |context| {
            if std::mem::replace(&mut paused, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    #[test]
    fn results_keep_their_order_and_the_limit_holds() {
        let (running, most) = (Cell::new(0_usize), Cell::new(0_usize));
        let jobs = (0..10).map(|number| {
            let (running, most) = (&running, &most);
            async move {
                running.set(running.get() + 1);
                most.set(most.get().max(running.get()));
                pause().await;
                running.set(running.get() - 1);
                number
            }
        });
        let mut all = pin!(join_at_most(3, jobs));
        let results = loop {
            if let Poll::Ready(results) = all.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                break results;
            }
        };
        assert_eq!(results, (0..10).collect::<Vec<_>>());
        assert_eq!(most.get(), 3);
    }
}
