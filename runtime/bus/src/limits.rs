//! Every upper bound of this room, with its unit.

use std::time::Duration;

/// Time that connecting may take where the caller does not say.
pub const CONNECT_TIMEOUT_DEFAULT: Duration = Duration::from_secs(5);

/// Longest pause between two attempts to reconnect. Short, because the server that a node supervises is back in
/// well under a second.
pub const RECONNECT_DELAY_MAX: Duration = Duration::from_secs(1);

/// A connection that stays silent this long is asked for a sign of life; two unanswered questions end it.
pub const PING_INTERVAL: Duration = Duration::from_secs(10);

/// Time that a round trip to the server may take in [`crate::Bus::flush`] and in starting a service.
pub const ROUND_TRIP_TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes of a subject. The server itself allows 4 KiB for the whole control line (subject, reply, sizes).
pub const SUBJECT_BYTES_MAX: usize = 1024;

/// Bytes of the name of a service, an endpoint, a bucket or a server.
pub const NAME_BYTES_MAX: usize = 128;

/// Bytes of a key in a bucket.
pub const KEY_BYTES_MAX: usize = 512;

/// Bytes of the message of a service error; longer ones are cut. It travels in a header.
pub const SERVICE_ERROR_BYTES_MAX: usize = 1024;

/// Endpoints of one service.
pub const ENDPOINTS_MAX: usize = 64;

/// Requests that one service may run at once.
pub const SERVICE_CONCURRENCY_MAX: usize = 65_536;

/// Revisions that a bucket keeps of each key (a bound of NATS's key-value store).
pub const BUCKET_HISTORY_MAX: u8 = 64;

/// Shortest age at which a bucket may let its entries expire. Watchers learn of expiry by markers, which the server
/// keeps for whole seconds.
pub const BUCKET_AGE_MIN: Duration = Duration::from_secs(1);

/// How long the marker of an expired key stays in a bucket, so that a watcher that reconnects meanwhile sees it.
pub const BUCKET_EXPIRY_MARKER: Duration = Duration::from_secs(60);

/// Time that one operation on a bucket may take.
pub const BUCKET_TIMEOUT: Duration = Duration::from_secs(5);

/// Time that one operation on a journal may take.
pub const JOURNAL_TIMEOUT: Duration = Duration::from_secs(5);

/// Time that one question about histories may take, and silence after which reading one is given up.
pub const HISTORY_TIMEOUT: Duration = Duration::from_secs(5);

/// Time that appending to a history may take, lost connections and further tries included. A supervised server that dies is back
/// well before.
pub const HISTORY_APPEND_TIMEOUT: Duration = Duration::from_secs(10);

/// Pause before a history is asked again that could not answer yet.
pub const HISTORY_RETRY: Duration = Duration::from_millis(50);

/// Entries of a history that are asked for at once.
pub const HISTORY_PAGE_ENTRIES: usize = 1024;

/// Bytes of a history that are asked for at once; one entry may exceed them.
pub const HISTORY_PAGE_BYTES: usize = 4 << 20;

/// Bytes kept free of an entry in a server's largest message: for the headers that the entry is sent with.
pub const HISTORY_HEADER_BYTES_MAX: usize = 256;

/// Bytes of the id of a history's entry. It travels in a header.
pub const ENTRY_ID_BYTES_MAX: usize = 128;

/// Time that storing or reading one object may take.
pub const OBJECT_TIMEOUT: Duration = Duration::from_secs(60);

/// Events that wait in a watch for a slow reader before the watch stops reading from the server.
pub const WATCH_EVENTS_MAX: usize = 1024;

/// Silence after which a watch that still expects contents begins again.
pub const WATCH_CATCH_UP_SILENCE: Duration = Duration::from_secs(5);

/// Pause before a watch that failed begins again.
pub const WATCH_RETRY: Duration = Duration::from_millis(250);

/// Bytes of one message that a supervised server accepts, where the caller does not say. The most that NATS advises.
pub const SERVER_PAYLOAD_BYTES_DEFAULT: usize = 8 << 20;

/// Bytes of one message that a supervised server can be told to accept (a bound of `nats-server`).
pub const SERVER_PAYLOAD_BYTES_MAX: usize = 64 << 20;

/// Time that a server may take until it answers. Large stores on busy disks are recovered first.
pub const SERVER_READY_TIMEOUT: Duration = Duration::from_secs(30);

/// Pause between two looks whether a starting server answers.
pub const SERVER_READY_POLL: Duration = Duration::from_millis(10);

/// Pause between two looks whether a running server still lives.
pub const SERVER_WATCH_POLL: Duration = Duration::from_millis(50);

/// Time that a server may take to stop before it is killed.
pub const SERVER_STOP_GRACE: Duration = Duration::from_secs(10);

/// First pause before a server that died is started again; it doubles with each death in a row.
pub const SERVER_RESTART_DELAY_MIN: Duration = Duration::from_millis(50);

/// Longest pause before a server that died is started again.
pub const SERVER_RESTART_DELAY_MAX: Duration = Duration::from_secs(5);

/// A server that lived this long counts as well again: its next death waits only the shortest pause.
pub const SERVER_WELL_AFTER: Duration = Duration::from_secs(30);

/// Free ports tried before giving up, because another process can take one between choosing and using it.
pub const FREE_PORTS_TRIED: usize = 5;

/// Bytes at which the server's log file is turned over.
pub const SERVER_LOG_BYTES_MAX: u64 = 16 << 20;

/// Old log files kept.
pub const SERVER_LOG_FILES_MAX: u32 = 3;

/// Bytes read of the greeting of an unknown server.
pub const GREETING_BYTES_MAX: usize = 64 << 10;

/// Time that a look at who answers on a port may take.
pub const GREETING_TIMEOUT: Duration = Duration::from_millis(500);
