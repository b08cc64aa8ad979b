//! The yardstick of benchmarks: plain async-nats request and reply on a connection of its own, nothing of ours between.

use bytes::Bytes;
use futures::StreamExt;
use tokio::task::JoinHandle;

/// A plain client. Clones share its connection.
#[derive(Clone, Debug)]
pub struct Baseline {
    client: async_nats::Client,
}

/// The client's own word.
#[derive(Debug, thiserror::Error)]
#[error("plain NATS client: {0}")]
pub struct BaselineError(String);

fn failed(error: impl std::fmt::Display) -> BaselineError {
    BaselineError(error.to_string())
}

impl Baseline {
    /// Connects to `url` with the client's default options.
    ///
    /// # Errors
    /// The client's.
    pub async fn connect(url: &str) -> Result<Self, BaselineError> {
        Ok(Self { client: async_nats::connect(url).await.map_err(failed)? })
    }

    /// Answers each request on `subject` with its own payload, until the returned task is aborted. Returns when the
    /// server knows of it.
    ///
    /// # Errors
    /// The client's.
    pub async fn echo(&self, subject: &str) -> Result<JoinHandle<()>, BaselineError> {
        let mut requests = self.client.subscribe(subject.to_owned()).await.map_err(failed)?;
        self.client.flush().await.map_err(failed)?;
        let client = self.client.clone();
        Ok(tokio::spawn(async move {
            while let Some(request) = requests.next().await {
                if let Some(reply) = request.reply {
                    // Fails only when the connection is closed for good: nobody is left to tell.
                    let _closed = client.publish(reply, request.payload).await;
                }
            }
        }))
    }

    /// One request and its reply.
    ///
    /// # Errors
    /// The client's.
    pub async fn request(&self, subject: String, payload: Bytes) -> Result<Bytes, BaselineError> {
        self.client.request(subject, payload).await.map(|message| message.payload).map_err(failed)
    }
}
