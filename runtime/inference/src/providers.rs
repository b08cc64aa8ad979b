//! What the operator decides about execution providers, and how a model's wishes narrow it.

use std::path::PathBuf;

use crate::info::ProviderKind;
use crate::package::RuntimeSettings;

/// The operator's providers: `[inference]` of `node.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderSettings {
    /// Providers in the order tried. A model runs on the first that takes it; without [`ProviderKind::Cpu`] in the list none
    /// falls to the processor. Default: the processor alone.
    pub order: Vec<ProviderKind>,
    /// For [`ProviderKind::Cuda`], and for what [`ProviderKind::Tensorrt`] leaves.
    pub cuda: CudaSettings,
    /// For [`ProviderKind::Tensorrt`].
    pub tensorrt: TensorrtSettings,
    /// For [`ProviderKind::Webgpu`].
    pub webgpu: WebgpuSettings,
}

/// `[inference.cuda]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CudaSettings {
    /// Numbers of the devices, as `nvidia-smi` counts them from 0; each model has a session on each. Empty: device 0.
    pub devices: Vec<u32>,
    /// Bytes that one session's arena may take of the device's memory; CUDA's own needs come on top. `None`: no limit.
    pub memory_bytes: Option<u64>,
}

/// `[inference.tensorrt]`; the device is that of `[inference.cuda]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TensorrtSettings {
    /// Folder in which built engines are kept, so that only the first load of a model builds one, which takes minutes. `None`: every load does.
    pub cache: Option<PathBuf>,
    /// Compute in half precision where TensorRT finds it faster. The golden vectors must still be right.
    pub fp16: bool,
}

/// `[inference.webgpu]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebgpuSettings {
    /// The plugin's library, `libonnxruntime_providers_webgpu.so` of the package `onnxruntime-ep-webgpu`.
    pub plugin: Option<PathBuf>,
    /// Which of the plugin's devices, counted from 0.
    pub device: u32,
}

impl Default for ProviderSettings {
    fn default() -> Self {
        Self {
            order: vec![ProviderKind::Cpu],
            cuda: CudaSettings::default(),
            tensorrt: TensorrtSettings::default(),
            webgpu: WebgpuSettings::default(),
        }
    }
}

impl ProviderSettings {
    /// Sessions that each model has: one for each device of the provider that is tried first.
    pub(crate) fn devices(&self) -> usize {
        match self.order.first() {
            Some(ProviderKind::Cuda | ProviderKind::Tensorrt) => self.cuda.devices.len().max(1),
            _ => 1,
        }
    }

    /// CUDA's number of the device of one of the sessions.
    pub(crate) fn cuda_device(&self, seat: usize) -> u32 {
        self.cuda.devices.get(seat).copied().unwrap_or(0)
    }

    /// The operator's order without what the model does not want.
    ///
    /// # Errors
    /// What the model wants and the operator does not allow.
    pub(crate) fn narrowed(&self, model: &RuntimeSettings) -> Result<Vec<ProviderKind>, String> {
        let wanted = |kind: &ProviderKind| {
            model.require_provider.is_none_or(|required| required == *kind)
                && (model.providers.is_empty() || model.providers.contains(kind))
        };
        let order: Vec<ProviderKind> = self.order.iter().copied().filter(wanted).collect();
        if order.is_empty() {
            let wants = model.require_provider.map_or_else(|| names(&model.providers), |kind| names(&[kind]));
            return Err(format!(
                "it runs on {wants} only, but this node allows {}; add one to `providers` under [inference] of node.toml",
                names(&self.order)
            ));
        }
        Ok(order)
    }
}

/// `` `cuda`, `cpu` ``
pub(crate) fn names(kinds: &[ProviderKind]) -> String {
    kinds.iter().map(|kind| format!("`{}`", kind.name())).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(order: &[ProviderKind]) -> ProviderSettings {
        ProviderSettings { order: order.to_vec(), ..ProviderSettings::default() }
    }

    #[test]
    fn a_model_narrows_the_operators_order_and_never_widens_it() {
        use ProviderKind::{Cpu, Cuda, Webgpu};
        let operator = settings(&[Cuda, Webgpu, Cpu]);
        let wants = |providers: &[ProviderKind], require_provider| {
            operator.narrowed(&RuntimeSettings { providers: providers.to_vec(), require_provider, ..RuntimeSettings::default() })
        };
        assert_eq!(wants(&[], None).unwrap(), [Cuda, Webgpu, Cpu]);
        assert_eq!(wants(&[Cpu, Cuda], None).unwrap(), [Cuda, Cpu]);
        assert_eq!(wants(&[], Some(Webgpu)).unwrap(), [Webgpu]);
        let refusal = wants(&[ProviderKind::Tensorrt], None).unwrap_err();
        assert!(refusal.contains("runs on `tensorrt` only") && refusal.contains("allows `cuda`, `webgpu`, `cpu`"), "{refusal}");
    }
}
