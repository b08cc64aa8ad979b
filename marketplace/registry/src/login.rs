//! Who is at the door of a registry.

use std::fmt::{self, Debug, Formatter};
use std::path::Path;

use crate::docker;
use crate::limits::DOCKER_CONFIG_BYTES_MAX;
use crate::reference::Reference;

/// How to log in.
#[derive(Clone, PartialEq, Eq)]
pub enum Login {
    /// As nobody, which suffices to pull what is public.
    Anonymous,
    /// With a name and a password; many registries take an access token as the password.
    Password {
        /// The name.
        user: String,
        /// The password.
        password: String,
    },
    /// With the token that `docker login` keeps for some registries in place of a password.
    IdentityToken(String),
}

/// Why a login cannot be read from Docker's configuration.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The file.
    #[error("cannot read `{file}`: {problem}; check its owner and mode")]
    Unreadable {
        /// Which.
        file: String,
        /// Why.
        problem: std::io::Error,
    },
    /// Too long.
    #[error("`{0}` has more than {DOCKER_CONFIG_BYTES_MAX} bytes, so it is no configuration of Docker; name the right file")]
    TooLong(String),
    /// Not its format.
    #[error("`{file}` is no configuration of Docker: {problem}; mend it, or log in with name and password")]
    Format {
        /// Which.
        file: String,
        /// Why.
        problem: String,
    },
    /// Kept by a program that we do not run.
    #[error(
        "Docker keeps the login for `{host}` with the program `docker-credential-{helper}`, which is not run here; give name and password"
    )]
    Elsewhere {
        /// The registry.
        host: String,
        /// The program.
        helper: String,
    },
}

impl Login {
    /// The login that Docker's configuration, usually `~/.docker/config.json`, holds for the registry of `reference`. Nobody's
    /// where there is no such file or no entry.
    pub fn from_docker_config(file: &Path, reference: &Reference) -> Result<Login, LoginError> {
        docker::read(file, &reference.host)
    }

    /// Name and password as HTTP's basic authentication has them.
    pub(crate) fn basic(&self) -> Option<(&str, &str)> {
        match self {
            Login::Password { user, password } => Some((user, password)),
            Login::Anonymous | Login::IdentityToken(_) => None,
        }
    }
}

/// Without the secret.
impl Debug for Login {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Login::Anonymous => f.write_str("Anonymous"),
            Login::Password { user, .. } => f.debug_struct("Password").field("user", user).finish_non_exhaustive(),
            Login::IdentityToken(_) => f.write_str("IdentityToken(..)"),
        }
    }
}
