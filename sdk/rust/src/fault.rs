//! The error of every traded function, and how other errors become one.

use std::fmt;

pub use crate::bindings::hansa::service::types::Fault;
use crate::{inference, store};

impl Fault {
    /// The seller's own: these arguments cannot be served. Say what was offending and what to send instead.
    pub fn invalid_input(reason: impl Into<String>) -> Self {
        Self::InvalidInput(reason.into())
    }

    /// The seller's own: anything else that kept it from answering.
    pub fn failed(reason: impl Into<String>) -> Self {
        Self::Failed(reason.into())
    }

    /// The seller declines; trying again will not help.
    pub fn refused(reason: impl Into<String>) -> Self {
        Self::Refused(reason.into())
    }

    /// The seller is full and did no work; the call may be sent to another.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable(reason.into())
    }

    /// The reason, without its kind.
    #[must_use]
    pub fn reason(&self) -> &str {
        self.parts().1
    }

    fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::NoOffer(reason) => ("no offer", reason),
            Self::OverBudget(reason) => ("over budget", reason),
            Self::Deadline(reason) => ("deadline passed", reason),
            Self::Unavailable(reason) => ("unavailable", reason),
            Self::SellerFailed(reason) => ("seller failed", reason),
            Self::Refused(reason) => ("refused", reason),
            Self::InvalidInput(reason) => ("invalid input", reason),
            Self::Failed(reason) => ("failed", reason),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, reason) = self.parts();
        write!(f, "{kind}: {reason}")
    }
}

impl std::error::Error for Fault {}

/// What a seller does with a fault of its own supplier.
///
/// Passed on as it is, a supplier's `no-offer` or `invalid-input` would tell the customer something untrue about *its*
/// call. Said in the seller's name it is `failed`, with the cause; only `deadline` stays what it is.
pub trait Bought<T> {
    /// `what` names the purchase, for example `an embedding of the question`.
    ///
    /// # Errors
    /// The fault, in the seller's name.
    fn bought(self, what: &str) -> Result<T, Fault>;
}

impl<T> Bought<T> for Result<T, Fault> {
    fn bought(self, what: &str) -> Self {
        self.map_err(|fault| match fault {
            Fault::Deadline(reason) => Fault::Deadline(format!("buying {what}: {reason}")),
            fault => Fault::Failed(format!("could not buy {what}: {fault}")),
        })
    }
}

impl From<inference::Error> for Fault {
    fn from(error: inference::Error) -> Self {
        use inference::Error;
        let kind = match error {
            Error::NotPermitted(_) => Self::Refused,
            Error::BadInput(_) | Error::TooLarge(_) => Self::InvalidInput,
            Error::Budget(_) => Self::OverBudget,
            Error::Overloaded(_) | Error::OutOfMemory => Self::Unavailable,
            Error::Deadline => Self::Deadline,
            Error::NotFound(_)
            | Error::Shape(_)
            | Error::NonFinite(_)
            | Error::Cancelled
            | Error::NoProvider(_)
            | Error::Backend(_) => Self::Failed,
        };
        kind(inference::explain(&error))
    }
}

impl From<store::Error> for Fault {
    fn from(error: store::Error) -> Self {
        Self::Failed(store::explain(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::{Bought, Fault};
    use crate::{inference, store};

    #[test]
    fn a_suppliers_trouble_is_told_in_the_sellers_name() {
        let none: Result<(), _> = Err(Fault::NoOffer("nobody sells it".into()));
        let late: Result<(), _> = Err(Fault::Deadline("after 500 ms".into()));
        let failed = Fault::failed("could not buy a summary: no offer: nobody sells it");
        assert_eq!(none.bought("a summary"), Err(failed));
        assert_eq!(late.bought("a summary"), Err(Fault::Deadline("buying a summary: after 500 ms".into())));
    }

    #[test]
    fn inference_errors_keep_their_meaning() {
        let cases = [
            (inference::Error::Budget(7), "over budget: the inference would cost `7`"),
            (inference::Error::Overloaded(40), "unavailable: the node's inference is full; retry after 40 ms"),
            (inference::Error::TooLarge(512), "invalid input: larger than the model's limit of `512`"),
            (inference::Error::NotPermitted("minilm".into()), "refused: inference is not permitted: minilm"),
        ];
        for (error, start) in cases {
            let fault = Fault::from(error).to_string();
            assert!(fault.starts_with(start), "{fault}");
        }
    }

    #[test]
    fn store_errors_are_failures() {
        assert_eq!(
            Fault::from(store::Error::AccessDenied).to_string(),
            "failed: the agent's store may not be used; ask for `keyvalue.bytes-max` in agent.toml"
        );
    }
}
