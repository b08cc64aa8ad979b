//! `[runtime]` and `[memory]`: where a model wants to run, and what it takes there.

use serde::{Deserialize, Serialize};

use crate::info::ProviderKind;

/// The share of a graph's nodes that a provider must take where a manifest names none: most of them.
const MIN_SHARE: f32 = 0.5;

/// `[runtime]`: narrows the operator's list of providers, never widens it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuntimeSettings {
    /// Providers that the model may run on, in the order tried. Empty: all that the operator allows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) providers: Vec<ProviderKind>,
    /// The one that it must run on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) require_provider: Option<ProviderKind>,
    /// Fraction of the graph's nodes, 0 to 1, that the provider must take; otherwise the next one is tried. Default: 0.5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) min_provider_share: Option<f32>,
}

/// `[memory]`: what a loaded model takes on its device, as its publisher measured it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemorySettings {
    /// Bytes held while it is loaded. `None`: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) resident_bytes: Option<u64>,
    /// Bytes held at most while it runs, the resident ones among them. `None`: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) peak_bytes: Option<u64>,
}

impl RuntimeSettings {
    /// The least share of nodes.
    pub(crate) fn min_share(&self) -> f32 {
        self.min_provider_share.unwrap_or(MIN_SHARE)
    }

    pub(in crate::package) fn check(&self) -> Result<(), String> {
        if !(0.0..=1.0).contains(&self.min_share()) {
            return Err(format!("`min_provider_share` is `{}`; it must be 0 to 1", self.min_share()));
        }
        match self.require_provider {
            Some(kind) if !self.providers.is_empty() && !self.providers.contains(&kind) => {
                Err(format!("`require_provider` is `{0}`, which `providers` does not list; add it or remove one", kind.name()))
            }
            _ => Ok(()),
        }
    }
}

impl MemorySettings {
    pub(in crate::package) fn check(self) -> Result<(), String> {
        match (self.resident_bytes, self.peak_bytes) {
            (Some(resident), Some(peak)) if peak < resident => {
                Err(format!("`peak_bytes` is `{peak}`, below `resident_bytes`, {resident}; the peak includes them"))
            }
            _ => Ok(()),
        }
    }
}
