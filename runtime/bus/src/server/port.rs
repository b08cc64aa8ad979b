//! The port: a free one, or a clear word about who has the one asked for.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpListener};

use super::StartError;
use crate::greeting::{self, Greeting};
use crate::limits::GREETING_TIMEOUT;

/// Finds a free port, or makes sure that the one asked for is free.
pub(super) async fn reserve(host: IpAddr, port: Option<u16>) -> Result<SocketAddr, StartError> {
    let address = SocketAddr::new(host, port.unwrap_or(0));
    // A listener may be bound beside another one on the wildcard address, so a bind alone would not notice that.
    if port.is_some()
        && !matches!(
            greeting::listen(&address.to_string(), GREETING_TIMEOUT / 5).await,
            Greeting::Refused | Greeting::Unreachable
        )
    {
        return Err(StartError::PortInUse { address, holder: holder(address).await });
    }
    let bound = TcpListener::bind(address).and_then(|listener| listener.local_addr());
    match bound {
        Ok(address) => Ok(address),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            Err(StartError::PortInUse { address, holder: holder(address).await })
        }
        Err(error) => Err(StartError::BadAddress { address, reason: error.to_string() }),
    }
}

async fn holder(address: SocketAddr) -> String {
    let what = match greeting::listen(&address.to_string(), GREETING_TIMEOUT).await {
        Greeting::Nats(info) => format!("nats-server `{}` {}", info.server_name, info.version),
        Greeting::Http => "an HTTP server".to_owned(),
        Greeting::Foreign(words) => format!("a server that says `{words}`"),
        Greeting::Mute => "a server that says nothing".to_owned(),
        Greeting::Refused | Greeting::Unreachable => "something".to_owned(),
    };
    match process::listening_on(address.port()) {
        Some(process) => format!("{what} ({process})"),
        None => what,
    }
}

/// Which process listens on a port, from `/proc` (proc(5)). Processes of other users cannot be seen.
#[cfg(target_os = "linux")]
mod process {
    use std::fs;

    pub(super) fn listening_on(port: u16) -> Option<String> {
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
        let inode = tables.iter().find_map(|table| inode(&fs::read_to_string(table).ok()?, port))?;
        let socket = format!("socket:[{inode}]");
        let holds = |pid: &String| {
            let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
            descriptors.filter_map(|fd| fs::read_link(fd.path()).ok()).any(|to| to.as_os_str() == socket.as_str())
        };
        let pids = fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let pid = pids.filter(|name| name.bytes().all(|b| b.is_ascii_digit())).find(holds)?;
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        Some(format!("process {pid} `{}`", name.trim()))
    }

    /// The socket of the listener, in a table whose fields are: number, local address, remote address, state, ….
    pub(super) fn inode(table: &str, port: u16) -> Option<String> {
        const LISTEN: &str = "0A";
        table.lines().skip(1).find_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (_, local_port) = fields.get(1)?.rsplit_once(':')?;
            let matches = u16::from_str_radix(local_port, 16) == Ok(port) && fields.get(3) == Some(&LISTEN);
            matches.then(|| fields.get(9).map(|inode| (*inode).to_owned())).flatten()
        })
    }
}

#[cfg(not(target_os = "linux"))]
mod process {
    pub(super) fn listening_on(_port: u16) -> Option<String> {
        None
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_table() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 0100007F:1092 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0\n";
        assert_eq!(process::inode(table, 4242).as_deref(), Some("4711"));
        assert_eq!(process::inode(table, 4243), None);
    }

    #[tokio::test]
    async fn the_holder_is_named() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let error = reserve(IpAddr::from([127, 0, 0, 1]), Some(port)).await.unwrap_err().to_string();
        let me = format!("a server that says nothing (process {} `", std::process::id());
        assert!(error.starts_with(&format!("port {port} of 127.0.0.1 is in use by {me}")), "{error}");
    }
}
