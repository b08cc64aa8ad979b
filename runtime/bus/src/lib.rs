//! The bus room: everything Hansa says to NATS, and the `nats-server` that a node starts for itself.
//!
//! The only crate that knows `async-nats`; none of its types shows here. The parts:
//! - [`Bus`]: a connection that heals itself; requests, publications, subscriptions.
//! - [`Bus::serve`]: services that the stock tools see (`nats micro ls|info|stats`), as NATS ADR-32 defines them.
//! - [`Bus::bucket`]: key-value buckets, with a [`BucketWatch`] that an index can trust to be complete.
//! - [`Bus::journal`]: statements in one order for everybody, each kept once and for good.
//! - [`Bus::histories`]: many small logs; whoever appends to one must know its last entry, so two writers never both win.
//! - [`Bus::objects`]: bytes too long for one message.
//! - [`ManagedServer`]: a supervised `nats-server` on loopback.
#![deny(unsafe_code)]

#[cfg(feature = "baseline")]
pub mod baseline;
mod bucket;
mod connection;
mod diagnosis;
mod greeting;
mod histories;
mod journal;
pub mod limits;
mod name;
mod objects;
mod request;
mod server;
mod service;
mod subscription;
#[cfg(feature = "testing")]
pub mod testing;

pub use bucket::{Bucket, BucketError, BucketEvent, BucketOptions, BucketStorage, BucketWatch, Entry};
pub use connection::{Bus, BusOptions, BusState};
pub use diagnosis::ConnectError;
pub use histories::{AppendError, Histories, HistoriesReader, HistoryEntry, HistoryError, HistoryReader};
pub use journal::{Journal, JournalError, JournalEvent, JournalReader};
pub use name::BadName;
pub use objects::Objects;
pub use request::RequestError;
pub use server::{BinaryError, ManagedServer, ServerOptions, ServerState, StartError};
pub use service::{
    DrainError, EndpointSpec, EndpointStats, Handler, ServeError, Service, ServiceFailure, ServiceRequest, ServiceSpec,
    ServiceStats,
};
pub use subscription::{FlushError, Message, PublishError, SubscribeError, Subscription};
