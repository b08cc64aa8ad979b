//! Who answers on a port: reads the first words, as a `nats-server` speaks first.

use std::io::ErrorKind;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::limits::GREETING_BYTES_MAX;

/// What was found on a port.
#[derive(Debug)]
pub(crate) enum Greeting {
    /// A `nats-server`.
    Nats(Info),
    /// An HTTP server.
    Http,
    /// Something that spoke first, but not NATS; its first words.
    Foreign(String),
    /// Something that accepts connections and says nothing.
    Mute,
    /// Nothing listens.
    Refused,
    /// No connection came about for another reason.
    Unreachable,
}

/// The fields of the server's `INFO` line that matter here.
/// Source: <https://docs.nats.io/reference/reference-protocols/nats-protocol#info>.
#[derive(Debug, Deserialize)]
pub(crate) struct Info {
    #[serde(default)]
    pub(crate) server_name: String,
    #[serde(default)]
    pub(crate) version: String,
    #[serde(default)]
    pub(crate) jetstream: bool,
}

/// Connects to `address` (`host:port`) and listens; takes at most `limit`.
pub(crate) async fn listen(address: &str, limit: Duration) -> Greeting {
    let mut stream = match timeout(limit / 2, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => return Greeting::Refused,
        Ok(Err(_)) | Err(_) => return Greeting::Unreachable,
    };
    let mut heard = Vec::new();
    let spoke = timeout(limit / 4, read_line(&mut stream, &mut heard)).await;
    if spoke.is_err() && heard.is_empty() {
        // A server that waits for its client to speak first: most speak HTTP, and this question makes them say so.
        let asked = stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await;
        if asked.is_ok() {
            let _late_or_silent = timeout(limit / 4, read_line(&mut stream, &mut heard)).await;
        }
    }
    interpret(&heard)
}

async fn read_line(stream: &mut TcpStream, heard: &mut Vec<u8>) {
    let mut chunk = [0_u8; 4096];
    while heard.len() < GREETING_BYTES_MAX && !heard.contains(&b'\n') {
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return,
            Ok(n) => heard.extend_from_slice(&chunk[..n]),
        }
    }
}

fn interpret(heard: &[u8]) -> Greeting {
    let text = String::from_utf8_lossy(heard);
    let line = text.lines().next().unwrap_or_default();
    if let Some(json) = line.strip_prefix("INFO ")
        && let Ok(info) = serde_json::from_str(json)
    {
        return Greeting::Nats(info);
    }
    match line {
        "" => Greeting::Mute,
        _ if line.starts_with("HTTP/") => Greeting::Http,
        _ => Greeting::Foreign(line.chars().filter(|c| !c.is_control()).take(40).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_words() {
        let info = b"INFO {\"server_name\":\"a\",\"version\":\"2.15.1\",\"jetstream\":true} \r\n";
        assert!(matches!(interpret(info), Greeting::Nats(i) if i.server_name == "a" && i.jetstream));
        assert!(matches!(interpret(b"HTTP/1.1 400 Bad Request\r\n"), Greeting::Http));
        assert!(matches!(interpret(b"SSH-2.0-OpenSSH\r\n"), Greeting::Foreign(words) if words == "SSH-2.0-OpenSSH"));
        assert!(matches!(interpret(b"INFO nonsense\r\n"), Greeting::Foreign(_)));
        assert!(matches!(interpret(b""), Greeting::Mute));
    }
}
