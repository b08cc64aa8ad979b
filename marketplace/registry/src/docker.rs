//! Docker's `config.json`: which login belongs to which registry.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::limits::DOCKER_CONFIG_BYTES_MAX;
use crate::login::{Login, LoginError};

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Config {
    auths: BTreeMap<String, Entry>,
    creds_store: Option<String>,
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
}

/// The login for `host` in `file`.
pub(crate) fn read(file: &Path, host: &str) -> Result<Login, LoginError> {
    let name = || file.display().to_string();
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|file| file.take(DOCKER_CONFIG_BYTES_MAX as u64 + 1).read_to_end(&mut bytes));
    match read {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Login::Anonymous),
        Err(problem) => return Err(LoginError::Unreadable { file: name(), problem }),
        Ok(length) if length > DOCKER_CONFIG_BYTES_MAX => return Err(LoginError::TooLong(name())),
        Ok(_) => {}
    }
    let format = |problem: String| LoginError::Format { file: name(), problem };
    let config: Config = serde_json::from_slice(&bytes).map_err(|error| format(error.to_string()))?;
    let wanted = key(host);
    let entry = config.auths.iter().find(|(registry, _)| key(registry) == wanted).map(|(_, entry)| entry);
    if let Some(login) = entry.map(login).transpose().map_err(format)?.flatten() {
        return Ok(login);
    }
    let helper = config.cred_helpers.iter().find(|(registry, _)| key(registry) == wanted).map(|(_, helper)| helper);
    // `docker login` leaves an empty entry behind where a program keeps the secret.
    match helper.or(config.creds_store.as_ref().filter(|_| entry.is_some())) {
        Some(helper) => Err(LoginError::Elsewhere { host: host.to_owned(), helper: helper.clone() }),
        None => Ok(Login::Anonymous),
    }
}

fn login(entry: &Entry) -> Result<Option<Login>, String> {
    if !entry.identitytoken.is_empty() {
        return Ok(Some(Login::IdentityToken(entry.identitytoken.clone())));
    }
    if !entry.username.is_empty() {
        return Ok(Some(Login::Password { user: entry.username.clone(), password: entry.password.clone() }));
    }
    if entry.auth.is_empty() {
        return Ok(None);
    }
    let wrong = || "an `auth` is not the base64 of `user:password`".to_owned();
    let text = STANDARD.decode(entry.auth.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(wrong)?;
    let (user, password) = text.split_once(':').ok_or_else(wrong)?;
    Ok(Some(Login::Password { user: user.to_owned(), password: password.trim_end_matches('\0').to_owned() }))
}

/// What entries are compared by: the host alone, and one name for Docker Hub, which is written in several ways.
fn key(registry: &str) -> String {
    let rest = registry.strip_prefix("https://").or_else(|| registry.strip_prefix("http://")).unwrap_or(registry);
    let host = rest.split('/').next().unwrap_or(rest).to_ascii_lowercase();
    match host.as_str() {
        "index.docker.io" | "registry-1.docker.io" => "docker.io".to_owned(),
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_from(config: &str, host: &str) -> Result<Login, LoginError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.json");
        std::fs::write(&file, config).unwrap();
        read(&file, host)
    }

    fn password(user: &str, password: &str) -> Login {
        Login::Password { user: user.into(), password: password.into() }
    }

    #[test]
    fn each_registry_has_its_own_login() {
        let config = r#"{
            "auths": {
                "ghcr.io": { "auth": "YW5uYTpvcGVuOnNlc2FtZQ==" },
                "https://index.docker.io/v1/": { "username": "bert", "password": "x" },
                "127.0.0.1:5000": { "auth": "", "identitytoken": "abc" },
                "empty.example": {}
            },
            "HttpHeaders": { "User-Agent": "Docker" }
        }"#;
        assert_eq!(read_from(config, "ghcr.io").unwrap(), password("anna", "open:sesame"));
        assert_eq!(read_from(config, "docker.io").unwrap(), password("bert", "x"));
        assert_eq!(read_from(config, "127.0.0.1:5000").unwrap(), Login::IdentityToken("abc".into()));
        for stranger in ["127.0.0.1:5001", "quay.io", "ghcr.io.evil.org", "empty.example"] {
            assert_eq!(read_from(config, stranger).unwrap(), Login::Anonymous, "{stranger}");
        }
    }

    #[test]
    fn a_login_kept_elsewhere_is_told() {
        let config = r#"{ "auths": { "ghcr.io": {} }, "credsStore": "pass", "credHelpers": { "quay.io": "osxkeychain" } }"#;
        for (host, helper) in [("ghcr.io", "docker-credential-pass"), ("quay.io", "docker-credential-osxkeychain")] {
            let error = read_from(config, host).unwrap_err().to_string();
            assert!(error.contains(helper) && error.contains("give name and password"), "{error}");
        }
        assert_eq!(read_from(config, "other.example").unwrap(), Login::Anonymous);
    }

    #[test]
    fn a_broken_file_is_told_and_a_missing_one_is_nobody() {
        assert!(matches!(read_from("{ auths", "ghcr.io"), Err(LoginError::Format { .. })));
        for auth in ["%%%", "bm9jb2xvbg==", "/w=="] {
            let config = format!(r#"{{ "auths": {{ "ghcr.io": {{ "auth": "{auth}" }} }} }}"#);
            assert!(matches!(read_from(&config, "ghcr.io"), Err(LoginError::Format { .. })), "{auth}");
        }
        assert!(matches!(read_from(&" ".repeat(DOCKER_CONFIG_BYTES_MAX + 1), "ghcr.io"), Err(LoginError::TooLong(_))));
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(&folder.path().join("none.json"), "ghcr.io").unwrap(), Login::Anonymous);
        assert!(matches!(read(folder.path(), "ghcr.io"), Err(LoginError::Unreadable { .. })));
    }

    #[test]
    fn secrets_are_not_printed() {
        let shown = format!("{:?} {:?}", password("anna", "sesame"), Login::IdentityToken("sesame".into()));
        assert!(shown.contains("anna") && !shown.contains("sesame"), "{shown}");
    }
}
