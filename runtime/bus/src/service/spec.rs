//! What a service is: its names, endpoints and bounds, and the handler behind them.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;

use crate::limits::{ENDPOINTS_MAX, SERVICE_CONCURRENCY_MAX};
use crate::name::{BadName, check_name, check_subject, check_version};

/// A service to start.
#[derive(Debug, Clone)]
pub struct ServiceSpec {
    /// Characters `A-Z a-z 0-9 _ -`. Instances of one kind of service share it.
    pub name: String,
    /// A semantic version.
    pub version: String,
    /// For humans; may be empty.
    pub description: String,
    /// Shown by discovery; does not change while the service runs.
    pub metadata: BTreeMap<String, String>,
    /// At least one.
    pub endpoints: Vec<EndpointSpec>,
    /// Requests that run at once, over all endpoints; beyond it they are refused.
    pub concurrency_max: usize,
}

/// One endpoint of a service.
#[derive(Debug, Clone)]
pub struct EndpointSpec {
    /// Characters `A-Z a-z 0-9 _ -`, unique in the service.
    pub name: String,
    /// Where requests arrive; may have wildcards.
    pub subject: String,
    /// Among all endpoints with the same subject and group, one gets each request.
    pub queue_group: String,
    /// Shown by discovery.
    pub metadata: BTreeMap<String, String>,
}

impl EndpointSpec {
    /// An endpoint in ADR-32's default queue group `q`, without metadata.
    pub fn new(name: impl Into<String>, subject: impl Into<String>) -> Self {
        Self { name: name.into(), subject: subject.into(), queue_group: "q".to_owned(), metadata: BTreeMap::new() }
    }
}

/// Why a service did not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// A name, version or subject is not valid.
    #[error(transparent)]
    BadName(#[from] BadName),
    /// Two endpoints have the same name.
    #[error("two endpoints are named `{name}`: give each its own name")]
    DuplicateEndpoint {
        /// The name.
        name: String,
    },
    /// A number is out of its bounds.
    #[error("{what} is `{value}`: choose 1 to {max}")]
    OutOfBounds {
        /// What the number counts.
        what: &'static str,
        /// The number.
        value: usize,
        /// The largest allowed.
        max: usize,
    },
    /// The server did not confirm the service.
    #[error("the server did not confirm the service: check the connection, and that the account may use `$SRV.>`")]
    Disconnected,
}

impl ServiceSpec {
    pub(crate) fn check(&self) -> Result<(), ServeError> {
        check_name("service name", &self.name)?;
        check_version(&self.version)?;
        within("number of endpoints", self.endpoints.len(), ENDPOINTS_MAX)?;
        within("concurrency_max", self.concurrency_max, SERVICE_CONCURRENCY_MAX)?;
        let mut names = BTreeSet::new();
        for endpoint in &self.endpoints {
            check_name("endpoint name", &endpoint.name)?;
            check_subject(&endpoint.subject, true)?;
            check_subject(&endpoint.queue_group, false)?;
            if !names.insert(&endpoint.name) {
                return Err(ServeError::DuplicateEndpoint { name: endpoint.name.clone() });
            }
        }
        Ok(())
    }
}

fn within(what: &'static str, value: usize, max: usize) -> Result<(), ServeError> {
    if (1..=max).contains(&value) { Ok(()) } else { Err(ServeError::OutOfBounds { what, value, max }) }
}

/// A request to a service.
#[derive(Debug, Clone)]
pub struct ServiceRequest {
    /// The name of the endpoint.
    pub endpoint: Arc<str>,
    /// The subject asked; differs from the endpoint's only where that has wildcards.
    pub subject: String,
    /// The contents.
    pub payload: Bytes,
}

/// How a service says no. Requesters get it as [`crate::RequestError::ServiceError`].
///
/// Codes are read as in HTTP, and they are a promise about effects: 400–499 except 408, and 503, say that the request
/// was refused *before it did anything*, so a requester may go elsewhere; any other code says that it may have acted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{code}`: {message}")]
pub struct ServiceFailure {
    /// 400 to 599.
    pub code: u16,
    /// For humans; travels in a header, so line breaks become spaces and long texts are cut.
    pub message: String,
}

/// What answers the requests of a service. Any `Fn(ServiceRequest) -> impl Future` is one.
pub trait Handler: Send + Sync + 'static {
    /// Answers one request. A panic becomes the service error 500.
    fn handle(&self, request: ServiceRequest) -> BoxFuture<'static, Result<Bytes, ServiceFailure>>;
}

impl<F, R> Handler for F
where
    F: Fn(ServiceRequest) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Bytes, ServiceFailure>> + Send + 'static,
{
    fn handle(&self, request: ServiceRequest) -> BoxFuture<'static, Result<Bytes, ServiceFailure>> {
        Box::pin(self(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> ServiceSpec {
        ServiceSpec {
            name: "a".into(),
            version: "1.0.0".into(),
            description: String::new(),
            metadata: BTreeMap::new(),
            endpoints: vec![EndpointSpec::new("e", "x.y")],
            concurrency_max: 1,
        }
    }

    #[test]
    fn specs_are_checked() {
        assert_eq!(spec().check(), Ok(()));
        type Spoil = fn(&mut ServiceSpec);
        let cases: [(Spoil, &str); 7] = [
            (|s| s.name = "a.b".into(), "service name `a.b` is not valid"),
            (|s| s.version = "1".into(), "version `1` is not valid"),
            (|s| s.endpoints.clear(), "number of endpoints is `0`"),
            (|s| s.endpoints.push(EndpointSpec::new("e", "z")), "two endpoints are named `e`"),
            (|s| s.endpoints[0].subject = "a b".into(), "subject `a b` is not valid"),
            (|s| s.endpoints[0].queue_group = String::new(), "subject `` is not valid"),
            (|s| s.concurrency_max = 0, "concurrency_max is `0`"),
        ];
        for (spoil, expected) in cases {
            let mut spec = spec();
            spoil(&mut spec);
            let error = spec.check().unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
