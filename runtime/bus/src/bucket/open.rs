//! Opening a bucket, or creating it where it is missing.

use std::time::Duration;

use async_nats::jetstream::context::{ContextBuilder, GetStreamErrorKind};
use async_nats::jetstream::kv::{Config, Store};
use async_nats::jetstream::stream::StorageType;
use async_nats::jetstream::{Context, ErrorCode, stream};
use tokio::time::timeout;

use super::{BucketError, BucketOptions, BucketStorage};
use crate::connection::Bus;
use crate::limits::{BUCKET_AGE_MIN, BUCKET_EXPIRY_MARKER, BUCKET_HISTORY_MAX, BUCKET_TIMEOUT};
use crate::name::check_name;

pub(super) fn check(options: &BucketOptions) -> Result<(), BucketError> {
    check_name("bucket name", &options.name)?;
    let bucket = options.name.clone();
    if !(1..=BUCKET_HISTORY_MAX).contains(&options.history) {
        return Err(BucketError::OutOfBounds { what: "history", bucket, rule: "1 to 64 revisions" });
    }
    if options.max_age.is_some_and(|age| age < BUCKET_AGE_MIN) {
        return Err(BucketError::OutOfBounds { what: "max_age", bucket, rule: "at least one second, or none" });
    }
    Ok(())
}

pub(super) async fn open(bus: &Bus, options: &BucketOptions) -> Result<Store, BucketError> {
    let context = ContextBuilder::new().timeout(BUCKET_TIMEOUT).build(bus.client().clone());
    let opened = timeout(BUCKET_TIMEOUT * 2, open_or_create(bus, &context, options)).await;
    opened.unwrap_or_else(|_| Err(BucketError::Timeout { bucket: options.name.clone() }))
}

async fn open_or_create(bus: &Bus, context: &Context, options: &BucketOptions) -> Result<Store, BucketError> {
    match context.get_stream(format!("KV_{}", options.name)).await {
        Ok(found) => adapt(context, options, found.cached_info().config.clone()).await?,
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(cause) if cause.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                context.create_key_value(config(options)).await.map_err(|error| other(options, &error))?;
            }
            GetStreamErrorKind::JetStream(cause) if is_missing_jetstream(cause.error_code()) => {
                return Err(BucketError::NoJetStream { url: bus.url().to_owned() });
            }
            _ if error.to_string().contains("no responders") || error.to_string().contains("does not exist") => {
                return Err(BucketError::NoJetStream { url: bus.url().to_owned() });
            }
            _ => return Err(other(options, &error)),
        },
    }
    context.get_key_value(&options.name).await.map_err(|error| other(options, &error))
}

fn is_missing_jetstream(code: ErrorCode) -> bool {
    code == ErrorCode::JETSTREAM_NOT_ENABLED || code == ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT
}

fn other(options: &BucketOptions, error: &dyn std::fmt::Display) -> BucketError {
    BucketError::Other { bucket: options.name.clone(), reason: error.to_string() }
}

fn config(options: &BucketOptions) -> Config {
    Config {
        bucket: options.name.clone(),
        history: i64::from(options.history),
        max_age: options.max_age.unwrap_or(Duration::ZERO),
        storage: storage(options.storage),
        limit_markers: options.max_age.map(|_| BUCKET_EXPIRY_MARKER),
        ..Config::default()
    }
}

fn storage(storage: BucketStorage) -> StorageType {
    match storage {
        BucketStorage::File => StorageType::File,
        BucketStorage::Memory => StorageType::Memory,
    }
}

/// Sets age and history of an existing bucket; leaves what this room does not know (replicas, placement) as it is.
async fn adapt(context: &Context, options: &BucketOptions, found: stream::Config) -> Result<(), BucketError> {
    if found.storage != storage(options.storage) {
        return Err(BucketError::OtherStorage { bucket: options.name.clone(), wanted: options.storage });
    }
    let wanted = stream::Config {
        max_messages_per_subject: i64::from(options.history),
        max_age: options.max_age.unwrap_or(Duration::ZERO),
        duplicate_window: duplicate_window(options, &found),
        allow_message_ttl: found.allow_message_ttl || options.max_age.is_some(),
        subject_delete_marker_ttl: options.max_age.map(|_| BUCKET_EXPIRY_MARKER),
        ..found.clone()
    };
    if wanted == found {
        return Ok(());
    }
    context.update_stream(wanted).await.map(drop).map_err(|error| other(options, &error))
}

/// The server refuses a window for duplicates that is longer than the entries live.
fn duplicate_window(options: &BucketOptions, found: &stream::Config) -> Duration {
    options.max_age.map_or(found.duplicate_window, |age| age.min(found.duplicate_window))
}
