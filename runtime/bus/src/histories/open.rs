//! Opening histories: the stream that keeps them, made where it is missing, refused where it could lose an entry.

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{CreateStreamErrorKind, GetStreamErrorKind};
use async_nats::jetstream::stream::{Config, DiscardPolicy, Info, PersistenceMode, RetentionPolicy, StorageType};

use super::{Histories, HistoryError};

/// Makes the stream where it is missing; checks it where it is there.
pub(super) async fn open(histories: &Histories) -> Result<(), HistoryError> {
    let name = histories.name();
    let stream = histories.inner.context.get_or_create_stream(config(name)).await.map_err(|error| match error.kind() {
        CreateStreamErrorKind::JetStreamUnavailable => histories.no_jetstream(),
        CreateStreamErrorKind::JetStream(cause) if is_missing_jetstream(cause.error_code()) => histories.no_jetstream(),
        CreateStreamErrorKind::TimedOut => histories.late(),
        _ if error.to_string().contains("no responders") => histories.no_jetstream(),
        _ => histories.other(&error),
    })?;
    match difference(&stream.cached_info().config) {
        Some(setting) => Err(HistoryError::OtherSettings { histories: name.to_owned(), setting }),
        None => Ok(()),
    }
}

/// What the server says of the stream; it is not made again where it is missing, because its positions would begin anew.
pub(super) async fn info(histories: &Histories) -> Result<Info, HistoryError> {
    let stream = histories.inner.context.get_stream(histories.name()).await;
    let stream = stream.map_err(|error| match error.kind() {
        GetStreamErrorKind::JetStream(cause) => histories.refused(cause.error_code(), &error),
        _ => histories.other(&error),
    })?;
    Ok(stream.cached_info().clone())
}

pub(super) fn is_missing_jetstream(code: ErrorCode) -> bool {
    code == ErrorCode::JETSTREAM_NOT_ENABLED || code == ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT
}

fn config(name: &str) -> Config {
    Config {
        name: name.to_owned(),
        subjects: vec![format!("{name}.>")],
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        // An entry is refused rather than an older one dropped, should an operator limit the stream.
        discard: DiscardPolicy::New,
        allow_direct: true,
        allow_rollup: false,
        deny_purge: false,
        ..Config::default()
    }
}

/// The first setting by which entries could be lost, changed or not be found. Others (replicas, placement, compression, limits
/// that refuse new entries) are the operator's.
fn difference(found: &Config) -> Option<&'static str> {
    let ours = config(&found.name);
    let table = [
        ("subjects", found.subjects == ours.subjects),
        ("storage", found.storage == ours.storage),
        ("retention", found.retention == ours.retention),
        ("discard", found.discard == ours.discard),
        ("max_age", found.max_age == ours.max_age),
        ("max_msgs_per_subject", found.max_messages_per_subject <= 0),
        ("persist_mode", found.persist_mode != Some(PersistenceMode::Async)),
        ("no_ack", !found.no_ack),
        ("sealed", !found.sealed),
        ("deny_purge", !found.deny_purge),
        ("allow_direct", found.allow_direct),
        ("allow_rollup_hdrs", !found.allow_rollup),
        ("allow_msg_ttl", !found.allow_message_ttl),
        ("allow_msg_counter", !found.allow_message_counter),
        ("subject_transform", found.subject_transform.is_none()),
        ("mirror", found.mirror.is_none()),
        ("sources", found.sources.as_ref().is_none_or(Vec::is_empty)),
    ];
    table.into_iter().find(|(_, sound)| !sound).map(|(setting, _)| setting)
}
