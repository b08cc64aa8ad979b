//! An agent's key-value capability over its state file. redb blocks, so each operation runs beside the async threads.

use futures::FutureExt;
use futures::future::BoxFuture;
use hansa_host::store::{AgentStore, Keys, StoreError};
use hansa_state::{AgentState, StateError};

/// The capability.
pub(crate) struct Shelf {
    pub(crate) state: AgentState,
}

impl Shelf {
    fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&AgentState) -> Result<T, StateError> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, StoreError>> {
        let state = self.state.clone();
        let done = async move {
            let result = tokio::task::spawn_blocking(move || work(&state)).await;
            let result = result.map_err(|_| StoreError::Other("the node is stopping".into()))?;
            result.map_err(|error| StoreError::Other(error.to_string()))
        };
        done.boxed()
    }
}

impl AgentStore for Shelf {
    fn get(&self, key: String) -> BoxFuture<'_, Result<Option<Vec<u8>>, StoreError>> {
        self.run(move |state| state.get(&key))
    }

    fn set(&self, key: String, value: Vec<u8>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.run(move |state| state.set(&key, &value))
    }

    fn delete(&self, key: String) -> BoxFuture<'_, Result<(), StoreError>> {
        self.run(move |state| state.delete(&key))
    }

    fn exists(&self, key: String) -> BoxFuture<'_, Result<bool, StoreError>> {
        self.run(move |state| state.exists(&key))
    }

    fn list_keys(&self, cursor: Option<String>) -> BoxFuture<'_, Result<Keys, StoreError>> {
        self.run(move |state| state.keys(cursor.as_deref()).map(|(keys, cursor)| Keys { keys, cursor }))
    }
}
