//! The server's configuration file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::{ServerOptions, StartError};
use crate::limits::{SERVER_LOG_BYTES_MAX, SERVER_LOG_FILES_MAX};

/// Writes the file into the store's folder; returns its path.
pub(super) fn write(options: &ServerOptions, address: SocketAddr) -> Result<PathBuf, StartError> {
    let path = options.store_dir.join("nats-server.conf");
    let bad = |error: std::io::Error| StartError::File { path: path.clone(), reason: error.to_string() };
    // The server resolves relative paths against its own working directory; make them independent of it.
    let store = std::path::absolute(options.store_dir.join("jetstream")).map_err(bad)?;
    let log = std::path::absolute(&options.log_file).map_err(bad)?;
    std::fs::write(&path, text(options, address, &store, &log)).map_err(bad)?;
    std::path::absolute(&path).map_err(bad)
}

fn text(options: &ServerOptions, address: SocketAddr, store: &Path, log: &Path) -> String {
    format!(
        "# Written by hansa at each start; changes are lost.\n\
         server_name: {name}\n\
         listen: {listen}\n\
         max_payload: {max_payload}\n\
         logfile: {log}\n\
         logfile_size_limit: {SERVER_LOG_BYTES_MAX}\n\
         logfile_max_num: {SERVER_LOG_FILES_MAX}\n\
         jetstream {{ store_dir: {store} }}\n",
        name = quoted(&options.name),
        listen = quoted(&address.to_string()),
        max_payload = options.max_payload,
        log = quoted(&log.to_string_lossy()),
        store = quoted(&store.to_string_lossy()),
    )
}

/// A string of the server's configuration language, in which `\` and `"` are escaped as in JSON.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_quoted() {
        assert_eq!(quoted(r#"a"b\c"#), r#""a\"b\\c""#);
    }
}
