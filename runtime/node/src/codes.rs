//! Error codes: which page of `hansa explain` speaks of an error. A code stands before the text, `HA0001: …`.

use hansa_bus::{ConnectError, StartError};
use hansa_host::{CompileError, Fault, PrepareError};

use crate::folder::FolderError;
use crate::ledger::LinkError;
use crate::ledger::checkpoint::CheckpointError;

/// An error that has a page.
pub trait Coded: std::fmt::Display {
    /// The page; none where the text says all.
    fn code(&self) -> Option<&'static str>;

    /// The text, with the code before it.
    fn coded(&self) -> String {
        match self.code() {
            Some(code) => format!("{code}: {self}"),
            None => self.to_string(),
        }
    }
}

impl Coded for ConnectError {
    fn code(&self) -> Option<&'static str> {
        matches!(
            self,
            ConnectError::Refused { .. }
                | ConnectError::TimedOut { .. }
                | ConnectError::NotNats { .. }
                | ConnectError::Dns { .. }
        )
        .then_some("HA0001")
    }
}

impl Coded for StartError {
    fn code(&self) -> Option<&'static str> {
        matches!(self, StartError::PortInUse { .. }).then_some("HA0002")
    }
}

impl Coded for FolderError {
    fn code(&self) -> Option<&'static str> {
        match self {
            FolderError::OtherNode { .. } => Some("HA0003"),
            FolderError::Newer { .. } => Some("HA0004"),
            FolderError::InUse { .. } => Some("HA0005"),
            _ => None,
        }
    }
}

impl Coded for LinkError {
    fn code(&self) -> Option<&'static str> {
        matches!(self, LinkError::Nobody).then_some("HA0006")
    }
}

impl Coded for CheckpointError {
    fn code(&self) -> Option<&'static str> {
        matches!(self, CheckpointError::Breach { .. } | CheckpointError::Gone { .. }).then_some("HA0018")
    }
}

impl Coded for CompileError {
    fn code(&self) -> Option<&'static str> {
        Some("HA0007")
    }
}

impl Coded for PrepareError {
    fn code(&self) -> Option<&'static str> {
        match self {
            PrepareError::NotTradable { .. } => Some("HA0011"),
            PrepareError::Link(_) => Some("HA0007"),
            _ => Some("HA0008"),
        }
    }
}

impl Coded for Fault {
    fn code(&self) -> Option<&'static str> {
        match self {
            Fault::NoOffer(_) => Some("HA0009"),
            Fault::OverBudget(_) => Some("HA0010"),
            Fault::SellerFailed(_) => Some("HA0013"),
            Fault::Deadline(_) => Some("HA0016"),
            _ => None,
        }
    }
}

/// A fault for a person.
pub fn fault_text(fault: &Fault) -> String {
    fault.coded()
}
