//! Sizes and durations as people write them in the toml files: `64MiB`, `200ms`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error as _};

/// A number of bytes, written `512KiB`, `64MiB`, `1GB` or as a plain number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes(pub u64);

/// A time span, written `200ms`, `5s`, `10m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Bytes, D::Error> {
        let text = String::deserialize(d)?;
        let size: bytesize::ByteSize =
            text.parse().map_err(|_| D::Error::custom(format!("`{text}` is no size; write for example `64MiB`")))?;
        Ok(Bytes(size.0))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Span, D::Error> {
        let text = String::deserialize(d)?;
        let span = humantime::parse_duration(&text);
        span.map(Span).map_err(|_| D::Error::custom(format!("`{text}` is no time span; write for example `200ms` or `10m`")))
    }
}
